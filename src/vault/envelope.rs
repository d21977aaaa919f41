//! The text of a vault: a header line, and the salt, the code of authentication and the ciphertext as hex in hex.

use std::fmt::Write;

/// How each vault begins.
const MAGIC: &str = "$ANSIBLE_VAULT";
/// The label of a password that has none of its own.
pub const DEFAULT_LABEL: &str = "default";
/// Hex digits on a line, as Ansible writes them.
const WIDTH: usize = 80;

/// A vault, taken apart and still encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Which password it was written with; none in version 1.1.
    pub label: Option<String>,
    /// What the password was stretched with.
    pub salt: Vec<u8>,
    /// HMAC-SHA256 of the ciphertext.
    pub mac: Vec<u8>,
    /// The content, padded and encrypted.
    pub ciphertext: Vec<u8>,
}

/// What is wrong with the text of a vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (line {line} of the vault)")]
pub struct Broken {
    /// Line from 1, counted from the header.
    pub line: usize,
    /// A sentence.
    pub why: String,
}

impl Broken {
    pub(super) fn new(line: usize, why: impl Into<String>) -> Broken {
        Broken {
            line,
            why: why.into(),
        }
    }
}

/// Whether bytes begin as a vault does, as in Ansible: at the very first byte.
pub fn is_ansible(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// Whether a word can be the label of a vault: the header is one line, divided by `;`, and `@` divides a label from its source.
pub fn is_label(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, ';' | '@'))
}

impl Envelope {
    /// Takes a vault apart.
    ///
    /// # Errors
    /// The line that no vault has.
    pub fn parse(text: &str) -> Result<Envelope, Broken> {
        let text = text.trim_start();
        let mut lines = text.lines();
        let label = header(lines.next().unwrap_or_default().trim())?;
        let mut body = Vec::new();
        let mut last = 1;
        for (index, line) in lines.enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            last = index + 2;
            if line.len() % 2 == 1 {
                return Err(Broken::new(
                    last,
                    "the line has an odd number of hex digits: it is cut off",
                ));
            }
            unhex(line.as_bytes(), &mut body)
                .ok_or_else(|| Broken::new(last, "there is something other than hex digits"))?;
        }
        if body.is_empty() {
            return Err(Broken::new(1, "nothing follows the header"));
        }
        let cut =
            |what: &str| Broken::new(last, format!("the vault ends within {what}: it is cut off"));
        let parts: Vec<&[u8]> = body.splitn(3, |byte| *byte == b'\n').collect();
        let [salt, mac, ciphertext] = parts[..] else {
            return Err(cut(match parts.len() {
                1 => "its salt",
                _ => "its code of authentication",
            }));
        };
        let inner = |digits: &[u8]| {
            let mut bytes = Vec::new();
            unhex(digits, &mut bytes)
                .filter(|()| !digits.is_empty())
                .map(|()| bytes)
                .ok_or_else(|| cut("its content"))
        };
        Ok(Envelope {
            label,
            salt: inner(salt)?,
            mac: inner(mac)?,
            ciphertext: inner(ciphertext)?,
        })
    }

    /// The vault as text, ended by a newline. One with a label is of version 1.2.
    pub fn text(&self) -> String {
        let mut text = match &self.label {
            Some(label) => format!("{MAGIC};1.2;AES256;{label}\n"),
            None => format!("{MAGIC};1.1;AES256\n"),
        };
        let inner = [&self.salt, &self.mac, &self.ciphertext].map(|part| hex(part));
        let outer = hex(inner.join("\n").as_bytes());
        let mut rest = outer.as_str();
        while !rest.is_empty() {
            let (line, behind) = rest.split_at(rest.len().min(WIDTH));
            text.push_str(line);
            text.push('\n');
            rest = behind;
        }
        text
    }
}

/// The label in the first line.
fn header(line: &str) -> Result<Option<String>, Broken> {
    let fields: Vec<&str> = line.split(';').collect();
    if fields[0] != MAGIC {
        return Err(Broken::new(1, format!("it does not begin with `{MAGIC};`")));
    }
    let [_, version, cipher, rest @ ..] = fields.as_slice() else {
        return Err(Broken::new(
            1,
            format!("the header is not `{MAGIC};1.1;AES256`"),
        ));
    };
    if *cipher != "AES256" {
        return Err(Broken::new(
            1,
            format!("the cipher `{cipher}` is not supported, only `AES256`"),
        ));
    }
    match (*version, rest) {
        ("1.1", _) => Ok(None),
        ("1.2", [label]) if is_label(label) => Ok(Some((*label).to_owned())),
        ("1.2", _) => Err(Broken::new(1, "version 1.2 needs one label in the header")),
        _ => Err(Broken::new(
            1,
            format!("version `{version}` is not supported, only 1.1 and 1.2"),
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Appends what pairs of hex digits stand for; none when there is anything else.
fn unhex(digits: &[u8], into: &mut Vec<u8>) -> Option<()> {
    if digits.len() % 2 == 1 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    for pair in digits.chunks_exact(2) {
        let byte = value(pair[0])? * 16 + value(pair[1])?;
        into.push(u8::try_from(byte).ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(label: Option<&str>) -> Envelope {
        Envelope {
            label: label.map(str::to_owned),
            salt: (0..32).collect(),
            mac: (32..64).collect(),
            ciphertext: (0..160).collect(),
        }
    }

    #[test]
    fn a_text_is_read_back() {
        for label in [None, Some("prod")] {
            let text = envelope(label).text();
            assert!(is_ansible(text.as_bytes()));
            assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
            assert_eq!(Envelope::parse(&text), Ok(envelope(label)));
            let indented = text.replace('\n', "  \r\n   ");
            assert_eq!(Envelope::parse(&indented), Ok(envelope(label)));
        }
    }

    #[test]
    fn what_is_broken_is_named_with_its_line() {
        let text = envelope(None).text();
        let odd = format!("{}\n", &text[..text.len() - 2]);
        let twisted = text.replacen("\n3", "\nz", 1);
        let short = |lines: usize| text.split_inclusive('\n').take(lines).collect::<String>();
        let cases = [
            ("$ANSIBLE_VAULTS;1.1;AES256\n30\n", "does not begin with", 1),
            ("$ANSIBLE_VAULT\n30\n", "the header is not", 1),
            ("$ANSIBLE_VAULT;1.0;AES256\n30\n", "version `1.0`", 1),
            ("$ANSIBLE_VAULT;1.1;AES\n30\n", "the cipher `AES`", 1),
            ("$ANSIBLE_VAULT;1.2;AES256\n30\n", "needs one label", 1),
            ("$ANSIBLE_VAULT;1.1;AES256\n", "nothing follows", 1),
            (odd.as_str(), "odd number", text.lines().count()),
            (twisted.as_str(), "other than hex digits", 2),
            (&short(2), "within its salt", 2),
            (&short(3), "within its code", 3),
        ];
        for (text, why, line) in cases {
            let broken = Envelope::parse(text).expect_err(why);
            assert!(broken.why.contains(why), "{broken}");
            assert_eq!(broken.line, line, "{broken}");
        }
    }
}
