//! Filters and tests that others call by name: `map('regex_replace', 'a', 'b')`, `selectattr('name', 'match', '^a')`.

use minijinja::ErrorKind;

use super::{ANY, Argument, CALLS, Called, of};
use crate::template::check::{self, Problem};
use crate::template::{filter, test};

/// What is wrong with the filter or test that the filter `name` calls, or with what is given to it.
pub(super) fn problem(called: Called, name: &str, arguments: &[Argument]) -> Option<Problem> {
    let (inner, place) = match (called, name) {
        (Called::Filter, "map") => (Called::Filter, 0),
        (Called::Filter, "select" | "reject") => (Called::Test, 0),
        (Called::Filter, "selectattr" | "rejectattr") => (Called::Test, 1),
        _ => return None,
    };
    // By its place alone; what stands before must have none of the names either.
    let before = arguments.get(..=place)?;
    if before.iter().any(|argument| argument.name.is_some()) {
        return None;
    }
    let argument = &arguments[place];
    let word = argument.value.as_ref()?.as_str()?;
    let (names, collections) = match inner {
        Called::Filter => (filter::NAMES, filter::COLLECTIONS),
        _ => (test::NAMES, test::COLLECTIONS),
    };
    match check::known(word, names, collections) {
        Some(known) => of(inner, known, &arguments[place + 1..]),
        None if is_there(inner, word) => None,
        None => check::unknown_called(inner, word, argument.range.clone()),
    }
}

/// Tests also have signs for names, such as `>`.
fn is_there(called: Called, name: &str) -> bool {
    let mut state = CALLS.empty_state();
    let nothing = [ANY.into()];
    let error = match called {
        Called::Filter => state.apply_filter(name, &nothing).err(),
        _ => state.perform_test(name, &nothing).err(),
    };
    let kind = error.map(|error| error.kind());
    !matches!(
        kind,
        Some(ErrorKind::UnknownFilter | ErrorKind::UnknownTest)
    )
}
