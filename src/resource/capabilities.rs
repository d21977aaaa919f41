//! `capabilities`: what a program may do without being root.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::homeless;
use super::place::trimmed;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};

/// Gives a program a capability of the kernel, or takes it away; what else it has stays. A package that is upgraded brings its programs without
/// them, so the task belongs behind the one that installs it.
///
/// # Differs from Ansible
/// - `=` and `+` mean the same, as the kernel keeps them
///
/// # Needs
/// - the package `libcap2-bin` on the node
///
/// # Examples
/// ```yaml
/// - name: the exporter may listen below port 1024
///   capabilities:
///     path: /usr/local/bin/exporter
///     capability: cap_net_bind_service+ep
/// - name: one that it does not need
///   capabilities:
///     path: /usr/local/bin/exporter
///     capability: cap_net_raw
///     state: absent
/// ```
pub static CAPABILITIES: Kind = Kind {
    name: "capabilities",
    aliases: &["community.general.capabilities"],
    summary: "gives a program a capability of the kernel, or takes it away",
    params: &[
        Param::new("path", ParamType::Path, "The program.")
            .required()
            .aliases(&["key"]),
        Param::new(
            "capability",
            ParamType::Str,
            "The capability, with its flags where it is given: `cap_net_raw+ep`.",
        )
        .required()
        .aliases(&["cap"]),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether the program has it.",
        )
        .default("present"),
    ],
    free_form: None,
    refused: &[],
    check: |args| {
        let given = args.literal("state") != Some("absent")
            && (args.literal("state").is_some() || !args.has("state"));
        let text = args.literal("capability");
        text.and_then(|text| read(text, given, args).err())
            .into_iter()
            .collect()
    },
    bind: |args, _| bind(args),
};

const PROGRAM: &str = "/usr/sbin/setcap";

/// A capability and its flags, in one order.
fn read(text: &str, given: bool, args: &Args) -> Result<(String, String), Diagnostic> {
    let (name, flags) = match text.split_once(['+', '=']) {
        Some((name, flags)) => (name, ordered(flags)),
        None => (text, String::new()),
    };
    let name = name.trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let place = args.value_place("capability");
    if !name.starts_with("cap_") || !name.chars().all(plain) {
        return Err(Diagnostic::at(place, format!("`{text}` is no capability"))
            .help("it is written as capabilities(7) has it, such as `cap_net_bind_service+ep`"));
    }
    let known = !flags.is_empty() && flags.chars().all(|c| "eip".contains(c));
    if given && !known {
        return Err(
            Diagnostic::at(place, format!("`{text}` does not say which flags it gets")).help(
                format!("`{name}+ep` lets the program use it from its start"),
            ),
        );
    }
    Ok((name, flags))
}

fn ordered(flags: &str) -> String {
    let mut flags: Vec<char> = flags.trim().chars().collect();
    flags.sort_unstable();
    flags.dedup();
    flags.into_iter().collect()
}

fn bind(args: &Args) -> Bound {
    let present = args.str("state") != Some("absent");
    let (name, flags) = read(args.str("capability").unwrap_or_default(), present, args)?;
    Ok(Box::new(Capability {
        path: trimmed(args.str("path").unwrap_or_default()).into(),
        name,
        flags: present.then_some(flags),
    }))
}

/// A capability that a program is to have; without flags, not.
struct Capability {
    path: Arc<str>,
    name: String,
    flags: Option<String>,
}

