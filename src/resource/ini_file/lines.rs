//! The lines of an INI file, and their edit by the rules of Ansible's module.

/// What is done.
pub struct Edit {
    /// Empty for what stands above the first section.
    pub section: String,
    /// What the section must have.
    pub conditions: Vec<Condition>,
    /// None when the section as a whole is meant.
    pub option: Option<String>,
    /// Without doubles.
    pub values: Vec<String>,
    pub present: bool,
    pub exclusive: bool,
    /// Whether spaces stand around a new `=`.
    pub spaces: bool,
    pub ignore_spaces: bool,
    /// Whether an option may have no value.
    pub alone: bool,
    /// Whether options that are commented out are places for a new one.
    pub inactive: bool,
}

/// An option that a section must have, with one of these values if there are any.
#[derive(Default)]
pub struct Condition {
    pub option: String,
    pub values: Vec<String>,
}

/// A line of an option.
struct Line<'a> {
    active: bool,
    value: &'a str,
}

/// Reads a line as one of `option`.
fn read<'a>(line: &'a str, option: &str) -> Option<Line<'a>> {
    let blank = [' ', '\t'];
    let line = line.trim_end_matches('\n').trim_start_matches(blank);
    let bare = line.strip_prefix(['#', ';']);
    let rest = bare.unwrap_or(line).trim_start_matches(blank);
    let rest = rest.strip_prefix(option)?.trim_start_matches(blank);
    let value = match rest.strip_prefix('=') {
        Some(value) => value.trim_start_matches(blank),
        None if rest.is_empty() => "",
        None => return None,
    };
    Some(Line {
        active: bare.is_none(),
        value,
    })
}

/// The name in the head of a section.
fn is_head(line: &str, section: &str) -> bool {
    let inner = line.strip_prefix('[').map(str::trim_start);
    let rest = inner.and_then(|inner| inner.strip_prefix(section.trim()));
    rest.is_some_and(|rest| rest.trim_start().starts_with(']'))
}

