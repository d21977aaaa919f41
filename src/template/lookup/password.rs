//! `password`: one that is kept in a file of the controller, and made in the apply that finds none.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value as Native};

use super::{Asked, in_the_apply, words};
use crate::template::convert::fault;
use crate::template::filter::{Chance, Given, SALT, hash_password, items_of};
use crate::template::python;

pub(super) const OPTIONS: &[&str] = &["length", "chars", "encrypt", "ident", "seed"];

/// Hosts ask for the same password at the same time: the first makes it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(super) fn password(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    let given = Given::read(OPTIONS, &[], kwargs)?;
    let one = |term| Wanted::read(&given, &python::text(term)?)?.password(asked);
    terms.iter().map(one).collect()
}

/// The number of characters.
pub(super) fn length(text: &str) -> Result<usize, Error> {
    let length = text.parse::<usize>().ok();
    length
        .filter(|length| (1..=10_000).contains(length))
        .ok_or_else(|| fault("`length` is 1 to 10000"))
}

/// What password is wanted.
struct Wanted {
    path: String,
    length: usize,
    chars: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<Native>,
}

/// What a file holds of one.
#[derive(Clone, PartialEq)]
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Wanted {
    fn read(given: &Given, term: &str) -> Result<Wanted, Error> {
        let term = words::read(term, OPTIONS)?;
        let set = |name: &str| term.set.iter().rev().find(|(key, _)| key == name);
        let option = |name: &str| match set(name) {
            Some((_, value)) => Ok(Some(value.clone())),
            None => given.text(name),
        };
        let length = option("length")?;
        let length = self::length(length.as_deref().unwrap_or("20"))?;
        let chars = match (set("chars"), given.value("chars")) {
            (Some((_, text)), _) => spelled(text),
            (None, Some(list)) if list.kind() != ValueKind::String => {
                let items = items_of(list)?;
                items.iter().map(python::text).collect::<Result<_, _>>()?
            }
            (None, Some(text)) => spelled(&python::text(text)?),
            (None, None) => ["ascii_letters", "digits", ".,:-_"]
                .map(str::to_owned)
                .to_vec(),
        };
        let chars: Vec<char> = chars.iter().flat_map(|word| characters(word)).collect();
        if chars.is_empty() {
            return Err(fault("`chars` leaves no characters"));
        }
        if term.plain.is_empty() {
            return Err(fault("the file that keeps the password is missing"));
        }
        if term.plain == "/dev/null" {
            return Err(fault(
                "a password that is kept nowhere is another one with every run; name a file",
            ));
        }
        Ok(Wanted {
            path: term.plain.clone(),
            length,
            chars,
            encrypt: option("encrypt")?.filter(|kind| !kind.is_empty()),
            ident: option("ident")?,
            seed: match set("seed") {
                Some((_, seed)) => Some(Native::from(seed.as_str())),
                None => given.value("seed").cloned(),
            },
        })
    }

    fn password(&self, asked: &Asked) -> Result<Native, Error> {
        let around = asked.around()?;
        let path = self.place(asked)?;
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match path.exists() {
            true => Some(Kept::read(asked.read(&path)?.trim_end())),
            false => None,
        };
        let mut kept = match (&known, around.acts()) {
            (Some(known), _) => known.clone(),
            (None, true) => Kept {
                password: self.made()?,
                salt: None,
                ident: None,
            },
            (None, false) => return Err(in_the_apply("password")),
        };
        if self.ident.is_some() && kept.ident.is_some() && self.ident != kept.ident {
            return Err(fault("`ident` is another one than the file holds"));
        }
        if let Some(kind) = &self.encrypt {
            let bcrypt = matches!(kind.as_str(), "bcrypt" | "blowfish");
            if kept.salt.is_none() {
                kept.salt = Some(salt(if bcrypt { 22 } else { 16 })?);
            }
            if kept.ident.is_none() {
                let usual = bcrypt.then(|| "2b".to_owned());
                kept.ident = self.ident.clone().or(usual);
            }
        }
        if known.as_ref() != Some(&kept) {
            if !around.acts() {
                return Err(in_the_apply("password"));
            }
            around.keep(&path, &kept.text()).map_err(|error| {
                fault(format!("`{}` cannot be written: {error}", path.display()))
            })?;
        }
        drop(guard);
        around.hide(&kept.password);
        match &self.encrypt {
            None => Ok(Native::from(kept.password)),
            Some(kind) => {
                hash_password(&kept.password, kind, kept.salt, None, kept.ident).map(Native::from)
            }
        }
    }

    /// A relative file is below the playbook's folder.
    fn place(&self, asked: &Asked) -> Result<PathBuf, Error> {
        if let Some(rest) = self.path.strip_prefix("~/") {
            let home = asked.evaluation()?.engine().outside().variables.get("HOME");
            let home = home.ok_or_else(|| fault("nothing says where `~` is; write the path"))?;
            return Ok(Path::new(home).join(rest));
        }
        Ok(asked.around()?.playbook().join(&self.path))
    }

    fn made(&self) -> Result<String, Error> {
        let count = self.chars.len() as u64;
        let mut draw: Box<dyn FnMut() -> Result<u64, Error>> = match &self.seed {
            Some(seed) => {
                let mut chance = Chance::new(Some(seed))?;
                Box::new(move || Ok(chance.below(count)))
            }
            None => Box::new(move || below(count)),
        };
        (0..self.length)
            .map(|_| Ok(self.chars[draw()? as usize]))
            .collect()
    }
}

