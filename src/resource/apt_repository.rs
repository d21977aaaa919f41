//! `apt_repository`: a `deb` line in `/etc/apt/sources.list` or `/etc/apt/sources.list.d/*.list`.

mod lines;

use std::sync::Arc;

use super::apt::script::{Options, update};
use super::attributes::Attributes;
use super::body::Body;
use super::copy::REFUSED_OF_FILES;
use super::edit::{self, Found};
use super::gone::gone;
use super::mode::FileMode;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Content, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, AptLists, Known, Missing, Question};

/// Keeps a `deb` line in /etc/apt/sources.list or in a `.list` file of /etc/apt/sources.list.d, and fetches the package lists when something changed.
/// A line that is commented out somewhere is used again. For a source with its key in one task, use `deb822_repository`.
///
/// # Differs from Ansible
/// - other lines and files keep their spelling
/// - a removed line is removed wherever it stands
/// - the address of a PPA is refused, and `codename`: PPAs are Ubuntu's
///
/// # Returns
/// - `repo`: the line as it was given
/// - `state`: `present` or `absent`
/// - `sources_added`: files that are made, when something changed
/// - `sources_removed`: files that go since nothing is left in them, when something changed
///
/// # Examples
/// ```yaml
/// - name: the key
///   copy:
///     src: example.asc
///     dest: /etc/apt/keyrings/example.asc
///
/// - name: the packages of example.com
///   apt_repository:
///     repo: >-
///       deb [signed-by=/etc/apt/keyrings/example.asc]
///       https://deb.example.com/debian bookworm main
///     filename: example
///
/// - name: not the sources of old.example.com
///   apt_repository:
///     repo: deb https://old.example.com/debian bookworm main
///     state: absent
/// ```
pub static APT_REPOSITORY: Kind = Kind {
    name: "apt_repository",
    aliases: &["ansible.builtin.apt_repository", "ansible.legacy.apt_repository"],
    summary: "adds or removes a `deb` line of apt's sources, and fetches the package lists",
    params: &[
        Param::new("repo", ParamType::Str, "The line: `deb [signed-by=FILE] ADDRESS SUITE COMPONENT …`, or `deb-src …`.").required(),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether the line is to be there.").default("present"),
        Param::new("filename", ParamType::Str, "The file in /etc/apt/sources.list.d without `.list`, or an absolute path; named by the address when not given."),
        Param::new("mode", ParamType::Mode, "Permissions of the file, when it is made.").default("0644"),
        Param::new("update_cache", ParamType::Bool, "Whether the package lists are fetched when a line changed. When that fails, the old lines stand again.")
            .default("true").aliases(&["update-cache"]),
        Param::new("update_cache_retries", ParamType::Int, "How often a failed download of lists is tried again.").default("5"),
        Param::new("update_cache_retry_max_delay", ParamType::Int, "Accepted; apt decides how long it waits between attempts.").default("12"),
        Param::new("install_python_apt", ParamType::Bool, "Accepted; nodes need no Python.").default("true"),
        Param::new("validate_certs", ParamType::Bool, "Accepted; in Ansible it is for PPAs.").default("true"),
    ],
    free_form: None,
    refused: &[
        ("codename", "it is for PPAs, which are Ubuntu's; write the suite into `repo`"),
        REFUSED_OF_FILES[0],
        REFUSED_OF_FILES[1],
        REFUSED_OF_FILES[2],
        REFUSED_OF_FILES[3],
        REFUSED_OF_FILES[4],
        REFUSED_OF_FILES[5],
        REFUSED_OF_FILES[6],
    ],
    check: |args| args.literal("repo").and_then(|repo| fault(repo, args)).into_iter().collect(),
    bind,
};

const MAIN: &str = "/etc/apt/sources.list";
const FOLDER: &str = "/etc/apt/sources.list.d";
const FILES: &str = "/etc/apt/sources.list.d/*.list";

fn fault(repo: &str, args: &Args) -> Option<Diagnostic> {
    let fault = |message: &str, help: &str| {
        Some(Diagnostic::at(args.value_place("repo"), message).help(help))
    };
    if repo.trim_start().starts_with("ppa:") {
        return fault(
            "a PPA is Ubuntu's, and nodes are Debian",
            "use `deb822_repository` with the address of a repository for Debian",
        );
    }
    match lines::source(repo) {
        Some(source) if lines::address(&source).is_some() => None,
        _ => fault(
            "this is no line of apt's sources",
            "write `deb [signed-by=FILE] ADDRESS SUITE COMPONENT …` or `deb-src …`",
        ),
    }
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let repo = args.str("repo").unwrap_or_default();
    if let Some(fault) = fault(repo, args) {
        return Err(fault.into());
    }
    let source = lines::source(repo).unwrap_or_default();
    let name = match args.str("filename") {
        Some(name) => format!("{name}.list"),
        None => lines::file_name(&source),
    };
    let mode = args.get("mode").and_then(FileMode::read);
    Ok(Box::new(Repository {
        file: match name.contains('/') {
            true => name.into(),
            false => format!("{FOLDER}/{name}").into(),
        },
        attributes: Attributes::of_nobody(controller),
        mode: mode.unwrap_or(FileMode::Bits(0o644)),
        repo: repo.to_owned(),
        source,
        present: args.str("state") != Some("absent"),
        fetch: args.bool("update_cache", true).then(|| {
            args.int("update_cache_retries")
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(5)
        }),
    }))
}

