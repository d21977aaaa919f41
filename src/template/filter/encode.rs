//! Base64.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::text_of;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("b64encode", encode);
    environment.add_filter("b64decode", decode);
}

/// The text as bytes of an encoding.
fn bytes(text: &str, encoding: &str) -> Result<Vec<u8>, Error> {
    let wide = |units: Vec<[u8; 2]>| units.concat();
    Ok(match encoding.to_lowercase().as_str() {
        "utf-8" | "utf8" => text.as_bytes().to_vec(),
        "utf-16-le" | "utf-16le" => wide(text.encode_utf16().map(u16::to_le_bytes).collect()),
        "utf-16-be" | "utf-16be" => wide(text.encode_utf16().map(u16::to_be_bytes).collect()),
        "ascii" if text.is_ascii() => text.as_bytes().to_vec(),
        "latin-1" | "latin1" | "iso-8859-1" => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)))
            .collect::<Result<_, _>>()
            .map_err(|_| fault("a sign of this text is not in latin-1"))?,
        "ascii" => return Err(fault("a sign of this text is not in ascii")),
        _ => return Err(fault(ENCODINGS)),
    })
}

const ENCODINGS: &str = "`encoding` is utf-8, utf-16-le, utf-16-be, latin-1 or ascii";

fn encode(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["encoding", "urlsafe"], args, &kwargs)?;
    let bytes = bytes(&text_of(value)?, &given.text_or("encoding", "utf-8")?)?;
    Ok(match given.flag("urlsafe") {
        true => URL_SAFE.encode(bytes),
        false => STANDARD.encode(bytes),
    })
}

fn decode(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["encoding", "urlsafe"], args, &kwargs)?;
    let text = text_of(value)?;
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = match given.flag("urlsafe") {
        true => URL_SAFE.decode(packed),
        false => STANDARD.decode(packed),
    };
    let bytes = bytes.map_err(|_| fault("this text is not base64"))?;
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks(2)
            .map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)]))
            .collect();
        String::from_utf16(&units).map_err(|_| fault("the decoded bytes are not text in UTF-16"))
    };
    match given.text_or("encoding", "utf-8")?.to_lowercase().as_str() {
        "utf-8" | "utf8" | "ascii" => {
            String::from_utf8(bytes).map_err(|_| fault("the decoded bytes are not text in UTF-8"))
        }
        "utf-16-le" | "utf-16le" => wide(u16::from_le_bytes),
        "utf-16-be" | "utf-16be" => wide(u16::from_be_bytes),
        "latin-1" | "latin1" | "iso-8859-1" => Ok(bytes.iter().copied().map(char::from).collect()),
        _ => Err(fault(ENCODINGS)),
    }
}
