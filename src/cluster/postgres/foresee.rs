//! What members will say after an act, as far as that can be told: for a plan.

use super::act::Act;
use super::look::Wanted;
use super::observation::{
    Controldata, FileSeen, Node, Observation, Online, Receiver, Seen, Sender, Setting, Slot,
};
use super::picture::slot;
use super::site::Site;

/// The members as they would be.
pub struct Foreseen<'a> {
    /// The spec with its numbers.
    pub site: &'a Site<'a>,
    /// In the order of the members.
    pub wanted: Vec<Wanted>,
    /// In the order of the members.
    pub seen: Vec<Seen>,
}

impl Foreseen<'_> {
    /// An act is done on a member and succeeds.
    pub fn apply(&mut self, member: usize, act: &Act) {
        let ids = &self.site.ids;
        let source = match act {
            Act::Clone { from } => Some(*from),
            Act::Rejoin { to } | Act::Follow { to } | Act::Turn { to } => Some(*to),
            _ => self.primary(),
        };
        let upstream = source.and_then(|source| self.online(source).cloned());
        let address = source.map(|source| self.site.spec.members[source].address.clone());
        let wanted = &mut self.wanted[member];
        let Seen::Known(seen) = &mut self.seen[member] else {
            return;
        };
        match act {
            Act::Prepare => {
                for package in &wanted.packages {
                    seen.packages.insert(package.clone(), "new".into());
                }
                write(seen, wanted);
            }
            Act::WriteFiles { .. } => {
                write(seen, wanted);
                if let Some(online) = &mut seen.online {
                    let changed: Vec<String> = restart_needed(online, wanted);
                    online.pending_restart = changed;
                }
            }
            Act::ResetSettings { names } => {
                if let Some(online) = &mut seen.online {
                    online.auto.retain(|name| !names.contains(name));
                }
            }
            Act::CreateCluster => {
                seen.configured = true;
                seen.data = true;
                seen.process = true;
                seen.online = Some(Online {
                    // No member has this one, and a witness another than the primary.
                    sysid: u64::MAX - member as u64,
                    tli: 1,
                    receive: 1,
                    ..Online::default()
                });
                seen.control = Some(Controldata::default());
                write(seen, wanted);
            }
            Act::EnsureRoles => {
                wanted.accounts = true;
                if let Some(online) = &mut seen.online {
                    online.nodes.get_or_insert_default();
                }
            }
            Act::RegisterPrimary => self.register(member, member, "primary"),
            Act::RegisterStandby { upstream } => self.register(member, *upstream, "standby"),
            Act::RegisterWitness { primary } => {
                self.register(member, *primary, "witness");
                let nodes = self
                    .online(*primary)
                    .and_then(|online| online.nodes.clone());
                if let Seen::Known(seen) = &mut self.seen[member]
                    && let Some(online) = &mut seen.online
                {
                    online.nodes = nodes;
                }
            }
            Act::Clone { .. } => {
                seen.configured = true;
                seen.data = true;
                seen.remains = false;
                seen.standby_signal = true;
                seen.needs_rejoin = None;
                seen.fenced = false;
                seen.control = upstream.as_ref().map(|upstream| Controldata {
                    state: "shut down in recovery".into(),
                    sysid: upstream.sysid,
                    tli: upstream.tli,
                    checkpoint: upstream.receive,
                    ..Controldata::default()
                });
                write(seen, wanted);
                self.attached(member, source);
            }
            Act::Start
            | Act::RestartStandby
            | Act::Follow { .. }
            | Act::Turn { .. }
            | Act::Rejoin { .. } => {
                stand_by(seen, upstream.as_ref(), address);
                if let Some(online) = seen.online.as_mut().filter(|_| starts_with(act)) {
                    restarted(online, wanted);
                }
                self.attached(member, source);
                if let Act::Rejoin { to } | Act::Follow { to } = act
                    && self.is_registered(member)
                {
                    self.register(member, *to, "standby");
                }
            }
            Act::StartPrimary | Act::RestartPrimary | Act::RestartWitness => {
                let control = seen.control.clone().unwrap_or_default();
                let online = seen.online.get_or_insert_with(|| Online {
                    sysid: control.sysid,
                    tli: control.tli,
                    receive: control.checkpoint,
                    nodes: Some(Vec::new()),
                    ..Online::default()
                });
                online.recovery = false;
                restarted(online, wanted);
                seen.process = true;
                if *act != Act::RestartWitness {
                    let wanted = wanted.clone();
                    self.seen_by_standbys(&wanted);
                }
            }
            Act::StartRepmgrd => {
                seen.repmgrd.running = true;
                seen.repmgrd.enabled = true;
                seen.repmgrd.stale = false;
            }
            Act::Pause => seen.repmgrd.paused = true,
            Act::Unpause => seen.repmgrd.paused = false,
            Act::SetAside => {
                **seen = Observation {
                    data: false,
                    remains: false,
                    online: None,
                    process: false,
                    control: None,
                    standby_signal: false,
                    needs_rejoin: None,
                    fenced: false,
                    ..(**seen).clone()
                }
            }
            Act::DropSlot { name } => {
                if let Some(online) = &mut seen.online {
                    online.slots.retain(|slot| slot.name != *name);
                }
            }
            Act::TakeOver => {
                seen.standby_signal = false;
                if let Some(online) = &mut seen.online {
                    online.recovery = false;
                    online.tli += 1;
                    online.receiver = None;
                }
            }
            Act::Promote => {
                seen.standby_signal = false;
                if let Some(online) = &mut seen.online {
                    online.recovery = false;
                    online.tli += 1;
                    online.receiver = None;
                    let id = ids[member];
                    for row in online.nodes.iter_mut().flatten() {
                        match row.id == id {
                            true => row.kind = "primary".into(),
                            false if row.kind == "primary" => row.active = false,
                            false => {}
                        }
                    }
                }
            }
            Act::Fence | Act::StopPrimary => {
                seen.fenced = *act == Act::Fence;
                seen.process = false;
                if let Some(online) = seen.online.take() {
                    seen.control = Some(Controldata {
                        state: "shut down".into(),
                        sysid: online.sysid,
                        tli: online.tli,
                        checkpoint: online.receive,
                        ..Controldata::default()
                    });
                    self.last_received(online.tli, online.receive);
                }
            }
            Act::ResumeReplay => {
                if let Some(online) = &mut seen.online {
                    online.paused = false;
                }
            }
            Act::PausePooler | Act::ResumePooler => {
                if let Some(pooler) = &mut seen.pooler {
                    pooler.paused = *act == Act::PausePooler;
                }
            }
            Act::Checkpoint | Act::MakeReady => {}
            Act::Retire => {
                seen.process = false;
                seen.online = None;
                seen.pooler = None;
                seen.repmgrd.running = false;
                seen.repmgrd.enabled = false;
            }
            Act::Unregister { name, .. } => {
                if let Some(online) = &mut seen.online {
                    online
                        .nodes
                        .iter_mut()
                        .for_each(|nodes| nodes.retain(|row| row.name != *name));
                }
            }
        }
    }

    fn online(&self, member: usize) -> Option<&Online> {
        self.seen[member].known()?.online.as_ref()
    }

    fn primary(&self) -> Option<usize> {
        (0..self.site.spec.data())
            .find(|member| self.online(*member).is_some_and(|online| !online.recovery))
    }

    /// The rest of a primary that stopped reaches its standbys.
    fn last_received(&mut self, tli: u32, place: u64) {
        for seen in &mut self.seen {
            if let Seen::Known(seen) = seen
                && let Some(online) = &mut seen.online
                && online.recovery
                && online.tli == tli
            {
                online.receive = online.receive.max(place + 1);
                online.receiver = None;
            }
        }
    }

    /// The standbys that stream see what the primary was started with.
    fn seen_by_standbys(&mut self, wanted: &Wanted) {
        for seen in &mut self.seen {
            let Seen::Known(seen) = seen else { continue };
            let streams = seen
                .online
                .as_ref()
                .is_some_and(|online| online.recovery && online.receiver.is_some());
            if let Some(control) = seen.control.as_mut().filter(|_| streams) {
                for (name, counter) in &mut control.counters {
                    let now = wanted.settings.get(name);
                    if let Some(now) = now.and_then(|now| now.parse().ok()) {
                        *counter = now;
                    }
                }
            }
        }
    }

    /// Its slot is on the source, and its row says what it said there.
    fn attached(&mut self, member: usize, source: Option<usize>) {
        let name = slot(self.site.ids[member]);
        let streams = self.online(member).is_some();
        let standby = self.site.spec.name(member).to_owned();
        if let Some(source) = source
            && let Seen::Known(seen) = &mut self.seen[source]
            && let Some(online) = &mut seen.online
        {
            online.slots.retain(|slot| slot.name != name);
            online.slots.push(Slot {
                name,
                active: streams,
                wal_status: "reserved".into(),
                held: 0,
            });
            online.senders.retain(|sender| sender.name != standby);
            if streams {
                online.senders.push(Sender {
                    name: standby,
                    state: "streaming".into(),
                    ..Sender::default()
                });
            }
        }
    }

    /// repmgr knows it: it notes itself whom the member follows then.
    fn is_registered(&self, member: usize) -> bool {
        let nodes = self
            .primary()
            .and_then(|primary| self.online(primary)?.nodes.as_ref());
        let id = self.site.ids[member];
        nodes.is_some_and(|nodes| nodes.iter().any(|row| row.id == id))
    }

    fn register(&mut self, member: usize, upstream: usize, kind: &str) {
        let ids = &self.site.ids;
        let row = Node {
            id: ids[member],
            name: self.site.spec.name(member).to_owned(),
            kind: kind.into(),
            upstream: (member != upstream).then(|| ids[upstream]),
            active: true,
            slot: slot(ids[member]),
            ..Node::default()
        };
        let Some(primary) = self.primary() else {
            return;
        };
        if let Seen::Known(seen) = &mut self.seen[primary]
            && let Some(online) = &mut seen.online
        {
            let nodes = online.nodes.get_or_insert_default();
            nodes.retain(|old| old.id != row.id && old.name != row.name);
            nodes.push(row);
        }
    }
}

