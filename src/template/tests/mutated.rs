//! Templates of the cases, damaged in many ways: whatever is written is rendered or refused, without a panic and in time.

use std::time::{Duration, Instant};

use super::*;

/// Damages made of each case.
const EACH: usize = 6;

/// What damage puts in.
const SIGNS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "'",
    "\"",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "|",
    ".",
    ",",
    "=",
    ":",
    "~",
    "0",
    "9",
    "-",
    "is ",
    "not ",
    "if ",
    "else ",
    "in ",
    "é",
    "\0",
    "\n",
    "{% raw %}",
    "{% endif %}",
    "| default(",
    "*",
    "**",
    "None",
];

/// Numbers that look drawn, the same in every run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    /// A place between two signs.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn damaged(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..=self.below(3) {
            let (a, b) = (self.place(&text), self.place(&text));
            let (a, b) = (a.min(b), a.max(b));
            match self.below(5) {
                0 => text.insert_str(a, SIGNS[self.below(SIGNS.len())]),
                1 => text.replace_range(a..b, ""),
                2 => {
                    let part = text[a..b].to_owned();
                    text.insert_str(b, &part);
                }
                3 => text.truncate(b),
                _ => text.insert_str(b, SIGNS[self.below(SIGNS.len())]),
            }
        }
        text
    }
}

#[test]
fn damaged_templates_neither_panic_nor_hang() {
    let mut drawn = Drawn(2026);
    let templates = Templates::new();
    let scope = scope(include_str!("vars.yaml"));
    let cases = include_str!("cases.txt")
        .lines()
        // Programs do not run here, and rounds of hashes are as many as are written.
        .filter(|line| !line.contains("password_hash") && !line.trim().is_empty());
    let mut count = 0;
    let mut refused = 0;
    for case in cases {
        for _ in 0..EACH {
            let text = drawn.damaged(case);
            let begun = Instant::now();
            let value = Value::str(&text, &crate::source::Span::synthetic("t"));
            for fault in templates.check(&value) {
                assert!(!fault.render(false).is_empty(), "{text:?}");
            }
            let _ = templates.free_names(&value);
            match templates.render(&value, &scope) {
                Err(Stop::Fault(fault)) => {
                    refused += 1;
                    assert!(!fault.message.is_empty(), "{text:?}");
                }
                Err(Stop::After(_)) | Ok(_) => {}
            }
            let _ = templates.test(&value, &scope);
            let source = Source::new("t.j2", text.clone());
            let _ = templates.render_source(&source, &scope, &RenderOptions::default());
            assert!(begun.elapsed() < Duration::from_secs(20), "{text:?}");
            count += 1;
        }
    }
    assert!(count > 5000 && refused > 1000, "{count} {refused}");
}
