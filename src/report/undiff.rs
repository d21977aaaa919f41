//! Two texts that differ as a unified diff says: what the diff leaves out is filled in the same way on both sides.

use super::Limits;

/// The texts; none for what is no diff, such as a note that there is none.
pub(super) fn sides(diff: &str) -> Option<(String, String)> {
    let mut before = Side::default();
    let mut after = Side::default();
    let mut in_hunk = false;
    // The texts that the next line without a newline at its end belongs to.
    let mut last = (false, false);
    for line in diff.lines() {
        if let Some(head) = line.strip_prefix("@@ ") {
            let (old, new) = ranges(head)?;
            // What is left out is the same on both sides: equal lines, however they are numbered.
            let gap = old.saturating_sub(before.lines + 1);
            if gap != new.saturating_sub(after.lines + 1) {
                return None;
            }
            for number in 0..gap {
                let filler = format!("\u{0}{}", before.lines + number);
                before.text.push_str(&filler);
                before.text.push('\n');
                after.text.push_str(&filler);
                after.text.push('\n');
                // Of texts as long as that no diff is made.
                if before.text.len() + after.text.len() > Limits::WHOLE.bytes {
                    return None;
                }
            }
            before.lines += gap;
            after.lines += gap;
            in_hunk = true;
            continue;
        }
        if !in_hunk {
            continue;
        }
        let (mark, rest) = match line.chars().next() {
            Some(mark) => (mark, &line[mark.len_utf8()..]),
            None => (' ', ""),
        };
        match mark {
            ' ' => {
                before.push(rest);
                after.push(rest);
                last = (true, true);
            }
            '-' => {
                before.push(rest);
                last = (true, false);
            }
            '+' => {
                after.push(rest);
                last = (false, true);
            }
            '\\' => {
                if last.0 {
                    before.text.pop();
                }
                if last.1 {
                    after.text.pop();
                }
            }
            // The rest was cut.
            _ => break,
        }
    }
    in_hunk.then_some((before.text, after.text))
}

#[derive(Default)]
struct Side {
    text: String,
    lines: usize,
}

impl Side {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
    }
}

/// The first lines of `-1,4 +1,5 @@`, from 1. Of an empty side the line before is told.
fn ranges(head: &str) -> Option<(usize, usize)> {
    let mut words = head.split(' ');
    let mut first = |sign: char| {
        let range = words.next()?.strip_prefix(sign)?;
        let (start, length) = range.split_once(',').unwrap_or((range, "1"));
        let start: usize = start.parse().ok()?;
        start.checked_add(usize::from(length == "0"))
    };
    Some((first('-')?, first('+')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::unified;

    #[test]
    fn the_diff_of_the_sides_is_the_diff() {
        let long: String = (0..60).map(|n| format!("line {n}\n")).collect();
        let other = long
            .replace("line 3\n", "line three\n")
            .replace("line 40\n", "")
            .replace("line 55\n", "line 55\nmore\n");
        for (before, after) in [
            ("a\nb\n", "a\nc\n"),
            ("", "a\n"),
            ("a\n", ""),
            ("a", "b"),
            ("a\nb", "a\nb\n"),
            (&long, &other),
            (&other, &long),
        ] {
            let diff = unified("content", before, after, Limits::WHOLE);
            let (left, right) = sides(&diff).expect("a diff");
            assert_eq!(unified("content", &left, &right, Limits::WHOLE), diff);
        }
        for none in [
            "4000000 bytes of text differ, too many for a diff\n",
            "@@ -99999999999,2 +99999999999,2 @@\n a\n-b\n+c\n",
            "@@ -18446744073709551615,0 +1 @@\n+c\n",
        ] {
            assert_eq!(sides(none), None);
        }
    }
}
