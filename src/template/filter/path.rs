//! Paths, as text.

use minijinja::{Environment, Error, Value as Native};

use super::text_of;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("basename", |value: &Native| {
        let text = text_of(value)?;
        Ok::<_, Error>(text.rsplit('/').next().unwrap_or("").to_owned())
    });
    environment.add_filter("dirname", dirname);
    environment.add_filter("splitext", splitext);
}

fn dirname(value: &Native) -> Result<String, Error> {
    let text = text_of(value)?;
    let head = match text.rfind('/') {
        Some(at) => &text[..=at],
        None => "",
    };
    let trimmed = head.trim_end_matches('/');
    // A head of slashes only is kept, as Python does.
    Ok(if trimmed.is_empty() { head } else { trimmed }.to_owned())
}

fn splitext(value: &Native) -> Result<Native, Error> {
    let text = text_of(value)?;
    let name = text.rfind('/').map_or(0, |at| at + 1);
    let lead = text[name..].len() - text[name..].trim_start_matches('.').len();
    let at = text[name + lead..]
        .rfind('.')
        .map_or(text.len(), |at| name + lead + at);
    Ok(Native::from(vec![
        Native::from(&text[..at]),
        Native::from(&text[at..]),
    ]))
}
