//! One writer per machine: the lease, its heartbeat, and the notes of owed handlers, as shell text and parsers.
//!
//! The lease is the folder `lease` in hadeploy's run-time folder: `run` (the run's id), `info` (who, what, since when), `beat` (the node's uptime in
//! seconds at the last heartbeat), `log` (how its end is written to the node's log), `shell-MARK` (named by the shell whose end gives the lease back). It is prepared aside and put in place by one rename, which fails while another stands there.
//!
//! Who gives the lease back and who goes on with it after a lost connection race for one rename of `shell-MARK`: one of them gets it. A lease
//! given back without a word of farewell lies aside as `lease.gone.RUN`, so that its run can take it up again; the next run clears it away.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::audit;
use super::launch::STAGE;
use super::script::OWED;
use crate::command::quote;

/// A lease whose holder was silent for this long may be taken over.
pub const EXPIRY: Duration = Duration::from_secs(30);

/// How often the holder says that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// While it is there, the node's health page says that visitors may come.
const READY: &str = "/run/hadeploy/ready";
/// While it is there, the node's health page says that none should.
const DRAIN: &str = "/run/hadeploy/drain";

/// hadeploy's run-time folder where root runs the shell.
pub const ROOTS: &str = "/run/hadeploy";

/// Who holds a lease, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseInfo {
    /// `user@machine`.
    pub holder: String,
    /// The command line.
    pub command: String,
    /// When the run began, RFC 3339.
    pub since: String,
}

/// What came of asking for the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours.
    Mine,
    /// It is ours; a dead run held it.
    TakenOver(LeaseInfo),
    /// Another run holds it; seconds since its last heartbeat.
    Held {
        /// Who.
        info: LeaseInfo,
        /// Seconds since its last heartbeat.
        silent_s: u64,
        /// Whether the holder is dead and only its last step still runs.
        finishing: bool,
    },
}

/// A handler that an earlier run owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedEntry {
    /// Name of the note.
    #[serde(skip)]
    pub id: String,
    /// Path of the playbook as the run was given it.
    pub playbook: String,
    /// The play.
    pub play: String,
    /// The handler.
    pub handler: String,
    /// The task that raised it.
    pub task: String,
    /// When, RFC 3339.
    pub since: String,
}

