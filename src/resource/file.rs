//! `file`: what stands at a path: a file, a folder, a link, nothing; with owner, group, mode and times.

pub mod absent;
mod folder;
mod links;
mod times;

use std::sync::Arc;

use super::attributes::{self, Attributes, homeless};
use super::folders;
use super::place::{parent, state, trimmed, with_stat};
use super::write::set;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, PathInfo, Question, Stat};
use times::Times;

/// Says what stands at a path: a file, a folder, a link, nothing; with owner, group, mode and times. What is in use by others below a folder
/// that goes is named in the plan.
///
/// # Differs from Ansible
/// - `attributes` and `unsafe_writes` are refused
///
/// # Returns
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `src`: where a link leads
///
/// # Examples
/// ```yaml
/// - name: the folder of the site
///   file:
///     path: /srv/site
///     state: directory
///     owner: www-data
///     mode: "0755"
///
/// - name: no default site
///   file: { path: /etc/nginx/sites-enabled/default, state: absent }
/// ```
pub static FILE: Kind = Kind {
    name: "file",
    aliases: &["ansible.builtin.file", "ansible.legacy.file"],
    summary: "makes folders and links, sets owner, mode and times, removes",
    params: &[
        Param::new("path", ParamType::Path, "The path.").required().aliases(&["dest", "name"]),
        Param::new("state", ParamType::Choice(&["file", "directory", "link", "hard", "touch", "absent"]), "What is to stand there; `file` only sets attributes of a file that exists. Not given: what is there, else `file`."),
        Param::new("src", ParamType::Str, "Where a link leads (`link`, also relative), or the file to link (`hard`)."),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        Param::new("recurse", ParamType::Bool, "Whether owner, group and mode are also set on all below a folder. Links below are not followed.").default("false"),
        Param::new("follow", ParamType::Bool, "Whether what stands behind a link is meant.").default("true"),
        Param::new("force", ParamType::Bool, "Whether a link is made although its target is missing, or in place of a file.").default("false"),
        Param::new("access_time", ParamType::Str, "`preserve`, `now`, or a time in UTC. `now` when touched, else `preserve`."),
        Param::new("modification_time", ParamType::Str, "The same for the time of the content."),
        Param::new("access_time_format", ParamType::Str, "How `access_time` is written.").default("%Y%m%d%H%M.%S"),
        Param::new("modification_time_format", ParamType::Str, "How `modification_time` is written.").default("%Y%m%d%H%M.%S"),
    ],
    free_form: None,
    refused: super::copy::REFUSED_OF_FILES,
    check: |_| Vec::new(),
    bind,
};

/// What is to stand at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Present,
    File,
    Directory,
    Link,
    Hard,
    Touch,
    Absent,
}

/// The wanted state of one path.
#[derive(Debug)]
struct File {
    path: Arc<str>,
    wanted: Wanted,
    src: Option<Arc<str>>,
    attributes: Attributes,
    recurse: bool,
    follow: bool,
    force: bool,
    times: Times,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = args
        .str("path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`file` needs `path`"))?;
    let recurse = args.bool("recurse", false);
    let wanted = match args.str("state") {
        Some("file") => Wanted::File,
        Some("directory") => Wanted::Directory,
        Some("link") => Wanted::Link,
        Some("hard") => Wanted::Hard,
        Some("touch") => Wanted::Touch,
        Some("absent") => Wanted::Absent,
        _ if recurse => Wanted::Directory,
        _ => Wanted::Present,
    };
    if recurse && wanted != Wanted::Directory {
        return Err(
            Diagnostic::at(args.place("recurse"), "`recurse` is only for folders")
                .help("write `state: directory` beside it")
                .into(),
        );
    }
    if args.has("src") && !matches!(wanted, Wanted::Link | Wanted::Hard) {
        return Err(Diagnostic::at(args.place("src"), "`src` is only for links")
            .help("write `state: link` or `state: hard` beside it, or use `copy`")
            .into());
    }
    if !args.has("src") && matches!(wanted, Wanted::Link | Wanted::Hard) {
        return Err(Diagnostic::at(args.place("state"), "a link needs `src`")
            .help("`src` says where the link leads")
            .into());
    }
    let path = trimmed(path);
    if wanted == Wanted::Absent && absent::is_system(path) {
        return Err(Diagnostic::at(
            args.value_place("path"),
            format!("`{path}` cannot be removed"),
        )
        .help("the system is in it")
        .into());
    }
    Ok(Box::new(File {
        path: path.into(),
        wanted,
        src: args.str("src").map(Arc::from),
        attributes: Attributes::bind(args, controller)?,
        recurse,
        follow: args.bool("follow", true),
        force: args.bool("force", false),
        times: Times::bind(args, wanted == Wanted::Touch)?,
    }))
}