impl Resource for Capability {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let probe = format!(
            "capabilities {path}\nPATH=$PATH:/usr/sbin:/sbin getcap {word}",
            path = self.path,
            word = super::command::words::tilde(&self.path)
        );
        known.need([
            Question::Path(self.path.clone()),
            Question::Path(PROGRAM.into()),
            Question::Probe(probe.as_str().into()),
        ])?;
        let info = known.path(&self.path)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        let stat = info.stat.as_ref();
        if stat.is_none_or(|stat| stat.target_kind != 'f') {
            return Ok(
                Change::blocked(format!("no program `{}` is on the node", self.path)).help(
                    "install the package that brings it before this task, or correct the path",
                ),
            );
        }
        if known.path(PROGRAM)?.stat.is_none() {
            return Ok(Change::blocked("the node has no `setcap`")
                .help("install the package `libcap2-bin` with an `apt` task before this one"));
        }
        let said = String::from_utf8_lossy(known.probe(&probe)?).into_owned();
        let all = found(&said);
        let mut wanted: Vec<(String, String)> = all
            .iter()
            .filter(|(name, _)| *name != self.name)
            .cloned()
            .collect();
        if let Some(flags) = &self.flags {
            wanted.push((self.name.clone(), flags.clone()));
        }
        wanted.sort();
        if wanted == all {
            return Ok(Change::none("the program has what it is to have"));
        }
        let text = |all: &[(String, String)]| {
            let words: Vec<String> = all
                .iter()
                .map(|(name, flags)| format!("{name}={flags}"))
                .collect();
            words.join(" ")
        };
        let (before, after) = (text(&all), text(&wanted));
        let real = quote(&info.real);
        let script = match wanted.is_empty() {
            true => format!("setcap -r {real}"),
            false => format!("setcap {} {real}", quote(&after)),
        };
        let line = match wanted.is_empty() {
            true => String::new(),
            false => format!("{} {after}\n", info.real),
        };
        let action = if self.flags.is_some() {
            Action::Update
        } else {
            Action::Delete
        };
        let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let step = Step::new(format!("set the capabilities of {}", self.path), script)
            .touch(Touch::Path(self.path.to_string()))
            .predict(Question::Path(self.path.clone()), Answer::Path(info.clone()))
            .predict(
                Question::Probe(probe.as_str().into()),
                Answer::Probe(line.into_bytes().into()),
            )
            .verify(Expect::Check {
                field: "capabilities".to_owned(),
                script: format!(
                    "found=$(getcap {real})\nn=$(printf %s \"$found\" | grep -o 'cap_[a-z_]*' | sort | tr '\\n' ' ')\n[ \"$n\" = {} ] || {{ printf %s \"$found\"; exit 1; }}",
                    quote(&names.iter().map(|name| format!("{name} ")).collect::<String>())
                ),
            });
        Ok(Change::new(action)
            .field(Field::value("capabilities", before, after))
            .step(step))
    }
}

/// What `getcap` said: `PATH cap_a,cap_b=ep cap_c+i`, with ` = ` behind the path where it is old.
fn found(said: &str) -> Vec<(String, String)> {
    let line = said.trim_end();
    let Some(start) = line
        .find(" cap_")
        .or_else(|| line.find(" = cap_").map(|at| at + 2))
    else {
        return Vec::new();
    };
    // One may stand in several words: `cap_chown,cap_kill=ep cap_chown+i`.
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for word in line[start..].split_whitespace() {
        let Some((names, flags)) = word.split_once(['+', '=']) else {
            continue;
        };
        for name in names.split(',') {
            all.entry(name.to_owned()).or_default().push_str(flags);
        }
    }
    all.into_iter()
        .map(|(name, flags)| (name, ordered(&flags)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn capabilities_are_read() {
        let pair = |name: &str, flags: &str| (name.to_owned(), flags.to_owned());
        assert_eq!(
            found("/usr/bin/a b cap_net_raw,cap_chown=pe cap_kill+i\n"),
            [
                pair("cap_chown", "ep"),
                pair("cap_kill", "i"),
                pair("cap_net_raw", "ep")
            ]
        );
        assert_eq!(
            found("/usr/bin/ping = cap_net_raw+ep\n"),
            [pair("cap_net_raw", "ep")]
        );
        assert_eq!(
            found("/x cap_chown,cap_kill=ep cap_chown+i\n"),
            [pair("cap_chown", "eip"), pair("cap_kill", "ep")]
        );
        assert_eq!(found(""), []);
    }
}
