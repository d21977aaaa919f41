//! Base64.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use minijinja::{Environment, Error, Value as Native};

use super::text_of;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("b64encode", |value: &Native| {
        Ok::<_, Error>(STANDARD.encode(text_of(value)?))
    });
    environment.add_filter("b64decode", decode);
}

fn decode(value: &Native) -> Result<String, Error> {
    let text = text_of(value)?;
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let engine: &GeneralPurpose = &STANDARD;
    let bytes = engine
        .decode(packed)
        .map_err(|_| fault("this text is not base64"))?;
    String::from_utf8(bytes).map_err(|_| fault("the decoded bytes are not text in UTF-8"))
}
