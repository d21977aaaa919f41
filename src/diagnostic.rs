//! Something in the user's files to fix: said with its place, the line, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::Span;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing connects while one of these stands.
    Error,
    /// Said once, the run goes on.
    Warning,
}

impl Severity {
    /// `error` or `warning`, as events spell it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing to fix: a lower-case sentence, the place, a word under the caret, and help.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// One sentence, lower case, no full stop, user words in backticks.
    pub message: String,
    /// Where; none when the thing is nowhere (a missing file named on the command line).
    pub span: Option<Span>,
    /// Words under the caret.
    pub label: Option<String>,
    /// A second place worth showing, with its words.
    pub related: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Whether it is of something that Ansible has and hadeploy has not: wrong only where it is used.
    pub absent: bool,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: None,
            related: None,
            help: None,
            absent: false,
        }
    }

    /// An error at a place.
    pub fn at(span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).place(span)
    }

    /// A warning at a place.
    pub fn warning(span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::at(span, message)
        }
    }

    /// Sets the place.
    pub fn place(mut self, span: &Span) -> Diagnostic {
        self.span = Some(span.clone());
        self
    }

    /// Sets the words under the caret.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// Sets what to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says that it is of something that Ansible has and hadeploy has not.
    pub fn absent(mut self) -> Diagnostic {
        self.absent = true;
        self
    }

    /// Shows a second place.
    pub fn related(mut self, span: &Span, words: impl Into<String>) -> Diagnostic {
        self.related = Some((span.clone(), words.into()));
        self
    }

    /// Says the nearest of `valid` under the caret, when one is near enough.
    pub fn nearest<'a>(self, word: &str, valid: impl IntoIterator<Item = &'a str>) -> Diagnostic {
        match nearest(word, valid) {
            Some(near) => self.label(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// The same with all its words as `mask` gives them back.
    pub fn masked(mut self, mask: impl Fn(&str) -> String) -> Diagnostic {
        self.message = mask(&self.message);
        for words in self.label.iter_mut().chain(&mut self.help) {
            *words = mask(words);
        }
        if let Some((_, words)) = &mut self.related {
            *words = mask(words);
        }
        self
    }

    /// Whether it forbids going on.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The text people see, several lines, ended by a newline.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let mut group = match &self.span {
            Some(span) if shows_lines(span) => {
                let mut snippet = snippet(span).annotation(annotation(
                    AnnotationKind::Primary,
                    span,
                    self.label.as_deref(),
                ));
                let mut second = None;
                if let Some((other, words)) = self.related.as_ref().filter(|it| shows_lines(&it.0))
                {
                    let note = annotation(AnnotationKind::Context, other, Some(words));
                    if std::sync::Arc::ptr_eq(other.source(), span.source()) {
                        snippet = snippet.annotation(note);
                    } else {
                        second = Some(self::snippet(other).annotation(note));
                    }
                }
                let group = title.element(snippet);
                match second {
                    Some(second) => group.element(second),
                    None => group,
                }
            }
            Some(span) if span.source().is_sealed() => {
                let place = format!("in {}:{}, which is encrypted", span.at(), span.column());
                title.element(Level::NOTE.message(place))
            }
            Some(span) => {
                title.element(Level::NOTE.message(format!("in {}", span.source().name())))
            }
            None => Group::with_title(title),
        };
        let shown = |span: &Span| !span.source().is_sealed();
        let bare = !self.span.as_ref().is_some_and(shown);
        if let Some(label) = self.label.as_ref().filter(|_| bare) {
            group = group.element(Level::NOTE.message(label.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = renderer.render(&[group]);
        text.push('\n');
        text
    }

    /// One line: `file:line:column: message`.
    pub fn one_line(&self) -> String {
        match &self.span {
            Some(span) => format!("{}:{}: {}", span.at(), span.column(), self.message),
            None => self.message.clone(),
        }
    }
}

/// Whether the lines around a place are shown.
fn shows_lines(span: &Span) -> bool {
    !span.source().text().is_empty() && !span.source().is_sealed()
}

fn snippet(span: &Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(span.source().text())
        .path(span.source().name())
        .fold(true)
}

fn annotation<'a>(
    kind: AnnotationKind,
    span: &Span,
    label: Option<&'a str>,
) -> annotate_snippets::Annotation<'a> {
    let range = span.start() as usize..span.end() as usize;
    match label {
        Some(label) => kind.span(range).label(label),
        None => kind.span(range),
    }
}

/// The word of `valid` nearest to `word`, if it is near enough to be a slip of the hand.
pub fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    valid
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= (word.chars().count().max(candidate.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `1 host`, `3 hosts`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `` `a`, `b` and `c` `` for sentences.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn shows_place_line_caret_and_nearest_word() {
        let source = Source::new("web.yml", "- apt:\n    pacakges: [nginx]\n");
        let span = Span::new(&source, 11, 19);
        let text = Diagnostic::at(&span, "unknown parameter `pacakges` for `apt`")
            .nearest("pacakges", ["packages", "state"])
            .help("`apt` takes `name`")
            .render(false);
        assert!(text.contains("web.yml:2:5"), "{text}");
        assert!(text.contains("^^^^^^^^ did you mean `packages`?"), "{text}");
        assert!(text.contains("`apt` takes `name`"), "{text}");
    }

    #[test]
    fn far_words_are_not_suggested() {
        assert_eq!(nearest("zebra", ["packages", "state"]), None);
        assert_eq!(nearest("stat", ["state"]), Some("state"));
    }

    #[test]
    fn lists_and_counts() {
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(count(1, "host"), "1 host");
        assert_eq!(count(0, "host"), "0 hosts");
    }
}
