//! A page for people: headings, rows and paragraphs, broken between words.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// The widest a page gets: longer lines are hard to read.
const WIDEST: usize = 80;
/// The narrowest: a table needs some room.
const NARROWEST: usize = 40;
/// How far names in a table reach.
const NAMES: usize = 22;

/// What was written so far.
pub struct Page {
    width: usize,
    bold: bool,
    lines: Vec<String>,
}

impl Page {
    /// An empty one, for so many columns.
    pub fn new(columns: Option<usize>, bold: bool) -> Page {
        Page {
            width: columns.unwrap_or(WIDEST).clamp(NARROWEST, WIDEST),
            bold,
            lines: Vec::new(),
        }
    }

    /// All of it.
    pub fn text(self) -> String {
        self.lines.join("\n")
    }

    fn strong(&self, text: &str) -> String {
        let style = Style::new().bold();
        match self.bold {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// A name with what it is in one line.
    pub fn title(&mut self, name: &str, summary: &str) {
        let mut lines = wrap(&format!("{name}: {summary}"), self.width, 2);
        if let Some(rest) = lines[0].strip_prefix(name) {
            lines[0] = format!("{}{rest}", self.strong(name));
        }
        self.lines.append(&mut lines);
    }

    /// A heading, with an empty line before it unless it is the first.
    pub fn heading(&mut self, text: &str) {
        self.gap();
        self.lines.push(self.strong(text));
    }

    /// An empty line, unless nothing stands before it.
    pub fn gap(&mut self) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
    }

    /// What parts one page from the next.
    pub fn rule(&mut self) {
        self.gap();
        self.lines.push("─".repeat(self.width));
        self.gap();
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) {
        self.lines.push(text.to_owned());
    }

    /// Text, indented.
    pub fn paragraph(&mut self, text: &str) {
        self.lines.append(&mut indented(text, self.width, 2, 2));
    }

    /// An item of a list.
    pub fn bullet(&mut self, text: &str) {
        let mut lines = indented(text, self.width, 4, 4);
        if let Some(first) = lines.first_mut() {
            first.replace_range(..4, "  - ");
        }
        self.lines.append(&mut lines);
    }

    /// A name and what is said of it, side by side where there is room.
    pub fn row(&mut self, name: &str, text: &str) {
        let begin = format!("  {:<NAMES$}", name);
        let mut lines = indented(text, self.width, NAMES + 3, NAMES + 3);
        match (lines.first_mut(), begin.width() <= NAMES + 2) {
            (Some(first), true) => {
                let rest = first.trim_start().to_owned();
                *first = format!("{} {rest}", begin.replacen(name, &self.strong(name), 1));
            }
            _ => self.lines.push(format!("  {}", self.strong(name))),
        }
        self.lines.append(&mut lines);
    }

    /// A name with facts behind it, and what it means below.
    pub fn entry(&mut self, name: &str, facts: &str, text: &str) {
        // One column is for the second space behind the name.
        let mut head = indented(&format!("{name} {facts}"), self.width - 1, 2, 6);
        head[0] = head[0].replacen(&format!("{name} "), &format!("{}  ", self.strong(name)), 1);
        self.lines.append(&mut head);
        self.lines.append(&mut indented(text, self.width, 6, 6));
    }

    /// YAML as it is.
    pub fn code(&mut self, text: &str) {
        for line in text.lines() {
            self.lines.push(format!("  {line}").trim_end().to_owned());
        }
    }
}

/// `text` with `first` spaces before it, and `more` before each line that follows.
fn indented(text: &str, width: usize, first: usize, more: usize) -> Vec<String> {
    let mut lines = wrap(
        text,
        width.saturating_sub(first),
        more.saturating_sub(first),
    );
    for line in &mut lines {
        line.insert_str(0, &" ".repeat(first));
    }
    lines
}

/// Lines of at most `width` columns, broken between words; a word that is longer stands alone. Those behind the first are indented.
fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let begun = !line.trim().is_empty();
        if begun && line.width() + 1 + word.width() > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        } else if begun {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn nothing_is_wider_than_the_page() {
        let mut page = Page::new(Some(30), false);
        page.title("kind", "does one thing and another on the node");
        page.heading("Rows");
        page.row("name", "what it is, in more words than one line holds");
        page.row("a_name_that_is_rather_long", "and what it is");
        page.entry("param", "text; default none", "What it means in words.");
        page.bullet("an item that goes on in the next line");
        let text = page.text();
        assert!(
            text.lines().all(|line| line.chars().count() <= 40),
            "{text}"
        );
        assert!(text.contains("\n  a_name_that_is_rather_long\n"), "{text}");
        assert!(
            text.contains("\n  param  text; default none\n      What it"),
            "{text}"
        );
        assert!(
            text.contains("\n  - an item that goes on in the next\n    line"),
            "{text}"
        );
    }

    #[test]
    fn names_are_bold_where_that_is_seen() {
        let mut page = Page::new(None, true);
        page.entry("of", "text of it", "It.");
        let text = page.text();
        assert!(
            text.starts_with("  \u{1b}[1mof\u{1b}[0m  text of it"),
            "{text:?}"
        );
    }
}
