//! The script of each act: the node's values, what is common to all, and its own part.

use std::time::Duration;

use super::super::act::Act;
use super::super::picture::slot;
use super::super::site::Site;
use super::{ManagedFile, accounts, environment, files, packages};
use crate::change::{Content, Step, Touch};
use crate::command::quote;

const COMMON: &str = include_str!("../steps/common.sh");

/// The part of each act that needs no more than its values.
const CREATE_CLUSTER: &str = include_str!("../steps/create_cluster.sh");
const ENSURE_ROLES: &str = include_str!("../steps/ensure_roles.sh");

/// What does an act.
pub fn step(site: &Site, member: usize, act: &Act) -> Step {
    let script = Script::new(site, member);
    let plain = |body: &str| script.clone().add(body);
    let upstream = |other: usize| script.clone().upstream(site, other);
    let script = match act {
        Act::Prepare => prepare(site, member, script),
        Act::WriteFiles { reload } => write_files(site, member, script, *reload),
        Act::ResetSettings { names } => script
            .set("NAMES", &names.join(" "))
            .add(include_str!("../steps/reset_settings.sh")),
        Act::CreateCluster => script.add(CREATE_CLUSTER),
        Act::EnsureRoles => {
            let sql = accounts::sql(site, site.spec.is_witness(member));
            script.input(sql.into_bytes()).add(ENSURE_ROLES)
        }
        Act::RegisterPrimary => plain(include_str!("../steps/register_primary.sh")),
        Act::Clone { from } => upstream(*from).add(include_str!("../steps/clone.sh")),
        Act::Start => plain(include_str!("../steps/start.sh")),
        Act::StartPrimary => plain(include_str!("../steps/start_primary.sh")),
        Act::RegisterStandby { upstream: to } => {
            upstream(*to).add(include_str!("../steps/register_standby.sh"))
        }
        Act::RegisterWitness { primary } => {
            upstream(*primary).add(include_str!("../steps/register_witness.sh"))
        }
        Act::StartRepmgrd => plain(include_str!("../steps/start_repmgrd.sh")),
        Act::Pause | Act::Unpause => {
            let (pause, paused) = if *act == Act::Pause {
                ("true", "t")
            } else {
                ("false", "f")
            };
            script
                .set("PAUSE", pause)
                .set("PAUSED", paused)
                .add(include_str!("../steps/pause.sh"))
        }
        Act::Rejoin { to } => upstream(*to).add(include_str!("../steps/rejoin.sh")),
        Act::SetAside => plain(include_str!("../steps/set_aside.sh")),
        Act::DropSlot { name } => script
            .set("SLOT", name)
            .add(include_str!("../steps/drop_slot.sh")),
        Act::Follow { to } => upstream(*to).add(include_str!("../steps/follow.sh")),
        Act::Promote => plain(include_str!("../steps/promote.sh")),
        Act::MakeReady => script
            .set("SLOTS", &other_slots(site, member))
            .add(include_str!("../steps/make_ready.sh")),
        Act::TakeOver => script
            .set("PEERS", &peers(site, member))
            .add(include_str!("../steps/take_over.sh")),
        Act::Turn { to } => upstream(*to).add(include_str!("../steps/turn.sh")),
        Act::Fence => plain(include_str!("../steps/fence.sh")),
        Act::ResumeReplay => plain(include_str!("../steps/resume_replay.sh")),
        Act::RestartStandby => plain(include_str!("../steps/restart_standby.sh")),
        Act::RestartWitness | Act::RestartPrimary => {
            plain(include_str!("../steps/restart_primary.sh"))
        }
        Act::StopPrimary => plain(include_str!("../steps/stop_primary.sh")),
        Act::PausePooler | Act::ResumePooler => {
            let pause = if *act == Act::PausePooler { "1" } else { "0" };
            script
                .set("PAUSE", pause)
                .add(include_str!("../steps/pooler.sh"))
        }
        Act::Checkpoint => plain(include_str!("../steps/checkpoint.sh")),
        Act::Retire => plain(include_str!("../steps/retire.sh")),
        Act::Unregister { id, .. } => script
            .set("ROW_ID", &id.to_string())
            .add(include_str!("../steps/unregister.sh")),
    };
    let mut step = Step::new(act.title(site.spec), script.text)
        .touch(Touch::Everything)
        .cut();
    step.inputs = script.inputs;
    step.deadline = deadline(act);
    step
}

/// Long enough for the slowest end seen, and for a copy of the data where there is one.
fn deadline(act: &Act) -> Duration {
    let minutes = match act {
        Act::Clone { .. } => 6 * 60,
        Act::Rejoin { .. } => 60,
        Act::Prepare => 30,
        Act::StartPrimary | Act::RestartPrimary | Act::RestartWitness => 10,
        _ => 5,
    };
    Duration::from_secs(minutes * 60)
}

/// Addresses of the other data members.
fn peers(site: &Site, member: usize) -> String {
    let others = (0..site.spec.data()).filter(|other| *other != member);
    let addresses: Vec<&str> = others
        .map(|other| site.spec.members[other].address.as_str())
        .collect();
    addresses.join(" ")
}

/// Names of the slots that the other data members use on a primary.
fn other_slots(site: &Site, member: usize) -> String {
    let others = (0..site.spec.data()).filter(|other| *other != member);
    let names: Vec<String> = others.map(|other| slot(site.ids[other])).collect();
    names.join(" ")
}

/// A script as it grows.
#[derive(Clone)]
struct Script {
    text: String,
    inputs: Vec<Content>,
}

impl Script {
    fn new(site: &Site, member: usize) -> Script {
        Script {
            text: environment(site, member) + COMMON,
            inputs: Vec::new(),
        }
    }

    fn add(mut self, body: &str) -> Script {
        self.text.push_str(body);
        self
    }

    fn set(mut self, name: &str, value: &str) -> Script {
        self.text.push_str(&format!("{name}={}\n", quote(value)));
        self
    }

    fn upstream(self, site: &Site, other: usize) -> Script {
        self.set("UP_ID", &site.ids[other].to_string())
            .set("UP_NAME", site.spec.name(other))
            .set("UP_ADDRESS", &site.spec.members[other].address)
    }

    fn input(mut self, bytes: Vec<u8>) -> Script {
        self.inputs.push(Content::Bytes(bytes.into()));
        self
    }

    /// The lines that write these files, each from an input of its own.
    fn put(mut self, files: &[ManagedFile]) -> Script {
        for file in files {
            self.inputs.push(Content::Bytes(file.content.clone()));
            self.text.push_str(&format!(
                "put \"$IN{}\" {} {} {} {:o}\n",
                self.inputs.len(),
                quote(&file.path),
                file.owner,
                file.group,
                file.mode
            ));
        }
        self
    }
}

fn prepare(site: &Site, member: usize, script: Script) -> Script {
    script
        .set("PG_PACKAGES", &packages(site.release).join(" "))
        .add(include_str!("../steps/prepare.sh"))
        .put(&files(site, member))
        .add(include_str!("../steps/layout.sh"))
}

fn write_files(site: &Site, member: usize, script: Script, reload: bool) -> Script {
    let files = files(site, member);
    let paths: Vec<String> = files.iter().map(|file| quote(&file.path)).collect();
    script
        .set("RELOAD", if reload { "1" } else { "0" })
        .set("PATHS", &paths.join(" "))
        .add(include_str!("../steps/write_files.sh"))
        .put(&files)
        .add(include_str!("../steps/write_files_end.sh"))
}
