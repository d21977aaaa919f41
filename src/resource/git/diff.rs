//! How a repository on the node differs from what is wanted.

use serde_json::Map;

use super::super::Resource;
use super::super::attributes::homeless;
use super::super::folders;
use super::super::place::parent;
use super::Git;
use super::ask::{Answer, is_told, question, without_login};
use super::script::{Goal, sync};
use crate::change::{ActOutput, Action, Change, Field, Interpreted, Reading, Step, Touch};
use crate::diagnostic::count;
use crate::fact::{Known, Missing, Question};

const PROGRAM: &str = "/usr/bin/git";
const SSH: &str = "/usr/bin/ssh";

impl Resource for Git {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let probe = question(self);
        let above = parent(&self.dest).unwrap_or("/");
        let mut questions = folders::questions(above);
        questions.extend([
            Question::Path(self.dest.clone()),
            Question::Path(PROGRAM.into()),
            Question::Probe(probe.as_str().into()),
        ]);
        questions.extend(self.by_ssh().then(|| Question::Path(SSH.into())));
        known.need(questions)?;
        let info = known.path(&self.dest)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        let programs = [("git", PROGRAM, "git"), ("ssh", SSH, "openssh-client")];
        for (name, program, package) in programs.into_iter().take(1 + usize::from(self.by_ssh())) {
            if known.path(program)?.stat.is_none() {
                return Ok(
                    Change::blocked(format!("the node has no `{name}`")).help(format!(
                        "install the package `{package}` with an `apt` task before this one"
                    )),
                );
            }
        }
        let missing = match folders::missing(known, above)? {
            Ok(missing) => missing,
            Err(change) => return Ok(change),
        };
        let answer = Answer::read(&String::from_utf8_lossy(known.probe(&probe)?));
        let goal = match self.goal(&answer) {
            Ok(goal) => goal,
            Err(change) => return Ok(*change),
        };
        let change = match &*answer.state {
            "repo" if !answer.refused.is_empty() => self.refused(&answer),
            "repo" if !self.update => self.told(
                Change::none("it is there, and `update` is false"),
                &answer,
                answer.head.as_deref(),
            ),
            "repo" => self.updated(&answer, goal),
            "none" | "empty" if !self.clone => self.told(
                Change::none("it is not there, and `clone` is false"),
                &answer,
                goal.commit.as_deref(),
            ),
            "none" | "empty" => self.cloned(&answer, goal, &missing),
            "other" => Change::failed(format!("`{}` is not empty, and no repository", self.dest))
                .help("remove what is there with a `file` task, or choose another `dest`"),
            _ => Change::blocked(format!(
                "git could not be asked as `{}`: is there such an account?",
                self.user
            )),
        };
        Ok(change)
    }
}

impl Git {
    /// What is wanted, as far as the remote says it.
    fn goal(&self, answer: &Answer) -> Result<Goal, Box<Change>> {
        if self.is_pinned() {
            return Ok(Goal {
                commit: Some(self.version.to_ascii_lowercase()),
                ..Goal::default()
            });
        }
        if let Some((commit, branch)) = answer.wanted(&self.version) {
            return Ok(Goal {
                commit: Some(commit),
                branch,
                foreseen: false,
            });
        }
        // It may be the beginning of a commit, or what a refspec brings.
        let hex = self.version.len() >= 4 && self.version.chars().all(|c| c.is_ascii_hexdigit());
        let asked = self.update || answer.state != "repo";
        if answer.silent.is_empty() && asked && !hex && self.refspec.is_none() && !self.bare {
            if self.version == "HEAD" {
                return Err(Box::new(Change::blocked(format!(
                    "`{}` has no commit yet",
                    without_login(&self.repo)
                ))));
            }
            let message = format!(
                "`{}` has no branch or tag `{}`",
                without_login(&self.repo),
                self.version
            );
            return Err(Box::new(
                Change::blocked(message).help("correct `version`, or push it first"),
            ));
        }
        Ok(Goal::default())
    }

    /// git does not read what is there.
    fn refused(&self, answer: &Answer) -> Change {
        let change = Change::failed(format!(
            "git does not read `{}` as `{}`: {}",
            self.dest, self.user, answer.refused
        ));
        match answer.refused.contains("ownership") {
            true => change.help("let the task act as its owner with `become_user`, or give it to this account with a `file` task with `recurse: true`"),
            false => change.help("remove it with a `file` task to have it cloned anew"),
        }
    }

    fn cloned(&self, answer: &Answer, goal: Goal, missing: &[String]) -> Change {
        let mut change = Change::new(Action::Create).field(Field::value(
            "version",
            "",
            goal.commit.as_deref().unwrap_or(&self.version),
        ));
        let mut step = self.step(
            format!("clone {}", without_login(&self.repo)),
            Goal {
                foreseen: true,
                ..goal.clone()
            },
        );
        for folder in missing {
            step = step.touch(Touch::NewFolder(folder.clone()));
        }
        change = change.step(step).reading(Reading::new(read).foreseen());
        self.silent(self.told(change, answer, goal.commit.as_deref()), answer)
    }

