//! Parsers of foreign bytes are given broken ones: whatever comes, they read it or say what is wrong, and soon.
//!
//! Each target starts from the files of `tests/fuzz/corpus/TARGET`, which are inputs by themselves, and changes them with dice of a fixed
//! seed. `FUZZ_SECONDS=3600` gives each target an hour of a processor and counts its inputs in the folder of builds, `FUZZ_SEED=7` other
//! dice; a name after `--` chooses targets, so that each can have a process of its own. What broke a parser is left in the folder of builds,
//! and belongs into the corpus once it is mended. `tests/fuzz/build` makes an optimised program that is steered by the branches an input
//! takes; `tests/fuzz/long` runs it, and goes on where the last long run of a target ended.

mod coverage;
#[path = "../refused/dice.rs"]
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
mod dice;
mod expressions;
mod kinds;
mod mutate;
mod nodes;
mod projects;
mod services;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
mod support;
mod targets;

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dice::Dice;

/// Tries one input; whether it was read as right.
pub type Target = fn(&[u8]) -> bool;

/// An input takes at most this long of a processor, in an unoptimised build.
const SLOW: Duration = Duration::from_secs(10);
/// At most so many inputs are kept beside the corpus, where nothing is known of their branches.
const POOL: usize = 400;

/// A long run ends when its process has grown to so many bytes: what an engine of templates compiles stays.
const GROWN: u64 = 4 << 30;

/// Runs a target for its time.
pub fn fuzz(name: &str, target: Target) {
    let number = |name: &str, or: u64| {
        let text = std::env::var(name).ok();
        text.map_or(or, |text| text.parse().expect("a number"))
    };
    let long = std::env::var_os("FUZZ_SECONDS").is_some();
    let time = Duration::from_secs(number("FUZZ_SECONDS", 2));
    let mut dice = Dice(number("FUZZ_SEED", 1));
    let mut pool = corpus(name);
    let kept = pool.len();
    assert!(kept > 0, "no corpus of `{name}`");
    let start = Instant::now();
    let spent = || if long { worked() } else { start.elapsed() };
    let mut seen = coverage::Seen::default();
    // Which of them are read as right: half of what is tried comes from those.
    let mut right = Vec::new();
    for (at, input) in pool.iter().enumerate() {
        if attempt(name, target, input) {
            right.push(at);
        }
        seen.more();
    }
    let before = if long {
        inputs(&kept_in(name))
    } else {
        Vec::new()
    };
    for input in before {
        let read = attempt(name, target, &input);
        if seen.more() == Some(true) {
            if read {
                right.push(pool.len());
            }
            pool.push(input);
        }
    }
    let (mut tried, mut read) = (0_u64, 0_u64);
    while tried == 0 || spent() < time {
        if long && tried.is_multiple_of(1024) && grown() {
            break;
        }
        let from = match dice.pick(&right) {
            Some(at) if dice.roll(2) == 0 => *at,
            _ => dice.roll(pool.len()),
        };
        let input = mutate::mutated(&pool[from], &pool, &mut dice);
        tried += 1;
        let is_right = attempt(name, target, &input);
        read += u64::from(is_right);
        let more = seen.more();
        if more == Some(true) || more.is_none() && is_right && pool.len() < POOL {
            if is_right {
                right.push(pool.len());
            }
            pool.push(input);
        } else if more.is_none() && is_right {
            // What is still read as right leads deeper than what falls at the first byte.
            let at = kept + dice.roll(POOL - kept);
            pool[at] = input;
        }
    }
    if long {
        keep(&kept_in(name), &pool[kept..]);
        let (seconds, branches) = (worked().as_secs(), seen.branches());
        let found = pool.len() - kept;
        let text = format!(
            "{seconds} s of a processor, {tried} tried, {read} right, {found} kept, {branches} branches\n"
        );
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(folder().join(format!("{name}.count")))
            .expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }
}

/// Where a long run leaves the inputs that took new branches, for the next one.
fn kept_in(name: &str) -> PathBuf {
    let folder = folder().join(format!("{name}.kept"));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Puts inputs in the place of what a folder holds.
fn keep(folder: &Path, pool: &[Vec<u8>]) {
    std::fs::remove_dir_all(folder).expect("emptied");
    std::fs::create_dir(folder).expect("a folder");
    for (at, input) in pool.iter().enumerate() {
        std::fs::write(folder.join(format!("{at:06}")), input).expect("written");
    }
}

/// Whether this process has become too large to go on.
fn grown() -> bool {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: Option<u64> = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    pages.expect("a number of pages") * 4096 > GROWN
}

/// Tries one input, and leaves it where it can be found when it breaks something.
fn attempt(name: &str, target: Target, input: &[u8]) -> bool {
    let start = Instant::now();
    let run = || catch_unwind(AssertUnwindSafe(|| target(input)));
    let end = run();
    // On a busy machine a thread may get nothing for long: what seems slow is tried again and its own time taken.
    let mut slow = start.elapsed() > SLOW;
    if slow && end.is_ok() {
        let before = worked();
        slow = run().is_ok() && worked() - before > SLOW;
    }
    match end {
        Ok(read) if !slow => read,
        end => {
            let sum = input.iter().fold(0_u32, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
            });
            let file = folder().join(format!("{name}-{sum:08x}"));
            std::fs::write(&file, input).expect("written");
            let what = if end.is_err() { "a panic" } else { "too slow" };
            panic!("{what}, by {}:\n{}", file.display(), input.escape_ascii());
        }
    }
}

/// For how long this thread has had a processor.
fn worked() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let first = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(first.expect("nanoseconds"))
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    inputs(&folder)
}

/// What the files of a folder hold, by their names.
fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of inputs")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("readable"))
        .collect()
}
