//! Arguments of filters and tests, as far as they can be judged without any value: how many there are, their names, and texts that are written out
//! where a pattern or the name of a hash stands.
//!
//! The same goes for filters and tests that `map`, `select` and their relatives call by name, and for the options of lookups.
//!
//! A filter or test is called with a text of no meaning, and stops where it reads its arguments: what it takes is said in one place only.

mod behind;
mod lookups;

use std::cell::RefCell;
use std::ops::Range;
use std::sync::LazyLock;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value as Native};

use super::check::Problem;
use super::scan::{Token, Word};
use super::{filter, lookup, test};
use crate::template::convert::fault;

/// Stands for a value that only the run knows.
const ANY: &str = "x";

thread_local! {
    /// While arguments are judged: what is wrong with those that were read first.
    static JUDGED: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

/// What became of the call.
enum Judged {
    /// Nothing has read its arguments.
    Unread,
    /// They are right.
    Right,
    /// They are not.
    Wrong(Misuse),
}

/// What is wrong with the number or the names of arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misuse {
    pub(super) message: String,
    /// The argument that is not known, or given twice.
    pub(super) argument: Option<String>,
}

/// Where a filter or test reads its arguments: ends the call if they are only judged.
pub(super) fn judged(misuse: Option<&Misuse>) -> Option<Error> {
    JUDGED.with_borrow_mut(|judged| {
        let state = judged.as_mut()?;
        if matches!(state, Judged::Unread) {
            *state = misuse.map_or(Judged::Right, |misuse| Judged::Wrong(misuse.clone()));
        }
        Some(fault("the arguments are only looked at"))
    })
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    Filter,
    Test,
    /// With its options alone.
    Lookup,
}

/// One argument as it is written.
#[derive(Clone)]
struct Argument {
    name: Option<String>,
    /// Its value, where it is a text, a number or a word such as `true`.
    value: Option<Native>,
    range: Range<usize>,
}

/// What is wrong with the call of `name`, whose opening bracket is the token `open`.
pub(super) fn problem(
    called: Called,
    name: &'static str,
    text: &str,
    tokens: &[Token],
    open: usize,
) -> Option<Problem> {
    let arguments = arguments(text, tokens, open)?;
    match called {
        Called::Lookup => lookups::problem(name, &arguments),
        _ => behind::problem(called, name, &arguments).or_else(|| of(called, name, &arguments)),
    }
}

fn of(called: Called, name: &str, arguments: &[Argument]) -> Option<Problem> {
    literal(called, name, arguments).or_else(|| signature(called, name, arguments))
}

/// The arguments between brackets; none where they come from a list or mapping, or the bracket stays open.
fn arguments(text: &str, tokens: &[Token], open: usize) -> Option<Vec<Argument>> {
    let mut parts: Vec<&[Token]> = Vec::new();
    let (mut depth, mut from) = (0usize, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        let sign = match token.word {
            Word::Sign => token.of(text),
            _ => "",
        };
        match sign {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && sign == "," {
            parts.push(&tokens[from..at]);
            from = at + 1;
        }
        if depth == 0 {
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            return parts.map(|part| argument(text, part)).collect();
        }
    }
    None
}

fn argument(text: &str, part: &[Token]) -> Option<Argument> {
    let (first, last) = (part.first()?, part.last()?);
    if matches!(first.of(text), "*" | "**") {
        return None;
    }
    let named = first.word == Word::Name && part.get(1).is_some_and(|sign| sign.of(text) == "=");
    let (name, value) = match named {
        true => (Some(first.of(text).to_owned()), &part[2..]),
        false => (None, part),
    };
    let is_constant = |token: &Token| match token.word {
        Word::Text | Word::Number => true,
        Word::Name => matches!(
            token.of(text),
            "true" | "false" | "none" | "True" | "False" | "None"
        ),
        Word::Sign => false,
    };
    let value = match value {
        [one] if is_constant(one) => CALLS
            .compile_expression(one.of(text))
            .and_then(|expression| expression.eval(()))
            .ok(),
        _ => None,
    };
    Some(Argument {
        name,
        value,
        range: first.range.start..last.range.end,
    })
}

/// Filters and tests alone.
static CALLS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    filter::register(&mut environment);
    test::register(&mut environment);
    environment
});

