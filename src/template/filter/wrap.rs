//! `wordwrap`, as Python's `textwrap` breaks lines.

use minijinja::value::Kwargs;
use minijinja::{Error, Value as Native};

use super::given::Given;
use super::text_of;
use crate::template::convert::fault;

pub(super) fn wordwrap(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let names = &[
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let given = Given::read(names, args, &kwargs)?;
    let width = usize::try_from(given.whole("width")?.unwrap_or(79)).unwrap_or(0);
    if width == 0 {
        return Err(fault("`width` is above zero"));
    }
    let style = Style {
        width,
        long: given.flag_or_true("break_long_words"),
        hyphens: given.flag_or_true("break_on_hyphens"),
    };
    let mark = given.text_or("wrapstring", "\n")?;
    let text = text_of(value)?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| style.lines(line).join(&mark))
        .collect();
    Ok(lines.join(&mark))
}

struct Style {
    width: usize,
    /// Words that are longer than a line are broken.
    long: bool,
    /// Words are broken behind hyphens.
    hyphens: bool,
}

impl Style {
    fn lines(&self, text: &str) -> Vec<String> {
        let mut chunks = self.chunks(text);
        chunks.reverse();
        let mut lines = Vec::new();
        while !chunks.is_empty() {
            let blank = |chunk: &Vec<char>| chunk.iter().all(|c| c.is_whitespace());
            if !lines.is_empty() && chunks.last().is_some_and(blank) {
                chunks.pop();
            }
            let mut line: Vec<Vec<char>> = Vec::new();
            let mut length = 0;
            while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.len() <= self.width) {
                length += chunk.len();
                line.push(chunk);
            }
            if let Some(chunk) = chunks.pop_if(|chunk| chunk.len() > self.width) {
                if self.long {
                    let at = self.cut(&chunk, self.width - length);
                    let (head, tail) = chunk.split_at(at);
                    line.push(head.to_vec());
                    chunks.push(tail.to_vec());
                } else if line.is_empty() {
                    line.push(chunk);
                } else {
                    chunks.push(chunk);
                }
            }
            line.pop_if(|chunk| blank(chunk));
            let text: String = line.concat().iter().collect();
            if !text.is_empty() {
                lines.push(text);
            }
        }
        lines
    }

    /// How much of a long word stands in what is left of a line: up to its last hyphen there, if it has one.
    fn cut(&self, chunk: &[char], left: usize) -> usize {
        let left = left.min(chunk.len());
        let hyphen = chunk[..left].iter().rposition(|c| *c == '-');
        match hyphen {
            Some(at) if self.hyphens && chunk[..at].iter().any(|c| *c != '-') => at + 1,
            _ => left,
        }
    }

    /// Words and the blanks between them; words also end behind a hyphen between letters.
    fn chunks(&self, text: &str) -> Vec<Vec<char>> {
        let chars: Vec<char> = text.chars().collect();
        let mut chunks: Vec<Vec<char>> = Vec::new();
        for (index, c) in chars.iter().enumerate() {
            let letter = |at: Option<usize>| {
                let c = at.and_then(|at| chars.get(at));
                c.is_some_and(|c| c.is_alphabetic() || *c == '_')
            };
            let behind_hyphen = self.hyphens
                && index >= 2
                && chars[index - 1] == '-'
                && letter(index.checked_sub(2))
                && letter(index.checked_sub(3))
                && letter(Some(index))
                && letter(Some(index + 1));
            let new = match index.checked_sub(1).map(|before| chars[before]) {
                None => true,
                Some(before) => before.is_whitespace() != c.is_whitespace() || behind_hyphen,
            };
            match chunks.last_mut() {
                Some(last) if !new => last.push(*c),
                _ => chunks.push(vec![*c]),
            }
        }
        chunks
    }
}
