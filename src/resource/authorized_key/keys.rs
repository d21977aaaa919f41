//! Public keys as `authorized_keys` holds them, and the edit of such a file.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Kinds of keys that sshd takes.
const TYPES: [&str; 8] = [
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
    "ssh-dss",
];

/// One key with what stands around it in its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// `no-pty`, `from="10.0.0.1"` …
    pub options: Vec<String>,
    kind: String,
    blob: String,
    /// What stands behind it.
    pub comment: String,
}

impl Key {
    /// Reads a line; none when there is no key in it.
    pub fn read(line: &str) -> Option<Key> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let (first, rest) = word(line);
        let (options, kind, rest) = if TYPES.contains(&first) {
            ("", first, rest)
        } else {
            let (second, rest) = word(rest);
            (first, second, rest)
        };
        let (blob, comment) = word(rest);
        (TYPES.contains(&kind) && !blob.is_empty()).then(|| Key {
            options: split_options(options),
            kind: kind.to_owned(),
            blob: blob.to_owned(),
            comment: comment.to_owned(),
        })
    }

    /// Whether the encoded key is one of its kind: it names its kind itself, and is not cut off there.
    pub fn is_well_formed(&self) -> bool {
        let bytes = STANDARD
            .decode(&self.blob)
            .or_else(|_| STANDARD_NO_PAD.decode(&self.blob));
        let Ok(bytes) = bytes else { return false };
        let mut rest = bytes.as_slice();
        let mut fields = 0;
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let Some((field, behind)) =
                behind.split_at_checked(u32::from_be_bytes(*length) as usize)
            else {
                return false;
            };
            if fields == 0 && field != self.kind.as_bytes() {
                return false;
            }
            fields += 1;
            rest = behind;
        }
        rest.is_empty() && fields > 1
    }

    fn line(&self) -> String {
        let words = [
            &self.options.join(","),
            &self.kind,
            &self.blob,
            &self.comment,
        ];
        let words: Vec<&str> = words
            .into_iter()
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" ") + "\n"
    }

    /// Whether it says the same as another; the order of options means nothing.
    fn is(&self, other: &Key) -> bool {
        let sorted = |key: &Key| {
            let mut options = key.options.clone();
            options.sort();
            options
        };
        self.kind == other.kind
            && self.blob == other.blob
            && self.comment == other.comment
            && sorted(self) == sorted(other)
    }
}

