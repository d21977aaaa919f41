//! One line of a configuration, with its value checked.

use std::net::IpAddr;
use std::time::Duration;

use super::criteria::{Criteria, criteria};
use super::error::{ConfigError, Place};
use super::jump::{Proxy, jumps};
use super::keyword::{Keyword, Refusal, Treatment, nearest, treatment};
use super::parse::File;
use super::tokens::{self, Allowed};
use super::words::{keyword, words};
use crate::transport::ssh::algorithms::{Choice, leaves_some, usual};
use crate::transport::ssh::options::{AddressFamily, HostKeyChecking};

/// What a line says.
#[derive(Debug, Clone)]
pub(crate) enum Setting {
    AddressFamily(AddressFamily),
    /// A list of methods, by its keyword as OpenSSH spells it; none leaves everything.
    Algorithms(&'static str, Option<Choice>),
    BindAddress(IpAddr),
    CertificateFile(String),
    /// None, like zero, is as long as the system waits; to OpenSSH `none` is as if nothing were said, and a later line counts.
    ConnectTimeout(Option<Duration>),
    GlobalKnownHosts(Vec<String>),
    HashKnownHosts(bool),
    Host(Vec<String>),
    HostKeyAlias(String),
    HostKeyChecking(HostKeyChecking),
    HostName(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    IdentityFile(String),
    IgnoreUnknown(String),
    /// The files it names, in order.
    Include(Vec<File>),
    Match(Criteria),
    Port(u16),
    Proxy(Proxy),
    /// None, like zero, is never, by the same rule.
    ServerAliveInterval(Option<Duration>),
    ServerAliveCountMax(usize),
    Tag(String),
    User(String),
    UserKnownHosts(Vec<String>),
    /// Changes nothing here.
    Ignored,
    /// Would matter; the flag says that this value asks for nothing.
    Refused(&'static Refusal, bool),
    /// No keyword, unless `IgnoreUnknown` names it.
    Unknown(String),
}

/// A setting with its place.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(super) place: Place,
    pub(super) setting: Setting,
}

/// Reads the files that the words of an `Include` name.
pub(super) type Including<'a> = &'a mut dyn FnMut(&[String]) -> Result<Vec<File>, ConfigError>;

impl Line {
    pub(crate) fn new(place: Place, setting: Setting) -> Self {
        Self { place, setting }
    }
}

/// Reads `Keyword=value` or `Keyword value`, as it stands behind `-o`.
pub(crate) fn option(text: &str) -> Result<Setting, ConfigError> {
    match keyword(text) {
        Some((word, rest)) if !rest.is_empty() => argument(&word, &word, rest),
        Some((word, _)) => Err(Place::Argument.error(format!("`{word}` needs a value"))),
        None => Err(Place::Argument.error(format!("`{text}` is no ssh option"))),
    }
}

/// Reads the value `rest` of a keyword among arguments, where it counts in any case.
pub(crate) fn argument(word: &str, shown: &str, rest: &str) -> Result<Setting, ConfigError> {
    let place = Place::Argument;
    let only_in_files = |_: &[String]| Ok(Vec::new());
    match setting(word, shown, rest, &place, &mut { only_in_files })? {
        Setting::Unknown(word) => Err(unknown(&word, &place)),
        Setting::Refused(refusal, false) => Err(refused(refusal, &place)),
        Setting::Host(_) | Setting::Match(_) | Setting::Include(_) => Err(place.error(format!(
            "`{word}` belongs into a file, which `-F FILE` names"
        ))),
        setting => Ok(setting),
    }
}

/// Reads one line; `None` where it is empty. `Include` gives what `include` makes of its words.
pub(super) fn line(
    text: &str,
    place: &Place,
    include: Including<'_>,
) -> Result<Option<Line>, ConfigError> {
    let Some((word, rest)) = keyword(text) else {
        // A quote that is not closed leaves no keyword either.
        if text.trim_start().starts_with('"') {
            return Err(place.error("a quote is not closed"));
        }
        return Ok(None);
    };
    if rest.is_empty() {
        return Err(place.error(format!("`{word}` needs a value")));
    }
    let setting = setting(&word, &word, rest, place, include)?;
    Ok(Some(Line {
        place: place.clone(),
        setting,
    }))
}

/// Reads the value `rest` of the keyword `word`, which is called `shown` in errors.
pub(super) fn setting(
    word: &str,
    shown: &str,
    rest: &str,
    place: &Place,
    include: Including<'_>,
) -> Result<Setting, ConfigError> {
    let list = words(rest).ok_or_else(|| place.error("a quote is not closed"))?;
    let keyword = match treatment(word) {
        Treatment::Followed(keyword) => keyword,
        Treatment::Ignored => return Ok(Setting::Ignored),
        Treatment::Refused(refusal) => {
            return Ok(Setting::Refused(refusal, refusal.is_harmless(&list)));
        }
        Treatment::Unknown => return Ok(Setting::Unknown(word.to_string())),
    };
    let value = Value {
        shown,
        rest,
        words: &list,
        place,
    };
    Ok(match keyword {
        // These take the line as it is.
        Keyword::ProxyCommand => {
            let command = rest.trim_start_matches([' ', '\t', '=']);
            value.tokens(command, Allowed::PROXY)?;
            Setting::Proxy(Proxy::command(command))
        }
        Keyword::ProxyJump => Setting::Proxy(jumps(rest, place)?),
        Keyword::Match => Setting::Match(criteria(rest, place)?),
        Keyword::Include => Setting::Include(include(&list)?),
        Keyword::Host => Setting::Host(value.all()?),
        Keyword::GlobalKnownHostsFile => Setting::GlobalKnownHosts(value.all()?),
        Keyword::UserKnownHostsFile => Setting::UserKnownHosts(value.paths()?),
        Keyword::AddressFamily => Setting::AddressFamily(value.family()?),
        Keyword::BindAddress => Setting::BindAddress(value.address()?),
        Keyword::CertificateFile => Setting::CertificateFile(value.path()?),
        Keyword::Ciphers => value.algorithms("Ciphers")?,
        Keyword::HostKeyAlgorithms => value.algorithms("HostKeyAlgorithms")?,
        Keyword::KexAlgorithms => value.algorithms("KexAlgorithms")?,
        Keyword::Macs => value.algorithms("MACs")?,
        Keyword::ConnectTimeout => Setting::ConnectTimeout(value.time()?),
        Keyword::HashKnownHosts => Setting::HashKnownHosts(value.flag()?),
        Keyword::HostKeyAlias => Setting::HostKeyAlias(value.one()?),
        Keyword::HostName => {
            let name = value.one()?;
            value.tokens(&name, Allowed::HOST_NAME)?;
            Setting::HostName(name)
        }
        Keyword::IdentitiesOnly => Setting::IdentitiesOnly(value.flag()?),
        Keyword::IdentityAgent => Setting::IdentityAgent(value.path()?),
        Keyword::IdentityFile => Setting::IdentityFile(value.path()?),
        Keyword::IgnoreUnknown => Setting::IgnoreUnknown(value.one()?),
        Keyword::Port => Setting::Port(value.port()?),
        Keyword::ServerAliveInterval => Setting::ServerAliveInterval(value.time()?),
        Keyword::ServerAliveCountMax => Setting::ServerAliveCountMax(value.count()?),
        Keyword::StrictHostKeyChecking => Setting::HostKeyChecking(value.checking()?),
        Keyword::Tag => Setting::Tag(value.one()?),
        Keyword::User => Setting::User(value.one()?),
    })
}

/// The error of a keyword that nobody knows.
pub(super) fn unknown(word: &str, place: &Place) -> ConfigError {
    let near = nearest(word).map_or_else(String::new, |name| format!("; did you mean `{name}`"));
    let error = place.error(format!("`{word}` is no ssh option{near}"));
    match place {
        Place::Argument => error,
        Place::Line { .. } => error.help(format!(
            "mend it, or write `IgnoreUnknown {word}` in front where another program needs it"
        )),
    }
}

/// The error of a keyword that is not followed.
pub(super) fn refused(refusal: &Refusal, place: &Place) -> ConfigError {
    let own = match place {
        Place::Argument => String::new(),
        Place::Line { .. } => {
            "; hadeploy reads another file instead with `-F FILE` in `ansible_ssh_common_args`"
                .to_string()
        }
    };
    place
        .error(format!("`{}` is not supported", refusal.name))
        .help(format!("{}{own}", refusal.instead))
}

/// A value with what is said about it.
struct Value<'a> {
    shown: &'a str,
    rest: &'a str,
    words: &'a [String],
    place: &'a Place,
}

impl Value<'_> {
    fn bad(&self, word: &str, expected: &str) -> ConfigError {
        self.place.error(format!(
            "`{word}` is no value of `{}`: expected {expected}",
            self.shown
        ))
    }

