//! Text that is safe to show: no control characters from a node or a file, columns that count wide characters.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Foreign text as one line: control characters are spelled out (`\n`, `\x1b`, `\u{202e}`), so that nothing a node says
/// can move the cursor or hide a word.
pub(super) fn clean(text: &str) -> String {
    spell(text, hidden)
}

/// A line that was painted by us or by the renderer of diagnostics, which spells escape characters of its texts but no others.
pub(super) fn clean_painted(text: &str) -> String {
    spell(text, |char| char != '\u{1b}' && hidden(char))
}

fn spell(text: &str, hidden: fn(char) -> bool) -> String {
    if !text.chars().any(hidden) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => clean.push_str("    "),
            '\n' => clean.push_str("\\n"),
            '\r' => clean.push_str("\\r"),
            char if hidden(char) && char.is_ascii() => {
                clean.push_str(&format!("\\x{:02x}", u32::from(char)));
            }
            char if hidden(char) => clean.push_str(&format!("\\u{{{:x}}}", u32::from(char))),
            char => clean.push(char),
        }
    }
    clean
}

/// What a program said, line by line, as [`clean`] but for colour and cursor sequences, which are dropped. Of a line
/// overwritten after carriage returns, as progress bars do, the last state is kept.
pub(super) fn clean_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            let line = line.trim_end_matches('\r');
            clean(&without_sequences(line.rsplit('\r').next().unwrap_or(line)))
        })
        .collect()
}

/// Columns that clean text takes.
pub(super) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text`, cut with `…` so that it takes at most `limit` columns.
pub(super) fn fit(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for char in text.chars() {
        used += char.width().unwrap_or(0);
        if used + 1 > limit {
            break;
        }
        cut.push(char);
    }
    if limit > 0 {
        cut.push('…');
    }
    cut
}

/// Clean text in lines of at most `limit` columns, broken between words; those behind the first begin with `indent` spaces.
pub(super) fn wrap(text: &str, limit: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.trim_start().is_empty() && columns(&line) + 1 + columns(word) > limit {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        }
        if !line.trim_start().is_empty() {
            line.push(' ');
        }
        let room = match lines.is_empty() {
            true => limit,
            false => limit.saturating_sub(indent),
        };
        line.push_str(&fit(word, room));
    }
    lines.push(line);
    lines
}

/// `text` with spaces behind it up to `wanted` columns.
pub(super) fn pad(text: &str, wanted: usize) -> String {
    let missing = wanted.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

/// `420 ms`, `4.2 s`, `2 min 5 s`, `1 h 2 min`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Control characters, and those that reorder or hide the text around them.
fn hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn without_sequences(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        kept.push_str(&rest[..start]);
        rest = match skip_sequence(&rest[start..]) {
            Some(after) => after,
            None => {
                kept.push('\u{1b}');
                &rest[start + 1..]
            }
        };
    }
    kept.push_str(rest);
    kept
}

/// What follows a whole `ESC [ … letter` at the start of `text`.
fn skip_sequence(text: &str) -> Option<&str> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|char| !matches!(char, '0'..='?' | ' '..='/'))?;
    let last = body[end..].chars().next()?;
    matches!(last, '@'..='~').then(|| &body[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_node_reaches_the_terminal() {
        assert_eq!(
            clean_lines("\u{1b}[1;31mred\u{1b}[0m\u{1b}[2J\u{1b}["),
            ["red\\x1b["]
        );
        assert_eq!(clean("\u{1b}[2J"), "\\x1b[2J");
        assert_eq!(clean("\u{1b}]0;title\u{7}x"), "\\x1b]0;title\\x07x");
        assert_eq!(clean("a\u{9b}31mb\u{202e}c"), "a\\u{9b}31mb\\u{202e}c");
        assert_eq!(clean("\u{1b}["), "\\x1b[");
        assert_eq!(clean("\u{1b}[31ü"), "\\x1b[31ü");
        assert_eq!(clean("a\nb\tc"), "a\\nb    c");
        assert_eq!(clean("grüße 漢字 e\u{301}"), "grüße 漢字 e\u{301}");
    }

    #[test]
    fn progress_bars_keep_their_last_state() {
        assert_eq!(clean_lines("10%\r50%\r100%\r\ndone"), ["100%", "done"]);
    }

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("漢字漢字", 4), "漢…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(pad("漢", 4), "漢  ");
    }

    #[test]
    fn long_texts_break_between_words() {
        assert_eq!(wrap("one two three", 7, 2), ["one two", "  three"]);
        assert_eq!(wrap("one", 7, 2), ["one"]);
        assert_eq!(wrap("longer than that", 6, 1), ["longer", " than", " that"]);
    }

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(duration(420), "420 ms");
        assert_eq!(duration(4_260), "4.2 s");
        assert_eq!(duration(125_000), "2 min 5 s");
        assert_eq!(duration(3_720_000), "1 h 2 min");
    }
}