    fn updated(&self, answer: &Answer, goal: Goal) -> Change {
        if answer.dirty > 0 && !self.force {
            return Change::failed(format!(
                "{} in `{}` {} altered by hand",
                count(usize::try_from(answer.dirty).unwrap_or(usize::MAX), "file"),
                self.dest,
                if answer.dirty == 1 { "was" } else { "were" }
            ))
            .help("commit or take back what was altered, or write `force: true` to throw it away");
        }
        let mut change = Change::new(Action::Update);
        if answer.url != self.repo {
            change = change.field(Field::value(
                "repo",
                without_login(&answer.url),
                without_login(&self.repo),
            ));
        }
        if answer.dirty > 0 {
            change = change.field(Field::value("altered", answer.dirty.to_string(), "0"));
        }
        match (&goal.commit, self.bare) {
            (_, true) => {
                let behind = answer.behind();
                if behind > 0 {
                    change = change.field(Field::value("refs", count(behind, "other"), "as there"));
                }
            }
            (Some(commit), false) if answer.head.as_ref() != Some(commit) => {
                let before = answer.head.as_deref().unwrap_or_default();
                change = change.field(Field::value("version", before, commit.as_str()));
            }
            (Some(_), false) if goal.branch.is_some() && goal.branch != answer.branch => {
                let branch = |branch: &Option<String>| branch.clone().unwrap_or_default();
                change = change.field(Field::value(
                    "branch",
                    branch(&answer.branch),
                    branch(&goal.branch),
                ));
            }
            _ => {}
        }
        if answer.submodules {
            change = change.field(Field::value("submodules", "others", "as named"));
        }
        // The beginning of the commit that is checked out.
        let here = |head: &String| goal.commit.is_none() && head.starts_with(&self.version);
        let sure = goal.commit.is_some()
            || (self.bare && answer.silent.is_empty())
            || answer.head.as_ref().is_some_and(here);
        let foreseen = !change.fields.is_empty();
        if !foreseen && sure {
            let change = Change::none("it is at the version");
            return self.told(change, answer, answer.head.as_deref());
        }
        let after = goal.commit.clone();
        let step = self.step(format!("update {}", self.dest), Goal { foreseen, ..goal });
        let reading = match foreseen {
            true => Reading::new(read).foreseen(),
            false => Reading::new(read),
        };
        let change = change.step(step).reading(reading);
        self.silent(self.told(change, answer, after.as_deref()), answer)
    }

    fn step(&self, title: String, goal: Goal) -> Step {
        let mut step = Step::new(title, sync(self, &goal))
            .touch(Touch::Path(self.dest.to_string()))
            .cut();
        step.act = true;
        step
    }

    /// Says that the remote did not answer: an apply may have what the question had not.
    fn silent(&self, change: Change, answer: &Answer) -> Change {
        match answer.silent.is_empty() {
            true => change,
            false => change.warning(format!(
                "what `{}` has could not be read beforehand: {}",
                without_login(&self.repo),
                answer.silent
            )),
        }
    }

    fn told(&self, change: Change, answer: &Answer, after: Option<&str>) -> Change {
        change
            .result("before", answer.head.clone())
            .result("after", after)
            .result(
                "remote_url_changed",
                answer.state == "repo" && answer.url != self.repo,
            )
    }
}

/// What the script printed; none when it was ended before it could.
fn read(output: &ActOutput) -> Option<Interpreted> {
    if output.rc != 0 {
        let said = String::from_utf8_lossy(output.stderr);
        let lines = said.lines().filter(|line| is_told(line));
        let last: Vec<&str> = lines.collect();
        let message = last[last.len().saturating_sub(4)..].join("; ");
        return (!message.is_empty()).then(|| Interpreted {
            message: without_login(&message),
            help: help(&message).map(str::to_owned),
            ..Interpreted::default()
        });
    }
    let text = String::from_utf8_lossy(output.stdout);
    let mut result = Map::new();
    let mut changed = false;
    for line in text.lines() {
        let (key, value) = line.split_once(' ')?;
        match key {
            "changed" => changed = value == "1",
            "moved" => {
                result.insert("remote_url_changed".to_owned(), (value == "1").into());
            }
            _ => {
                let value = (!value.is_empty()).then_some(value);
                result.insert(key.to_owned(), value.into());
            }
        }
    }
    let after = result.get("after")?.as_str().unwrap_or_default().to_owned();
    Some(Interpreted {
        changed,
        message: format!("at {after}"),
        help: None,
        result,
    })
}

/// What to do about the commonest failures.
fn help(message: &str) -> Option<&'static str> {
    let says = |part: &str| message.contains(part);
    Some(match () {
        () if says("Host key verification failed") => {
            "keep the server's key with a `known_hosts` task before this one, or write `accept_newhostkey: true`"
        }
        () if says("Permission denied (publickey") => {
            "the server takes no key of this account: give `key_file`, or add its public key there"
        }
        () if says("terminal prompts disabled") => {
            "the server asks for a password: use SSH with `key_file`, or a credential helper on the node"
        }
        () if says("dubious ownership") => {
            "the repository belongs to another account: act as that one with `become_user`"
        }
        () if says("untracked working tree files would be overwritten") => {
            "remove those files, or write `force: true`"
        }
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read() {
        let output = |rc, stdout, stderr| ActOutput { rc, stdout, stderr };
        let read = |rc, out: &'static [u8], err: &'static [u8]| read(&output(rc, out, err));
        let end = read(0, b"before \nafter abc\nmoved 0\nchanged 1\n", b"").expect("it is read");
        assert!(end.changed);
        assert_eq!(end.result["before"], serde_json::Value::Null);
        assert_eq!(end.result["after"], "abc");
        let end =
            read(128, b"", b"Host key verification failed.\nfatal: no\n").expect("it is read");
        assert!(end.help.is_some_and(|help| help.contains("known_hosts")));
        assert!(read(143, b"", b"").is_none());
    }
}
