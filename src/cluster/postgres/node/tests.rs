//! What lies on a node and what is run there.

mod fencing;
mod lab;
mod render;

use std::process::Command;
use std::time::Duration;

use super::super::act::Act;
use super::super::site::Site;
use super::super::spec::{Database, Role, RoleKind, Spec, Tls};
use super::*;
use crate::cluster::Member;

fn spec(names: &[(&str, &str)]) -> Spec {
    let role = |name: &str, kind| Role {
        name: name.into(),
        password: format!("p\\w:d'of {name}"),
        kind,
    };
    Spec {
        members: names
            .iter()
            .map(|(name, address)| Member {
                name: (*name).into(),
                address: (*address).into(),
            })
            .collect(),
        witness: false,
        port: 5432,
        settings: std::collections::BTreeMap::new(),
        synchronous: super::super::spec::Synchronous::Auto,
        roles: vec![
            role("repmgr", RoleKind::Repmgr),
            role("pgbouncer", RoleKind::Pooler),
            role("app", RoleKind::Login),
        ],
        databases: vec![Database {
            name: "appdb".into(),
            owner: "app".into(),
        }],
        tls: Tls {
            ca: "/etc/hadeploy/tls/ca.crt".into(),
            cert: "/etc/hadeploy/tls/node.crt".into(),
            key: "/etc/hadeploy/tls/node.key".into(),
        },
        clients: names.iter().map(|(_, address)| (*address).into()).collect(),
        detection: Duration::from_secs(30),
        goal: super::super::spec::Goal::Converge,
    }
}

fn site(spec: &Spec, release: u32) -> Site<'_> {
    Site {
        spec,
        ids: (1..).take(spec.members.len()).collect(),
        release,
        random: "5f0e".to_owned(),
    }
}

/// Every act.
fn acts(members: usize) -> Vec<(String, Act)> {
    let mut acts: Vec<(String, Act)> = [
        ("prepare", Act::Prepare),
        ("write", Act::WriteFiles { reload: true }),
        (
            "reset",
            Act::ResetSettings {
                names: vec!["work_mem".into()],
            },
        ),
        ("create", Act::CreateCluster),
        ("roles", Act::EnsureRoles),
        ("register-primary", Act::RegisterPrimary),
        ("start", Act::Start),
        ("start-primary", Act::StartPrimary),
        ("start-repmgrd", Act::StartRepmgrd),
        ("pause", Act::Pause),
        ("unpause", Act::Unpause),
        ("set-aside", Act::SetAside),
        ("promote", Act::Promote),
        ("fence", Act::Fence),
        ("resume-replay", Act::ResumeReplay),
        ("restart-standby", Act::RestartStandby),
        ("restart-primary", Act::RestartPrimary),
        ("stop-primary", Act::StopPrimary),
        ("pause-pooler", Act::PausePooler),
        ("resume-pooler", Act::ResumePooler),
        ("checkpoint", Act::Checkpoint),
    ]
    .map(|(name, act)| (name.to_owned(), act))
    .into();
    for n in 1..=members {
        let to = n - 1;
        acts.extend([
            (format!("clone-{n}"), Act::Clone { from: to }),
            (format!("follow-{n}"), Act::Follow { to }),
            (format!("rejoin-{n}"), Act::Rejoin { to }),
            (
                format!("register-standby-{n}"),
                Act::RegisterStandby { upstream: to },
            ),
            (
                format!("register-witness-{n}"),
                Act::RegisterWitness { primary: to },
            ),
            (
                format!("drop-slot-{n}"),
                Act::DropSlot {
                    name: format!("repmgr_slot_{n}"),
                },
            ),
            (
                format!("unregister-{n}"),
                Act::Unregister {
                    id: n as u32,
                    name: format!("n{n}"),
                },
            ),
        ]);
    }
    acts
}

fn three() -> Spec {
    spec(&[("n1", "10.0.0.1"), ("n2", "10.0.0.2"), ("n3", "10.0.0.3")])
}

fn text(files: &[ManagedFile], path: &str) -> String {
    let file = files.iter().find(|file| file.path.ends_with(path));
    String::from_utf8(file.expect(path).content.to_vec()).expect("text")
}

