//! A played cluster: hosts, servers, repmgr's own failover, and faults. Small enough that ten thousand of them play in seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hadeploy::cluster::Member;
use hadeploy::cluster::postgres::{
    Act, Controldata, FileSeen, Fork, Goal, Node, Observation, Online, Pooler, Receiver, Repmgrd,
    Seen, Sender, Setting, Slot, Spec, Synchronous, Tls, Wanted, WantedFile,
};

/// A small generator of numbers; the same seed plays the same game.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick(&mut self, count: usize) -> usize {
        self.below(count as u64) as usize
    }
}

/// What a data directory holds.
#[derive(Clone, Debug, Default)]
pub struct Data {
    pub sysid: u64,
    pub tli: u32,
    /// Commits, in their order.
    pub log: Vec<u32>,
    pub standby: bool,
    pub clean: bool,
    pub upstream: Option<usize>,
    /// Where its earlier time lines ended.
    pub forks: Vec<Fork>,
    /// What the primary's counter was when this was written last: a standby does not start with less.
    pub counter: u64,
}

impl Data {
    pub fn place(&self) -> u64 {
        (self.log.len() as u64 + 1) * 10_000
    }
}

#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The machine runs.
    pub up: bool,
    /// The controller cannot reach it.
    pub hidden: bool,
    /// It is cut off from the other hosts.
    pub cut: bool,
    pub packages: bool,
    pub configured: bool,
    pub data: Option<Data>,
    pub running: bool,
    /// Data directories that were renamed.
    pub aside: Vec<Data>,
    pub paused_replay: bool,
    pub streams: bool,
    pub nodes: Option<Vec<Node>>,
    pub slots: Vec<Slot>,
    pub repmgrd: Repmgrd,
    pub files: u32,
    /// The counter and the plain setting as they are in the file, and in force.
    pub file: (u64, u64),
    pub force: (u64, u64),
    pub fenced: bool,
    pub needs_rejoin: bool,
    pub pooler_paused: bool,
    pub accounts: bool,
    /// The disk is nearly full.
    pub full: bool,
}

impl Host {
    pub fn primary(&self) -> bool {
        self.up && self.running && self.data.as_ref().is_some_and(|data| !data.standby)
    }

    pub fn standby(&self) -> bool {
        self.up && self.running && self.data.as_ref().is_some_and(|data| data.standby)
    }
}

pub struct World {
    pub spec: Spec,
    pub hosts: Vec<Host>,
    pub ids: Vec<u32>,
    /// Files of this version are wanted.
    pub version: u32,
    /// The wanted counter and plain setting.
    pub settings: (u64, u64),
    /// Commits that clients were told of.
    pub acknowledged: BTreeSet<u32>,
    next_commit: u32,
    headless: Duration,
    /// Somebody did what nothing can make good.
    pub sinned: bool,
    /// Time line and place of the primary that was stopped last, as its stop says.
    pub stopped: Option<(u32, u64)>,
    /// This act fails, once.
    pub fails: Option<Act>,
}

pub fn spec(data: usize, witness: bool) -> Spec {
    let count = data + usize::from(witness);
    Spec {
        members: (0..count)
            .map(|member| Member {
                name: format!("pg{}", member + 1).into(),
                address: format!("10.0.0.{}", member + 1),
            })
            .collect(),
        witness,
        port: 5432,
        settings: BTreeMap::new(),
        synchronous: Synchronous::Auto,
        roles: Vec::new(),
        databases: Vec::new(),
        tls: Tls {
            ca: "/ca".into(),
            cert: "/cert".into(),
            key: "/key".into(),
        },
        clients: Vec::new(),
        detection: Duration::from_secs(30),
        goal: Goal::Converge,
    }
}

fn slot(id: u32) -> String {
    format!("repmgr_slot_{id}")
}

impl World {
    /// Bare hosts.
    pub fn bare(spec: Spec) -> World {
        let count = spec.members.len();
        World {
            hosts: vec![
                Host {
                    up: true,
                    ..Host::default()
                };
                count
            ],
            ids: (1..=count as u32).collect(),
            spec,
            version: 1,
            settings: (100, 128),
            acknowledged: BTreeSet::new(),
            next_commit: 0,
            headless: Duration::ZERO,
            sinned: false,
            stopped: None,
            fails: None,
        }
    }

    /// The controller reaches it.
    pub fn reachable(&self, member: usize) -> bool {
        self.hosts[member].up && !self.hosts[member].hidden
    }

