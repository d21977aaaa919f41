//! The checks of a node: the way to it, and what its answer says.

use jiff::Timestamp;

use super::disk::disks;
use super::finding::Finding;
use super::way::way;
use crate::engine::visit::{Seen, Visited};

/// Seconds that a clock may be off: certificates and logs bear that.
const SKEW_WARN: i64 = 2;
/// Seconds from which tokens and leases break.
const SKEW_BAD: i64 = 30;

/// Ports of the platform, and the programs that have them there.
const PORTS: &[(u16, &[&str])] = &[
    (80, &["nginx", "haproxy"]),
    (443, &["nginx", "haproxy"]),
    (5432, &["postgres", "postmaster"]),
    (6379, &["redis-server"]),
    (6432, &["pgbouncer"]),
    (26379, &["redis-server", "redis-sentinel"]),
];

/// All that can be said of a host.
pub fn findings(visited: &Visited) -> Vec<Finding> {
    let mut found = way(visited);
    if let Ok(seen) = &visited.end {
        answer(visited, seen, &mut found);
    }
    found
}

/// The lines of an answer that begin with `word`, without it.
pub(super) fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let rest = |line: &'a str| match line.split_once(' ') {
        Some((first, rest)) if first == word => Some(rest.trim()),
        None if line == word => Some(""),
        _ => None,
    };
    text.lines().filter_map(rest).collect()
}

fn answer(visited: &Visited, seen: &Seen, found: &mut Vec<Finding>) {
    let text = seen.text.as_str();
    let one = |word: &str| lines(text, word).first().copied();
    found.extend(sudo(visited, one("account"), one("sudo")));
    found.push(release(one("release").unwrap_or_default()));
    found.push(clock(one("now"), seen.began, seen.ended));
    let is_container = one("virtual").is_some_and(|kind| !["", "none"].contains(&kind));
    found.push(match one("synchronised") {
        Some("yes") => Finding::ok("time sync", "the clock is kept by NTP"),
        // The machine that a container runs on keeps its clock.
        _ if is_container => Finding::ok("time sync", "the clock is the host's of this container"),
        _ => Finding::warn(
            "time sync",
            "nothing keeps the clock",
            "apt-get install systemd-timesyncd && timedatectl set-ntp true",
        ),
    });
    found.extend(memory(one("memory").unwrap_or_default()));
    found.push(disks(text));
    found.push(dpkg(text));
    if let Some(packages) = one("reboot") {
        let why = match packages {
            "" => "a restart is due".to_owned(),
            packages => format!("a restart is due, for {packages}"),
        };
        found.push(Finding::warn(
            "reboot",
            why,
            "a task `reboot:`, or `systemctl reboot` there",
        ));
    }
    found.push(units(
        one("systemd").unwrap_or_default(),
        &lines(text, "failed"),
    ));
    found.push(ports(text));
}

fn sudo(visited: &Visited, account: Option<&str>, said: Option<&str>) -> Option<Finding> {
    if account == Some("0") {
        return Some(Finding::ok("sudo", "not needed: root logs in"));
    }
    let login = &visited.login;
    Some(match said? {
        "yes" => Finding::ok("sudo", format!("{login} may become root")),
        "missing" => Finding::bad(
            "sudo",
            "there is no sudo",
            "as root there: apt-get install sudo",
        ),
        other => {
            let why = other.strip_prefix("no").unwrap_or(other).trim();
            // sudo leaves out files with a point in their name.
            let file = login.replace('.', "_");
            let rule = format!(
                "as root there: echo '{login} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{file}"
            );
            let cure = match why.contains("password") {
                true => format!("give the right password with -K; or {rule}"),
                false => rule,
            };
            Finding::bad("sudo", format!("{login} may not become root: {why}"), cure)
        }
    })
}

fn release(said: &str) -> Finding {
    let newer = "set up the node anew with Debian 12 or 13";
    match said.split_once(' ') {
        Some(("debian", version @ ("12" | "13"))) => {
            Finding::ok("release", format!("Debian {version}"))
        }
        Some(("debian", version)) => Finding::warn(
            "release",
            format!("Debian {version}; only 12 and 13 are tried"),
            newer,
        ),
        Some((other, version)) => {
            Finding::bad("release", format!("{other} {version} is not Debian"), newer)
        }
        None => Finding::bad("release", "it does not say what it is", newer),
    }
}

