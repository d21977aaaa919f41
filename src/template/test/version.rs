//! Versions compared.

use std::cmp::Ordering;

use minijinja::value::Kwargs;
use minijinja::{Error, Value as Native};

use crate::template::convert::fault;
use crate::template::filter::Given;
use crate::template::python;

pub(super) fn version(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<bool, Error> {
    let names = &["version", "operator", "strict", "version_type"];
    let given = Given::read(names, args, &kwargs)?;
    let operator = given.text_or("operator", "eq")?;
    let kind = given.text("version_type")?;
    if given.value("strict").is_some() && kind.is_some() {
        return Err(fault("`strict` and `version_type` say the same; give one"));
    }
    let other = given.need("version")?;
    if !value.is_true() || !other.is_true() {
        return Err(fault("a version is empty"));
    }
    let (a, b) = (python::text(value)?, python::text(other)?);
    let order = match kind.as_deref() {
        _ if given.flag("strict") => strict(&a)?.cmp(&strict(&b)?),
        None | Some("loose") => loose(&a, &b),
        Some("strict") => strict(&a)?.cmp(&strict(&b)?),
        Some("semver" | "semantic") => semantic(&a, &b)?,
        Some("pep440") => pep440(&a)?.cmp(&pep440(&b)?),
        Some(_) => return Err(fault("`version_type` is loose, strict, semver or pep440")),
    };
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        _ => return Err(fault("a version is compared with ==, !=, <, <=, > or >=")),
    })
}

/// Numbers and letters apart, compared in turn: Python's `LooseVersion`.
pub(in crate::template) fn loose(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts: Vec<Result<u64, String>> = Vec::new();
        for chunk in text.split('.') {
            let mut rest = chunk;
            while !rest.is_empty() {
                let digit = rest.starts_with(|c: char| c.is_ascii_digit());
                let end = rest
                    .find(|c: char| c.is_ascii_digit() != digit)
                    .unwrap_or(rest.len());
                parts.push(match rest[..end].parse() {
                    Ok(number) if digit => Ok(number),
                    _ => Err(rest[..end].to_owned()),
                });
                rest = &rest[end..];
            }
        }
        parts
    };
    let (a, b) = (parts(a), parts(b));
    for (one, two) in a.iter().zip(&b) {
        let order = match (one, two) {
            (Ok(one), Ok(two)) => one.cmp(two),
            (Err(one), Err(two)) => one.cmp(two),
            (Ok(_), Err(_)) => Ordering::Greater,
            (Err(_), Ok(_)) => Ordering::Less,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Two or three numbers, the last with `aN` or `bN` behind it, which comes before the version without.
type Strict = ([u64; 3], (u8, u64));

fn strict(text: &str) -> Result<Strict, Error> {
    let wrong = || fault("a strict version has two or three numbers, such as `1.2.0` or `1.2b1`");
    let (numbers, pre) = match text.find(['a', 'b']) {
        Some(at) => {
            let rank = text.as_bytes()[at] - b'a';
            let number = text[at + 1..].parse().map_err(|_| wrong())?;
            (&text[..at], (rank, number))
        }
        None => (text, (2, 0)),
    };
    let parts = numbers
        .split('.')
        .map(|part| part.parse::<u64>().map_err(|_| wrong()))
        .collect::<Result<Vec<u64>, Error>>()?;
    match parts.as_slice() {
        [a, b] => Ok(([*a, *b, 0], pre)),
        [a, b, c] => Ok(([*a, *b, *c], pre)),
        _ => Err(wrong()),
    }
}

/// Epoch, release without zeros at its end, and how far before or behind the release it is.
type Release = (u64, Vec<u64>, (i8, u64), (i8, u64), (i8, u64));

/// A version of Python's packages: `1!2.0rc1.post2.dev3`; what stands behind `+` is not compared.
fn pep440(text: &str) -> Result<Release, Error> {
    let wrong = || fault("this is no version of PEP 440, such as `1.2rc1`");
    let text = text.trim().to_lowercase();
    let text = text.trim_start_matches('v');
    let text = text.split('+').next().unwrap_or("");
    let (epoch, text) = match text.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().map_err(|_| wrong())?, rest),
        None => (0, text),
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut release = text[..end]
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<Vec<u64>, Error>>()?;
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let (mut pre, mut post, mut dev) = (None, None, None);
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start_matches(['.', '-', '_']);
        if rest.is_empty() {
            break;
        }
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(letters);
        let behind = behind.trim_start_matches(['.', '-', '_']);
        let digits = behind
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(behind.len());
        let number = match &behind[..digits] {
            "" => 0,
            digits => digits.parse().map_err(|_| wrong())?,
        };
        match word {
            "a" | "alpha" => pre = Some((-3, number)),
            "b" | "beta" => pre = Some((-2, number)),
            "rc" | "c" | "pre" | "preview" => pre = Some((-1, number)),
            "post" | "rev" | "r" | "" => post = Some(number),
            "dev" => dev = Some(number),
            _ => return Err(wrong()),
        }
        rest = &behind[digits..];
    }
    // A development version comes before all that it leads to.
    let before = match (pre, post, dev) {
        (None, None, Some(_)) => (-4, 0),
        (pre, ..) => pre.unwrap_or((0, 0)),
    };
    let behind = post.map_or((-1, 0), |number| (0, number));
    let dev = dev.map_or((1, 0), |number| (0, number));
    Ok((epoch, release, before, behind, dev))
}

fn semantic(a: &str, b: &str) -> Result<Ordering, Error> {
    let split = |text: &str| {
        let text = text.split('+').next().unwrap_or("").to_owned();
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core.to_owned(), Some(pre.to_owned())),
            None => (text, None),
        };
        let numbers: Result<Vec<u64>, _> = core.split('.').map(str::parse).collect();
        match numbers {
            Ok(numbers) if numbers.len() == 3 => Ok((numbers, pre)),
            _ => Err(fault("a semantic version is MAJOR.MINOR.PATCH")),
        }
    };
    let ((a, pre_a), (b, pre_b)) = (split(a)?, split(b)?);
    Ok(a.cmp(&b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => identifiers(&a).cmp(&identifiers(&b)),
    }))
}

/// Numbers come before words, and a shorter list before one that goes on.
fn identifiers(text: &str) -> Vec<(bool, u64, &str)> {
    text.split('.')
        .map(|part| match part.parse() {
            Ok(number) => (false, number, ""),
            Err(_) => (true, 0, part),
        })
        .collect()
}