/// What [`claim_text`] and [`adopt_text`] begin with. `mine` makes this shell the one whose end gives the lease back, if the run holds the lease or
/// nobody took it since; a shell that is just giving it back is waited for, and one of a later connection keeps it: marks begin with a number.
const WORDS: &str = r#"read -r u _ </proc/uptime; u=${u%%.*}
mine() { k=0; while [ "$k" -lt 20 ]; do
if [ -d "$B/lease.gone.$R" ]; then printf '%s\n' "$u" >"$B/lease.gone.$R/beat"; mv -T "$B/lease.gone.$R" "$B/lease" && mv -T "$B/lease/over" "$B/lease/shell-$MARK" && return 0; fi
r=; [ ! -e "$B/lease/run" ] || read -r r <"$B/lease/run"
if [ "$r" = "$R" ]; then
[ ! -e "$B/lease/shell-$MARK" ] || return 0
for s in "$B"/lease/shell-*; do o=${s##*/shell-}; o=${o%%-*}; [ "$o" = '*' ] || [ "$o" -lt "${MARK%%-*}" ] || return 1; mv -T "$s" "$B/lease/shell-$MARK" && return 0; done
[ "$k" -lt 15 ] || ! mv -T "$B/lease/over" "$B/lease/shell-$MARK" || return 0
elif [ -n "$r" ] || [ ! -d "$B/lease.gone.$R" ]; then return 1; fi
k=$((k + 1)); sleep 0.1; done; return 1; }
"#;

/// `busy` says whether the script in a folder still runs, `works` whether a script of a run does, and lists its folder. They need `$B`.
pub(super) const WORKS: &str = r#"busy() { if [ -d /run/systemd/system ] && [ -w /run/systemd ]; then n=${1%/*}; case $(systemctl show -p ActiveState --value "hadeploy-${n##*/}-${1##*/}") in active|activating|deactivating) return 0;; esac; return 1
else printf '%s\n' "$1" | grep -qszFx -f - /proc/[0-9]*/cmdline; fi; }
works() { for q in "$B/steps/$1"/*/started; do [ ! -d "$q" ] || [ -e "${q%/started}/rc" ] || ! busy "${q%/started}" || { printf '%s\n' "${q%/started}"; return 0; }; done; return 1; }
"#;

/// `take` says whether the lease of a dead run, as it was looked at, may be cleared away: its shell may just be giving it back, and another run have
/// come since. Who gives it back and who takes it over race for one rename of `shell-MARK` here too; who won and died over it is waited for no longer
/// than three seconds. It needs `$B` and the dead run.
pub(super) const TAKE: &str = r#"take() { for s in "$B"/lease/shell-*; do mv -T "$s" "$B/lease/taken" || continue
q=; read -r q <"$B/lease/run"; [ "$q" != "$1" ] || return 0; mv -T "$B/lease/taken" "$s"; return 1; done
k=0; while [ -e "$B/lease/over" ] || [ -e "$B/lease/taken" ]; do [ "$k" -lt 30 ] || return 0; k=$((k + 1)); sleep 0.1; done
q=; [ ! -e "$B/lease/run" ] || read -r q <"$B/lease/run"; [ -n "$q" ] && [ "$q" = "$1" ]; }
"#;

/// Shell text that asks for the lease and prints one line about it.
pub fn claim_text(base: &str, run: &str, info: &LeaseInfo) -> String {
    let log = match base {
        ROOTS => format!(
            "; printf '%s\\n' {} >\"$N/log\"",
            quote(&audit::text(run, info))
        ),
        // Others cannot write to the log.
        _ => String::new(),
    };
    let info = serde_json::to_string(info).unwrap_or_default();
    format!(
        r#"B={base}; R={run}; N="$B/lease.$R.$MARK"; {WORDS}{WORKS}{TAKE}[ -d "$B" ] || mkdir -m 0711 "$B"
if [ -L "$B" ] || [ ! -O "$B" ]; then printf 'LEASE foreign\n'
elif mine; then printf 'LEASE mine\n'; else
mkdir -m 0700 "$N"; printf '%s\n' "$R" >"$N/run"; : >"$N/shell-$MARK"; printf '%s\n' {info} >"$N/info"; printf '%s\n' "$u" >"$N/beat"{log}
if mv -T "$N" "$B/lease" 2>/dev/null; then printf 'LEASE mine\n'
for d in "$B"/lease.gone.*; do r=${{d##*.gone.}}; [ ! -d "$d" ] || works "$r" >/dev/null || rm -rf "$d" "$B/steps/$r" {STAGE}/"$r"-*; done
elif mine; then printf 'LEASE mine\n'; else
r=; i='{{}}'; b=0; read -r r <"$B/lease/run"; read -r i <"$B/lease/info"; read -r b <"$B/lease/beat"; a=$((u - b))
if [ "$r" = "$R" ]; then printf 'LEASE mine\n'
elif [ "$a" -ge 0 ] && [ "$a" -lt {expiry} ]; then printf 'LEASE held %s %s\n' "$a" "$i"
elif works "$r" >/dev/null; then printf 'LEASE finishing %s %s\n' "$a" "$i"
else
if take "$r" && mv -T "$B/lease" "$B/lease.dead.$R"; then rm -rf "$B/lease.dead.$R" "$B/steps/$r" {STAGE}/"$r"-*; fi
if mv -T "$N" "$B/lease"; then printf 'LEASE taken %s\n' "$i"; else printf 'LEASE held 0 %s\n' "$i"; fi; fi; fi; [ ! -d "$N" ] || rm -rf "$N"; fi
[ ! -d "$B/lease" ] || mkdir -p -m 0711 "$B/steps" "$B/steps/$R"
"#,
        base = quote(base),
        run = quote(run),
        info = quote(&info),
        expiry = EXPIRY.as_secs(),
    )
}

/// Shell text by which the shell that runs it becomes the one whose end gives the lease back: after a lost connection, when the old
/// shell may still hang, or has given it back. Does nothing when the lease is no longer ours; the scripts find that out themselves.
pub fn adopt_text(base: &str, run: &str) -> String {
    let base = quote(base);
    format!("B={base}; R={run}; {WORDS}\nmine\n", run = quote(run))
}

/// Shell text that says that we live; prints `ok`, or nothing when the lease is no longer ours. One that a lost connection gave back and nobody took is.
pub fn beat_text(base: &str, run: &str) -> String {
    format!(
        r#"B={base}; r=; read -r r <"$B/lease/run"; read -r u _ </proc/uptime
if [ "$r" = {run} ]; then printf '%s\n' "${{u%%.*}}" >"$B/lease/beat"; printf ok; elif [ -z "$r" ] && [ -d "$B"/lease.gone.{run} ]; then printf ok; fi
"#,
        base = quote(base),
        run = quote(run),
    )
}

/// Shell text that prints the notes of owed handlers, without a program of its own.
pub fn owed_text() -> String {
    format!(
        "[ ! -f {READY} ] || [ -f {DRAIN} ] || printf 'SERVES\\n'\nfor f in {OWED}/*; do [ -f \"$f\" ] && read -r l <\"$f\" && printf 'OWED %s %s\\n' \"${{f##*/}}\" \"$l\"; done\n"
    )
}

