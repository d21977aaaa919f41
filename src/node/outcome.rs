//! What a script of steps said: how each step ended, and the answers behind them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// It ran; status, standard output and standard error.
    Ran {
        /// Exit status.
        rc: i32,
        /// Standard output, cut at [`super::script::OUTPUT_LIMIT`].
        stdout: Vec<u8>,
        /// Standard error, cut likewise.
        stderr: Vec<u8>,
    },
    /// It did not run: what it was decided on is no more.
    Moved(String),
    /// It ran, but the read-back differs from what was wanted: `mode: wanted 644, found 600`.
    Differs(String),
    /// It did not run: the lease is another run's now.
    NoLease(String),
    /// It ran, but its change was not confirmed and kept: it closed the way in, and the node put the old state back.
    Unconfirmed {
        /// One sentence.
        words: String,
        /// What to do.
        help: &'static str,
    },
}

/// What one script did: the steps that were come to, in order, and the bytes of the answers.
#[derive(Debug, Clone, Default)]
pub struct ScriptEnd {
    /// Ends of the steps come to; shorter than the script when one stopped it.
    pub steps: Vec<StepEnd>,
    /// Whether a guarded change waits for its confirmation.
    pub armed: bool,
    /// The bytes behind `Q`; none when a step stopped the script.
    pub answers: Option<Vec<u8>>,
}

/// What the script said. `None` when it is cut off in the middle: the node died or the disk under its results is full.
pub fn parse(output: &[u8]) -> Option<ScriptEnd> {
    let mut end = ScriptEnd::default();
    let mut rest = output;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&rest[..at]).ok()?;
        rest = &rest[at + 1..];
        if line == "Q" {
            end.answers = Some(rest.to_vec());
            return Some(end);
        }
        if line == "G" {
            end.armed = true;
            continue;
        }
        end.steps.push(parse_line(line)?);
    }
    (rest.is_empty() && !end.steps.is_empty()).then_some(end)
}

fn parse_line(line: &str) -> Option<StepEnd> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let _index = words.next()?;
    let decode = |word: &str| match word {
        "-" => Some(Vec::new()),
        word => STANDARD.decode(word).ok(),
    };
    match kind {
        "S" => Some(StepEnd::Ran {
            rc: words.next()?.parse().ok()?,
            stdout: decode(words.next()?)?,
            stderr: decode(words.next()?)?,
        }),
        _ => {
            let what = String::from_utf8_lossy(&decode(words.next()?)?).into_owned();
            match kind {
                "M" => Some(StepEnd::Moved(what)),
                "V" => Some(StepEnd::Differs(what)),
                "L" => Some(StepEnd::NoLease(what)),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_cut_in_the_middle_are_no_results() {
        assert!(parse(b"S 0 0 - -\nS 1 0 aGk").is_none());
        assert!(parse(b"").is_none());
    }
}