    pub fn data(&self) -> usize {
        self.spec.data()
    }

    pub fn primaries(&self) -> Vec<usize> {
        (0..self.data())
            .filter(|member| self.hosts[*member].primary())
            .collect()
    }

    pub fn wanted(&self) -> Vec<Wanted> {
        let file = |path: &str, server| WantedFile {
            path: path.into(),
            sha256: self.version.to_string(),
            mode: 0o644,
            owner: "root",
            group: "root",
            reload: server,
            server,
        };
        let settings: BTreeMap<String, String> = [
            ("max_connections".into(), self.settings.0.to_string()),
            ("shared_buffers".into(), self.settings.1.to_string()),
        ]
        .into();
        self.hosts
            .iter()
            .map(|host| Wanted {
                files: vec![
                    file("/etc/repmgr.conf", false),
                    file("/etc/postgresql/15/main/conf.d/50-hadeploy.conf", true),
                ],
                settings: settings.clone(),
                packages: vec!["postgresql-15".into()],
                accounts: host.accounts || !host.primary_like(),
            })
            .collect()
    }

    /// What the controller reads.
    pub fn seen(&self) -> Vec<Seen> {
        (0..self.hosts.len())
            .map(|member| match &self.hosts[member] {
                host if !host.up || host.hidden => Seen::Unknown("no route to host".into()),
                host => Seen::Known(Box::new(self.observe(member, host))),
            })
            .collect()
    }

    /// Packages and files of a member that has them; right, or not.
    pub fn observe_files(&self, member: usize, right: bool) -> Observation {
        let host = Host {
            packages: true,
            configured: true,
            files: if right { self.version } else { 0 },
            ..Host::default()
        };
        self.observe(member, &host)
    }

    fn observe(&self, member: usize, host: &Host) -> Observation {
        let mut files = BTreeMap::new();
        let found = FileSeen {
            sha256: host.files.to_string(),
            mode: 0o644,
            owner: "root".into(),
            group: "root".into(),
            modified: 0.0,
        };
        if host.packages {
            files.insert("/etc/repmgr.conf".to_owned(), found.clone());
        }
        if host.configured {
            files.insert(
                "/etc/postgresql/15/main/conf.d/50-hadeploy.conf".to_owned(),
                found,
            );
        }
        Observation {
            release: 15,
            packages: match host.packages {
                true => [("postgresql-15".to_owned(), "15".to_owned())].into(),
                false => BTreeMap::new(),
            },
            configured: host.configured,
            data: host.data.is_some(),
            control: host.data.as_ref().map(|data| Controldata {
                state: match (host.running, data.clean, data.standby) {
                    (false, true, false) => "shut down".into(),
                    (false, true, true) => "shut down in recovery".into(),
                    (_, _, true) => "in archive recovery".into(),
                    _ => "in production".into(),
                },
                sysid: data.sysid,
                tli: data.tli,
                checkpoint: match data.clean || data.standby {
                    true => data.place(),
                    false => data.place() / 2,
                },
                counters: [("max_connections".to_owned(), data.counter)].into(),
                ..Controldata::default()
            }),
            standby_signal: host.data.as_ref().is_some_and(|data| data.standby),
            online: host
                .data
                .as_ref()
                .filter(|_| host.running)
                .map(|data| self.online(member, host, data)),
            process: host.running,
            repmgrd: host.repmgrd.clone(),
            repmgr_id: host.packages.then_some(self.ids[member]),
            disk_free: if host.full { 5 } else { 50 },
            disk_size: 100,
            files,
            needs_rejoin: host.needs_rejoin.then(|| "another primary".into()),
            fenced: host.fenced,
            pooler: host.packages.then_some(Pooler {
                paused: host.pooler_paused,
            }),
            ..Observation::default()
        }
    }