impl Edit {
    /// The new text, and Ansible's words for what was done.
    pub fn apply(&self, text: &str) -> (String, &'static str) {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if lines.is_empty() && self.present {
            // Of an empty file Ansible's module leaves an empty line.
            lines.push("\n".to_owned());
        }
        let found = self.find(&lines);
        let mut section: Vec<String> = match found {
            Some((start, end)) => lines[start..end].to_vec(),
            None => Vec::new(),
        };
        if let Some(last) = section.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        let words = match (self.present, found) {
            (true, None) => {
                self.add_section(&mut lines);
                let only = self.option.is_none() || (self.values.is_empty() && !self.alone);
                return (
                    lines.concat(),
                    match only {
                        true => "only section added",
                        false => "section and option added",
                    },
                );
            }
            (true, Some(_)) => self.put(&mut section),
            (false, _) => self.remove(&mut section),
        };
        match (words, found) {
            ("OK", _) | (_, None) => (text.to_owned(), "OK"),
            (words, Some((start, end))) => {
                lines.splice(start..end, section);
                (lines.concat(), words)
            }
        }
    }

    /// The lines of the section, its head among them.
    fn find(&self, lines: &[String]) -> Option<(usize, usize)> {
        let head = |line: &String| line.trim_start_matches('\u{feff}').starts_with('[');
        if self.section.is_empty() {
            let end = lines.iter().position(head).unwrap_or(lines.len());
            return Some((0, end));
        }
        let mut from = 0;
        while let Some(at) = lines[from..]
            .iter()
            .position(|line| is_head(line.trim_start_matches('\u{feff}'), &self.section))
        {
            let start = from + at;
            let length = lines[start + 1..].iter().position(head);
            let end = length.map_or(lines.len(), |length| start + 1 + length);
            let has = |condition: &Condition| {
                lines[start..end].iter().any(|line| {
                    read(line, &condition.option).is_some_and(|line| {
                        condition.values.is_empty()
                            || condition.values.iter().any(|value| value == line.value)
                    })
                })
            };
            if self.conditions.iter().all(has) {
                return Some((start, end));
            }
            from = end;
        }
        None
    }

    fn line(&self, option: &str, value: &str) -> String {
        match self.spaces {
            true => format!("{option} = {value}\n"),
            false => format!("{option}={value}\n"),
        }
    }

    fn add_section(&self, lines: &mut Vec<String>) {
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        lines.push(format!("[{}]\n", self.section));
        let mut values = self.values.clone();
        for condition in &self.conditions {
            if Some(&condition.option) != self.option.as_ref() {
                let new = condition.values.iter();
                lines.extend(new.map(|value| self.line(&condition.option, value)));
                if condition.values.is_empty() && self.alone {
                    lines.push(format!("{}\n", condition.option));
                }
            } else if !self.exclusive {
                for value in &condition.values {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
            }
        }
        if let Some(option) = &self.option {
            lines.extend(values.iter().map(|value| self.line(option, value)));
            if values.is_empty() && self.alone {
                lines.push(format!("{option}\n"));
            }
        }
    }

    /// Lines with a wanted value are mended, then others of the option take the values that are left, then the rest go.
    fn put(&self, section: &mut Vec<String>) -> &'static str {
        let Some(option) = &self.option else {
            return "OK";
        };
        let mut words = "OK";
        let mut left = self.values.clone();
        let mut done = vec![false; section.len()];
        let mut alone = false;
        let reads = |line: &str| {
            read(line, option)
                .filter(|line| line.active || self.inactive)
                .map(|line| line.value.to_owned())
        };
        for at in 0..section.len() {
            let Some(value) = reads(&section[at]) else {
                continue;
            };
            if let Some(number) = left.iter().position(|wanted| *wanted == value) {
                let line = match value.is_empty() && self.alone {
                    true => format!("{option}\n"),
                    false => self.line(option, &value),
                };
                alone |= value.is_empty() && self.alone;
                left.remove(number);
                words = self.update(section, &mut done, at, line, words);
            } else if self.values.is_empty() && self.alone {
                alone = true;
                words = self.update(section, &mut done, at, format!("{option}\n"), words);
                break;
            }
        }
        if self.exclusive && !self.alone {
            for at in 0..section.len() {
                if left.is_empty() {
                    break;
                }
                if !done[at] && reads(&section[at]).is_some() {
                    let line = self.line(option, &left.remove(0));
                    words = self.update(section, &mut done, at, line, words);
                }
            }
            for at in (0..section.len()).rev() {
                if !done[at] && reads(&section[at]).is_some() {
                    section.remove(at);
                    done.remove(at);
                    words = "option changed";
                }
            }
        }
        let mut new: Vec<String> = left.iter().map(|value| self.line(option, value)).collect();
        if self.values.is_empty() && self.alone && !alone {
            new.push(format!("{option}\n"));
        }
        if !new.is_empty() {
            let bare = |line: &String| {
                let line = line.trim();
                line.is_empty() || line.starts_with(['#', ';'])
            };
            let last = section.iter().rposition(|line| !bare(line));
            let at = last.map_or(0, |last| last + 1);
            section.splice(at..at, new);
            words = "option added";
        }
        words
    }

    fn update(
        &self,
        section: &mut [String],
        done: &mut [bool],
        at: usize,
        line: String,
        words: &'static str,
    ) -> &'static str {
        done[at] = true;
        let option = self.option.as_deref().unwrap_or_default();
        let differs = match read(&section[at], option) {
            Some(old) if self.ignore_spaces && old.active => {
                read(&line, option).map(|new| new.value) != Some(old.value)
            }
            _ => section[at] != line,
        };
        if !differs {
            return words;
        }
        section[at] = line;
        "option changed"
    }

    fn remove(&self, section: &mut Vec<String>) -> &'static str {
        let before = section.len();
        let Some(option) = &self.option else {
            section.clear();
            return match before {
                0 => "OK",
                _ => "section removed",
            };
        };
        section.retain(|line| match read(line, option) {
            Some(line) if line.active => {
                !self.exclusive && !self.values.iter().any(|value| value == line.value)
            }
            _ => true,
        });
        match section.len() == before {
            true => "OK",
            false => "option changed",
        }
    }
}

#[cfg(test)]
mod tests;