/// The node's clock was read between two times of this machine's: only what lies outside of both is off for certain.
fn clock(now: Option<&str>, began: Timestamp, ended: Timestamp) -> Finding {
    let Some(now) = now.and_then(|now| now.parse::<i64>().ok()) else {
        return Finding::warn("clock", "it does not tell the time", "date");
    };
    let (began, ended) = (began.as_second(), ended.as_second());
    let off = match now {
        now if now < began => now - began,
        now if now > ended => now - ended,
        _ => 0,
    };
    let said = match off {
        0 => return Finding::ok("clock", "as here"),
        off if off < 0 => format!("{} s behind this machine", -off),
        off => format!("{off} s ahead of this machine"),
    };
    let cure = "timedatectl set-ntp true, there or here";
    match off.abs() {
        off if off >= SKEW_BAD => Finding::bad("clock", said, cure),
        off if off > SKEW_WARN => Finding::warn("clock", said, cure),
        _ => Finding::ok("clock", said),
    }
}

/// Kibibytes, for people.
pub(super) fn size(kib: u64) -> String {
    match kib {
        kib if kib >= 10 << 20 => format!("{} GB", kib >> 20),
        kib if kib >= 1 << 20 => format!("{:.1} GB", kib as f64 / f64::from(1 << 20)),
        kib => format!("{} MB", kib >> 10),
    }
}

fn memory(said: &str) -> Vec<Finding> {
    let numbers: Vec<u64> = said
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [total, available, swap, swap_free] = numbers[..] else {
        return vec![Finding::warn(
            "memory",
            "it does not tell",
            "cat /proc/meminfo",
        )];
    };
    let told = format!("{} of {} free", size(available), size(total));
    let cure = "ps -eo rss,comm --sort -rss | head";
    let memory = match available * 100 / total.max(1) {
        0..5 => Finding::bad("memory", told, cure),
        5..10 => Finding::warn("memory", told, cure),
        _ => Finding::ok("memory", told),
    };
    let swap = match (swap, swap_free * 100 / swap.max(1)) {
        (0, _) => Finding::ok("swap", "none"),
        (swap, 0..10) => Finding::warn(
            "swap",
            format!("{} of {} free", size(swap_free), size(swap)),
            cure,
        ),
        (swap, _) => Finding::ok(
            "swap",
            format!("{} of {} free", size(swap_free), size(swap)),
        ),
    };
    vec![memory, swap]
}

fn dpkg(text: &str) -> Finding {
    let half = lines(text, "dpkg");
    let cure = "dpkg --configure -a && apt-get -f install";
    if let Some(first) = half.first() {
        let more = match half.len() {
            1 => String::new(),
            many => format!(", and {} more", many - 1),
        };
        let (state, package) = first.split_once(' ').unwrap_or((first, ""));
        return Finding::bad("dpkg", format!("{package} is {state}{more}"), cure);
    }
    if !lines(text, "interrupted").is_empty() {
        return Finding::bad("dpkg", "it was interrupted", cure);
    }
    match lines(text, "lock").first() {
        Some(holder) => {
            let (pid, name) = holder.split_once(' ').unwrap_or((holder, "something"));
            let said = format!("{name} (process {pid}) holds its lock");
            Finding::warn("dpkg", said, "wait for it, or give the task `lock_timeout`")
        }
        None => Finding::ok("dpkg", "all packages are configured"),
    }
}

fn units(state: &str, failed: &[&str]) -> Finding {
    match (state, failed) {
        (_, [first, ..]) => Finding::warn(
            "systemd",
            format!("failed: {}", failed.join(", ")),
            format!("systemctl status {first}; then systemctl reset-failed"),
        ),
        ("running", _) => Finding::ok("systemd", "running"),
        ("starting" | "initializing", _) => {
            Finding::warn("systemd", "still starting", "systemctl list-jobs")
        }
        ("", _) => Finding::bad(
            "systemd",
            "it does not run",
            "set up the node anew with Debian 12 or 13",
        ),
        (other, _) => Finding::warn("systemd", other, "systemctl --failed"),
    }
}

fn ports(text: &str) -> Finding {
    let mut taken = Vec::new();
    for line in lines(text, "port") {
        let mut words = line.split(' ');
        let port = words.next().and_then(|word| word.parse::<u16>().ok());
        let program = words.next().unwrap_or_default();
        let wanted = PORTS.iter().find(|(wanted, _)| Some(*wanted) == port);
        // Who has it is told to root only.
        if let Some((port, programs)) = wanted
            && !program.is_empty()
            && !programs.contains(&program)
        {
            taken.push((port, program));
        }
    }
    match taken.first() {
        None => Finding::ok("ports", "none of the platform's is another program's"),
        Some((port, program)) => {
            let all: Vec<String> = taken
                .iter()
                .map(|(port, by)| format!("{port} ({by})"))
                .collect();
            Finding::warn(
                "ports",
                format!(
                    "the platform wants what another program has: {}",
                    all.join(", ")
                ),
                format!(
                    "ss -ltnp 'sport = :{port}' tells of {program}; systemctl disable --now its unit"
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests;
