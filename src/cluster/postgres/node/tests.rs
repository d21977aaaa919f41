//! What lies on a node and what is run there. `render` writes the acts of a lab's nodes as files, to be run by hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::act::Act;
use super::super::site::Site;
use super::super::spec::{Database, Role, RoleKind, Spec, Tls};
use super::*;
use crate::change::Content;
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
    }
}

/// `HADEPLOY_RENDER='FOLDER RELEASE ADDRESS…'`: each act of each node as `FOLDER/nN/ACT.sh`, with its inputs beside it.
#[test]
#[ignore = "a tool: writes the acts of a lab's nodes as files"]
fn render() {
    let Ok(wish) = std::env::var("HADEPLOY_RENDER") else {
        return;
    };
    let words: Vec<&str> = wish.split_whitespace().collect();
    let names: Vec<String> = (1..words.len() - 1).map(|n| format!("n{n}")).collect();
    let members: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(words[2..].iter().copied())
        .collect();
    let spec = spec(&members);
    let site = site(&spec, words[1].parse().expect("a release"));
    for member in 0..spec.members.len() {
        let folder = Path::new(words[0]).join(spec.name(member));
        fs::create_dir_all(&folder).expect("a folder");
        for (name, act) in acts(spec.members.len()) {
            let step = step(&site, member, &act);
            for (index, input) in step.inputs.iter().enumerate() {
                if let Content::Bytes(bytes) = input {
                    fs::write(folder.join(format!("{name}.in{}", index + 1)), bytes)
                        .expect("an input");
                }
            }
            fs::write(folder.join(format!("{name}.sh")), step.script).expect("a script");
        }
    }
}

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
