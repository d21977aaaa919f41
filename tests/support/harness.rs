//! A test harness for cases on one world of real nodes, which is taken down at the end whatever they did. Cases run one after another,
//! but those of different sides at the same time.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A case that goes on for longer is told of, as the tests' own harness does.
const SLOW: Duration = Duration::from_secs(60);

/// One case: its name, whether it runs only when asked for, and what it does.
pub struct Case<W> {
    /// `module::case`.
    pub name: String,
    /// Cases of one side never run at the same time; a case leaves alone what those of other sides use.
    pub side: u8,
    /// Long: only with `--ignored` or `--include-ignored`.
    pub long: bool,
    /// Panics when something is not as it should be.
    pub run: Box<dyn Fn(&W) + Send + Sync>,
}

impl<W> Case<W> {
    /// A case of every run.
    pub fn new(name: impl Into<String>, run: impl Fn(&W) + Send + Sync + 'static) -> Case<W> {
        Case {
            name: name.into(),
            side: 0,
            long: false,
            run: Box::new(run),
        }
    }

    /// A case that only runs when asked for.
    pub fn long(name: impl Into<String>, run: impl Fn(&W) + Send + Sync + 'static) -> Case<W> {
        Case {
            long: true,
            ..Case::new(name, run)
        }
    }

    /// The same on another side.
    pub fn beside(self, side: u8) -> Case<W> {
        Case { side, ..self }
    }

    /// Runs it and says what became of it; false when it failed.
    fn passes(&self, world: &W, running: &Running) -> bool {
        let start = Instant::now();
        running.put(&self.name, Some(start));
        let end = panic::catch_unwind(AssertUnwindSafe(|| (self.run)(world)));
        running.put(&self.name, None);
        let word = if end.is_ok() { "ok" } else { "FAILED" };
        let time = start.elapsed().as_secs_f32();
        println!("test {} ... {word} ({time:.1} s)", self.name);
        end.is_ok()
    }
}

/// The cases that run now and were not told of as slow, with their beginning.
#[derive(Default)]
struct Running(Mutex<Vec<(String, Instant)>>);

impl Running {
    fn put(&self, name: &str, begin: Option<Instant>) {
        let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cases.retain(|(other, _)| other != name);
        cases.extend(begin.map(|begin| (name.to_owned(), begin)));
    }

    /// Tells of each slow case once, until the other end hangs up.
    fn tell(&self, over: mpsc::Receiver<()>) {
        while over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cases.retain(|(name, begin)| {
                let slow = begin.elapsed() >= SLOW;
                if slow {
                    println!(
                        "test {name} has been running for over {} seconds",
                        SLOW.as_secs()
                    );
                }
                !slow
            });
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
    fn names<W>(&self, case: &Case<W>) -> bool {
        let fits = |word: &String| match self.exact {
            true => case.name == *word,
            false => case.name.contains(word.as_str()),
        };
        (self.names.is_empty() || self.names.iter().any(fits)) && !self.skip.iter().any(fits)
    }

    fn runs<W>(&self, case: &Case<W>) -> bool {
        self.include_ignored || self.ignored == case.long
    }
}

/// What cases run on.
pub trait World {
    /// Nothing is up yet.
    fn new() -> Self;

    /// Takes everything down that came up.
    fn down(&self);
}

/// Runs the cases that the words of the command line ask for.
pub fn run<W: World + Sync>(cases: Vec<Case<W>>) -> ExitCode {
    let wish = Wish::parse(std::env::args().skip(1));
    let (cases, others): (Vec<Case<W>>, Vec<Case<W>>) =
        cases.into_iter().partition(|case| wish.names(case));
    if wish.list {
        let shown = |case: &&Case<W>| !wish.ignored || case.long;
        for case in cases.iter().filter(shown) {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", cases.len());
    let chosen = cases.iter().filter(|case| wish.runs(case)).count();
    if chosen > 0 && !super::node::is_possible() {
        println!("skipped: real nodes need root on Debian");
        println!(
            "\ntest result: ok. 0 passed; 0 failed; {} ignored; 0 measured; {} filtered out\n",
            cases.len(),
            others.len()
        );
        return ExitCode::SUCCESS;
    }
    let start = Instant::now();
    let world = W::new();
    for case in cases.iter().filter(|case| !wish.runs(case)) {
        println!("test {} ... ignored", case.name);
    }
    let running = Running::default();
    let (end, over) = mpsc::channel();
    let sides: BTreeSet<u8> = cases.iter().map(|case| case.side).collect();
    let of = |side: u8| {
        let mine = |case: &&Case<W>| case.side == side && wish.runs(case);
        let failed = cases
            .iter()
            .filter(mine)
            .filter(|case| !case.passes(&world, &running));
        failed.map(|case| &case.name).collect::<Vec<_>>()
    };
    let failed: Vec<&String> = thread::scope(|scope| {
        let of = &of;
        let running = &running;
        scope.spawn(move || running.tell(over));
        let sides: Vec<_> = sides
            .into_iter()
            .map(|side| scope.spawn(move || of(side)))
            .collect();
        let ends = sides.into_iter().map(|side| side.join().unwrap());
        let failed = ends.flatten().collect();
        drop(end);
        failed
    });
    world.down();
    if !failed.is_empty() {
        println!("\nfailures:");
        for name in &failed {
            println!("    {name}");
        }
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        chosen - failed.len(),
        failed.len(),
        cases.len() - chosen,
        others.len(),
        start.elapsed().as_secs_f32()
    );
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(101),
    }
}
