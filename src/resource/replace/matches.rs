//! The replacement of all matches in a text, or in a section of it, as Python's `subn` does it.

use regex::bytes::Regex;

use super::super::pattern::Replacement;

/// The group that holds the section.
pub const SECTION: &str = "subsection";

/// What is done to a text.
pub struct Edit {
    /// The pattern of the section with what stands around it, and as it is written.
    pub around: Option<(Regex, String)>,
    /// What is replaced.
    pub regex: Regex,
    /// What takes its place.
    pub replacement: Replacement,
}

impl Edit {
    /// The new text and the number of matches; none when there is no such section.
    pub fn apply(&self, text: &[u8]) -> Option<(Vec<u8>, usize)> {
        let section = match &self.around {
            Some((around, _)) => around.captures(text)?.name(SECTION)?.range(),
            None => 0..text.len(),
        };
        let mut new = text[..section.start].to_vec();
        let number = self.all(&text[section.clone()], &mut new);
        new.extend_from_slice(&text[section.end..]);
        Some((new, number))
    }

    /// Appends the text with its matches replaced. Other than the engine's own walk, an empty match directly behind another match counts.
    fn all(&self, text: &[u8], new: &mut Vec<u8>) -> usize {
        let mut number = 0;
        let mut copied = 0;
        let mut from = 0;
        while from <= text.len() {
            let Some(captures) = self.regex.captures_at(text, from) else {
                break;
            };
            let Some(found) = captures.get(0) else { break };
            number += 1;
            new.extend_from_slice(&text[copied..found.start()]);
            new.extend_from_slice(&self.replacement.expand(&captures));
            copied = found.end();
            from = match found.is_empty() {
                true => found.end() + width(&text[found.end()..]),
                false => found.end(),
            };
        }
        new.extend_from_slice(&text[copied..]);
        number
    }
}

/// Bytes of the first character; one where it is none.
fn width(text: &[u8]) -> usize {
    let more = text.iter().skip(1).take(3);
    1 + match text.first() {
        Some(0xc0..) => more.take_while(|byte| (0x80..0xc0).contains(*byte)).count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::pattern::compile_with;
    use crate::source::Span;

    fn apply(
        around: Option<&str>,
        pattern: &str,
        replacement: &str,
        text: &str,
    ) -> (String, usize) {
        let place = Span::synthetic("test");
        let regex = compile_with("(?m)", pattern, &place).expect("a pattern");
        let edit = Edit {
            around: around.map(|text| {
                (
                    compile_with("(?s)", text, &place).expect("a pattern"),
                    text.to_owned(),
                )
            }),
            replacement: Replacement::read(replacement, &regex, &place).expect("a replacement"),
            regex,
        };
        let (new, number) = edit.apply(text.as_bytes()).unwrap_or_default();
        (String::from_utf8(new).expect("utf-8"), number)
    }

    #[test]
    fn each_line_has_a_begin_and_an_end() {
        assert_eq!(
            apply(None, r"^(\w+)=(.*)$", r"\2 = \g<1>", "a=1\nb=2\n"),
            ("1 = a\n2 = b\n".into(), 2)
        );
        assert_eq!(apply(None, r"^#.*\n", "", "#a\nb\n#c\n"), ("b\n".into(), 2));
        assert_eq!(apply(None, "x", "y", "abc"), ("abc".into(), 0));
    }

    /// What `re.subn` of Python 3.11 gives.
    #[test]
    fn empty_matches_count_as_in_python() {
        assert_eq!(apply(None, "x*", "-", "abxd"), ("-a-b--d-".into(), 5));
        assert_eq!(apply(None, "^", "> ", "é\n\nb"), ("> é\n> \n> b".into(), 3));
        assert_eq!(apply(None, ".*", "<\\g<0>>", "ab"), ("<ab><>".into(), 2));
        assert_eq!(apply(None, "", "-", "漢字"), ("-漢-字-".into(), 3));
    }

    #[test]
    fn only_a_section_is_looked_at() {
        let section = |text: &str| text.replace("SECTION", "(?P<subsection>.*?)");
        let text = "a=1\n[x]\na=1\na=1\n[y]\na=1\n";
        assert_eq!(
            apply(Some(&section(r"\[x\]SECTION\[y\]")), "a=1", "a=2", text),
            ("a=1\n[x]\na=2\na=2\n[y]\na=1\n".into(), 2)
        );
        assert_eq!(
            apply(Some(&section("zzzSECTION$")), "a", "b", text),
            (String::new(), 0)
        );
    }
}
