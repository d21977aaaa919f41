//! What answers mean, without a node.

use jiff::Timestamp;

use super::super::finding::{Finding, Level};
use super::findings;
use crate::engine::visit::{Seen, Unseen, Visited};
use crate::transport::TransportError;

const WELL: &str = "now 1000
account 1000
sudo yes
root 0
release debian 12
memory 2000000 1500000 0 0
disk / 20000000 15000000
inodes / 1000000 900000
systemd running
synchronised yes
virtual none
port 22 sshd
port 80 nginx
end
";

fn visited(end: Result<Seen, Unseen>) -> Visited {
    Visited {
        host: "n1".to_owned(),
        address: "192.0.2.1".to_owned(),
        login: "ann".to_owned(),
        is_here: false,
        end,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn of(text: &str) -> Vec<Finding> {
    findings(&visited(Ok(Seen {
        text: text.to_owned(),
        began: at(999),
        ended: at(1001),
    })))
}

/// The one check that is not well, when a line of the answer is another one.
fn with(line: &str, instead: &str) -> (&'static str, Level, String) {
    let text = WELL.replace(&format!("{line}\n"), &format!("{instead}\n"));
    assert_ne!(text, WELL, "{line}");
    let found = of(&text);
    let ill: Vec<&Finding> = found.iter().filter(|it| it.level != Level::Ok).collect();
    assert_eq!(ill.len(), 1, "{instead}: {found:?}");
    assert!(ill[0].cure.is_some());
    (ill[0].check, ill[0].level, ill[0].said.clone())
}

#[test]
fn a_node_that_is_well_has_nothing_to_cure() {
    let found = of(WELL);
    assert!(
        found
            .iter()
            .all(|it| it.level == Level::Ok && it.cure.is_none()),
        "{found:?}"
    );
    let checks: Vec<&str> = found.iter().map(|it| it.check).collect();
    let wanted = [
        "name",
        "tcp",
        "host key",
        "login",
        "sudo",
        "release",
        "clock",
        "time sync",
        "memory",
        "swap",
        "disk",
        "dpkg",
        "systemd",
        "ports",
    ];
    assert_eq!(checks, wanted);
}

#[test]
fn each_fault_is_named() {
    use Level::{Bad, Warn};
    for (line, instead, check, level, said) in [
        ("sudo yes", "sudo missing", "sudo", Bad, "there is no sudo"),
        (
            "sudo yes",
            "sudo no sudo: a password is required",
            "sudo",
            Bad,
            "ann may not become root: sudo: a password is required",
        ),
        (
            "release debian 12",
            "release ubuntu 24.04",
            "release",
            Bad,
            "ubuntu 24.04 is not Debian",
        ),
        (
            "release debian 12",
            "release debian 11",
            "release",
            Warn,
            "Debian 11; only 12 and 13 are tried",
        ),
        (
            "now 1000",
            "now 1010",
            "clock",
            Warn,
            "9 s ahead of this machine",
        ),
        (
            "now 1000",
            "now 900",
            "clock",
            Bad,
            "99 s behind this machine",
        ),
        (
            "synchronised yes",
            "synchronised no",
            "time sync",
            Warn,
            "nothing keeps the clock",
        ),
        (
            "memory 2000000 1500000 0 0",
            "memory 2000000 50000 0 0",
            "memory",
            Bad,
            "48 MB of 1.9 GB free",
        ),
        (
            "memory 2000000 1500000 0 0",
            "memory 2000000 1500000 1000000 50000",
            "swap",
            Warn,
            "48 MB of 976 MB free",
        ),
        (
            "disk / 20000000 15000000",
            "disk / 20000000 100000",
            "disk",
            Bad,
            "97 MB of 19 GB free at /",
        ),
        (
            "disk / 20000000 15000000",
            "disk / 20000000 15000000\ndisk /var 20000000 1500000",
            "disk",
            Warn,
            "1.4 GB of 19 GB free at /var",
        ),
        (
            "inodes / 1000000 900000",
            "inodes / 1000000 10",
            "disk",
            Bad,
            "only 10 files more fit on /",
        ),
        (
            "end",
            "dpkg half-configured nginx\ndpkg unpacked redis",
            "dpkg",
            Bad,
            "nginx is half-configured, and 1 more",
        ),
        ("end", "interrupted", "dpkg", Bad, "it was interrupted"),
        (
            "end",
            "lock 812 apt-get",
            "dpkg",
            Warn,
            "apt-get (process 812) holds its lock",
        ),
        (
            "end",
            "reboot linux-image-amd64",
            "reboot",
            Warn,
            "a restart is due, for linux-image-amd64",
        ),
        (
            "systemd running",
            "systemd degraded\nfailed a.service\nfailed b.service",
            "systemd",
            Warn,
            "failed: a.service, b.service",
        ),
        (
            "port 80 nginx",
            "port 80 apache2",
            "ports",
            Warn,
            "the platform wants what another program has: 80 (apache2)",
        ),
    ] {
        assert_eq!(
            with(line, instead),
            (check, level, said.to_owned()),
            "{instead}"
        );
    }
}

#[test]
fn a_second_that_passes_meanwhile_is_no_skew() {
    for now in ["now 999", "now 1001", "now 1002"] {
        let found = of(&WELL.replace("now 1000", now));
        assert!(
            found.iter().all(|it| it.level == Level::Ok),
            "{now}: {found:?}"
        );
    }
}

#[test]
fn what_lies_behind_a_broken_hop_is_not_looked_at() {
    let host = || "192.0.2.1".to_owned();
    let cases = [
        (
            TransportError::Unresolved {
                name: "n1".to_owned(),
                host: host(),
                reason: "no".to_owned(),
            },
            vec!["name"],
        ),
        (
            TransportError::Refused {
                host: host(),
                port: 22,
                reason: "no".to_owned(),
            },
            vec!["name", "tcp"],
        ),
        (
            TransportError::UnknownHostKey {
                host: host(),
                key_type: "ssh-ed25519".to_owned(),
                fingerprint: "SHA256:x".to_owned(),
                other_types: Vec::new(),
            },
            vec!["name", "tcp", "host key"],
        ),
        (
            TransportError::Authentication {
                host: host(),
                user: "ann".to_owned(),
                tried: vec!["a key".to_owned()],
            },
            vec!["name", "tcp", "host key", "login"],
        ),
        (
            TransportError::Lost {
                host: host(),
                reason: "no".to_owned(),
            },
            vec!["name", "tcp", "ssh"],
        ),
    ];
    for (error, wanted) in cases {
        let found = findings(&visited(Err(Unseen::Transport(error))));
        let checks: Vec<&str> = found.iter().map(|it| it.check).collect();
        assert_eq!(checks, wanted);
        let last = found.last().expect("a finding");
        assert!(last.level == Level::Bad && last.cure.is_some(), "{last:?}");
        assert!(
            found[..found.len() - 1]
                .iter()
                .all(|it| it.level == Level::Ok)
        );
    }
}

#[test]
fn a_node_moves_no_cursor_here() {
    let (_, _, said) = with("sudo yes", "sudo no \u{1b}[2Jhello\rthere");
    assert!(
        said.ends_with("[2Jhello there") && !said.contains('\u{1b}'),
        "{said:?}"
    );
}