/// A line that is to be there, or not.
struct Repository {
    repo: String,
    /// The line with single spaces.
    source: String,
    present: bool,
    /// Where a new line goes.
    file: Arc<str>,
    attributes: Attributes,
    mode: FileMode,
    /// How often the lists are fetched; none when they are not.
    fetch: Option<u64>,
}

impl Resource for Repository {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let own = self.target(&self.file, true);
        let mut questions = edit::questions(&own);
        questions.extend(edit::questions(&self.target(MAIN, false)));
        questions.push(Question::Glob(FILES.into()));
        known.need(questions)?;
        let mut files = vec![MAIN.to_owned()];
        files.extend(known.glob(FILES)?.iter().cloned());
        if !files.iter().any(|file| **file == *self.file) {
            files.push(self.file.to_string());
        }
        let targets = files
            .iter()
            .map(|file| self.target(file, **file == *self.file));
        known.need(targets.flat_map(|target| edit::questions(&target)))?;
        let mut texts = Vec::new();
        for file in &files {
            let own = **file == *self.file;
            match edit::read(&self.target(file, own), known)? {
                Found::Text(text) => {
                    texts.push((file.as_str(), String::from_utf8_lossy(&text).into_owned()))
                }
                Found::Absent => {}
                Found::Not(change) if own => return Ok(*change),
                Found::Not(_) => {}
            }
        }
        let change = self.change(known, &texts)?;
        Ok(change
            .result("repo", self.repo.as_str())
            .result("state", if self.present { "present" } else { "absent" }))
    }
}

impl Repository {
    /// `new` is whether it may have to be made.
    fn target(&self, file: &str, new: bool) -> Target {
        Target {
            dest: file.into(),
            attributes: self.attributes.with_mode(new.then(|| self.mode.clone())),
            follow: true,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        }
    }

    fn change(&self, known: &Known, texts: &[(&str, String)]) -> Result<Change, Missing> {
        let mut wanted: Vec<(&str, Option<&str>, String)> = Vec::new();
        let mut found = false;
        for (file, text) in texts {
            let (new, there) = match self.present {
                true => lines::enable(text, &self.source),
                false => (lines::without(text, &self.source), false),
            };
            found |= there;
            if new != *text {
                wanted.push((file, Some(text), new));
            }
        }
        if self.present && !found {
            let old = texts.iter().find(|(file, _)| **file == *self.file);
            let old = old.map(|(_, text)| text.as_str());
            wanted.push((
                &self.file,
                old,
                lines::append(old.unwrap_or_default(), &self.source),
            ));
        }
        let mut change = Change::none(match self.present {
            true => "the line is there",
            false => "there is no such line",
        });
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (file, old, new) in &wanted {
            let info = known.path(file)?;
            let steps = if new.is_empty() && **file != *MAIN {
                removed.push(*file);
                change = change.field(Field::value(*file, "file", "absent"));
                gone(info, file).into_iter().collect()
            } else {
                if old.is_none() {
                    added.push(*file);
                }
                // The mode is for new files: an existing one keeps its own.
                let target = self.target(file, old.is_none());
                let one = target.diff(known, &Body::new(new.as_bytes()))?;
                if one.obstacle.is_some() {
                    return Ok(one);
                }
                for field in one.fields {
                    change = change.field(match field {
                        Field::Text {
                            before_sha256,
                            after_sha256,
                            before,
                            after,
                            ..
                        } => {
                            let field = (*file).to_owned();
                            Field::Text {
                                field,
                                before_sha256,
                                after_sha256,
                                before,
                                after,
                            }
                        }
                        other => other,
                    });
                }
                one.steps
            };
            change.steps.extend(steps);
        }
        if change.steps.is_empty() {
            return Ok(change);
        }
        change.reason.clear();
        change.action = match (self.present, added.is_empty()) {
            (false, _) => Action::Delete,
            (true, false) => Action::Create,
            (true, true) => Action::Update,
        };
        if let Some(retries) = self.fetch {
            let old: Vec<_> = wanted.iter().map(|(file, old, _)| (*file, *old)).collect();
            change.steps.push(fetch(retries, &old));
        }
        Ok(change
            .result("sources_added", added)
            .result("sources_removed", removed))
    }
}

/// Fetches the lists, and puts the old lines back when that fails: else the next run would find all as wanted.
fn fetch(retries: u64, old: &[(&str, Option<&str>)]) -> Step {
    let options = Options {
        lock_timeout: 300,
        dpkg_options: Vec::new(),
        policy_rc_d: None,
    };
    let mut back = Vec::new();
    let mut step = Step::new("fetch the package lists", "");
    for (file, old) in old {
        let path = quote(file);
        match old {
            Some(text) => {
                step = step.input(Content::Bytes(text.as_bytes().into()));
                back.push(format!("cat \"$IN{}\" >{path}", step.inputs.len()));
            }
            None => back.push(format!("rm -f -- {path}")),
        }
        step = step.touch(Touch::Path((*file).to_owned()));
    }
    step.script = format!(
        "(\n{}\n)\nr=$?\n[ $r = 0 ] || {{ {}; echo 'the old sources stand again' >&2; }}\nexit $r",
        update(&options, retries).trim_end(),
        back.join("; ")
    );
    step.touch(Touch::PackageLists).predict(
        Question::AptLists,
        Answer::AptLists(AptLists {
            age: Some(0),
            outdated: false,
        }),
    )
}