impl Resource for File {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let info = known.path(&self.path)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        match self.wanted {
            Wanted::Absent => Ok(absent::remove(&self.path, info)),
            Wanted::Link => self.link(known, info),
            Wanted::Hard => self.hard(known, info),
            Wanted::Directory => self.folder(known),
            Wanted::Touch => self.touch(known),
            Wanted::File | Wanted::Present => self.present(known),
        }
    }
}

impl File {
    /// All that is asked in the first wave.
    fn questions(&self) -> Vec<Question> {
        let mut questions = vec![Question::Path(self.path.clone())];
        if self.wanted == Wanted::Absent {
            return questions;
        }
        questions.extend(self.attributes.questions());
        let above = parent(&self.path);
        match self.wanted {
            Wanted::Directory => questions.extend(folders::questions(&self.path)),
            Wanted::Touch | Wanted::Link | Wanted::Hard => {
                questions.extend(above.map(|above| Question::Path(above.into())));
            }
            _ => {}
        }
        if let Some(source) = self.source() {
            questions.push(Question::Path(source.into()));
        }
        if self.recurse && !self.attributes.is_empty() {
            questions.push(Question::Tree(self.path.clone()));
        }
        questions
    }

    /// What is meant: the path, or with `follow` what stands behind it.
    fn meant<'a>(&self, known: &'a Known) -> Result<(Arc<str>, &'a PathInfo), Missing> {
        let info = known.path(&self.path)?;
        match &info.stat {
            Some(stat) if self.follow && stat.kind == 'l' => {
                Ok((info.real.clone(), known.path(&info.real)?))
            }
            _ => Ok((self.path.clone(), info)),
        }
    }

    /// Only attributes and times of what must exist.
    fn present(&self, known: &Known) -> Result<Change, Missing> {
        let (key, info) = self.meant(known)?;
        let Some(stat) = &info.stat else {
            return Ok(Change::blocked(format!("`{}` does not exist", self.path)).help(
                "`state: file` makes nothing; use `copy`, `template`, `state: touch` or `state: directory`",
            ));
        };
        if self.wanted == Wanted::File && stat.kind != 'f' {
            let found = state(Some(stat));
            return Ok(
                Change::blocked(format!("`{}` is a {found}, not a file", self.path))
                    .help("remove it first, or say the `state` it has"),
            );
        }
        self.settle(known, &key, info, stat, Change::none("it is as wanted"))
    }

    /// Adds what sets attributes and times of something that exists to `change`.
    fn settle(
        &self,
        known: &Known,
        key: &Arc<str>,
        info: &PathInfo,
        stat: &Stat,
        mut change: Change,
    ) -> Result<Change, Missing> {
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let fields = resolved.differences(stat);
        let new = resolved.altered(stat);
        if !fields.is_empty() {
            let step = set(&resolved, &info.abs, key, stat);
            let info = PathInfo {
                stat: Some(new.clone()),
                ..info.clone()
            };
            change = change
                .step(step.predict(Question::Path(key.clone()), crate::fact::Answer::Path(info)));
            change.fields.extend(fields);
        }
        change = self.times.settle(change, key, info, &new);
        if change.action == Action::None && !change.steps.is_empty() {
            change.action = Action::Update;
            change.reason = String::new();
        }
        Ok(self.result(change, info, Some(&new)))
    }

    fn result(&self, change: Change, info: &PathInfo, stat: Option<&Stat>) -> Change {
        let change = change.result("path", &*info.abs).result("dest", &*info.abs);
        match stat {
            Some(stat) => with_stat(change, stat, state(Some(stat))),
            None => change.result("state", "absent"),
        }
    }
}