/// How many there are, and their names.
fn signature(called: Called, name: &str, arguments: &[Argument]) -> Option<Problem> {
    let value = |it: &Argument| it.value.clone().unwrap_or_else(|| ANY.into());
    let mut all = vec![Native::from(ANY)];
    let (named, plain): (Vec<&Argument>, Vec<&Argument>) = arguments
        .iter()
        .partition(|argument| argument.name.is_some());
    all.extend(plain.iter().map(|argument| value(argument)));
    let options = named
        .iter()
        .filter_map(|it| Some((it.name.clone()?, value(it))));
    let options = Kwargs::from_iter(options);
    if !named.is_empty() {
        all.push(options.clone().into());
    }
    JUDGED.set(Some(Judged::Unread));
    let mut state: State<'_, '_> = CALLS.empty_state();
    let result = match called {
        Called::Filter => state.apply_filter(name, &all).map(drop),
        Called::Test => state.perform_test(name, &all).map(drop),
        Called::Lookup => lookup::judge(&mut state, name, &options),
    };
    let judged = JUDGED.take();
    let (first, last) = (arguments.first()?, arguments.last()?);
    let everything = first.range.start..last.range.end;
    match (judged, result) {
        (Some(Judged::Wrong(misuse)), _) => {
            let about = arguments
                .iter()
                .find(|it| it.name.is_some() && it.name == misuse.argument);
            let range = about.map_or(everything, |argument| argument.range.clone());
            Some(Problem::new(range, format!("`{name}`: {}", misuse.message)))
        }
        // One that takes its arguments as they come counts them itself.
        (Some(Judged::Unread), Err(error))
            if error.kind() == ErrorKind::TooManyArguments
                && named.is_empty()
                && arguments.iter().all(|argument| argument.value.is_some()) =>
        {
            Some(Problem::new(
                everything,
                format!("`{name}`: too many arguments"),
            ))
        }
        _ => None,
    }
}

/// What says of a literal whether it can be taken.
type Judge = fn(&str) -> Result<(), Error>;

/// A pattern or the name of a hash that is written out.
fn literal(called: Called, name: &str, arguments: &[Argument]) -> Option<Problem> {
    let (named, judge): (&str, Judge) = match (called, name) {
        (Called::Filter, "regex_replace" | "regex_search")
        | (Called::Test, "match" | "search" | "regex") => ("pattern", pattern),
        (Called::Filter, "regex_findall") => ("regex", pattern),
        (Called::Filter, "hash") => ("hashtype", filter::is_hash),
        (Called::Filter, "password_hash") => ("hashtype", filter::is_password_hash),
        (Called::Filter, "ipaddr" | "ipv4" | "ipv6") => ("query", filter::is_query),
        (Called::Filter, "hwaddr" | "macaddr") => ("query", filter::is_hardware_query),
        (Called::Filter, "cidr_merge") => ("action", filter::is_merge),
        _ => return None,
    };
    let first = arguments.first().filter(|argument| argument.name.is_none());
    let by_name = |argument: &&Argument| argument.name.as_deref() == Some(named);
    let argument = first.or_else(|| arguments.iter().find(by_name))?;
    let judged = judge(argument.value.as_ref()?.as_str()?);
    wrong(name, argument, judged)
}

fn wrong(name: &str, argument: &Argument, judged: Result<(), Error>) -> Option<Problem> {
    let error = judged.err()?;
    let words = error.detail().unwrap_or("it is not taken");
    Some(Problem::new(
        argument.range.clone(),
        format!("`{name}`: {words}"),
    ))
}

fn pattern(text: &str) -> Result<(), Error> {
    filter::pattern(text, (false, false)).map(drop)
}
