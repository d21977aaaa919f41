//! Numbers that a seed gives, the same each time.

use std::fmt;
use std::ops::RangeInclusive;

/// Names one run of a case.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}", self.0)
    }
}

impl Seed {
    /// splitmix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    fn draw(self, number: u64) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.wrapping_mul(1000).wrapping_add(number);
        z = z.wrapping_mul(step).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The moment of the disturbance, as a fraction of an undisturbed run.
    pub fn fraction(self) -> f64 {
        self.draw(1) as f64 / u64::MAX as f64
    }

    /// One of so many.
    pub fn choice(self, count: u64) -> u64 {
        self.draw(2 + count) % count
    }
}

/// The seeds that `SEEDS` names, `7` or `3-50`; else `usual`.
pub fn wanted(usual: RangeInclusive<u64>) -> impl Iterator<Item = Seed> {
    let said = std::env::var("SEEDS").unwrap_or_default();
    let number = |text: &str| {
        text.parse::<u64>()
            .expect("SEEDS is a number, or two and a hyphen")
    };
    let range = match said.split_once('-') {
        _ if said.is_empty() => usual,
        Some((first, last)) => number(first)..=number(last),
        None => number(&said)..=number(&said),
    };
    range.map(Seed)
}
