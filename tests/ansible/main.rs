//! Projects in the idioms of Ansible's documentation, run by ansible-core on one node and by hadeploy on another: both must leave the
//! same machine behind, and say the same of each task, also when nothing is left to do. docs/ansible.md tells what differs on purpose.
//!
//! `RELEASE=13` takes nodes of Debian 13. `PROJECTS=FOLDER` takes each project in that folder too.
#![expect(
    clippy::print_stdout,
    reason = "a test harness says what became of its cases"
)]

mod ansible;
mod events;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/harness.rs"]
mod harness;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
#[path = "../support/node.rs"]
mod node;
mod projects;
#[path = "../recovery/snapshot.rs"]
mod snapshot;
mod state;
mod world;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

use events::{Said, differences};
use projects::{PROJECTS, Project, of_your_own};
use state::State;
use world::{Nodes, Site, World};

/// One case on the lab.
type Case = harness::Case<World>;

fn main() -> ExitCode {
    let case = |project: &'static Project| {
        let name = format!("ansible::{}", project.name);
        match project.long {
            true => Case::long(name, move |world| is_the_same(world, project)),
            false => Case::new(name, move |world| is_the_same(world, project)),
        }
    };
    let mut cases: Vec<Case> = PROJECTS.iter().chain(of_your_own()).map(case).collect();
    cases.push(Case::new("ansible::each_project_is_a_case", |_| {
        each_project_is_a_case();
    }));
    harness::run(cases)
}

/// A project that nobody runs proves nothing.
fn each_project_is_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/projects");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut named: Vec<&str> = PROJECTS.iter().map(|project| project.name).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(found, named);
}

fn is_the_same(world: &World, project: &'static Project) {
    let Some(nodes) = world.nodes() else {
        println!("    skipped: ansible-core cannot be had with python3 and pip");
        return;
    };
    if project.pair {
        on_the_same_nodes(nodes, project);
    } else {
        side_by_side(nodes, project);
    }
}

/// Ansible on the first node, hadeploy on the second, twice each and at the same time.
fn side_by_side(nodes: &Nodes, project: &'static Project) {
    let names = ["n1", "n2"];
    nodes.clean(project, &names);
    let before = nodes.states(&names);
    let [theirs, ours] = names.map(|name| Site::new(nodes, project, &[name]));
    let (theirs, ours) = thread::scope(|scope| {
        let theirs = scope.spawn(|| [(); 2].map(|()| nodes.ansible.run(&theirs)));
        let ours = [(); 2].map(|()| ours.apply());
        (theirs.join().unwrap(), ours)
    });
    say_the_same(project, &theirs, &ours);
    let after = nodes.states(&names);
    let new = State::differences(&after[0], &after[1], &before[0], &before[1]);
    assert!(new.is_empty(), "- ansible, + hadeploy\n{}", new.join("\n"));
}

/// Ansible on both nodes, and after the project's folder is gone hadeploy on the same two.
fn on_the_same_nodes(nodes: &Nodes, project: &'static Project) {
    let names = ["n1", "n2"];
    let site = Site::new(nodes, project, &names);
    nodes.clean(project, &names);
    let theirs = [(); 2].map(|()| nodes.ansible.run(&site));
    let by_ansible = nodes.states(&names);
    nodes.clean(project, &names);
    let ours = [(); 2].map(|()| site.apply());
    say_the_same(project, &theirs, &ours);
    let by_hadeploy = nodes.states(&names);
    for (theirs, ours) in by_ansible.iter().zip(&by_hadeploy) {
        let new = State::differences(theirs, ours, theirs, theirs);
        assert!(new.is_empty(), "- ansible, + hadeploy\n{}", new.join("\n"));
    }
}

#[track_caller]
fn say_the_same(project: &Project, theirs: &[Said; 2], ours: &[Said; 2]) {
    for (at, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let theirs = &theirs.with(project.differs);
        let differ = differences(theirs, ours);
        assert!(
            differ.is_empty(),
            "run {} of `{}`: - ansible, + hadeploy\n{}\n{}\n{}",
            at + 1,
            project.name,
            differ.join("\n"),
            theirs.stderr,
            ours.stderr
        );
        assert!(!theirs.tasks.is_empty(), "no task at all");
    }
}

/// Runs a program that must succeed.
fn must(command: &mut Command) {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}\n{said}");
}
