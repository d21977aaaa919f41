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
/// Inputs grow no longer than this.
const LARGEST: usize = 32 << 10;
/// At most so many inputs are kept beside the corpus, where nothing is known of their branches.
const POOL: usize = 400;

/// A long run ends when its process has grown to so many bytes: what an engine of templates compiles stays.
const GROWN: u64 = 4 << 30;

/// Words that parsers look for.
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "- ",
    ": ",
    "'",
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    "|",
    ">",
    "&a",
    "*a",
    "<<",
    "!vault",
    "!!",
    "#",
    "%",
    "=",
    ",",
    "..",
    "-",
    "0x",
    "1e999",
    "é",
    "\u{2028}",
    "9223372036854775808",
    "-1",
    "if",
    "else",
    "endif",
    "for",
    "in",
    "endfor",
    "is",
    "not",
    "or",
    "$ANSIBLE_VAULT;1.1;AES256",
    "Host *",
    "Match all",
    "Include x",
    "ssh-ed25519",
    "|1|",
    "@cert-authority",
    "@revoked",
    "[web]",
    ":vars",
    ":children",
    "null",
];

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
    for input in &pool {
        attempt(name, target, input);
        seen.more();
    }
    let before = if long {
        inputs(&kept_in(name))
    } else {
        Vec::new()
    };
    for input in before {
        attempt(name, target, &input);
        if seen.more() == Some(true) {
            pool.push(input);
        }
    }
    let (mut tried, mut right) = (0_u64, 0_u64);
    while tried == 0 || spent() < time {
        if long && tried.is_multiple_of(1024) && grown() {
            break;
        }
        let input = mutated(&pool, &mut dice);
        tried += 1;
        let read = attempt(name, target, &input);
        right += u64::from(read);
        match seen.more() {
            Some(true) => pool.push(input),
            Some(false) => {}
            // What is still read as right leads deeper than what falls at the first byte.
            None if !read => {}
            None if pool.len() < POOL => pool.push(input),
            None => {
                let at = kept + dice.roll(POOL - kept);
                pool[at] = input;
            }
        }
    }
    if long {
        keep(&kept_in(name), &pool[kept..]);
        let (seconds, branches) = (worked().as_secs(), seen.branches());
        let found = pool.len() - kept;
        let text = format!(
            "{seconds} s of a processor, {tried} tried, {right} right, {found} kept, {branches} branches\n"
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

/// One of the inputs, changed at up to eight places.
fn mutated(pool: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = pool[dice.roll(pool.len())].clone();
    for _ in 0..=dice.roll(8) {
        let at = dice.roll(input.len() + 1);
        let end = (at + 1 + dice.roll(24)).min(input.len());
        match dice.roll(8) {
            0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
            1 => drop(input.drain(at.min(end)..end)),
            2 => {
                let part = input[at.min(end)..end].to_vec();
                input.splice(at..at, part);
            }
            3 | 4 => {
                let word = WORDS[dice.roll(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            5 => input.truncate(at.max(1)),
            6 => {
                let other = &pool[dice.roll(pool.len())];
                let from = dice.roll(other.len() + 1);
                let to = (from + dice.roll(200)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            // Deep nesting is what recursion breaks at.
            _ => {
                let word = WORDS[dice.roll(WORDS.len())];
                let many = word.repeat(1 + dice.roll(300));
                input.splice(at..at, many.bytes());
            }
        }
    }
    input.truncate(LARGEST);
    input
}
