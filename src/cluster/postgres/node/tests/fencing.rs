//! The helpers themselves, run by `sh` here: PostgreSQL's programs are played by small scripts, hosts by addresses of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::*;
use crate::executable::make_executable;

/// A node of three, in a folder.
struct Played {
    folder: tempfile::TempDir,
}

/// Nobody answers there: reserved for documentation.
const NOWHERE: &str = "192.0.2.77";

impl Played {
    /// `peers`: for each peer its address, and what its server says; nothing for one that does not answer.
    fn new(own_timeline: u32, peers: &[(&str, &str)]) -> Played {
        let played = Played {
            folder: tempfile::tempdir().expect("a folder"),
        };
        for (name, text, mode) in HELPERS {
            played.write(&format!("lib/{name}"), text, mode);
        }
        // The node itself is a primary, where it is asked.
        let mut says = format!(
            "#!/bin/sh\ncase $* in\n*host=127.0.0.1\\ *) echo 'f|{own_timeline}'; exit 0 ;;\n"
        );
        let mut list = Vec::new();
        for (index, (address, answer)) in peers.iter().enumerate() {
            let end = if answer.is_empty() {
                "exit 2"
            } else {
                "exit 0"
            };
            says.push_str(&format!("*host={address}\\ *) echo '{answer}'; {end} ;;\n"));
            list.push(format!("{},n{},{address}", index + 2, index + 2));
        }
        says.push_str("*) exit 2 ;;\nesac\n");
        played.write("bin/psql", &says, 0o755);
        played.write(
            "bin/pg_controldata",
            &format!("#!/bin/sh\necho \"Latest checkpoint's TimeLineID:       {own_timeline}\"\n"),
            0o755,
        );
        // Stopping works, and leaves its mark.
        played.write(
            "bin/pg_ctl",
            "#!/bin/sh\ncase $* in *status*) exit 3 ;; esac\necho \"$*\" >> \"${0%/*}/../stopped\"\n",
            0o755,
        );
        played.write("data/PG_VERSION", "15\n", 0o644);
        let addresses: Vec<&str> = peers.iter().map(|(address, _)| *address).collect();
        let values = [
            ("PG_VERSION", "15".to_owned()),
            ("PG_PORT", "1".to_owned()),
            ("PG_BIN", played.path("bin").display().to_string()),
            ("PG_DATA", played.path("data").display().to_string()),
            ("PG_CA", "/ca".to_owned()),
            ("PG_PEERS", list.join(" ")),
            ("PG_OTHERS", addresses.join(" ")),
            ("PG_DATA_NODES", (peers.len() + 1).to_string()),
            ("PG_MEMBERS", (peers.len() + 1).to_string()),
            ("PG_WITNESS", String::new()),
            ("NODE_ADDRESS", "127.0.0.1".to_owned()),
            // Nothing listens there: a host that is up refuses.
            ("PG_PROBE_PORTS", "1".to_owned()),
        ];
        let text: String = values
            .iter()
            .map(|(name, value)| format!("{name}={}\n", quote(value)))
            .collect();
        played.write("env", &text, 0o644);
        played
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(&path, text).expect("a file");
        if mode & 0o100 != 0 {
            make_executable(&path);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    fn state(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path("state").join(name)).ok()
    }

    fn run(&self, helper: &str, argument: &str) -> Output {
        Command::new("sh")
            .arg(self.path("lib").join(helper))
            .arg(argument)
            .env("HADEPLOY_ENV", self.path("env"))
            .env("HADEPLOY_STATE", self.path("state"))
            .env("GUARD_SECONDS", "0")
            .output()
            .expect("sh")
    }

    /// Whether the guard lets the server start.
    fn starts(&self) -> bool {
        self.run("pg-start-guard", "15-main").status.success()
    }
}

#[test]
fn helpers_are_short() {
    for (name, text, _) in HELPERS {
        assert!(text.lines().count() < 150, "{name}");
    }
}

#[test]
fn a_former_primary_starts_only_where_nobody_took_its_place() {
    let (one, two) = ("127.0.0.2", "127.0.0.3");
    for (own, peers, starts) in [
        (1, [(one, "t|1"), (two, "t|1")], true),
        // The other may be down: this one and a standby are most of three.
        (1, [(one, "t|1"), (two, "")], true),
        (1, [(one, "t|1"), (NOWHERE, "")], true),
        (3, [(one, "t|2"), (two, "t|3")], true),
        // Another primary.
        (1, [(one, "f|2"), (two, "t|2")], false),
        (1, [(one, "t|1"), (two, "f|1")], false),
        // A standby of one that is down itself.
        (1, [(one, "t|2"), (two, "")], false),
        // Up, but their servers do not answer: one of them may be a newer primary.
        (1, [(one, ""), (two, "")], false),
        // Cut off.
        (1, [(NOWHERE, "t|1"), (NOWHERE, "t|1")], false),
    ] {
        let played = Played::new(own, &peers);
        assert_eq!(played.starts(), starts, "{own} {peers:?}");
        assert_eq!(played.state("pg-start-refused").is_none(), starts);
    }
    let played = Played::new(1, &[(one, "f|2"), (two, "t|2")]);
    assert!(!played.starts());
    assert_eq!(played.state("pg-needs-rejoin").as_deref(), Some("n2\n"));
    assert_eq!(
        played.state("pg-start-refused").as_deref(),
        Some("n2 is primary on time line 2\n")
    );
}

#[test]
fn a_promotion_without_its_checkpoint_counts() {
    let played = Played::new(1, &[("127.0.0.2", "t|2"), ("127.0.0.3", "t|2")]);
    played.write("data/pg_wal/00000002.history", "1\t0/3000000\n", 0o600);
    assert!(played.starts());
}

#[test]
fn a_standby_starts_and_an_unfinished_copy_does_not() {
    let alone = [(NOWHERE, ""), (NOWHERE, "")];
    let played = Played::new(1, &alone);
    played.write("data/backup_label", "", 0o600);
    assert!(!played.starts());
    played.write("data/standby.signal", "", 0o600);
    assert!(played.starts());
    assert!(played.run("pg-start-guard", "15-other").status.success());
}

#[test]
fn an_order_holds_once_on_this_boot_for_two_minutes() {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let boot = boot.trim();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time")
        .as_secs();
    let played = Played::new(1, &[("127.0.0.2", "f|2"), ("127.0.0.3", "t|2")]);
    played.write("state/pg-fenced", "", 0o600);
    played.write("state/pg-start-token", &format!("{boot} {now}\n"), 0o600);
    assert!(played.starts());
    assert!(!played.starts());
    for stale in [
        format!("{boot} {}\n", now - 121),
        format!("another-boot {now}\n"),
        "nonsense\n".into(),
        String::new(),
    ] {
        played.write("state/pg-start-token", &stale, 0o600);
        assert!(!played.starts(), "{stale}");
        assert_eq!(played.state("pg-start-token"), None);
    }
}

#[test]
fn a_witness_starts_beside_a_primary() {
    let played = Played::new(1, &[("127.0.0.2", "f|2"), ("127.0.0.3", "t|2")]);
    let mut values = fs::read_to_string(played.path("env")).expect("values");
    values.push_str("PG_WITNESS=yes\n");
    played.write("env", &values, 0o644);
    assert!(played.starts());
}

#[test]
fn a_fenced_server_stays_down() {
    let played = Played::new(1, &[("127.0.0.2", "t|1"), ("127.0.0.3", "t|1")]);
    played.write("state/pg-fenced", "", 0o600);
    assert!(!played.starts());
}

#[test]
fn a_node_promotes_with_most_members_and_without_a_living_primary() {
    let (one, two) = ("127.0.0.2", "127.0.0.3");
    for (peers, allowed) in [
        ([(one, ""), (two, "t|1")], true),
        ([(NOWHERE, ""), (two, "t|1")], true),
        ([(NOWHERE, ""), (NOWHERE, "")], false),
        ([(one, "f|1"), (two, "t|1")], false),
    ] {
        let played = Played::new(1, &peers);
        let run = played.run("pg-failover-ok", "1");
        assert_eq!(run.status.success(), allowed, "{peers:?}");
    }
}

#[test]
fn a_primary_stops_where_it_is_cut_off_or_succeeded() {
    for (peers, stops) in [
        ([("127.0.0.2", ""), (NOWHERE, "")], false),
        ([("127.0.0.2", "t|1"), ("127.0.0.3", "t|1")], false),
        ([(NOWHERE, ""), (NOWHERE, "")], true),
        // It was away while the others elected.
        ([("127.0.0.2", "f|2"), ("127.0.0.3", "t|2")], true),
        // Two that nobody promoted: not for a script to judge.
        ([("127.0.0.2", "f|1"), ("127.0.0.3", "t|1")], false),
    ] {
        let played = Played::new(1, &peers);
        let run = played.run("pg-isolation-fence", "1");
        assert!(run.status.success());
        assert_eq!(played.path("stopped").exists(), stops, "{peers:?}");
    }
}

#[test]
fn where_repmgrd_gave_up_the_best_standby_takes_over_once() {
    let (one, two) = ("127.0.0.2", "127.0.0.3");
    let lost = (one, "");
    let rest = [
        // Number of this node, what repmgrd here says, what this server holds, and the peers: n2 and n3.
        (1, "200|t|f", "t|1|100", [lost, (two, "t|1|90")], true),
        (
            1,
            "200|t|f",
            "t|1|100",
            [(NOWHERE, ""), (two, "t|1|100")],
            true,
        ),
        // repmgrd may still elect, is paused, or is not there; this is no standby.
        (1, "40|t|f", "t|1|100", [lost, (two, "t|1|90")], false),
        (1, "-1|t|f", "t|1|100", [lost, (two, "t|1|90")], false),
        (1, "200|t|t", "t|1|100", [lost, (two, "t|1|90")], false),
        (1, "200|f|f", "t|1|100", [lost, (two, "t|1|90")], false),
        (1, "", "f|1|100", [lost, (two, "t|1|90")], false),
        // Another one comes first.
        (1, "200|t|f", "t|1|100", [lost, (two, "t|1|101")], false),
        (1, "200|t|f", "t|1|100", [lost, (two, "t|2|50")], false),
        (9, "200|t|f", "t|1|100", [lost, (two, "t|1|100")], false),
        // A primary is there, too few are, or a second one is silent.
        (
            1,
            "200|t|f",
            "t|1|100",
            [(one, "f|1|100"), (two, "t|1|90")],
            false,
        ),
        (
            1,
            "200|t|f",
            "t|1|100",
            [(NOWHERE, ""), (NOWHERE, "")],
            false,
        ),
        (1, "200|t|f", "t|1|100", [lost, (two, "")], false),
    ];
    for (number, repmgrd, own, peers, elected) in rest {
        let played = Played::new(1, &peers);
        let says = fs::read_to_string(played.path("bin/psql")).expect("a script");
        let here = format!(
            "case $* in\n*/var/run/postgresql*get_upstream_last_seen*) echo '{repmgrd}'; exit ;;\n*/var/run/postgresql*) echo '{own}'; exit ;;\n"
        );
        played.write("bin/psql", &says.replacen("case $* in\n", &here, 1), 0o755);
        let env = fs::read_to_string(played.path("env")).expect("values");
        let more = format!("{env}PG_GIVEN_UP=105\nNODE_ID={number}\n");
        played.write("env", &more, 0o644);
        let promote = "#!/bin/sh\necho promoted >>\"${0%/*}/../promoted\"\n";
        played.write("lib/pg-promote", promote, 0o755);
        let run = played.run("pg-elect", "--once");
        let case = (number, repmgrd, own, peers);
        assert!(run.status.success(), "{case:?}");
        assert_eq!(
            played.path("promoted").exists(),
            elected,
            "{case:?}\n{run:?}"
        );
    }
}