    fn online(&self, member: usize, host: &Host, data: &Data) -> Online {
        let setting = |value: u64| Setting {
            shown: value.to_string(),
            raw: value.to_string(),
            postmaster: true,
        };
        let mut pending = Vec::new();
        if host.file.0 != host.force.0 {
            pending.push("max_connections".to_owned());
        }
        if host.file.1 != host.force.1 {
            pending.push("shared_buffers".to_owned());
        }
        let senders = (0..self.data())
            .filter(|other| {
                let other = &self.hosts[*other];
                !data.standby
                    && other.streams
                    && other
                        .data
                        .as_ref()
                        .is_some_and(|data| data.upstream == Some(member))
            })
            .map(|other| Sender {
                name: self.spec.name(other).to_owned(),
                state: "streaming".into(),
                ..Sender::default()
            })
            .collect();
        Online {
            recovery: data.standby,
            sysid: data.sysid,
            tli: data.tli,
            receive: data.place() + u64::from(data.standby),
            replay: data.place(),
            paused: host.paused_replay,
            pending_restart: pending,
            settings: [
                ("max_connections".to_owned(), setting(host.force.0)),
                ("shared_buffers".to_owned(), setting(host.force.1)),
            ]
            .into(),
            receiver: (host.streams && data.standby).then(|| Receiver {
                status: "streaming".into(),
                sender_host: data.upstream.map_or(String::new(), |upstream| {
                    self.spec.members[upstream].address.clone()
                }),
                slot: slot(self.ids[member]),
            }),
            senders,
            slots: host.slots.clone(),
            forks: data.forks.clone(),
            nodes: host.nodes.clone(),
            ..Online::default()
        }
    }

    /// Some seconds pass.
    pub fn tick(&mut self, time: Duration) {
        self.replicate();
        self.write();
        self.replicate();
        self.repmgrd(time);
    }

    /// Clients write, as long as no pooler holds them back.
    fn write(&mut self) {
        if self.hosts.iter().any(|host| host.pooler_paused) {
            return;
        }
        for primary in self.primaries() {
            self.next_commit += 1;
            let commit = self.next_commit;
            if let Some(data) = &mut self.hosts[primary].data {
                data.log.push(commit);
            }
            self.replicate();
            let holds = |host: &Host| {
                host.streams
                    && host.data.as_ref().is_some_and(|data| {
                        data.upstream == Some(primary) && data.log.last() == Some(&commit)
                    })
            };
            let copies = self.hosts.iter().filter(|host| holds(host)).count();
            if copies >= self.spec.quorum() as usize {
                self.acknowledged.insert(commit);
            }
        }
    }

    fn replicate(&mut self) {
        let data = self.data();
        for member in 0..data {
            let host = &self.hosts[member];
            let source = host
                .data
                .as_ref()
                .filter(|_| host.standby() && !host.cut)
                .and_then(|data| data.upstream)
                .filter(|upstream| *upstream != member);
            let fits = source.is_some_and(|source| {
                let (own, other) = (host.data.as_ref(), &self.hosts[source]);
                let reaches = other.primary() && !other.cut;
                let has_slot = other.slots.iter().any(|found| {
                    found.name == slot(self.ids[member]) && found.wal_status != "lost"
                });
                let same = match (own, &other.data) {
                    (Some(own), Some(data)) => {
                        own.sysid == data.sysid
                            && own.tli <= data.tli
                            && data.log.starts_with(&own.log)
                    }
                    _ => false,
                };
                reaches && has_slot && same
            });
            let paused =
                fits && source.is_some_and(|source| self.hosts[source].force.0 > host.force.0);
            self.hosts[member].streams = fits;
            for other in 0..data {
                let name = slot(self.ids[member]);
                let active = fits && source == Some(other);
                for found in &mut self.hosts[other].slots {
                    if found.name == name {
                        found.active = active;
                    }
                }
            }
            let Some(source) = source.filter(|_| fits) else {
                continue;
            };
            let upstream = self.hosts[source].clone();
            let host = &mut self.hosts[member];
            host.nodes = upstream.nodes;
            if paused {
                host.paused_replay = true;
            }
            if let (Some(own), Some(data)) = (&mut host.data, upstream.data) {
                own.log = data.log;
                own.tli = data.tli;
                own.forks = data.forks;
                own.counter = upstream.force.0;
            }
        }
    }

