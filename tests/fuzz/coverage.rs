//! Which branches an input took, when the compiler was told to count them (see `tests/fuzz/build`).

use std::sync::Mutex;

/// Where the compiler's counters lie: one byte a branch.
static COUNTERS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Called at the beginning by what the compiler adds, once for each piece of code.
#[allow(unsafe_code, reason = "the compiler calls it by this name")]
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let range = (start as usize, stop as usize);
    let mut counters = COUNTERS.lock().expect("no panic inside");
    if !counters.contains(&range) {
        counters.push(range);
    }
}

const NONE: [u8; 128] = [0; 128];

/// The bit of how often a branch was taken.
fn bit(often: u8) -> u8 {
    match often {
        0 => 0,
        1..=3 => 1 << (often - 1),
        4..=7 => 1 << 3,
        8..=15 => 1 << 4,
        16..=31 => 1 << 5,
        32..=127 => 1 << 6,
        128.. => 1 << 7,
    }
}

/// The branches that inputs have taken so far, each with how often: one bit for once, twice, thrice, up to 7, 15, 31, 127 and more.
#[derive(Default)]
pub struct Seen(Vec<u8>);

impl Seen {
    /// Whether the branches since the last call hold something new; nothing where they are not counted.
    pub fn more(&mut self) -> Option<bool> {
        let ranges = COUNTERS.lock().expect("no panic inside").clone();
        if ranges.is_empty() {
            return None;
        }
        let mut new = false;
        let mut at = 0;
        for (start, stop) in ranges {
            #[allow(
                unsafe_code,
                reason = "bytes that live as long as the program, and of which nothing else takes a reference"
            )]
            // SAFETY: the compiler gave these bounds.
            let counters =
                unsafe { std::slice::from_raw_parts_mut(start as *mut u8, stop - start) };
            self.0.resize(self.0.len().max(at + counters.len()), 0);
            // An input takes few of them all: what it did not touch is passed over in blocks.
            let blocks = counters.chunks_mut(128).zip(self.0[at..].chunks_mut(128));
            for (counters, seen) in
                blocks.filter(|(counters, _)| **counters != NONE[..counters.len()])
            {
                for (counter, seen) in counters.iter_mut().zip(seen) {
                    let often = bit(std::mem::take(counter));
                    new |= often & !*seen != 0;
                    *seen |= often;
                }
            }
            at += stop - start;
        }
        Some(new)
    }

    /// How many branches were taken.
    pub fn branches(&self) -> usize {
        self.0.iter().filter(|seen| **seen != 0).count()
    }
}