#[test]
fn every_act_is_posix_sh_without_secrets() {
    let spec = three();
    for release in [15, 17] {
        let site = site(&spec, release);
        for (name, act) in acts(3) {
            let step = step(&site, 1, &act);
            let parsed = Command::new("sh")
                .args(["-n", "-c", &step.script])
                .output()
                .expect("sh");
            assert!(
                parsed.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&parsed.stderr)
            );
            for secret in ["p\\w:d", "p\\\\w", "SCRAM-SHA-256$"] {
                assert!(!step.script.contains(secret), "{name} shows {secret}");
            }
            assert!(step.cut, "{name}");
        }
    }
}

#[test]
fn a_password_is_in_two_inputs_only() {
    let spec = three();
    let site = site(&spec, 15);
    let files = files(&site, 0);
    let with: Vec<&str> = files
        .iter()
        .filter(|file| String::from_utf8_lossy(&file.content).contains("d'of repmgr"))
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(with, ["/var/lib/postgresql/.pgpass"]);
    assert_eq!(
        text(&files, ".pgpass"),
        "*:*:*:repmgr:p\\\\w\\:d'of repmgr\n"
    );
    let sql = accounts::sql(&site, false);
    assert!(!sql.contains("d'of") && sql.contains("PASSWORD 'SCRAM-SHA-256$4096:"));
}

#[test]
fn only_members_and_clients_come_in_and_only_by_tls() {
    let mut spec = three();
    spec.clients = vec!["10.0.0.9".into(), "fd00::9".into()];
    let site = site(&spec, 15);
    let files = files(&site, 0);
    let hba = text(&files, "pg_hba.conf");
    for line in hba.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            line == "local all postgres peer"
                || line.starts_with("hostssl ") && line.ends_with(" scram-sha-256"),
            "{line}"
        );
        assert!(
            !line.contains("0.0.0.0") && !line.contains(" all all "),
            "{line}"
        );
    }
    for line in [
        "hostssl repmgr repmgr 10.0.0.1/32 scram-sha-256",
        "hostssl replication repmgr 10.0.0.3/32 scram-sha-256",
        "hostssl appdb app fd00::9/128 scram-sha-256",
        "hostssl appdb pgbouncer 10.0.0.9/32 scram-sha-256",
    ] {
        assert!(hba.contains(line), "{line} is not in\n{hba}");
    }
    assert!(!hba.contains("hostssl repmgr repmgr 10.0.0.9"));
}

#[test]
fn a_setting_of_the_user_stands_but_not_against_replication() {
    let mut spec = three();
    spec.settings = [
        ("work_mem", "it's 8MB"),
        ("wal_level", "minimal"),
        ("shared_preload_libraries", "pg_stat_statements, repmgr"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let site = site(&spec, 15);
    let conf = text(&files(&site, 2), "50-hadeploy.conf");
    assert!(conf.contains("work_mem = 'it''s 8MB'\n"));
    assert!(conf.contains("wal_level = 'replica'\n"));
    assert!(conf.contains("shared_preload_libraries = 'repmgr, pg_stat_statements'\n"));
    assert!(conf.contains("synchronous_standby_names = 'ANY 1 (\"n1\", \"n2\", \"n3\")'\n"));
    assert!(conf.contains("listen_addresses = 'localhost, 10.0.0.3'\n"));
}

#[test]
fn nobody_elects_before_a_cut_off_primary_has_stopped() {
    for detection in 1..300 {
        let mut spec = three();
        spec.detection = Duration::from_secs(detection);
        let site = site(&spec, 15);
        let conf = text(&files(&site, 0), "repmgr.conf");
        let value = |name: &str| -> u64 {
            let line = conf.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim_matches(['=', '\'']).parse().ok());
            number.unwrap_or_else(|| panic!("{name} in {conf}"))
        };
        let refused = (value("reconnect_attempts") - 1) * value("reconnect_interval");
        let silent = refused + 2 * value("reconnect_attempts");
        let fence =
            10 + value("child_nodes_check_interval") + value("child_nodes_disconnect_timeout");
        assert!(refused > fence, "{detection}: {refused}");
        assert!(silent <= detection.max(29), "{detection}: {silent}");
    }
}
