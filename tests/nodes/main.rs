//! Real nodes: what a user does with the binary, and what then really stands on the machines. The cases run one after another on one
//! lab, which is taken down at the end whatever they did; so this program is its own test harness.
#![expect(
    clippy::print_stdout,
    reason = "a test harness says what became of its cases"
)]

mod acts;
mod balancers;
mod bare_plan;
mod budget;
mod config_tree;
mod doctor;
mod drills;
mod faults;
mod guard;
#[path = "../support/harness.rs"]
mod harness;
mod jump;
mod kinds;
mod language;
mod lockout;
mod many;
mod nat;
mod netplan;
#[path = "../support/node.rs"]
mod node;
mod odd;
mod preview;
mod promise;
mod recipes;
mod refused;
mod release;
mod roles;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/run.rs"]
mod run;
mod runner;
mod secrets;
mod ssh_socket;
mod sudo_password;
#[path = "../support/terminal.rs"]
mod terminal;
mod twins;
mod unlock;
mod validated;
mod visits;
mod way_in;
mod ways_back;
mod world;

use std::process::ExitCode;

use world::World;

/// One case on the lab.
pub type Case = harness::Case<World>;

/// The case on the lab of a release; those of the two releases run at the same time.
pub fn on(release: u8, case: Case) -> Case {
    match release {
        13 => case.beside(13),
        _ => case,
    }
}

/// A case that mostly waits, on the spare nodes, while others run.
pub fn waiting(name: &str, run: fn(&World)) -> Case {
    Case::new(name, run).beside(1)
}

fn cases() -> Vec<Case> {
    // The bare nodes' plan comes first: whatever runs before it writes to them.
    [
        bare_plan::cases(),
        acts::cases(),
        kinds::cases(),
        config_tree::cases(),
        refused::cases(),
        release::cases(),
        many::cases(),
        language::cases(),
        roles::cases(),
        twins::cases(),
        secrets::cases(),
        budget::cases(),
        promise::cases(),
        faults::cases(),
        way_in::cases(),
        ways_back::cases(),
        drills::cases(),
        balancers::cases(),
        guard::cases(),
        unlock::cases(),
        jump::cases(),
        doctor::cases(),
        visits::cases(),
        odd::cases(),
        lockout::cases(),
        validated::cases(),
        sudo_password::cases(),
        ssh_socket::cases(),
        nat::cases(),
        netplan::cases(),
        preview::cases(),
        recipes::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() -> ExitCode {
    harness::run(cases())
}
