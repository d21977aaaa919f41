//! Rounds: all contenders one after the other, again and again, so that what else the machine does hits all alike.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::contender::{Contender, Setting, Stage};
use crate::interrupted;
use crate::measure::{self, Taken, median};
use crate::options::Options;
use crate::play::TASKS;
use crate::say;
use crate::summary::Summary;
use crate::table::{Figure, Ratio, Row};

/// Peak memory of a run over few hosts, and per host of a fleet, in MB.
const MEMORY: (f64, f64) = (40.0, 0.3);
/// Processor time of the controller per host of a fleet, in ms.
const CPU: f64 = 10.0;
/// How many logins of a fleet the limit makes at once, as many as hadeploy.
const FORKS: usize = 50;
/// A fleet's run is long enough that a few rounds do.
const FLEET_ROUNDS: u32 = 3;
const MB: f64 = 1e6;

/// The measurement and what it has found so far.
#[derive(Debug)]
pub struct Bench<'a> {
    /// Times, one row for each setting.
    pub rows: Vec<Row>,
    /// Other numbers.
    pub figures: Vec<Figure>,
    stage: &'a Stage,
    rounds: u32,
    peer_rounds: u32,
    columns: Vec<Contender>,
    peers: Vec<Contender>,
}

/// What one contender's runs took.
#[derive(Debug)]
struct Times {
    contender: Contender,
    walls: Vec<Duration>,
    cpu: Duration,
}

impl<'a> Bench<'a> {
    /// Nothing measured yet.
    pub fn new(stage: &'a Stage, options: &Options) -> Self {
        let peers = stage.peers();
        let mut columns = vec![Contender::Login, Contender::Limit, Contender::Hadeploy];
        columns.extend(&peers);
        Self {
            rows: Vec::new(),
            figures: Vec::new(),
            stage,
            rounds: options.rounds,
            peer_rounds: options.peer_rounds,
            columns,
            peers,
        }
    }

    /// Whether every budget is met.
    pub fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.ratio.is_met()) && self.figures.iter().all(Figure::is_met)
    }

    /// Measures converged runs over a few hosts: times, scripts per host, memory, processor time.
    ///
    /// # Errors
    /// hadeploy or the limit failed, or a run changed something.
    pub fn measure(
        &mut self,
        setting: &Setting,
        title: &str,
        budget: f64,
        scripts: f64,
    ) -> Result<()> {
        say(title);
        let mut times = self.times(self.columns.clone());
        let mut most = 0;
        // The first round warms the nodes' caches and is not counted; it also watches the memory.
        for round in 0..=self.rounds {
            for one in &mut times {
                let peer = one.contender.is_peer();
                let takes_part =
                    (1..=self.peer_rounds).contains(&round) && self.peers.contains(&one.contender);
                if peer && !takes_part {
                    continue;
                }
                let Some(taken) = self.run(one.contender, setting, round == 0)? else {
                    continue;
                };
                if one.contender == Contender::Hadeploy {
                    most = most.max(unchanged(&taken, setting)?.scripts);
                }
                match (round, taken.peak) {
                    (0, Some(peak)) if one.contender == Contender::Hadeploy => {
                        self.figure(
                            format!("{title}, memory"),
                            peak as f64 / MB,
                            MEMORY.0,
                            " MB",
                        );
                    }
                    (0, _) => {}
                    _ => one.add(&taken),
                }
            }
        }
        self.figure(
            format!("{title}, scripts per host"),
            most as f64,
            scripts,
            "",
        );
        self.row(title, &times, Some(budget));
        Ok(())
    }

    /// Measures runs over many names.
    ///
    /// # Errors
    /// hadeploy or the limit failed, or a plan found something to change.
    pub fn fleet(&mut self, setting: &Setting, scripts: f64) -> Result<()> {
        let count = setting.targets.len();
        let title = format!("{count} names, plan");
        say(&title);
        let mut times = self.times(vec![Contender::Limit, Contender::Hadeploy]);
        let (mut most, mut peak) = (0, 0);
        for round in 1..=FLEET_ROUNDS {
            for one in &mut times {
                // Hundreds of runs of the ssh program take the better part of a minute: once is enough.
                if one.contender == Contender::Limit && round > 1 {
                    continue;
                }
                let Some(taken) = self.run(one.contender, setting, true)? else {
                    continue;
                };
                if one.contender == Contender::Hadeploy {
                    most = most.max(unchanged(&taken, setting)?.scripts);
                    peak = peak.max(taken.peak.unwrap_or(0));
                }
                one.add(&taken);
            }
        }
        let own = &times[1];
        let cpu = own.cpu.as_secs_f64() * 1000.0 / own.walls.len() as f64;
        let hosts = count as f64;
        self.figure(
            format!("{title}, memory per name"),
            peak as f64 / MB / hosts,
            MEMORY.1,
            " MB",
        );
        self.figure(
            format!("{title}, controller CPU per name"),
            cpu / hosts,
            CPU,
            " ms",
        );
        self.figure(
            format!("{title}, scripts per name"),
            most as f64,
            scripts,
            "",
        );
        self.row(&title, &times, None);
        Ok(())
    }

    /// One run; none when a peer failed, which then takes no further part.
    fn run(
        &mut self,
        contender: Contender,
        setting: &Setting,
        memory: bool,
    ) -> Result<Option<Taken>> {
        let jobs = self.stage.jobs(contender, setting);
        let memory = memory && contender == Contender::Hadeploy;
        let outcome = measure::run(&jobs, FORKS, memory);
        ensure!(!interrupted(), "interrupted");
        match outcome {
            Err(error) if contender.is_peer() => {
                say(&format!(
                    "{} takes no further part: {error:#}",
                    contender.name()
                ));
                self.peers.retain(|peer| *peer != contender);
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    fn times(&self, contenders: Vec<Contender>) -> Vec<Times> {
        let times = contenders.into_iter().map(|contender| Times {
            contender,
            walls: Vec::new(),
            cpu: Duration::ZERO,
        });
        times.collect()
    }

    fn figure(&mut self, title: String, measured: f64, budget: f64, unit: &'static str) {
        self.figures.push(Figure {
            title,
            measured,
            budget,
            unit,
        });
    }

    fn row(&mut self, title: &str, times: &[Times], budget: Option<f64>) {
        let middle = |contender: Contender| {
            let mut found = times.iter().filter(|one| one.contender == contender);
            found.next().and_then(|one| median(&one.walls))
        };
        let seconds = |contender| middle(contender).map_or(f64::NAN, |time| time.as_secs_f64());
        let measured = seconds(Contender::Hadeploy) / seconds(Contender::Limit);
        let columns = self.columns.iter();
        self.rows.push(Row {
            title: title.into(),
            medians: columns.map(|one| (one.name(), middle(*one))).collect(),
            ratio: Ratio { measured, budget },
        });
    }
}

impl Times {
    fn add(&mut self, taken: &Taken) {
        self.walls.push(taken.wall);
        self.cpu += taken.cpu;
    }
}

/// Makes sure that a run of hadeploy's reached all hosts with all tasks and found nothing to do.
fn unchanged(taken: &Taken, setting: &Setting) -> Result<Summary> {
    let summary = Summary::read(&taken.stdout)?;
    ensure!(
        summary.changed == 0
            && summary.hosts == setting.targets.len()
            && summary.tasks >= TASKS as u64,
        "a converged run was to find {TASKS} unchanged tasks on {} hosts, not {summary:?}",
        setting.targets.len()
    );
    Ok(summary)
}
