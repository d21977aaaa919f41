//! CSV, INI and JMESPath.

use indexmap::IndexMap;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{expected, items_of, pairs_of, text_of};
use crate::source::Span;
use crate::template::convert::{fault, to_native};
use crate::value::Value;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("from_csv", from_csv);
    environment.add_filter("from_ini", |value: &Native| {
        let Some(text) = value.as_str() else {
            return Err(expected("text", value));
        };
        let sections = ini(text, true)?;
        Ok(Native::from_pairs(sections.into_iter().map(
            |(name, entries)| (Native::from(name), Native::from_pairs(entries)),
        )))
    });
    environment.add_filter("to_ini", to_ini);
    environment.add_filter("json_query", json_query);
}

/// Rows of a text with fields between `delimiter`, quoted in double quotes.
pub(in crate::template) fn rows(
    text: &str,
    delimiter: u8,
    skip_blanks: bool,
) -> Result<Vec<Vec<String>>, Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| fault("this text is not CSV"))?;
        let field = |field: &str| match skip_blanks {
            true => field.trim_start().to_owned(),
            false => field.to_owned(),
        };
        rows.push(record.iter().map(field).collect());
    }
    Ok(rows)
}

/// One sign of ASCII, or the word `TAB`.
pub(in crate::template) fn delimiter(text: &str) -> Result<u8, Error> {
    match text {
        "TAB" | "\\t" => Ok(b'\t'),
        text => match text.as_bytes() {
            [sign] => Ok(*sign),
            _ => Err(fault("a delimiter is one sign")),
        },
    }
}

fn from_csv(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let names = &[
        "dialect",
        "fieldnames",
        "delimiter",
        "skipinitialspace",
        "strict",
    ];
    let given = Given::read(names, args, &kwargs)?;
    let dialect = match given.text_or("dialect", "excel")?.as_str() {
        "excel" | "unix" => ",",
        "excel-tab" => "\t",
        _ => return Err(fault("`dialect` is excel, excel-tab or unix")),
    };
    let delimiter = delimiter(&given.text_or("delimiter", dialect)?)?;
    let Some(text) = value.as_str() else {
        return Err(expected("text", value));
    };
    let mut rows = rows(text, delimiter, given.flag("skipinitialspace"))?.into_iter();
    let heads = match given.value("fieldnames") {
        Some(names) => items_of(names)?
            .iter()
            .map(text_of)
            .collect::<Result<Vec<String>, Error>>()?,
        None => rows.next().unwrap_or_default(),
    };
    rows.map(|row| {
        if row.len() > heads.len() {
            return Err(fault("a row has more fields than there are names"));
        }
        let mut fields = row.into_iter();
        Ok(Native::from_pairs(heads.iter().map(|head| {
            let field = fields.next().map_or(Native::from(()), Native::from);
            (Native::from(head.as_str()), field)
        })))
    })
    .collect::<Result<Vec<Native>, Error>>()
    .map(Native::from)
}

/// Sections with their entries, in order.
pub(in crate::template) type Sections = IndexMap<String, IndexMap<String, String>>;

/// Sections as Python's `configparser` reads them: names of entries in small letters unless `cased`, values on indented lines go on.
pub(in crate::template) fn ini(text: &str, cased: bool) -> Result<Sections, Error> {
    let mut sections = Sections::new();
    let mut open: Option<String> = None;
    let mut last: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: &str| fault(format!("line {} of this INI text {what}", index + 1));
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        let goes_on = line.starts_with(char::is_whitespace);
        if let (true, Some(section), Some(name)) = (goes_on, &open, &last) {
            let entries = sections.entry(section.clone()).or_default();
            if let Some(value) = entries.get_mut(name) {
                value.push('\n');
                value.push_str(bare);
            }
            continue;
        }
        if let Some(inside) = bare.strip_prefix('[') {
            let Some((name, _)) = inside.split_once(']') else {
                return Err(wrong("has no `]`"));
            };
            if sections.contains_key(name) && name != "DEFAULT" {
                return Err(wrong("opens a section for the second time"));
            }
            sections.entry(name.to_owned()).or_default();
            (open, last) = (Some(name.to_owned()), None);
            continue;
        }
        let Some(section) = &open else {
            return Err(wrong("stands before the first section"));
        };
        let Some(at) = bare.find(['=', ':']) else {
            return Err(wrong("has neither `=` nor `:`"));
        };
        let name = match cased {
            true => bare[..at].trim().to_owned(),
            false => bare[..at].trim().to_lowercase(),
        };
        let value = bare[at + 1..].trim().to_owned();
        let entries = sections.entry(section.clone()).or_default();
        if entries.insert(name.clone(), value).is_some() {
            return Err(wrong("sets a name for the second time"));
        }
        last = Some(name);
    }
    Ok(sections)
}

fn to_ini(value: &Native) -> Result<String, Error> {
    let sections = pairs_of(value)?;
    if sections.is_empty() {
        return Err(fault("an empty mapping makes no INI text"));
    }
    let mut out = String::new();
    for (name, entries) in &sections {
        out.push_str(&format!("[{}]\n", text_of(name)?));
        for (key, entry) in pairs_of(entries)? {
            let text = text_of(&entry)?.replace('\n', "\n\t");
            out.push_str(&format!("{} = {text}\n", text_of(&key)?));
        }
        out.push('\n');
    }
    out.pop();
    Ok(out)
}

fn json_query(value: &Native, expression: &Native) -> Result<Native, Error> {
    let Some(text) = expression.as_str() else {
        return Err(expected("a query as text", expression));
    };
    let query = jmespath::compile(text).map_err(|error| {
        fault(format!(
            "not a query of JMESPath: wrong at line {} column {}",
            error.line + 1,
            error.column + 1
        ))
    })?;
    if value.kind() == ValueKind::Undefined {
        return Err(expected("a value", value));
    }
    let data = super::json::plain(value)?;
    let found = query
        .search(data)
        .map(|found| serde_json::to_value(found.as_ref()).unwrap_or_default())
        .map_err(|_| fault("this query of JMESPath does not fit the value"))?;
    Ok(to_native(&Value::from_json(
        &found,
        &Span::synthetic("query"),
    )))
}
