//! What a balancer's own probes were answered, and what it must think of the node therefore.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

/// Who has not asked for this many intervals does not count any more.
pub(super) const SILENT: f64 = 3.0;

/// One line of the health log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probe {
    /// Who asked, as nginx writes it.
    pub from: String,
    /// What it was answered.
    pub status: u16,
    /// When, in seconds by the node's clock.
    pub at: f64,
}

impl Probe {
    /// Reads `10.0.0.1 503 1763728000.123`.
    pub(super) fn parse(line: &str) -> Option<Probe> {
        let mut words = line.split_ascii_whitespace();
        let probe = Probe {
            from: words.next()?.to_owned(),
            status: words.next()?.parse().ok()?,
            at: words
                .next()?
                .parse()
                .ok()
                .filter(|at: &f64| at.is_finite())?,
        };
        words.next().is_none().then_some(probe)
    }
}

/// What has been seen so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// Every address that asks has been answered so often enough: each with its number.
    Enough(BTreeMap<String, u32>),
    /// Not every one yet.
    NotYet(BTreeMap<String, u32>),
    /// Nobody asks.
    Nobody,
}

/// Addresses that asked within the last three intervals before `now`.
pub(super) fn asking(probes: &[Probe], now: f64, interval: f64) -> Vec<&str> {
    let mut found: Vec<&str> = probes
        .iter()
        .filter(|probe| probe.at >= now - SILENT * interval)
        .map(|probe| probe.from.as_str())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// How often in a row, up to now and since `from`, each address that asks was answered with `status`: enough is `threshold` times, and for as
/// long as `threshold` intervals.
pub(super) fn seen(
    probes: &[Probe],
    status: u16,
    from: f64,
    now: f64,
    interval: f64,
    threshold: u32,
) -> Seen {
    let mut enough = true;
    let counts: BTreeMap<String, u32> = asking(probes, now, interval)
        .into_iter()
        .map(|address| {
            let all = in_time(probes, address);
            let fits = |probe: &&&Probe| probe.status == status && probe.at >= from;
            let row = all.iter().rev().take_while(fits).count();
            // Several checks may come from one address, each with its own count: so long each has asked often enough.
            let other = all.iter().rev().nth(row).map_or(from, |probe| probe.at);
            let since = other.max(from);
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            enough &= row >= threshold && now - since >= f64::from(threshold) * interval;
            (address.to_owned(), row)
        })
        .collect();
    if counts.is_empty() {
        return Seen::Nobody;
    }
    match enough {
        true => Seen::Enough(counts),
        false => Seen::NotYet(counts),
    }
}

/// The last answer to each address that asks.
pub(super) fn last(probes: &[Probe], now: f64, interval: f64) -> BTreeMap<String, u16> {
    asking(probes, now, interval)
        .into_iter()
        .filter_map(|address| {
            let last = in_time(probes, address).last()?.status;
            Some((address.to_owned(), last))
        })
        .collect()
}

/// The addresses of all probes that are addresses.
pub(super) fn addresses(probes: &[Probe]) -> HashSet<IpAddr> {
    probes
        .iter()
        .filter_map(|probe| probe.from.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .collect()
}

/// Probes of one address by their time: nginx's workers write one file beside each other.
fn in_time<'p>(probes: &'p [Probe], address: &str) -> Vec<&'p Probe> {
    let mut found: Vec<&Probe> = probes.iter().filter(|p| p.from == address).collect();
    found.sort_by(|a, b| a.at.total_cmp(&b.at));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(text: &str) -> Vec<Probe> {
        text.split(", ")
            .map(|line| Probe::parse(line).expect(line))
            .collect()
    }

    fn counts(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
        pairs.iter().map(|(a, n)| ((*a).to_owned(), *n)).collect()
    }

    #[test]
    fn lines_that_are_no_probes_are_left_out() {
        assert_eq!(Probe::parse("unix: 200 1.5").unwrap().from, "unix:");
        for bad in [
            "",
            "a",
            "a 200",
            "a x 1",
            "a 200 x",
            "a 200 1 2",
            "a 200 inf",
        ] {
            assert_eq!(Probe::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_address_must_be_answered_often_enough_in_a_row() {
        let at = |probes: &[Probe], now| seen(probes, 503, 10.0, now, 2.0, 2);
        let two = probes("a 503 11, b 200 11.5, a 503 13, b 503 13.5");
        assert_eq!(at(&two, 14.0), Seen::NotYet(counts(&[("a", 2), ("b", 1)])));
        let more = [two, probes("a 503 15, b 503 15.5")].concat();
        assert_eq!(at(&more, 16.0), Seen::Enough(counts(&[("a", 3), ("b", 2)])));
        // A good answer in between begins anew, in whatever order the lines stand.
        let good = [probes("a 503 17"), more, probes("a 200 16.5")].concat();
        assert_eq!(at(&good, 17.0), Seen::NotYet(counts(&[("a", 1), ("b", 2)])));
    }

    #[test]
    fn two_checks_from_one_address_do_not_count_for_each_other() {
        let both = probes("a 503 10.1, a 503 10.2");
        let now = seen(&both, 503, 10.0, 10.3, 2.0, 2);
        assert_eq!(now, Seen::NotYet(counts(&[("a", 2)])));
        let later = [both, probes("a 503 12.1, a 503 12.2")].concat();
        let now = seen(&later, 503, 10.0, 14.0, 2.0, 2);
        assert_eq!(now, Seen::Enough(counts(&[("a", 4)])));
    }

    #[test]
    fn answers_before_the_moment_do_not_count() {
        let early = probes("a 503 7, a 503 9, a 503 11");
        assert_eq!(
            seen(&early, 503, 10.0, 12.0, 2.0, 2),
            Seen::NotYet(counts(&[("a", 1)]))
        );
    }

    #[test]
    fn who_fell_silent_does_not_count_and_then_nobody_asks() {
        let asked = probes("gone 200 5, a 503 11, a 503 13");
        assert_eq!(
            seen(&asked, 503, 10.0, 14.0, 2.0, 2),
            Seen::Enough(counts(&[("a", 2)]))
        );
        assert_eq!(seen(&asked, 503, 10.0, 30.0, 2.0, 2), Seen::Nobody);
        // Right after the moment those who asked before it are still waited for.
        assert_eq!(
            seen(&probes("a 200 9"), 503, 10.0, 10.5, 2.0, 2),
            Seen::NotYet(counts(&[("a", 0)]))
        );
    }
}
