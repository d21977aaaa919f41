//! What `%h` and its like, `~` and `${VARIABLE}` stand for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Who runs this, and where: what configurations may speak of. `cli` fills it from the environment.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// The name of the account.
    pub user: String,
    /// Its number.
    pub uid: u32,
    /// Its home folder; without one there is no `~`.
    pub home: Option<PathBuf>,
    /// The name of this machine.
    pub machine: String,
    /// The variables of the environment.
    pub variables: HashMap<String, String>,
}

/// The letters that stand for something in one place.
#[derive(Clone, Copy)]
pub(super) struct Allowed(&'static str);

impl Allowed {
    pub(super) const HOST_NAME: Self = Self("h");
    pub(super) const PROXY: Self = Self("hnpr");
    pub(super) const PATH: Self = Self("Ldhiklnpru");

    /// `%%, %h`
    pub(super) fn list(self) -> String {
        let letters = self.0.chars().map(|letter| format!(", %{letter}"));
        format!("%%{}", letters.collect::<String>())
    }
}

/// What the letters stand for, for one host.
pub(super) struct Tokens<'a> {
    pub(super) who: &'a Who,
    /// As it was asked for.
    pub(super) original: &'a str,
    /// As it is connected to.
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) alias: Option<&'a str>,
}

/// The first token of `text` that is not `allowed`.
pub(super) fn first_unknown(text: &str, allowed: Allowed) -> Option<String> {
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            continue;
        }
        match characters.next() {
            None => return Some("%".to_string()),
            Some('%') => {}
            Some(letter) if allowed.0.contains(letter) => {}
            Some(letter) => return Some(format!("%{letter}")),
        }
    }
    None
}

/// `HostName` knows nothing but the name that was asked for.
pub(super) fn host_name(text: &str, asked: &str) -> String {
    replaced(text, |letter| (letter == 'h').then(|| asked.to_string()))
}

impl Tokens<'_> {
    /// `text` with what its tokens stand for.
    pub(super) fn expand(&self, text: &str) -> String {
        replaced(text, |letter| self.value(letter))
    }

    /// A path: first `~`, then the tokens, then the variables.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, String> {
        let text = tilde(text, self.who)?;
        variables(&self.expand(&text), self.who).map(PathBuf::from)
    }

    fn value(&self, letter: char) -> Option<String> {
        Some(match letter {
            'L' => {
                let machine = &self.who.machine;
                machine.split('.').next().unwrap_or(machine).to_string()
            }
            'd' => home(self.who).ok()?.display().to_string(),
            'h' => self.host.to_string(),
            'i' => self.who.uid.to_string(),
            'k' => self.alias.unwrap_or(self.original).to_string(),
            'l' => self.who.machine.clone(),
            'n' => self.original.to_string(),
            'p' => self.port.to_string(),
            'r' => self.user.to_string(),
            'u' => self.who.user.clone(),
            _ => return None,
        })
    }
}

/// Each `%x` that `value` knows, and `%%`; others stay, for they were refused when the line was read.
fn replaced(text: &str, value: impl Fn(char) -> Option<String>) -> String {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, characters.clone().next()) {
            ('%', Some('%')) => {
                characters.next();
                result.push('%');
            }
            ('%', Some(letter)) => match value(letter) {
                Some(value) => {
                    characters.next();
                    result.push_str(&value);
                }
                None => result.push('%'),
            },
            _ => result.push(c),
        }
    }
    result
}

/// A leading `~` as the home folder.
pub(super) fn tilde(text: &str, who: &Who) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('~') else {
        return Ok(text.to_string());
    };
    let (name, behind) = rest.split_once('/').unwrap_or((rest, ""));
    if !name.is_empty() && name != who.user {
        return Err(format!(
            "the home folder of another account, `~{name}`, is not looked up; write its path"
        ));
    }
    Ok(home(who)?.join(behind).display().to_string())
}

fn home(who: &Who) -> Result<&Path, String> {
    who.home
        .as_deref()
        .ok_or_else(|| "there is no home folder for `~`: `HOME` is not set".to_string())
}

fn variables(text: &str, who: &Who) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind
            .split_once('}')
            .ok_or_else(|| format!("`${{` is not closed in `{text}`"))?;
        let value = who
            .variables
            .get(name)
            .ok_or_else(|| format!("the variable `{name}` in `{text}` is not set"))?;
        result.push_str(before);
        result.push_str(value);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_tilde_and_variables() {
        let who = Who {
            user: "me".into(),
            uid: 7,
            home: Some("/home/me".into()),
            machine: "box.example".into(),
            variables: HashMap::from([("RUN".to_string(), "/run/7".to_string())]),
        };
        let tokens = Tokens {
            who: &who,
            original: "web",
            host: "10.0.0.1",
            port: 2222,
            user: "root",
            alias: None,
        };
        let path = |text| tokens.path(text).map(|path| path.display().to_string());
        let good = [
            ("~/k_%h_%n_%p_%r_%u", "/home/me/k_10.0.0.1_web_2222_root_me"),
            ("~me/k", "/home/me/k"),
            ("%d/%i-%k-%l-%L-%%h", "/home/me/7-web-box.example-box-%h"),
            ("${RUN}/agent", "/run/7/agent"),
            ("a~b", "a~b"),
        ];
        for (text, wanted) in good {
            assert_eq!(path(text).unwrap(), wanted);
        }
        for bad in ["~you/k", "${NO}", "${RUN"] {
            assert!(path(bad).is_err(), "{bad}");
        }
        assert_eq!(host_name("%h.%%x", "web"), "web.%x");
        assert_eq!(first_unknown("%h%C", Allowed::PATH).as_deref(), Some("%C"));
        assert_eq!(first_unknown("%%%h%", Allowed::PATH).as_deref(), Some("%"));
        assert_eq!(first_unknown("%%C", Allowed::PATH), None);
    }
}
