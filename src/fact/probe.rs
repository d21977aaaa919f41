//! What a kind's own script prints: for questions that only one kind asks.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, FactError, Question};

/// At most this many bytes are read of what a script prints; the rest is cut.
pub const LIMIT: u64 = 65 * 1024 * 1024;

/// Prints what each script prints, in base64, ended by NUL.
pub fn probes_script(keys: &[&str]) -> String {
    let mut text = String::new();
    for key in keys {
        let script = key.split_once('\n').map_or("", |(_, script)| script);
        let _ = write!(
            text,
            "(\n{}\n) </dev/null 2>/dev/null | head -c {LIMIT} | base64 -w0\nprintf '\\0'\n",
            script.trim_end()
        );
    }
    text
}

/// One answer for each key.
pub fn parse_probes(keys: &[&str], body: &[u8]) -> Result<Vec<(Question, Answer)>, FactError> {
    let error = |reason: String| FactError {
        subject: "a script",
        reason,
    };
    let mut fields = body.split(|byte| *byte == 0);
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let field = fields
            .next()
            .ok_or_else(|| error("it ends in the middle".to_owned()))?;
        let bytes = STANDARD
            .decode(field)
            .map_err(|fault| error(fault.to_string()))?;
        answers.push((Question::Probe((*key).into()), Answer::Probe(bytes.into())));
    }
    // Behind the last NUL there is nothing.
    match fields.next() {
        Some(rest) if rest.trim_ascii().is_empty() => Ok(answers),
        _ => Err(error("it holds another number of answers".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_says_its_own() {
        let keys = [
            "a b\nprintf 'x\\0y\\n'; exit 3",
            "empty\n:",
            "c\ncat; echo $v",
        ];
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(probes_script(&keys))
            .output()
            .unwrap();
        let answers = parse_probes(&keys, &output.stdout).unwrap();
        let said: Vec<&[u8]> = answers
            .iter()
            .map(|(_, answer)| match answer {
                Answer::Probe(bytes) => &**bytes,
                _ => panic!(),
            })
            .collect();
        assert_eq!(said, [b"x\0y\n".as_slice(), b"", b"\n"]);
        assert!(parse_probes(&keys[..2], &output.stdout).is_err());
        assert!(parse_probes(&keys, b"eA==\0").is_err());
    }
}
