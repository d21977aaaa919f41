//! repmgr's settings and the units.

use std::time::Duration;

use super::super::site::Site;
use super::super::spec::Spec;
use super::{LIBRARY, conninfo};

/// Attempts to reach a lost primary. Few: against a host that is off each one costs its connection's two seconds beside the interval.
const ATTEMPTS: u64 = 4;
/// Seconds an attempt waits for a silent host: `connect_timeout`.
const SILENCE: u64 = 2;
/// Seconds until a primary that is cut off has stopped: `wal_sender_timeout` 10, `child_nodes_check_interval` 2,
/// `child_nodes_disconnect_timeout` 6.
const FENCE: u64 = 18;

/// Seconds between two attempts: a silent primary is given up after `Spec::detection`, one that refuses by the time the intervals take,
/// and none before a cut-off one has stopped.
fn interval(detection: u64) -> u64 {
    let silent = detection.saturating_sub(ATTEMPTS * SILENCE) / (ATTEMPTS - 1);
    silent.max(FENCE / (ATTEMPTS - 1) + 1)
}

/// `/etc/repmgr.conf`.
pub(super) fn repmgr_conf(site: &Site, member: usize) -> String {
    let spec = site.spec;
    let unit = site.unit();
    let bin = site.bin();
    let systemctl = |verb: &str| format!("sudo -n /usr/bin/systemctl {verb} {unit}");
    let failover = if spec.automatic() {
        "automatic"
    } else {
        "manual"
    };
    let values: Vec<(&str, String)> = vec![
        ("node_id", site.ids[member].to_string()),
        ("node_name", spec.name(member).to_owned()),
        ("conninfo", conninfo(site, member)),
        ("data_directory", site.data()),
        ("config_directory", site.etc()),
        ("pg_bindir", bin.clone()),
        ("passfile", "/var/lib/postgresql/.pgpass".into()),
        ("use_replication_slots", "yes".into()),
        ("replication_user", "repmgr".into()),
        ("failover", failover.into()),
        ("priority", "100".into()),
        ("location", "default".into()),
        ("promote_command", format!("{LIBRARY}/pg-promote")),
        (
            "follow_command",
            format!("{bin}/repmgr standby follow -f /etc/repmgr.conf --upstream-node-id=%n"),
        ),
        ("service_start_command", systemctl("start")),
        ("service_stop_command", systemctl("stop")),
        ("service_restart_command", systemctl("restart")),
        ("service_reload_command", systemctl("reload")),
        ("monitor_interval_secs", "2".into()),
        ("reconnect_attempts", ATTEMPTS.to_string()),
        (
            "reconnect_interval",
            interval(spec.detection.as_secs()).to_string(),
        ),
        ("connection_check_type", "ping".into()),
        ("primary_visibility_consensus", "true".into()),
        ("standby_disconnect_on_failover", "false".into()),
        (
            "failover_validation_command",
            format!("{LIBRARY}/pg-failover-ok %n %v %u %t"),
        ),
        ("election_rerun_interval", "10".into()),
        ("child_nodes_check_interval", "2".into()),
        ("child_nodes_disconnect_timeout", "6".into()),
        ("child_nodes_connected_min_count", "1".into()),
        ("child_nodes_connected_include_witness", "true".into()),
        (
            "child_nodes_disconnect_command",
            format!("{LIBRARY}/pg-isolation-fence %p"),
        ),
        (
            "event_notification_command",
            format!("{LIBRARY}/pg-event %n %e %s \"%t\" \"%d\""),
        ),
        ("monitoring_history", "no".into()),
        ("log_level", "INFO".into()),
    ];
    let mut text = String::from("# Written by hadeploy.\n");
    for (name, value) in values {
        text.push_str(&format!("{name}='{}'\n", value.replace('\'', "''")));
    }
    text
}

/// So long after it saw a primary last, repmgrd elects none any more: it has found out, and followers have waited a minute for the elected one
/// (`primary_notification_timeout`).
pub(super) fn given_up(spec: &Spec) -> Duration {
    spec.detection + Duration::from_secs(75)
}

/// The unit of what elects where repmgrd gave up. It comes and goes with repmgrd.
pub(super) fn elect_unit() -> String {
    format!(
        "[Unit]
Description=Election of a primary of PostgreSQL where repmgrd gave up
PartOf=repmgrd.service
After=repmgrd.service
StartLimitIntervalSec=0

[Service]
User=postgres
ExecStart={LIBRARY}/pg-elect
Restart=always
RestartSec=5
"
    )
}

/// A unit of systemd for repmgrd; Debian has none that works. It ends when its upstream is down at the start: then it tries again.
pub(super) fn repmgrd_unit(site: &Site) -> String {
    format!(
        "[Unit]
Description=Failover of PostgreSQL by repmgrd
After=network-online.target {unit}
Wants=network-online.target hadeploy-pg-elect.service
StartLimitIntervalSec=0

[Service]
User=postgres
ExecStart={bin}/repmgrd -f /etc/repmgr.conf --daemonize=false --no-pid-file
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
",
        unit = site.unit(),
        bin = site.bin()
    )
}

/// What the packaged unit of the server gets beside: the start guard, and the address to listen on.
pub(super) fn server_drop_in() -> String {
    format!(
        "[Unit]
After=network-online.target
Wants=network-online.target

[Service]
ExecStartPre={LIBRARY}/pg-start-guard %i
"
    )
}