    /// repmgr's own failover.
    fn repmgrd(&mut self, time: Duration) {
        let reachable: Vec<usize> = (0..self.hosts.len())
            .filter(|member| self.hosts[*member].up && !self.hosts[*member].cut)
            .collect();
        let primary = self
            .primaries()
            .into_iter()
            .find(|primary| reachable.contains(primary));
        if let Some(primary) = primary {
            self.headless = Duration::ZERO;
            for member in 0..self.data() {
                let host = &self.hosts[member];
                let follows = host.standby()
                    && !host.cut
                    && !host.streams
                    && host.repmgrd.running
                    && !host.repmgrd.paused;
                if follows {
                    self.follow(member, primary);
                }
            }
            return;
        }
        self.headless += time;
        if self.headless < Duration::from_secs(30)
            || self.spec.members.len() < 3
            || reachable.len() * 2 <= self.hosts.len()
        {
            return;
        }
        let candidate = (0..self.data())
            .filter(|member| {
                let host = &self.hosts[*member];
                reachable.contains(member)
                    && host.standby()
                    && host.repmgrd.running
                    && !host.repmgrd.paused
                    && !host.paused_replay
            })
            .max_by_key(|member| {
                let data = self.hosts[*member].data.as_ref();
                data.map(|data| (data.tli, data.log.len()))
            });
        // Those that hold data must be seen by the majority's own count: each active standby.
        let voters = (0..self.hosts.len())
            .filter(|member| self.hosts[*member].running && reachable.contains(member))
            .count();
        let electorate = candidate
            .and_then(|member| self.hosts[member].nodes.as_ref())
            .map_or(0, |nodes| {
                nodes
                    .iter()
                    .filter(|node| node.active && node.kind != "primary")
                    .count()
            });
        if let Some(candidate) = candidate
            && voters * 2 > electorate
        {
            // repmgrd passes over a standby that is paused or has no repmgrd, even where that one holds more.
            let length = |host: &Host| host.data.as_ref().map_or(0, |data| data.log.len());
            let most = self.hosts[..self.data()]
                .iter()
                .filter(|host| host.standby())
                .map(length)
                .max();
            self.sinned |= most > Some(length(&self.hosts[candidate]));
            self.promote(candidate);
            self.headless = Duration::ZERO;
        }
    }

    pub fn promote(&mut self, member: usize) {
        let id = self.ids[member];
        let host = &mut self.hosts[member];
        host.streams = false;
        host.accounts = true;
        if let Some(data) = &mut host.data {
            data.standby = false;
            let (tli, end) = (data.tli, data.place());
            data.forks.push(Fork { tli, end });
            data.tli += 1;
            data.upstream = None;
        }
        for row in host.nodes.iter_mut().flatten() {
            if row.id == id {
                row.kind = "primary".into();
                row.upstream = None;
                row.active = true;
            } else if row.kind == "primary" {
                row.active = false;
            }
        }
    }

    pub fn follow(&mut self, member: usize, to: usize) {
        let name = slot(self.ids[member]);
        let source = &mut self.hosts[to].slots;
        if !source.iter().any(|slot| slot.name == name) {
            source.push(Slot {
                name,
                wal_status: "reserved".into(),
                ..Slot::default()
            });
        }
        if let Some(data) = &mut self.hosts[member].data {
            data.upstream = Some(to);
        }
        let (id, upstream) = (self.ids[member], self.ids[to]);
        for row in self.hosts[to].nodes.iter_mut().flatten() {
            if row.id == id {
                row.upstream = Some(upstream);
                row.kind = "standby".into();
                row.active = true;
            }
        }
        self.replicate();
    }

    /// A machine comes up again; systemd starts the server, if the guard lets it.
    pub fn boot(&mut self, member: usize) {
        if self.hosts[member].up {
            return;
        }
        self.hosts[member].up = true;
        self.start(member);
    }

    pub fn start(&mut self, member: usize) -> bool {
        let reachable = self
            .hosts
            .iter()
            .filter(|host| host.up && !host.cut)
            .count();
        let witness = self.spec.is_witness(member);
        let other = self.primaries().into_iter().any(|other| other != member);
        let count = self.hosts.len();
        let host = &mut self.hosts[member];
        let Some(data) = &mut host.data else {
            return false;
        };
        if !data.standby && !witness {
            if other && !host.cut {
                host.needs_rejoin = true;
                return false;
            }
            if host.fenced || host.cut || reachable * 2 <= count {
                return false;
            }
        }
        if data.standby && host.file.0 < data.counter {
            return false;
        }
        data.clean = false;
        host.force = host.file;
        host.running = true;
        true
    }

    /// The server ends.
    pub fn stop(&mut self, member: usize, clean: bool) {
        self.replicate();
        let host = &mut self.hosts[member];
        host.streams = false;
        if host.running
            && let Some(data) = &mut host.data
        {
            data.clean = clean;
        }
        host.running = false;
        self.replicate();
    }

    /// An act, as the node does it. False when it fails.
    pub fn act(&mut self, member: usize, act: &Act) -> bool {
        if self.fails.as_ref() == Some(act) {
            self.fails = None;
            return false;
        }
        super::acts::act(self, member, act)
    }
}

impl Host {
    fn primary_like(&self) -> bool {
        self.running && self.data.as_ref().is_some_and(|data| !data.standby)
    }
}
