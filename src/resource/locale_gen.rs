//! `locale_gen`: which locales the node has.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::body::Body;
use super::edit::{self, Found};
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::{Diagnostic, list};
use crate::fact::{Answer, Known, Missing, Question};

/// Makes locales, or takes them away: their lines in /etc/locale.gen, and `locale-gen`. To make them takes the node some seconds each, and
/// happens once for all of a task.
///
/// # Differs from Ansible
/// - a locale that was made and whose line is missing in /etc/locale.gen gets the line: the next `locale-gen` would take it away
///
/// # Needs
/// - the package `locales` on the node
///
/// # Returns
/// - `name`: the locales
/// - `mechanism`: `glibc`
///
/// # Examples
/// ```yaml
/// - name: the package
///   apt: { name: locales }
/// - name: German and English
///   locale_gen: { name: [de_DE.UTF-8, en_GB.UTF-8] }
/// ```
pub static LOCALE_GEN: Kind = Kind {
    name: "locale_gen",
    aliases: &["community.general.locale_gen"],
    summary: "makes locales, or takes them away",
    params: &[
        Param::new(
            "name",
            ParamType::List,
            "The locales, as the first word of a line of /etc/locale.gen: `de_DE.UTF-8`.",
        )
        .required(),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether they are there.",
        )
        .default("present"),
    ],
    free_form: None,
    refused: &[],
    check: |args| {
        let bad = args.list("name").into_iter().find(|name| is_bad(name));
        let whole = args
            .get("name")
            .is_some_and(|name| name.as_list().is_some());
        bad.filter(|name| whole && !name.contains(['{', '}']))
            .map(|name| fault(name, args))
            .into_iter()
            .collect()
    },
    bind,
};

const FILE: &str = "/etc/locale.gen";
const SUPPORTED: &str = "/usr/share/i18n/SUPPORTED";
const PROGRAM: &str = "/usr/sbin/locale-gen";
const PROBE: &str = "locales\nlocale -a";
/// What the C library has in itself.
const BUILT_IN: [&str; 3] = ["C", "POSIX", "C.UTF-8"];

fn is_bad(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    name.is_empty() || !name.chars().all(plain)
}

fn fault(name: &str, args: &Args) -> Diagnostic {
    let fault = Diagnostic::at(
        args.value_place("name"),
        format!("`{name}` cannot be the name of a locale"),
    );
    match name.split_once(' ') {
        Some((first, _)) => fault.help(format!("leave the charset out: `{first}`")),
        None => {
            fault.help("it is the first word of a line of /etc/locale.gen, such as `de_DE.UTF-8`")
        }
    }
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let names = args.list("name");
    if let Some(bad) = names.iter().find(|name| is_bad(name)) {
        return Err(fault(bad, args).into());
    }
    Ok(Box::new(Locales {
        target: Target {
            dest: FILE.into(),
            attributes: Attributes::of_nobody(controller),
            follow: true,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        },
        names: names.into_iter().map(str::to_owned).collect(),
        present: args.str("state") != Some("absent"),
    }))
}

/// Locales that are to be there, or not.
struct Locales {
    target: Target,
    names: Vec<String>,
    present: bool,
}

impl Resource for Locales {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = edit::questions(&self.target);
        questions.extend([
            Question::Path(SUPPORTED.into()),
            Question::Text(SUPPORTED.into()),
            Question::Path(PROGRAM.into()),
            Question::Probe(PROBE.into()),
        ]);
        known.need(questions)?;
        if known.path(PROGRAM)?.stat.is_none() {
            return Ok(
                Change::blocked("locales need `locale-gen`, which the node has not")
                    .help("install the package `locales` with an `apt` task before this one"),
            );
        }
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => String::from_utf8_lossy(&old).into_owned(),
            Found::Not(change) => return Ok(*change),
            Found::Absent => String::new(),
        };
        let supported = known.text(SUPPORTED)?.map(|text| text.to_vec());
        let supported =
            String::from_utf8_lossy(supported.as_deref().unwrap_or_default()).into_owned();
        let made = String::from_utf8_lossy(known.probe(PROBE)?).into_owned();
        let made: BTreeSet<String> = made.lines().map(folded).collect();
        if let Some(fault) = self.unknown(&old, &supported) {
            return Ok(fault);
        }
        let names: Vec<&str> = self
            .names
            .iter()
            .map(String::as_str)
            .filter(|name| !BUILT_IN.contains(name))
            .collect();
        let new = match self.present {
            true => with(&old, &names, &supported),
            false => without(&old, &names),
        };
        let wrong: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| made.contains(&folded(name)) != self.present)
            .collect();
        let mut change = match new == old {
            true => Change::none(""),
            false => self.target.diff(known, &Body::new(new.into_bytes()))?,
        };
        if change.obstacle.is_some() {
            return Ok(change);
        }
        for name in &wrong {
            let (before, after) = match self.present {
                true => ("absent", "present"),
                false => ("present", "absent"),
            };
            change = change.field(Field::value(*name, before, after));
        }
        if !wrong.is_empty() {
            change = change.step(self.generate(&names, made));
        }
        change.action = match (change.steps.is_empty(), self.present) {
            (true, _) => Action::None,
            (false, true) => Action::Update,
            (false, false) => Action::Delete,
        };
        change.reason = match change.action {
            Action::None => "the locales are as wanted".to_owned(),
            _ => String::new(),
        };
        change.result.clear();
        Ok(change
            .result("name", self.names.clone())
            .result("mechanism", "glibc"))
    }
}