/// Whether the node says by its flags that it takes visitors, as [`owed_text`] found it.
pub fn parse_serves(output: &[u8]) -> bool {
    output
        .split(|byte| *byte == b'\n')
        .any(|line| line == b"SERVES")
}

/// What [`claim_text`] printed; none when it said nothing, as where `/run` cannot be written.
pub fn parse_claim(output: &[u8]) -> Option<Claim> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|line| line.strip_prefix("LEASE "))?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let held = |finishing| {
        let (silent, info) = rest.split_once(' ')?;
        Some(Claim::Held {
            info: info_of(info),
            silent_s: silent.parse().ok()?,
            finishing,
        })
    };
    match word {
        "mine" => Some(Claim::Mine),
        "taken" => Some(Claim::TakenOver(info_of(rest))),
        "held" => held(false),
        "finishing" => held(true),
        _ => None,
    }
}

/// A holder that left no readable note still holds.
pub(super) fn info_of(text: &str) -> LeaseInfo {
    serde_json::from_str(text).unwrap_or_else(|_| LeaseInfo {
        holder: "an unknown run".to_owned(),
        command: String::new(),
        since: String::new(),
    })
}

/// What [`owed_text`] printed. Notes that cannot be read are left alone.
pub fn parse_owed(output: &[u8]) -> Vec<OwedEntry> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| {
            let (id, text) = line.strip_prefix("OWED ")?.split_once(' ')?;
            let entry: OwedEntry = serde_json::from_str(text).ok()?;
            Some(OwedEntry {
                id: id.to_owned(),
                ..entry
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(holder: &str) -> LeaseInfo {
        LeaseInfo {
            holder: holder.to_owned(),
            command: "hadeploy apply it's.yml".to_owned(),
            since: "2026-11-20T10:00:00Z".to_owned(),
        }
    }

    fn sh(script: &str) -> Vec<u8> {
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .output()
            .expect("sh");
        output.stdout
    }

    #[test]
    fn one_holds_the_other_learns_who() {
        let folder = tempfile::tempdir().expect("tempdir");
        let base = folder.path().join("base");
        let base = base.to_str().expect("utf-8");
        let mine = sh(&claim_text(base, "r1", &info("ann@a")));
        assert_eq!(parse_claim(&mine), Some(Claim::Mine));
        let again = sh(&claim_text(base, "r1", &info("ann@a")));
        assert_eq!(parse_claim(&again), Some(Claim::Mine));
        let other = parse_claim(&sh(&claim_text(base, "r2", &info("bob@b"))));
        assert!(
            matches!(&other, Some(Claim::Held { info: holder, finishing: false, .. }) if *holder == info("ann@a")),
            "{other:?}"
        );
        assert_eq!(sh(&beat_text(base, "r1")), b"ok");
        assert_eq!(sh(&beat_text(base, "r2")), b"");
        std::fs::remove_dir_all(folder.path().join("base/lease")).expect("given back");
        let free = sh(&claim_text(base, "r2", &info("bob@b")));
        assert_eq!(parse_claim(&free), Some(Claim::Mine));
    }

    #[test]
    fn what_a_dead_run_left_is_cleared_away() {
        let folder = tempfile::tempdir().expect("tempdir");
        let base = folder.path();
        for left in ["lease.gone.r1", "steps/r1/2/started", "steps/r1/3/started"] {
            std::fs::create_dir_all(base.join(left)).expect("a folder");
        }
        let text = claim_text(base.to_str().expect("utf-8"), "r2", &info("bob@b"));
        assert_eq!(parse_claim(&sh(&text)), Some(Claim::Mine));
        assert!(!base.join("lease.gone.r1").exists() && !base.join("steps/r1").exists());
    }

    /// A dead run whose shell is just giving its lease back, and one whose shell died over that.
    #[test]
    fn who_gives_it_back_late_takes_it_from_nobody() {
        let folder = tempfile::tempdir().expect("tempdir");
        let base = folder.path().to_str().expect("utf-8");
        let run = || std::fs::read_to_string(folder.path().join("lease/run")).expect("a lease");
        let dead = |run: &str| {
            sh(&claim_text(base, run, &info("ann@a")));
            std::fs::write(folder.path().join("lease/beat"), "-100").expect("beat");
            let shell = folder.path().join("lease/shell-");
            std::fs::rename(shell, folder.path().join("lease/over")).expect("a shell");
        };
        let claim = |run: &str| parse_claim(&sh(&claim_text(base, run, &info("bob@b"))));
        dead("r1");
        let (from, to) = (
            folder.path().join("lease"),
            folder.path().join("lease.gone.r1"),
        );
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(1));
            std::fs::rename(from, to).expect("its own lease");
        });
        let taken = claim("r2");
        late.join().expect("given back");
        assert!(matches!(taken, Some(Claim::TakenOver(_))), "{taken:?}");
        assert_eq!(run(), "r2\n");
        std::fs::remove_dir_all(folder.path().join("lease")).expect("given back");
        dead("r3");
        let taken = claim("r4");
        assert!(matches!(taken, Some(Claim::TakenOver(_))), "{taken:?}");
        assert_eq!(run(), "r4\n");
    }

    #[test]
    fn a_silent_holder_is_replaced() {
        let folder = tempfile::tempdir().expect("tempdir");
        let base = folder.path().to_str().expect("utf-8");
        sh(&claim_text(base, "r1", &info("ann@a")));
        // A beat from before a reboot lies in the future of the uptime clock; one from long ago is simply old.
        for beat in ["999999999", "-100"] {
            std::fs::write(folder.path().join("lease/beat"), beat).expect("beat");
            let run = format!("r{}", beat.len());
            let taken = parse_claim(&sh(&claim_text(base, &run, &info("bob@b"))));
            assert!(matches!(taken, Some(Claim::TakenOver(_))), "{taken:?}");
        }
        assert!(!folder.path().join("lease.dead.r4").exists());
    }
}
