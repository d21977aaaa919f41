//! How else a secret is written: what programs make of it on its way to a log, a request or a file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Secret;

/// Shorter secrets are looked for in no spelling that other text may come to by chance: their part of a longer base64 text.
const LONG_ENOUGH: usize = 6;

/// Programs that write base64 break it into lines of so many characters: coreutils, and what follows PEM.
const LINES: [usize; 2] = [76, 64];

/// Everything that is looked for beside the secret itself, some of it twice.
pub(super) fn of(secret: &str) -> Vec<Secret> {
    let mut all = json(secret);
    all.extend(shell(secret));
    all.extend(address(secret));
    all.push(STANDARD.encode(secret));
    if secret.chars().count() >= LONG_ENOUGH {
        for text in base64(secret.as_bytes()) {
            all.push(text.replace('+', "-").replace('/', "_"));
            all.push(text);
        }
    }
    all.into_iter().map(Secret::from).collect()
}

/// In base64, alone or in a longer text, in one line or in several.
fn base64(secret: &[u8]) -> Vec<String> {
    let mut all = vec![STANDARD.encode(secret)];
    all.extend((0..3).map(|before| within_base64(secret, before)));
    all.extend(LINES.iter().flat_map(|length| lines(secret, *length)));
    all
}

/// Inside JSON: as it is, and with nothing but ASCII, as Python writes it.
fn json(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let inner = &quoted[1..quoted.len() - 1];
    let mut ascii = String::new();
    for c in inner.chars() {
        match c.is_ascii() {
            true => ascii.push(c),
            false => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    vec![inner.to_owned(), ascii]
}

/// In quotes of a shell: single ones in two manners, double ones, and none.
fn shell(secret: &str) -> Vec<String> {
    let escaped = |special: &dyn Fn(char) -> bool| {
        secret.chars().fold(String::new(), |mut text, c| {
            if special(c) {
                text.push('\\');
            }
            text.push(c);
            text
        })
    };
    vec![
        secret.replace('\'', "'\\''"),
        secret.replace('\'', "'\"'\"'"),
        escaped(&|c| matches!(c, '"' | '\\' | '$' | '`')),
        escaped(&|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:=@%+,".contains(c)),
    ]
}

/// In an address or a form: with `/` as it is or not, with digits of either case, with `+` for a blank.
fn address(secret: &str) -> Vec<String> {
    let encode = |kept: &str, lower: bool| {
        secret.bytes().fold(String::new(), |mut text, byte| {
            match byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
                true => text.push(char::from(byte)),
                false if lower => text.push_str(&format!("%{byte:02x}")),
                false => text.push_str(&format!("%{byte:02X}")),
            }
            text
        })
    };
    let upper = encode("-._~", false);
    vec![
        upper.replace("%20", "+"),
        upper,
        encode("-._~/", false),
        encode("-._~", true),
        encode("-._~/", true),
    ]
}

/// The characters of a base64 text that a secret alone decides, where so many bytes more than a multiple of three stand before it, whatever
/// they are. Of the characters at its two ends, which it shares with its neighbours, four bits at most are its own.
fn within_base64(secret: &[u8], before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret);
    let first = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    STANDARD.encode(&bytes)[first..end].to_owned()
}

/// The lines of its base64 text, where it has several.
fn lines(secret: &[u8], length: usize) -> Vec<String> {
    let text = within_base64(secret, 0);
    let pieces = text.as_bytes().chunks(length);
    if text.len() <= length {
        return Vec::new();
    }
    pieces
        .filter(|piece| piece.len() >= LONG_ENOUGH)
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect()
}
