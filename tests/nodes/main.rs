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
mod drills;
mod faults;
mod guard;
mod kinds;
mod language;
mod many;
mod release;
mod run;
mod way_in;
mod world;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

use world::World;

/// One case: its name, whether it runs only when asked for, and what it does.
pub struct Case {
    /// `module::case`.
    pub name: String,
    /// Long: only with `--ignored` or `--include-ignored`.
    pub long: bool,
    /// Panics when something is not as it should be.
    pub run: Box<dyn Fn(&World)>,
}

impl Case {
    /// A case of every run.
    pub fn new(name: impl Into<String>, run: impl Fn(&World) + 'static) -> Case {
        Case {
            name: name.into(),
            long: false,
            run: Box::new(run),
        }
    }

    /// A case that only runs when asked for.
    pub fn long(name: impl Into<String>, run: impl Fn(&World) + 'static) -> Case {
        Case {
            long: true,
            ..Case::new(name, run)
        }
    }
}

/// What the words after `cargo test --` ask for.
#[derive(Default)]
struct Wish {
    names: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    ignored: bool,
    include_ignored: bool,
    list: bool,
}

impl Wish {
    fn parse(words: impl Iterator<Item = String>) -> Wish {
        let mut wish = Wish::default();
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--exact" => wish.exact = true,
                "--ignored" => wish.ignored = true,
                "--include-ignored" => wish.include_ignored = true,
                "--list" => wish.list = true,
                "--skip" => wish.skip.extend(words.next()),
                "--test-threads" | "--format" | "--color" | "-Z" => drop(words.next()),
                word if word.starts_with('-') => {}
                _ => wish.names.push(word),
            }
        }
        wish
    }

    /// Whether the names fit.
    fn names(&self, case: &Case) -> bool {
        let fits = |word: &String| match self.exact {
            true => case.name == *word,
            false => case.name.contains(word.as_str()),
        };
        (self.names.is_empty() || self.names.iter().any(fits)) && !self.skip.iter().any(fits)
    }

    fn runs(&self, case: &Case) -> bool {
        self.include_ignored || self.ignored == case.long
    }
}

fn cases() -> Vec<Case> {
    // The bare nodes' plan comes first: whatever runs before it writes to them.
    [
        bare_plan::cases(),
        acts::cases(),
        kinds::cases(),
        config_tree::cases(),
        release::cases(),
        many::cases(),
        language::cases(),
        budget::cases(),
        faults::cases(),
        way_in::cases(),
        drills::cases(),
        balancers::cases(),
        guard::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() -> ExitCode {
    let wish = Wish::parse(std::env::args().skip(1));
    let (cases, others): (Vec<Case>, Vec<Case>) =
        cases().into_iter().partition(|case| wish.names(case));
    if wish.list {
        let shown = |case: &&Case| !wish.ignored || case.long;
        for case in cases.iter().filter(shown) {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", cases.len());
    let chosen = cases.iter().filter(|case| wish.runs(case)).count();
    if chosen > 0 && !world::is_possible() {
        println!("skipped: real nodes need root on Debian");
        println!(
            "\ntest result: ok. 0 passed; 0 failed; {} ignored; 0 measured; {} filtered out\n",
            cases.len(),
            others.len()
        );
        return ExitCode::SUCCESS;
    }
    let world = World::new();
    let mut failed = Vec::new();
    for case in &cases {
        if !wish.runs(case) {
            println!("test {} ... ignored", case.name);
            continue;
        }
        let start = Instant::now();
        let end = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(&world)));
        let word = if end.is_ok() { "ok" } else { "FAILED" };
        println!(
            "test {} ... {word} ({:.1} s)",
            case.name,
            start.elapsed().as_secs_f32()
        );
        if end.is_err() {
            failed.push(&case.name);
        }
    }
    world.down();
    if !failed.is_empty() {
        println!("\nfailures:");
        for name in &failed {
            println!("    {name}");
        }
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        chosen - failed.len(),
        failed.len(),
        cases.len() - chosen,
        others.len()
    );
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(101),
    }
}