    fn none(&self) -> ConfigError {
        self.place.error(format!("`{}` needs a value", self.shown))
    }

    /// The only word.
    fn one(&self) -> Result<String, ConfigError> {
        match self.words {
            [word] if !word.is_empty() => Ok(word.clone()),
            [] | [_] => Err(self.none()),
            [_, more, ..] => Err(self.place.error(format!(
                "`{}` has one value, and `{more}` is a second one",
                self.shown
            ))),
        }
    }

    /// All words.
    fn all(&self) -> Result<Vec<String>, ConfigError> {
        if self.words.is_empty() || self.words.iter().any(String::is_empty) {
            return Err(self.none());
        }
        Ok(self.words.to_vec())
    }

    fn path(&self) -> Result<String, ConfigError> {
        let path = self.one()?;
        self.tokens(&path, Allowed::PATH)?;
        Ok(path)
    }

    fn paths(&self) -> Result<Vec<String>, ConfigError> {
        let paths = self.all()?;
        for path in &paths {
            self.tokens(path, Allowed::PATH)?;
        }
        Ok(paths)
    }

    fn tokens(&self, text: &str, allowed: Allowed) -> Result<(), ConfigError> {
        match tokens::first_unknown(text, allowed) {
            None => Ok(()),
            Some(token) => Err(self.place.error(format!(
                "`{token}` stands for nothing in `{}`; known are {}",
                self.shown,
                allowed.list()
            ))),
        }
    }

