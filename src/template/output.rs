//! What templates write: text up to a limit, or values.

use std::io;

use minijinja::{Error, ErrorKind, Output, State, Value as Native};

use super::convert::Omit;
use super::python;

/// The largest text one template may make, in bytes.
const LONGEST: usize = 32 << 20;

/// Writes a value into a template's output: nothing for none and `omit`, else as Python's `str`.
pub(super) fn emit(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Native,
) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return out.write_str(text).map_err(Error::from);
    }
    // Only `x if false` without an `else` comes here undefined: it prints nothing.
    if value.is_none() || value.is_undefined() || value.downcast_object_ref::<Omit>().is_some() {
        return Ok(());
    }
    python::write(out, value, false, 0)
}

/// What the `{{ }}` of a template gave, in order.
#[derive(Debug, Default)]
pub(super) struct Collected(pub Vec<Native>);

/// Keeps a value instead of writing it, for templates that are only blocks and expressions.
pub(super) fn collect(
    _: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Native,
) -> Result<(), Error> {
    let collected = state.get_or_insert_extension_with(Collected::default);
    if collected.0.len() >= 1_000_000 {
        return Err(Error::from(ErrorKind::WriteFailure));
    }
    collected.0.push(value.clone());
    Ok(())
}

/// Values written one behind the other, as a template does.
pub(super) fn joined(values: &[Native]) -> Result<String, Error> {
    let mut out = String::new();
    for value in values {
        if !(value.is_none()
            || value.is_undefined()
            || value.downcast_object_ref::<Omit>().is_some())
        {
            python::write(&mut out, value, false, 0)?;
        }
        if out.len() > LONGEST {
            return Err(Error::from(ErrorKind::WriteFailure));
        }
    }
    Ok(out)
}

/// Output that ends at [`LONGEST`].
pub(super) struct Capped(Vec<u8>);

impl Capped {
    pub(super) fn with_capacity(bytes: usize) -> Capped {
        Capped(Vec::with_capacity(bytes))
    }

    /// What was written.
    pub(super) fn text(self) -> String {
        String::from_utf8(self.0).expect("the engine writes text")
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