fn write(seen: &mut Observation, wanted: &Wanted) {
    for file in &wanted.files {
        if file.server && !seen.configured {
            continue;
        }
        let found = FileSeen {
            sha256: file.sha256.clone(),
            mode: file.mode,
            owner: file.owner.into(),
            group: file.group.into(),
            modified: 0.0,
        };
        seen.files.insert(file.path.clone(), found);
    }
}

/// Whether a standby's server starts in an act that makes it stream: it reads its files then.
fn starts_with(act: &Act) -> bool {
    matches!(act, Act::Start | Act::RestartStandby | Act::Rejoin { .. })
}

/// Settings that were seen, differ, and take effect by a restart only.
fn restart_needed(online: &Online, wanted: &Wanted) -> Vec<String> {
    let differs = |(name, found): &(&String, &Setting)| {
        found.postmaster
            && wanted
                .settings
                .get(*name)
                .is_some_and(|wanted| *wanted != found.raw && *wanted != found.shown)
    };
    let names = online.settings.iter().filter(differs);
    names.map(|(name, _)| name.clone()).collect()
}

/// The settings of the files are in force.
fn restarted(online: &mut Online, wanted: &Wanted) {
    online.pending_restart.clear();
    for (name, found) in &mut online.settings {
        if let Some(wanted) = wanted.settings.get(name)
            && *wanted != found.shown
        {
            found.raw.clone_from(wanted);
            found.shown.clone_from(wanted);
        }
    }
}

fn stand_by(seen: &mut Observation, upstream: Option<&Online>, address: Option<String>) {
    let control = seen.control.clone().unwrap_or_default();
    let own = seen.online.take().unwrap_or(Online {
        sysid: control.sysid,
        tli: control.tli,
        receive: control.checkpoint,
        ..Online::default()
    });
    seen.online = Some(Online {
        recovery: true,
        tli: upstream.map_or(own.tli, |upstream| upstream.tli),
        receive: upstream.map_or(own.receive, |upstream| upstream.receive),
        receiver: address
            .filter(|_| upstream.is_some())
            .map(|sender_host| Receiver {
                status: "streaming".into(),
                sender_host,
                slot: String::new(),
            }),
        nodes: upstream.map_or(own.nodes.clone(), |upstream| upstream.nodes.clone()),
        senders: Vec::new(),
        slots: Vec::new(),
        pending_restart: Vec::new(),
        paused: false,
        ..own
    });
    seen.standby_signal = true;
    seen.process = true;
    seen.fenced = false;
    seen.needs_rejoin = None;
}
