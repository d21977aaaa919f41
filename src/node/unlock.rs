//! Leases as an operator sees them: who holds the one of a node, whether its run lives, and how that of a dead run is given back.

use super::launch::STAGE;
use super::lease::{EXPIRY, LeaseInfo, TAKE, WORKS, info_of};
use crate::command::quote;

/// The lease of a node that a run holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    /// The run.
    pub run: String,
    /// Who, what, since when.
    pub info: LeaseInfo,
    /// Seconds since its last heartbeat.
    pub silent_s: u64,
    /// The folder of a step that still runs.
    pub step: Option<String>,
}

impl HeldLease {
    /// Whether its run gave a sign of life within the time that a lease is good for.
    pub fn lives(&self) -> bool {
        self.silent_s < EXPIRY.as_secs()
    }
}

/// What came of giving a dead run's lease back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlocked {
    /// Nobody holds the lease now.
    Free,
    /// Its run gave a sign of life meanwhile, or another one holds it.
    Lives,
    /// A step of it still runs.
    Works,
}

/// Shell text that says who holds the lease; nothing when nobody does.
pub fn look_text(base: &str) -> String {
    format!(
        r#"B={base}; read -r u _ </proc/uptime; u=${{u%%.*}}
{WORKS}r=; [ ! -e "$B/lease/run" ] || read -r r <"$B/lease/run"
if [ -n "$r" ]; then i='{{}}'; b=0; read -r i <"$B/lease/info"; read -r b <"$B/lease/beat"; a=$((u - b)); [ "$a" -ge 0 ] || a=$u
w=$(works "$r") || w=-; printf 'HELD %s %s %s %s\n' "$r" "$a" "$w" "$i"; fi
"#,
        base = quote(base),
    )
}

/// What [`look_text`] printed.
pub fn parse_look(output: &[u8]) -> Option<HeldLease> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|line| line.strip_prefix("HELD "))?;
    let mut words = line.splitn(4, ' ');
    let run = words.next()?.to_owned();
    let silent_s = words.next()?.parse().ok()?;
    let step = words.next()?;
    Some(HeldLease {
        run,
        silent_s,
        step: (step != "-").then(|| step.to_owned()),
        info: info_of(words.next().unwrap_or_default()),
    })
}

/// Shell text that gives back the lease of `run` if that is dead; `end_steps` ends what of it still runs first, with everything that it started;
/// the shell that waited for that may then give the lease back itself.
pub fn free_text(base: &str, run: &str, end_steps: bool) -> String {
    let end = match end_steps {
        true => {
            r#"k=0; while w=$(works "$R") && [ "$k" -lt 10 ]; do s=TERM; [ "$k" -lt 5 ] || s=KILL
if [ -d /run/systemd/system ] && [ -w /run/systemd ]; then systemctl kill --kill-whom=all -s "$s" "hadeploy-$R-${w##*/}"; else pkill "-$s" -f "hadeploy $w"; fi
k=$((k + 1)); sleep 1; done
"#
        }
        false => "",
    };
    format!(
        r#"B={base}; R={run}; read -r u _ </proc/uptime; u=${{u%%.*}}
{WORKS}{TAKE}r=; b=0; read -r r <"$B/lease/run"; read -r b <"$B/lease/beat"; a=$((u - b))
if [ ! -d "$B/lease" ]; then printf 'UNLOCK free\n'
elif [ "$r" != "$R" ] || {{ [ "$a" -ge 0 ] && [ "$a" -lt {expiry} ]; }}; then printf 'UNLOCK lives\n'
else
{end}if works "$R" >/dev/null; then printf 'UNLOCK works\n'
elif {{ take "$R" && mv -T "$B/lease" "$B/lease.dead.$R.$$"; }} || [ ! -d "$B/lease" ]; then rm -rf "$B/lease.dead.$R.$$" "$B/lease.gone.$R" "$B/steps/$R" {STAGE}/"$R"-*; printf 'UNLOCK free\n'
else printf 'UNLOCK lives\n'; fi; fi
"#,
        base = quote(base),
        run = quote(run),
        expiry = EXPIRY.as_secs(),
    )
}

/// What [`free_text`] printed.
pub fn parse_free(output: &[u8]) -> Option<Unlocked> {
    let text = String::from_utf8_lossy(output);
    let word = text.lines().find_map(|line| line.strip_prefix("UNLOCK "))?;
    match word {
        "free" => Some(Unlocked::Free),
        "lives" => Some(Unlocked::Lives),
        "works" => Some(Unlocked::Works),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::lease::claim_text;

    fn sh(script: &str) -> Vec<u8> {
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .output()
            .expect("sh");
        output.stdout
    }

    #[test]
    fn only_the_lease_of_a_silent_run_is_given_back() {
        let folder = tempfile::tempdir().expect("tempdir");
        let base = folder.path().join("base");
        let base = base.to_str().expect("utf-8");
        assert_eq!(parse_look(&sh(&look_text(base))), None);
        let info = LeaseInfo {
            holder: "ann@a".to_owned(),
            command: "hadeploy apply it's.yml".to_owned(),
            since: "2026-11-20T10:00:00Z".to_owned(),
        };
        sh(&claim_text(base, "r1", &info));
        let held = parse_look(&sh(&look_text(base))).expect("held");
        assert_eq!(
            (held.run.as_str(), &held.info, &held.step),
            ("r1", &info, &None)
        );
        assert!(held.lives());
        let free = |run| parse_free(&sh(&free_text(base, run, false)));
        assert_eq!(free("r1"), Some(Unlocked::Lives));
        std::fs::write(folder.path().join("base/lease/beat"), "-100").expect("beat");
        assert!(!parse_look(&sh(&look_text(base))).expect("held").lives());
        assert_eq!(free("r2"), Some(Unlocked::Lives));
        assert_eq!(free("r1"), Some(Unlocked::Free));
        assert_eq!(parse_look(&sh(&look_text(base))), None);
        assert_eq!(free("r1"), Some(Unlocked::Free));
    }
}
