//! Text: case, space, joining, splitting, quoting.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{dotted, items_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("string", |value: &Native| text_of(value));
    environment.add_filter("lower", |value: &Native| {
        text_of(value).map(|text| text.to_lowercase())
    });
    environment.add_filter("upper", |value: &Native| {
        text_of(value).map(|text| text.to_uppercase())
    });
    environment.add_filter("capitalize", capitalize);
    environment.add_filter("title", title);
    environment.add_filter("trim", trim);
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("split", split);
    environment.add_filter("indent", indent);
    environment.add_filter("wordwrap", super::wrap::wordwrap);
    environment.add_filter("quote", |value: &Native| match value.is_none() {
        true => Ok(shell_quote("")),
        false => text_of(value).map(|text| shell_quote(&text)),
    });
    environment.add_filter("comment", comment);
}

fn capitalize(value: &Native) -> Result<String, Error> {
    let text = text_of(value)?;
    let mut chars = text.chars();
    Ok(match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.as_str().to_lowercase().chars())
            .collect(),
        None => String::new(),
    })
}

/// Jinja's title case: words begin behind blanks, `-`, and opening brackets.
fn title(value: &Native) -> Result<String, Error> {
    let text = text_of(value)?;
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        begins = c.is_whitespace() || "-({[<".contains(c);
    }
    Ok(out)
}

fn trim(value: &Native, chars: Option<String>) -> Result<String, Error> {
    let text = text_of(value)?;
    Ok(match chars {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).to_owned(),
        None => text.trim().to_owned(),
    })
}

fn replace(
    value: &Native,
    old: &Native,
    new: &Native,
    count: Option<usize>,
) -> Result<String, Error> {
    let (text, old, new) = (text_of(value)?, text_of(old)?, text_of(new)?);
    Ok(match count {
        Some(count) => text.replacen(&old, &new, count),
        None => text.replace(&old, &new),
    })
}

fn join(value: &Native, separator: Option<Native>, kwargs: Kwargs) -> Result<String, Error> {
    let separator = match separator {
        Some(separator) => Some(separator),
        None => kwargs.get::<Option<Native>>("d")?,
    };
    let separator = separator
        .as_ref()
        .map(text_of)
        .transpose()?
        .unwrap_or_default();
    let attribute = kwargs.get::<Option<String>>("attribute")?;
    kwargs.assert_all_used()?;
    let mut out = String::new();
    for (index, item) in items_of(value)?.iter().enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        match &attribute {
            Some(path) => out.push_str(&text_of(&dotted(item, path)?)?),
            None => out.push_str(&text_of(item)?),
        }
    }
    Ok(out)
}

fn split(value: &Native, separator: Option<String>, most: Option<usize>) -> Result<Native, Error> {
    let text = text_of(value)?;
    Ok(match (separator.as_deref(), most) {
        (Some(""), _) => return Err(fault("the separator is empty")),
        (Some(separator), Some(most)) => {
            text.splitn(most + 1, separator).map(Native::from).collect()
        }
        (Some(separator), None) => text.split(separator).map(Native::from).collect(),
        (None, _) => text.split_whitespace().map(Native::from).collect(),
    })
}

fn indent(
    value: &Native,
    width: Option<Native>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = match width {
        Some(width) => width,
        None => kwargs
            .get::<Option<Native>>("width")?
            .unwrap_or_else(|| Native::from(4)),
    };
    let flag = |given: Option<bool>, name: &str| match given {
        Some(given) => Ok::<bool, Error>(given),
        None => Ok(kwargs.get::<Option<bool>>(name)?.unwrap_or(false)),
    };
    let (first, blank) = (flag(first, "first")?, flag(blank, "blank")?);
    kwargs.assert_all_used()?;
    let prefix = match width.as_usize() {
        Some(width) if width <= 1000 => " ".repeat(width),
        Some(_) => return Err(fault("`indent` takes at most 1000 columns")),
        None => text_of(&width)?,
    };
    let text = text_of(value)?;
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let wanted = if index == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if wanted {
            out.push_str(&prefix);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// Python's `shlex.quote`.
fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn comment(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let names = &[
        "style",
        "decoration",
        "beginning",
        "end",
        "newline",
        "prefix",
        "prefix_count",
        "postfix",
        "postfix_count",
    ];
    let given = Given::read(names, args, &kwargs)?;
    let (begin, mark, end) = match given.text_or("style", "plain")?.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return Err(fault("`comment` knows plain, erlang, c, cblock and xml")),
    };
    let Some(text) = value.as_str() else {
        return Err(super::expected("text", value));
    };
    let mark = given.text_or("decoration", mark)?;
    let (begin, end) = (
        given.text_or("beginning", begin)?,
        given.text_or("end", end)?,
    );
    let newline = given.text_or("newline", "\n")?;
    let (prefix, postfix) = (
        given.text_or("prefix", mark.trim_end())?,
        given.text_or("postfix", mark.trim_end())?,
    );
    let count = |name: &str| {
        let count = given.whole(name)?.unwrap_or(1);
        match usize::try_from(count).unwrap_or(0) {
            count if count > 1000 => Err(fault(format!("`{name}` is at most 1000"))),
            count => Ok(count),
        }
    };
    let mut out = String::new();
    if !begin.is_empty() {
        out.push_str(&format!("{begin}{newline}"));
    }
    if !prefix.is_empty() {
        let line = match prefix == newline {
            true => newline.clone(),
            false => format!("{prefix}{newline}"),
        };
        out.push_str(&line.repeat(count("prefix_count")?));
    }
    let marked = match newline.is_empty() {
        true => text.to_owned(),
        false => text.replace(&newline, &format!("{newline}{mark}")),
    };
    // A line that is only the mark has no blanks behind it.
    let body = format!("{mark}{marked}").replace(
        &format!("{mark}{newline}"),
        &format!("{}{newline}", mark.trim_end()),
    );
    out.push_str(&body);
    out.push_str(&format!("{newline}{postfix}").repeat(count("postfix_count")?));
    if !end.is_empty() {
        out.push_str(&format!("{newline}{end}"));
    }
    Ok(out)
}
