//! `modprobe`: a module of the kernel, now and at each start of the node.

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};

/// Loads a module of the kernel, or takes it out. With `persistent: present` it is loaded at each start too, by files that bear its name in
/// /etc/modules-load.d and /etc/modprobe.d. What a module brings, such as keys for `sysctl`, is seen by the tasks behind it.
///
/// # Differs from Ansible
/// - a module that the kernel has in itself cannot be taken out: `state: absent` fails and says so
///
/// # Needs
/// - the package `kmod` on the node, and a machine with a kernel of its own: in a container nothing is loaded
///
/// # Returns
/// - `name`: the module
/// - `params`: its parameters
/// - `state`: `present` or `absent`
///
/// # Examples
/// ```yaml
/// - name: bridged packets pass the packet filter
///   modprobe: { name: br_netfilter, persistent: present }
/// - name: with parameters
///   modprobe: { name: dummy, params: numdummies=2, persistent: present }
/// ```
pub static MODPROBE: Kind = Kind {
    name: "modprobe",
    aliases: &["community.general.modprobe"],
    summary: "loads a module of the kernel, now and at each start",
    params: &[
        Param::new("name", ParamType::Str, "The module.").required(),
        Param::new("params", ParamType::Str, "Its parameters, `KEY=VALUE` with blanks between them. A module that is loaded already keeps its own."),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether it is loaded now.").default("present"),
        Param::new(
            "persistent",
            ParamType::Choice(&["disabled", "present", "absent"]),
            "Whether it is loaded at each start: `disabled` leaves that as it is; `absent` makes the lines that name it comments.",
        )
        .default("disabled"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| bind(args),
};

const PROGRAM: &str = "/usr/sbin/modprobe";
const LOAD: &str = "/etc/modules-load.d";
const OPTIONS: &str = "/etc/modprobe.d";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if let Some(name) = args.literal("name")
        && (name.is_empty() || !name.chars().all(plain))
    {
        let place = args.value_place("name");
        faults.push(Diagnostic::at(
            place,
            format!("`{name}` cannot be the name of a module"),
        ));
    }
    for word in args
        .literal("params")
        .unwrap_or_default()
        .split_whitespace()
    {
        if word.split_once('=').is_none_or(|(key, _)| key.is_empty()) {
            let place = args.value_place("params");
            faults.push(Diagnostic::at(
                place,
                format!("`{word}` is not `KEY=VALUE`"),
            ));
        }
    }
    faults
}

fn bind(args: &Args) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let words = args.str("params").unwrap_or_default().split_whitespace();
    Ok(Box::new(Module {
        name: args.str("name").unwrap_or_default().to_owned(),
        text: args.str("params").unwrap_or_default().to_owned(),
        params: words.map(str::to_owned).collect(),
        present: args.str("state") != Some("absent"),
        persistent: match args.str("persistent") {
            Some("present") => Some(true),
            Some("absent") => Some(false),
            _ => None,
        },
    }))
}

/// A module that is to be loaded, or not.
struct Module {
    name: String,
    text: String,
    params: Vec<String>,
    present: bool,
    persistent: Option<bool>,
}

/// What the node says of a module.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Found {
    loaded: bool,
    builtin: bool,
    /// Files that have it loaded at each start.
    load: Vec<String>,
    /// Files that give it parameters, each with one.
    options: Vec<(String, String)>,
}

impl Found {
    fn read(text: &str) -> Found {
        let mut found = Found::default();
        for line in text.lines() {
            let mut words = line.splitn(3, '\t');
            match (words.next(), words.next(), words.next()) {
                (Some("loaded"), ..) => found.loaded = true,
                (Some("builtin"), ..) => found.builtin = true,
                (Some("load"), Some(file), _) => found.load.push(file.to_owned()),
                (Some("option"), Some(file), Some(word)) => {
                    found.options.push((file.to_owned(), word.to_owned()));
                }
                _ => {}
            }
        }
        found
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if self.loaded {
            text.push_str("loaded\n");
        }
        if self.builtin {
            text.push_str("builtin\n");
        }
        for file in &self.load {
            text.push_str(&format!("load\t{file}\n"));
        }
        for (file, word) in &self.options {
            text.push_str(&format!("option\t{file}\t{word}\n"));
        }
        text
    }

    fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.options.iter().map(|(_, word)| word.clone()).collect();
        words.sort();
        words.dedup();
        words
    }
}

impl Resource for Module {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let probe = self.question();
        known.need([
            Question::Path(PROGRAM.into()),
            Question::Probe(probe.as_str().into()),
        ])?;
        let found = Found::read(&String::from_utf8_lossy(known.probe(&probe)?));
        let mut end = found.clone();
        let mut change = Change::new(Action::Update);
        let there = found.loaded || found.builtin;
        if self.present != there {
            if known.path(PROGRAM)?.stat.is_none() {
                return Ok(Change::blocked("the node has no `modprobe`").help(
                    "install the package `kmod` with an `apt` task before this one; a container uses the modules of its host",
                ));
            }
            end.loaded = self.present;
            change.action = if self.present {
                Action::Create
            } else {
                Action::Delete
            };
            change = change
                .field(Field::value("state", word(there), word(self.present)))
                .step(self.load());
        }
        if !self.present && found.builtin {
            return Ok(
                Change::failed(format!("the kernel has `{}` in itself", self.name))
                    .help("it cannot be taken out; a parameter of the kernel may turn it off"),
            );
        }
        if let Some(persistent) = self.persistent {
            change = self.kept(change, &found, &mut end, persistent);
        }
        if let Some(step) = change.steps.last_mut() {
            let answer = Answer::Probe(end.text().into_bytes().into());
            step.predicts
                .push((Question::Probe(probe.as_str().into()), answer));
        } else {
            change = Change::none(match self.present {
                true => "it is loaded",
                false => "it is not loaded",
            });
        }
        Ok(change
            .result("name", self.name.as_str())
            .result("params", self.text.as_str())
            .result("state", word(self.present)))
    }
}

fn word(present: bool) -> &'static str {
    if present { "present" } else { "absent" }
}

impl Module {
    /// The kernel writes names with `_`; files may have either.
    fn pattern(&self) -> String {
        self.name.replace(['-', '_'], "[-_]")
    }

    fn question(&self) -> String {
        let pattern = self.pattern();
        format!(
            "module {name}\ngrep -q {loaded} /proc/modules && echo loaded\n\
             grep -q {builtin} \"/lib/modules/$(uname -r)/modules.builtin\" 2>/dev/null && echo builtin\n\
             for f in {LOAD}/*; do [ ! -f \"$f\" ] || ! grep -Eq {load} \"$f\" || printf 'load\\t%s\\n' \"$f\"; done\n\
             for f in {OPTIONS}/*; do [ ! -f \"$f\" ] || sed -nE {options} \"$f\" | tr -s ' \\t' '\\n\\n' | grep = | while IFS= read -r w; do printf 'option\\t%s\\t%s\\n' \"$f\" \"$w\"; done; done\n:",
            name = self.name,
            loaded = quote(&format!("^{} ", self.name.replace('-', "_"))),
            builtin = quote(&format!("/{pattern}[.]ko")),
            load = quote(&format!("^[ \\t]*{pattern}[ \\t]*([#;].*)?$")),
            options = quote(&format!(
                "s/^[ \\t]*options[ \\t]+{pattern}[ \\t]+([^#;]*).*/\\1/p"
            )),
        )
    }

    fn load(&self) -> Step {
        let loaded = format!(
            "grep -q {} /proc/modules",
            quote(&format!("^{} ", self.name.replace('-', "_")))
        );
        let (title, command, check) = match self.present {
            true => (
                format!("load {}", self.name),
                Command::new(PROGRAM)
                    .arg("--")
                    .arg(&self.name)
                    .args(self.params.iter().cloned()),
                format!("{loaded} || {{ printf absent; exit 1; }}"),
            ),
            false => (
                format!("take out {}", self.name),
                Command::new(PROGRAM).arg("-r").arg("--").arg(&self.name),
                format!("! {loaded} || {{ printf present; exit 1; }}"),
            ),
        };
        Step::new(title, command.to_string())
            .touch(Touch::Path("/proc/sys".to_owned()))
            .touch(Touch::Path("/sys/module".to_owned()))
            .verify(Expect::Check {
                field: "state".to_owned(),
                script: check,
            })
    }

