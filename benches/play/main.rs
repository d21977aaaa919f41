//! Times the 96-task play on real nodes: hadeploy, the hand-written limit, and its peers, side by side.

mod ansible;
mod contender;
mod limit;
mod measure;
mod nodes;
mod options;
mod play;
mod pyinfra;
mod relay;
mod rounds;
mod summary;
mod table;
mod target;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use contender::{Contender, Setting, Stage};
use nodes::{COUNT, Nodes};
use options::Options;
use play::Play;
use rounds::Bench;
use summary::Summary;
use table::Figure;
use target::Reach;

/// The round-trip time of the long line.
const FAR: Duration = Duration::from_millis(50);
/// How many names the fleet has.
const FLEET: usize = 200;
/// The most scripts per host: in a first run with its packages there, in every other, and in one over the long line.
const SCRIPTS: [f64; 3] = [12.0, 3.0, 2.0];

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        say("nothing is measured: start it with `cargo bench --bench play`");
        return ExitCode::SUCCESS;
    }
    thread::spawn(note_interrupts);
    match bench(&options) {
        Ok(met) if options.check && !met => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(if interrupted() { 130 } else { 1 })
        }
    }
}

/// Whether the program shall end: the lab is still to be taken down.
fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A line about the progress, on standard error.
#[expect(clippy::print_stderr, reason = "standard output is for the table")]
fn say(line: &str) {
    eprintln!("{line}");
}

fn note_interrupts() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    let noted: std::io::Result<()> = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            INTERRUPTED.store(true, Ordering::Relaxed);
        }
    });
    if let Err(error) = noted {
        say(&format!("an interrupt will leave the lab up: {error}"));
    }
}

/// Measures and prints; gives whether all budgets are met.
fn bench(options: &Options) -> Result<bool> {
    let play = Play::new();
    let nodes = Nodes::up(&options.release, options.keep)?;
    nodes.prepare(&play.packages, options.venv.is_some())?;
    let folder = tempfile::Builder::new()
        .prefix("hadeploy-bench-")
        .tempdir()?;
    let near = target::near(&nodes);
    let far = target::far(&nodes, FAR)?;
    let reach = Reach {
        key: nodes.key.clone(),
        known_hosts: folder.path().join("known_hosts"),
    };
    target::write_known_hosts(&nodes, &far, &reach.known_hosts)?;
    let stage = Stage::write(&play, folder.path(), reach, options.venv.as_deref())?;
    let mut bench = Bench::new(&stage, options);
    first_run(&mut bench, &stage, &nodes)?;

    let one = |targets: &[target::Target]| targets[..1].to_vec();
    for (kind, name, title, targets, budget) in [
        ("one", "near-one", "one node", one(&near), 0.8),
        ("three", "near-three", "three nodes", near.clone(), 1.0),
        ("far", "far-one", "one node, 50 ms", one(&far), 0.9),
        ("far", "far-three", "three nodes, 50 ms", far.clone(), 0.9),
    ] {
        if !options.wants(kind) {
            continue;
        }
        let scripts = match kind {
            "far" => SCRIPTS[2],
            _ => SCRIPTS[1],
        };
        let setting = stage.setting(name, "apply", targets)?;
        bench.measure(&setting, title, budget, scripts)?;
    }
    if options.wants("fleet") {
        // One machine has one writer, so names that share a machine cannot be applied in one run; a plan reads the same.
        let names = target::fleet(&near, FLEET);
        let setting = stage.setting("fleet", "plan", names)?;
        bench.fleet(&setting, SCRIPTS[1])?;
    }
    table::print(&bench.rows, &bench.figures);
    Ok(bench.all_met())
}

/// Applies the play to nodes that hold its packages and nothing else, and lets the limit's script say that all holds.
fn first_run(bench: &mut Bench, stage: &Stage, nodes: &Nodes) -> Result<()> {
    let all: Setting = stage.setting("first", "apply", target::near(nodes))?;
    say("first run");
    let taken = measure::run(&stage.jobs(Contender::Hadeploy, &all), 1, false)?;
    let summary = Summary::read(&taken.stdout)?;
    say(&format!(
        "  {:.1} s, {} changes on {COUNT} nodes, {} scripts per host",
        taken.wall.as_secs_f64(),
        summary.changed,
        summary.scripts
    ));
    match (nodes.fresh, summary.changed > 0) {
        (true, false) => bail!("the first run changed nothing on fresh nodes"),
        (true, true) => bench.figures.push(Figure {
            title: "first run, scripts per host".into(),
            measured: summary.scripts as f64,
            budget: SCRIPTS[0],
            unit: "",
        }),
        (false, _) => say("  the nodes were there before: no figure of it"),
    }
    measure::run(&stage.jobs(Contender::Limit, &all), COUNT, false)
        .context("the nodes are not as the play wants them")?;
    Ok(())
}
