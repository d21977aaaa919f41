//! Regular expressions in Python's spelling.

use fancy_regex::Captures;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::python_regex::{Flags, Pattern, pattern};
use super::text_of;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("regex_replace", replace);
    environment.add_filter("regex_search", search);
    environment.add_filter("regex_findall", findall);
    environment.add_filter("regex_escape", escape);
}

fn flags(given: &Given) -> Flags {
    (given.flag("ignorecase"), given.flag("multiline"))
}

fn replace(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let text = text_of(value)?;
    let given = Given::read(
        &[
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count",
        ],
        args,
        &kwargs,
    )?;
    let regex = pattern(&given.text_or("pattern", "")?, flags(&given))?;
    let replacement = Replacement::read(&given.text_or("replacement", "")?)?;
    replacement.check(&regex)?;
    let most = match given.whole("count")?.unwrap_or(0) {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(0),
    };
    let mandatory = given.whole("mandatory_count")?.unwrap_or(0);
    let mut out = String::new();
    let mut at = 0;
    let found = regex.each(&text, most, |captures| {
        let whole = captures.get(0).expect("a match has a whole");
        out.push_str(&text[at..whole.start()]);
        replacement.expand(captures, &mut out);
        at = whole.end();
    })?;
    out.push_str(&text[at..]);
    if mandatory != 0 && usize::try_from(mandatory) != Ok(found) {
        return Err(fault(format!(
            "the pattern matches {found} times, `mandatory_count` wants {mandatory}"
        )));
    }
    Ok(out)
}

/// A replacement in Python's spelling: `\1`, `\g<1>`, `\g<name>`.
struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
    Name(String),
}

impl Replacement {
    fn read(text: &str) -> Result<Replacement, Error> {
        let mut parts = Vec::new();
        let mut open = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            open.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let digits = behind
                .bytes()
                .take(2)
                .take_while(u8::is_ascii_digit)
                .count();
            if digits > 0 {
                parts.push(Part::Text(std::mem::take(&mut open)));
                parts.push(Part::Group(behind[..digits].parse().expect("digits")));
                rest = &behind[digits..];
            } else if let Some(named) = behind.strip_prefix("g<") {
                let end = named
                    .find('>')
                    .ok_or_else(|| fault("a `\\g<` in the replacement has no `>`"))?;
                parts.push(Part::Text(std::mem::take(&mut open)));
                parts.push(match named[..end].parse() {
                    Ok(number) => Part::Group(number),
                    Err(_) => Part::Name(named[..end].to_owned()),
                });
                rest = &named[end + 1..];
            } else {
                let mut chars = behind.chars();
                match chars.next() {
                    Some('n') => open.push('\n'),
                    Some('t') => open.push('\t'),
                    Some('r') => open.push('\r'),
                    Some('\\') => open.push('\\'),
                    Some(c) if c.is_ascii_alphabetic() => {
                        return Err(fault(format!("`\\{c}` means nothing in a replacement")));
                    }
                    Some(c) => {
                        open.push('\\');
                        open.push(c);
                    }
                    None => open.push('\\'),
                }
                rest = chars.as_str();
            }
        }
        open.push_str(rest);
        parts.push(Part::Text(open));
        Ok(Replacement(parts))
    }

    fn check(&self, regex: &Pattern) -> Result<(), Error> {
        for part in &self.0 {
            let known = match part {
                Part::Text(_) => true,
                Part::Group(group) => *group < regex.groups(),
                Part::Name(name) => regex.names(name),
            };
            if !known {
                return Err(fault(
                    "the replacement names a group the pattern does not have",
                ));
            }
        }
        Ok(())
    }

    /// The one group it stands for.
    fn group<'t>(&self, captures: &Captures<'t, str>) -> Option<&'t str> {
        let found = self.0.iter().find_map(|part| match part {
            Part::Text(_) => None,
            Part::Group(group) => Some(captures.get(*group)),
            Part::Name(name) => Some(captures.name(name)),
        });
        found.flatten().map(|found| found.as_str())
    }

    fn expand(&self, captures: &Captures<'_, str>, out: &mut String) {
        for part in &self.0 {
            let found = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Group(group) => captures.get(*group),
                Part::Name(name) => captures.name(name),
            };
            out.push_str(found.map_or("", |found| found.as_str()));
        }
    }
}

fn search(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let text = text_of(value)?;
    // Everything behind the pattern names a group.
    let (patterns, groups) = args.split_at(args.len().min(1));
    let given = Given::read(&["pattern", "ignorecase", "multiline"], patterns, &kwargs)?;
    let regex = pattern(&text_of(given.need("pattern")?)?, flags(&given))?;
    let mut parts = Vec::new();
    for group in groups {
        let read = Replacement::read(&text_of(group)?)?;
        let single = matches!(read.0.as_slice(), [Part::Text(a), Part::Group(_) | Part::Name(_), Part::Text(b)] if a.is_empty() && b.is_empty());
        if !single {
            return Err(fault("a group is given as `\\\\1` or `\\\\g<name>`"));
        }
        read.check(&regex)?;
        parts.push(read);
    }
    let Some(captures) = regex.first(&text)? else {
        return Ok(Native::from(()));
    };
    if parts.is_empty() {
        return Ok(Native::from(
            captures.get(0).map_or("", |whole| whole.as_str()),
        ));
    }
    Ok(parts
        .iter()
        .map(|part| match part.group(&captures) {
            Some(found) => Native::from(found),
            None => Native::from(()),
        })
        .collect())
}

fn findall(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let text = text_of(value)?;
    let given = Given::read(&["regex", "multiline", "ignorecase"], args, &kwargs)?;
    let regex = pattern(&text_of(given.need("regex")?)?, flags(&given))?;
    let mut found = Vec::new();
    regex.each(&text, usize::MAX, |captures| {
        let part = |group| Native::from(captures.get(group).map_or("", |m| m.as_str()));
        found.push(match captures.len() {
            1 => part(0),
            2 => part(1),
            more => (1..more).map(part).collect(),
        });
    })?;
    Ok(Native::from(found))
}

fn escape(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let text = text_of(value)?;
    let given = Given::read(&["re_type"], args, &kwargs)?;
    let special = match given.text_or("re_type", "python")?.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "[].^$*\\",
        _ => return Err(fault("`re_type` is python or posix_basic")),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}
