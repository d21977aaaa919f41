//! The clusters of PostgreSQL and redis on three real nodes, under writers from outside: brought up from nothing, moved as planned, and
//! broken in every way that a lab can break them. What is asserted is what the writers were promised. `docs/clusters.md` has the figures.
#![expect(
    clippy::print_stdout,
    reason = "a test harness says what became of its cases"
)]

mod bootstrap;
mod cuts;
mod drill;
mod full;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/harness.rs"]
mod harness;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/node.rs"]
mod node;
mod notes;
mod platform;
mod power;
mod promise;
mod replace;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/run.rs"]
mod run;
mod states;
mod usual;
mod witness;

use std::process::ExitCode;
use std::sync::OnceLock;

use platform::Platform;

/// One case on the clusters of one release.
pub type Case = harness::Case<World>;

/// The clusters of each release, up when they were first needed.
pub struct World([OnceLock<Platform>; 2]);

impl World {
    /// The clusters of a Debian release, whole.
    pub fn platform(&self, release: u8) -> &Platform {
        let place = &self.0[usize::from(release == 13)];
        let platform = place.get_or_init(|| Platform::new(release));
        platform.mend();
        platform
    }
}

impl harness::World for World {
    fn new() -> World {
        World([OnceLock::new(), OnceLock::new()])
    }

    fn down(&self) {
        self.0
            .iter()
            .filter_map(OnceLock::get)
            .for_each(Platform::down);
    }
}

/// A case on both releases: on Debian 12 in every run unless it is long, on Debian 13 when asked for.
pub fn both(name: &str, long: bool, run: fn(&Platform)) -> Vec<Case> {
    let on = |release: u8| {
        let run = move |world: &World| run(world.platform(release));
        let name = format!("{name}_{release}");
        match long || release == 13 {
            true => Case::long(name, run),
            false => Case::new(name, run),
        }
    };
    vec![on(12), on(13)]
}

fn main() -> ExitCode {
    let cases = [
        usual::cases(),
        power::cases(),
        cuts::cases(),
        replace::cases(),
        states::cases(),
        bootstrap::cases(),
        witness::cases(),
        full::cases(),
        promise::cases(),
    ];
    harness::run(cases.into_iter().flatten().collect())
}
