//! What is done with the nodes of a rolling update.

mod way_back;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::prepare::{Prepare, Prepared};
use super::releases::Releases;
use super::section;
use crate::balancer::{Controller, Hands, LoadBalancer, Means, Member as Served, Service};
use crate::change::{Action, Effect};
use crate::engine::hands::RunHands;
use crate::engine::state::{HostState, Out, Run, lock};
use crate::event::{Event, Failure, Status, TaskResult};
use crate::playbook::Scheduled;
use crate::rollout::{Act, Gate, Report, Round, Seen, Settings, Streak};

/// A node that has not said a word by then is lost.
const PING: Duration = Duration::from_secs(15);

/// Between two attempts to attach a node.
const AGAIN: Duration = Duration::from_secs(3);

/// The nodes, and the balancer before them.
pub(super) struct Fleet {
    run: Arc<Run>,
    nodes: Vec<Node>,
    hands: Arc<RunHands>,
    play: Arc<str>,
    at: Arc<str>,
}

struct Node {
    name: Arc<str>,
    settings: Settings,
    /// What a healthy node is; of the release that it goes back to, once it does.
    gate: Mutex<Gate>,
    served: Served,
    balancer: Box<dyn LoadBalancer>,
    stayed: AtomicU64,
    before: Mutex<Releases>,
    /// The release that it gets.
    release: Option<String>,
}

impl Fleet {
    /// The nodes of a run.
    ///
    /// # Errors
    /// The balancer cannot be had.
    pub(super) fn new(run: &Arc<Run>, prepared: &Prepared) -> Result<Fleet, String> {
        let hands = Arc::new(RunHands(run.clone()));
        let node = |prepare: &Prepare| -> Result<Node, String> {
            let (told, host) = (run.clone(), prepare.name.clone());
            let means = Means {
                hands: hands.clone(),
                programs: Arc::new(Controller),
                tell: Arc::new(move |words: &str| {
                    told.say(Event::HostWorking {
                        host: host.clone(),
                        what: words.to_owned(),
                    });
                }),
                run: run.settings.run_id.to_string(),
            };
            Ok(Node {
                name: prepare.name.clone(),
                settings: prepare.settings.clone(),
                gate: Mutex::new(prepare.settings.gate.clone()),
                served: prepare.member.clone(),
                balancer: prepare
                    .spec
                    .build(means)
                    .map_err(|error| error.to_string())?,
                stayed: AtomicU64::new(0),
                before: Mutex::default(),
                release: prepare.release.clone(),
            })
        };
        Ok(Fleet {
            run: run.clone(),
            nodes: prepared.nodes.iter().map(node).collect::<Result<_, _>>()?,
            hands: hands.clone(),
            play: prepared.play.clone(),
            at: prepared.at.clone(),
        })
    }

    /// The names of its nodes.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Connections that were open when the node was updated.
    pub(super) fn stayed(&self, index: usize) -> u64 {
        self.nodes[index].stayed.load(Ordering::Relaxed)
    }

    fn host(&self, index: usize) -> Option<&Arc<HostState>> {
        self.run.hosts.get(&self.nodes[index].name)
    }

    /// How every node stands.
    ///
    /// # Errors
    /// The balancer does not answer.
    pub(super) async fn look(&self) -> Result<Vec<Seen>, String> {
        let looks = (0..self.nodes.len()).map(|index| self.see(index));
        join_all(looks).await.into_iter().collect()
    }

    /// How one node stands, on itself and at the balancer.
    ///
    /// # Errors
    /// The balancer does not answer.
    pub(super) async fn see(&self, index: usize) -> Result<Seen, String> {
        let node = &self.nodes[index];
        if let Some(host) = self.host(index)
            && host.out() == Out::Unreachable
        {
            return Ok(Seen::Lost(host.why_out()));
        }
        if let Err(why) = self.ping(index).await {
            return Ok(Seen::Lost(why));
        }
        let state = node
            .balancer
            .state(&node.served)
            .await
            .map_err(|error| format!("{}: {error}", node.balancer.name()))?;
        Ok(match state.service {
            Service::In => Seen::InService,
            Service::Draining | Service::Out => {
                Seen::Out(format!("taken out of {}", node.balancer.name()))
            }
            Service::Down(why) | Service::Unknown(why) => Seen::Out(why),
        })
    }

