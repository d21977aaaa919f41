//! The whole site is applied to a bare node, and the run is disturbed at a moment that a seed chooses: its controller is killed, or its
//! connections are cut. One further apply must end where an undisturbed one ends, and a second one must have nothing to do.
//!
//! `SEEDS=3-50` chooses the seeds of the long cases.
#![expect(
    clippy::print_stdout,
    reason = "a test harness says what became of its cases"
)]

#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/harness.rs"]
mod harness;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/node.rs"]
mod node;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/run.rs"]
mod run;
mod seed;
mod snapshot;
mod world;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use hadeploy::lab::Cut;

use run::Running;
use seed::Seed;
use world::World;

/// One case on the lab.
type Case = harness::Case<World>;

fn main() -> ExitCode {
    harness::run(vec![
        Case::new("recovery::killed", |world| killed(world, Seed(1))),
        Case::long("recovery::cut", |world| cut(world, Seed(2))),
        Case::long("recovery::killed_many", |world| each(world, killed)),
        Case::long("recovery::cut_many", |world| each(world, cut)),
    ])
}

/// All seeds that are wanted, also after one of them failed.
fn each(world: &World, disturb: fn(&World, Seed)) {
    let fails = |seed: &Seed| {
        let run = AssertUnwindSafe(|| disturb(world, *seed));
        panic::catch_unwind(run).is_err()
    };
    let failed: Vec<String> = seed::wanted(3..=50)
        .filter(fails)
        .map(|seed| seed.to_string())
        .collect();
    assert!(failed.is_empty(), "{}", failed.join(", "));
}

/// SIGKILL for the controller.
fn killed(world: &World, seed: Seed) {
    world.bare();
    let running = world.start();
    let moment = world.length().mul_f64(seed.fraction());
    thread::sleep(moment);
    running.kill();
    whole_after(world, &format!("{seed} killed after {moment:.1?}"));
}

/// The connection is cut: all its sessions end at once, or for some time no packet comes through.
fn cut(world: &World, seed: Seed) {
    world.bare();
    let running = world.start();
    let moment = world.length().mul_f64(seed.fraction());
    thread::sleep(moment);
    let how = match seed.choice(3) {
        // What is known to be over in time must be mended by the run itself.
        0 | 1 => {
            world.end_sessions();
            must_end(running, &[0]);
            "its sessions ended".to_owned()
        }
        _ => {
            let pause = Duration::from_secs(3 + seed.choice(60));
            world.lab.cut("n1", Cut::All).unwrap();
            thread::sleep(pause);
            world.lab.heal(None).unwrap();
            must_end(running, &[0, 1, 3]);
            format!("no packet for {pause:.0?}")
        }
    };
    whole_after(world, &format!("{seed} after {moment:.1?}: {how}"));
}

fn must_end(running: Running, codes: &[i32]) {
    let run = running.wait();
    assert!(codes.contains(&run.code), "{run}");
}

/// One further apply makes it whole, a second one finds nothing to do.
fn whole_after(world: &World, what: &str) {
    let further = world.apply();
    world.is_as_undisturbed(&format!("{what}\n{further}"));
    let again = world.apply();
    assert_eq!(again.count("n1", "changed"), 0, "{what}\n{again}");
    assert!(again.named("owed").is_empty(), "{what}\n{again}");
    println!(
        "    {what}: whole again, {}",
        further.events.last().unwrap()["reason"]
    );
}