    /// Adds what has it loaded at each start, or not.
    fn kept(&self, mut change: Change, found: &Found, end: &mut Found, persistent: bool) -> Change {
        let mut wanted = self.params.clone();
        wanted.sort();
        let pattern = self.pattern();
        let mut lines = Vec::new();
        let comment = |files: &mut Vec<&String>, expression: String| -> Vec<String> {
            files.sort();
            files.dedup();
            let line =
                |file: &&String| format!("sed -i -E {} -- {}", quote(&expression), quote(file));
            files.iter().map(line).collect()
        };
        let (load, options) = (
            format!("{LOAD}/{}.conf", self.name),
            format!("{OPTIONS}/{}.conf", self.name),
        );
        if persistent && found.load.is_empty() {
            lines.push(write(&load, &format!("{}\n", self.name)));
            end.load = vec![load.clone()];
            change = change.field(Field::value("persistent", "absent", "present"));
        } else if !persistent && !found.load.is_empty() {
            let mut files: Vec<&String> = found.load.iter().collect();
            lines.extend(comment(
                &mut files,
                format!("s/^[ \\t]*{pattern}[ \\t]*([#;].*)?$/#&/"),
            ));
            end.load.clear();
            change = change.field(Field::value("persistent", "present", "absent"));
        }
        let wanted = if persistent { wanted } else { Vec::new() };
        if found.words() != wanted {
            let mut files: Vec<&String> = found.options.iter().map(|(file, _)| file).collect();
            lines.extend(comment(
                &mut files,
                format!("s/^[ \\t]*options[ \\t]+{pattern}[ \\t]/#&/"),
            ));
            end.options = wanted
                .iter()
                .map(|word| (options.clone(), word.clone()))
                .collect();
            if !wanted.is_empty() {
                let text = format!("options {} {}\n", self.name, self.params.join(" "));
                lines.push(write(&options, &text));
            }
            change = change.field(Field::value(
                "params",
                found.words().join(" "),
                wanted.join(" "),
            ));
        }
        if lines.is_empty() {
            return change;
        }
        let title = match persistent {
            true => format!("have {} loaded at each start", self.name),
            false => format!("have {} loaded at no start", self.name),
        };
        let check = format!(
            "found=$(\n{}\n)\nprintf '%s\\n' \"$found\" | grep -Ev '^(loaded|builtin)$' | LC_ALL=C sort | {{ found=$(cat); [ \"$found\" = {} ] || {{ printf %s \"$found\"; exit 1; }}; }}",
            self.question()
                .split_once('\n')
                .map_or("", |(_, script)| script),
            quote(&sorted(end))
        );
        let step = Step::new(title, lines.join(" &&\n"))
            .touch(Touch::Path(LOAD.to_owned()))
            .touch(Touch::Path(OPTIONS.to_owned()))
            .verify(Expect::Check {
                field: "persistent".to_owned(),
                script: check,
            });
        change.step(step)
    }
}

/// The lines about files, in one order.
fn sorted(found: &Found) -> String {
    let files = Found {
        loaded: false,
        builtin: false,
        ..found.clone()
    };
    let text = files.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Writes a file beside its place, and renames it.
fn write(path: &str, text: &str) -> String {
    format!(
        "mkdir -p -- {folder} &&\nprintf %s {text} >{path}.hadeploy-\"$TAG\" && chmod 0644 -- {path}.hadeploy-\"$TAG\" && mv -fT -- {path}.hadeploy-\"$TAG\" {path}",
        folder = quote(path.rsplit_once('/').map_or("/", |(folder, _)| folder)),
        text = quote(text),
        path = quote(path)
    )
}