/// A random number below `bound`, each as likely as any other.
fn below(bound: u64) -> Result<u64, Error> {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = getrandom::u64().map_err(|_| fault("the system gives no random numbers"))?;
        if drawn < limit {
            return Ok(drawn % bound);
        }
    }
}

fn salt(length: usize) -> Result<String, Error> {
    (0..length)
        .map(|_| below(64).map(|index| char::from(SALT[index as usize])))
        .collect()
}

/// `ascii_letters,digits,,` as words; two commas are the sign itself.
fn spelled(text: &str) -> Vec<String> {
    let comma = text.contains(",,").then(|| ",".to_owned());
    let words = text.replace(",,", ",");
    let words = words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned);
    comma.into_iter().chain(words).collect()
}

/// A set of Python's module `string`, or the signs as they are; without quotes.
fn characters(word: &str) -> Vec<char> {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const MARKS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    const BLANKS: &str = " \t\n\r\u{b}\u{c}";
    let all = match word {
        "ascii_lowercase" => LOWER.to_owned(),
        "ascii_uppercase" => UPPER.to_owned(),
        "ascii_letters" => format!("{LOWER}{UPPER}"),
        "digits" => DIGITS.to_owned(),
        "hexdigits" => format!("{DIGITS}abcdefABCDEF"),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => MARKS.to_owned(),
        "whitespace" => BLANKS.to_owned(),
        "printable" => format!("{DIGITS}{LOWER}{UPPER}{MARKS}{BLANKS}"),
        word => word.to_owned(),
    };
    all.chars().filter(|c| !matches!(c, '"' | '\'')).collect()
}

impl Kept {
    /// As Ansible keeps it: `PASSWORD salt=SALT ident=2b`.
    fn read(text: &str) -> Kept {
        let (password, rest) = match text.rfind(" salt=") {
            Some(at) => (&text[..at], Some(&text[at + " salt=".len()..])),
            None => (text, None),
        };
        let (salt, ident) = match rest.map(|rest| (rest, rest.rfind(" ident="))) {
            Some((rest, Some(at))) => (Some(&rest[..at]), Some(&rest[at + " ident=".len()..])),
            Some((rest, None)) => (Some(rest), None),
            None => (None, None),
        };
        Kept {
            password: password.to_owned(),
            salt: salt.map(str::to_owned),
            ident: ident.map(str::to_owned),
        }
    }

    fn text(&self) -> String {
        let mut text = self.password.clone();
        for (name, value) in [("salt", &self.salt), ("ident", &self.ident)] {
            if let Some(value) = value {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        text.push('\n');
        text
    }
}