impl Locales {
    /// The failure of a locale that nobody could make.
    fn unknown(&self, file: &str, supported: &str) -> Option<Change> {
        let all = || file.lines().chain(supported.lines()).filter_map(entry);
        let known = |name: &&String| {
            BUILT_IN.contains(&name.as_str()) || all().any(|(_, found, _)| found == name.as_str())
        };
        let unknown = self.names.iter().find(|name| !known(name))?;
        if !self.present {
            return None;
        }
        let language = unknown.split(['.', '@']).next().unwrap_or_default();
        let near: BTreeSet<&str> = all()
            .map(|(_, found, _)| found)
            .filter(|found| found.starts_with(language) && !language.is_empty())
            .collect();
        let change = Change::failed(format!("there is no locale `{unknown}`"));
        Some(match near.is_empty() {
            true => change.help(format!("{SUPPORTED} of the node lists all that there are")),
            false => change.help(format!("there is {}", list(near.into_iter().take(6)))),
        })
    }

    fn generate(&self, names: &[&str], mut made: BTreeSet<String>) -> Step {
        let folded: Vec<String> = names.iter().map(|name| folded(name)).collect();
        let (title, wrong) = match self.present {
            true => (format!("make {}", names.join(", ")), "||"),
            false => (format!("take away {}", names.join(", ")), "&&"),
        };
        let checks: Vec<String> = folded
            .iter()
            .map(|name| {
                format!(
                    "printf '%s\\n' \"$all\" | grep -Fqx {} {wrong} {{ printf '%s ' {}; false=1; }}",
                    quote(name),
                    quote(name)
                )
            })
            .collect();
        for name in folded {
            match self.present {
                true => made.insert(name),
                false => made.remove(&name),
            };
        }
        let lines: String = made.iter().map(|name| format!("{name}\n")).collect();
        Step::new(title, "locale-gen")
            .touch(Touch::Path("/usr/lib/locale".to_owned()))
            .predict(
                Question::Probe(PROBE.into()),
                Answer::Probe(lines.into_bytes().into()),
            )
            .verify(Expect::Check {
                field: "locales".to_owned(),
                script: format!(
                    "all=$(locale -a | tr A-Z a-z | tr -d -)\nfalse=\n{}\n[ -z \"$false\" ]",
                    checks.join("\n")
                ),
            })
    }
}

/// As `locale -a` writes it, in small letters: `de_DE.UTF-8` is listed as `de_DE.utf8`.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "")
}

/// Whether a line is in effect, its locale and charset.
fn entry(line: &str) -> Option<(bool, &str, &str)> {
    let line = line.trim();
    let bare = line.trim_start_matches('#').trim_start();
    let mut words = bare.split_whitespace();
    let (name, charset) = (words.next()?, words.next()?);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    (words.next().is_none() && name.chars().all(plain)).then_some((bare == line, name, charset))
}

/// With the lines of these locales in effect.
fn with(text: &str, names: &[&str], supported: &str) -> String {
    let mut missing: Vec<&str> = names.to_vec();
    let active = |name: &str| {
        let mut lines = text.lines().filter_map(entry);
        lines.any(|(active, found, _)| active && found == name)
    };
    missing.retain(|name| !active(name));
    let mut found: Vec<&str> = Vec::new();
    let mut new: String = text
        .split_inclusive('\n')
        .map(|line| match entry(line) {
            Some((false, name, charset)) if missing.contains(&name) => {
                found.push(name);
                format!("{name} {charset}\n")
            }
            _ => line.to_owned(),
        })
        .collect();
    for name in missing.iter().filter(|name| !found.contains(name)) {
        let lines = supported.lines().filter_map(entry);
        for (_, _, charset) in lines.filter(|(_, found, _)| found == name) {
            if !new.is_empty() && !new.ends_with('\n') {
                new.push('\n');
            }
            new.push_str(&format!("{name} {charset}\n"));
        }
    }
    new
}

/// With these lines made comments.
fn without(text: &str, names: &[&str]) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .map(|line| match entry(line) {
            Some((true, name, charset)) if names.contains(&name) => format!("# {name} {charset}\n"),
            _ => line.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GEN: &str = "# This file lists locales.\n#\n\n# de_DE ISO-8859-1\n# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";

    #[test]
    fn lines_come_into_effect_and_go() {
        let new = with(GEN, &["de_DE.UTF-8", "en_US.UTF-8"], "");
        assert_eq!(new, GEN.replace("# de_DE.UTF-8 UTF-8", "de_DE.UTF-8 UTF-8"));
        assert_eq!(with(&new, &["de_DE.UTF-8"], ""), new);
        assert_eq!(without(&new, &["de_DE.UTF-8"]), GEN);
        assert_eq!(without(GEN, &["fr_FR.UTF-8"]), GEN);
        let added = with(
            "x",
            &["fr_FR.UTF-8"],
            "fr_FR.UTF-8 UTF-8\nfr_FR ISO-8859-1\n",
        );
        assert_eq!(added, "x\nfr_FR.UTF-8 UTF-8\n");
    }
}
