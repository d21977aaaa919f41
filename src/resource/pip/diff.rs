//! How the packages on the node differ from what is wanted.

use serde_json::Map;

use super::super::Resource;
use super::ask::{Answer, Item, normal};
use super::{Pip, State};
use crate::change::{ActOutput, Action, Change, Field, Interpreted, Reading, Step, Touch};
use crate::command::quote;
use crate::diagnostic::list;
use crate::fact::{Known, Missing, Question};

impl Resource for Pip {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let probe = self.question();
        known.need([Question::Probe(probe.as_str().into())])?;
        let answer = Answer::read(&String::from_utf8_lossy(known.probe(&probe)?));
        let change = match &*answer.state {
            "none" if self.state == State::Absent => Change::none("there is no such environment"),
            "none" if self.command.is_none() && !answer.makes => {
                Change::blocked("the node cannot make virtual environments")
                    .help("install the package `python3-venv` with an `apt` task before this one")
            }
            "none" => self.made(),
            "there" if self.state == State::Absent => self.removed(&answer),
            "there" => self.installed(&answer),
            "nopython" => Change::blocked("the node has no Python")
                .help("install the package `python3-venv` with an `apt` task before this one"),
            "nopip" => match &self.virtualenv {
                Some(path) => Change::failed(format!("the environment `{path}` has no pip"))
                    .help("remove it with a `file` task to have it made anew"),
                None => Change::blocked("the node has no pip").help(
                    "install the package `python3-pip` with an `apt` task before this one, or give `virtualenv`",
                ),
            },
            _ => Change::blocked(format!(
                "pip could not be asked as `{}`: is there such an account?",
                self.user
            )),
        };
        Ok(self.told(change))
    }
}

impl Pip {
    /// The environment is not there yet.
    fn made(&self) -> Change {
        let path = self.virtualenv.as_deref().unwrap_or_default();
        let mut make: Vec<String> = match (&self.command, &self.python) {
            (Some(command), _) => command.iter().map(|word| quote(word)).collect(),
            (None, Some(python)) => vec![quote(python), "-m venv".to_owned()],
            (None, None) => vec![super::VENV.to_owned()],
        };
        if self.site_packages {
            make.push("--system-site-packages".to_owned());
        }
        if let (Some(_), Some(python)) = (&self.command, &self.python) {
            make.push(format!("-p {}", quote(python)));
        }
        let make = format!("{} \"$d\" >&2 || exit\n", make.join(" "));
        let fields = [
            Field::value("virtualenv", "", path),
            Field::value("packages", "", self.asked()),
        ];
        let mut change = Change::new(Action::Create);
        for field in fields {
            change = change.field(field);
        }
        let step = self.step(
            &format!("make {path} and install {}", self.asked()),
            |pip| format!("{make}{}", self.install(pip, &[])),
        );
        change.step(step).reading(Reading::new(read).foreseen())
    }

    fn installed(&self, answer: &Answer) -> Change {
        let there = |item: &&Item| {
            item.direct
                && self.state != State::Anew
                && answer.version(&item.name) == Some(&item.version)
        };
        let title = format!("install {}", self.asked());
        let Some(would) = &answer.would else {
            let step = self.step(&title, |pip| self.install(pip, &[]));
            let foreseen = self.state == State::Anew;
            let reading = Reading::new(read);
            return Change::new(Action::Update)
                .step(step)
                .reading(if foreseen {
                    reading.foreseen()
                } else {
                    reading
                })
                .warning(format!(
                    "what pip would install could not be read beforehand: {}",
                    match answer.silent.is_empty() {
                        true => "it did not answer",
                        false => &answer.silent,
                    }
                ));
        };
        let would: Vec<&Item> = would.iter().filter(|item| !there(item)).collect();
        if would.is_empty() {
            return Change::none("all packages are as wanted");
        }
        let mut change = Change::new(Action::Update);
        for item in &would {
            let before = answer.version(&item.name).unwrap_or_default();
            change = change.field(Field::value(&item.name, before, item.version.as_str()));
        }
        let step = self.step(&title, |pip| self.install(pip, &would));
        change.step(step).reading(Reading::new(read).foreseen())
    }

    fn removed(&self, answer: &Answer) -> Change {
        let mut change = Change::new(Action::Delete);
        for name in &self.names {
            let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let name = &name[..end.unwrap_or(name.len())];
            if let Some(version) = answer.version(name) {
                change = change.field(Field::value(normal(name), version, ""));
            }
        }
        let foreseen = !change.fields.is_empty();
        if !foreseen && self.requirements.is_none() {
            return Change::none("none of the packages is there");
        }
        let names = change.fields.iter().map(|field| quote(field.name()));
        let mut words: Vec<String> = self.extra.iter().map(|word| quote(word)).collect();
        words.extend(
            self.requirements
                .iter()
                .map(|file| format!("-r {}", super::super::command::words::tilde(file))),
        );
        words.extend(names);
        let title = format!("remove {}", self.asked());
        let step = self.step(&title, |pip| {
            format!("{pip} uninstall -y {} >&2 || exit\n", words.join(" "))
        });
        let reading = Reading::new(read);
        change.step(step).reading(if foreseen {
            reading.foreseen()
        } else {
            reading
        })
    }

