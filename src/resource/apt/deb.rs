//! `deb`: a package in a file of the node.

use std::sync::Arc;

use super::script::{self, Options};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PackageInfo, Question};
use crate::resource::{Args, Resource};

/// A package in a file that is to be installed.
pub(super) struct Deb {
    path: Arc<str>,
    question: Arc<str>,
    downgrade: bool,
    flags: Vec<String>,
    options: Options,
}

/// What does not go with `deb`.
pub(super) fn faults(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["deb", "name"]);
    if args.has("deb") {
        for state in ["absent", "latest"] {
            if args.literal("state") == Some(state) {
                faults.push(
                    Diagnostic::at(
                        args.value_place("state"),
                        format!("`deb` cannot be `{state}`"),
                    )
                    .help("it installs the version in the file; remove a package by its `name`"),
                );
            }
        }
    }
    if args.literal("deb").is_some_and(|path| path.contains("://")) {
        faults.push(
            Diagnostic::at(args.value_place("deb"), "`deb` is a file of the node")
                .help("fetch the package with `get_url` and its `checksum` first"),
        );
    } else if args
        .literal("deb")
        .is_some_and(|path| !path.starts_with('/'))
    {
        faults.push(
            Diagnostic::at(args.value_place("deb"), "`deb` must be an absolute path")
                .help("it is a file of the node: bring it there with `copy` or `get_url` first"),
        );
    }
    faults
}

/// Asks for name and version in the file, what is installed of it, and how the two compare.
const READ: &str = r#"[ -f "$f" ] || { echo absent; exit; }
p=$(dpkg-deb -f "$f" Package 2>/dev/null) && [ -n "$p" ] || { echo broken; exit; }
v=$(dpkg-deb -f "$f" Version)
h=$(dpkg-query -W -f '${db:Status-Abbrev}|${Version}' -- "$p" 2>/dev/null)
case $h in ?i\ *) h=${h#*|};; *) h=;; esac
c=older
[ -z "$h" ] || ! dpkg --compare-versions "$h" eq "$v" || c=same
[ -z "$h" ] || ! dpkg --compare-versions "$h" gt "$v" || c=newer
printf '%s %s %s %s\n' "$p" "$v" "$c" "$h""#;

impl Deb {
    pub(super) fn new(path: &str, downgrade: bool, flags: Vec<String>, options: Options) -> Deb {
        Deb {
            question: format!("package in {path}\nf={}\n{READ}", quote(path)).into(),
            path: path.into(),
            downgrade,
            flags,
            options,
        }
    }
}

impl Resource for Deb {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(self.question.clone())])?;
        let answer = String::from_utf8_lossy(known.probe(&self.question)?).into_owned();
        let words: Vec<&str> = answer.split_whitespace().collect();
        let (name, version, compared, installed) = match words.as_slice() {
            ["broken"] => {
                return Ok(
                    Change::failed(format!("`{}` is no Debian package", self.path))
                        .help("see what `dpkg-deb --info` says of it on the node"),
                );
            }
            [name, version, compared] => (*name, *version, *compared, ""),
            [name, version, compared, installed] => (*name, *version, *compared, *installed),
            _ => {
                return Ok(Change::blocked(format!("`{}` does not exist", self.path))
                    .help("bring it to the node with `copy` or `get_url` before this task"));
            }
        };
        if compared == "same" {
            return Ok(Change::none(format!("{name} {version} is installed")));
        }
        if compared == "newer" && !self.downgrade {
            return Ok(Change::none(format!(
                "{name} {installed} is installed, which is newer than {version}"
            )));
        }
        let mut run = vec!["install".to_owned()];
        run.extend(self.flags.iter().cloned());
        run.push(self.path.to_string());
        let info = PackageInfo {
            installed: true,
            version: Some(version.into()),
            ..PackageInfo::ABSENT
        };
        let step = Step::new(
            format!("install {}", self.path),
            script::run(&self.options, &run),
        )
        .touch(Touch::Everything)
        .verify(Expect::Check {
            field: name.to_owned(),
            script: script::installed(name, Some(version)),
        })
        .predict(Question::Package(name.into()), Answer::Package(info))
        .predict(
            Question::Probe(self.question.clone()),
            Answer::Probe(
                format!("{name} {version} same {version}\n")
                    .into_bytes()
                    .into(),
            ),
        );
        let change = Change::new(match installed {
            "" => Action::Create,
            _ => Action::Update,
        });
        Ok(change
            .field(Field::value(name, installed, version))
            .step(step))
    }
}