    fn algorithms(&self, keyword: &'static str) -> Result<Setting, ConfigError> {
        let text = self.one()?;
        let choice = Choice::read(&text);
        if let Some(choice) = &choice
            && !leaves_some(choice, keyword)
        {
            let error = self.place.error(format!(
                "`{}` leaves nothing that hadeploy can do",
                self.shown
            ));
            return Err(error.help(format!("it can do {}", usual(keyword).join(", "))));
        }
        Ok(Setting::Algorithms(keyword, choice))
    }

    fn flag(&self) -> Result<bool, ConfigError> {
        let word = self.one()?;
        match word.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(self.bad(&word, "yes or no")),
        }
    }

    fn port(&self) -> Result<u16, ConfigError> {
        let word = self.one()?;
        let port = word.parse().ok().filter(|port| *port > 0);
        port.ok_or_else(|| self.bad(&word, "a number from 1 to 65535"))
    }

    fn address(&self) -> Result<IpAddr, ConfigError> {
        let word = self.one()?;
        word.parse()
            .map_err(|_| self.bad(&word, "an IP address of this machine"))
    }

    fn count(&self) -> Result<usize, ConfigError> {
        let word = self.one()?;
        word.parse::<u32>()
            .map(|count| count as usize)
            .map_err(|_| self.bad(&word, "a number"))
    }

    /// `none` is none.
    fn time(&self) -> Result<Option<Duration>, ConfigError> {
        let word = self.one()?;
        if word == "none" {
            return Ok(None);
        }
        let time = duration(&word).ok_or_else(|| self.bad(&word, "a time in seconds"))?;
        Ok(Some(time))
    }

    fn family(&self) -> Result<AddressFamily, ConfigError> {
        let word = self.one()?;
        match word.to_ascii_lowercase().as_str() {
            "any" => Ok(AddressFamily::Any),
            "inet" => Ok(AddressFamily::V4),
            "inet6" => Ok(AddressFamily::V6),
            _ => Err(self.bad(&word, "any, inet or inet6")),
        }
    }

    fn checking(&self) -> Result<HostKeyChecking, ConfigError> {
        let word = self.one()?;
        word.parse()
            .map_err(|()| self.bad(self.rest, "yes, accept-new or no"))
    }
}

/// `30`, `30s`, `2m`, `1h`, `1d`, `1w`; parts add up. OpenSSH holds it in 31 bits.
fn duration(value: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number = String::new();
    for c in value.chars() {
        let unit = match c.to_ascii_lowercase() {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    if !number.is_empty() {
        total = total.checked_add(number.parse().ok()?)?;
    }
    (!value.is_empty() && total <= i32::MAX as u64).then(|| Duration::from_secs(total))
}