    /// Installs, and looks whether what was foreseen came.
    fn install(&self, pip: &str, foreseen: &[&Item]) -> String {
        let mut text = format!("{pip} install {} >&2 || exit\n", self.wanted());
        if self.state == State::Anew {
            text.push_str("changed=1\n");
        }
        for item in foreseen {
            let line = quote(&format!("{}=={}", item.name, item.version));
            text.push_str(&format!(
                "{pip} list --format=freeze 2>/dev/null | grep -qixF -- {line} || {{ echo {line} 'did not come' >&2; exit 1; }}\n"
            ));
        }
        text
    }

    /// One step, which tells whether another list of packages came of it.
    fn step(&self, title: &str, body: impl Fn(&str) -> String) -> Step {
        let pip = self.program();
        let umask = self.umask.as_ref();
        let umask = umask.map_or(String::new(), |umask| format!("umask {umask}\n"));
        let script = format!(
            "{}{umask}changed=0\nl() {{ {pip} list --format=freeze 2>/dev/null; }}\nbefore=$(l)\n{}[ \"$before\" = \"$(l)\" ] || changed=1\nprintf 'changed %s\\n' \"$changed\"",
            self.begin(),
            body(&pip)
        );
        let touch = match &self.virtualenv {
            Some(path) => Touch::Path(path.to_string()),
            None => Touch::Everything,
        };
        let mut step = Step::new(title, script).touch(touch).cut();
        step.act = true;
        step
    }

    /// What is asked for, for people.
    fn asked(&self) -> String {
        let file = self.requirements.iter();
        let mut words: Vec<String> = file.map(|file| format!("the list `{file}`")).collect();
        if !self.names.is_empty() {
            words.push(list(self.names.iter().map(String::as_str)));
        }
        words.join(" and ")
    }

    fn told(&self, change: Change) -> Change {
        change
            .result("name", self.given.clone())
            .result("requirements", self.requirements.clone())
            .result("state", self.state.word())
            .result("version", self.version.clone())
            .result("virtualenv", self.virtualenv.as_deref().map(str::to_owned))
    }
}

/// How many lines of pip's words are told.
const LINES: usize = 3;

/// How pip ended.
fn read(output: &ActOutput) -> Option<Interpreted> {
    let said = String::from_utf8_lossy(output.stderr);
    if output.rc == 0 {
        let text = String::from_utf8_lossy(output.stdout);
        let changed = text.lines().last()? == "changed 1";
        return Some(Interpreted {
            changed,
            message: match changed {
                true => "the packages are other ones now".to_owned(),
                false => "all packages were as wanted".to_owned(),
            },
            help: None,
            result: Map::new(),
        });
    }
    let lines = || said.lines().filter(|line| !line.trim().is_empty());
    let errors: Vec<&str> = lines()
        .filter_map(|line| line.trim().strip_prefix("ERROR: "))
        .collect();
    let all: Vec<&str> = if errors.is_empty() {
        lines().collect()
    } else {
        errors
    };
    let message = all[all.len().saturating_sub(LINES)..].join("; ");
    let help = match said.contains("externally-managed-environment") {
        true => Some("give `virtualenv`, or `break_system_packages: true`".to_owned()),
        false => None,
    };
    (!message.is_empty()).then(|| Interpreted {
        message: match &help {
            Some(_) => "Debian looks after the packages of its own Python".to_owned(),
            None => message,
        },
        help,
        ..Interpreted::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read() {
        let end = |rc, stdout: &'static str, stderr: &'static str| {
            read(&ActOutput {
                rc,
                stdout: stdout.as_bytes(),
                stderr: stderr.as_bytes(),
            })
        };
        assert!(end(0, "changed 1\n", "").expect("read").changed);
        assert!(!end(0, "changed 0\n", "").expect("read").changed);
        let wrong = end(
            1,
            "",
            "Looking in links: /x\nERROR: no version\nERROR: No matching distribution found for x\n\n",
        );
        assert_eq!(
            wrong.expect("read").message,
            "no version; No matching distribution found for x"
        );
        let held = end(
            1,
            "",
            "error: externally-managed-environment\n\n× This environment\n",
        );
        assert!(
            held.expect("read")
                .help
                .is_some_and(|help| help.contains("virtualenv"))
        );
    }
}