/// The first word and the rest; blanks inside quotes part nothing.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let mut quoted = false;
    let mut escaped = false;
    let end = text.find(|c: char| {
        match c {
            '"' if !escaped => quoted = !quoted,
            _ if c.is_whitespace() && !quoted => return true,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        false
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// Options parted by commas outside of quotes.
pub fn split_options(text: &str) -> Vec<String> {
    let mut options = vec![String::new()];
    let mut quoted = false;
    let mut escaped = false;
    for c in text.chars() {
        if c == ',' && !quoted {
            options.push(String::new());
        } else if let Some(last) = options.last_mut() {
            last.push(c);
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    options.retain(|option| !option.is_empty());
    options
}

/// What a file of keys is to be.
pub struct Edit {
    /// The keys.
    pub keys: Vec<Key>,
    /// Whether they are to be there.
    pub present: bool,
    /// Whether nothing else is to be there.
    pub exclusive: bool,
}

/// What was done to a file, in numbers of keys.
#[derive(Debug, Default, PartialEq)]
pub struct Done {
    /// New ones.
    pub added: usize,
    /// Those whose options or comment are others now.
    pub altered: usize,
    /// Lines that are gone.
    pub removed: usize,
}

impl Edit {
    /// The new text. A key stays where it stands; new ones go to the end; what is repeated goes.
    pub fn apply(&self, text: &[u8]) -> (Vec<u8>, Done) {
        let mut new = Vec::with_capacity(text.len() + 256);
        let mut done = Done::default();
        let mut seen = vec![false; self.keys.len()];
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let found = Key::read(&String::from_utf8_lossy(line));
            let at = found
                .as_ref()
                .and_then(|found| self.keys.iter().position(|key| key.blob == found.blob));
            match at {
                Some(_) if !self.present => done.removed += 1,
                Some(at) if seen[at] => done.removed += 1,
                Some(at) => {
                    seen[at] = true;
                    if found.is_some_and(|found| found.is(&self.keys[at])) {
                        new.extend_from_slice(line);
                    } else {
                        done.altered += 1;
                        new.extend(self.keys[at].line().into_bytes());
                    }
                }
                None if self.exclusive && self.present => done.removed += 1,
                None => new.extend_from_slice(line),
            }
        }
        let missing = self
            .keys
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| self.present && !**seen);
        for (key, _) in missing {
            if !new.is_empty() && !new.ends_with(b"\n") {
                new.push(b'\n');
            }
            done.added += 1;
            new.extend(key.line().into_bytes());
        }
        (new, done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIHBlJ7R0Nw3v5m0QpYb6nq6kK1bq0Y3m9o2c4D8sVt1x";
    const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn key(line: &str) -> Key {
        Key::read(line).expect("a key")
    }

    fn apply(keys: &[String], present: bool, exclusive: bool, text: &str) -> (String, Done) {
        let keys = keys.iter().map(|line| key(line)).collect();
        let edit = Edit {
            keys,
            present,
            exclusive,
        };
        let (new, done) = edit.apply(text.as_bytes());
        assert_eq!(edit.apply(&new), (new.clone(), Done::default()), "twice");
        (String::from_utf8(new).expect("utf-8"), done)
    }

    #[test]
    fn a_line_has_options_kind_key_and_comment() {
        let key = key(&format!(
            r#"from="10.0.0.1,::1",command="a \"b c\"",no-pty  ssh-ed25519 {A} ada at home "#
        ));
        assert_eq!(
            key.options,
            [r#"from="10.0.0.1,::1""#, r#"command="a \"b c\"""#, "no-pty"]
        );
        assert_eq!(key.comment, "ada at home");
        assert!(key.is_well_formed());
        for line in ["", "# ssh-ed25519 x", "ssh-ed25519", "x y z"] {
            assert_eq!(Key::read(line), None, "{line}");
        }
    }

    #[test]
    fn a_cut_or_mistaken_key_is_seen() {
        assert!(!key(&format!("ssh-ed25519 {}", &A[..60])).is_well_formed());
        assert!(!key(&format!("ssh-rsa {A}")).is_well_formed());
        assert!(!key("ssh-rsa AAAA").is_well_formed());
        assert!(!key("ssh-rsa !").is_well_formed());
    }

    #[test]
    fn others_stay_where_they_are() {
        let text = format!("# mine\nssh-ed25519 {B} b\n\nweird line");
        let (new, done) = apply(&[format!("ssh-ed25519 {A} a")], true, false, &text);
        assert_eq!(new, format!("{text}\nssh-ed25519 {A} a\n"));
        assert_eq!(
            done,
            Done {
                added: 1,
                ..Done::default()
            }
        );
    }

    #[test]
    fn options_and_comment_are_mended_in_place_and_repeats_go() {
        let text = format!("ssh-ed25519 {A} old\nssh-ed25519 {B}\nssh-ed25519 {A} again\n");
        let (new, done) = apply(
            &[format!("no-pty,b ssh-ed25519 {A} new")],
            true,
            false,
            &text,
        );
        assert_eq!(
            new,
            format!("no-pty,b ssh-ed25519 {A} new\nssh-ed25519 {B}\n")
        );
        assert_eq!(
            done,
            Done {
                altered: 1,
                removed: 1,
                added: 0
            }
        );
        let text = format!("b,no-pty ssh-ed25519 {A}  new\n");
        let (new, _) = apply(
            &[format!("no-pty,b ssh-ed25519 {A} new")],
            true,
            false,
            &text,
        );
        assert_eq!(new, text);
    }

    #[test]
    fn absent_and_exclusive() {
        let text = format!("# c\nno-pty ssh-ed25519 {A} x\nssh-ed25519 {B}\n");
        let a = [format!("ssh-ed25519 {A}")];
        assert_eq!(
            apply(&a, false, false, &text).0,
            format!("# c\nssh-ed25519 {B}\n")
        );
        let (new, done) = apply(&a, true, true, &text);
        assert_eq!(new, format!("ssh-ed25519 {A}\n"));
        assert_eq!(
            done,
            Done {
                altered: 1,
                removed: 2,
                added: 0
            }
        );
    }
}
