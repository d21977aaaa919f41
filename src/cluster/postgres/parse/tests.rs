//! Answers as nodes gave them.

use super::super::Observation;
use super::lsn;

/// Of a primary of release 15 with one standby.
const PRIMARY: &str = include_str!("primary.txt");
/// Of a standby of release 15.
const STANDBY: &str = include_str!("standby.txt");

#[test]
fn a_primary() {
    let seen = Observation::parse(PRIMARY).unwrap();
    assert_eq!(seen.release, 15);
    assert!(seen.data && seen.process && !seen.standby_signal && !seen.fenced);
    let control = seen.control.unwrap();
    assert_eq!(control.state, "in production");
    assert_eq!((control.tli, control.min_recovery_tli), (1, 0));
    assert_eq!(control.counters["max_connections"], 100);
    assert_eq!(control.counters["max_prepared_transactions"], 0);
    assert_eq!(control.counters.len(), 5);
    let online = seen.online.unwrap();
    assert!(!online.recovery && online.receiver.is_none() && online.nodes.is_none());
    assert_eq!((online.sysid, online.tli), (control.sysid, 1));
    assert!(online.receive > control.checkpoint);
    assert_eq!(online.senders.len(), 1);
    assert_eq!(online.senders[0].state, "streaming");
    assert_eq!(online.slots[0].name, "repmgr_slot_2");
    assert!(online.slots[0].active);
    assert!(online.settings["max_connections"].postmaster);
    assert_eq!(online.settings["max_connections"].raw, "100");
    assert!(online.databases.contains_key("postgres"));
    assert!(online.roles.iter().any(|role| role.superuser));
    assert!(seen.disk_size > seen.disk_free && seen.disk_free > 0);
}

#[test]
fn a_standby() {
    let seen = Observation::parse(STANDBY).unwrap();
    assert!(seen.standby_signal);
    let online = seen.online.unwrap();
    assert!(online.recovery && !online.paused);
    let receiver = online.receiver.unwrap();
    assert_eq!(receiver.status, "streaming");
    assert_eq!(receiver.slot, "repmgr_slot_2");
    assert_eq!(online.receive, online.replay);
}

#[test]
fn a_bare_node() {
    let seen = Observation::parse("release 17\ndisk 5 10\nend yes\n").unwrap();
    assert_eq!(
        seen,
        Observation {
            release: 17,
            disk_free: 5,
            disk_size: 10,
            ..Observation::default()
        }
    );
}

#[test]
fn what_is_cut_off_is_nothing() {
    // In the middle of any line, and between lines: the end is missing.
    for end in (0..PRIMARY.trim_end().len() - 4).step_by(97) {
        let cut = &PRIMARY[..PRIMARY.floor_char_boundary(end)];
        assert!(Observation::parse(cut).is_err(), "{end}");
    }
    // The server answered, and then nobody could say what repmgr's table holds.
    let without: String = PRIMARY
        .lines()
        .filter(|line| !line.starts_with("nodes "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(Observation::parse(&without).is_err());
}

#[test]
fn nothing_that_is_said_passes_for_a_label() {
    let text = "release 15\nrejoin fenced yes end yes\nunit ActiveState=failed\nunit Result=exit-code\nend yes\n";
    let seen = Observation::parse(text).unwrap();
    assert!(!seen.fenced);
    assert_eq!(seen.needs_rejoin.as_deref(), Some("fenced yes end yes"));
    assert_eq!(seen.unit.result, "exit-code");
}

#[test]
fn daemons_and_poolers() {
    let text = "release 15\nrepmgrd ActiveState=active\nrepmgrd UnitFileState=enabled\nrepmgrd ActiveEnterTimestamp=@1700000000\nconf 1700000001\nid 3\n\
                pause 3:1\nunseen 273\npool name|host|paused|disabled\npool app|10.0.0.1|1|0\npool pgbouncer||0|0\nend yes\n";
    let seen = Observation::parse(text).unwrap();
    assert!(seen.repmgrd.running && seen.repmgrd.enabled && seen.repmgrd.paused);
    assert!(seen.repmgrd.stale);
    assert_eq!(seen.repmgrd.unseen, Some(273));
    assert_eq!(seen.repmgr_id, Some(3));
    assert!(seen.pooler.unwrap().paused);
}

#[test]
fn nobody_was_ever_seen() {
    let seen = Observation::parse("release 15\nunseen -1\nend yes\n").unwrap();
    assert_eq!(seen.repmgrd.unseen, None);
}

#[test]
fn places() {
    assert_eq!(lsn("0/3000028"), Some(0x300_0028));
    assert_eq!(lsn("1A/FF"), Some(0x1A_0000_00FF));
    assert_eq!(lsn("here"), None);
}
