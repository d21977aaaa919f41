//! What answers mean, without a node.

use jiff::Timestamp;

use super::super::finding::{Finding, Level};
use super::findings;
use crate::engine::visit::{Seen, Unseen, Visited};
use crate::transport::TransportError;
use crate::transport::ssh::trail::Trail;

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
        trail: Trail::default(),
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

/// The disk's finding, when these are the node's disks.
fn disk(lines: &str) -> (Level, String, String) {
    let text = WELL.replace("disk / 20000000 15000000\n", lines);
    let found = of(&text);
    let it = found.iter().find(|it| it.check == "disk").expect("a disk");
    (
        it.level,
        it.said.clone(),
        it.cure.clone().unwrap_or_default(),
    )
}

#[test]
fn the_disk_that_is_worst_off_is_named_with_what_frees_it() {
    // A small one that is nearly empty is well.
    let (level, said, _) = disk("disk / 20000000 18000000\ndisk /boot 500000 190000\n");
    assert_eq!(
        (level, said.as_str()),
        (Level::Ok, "185 MB of 488 MB free at /boot")
    );
    let (level, said, cure) = disk("disk / 20000000 900000\ndisk /boot 500000 10000\n");
    assert_eq!(
        (level, said.as_str()),
        (Level::Bad, "9 MB of 488 MB free at /boot")
    );
    assert!(
        cure.starts_with("apt-get autoremove --purge; du -xh"),
        "{cure}"
    );
    // The smaller share is not the worse one.
    let (level, said, _) = disk("disk / 900000 100000\ndisk /tmp 20000000 1500000\n");
    assert_eq!(
        (level, said.as_str()),
        (Level::Bad, "97 MB of 878 MB free at /")
    );
    let (level, _, cure) = disk("disk / 20000000 15000000\ndisk /tmp 100000 1000\n");
    assert_eq!(level, Level::Bad);
    assert!(cure.starts_with("du -xh --max-depth=2 /tmp"), "{cure}");
}

#[test]
fn a_login_that_runs_nothing_is_told_its_shell() {
    let why = "the shell ended with status 1: This account is currently not available.";
    let found = findings(&visited(Err(Unseen::Script(why.to_owned()))));
    let last = found.last().expect("a finding");
    assert_eq!((last.check, last.level), ("shell", Level::Bad));
    let cure = last.cure.as_deref().unwrap_or_default();
    assert!(cure.contains("usermod -s /bin/bash ann"), "{cure}");
}

#[test]
fn a_way_that_is_closed_is_told_what_opens_it() {
    let told = |error: TransportError| {
        let found = findings(&visited(Err(Unseen::Transport(error))));
        let last = found.last().expect("a finding");
        (last.check, last.cure.clone().unwrap_or_default())
    };
    let refused = |reason: &str| TransportError::Refused {
        host: "192.0.2.1".to_owned(),
        port: 22,
        reason: reason.to_owned(),
    };
    let (check, cure) = told(refused("no route to host"));
    assert_eq!(check, "tcp");
    assert!(
        cure.contains("ping 192.0.2.1") && !cure.contains("sshd"),
        "{cure}"
    );
    let (check, cure) = told(TransportError::AtHop {
        host: "ann@192.0.2.1:22".to_owned(),
        hop: "ann@192.0.2.9:2200".to_owned(),
        error: Box::new(refused("connection refused")),
    });
    assert_eq!(check, "jump host");
    assert!(
        cure.contains("-J user@host:2222") && !cure.contains("ansible_port"),
        "{cure}"
    );
    let (check, cure) = told(TransportError::Protocol {
        host: "ann@192.0.2.1:22".to_owned(),
        reason: "it offers no Kex algorithm that is supported here, only old".to_owned(),
    });
    assert_eq!(check, "ssh");
    assert!(cure.contains("/etc/ssh/sshd_config"), "{cure}");
}

#[test]
fn the_rule_for_sudo_stands_in_a_file_that_sudo_reads() {
    let mut seen = visited(Ok(Seen {
        text: WELL.replace("sudo yes", "sudo no sudo: a password is required"),
        began: at(999),
        ended: at(1001),
    }));
    seen.login = "ann.b".to_owned();
    let found = findings(&seen);
    let it = found.iter().find(|it| it.check == "sudo").expect("sudo");
    let cure = it.cure.as_deref().unwrap_or_default();
    assert!(cure.ends_with(">/etc/sudoers.d/ann_b"), "{cure}");
}
