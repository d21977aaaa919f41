//! Durations as people write them.

use std::time::Duration;

/// `90s`, `5m`, `1h 30m`; a bare number is seconds.
///
/// # Errors
/// A sentence for the usage error.
pub fn parse(text: &str) -> Result<Duration, String> {
    let bare = text.trim().parse::<u64>().ok().map(Duration::from_secs);
    bare.or_else(|| {
        let duration: jiff::SignedDuration = text.parse().ok()?;
        Duration::try_from(duration).ok()
    })
    .ok_or_else(|| "not a duration such as `90s` or `5m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("1h 30m", 5400),
            ("0", 0),
            ("7", 7),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "soon", "-5s", "5x", "m"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
