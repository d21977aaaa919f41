//! The name of a run: sorts by time, and is its own.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `20261120t101530-3f9a2c`: the time in UTC, then chance.
pub fn run_id(now: Timestamp) -> String {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dt%H%M%S");
    // The keys of a hasher come from the system's source of randomness.
    let chance = RandomState::new().hash_one(now.as_nanosecond());
    format!("{time}-{:06x}", chance & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_time_and_differs() {
        let now: Timestamp = "2026-11-20T10:15:30.5Z".parse().unwrap();
        let (first, second) = (run_id(now), run_id(now));
        assert!(first.starts_with("20261120t101530-"), "{first}");
        assert_eq!(first.len(), "20261120t101530-3f9a2c".len());
        assert!(first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        assert_ne!(first, second);
    }
}