    /// Whether the node itself answers.
    async fn ping(&self, index: usize) -> Result<(), String> {
        let name = &self.nodes[index].name;
        match tokio::time::timeout(PING, self.hands.sh(name, ":")).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("no answer within {} s", PING.as_secs())),
        }
    }

    /// Does one act with each of some members, all at once.
    pub(super) async fn perform(
        &self,
        plays: &[Arc<Scheduled>],
        acts: &[(usize, Act)],
    ) -> Vec<(usize, Act, Report)> {
        let Some(&(_, act)) = acts.first() else {
            return Vec::new();
        };
        let indices: Vec<usize> = acts.iter().map(|(index, _)| *index).collect();
        let reports = match act {
            Act::Update => {
                self.note_releases(&indices).await;
                self.update(&self.run, plays, &indices).await
            }
            Act::Restore => self.restore(plays, &indices).await,
            Act::Drain => join_all(indices.iter().map(|&index| self.drain(index))).await,
            Act::Check { hold } => {
                join_all(indices.iter().map(|&index| self.check(index, hold))).await
            }
            Act::Attach => join_all(indices.iter().map(|&index| self.attach(index))).await,
            Act::Soak => join_all(indices.iter().map(|&index| self.soak(index))).await,
            Act::Leave | Act::Gather => unreachable!("the clusters' own, never the fleet's"),
        };
        for node in &self.nodes {
            self.working(node, String::new());
        }
        indices
            .into_iter()
            .zip(reports)
            .map(|(index, report)| (index, act, report))
            .collect()
    }

    /// The plays, on these nodes together.
    async fn update(
        &self,
        run: &Arc<Run>,
        plays: &[Arc<Scheduled>],
        indices: &[usize],
    ) -> Vec<Report> {
        for play in plays {
            let hosts: Vec<&str> = indices
                .iter()
                .filter_map(|&index| run.hosts.get(&self.nodes[index].name))
                .filter(|host| host.out() == Out::Alive)
                .map(|host| &*host.name)
                .collect();
            let part = section::turn(play, &hosts);
            if !part.hosts.is_empty() {
                crate::engine::work(run, &part, plays).await;
            }
        }
        for host in indices
            .iter()
            .filter_map(|&index| run.hosts.get(&self.nodes[index].name))
        {
            // Should this run end here, the next one must not take a node out again for what was done.
            crate::engine::connect::pay(run, host).await;
        }
        indices
            .iter()
            .filter_map(|&index| run.hosts.get(&self.nodes[index].name))
            .map(|host| match host.out() {
                Out::Alive => Report::Done,
                Out::Unreachable => Report::Lost(host.why_out()),
                Out::Failed | Out::Interrupted => Report::Failed(host.why_out()),
            })
            .collect()
    }

    async fn drain(&self, index: usize) -> Report {
        let node = &self.nodes[index];
        match node.balancer.drain(&node.served).await {
            Ok(drained) => {
                node.stayed.store(drained.stayed, Ordering::Relaxed);
                tracing::debug!(node = %node.name, stayed = drained.stayed, how = drained.how, "drained");
                Report::Done
            }
            Err(error) => self.trouble(index, "Drain", &error.to_string()).await,
        }
    }

    async fn attach(&self, index: usize) -> Report {
        let node = &self.nodes[index];
        match node.balancer.enable(&node.served).await {
            Ok(()) => Report::Done,
            Err(error) => {
                // It is tried again: a balancer that is being restarted is there again soon.
                tokio::time::sleep(AGAIN).await;
                self.trouble(index, "Attach", &error.to_string()).await
            }
        }
    }

    /// A node that does not answer is lost; any other failed.
    async fn trouble(&self, index: usize, task: &str, why: &str) -> Report {
        if let Err(lost) = self.ping(index).await {
            return Report::Lost(lost);
        }
        self.failed(index, task, Failure::new(why));
        Report::Failed(why.to_owned())
    }

    async fn check(&self, index: usize, hold: bool) -> Report {
        let node = &self.nodes[index];
        let gate = lock(&node.gate).clone();
        let gate = &gate;
        let mut streak = Streak::default();
        let until = Instant::now() + gate.timeout;
        loop {
            let round = match self.round(node, gate).await {
                Ok(round) => round,
                Err(why) => return Report::Lost(why),
            };
            let good = streak.take(round);
            self.working(node, format!("healthy {good} of {} times", gate.checks));
            if good >= gate.checks {
                break;
            }
            if Instant::now() >= until {
                let spent = format!(
                    "not healthy {} times in a row within {} s",
                    gate.checks,
                    gate.timeout.as_secs()
                );
                return self.unhealthy(index, &streak, &spent);
            }
            tokio::time::sleep(gate.interval).await;
        }
        if hold {
            let words = "the first node stays out until it has been healthy for its time";
            return self
                .hold(index, &mut streak, node.settings.canary_hold, words)
                .await;
        }
        Report::Done
    }

    async fn soak(&self, index: usize) -> Report {
        let soak = self.nodes[index].settings.soak;
        self.hold(index, &mut Streak::default(), soak, "watched under traffic")
            .await
    }

    /// Healthy in every round for that long; an interrupt ends it early.
    async fn hold(&self, index: usize, streak: &mut Streak, time: Duration, words: &str) -> Report {
        let node = &self.nodes[index];
        let gate = lock(&node.gate).clone();
        let until = Instant::now() + time;
        while Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            self.working(node, format!("{words}: {} s", left.as_secs()));
            let pause = gate.interval.min(left);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.run.interrupt.cancelled() => return Report::Done,
            }
            match self.round(node, &gate).await {
                Ok(round) => {
                    if streak.take(round) > 0 {
                        continue;
                    }
                    let after =
                        time.saturating_sub(until.saturating_duration_since(Instant::now()));
                    let spent =
                        format!("healthy at first, and after {} s no more", after.as_secs());
                    return self.unhealthy(index, streak, &spent);
                }
                Err(why) => return Report::Lost(why),
            }
        }
        Report::Done
    }

    async fn round(&self, node: &Node, gate: &Gate) -> Result<Round, String> {
        let reply = self.hands.sh(&node.name, &gate.script()).await?;
        Ok(Round::parse(&reply.stdout))
    }

    fn unhealthy(&self, index: usize, streak: &Streak, spent: &str) -> Report {
        let last = streak.last.clone().unwrap_or_default();
        let why = last.trouble.unwrap_or_else(|| spent.to_owned());
        let mut failure = Failure::new(format!("{why} ({spent})"));
        failure.output = last.output;
        failure.help = Some(
            "the node stays out of the balancer; mend the release and run the same command again, or `hadeploy rollback`"
                .to_owned(),
        );
        self.failed(index, "Health gate", failure);
        Report::Failed(why)
    }

    /// Tells a failure of the rolling update itself as one of the node's tasks.
    fn failed(&self, index: usize, task: &str, failure: Failure) {
        self.run.finish(TaskResult {
            delegate: None,
            play: self.play.clone(),
            task: task.into(),
            host: self.nodes[index].name.clone(),
            status: Status::Failed,
            at: self.at.clone(),
            kind: "rolling",
            action: Action::None,
            changes: Vec::new(),
            effect: Effect::None,
            follows: Vec::new(),
            msg: failure.message.clone(),
            rc: None,
            duration_ms: 0,
            items: Vec::new(),
            ignored: false,
            rescued: false,
            known_after: None,
            failure: Some(failure),
            handler: false,
        });
    }

    fn working(&self, node: &Node, what: String) {
        self.run.say(Event::HostWorking {
            host: node.name.clone(),
            what,
        });
    }
}
