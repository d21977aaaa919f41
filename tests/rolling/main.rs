//! Rolling updates of the whole site on real nodes behind a real balancer: under load, with bad releases, and with everything that can
//! break meanwhile. What is asserted is seen from outside: by visitors, at the balancer, and on the nodes.
#![expect(
    clippy::print_stdout,
    reason = "a test harness says what became of its cases"
)]

mod bad;
mod balancer;
mod certificates;
mod clusters;
mod crowd;
mod full;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/harness.rs"]
mod harness;
mod killed;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/node.rs"]
mod node;
mod platform;
mod power;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/run.rs"]
mod run;
mod two;
mod writers;

use std::process::ExitCode;
use std::sync::OnceLock;

use platform::Platform;

/// One case on the platform.
pub type Case = harness::Case<World>;

/// The platform, up when it was first needed.
pub struct World(OnceLock<Platform>);

impl World {
    /// The platform, whole: every node serves the same release.
    pub fn platform(&self) -> &Platform {
        let platform = self.0.get_or_init(Platform::new);
        platform.mend();
        platform
    }
}

impl harness::World for World {
    fn new() -> World {
        World(OnceLock::new())
    }

    fn down(&self) {
        if let Some(platform) = self.0.get() {
            platform.down();
        }
    }
}

fn main() -> ExitCode {
    let cases = [
        full::cases(),
        certificates::cases(),
        bad::cases(),
        power::cases(),
        balancer::cases(),
        killed::cases(),
        clusters::cases(),
        two::cases(),
    ];
    harness::run(cases.into_iter().flatten().collect())
}
