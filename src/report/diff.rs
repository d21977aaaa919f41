//! Unified diffs of two texts, bounded in time and size.

use std::time::Duration;

use similar::TextDiff;

use crate::change::Field;

/// How much a diff may cost and show.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of both texts together; longer ones are only said to differ.
    pub bytes: usize,
    /// Lines of the diff that are kept; the rest is counted.
    pub lines: usize,
}

impl Limits {
    /// For programs: 2 MiB of text, 20,000 lines of diff.
    pub const WHOLE: Limits = Limits {
        bytes: 2 << 20,
        lines: 20_000,
    };

    /// How long the search for a small diff may take; after it the diff is right but longer than need be.
    const SEARCH: Duration = Duration::from_millis(500);
}

/// The unified diff from `before` to `after`, three lines of context, every line ended by a newline; empty when
/// they are equal. A text without a newline at its end gets git's `\ No newline at end of file`.
pub fn unified(name: &str, before: &str, after: &str, limits: Limits) -> String {
    if before == after {
        return String::new();
    }
    let size = before.len() + after.len();
    if size > limits.bytes {
        return format!("{size} bytes of text differ, too many for a diff\n");
    }
    let text = TextDiff::configure()
        .timeout(Limits::SEARCH)
        .diff_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("{name} (before)"), &format!("{name} (after)"))
        .missing_newline_hint(true)
        .to_string();
    cut(text, limits.lines)
}

/// Old and new text of a field where a diff can be shown: both are there, or one side has no content at all.
pub(super) fn texts(field: &Field) -> Option<(&str, &str)> {
    let Field::Text {
        before_sha256,
        after_sha256,
        before,
        after,
        ..
    } = field
    else {
        return None;
    };
    if before.is_none() && after.is_none() {
        return None;
    }
    let whole = (before.is_some() || before_sha256.is_none())
        && (after.is_some() || after_sha256.is_none());
    whole.then(|| {
        (
            before.as_deref().unwrap_or(""),
            after.as_deref().unwrap_or(""),
        )
    })
}

fn cut(text: String, limit: usize) -> String {
    let Some((end, _)) = text.match_indices('\n').nth(limit.saturating_sub(1)) else {
        return text;
    };
    let hidden = text[end + 1..].lines().count();
    if hidden == 0 {
        return text;
    }
    format!("{}… {hidden} more lines\n", &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_context_and_a_missing_newline() {
        let diff = unified("content", "a\nb\nc", "a\nB\nc", Limits::WHOLE);
        assert_eq!(
            diff,
            "--- content (before)\n+++ content (after)\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn a_new_text_is_all_additions_and_equal_texts_are_nothing() {
        let diff = unified("x", "", "one\n", Limits::WHOLE);
        assert!(diff.ends_with("@@ -0,0 +1 @@\n+one\n"), "{diff}");
        assert_eq!(unified("x", "same", "same", Limits::WHOLE), "");
    }

    #[test]
    fn long_diffs_are_counted_and_huge_texts_not_compared() {
        let after: String = (0..100).map(|n| format!("{n}\n")).collect();
        let limits = Limits {
            bytes: 1000,
            lines: 10,
        };
        let diff = unified("x", "", &after, limits);
        assert_eq!(diff.lines().count(), 11);
        assert!(diff.ends_with("… 93 more lines\n"), "{diff}");
        let limits = Limits {
            bytes: 100,
            ..limits
        };
        assert_eq!(
            unified("x", "", &after, limits),
            "290 bytes of text differ, too many for a diff\n"
        );
    }
}
