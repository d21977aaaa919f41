//! A folder of the controller copied with one stream: only what differs is sent, unpacked beside the target, moved into place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::attributes::{Attributes, Resolved, homeless};
use super::super::folders;
use super::super::mode::FileMode;
use super::super::place::{is_certain, is_folder, parent, state, temporary};
use super::super::write::Target;
use super::super::{Bound, Controller, Resource};
use super::stream::{contents, moves, owners, settings, standings, tar, unpack};
use super::walk::{Walk, permissions};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::diagnostic::{Diagnostic, count};
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};
use crate::value::Value;

/// A file of the source folder.
pub struct File {
    /// Relative to the folder.
    pub name: String,
    /// Where it goes.
    pub dest: Arc<str>,
    /// Where it is on the controller.
    pub path: PathBuf,
    /// Bytes.
    pub len: u64,
    /// Lower-case hex.
    pub sha256: Arc<str>,
    /// The source's permissions, when they are preserved.
    mode: Option<u32>,
}

/// A folder of the controller and where it goes.
struct Tree {
    src: String,
    /// The folder that gets the files.
    dest: Arc<str>,
    /// All folders, the target itself first, then those below by name.
    folders: Vec<Arc<str>>,
    files: Vec<File>,
    attributes: Attributes,
    folder_attributes: Attributes,
    follow: bool,
    force: bool,
}

/// Reads the source folder.
pub fn bind(
    src: &Value,
    path: &Path,
    target: Target,
    (folder_mode, preserve, opens): (Option<FileMode>, bool, bool),
    controller: &dyn Controller,
) -> Bound {
    let inside = src.as_str().is_some_and(|text| text.ends_with('/'));
    let base = target.dest.trim_end_matches('/');
    let dest: Arc<str> = match path.file_name().filter(|_| !inside) {
        Some(name) => format!("{base}/{}", name.to_string_lossy()).into(),
        None if base.is_empty() => "/".into(),
        None => base.into(),
    };
    let mut found = Walk {
        src,
        folders: vec![String::new()],
        files: Vec::new(),
    };
    found.folder(path, "", 0)?;
    let place = |name: &str| -> Arc<str> {
        match name {
            "" => dest.clone(),
            name => format!("{}/{name}", dest.trim_end_matches('/')).into(),
        }
    };
    let mut files = Vec::with_capacity(found.files.len());
    for (name, path) in found.files {
        if opens && controller.is_vault(&path) {
            let message = format!("`{}` in the folder is a vault", path.display());
            return Err(Diagnostic::at(&src.span, message)
                .help("copy it in a task of its own, which opens it, or say `decrypt: false` to copy it encrypted")
                .into());
        }
        let (len, sha256) = controller.digest(&path, src)?;
        files.push(File {
            dest: place(&name),
            mode: match preserve {
                true => Some(permissions(&path, src)?),
                false => None,
            },
            name,
            path,
            len,
            sha256,
        });
    }
    if target.validate.is_some() || target.backup {
        return Err(
            Diagnostic::at(&src.span, "`validate` and `backup` are for single files")
                .help("leave them out, or loop over the files of the folder")
                .into(),
        );
    }
    Ok(Box::new(Tree {
        src: path.display().to_string(),
        folders: found.folders.iter().map(|name| place(name)).collect(),
        dest,
        files,
        folder_attributes: target.attributes.with_mode(folder_mode),
        attributes: target.attributes,
        follow: target.follow,
        force: target.force,
    }))
}

/// What happens to one file.
pub struct Planned<'a> {
    /// The file.
    pub file: &'a File,
    /// What stands there.
    pub old: Option<Stat>,
    digest: Option<Arc<str>>,
    /// Owner, group and mode.
    pub resolved: Resolved,
    /// What will stand there.
    pub new: Stat,
    /// Whether its content is sent.
    pub sent: bool,
}

impl Resource for Tree {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let info = known.path(&self.dest)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        let (files, folder) = match (
            self.attributes.resolve(known)?,
            self.folder_attributes.resolve(known)?,
        ) {
            (Ok(files), Ok(folder)) => (files, folder),
            (Err(change), _) | (_, Err(change)) => return Ok(change),
        };
        let missing = match self.missing(known)? {
            Ok(missing) => missing,
            Err(change) => return Ok(change),
        };
        let mut change = Change::new(Action::Update);
        if !missing.is_empty() {
            let (step, _) = folders::make(known, &folder, &missing)?;
            change = change.step(step);
        }
        for path in &missing {
            change = change.field(Field::value(path, "absent", "directory"));
        }
        if missing.iter().any(|path| **path == *self.dest) {
            change.action = Action::Create;
        }
        let planned = match self.plan(known, &files, &change.steps)? {
            Ok(planned) => planned,
            Err(obstacle) => return Ok(obstacle),
        };
        for plan in &planned {
            change.fields.extend(plan.fields());
        }
        if planned.iter().any(Planned::changes) {
            let step = self.step(known, &info.abs, &planned, &change.steps)?;
            change = change.step(step);
        }
        if change.steps.is_empty() {
            change = Change::none("all files are as wanted");
        }
        Ok(change
            .result("src", self.src.as_str())
            .result("dest", &*info.abs)
            .result("path", &*info.abs)
            .result("state", "directory"))
    }
}

impl Tree {
    fn questions(&self) -> Vec<Question> {
        let mut questions = folders::questions(&self.dest);
        questions.extend(self.attributes.questions());
        for folder in &self.folders {
            questions.push(Question::Path(folder.clone()));
        }
        for file in &self.files {
            questions.push(Question::Path(file.dest.clone()));
            questions.push(Question::Digest(file.dest.clone()));
        }
        questions
    }

    fn missing(&self, known: &Known) -> Result<Result<Vec<String>, Change>, Missing> {
        let mut missing = match folders::missing(known, &self.dest)? {
            Ok(missing) => missing,
            Err(change) => return Ok(Err(change)),
        };
        for folder in &self.folders[1..] {
            let info = known.path(folder)?;
            match &info.stat {
                None => missing.push(folder.to_string()),
                Some(_) if is_folder(info) => {}
                stat => {
                    let found = state(stat.as_ref());
                    return Ok(Err(Change::blocked(format!(
                        "`{folder}` is a {found}, not a folder"
                    ))
                    .help("remove it first")));
                }
            }
        }
        Ok(Ok(missing))
    }

    fn plan(
        &self,
        known: &Known,
        resolved: &Resolved,
        steps: &[Step],
    ) -> Result<Result<Vec<Planned<'_>>, Change>, Missing> {
        let above = folders::predicted(steps);
        let mut planned = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let info = known.path(&file.dest)?;
            let digest = known.digest(&file.dest)?.cloned();
            let old = info.stat.clone();
            if old.as_ref().is_some_and(|stat| !"fl".contains(stat.kind)) {
                let found = state(old.as_ref());
                return Ok(Err(Change::blocked(format!(
                    "`{}` is a {found}, not a file",
                    file.dest
                ))
                .help("remove it first")));
            }
            let resolved = match file.mode {
                Some(bits) => resolved.with_mode(FileMode::Bits(bits)),
                None => resolved.clone(),
            };
            let same = digest.as_ref() == Some(&file.sha256);
            let link = old.as_ref().is_some_and(|old| old.kind == 'l');
            let kept = old.is_some() && !self.force;
            let sent = !kept && (!same || (link && !self.follow));
            let regular = old.as_ref().filter(|old| old.kind == 'f');
            let new = match regular {
                Some(old) => resolved.altered(old),
                None => {
                    let folder = parent(&file.dest).unwrap_or("/");
                    let found = known.path(folder)?.stat.as_ref();
                    resolved.fresh('f', found.or_else(|| above.get(folder).copied()))
                }
            };
            let mut new = Stat {
                size: file.len,
                ..new
            };
            if sent {
                new.inode = 0;
                (new.atime, new.mtime, new.ctime) = (0.0, 0.0, 0.0);
            }
            planned.push(Planned {
                file,
                new: match &old {
                    Some(old) if kept || (link && !sent) => old.clone(),
                    _ => new,
                },
                digest,
                old,
                resolved,
                sent,
            });
        }
        Ok(Ok(planned))
    }

    fn step(
        &self,
        known: &Known,
        abs: &str,
        planned: &[Planned],
        steps: &[Step],
    ) -> Result<Step, Missing> {
        let sent: Vec<&Planned> = planned.iter().filter(|plan| plan.sent).collect();
        let mut lines = Vec::new();
        let base = abs.trim_end_matches('/');
        if !sent.is_empty() {
            lines.push(unpack());
            lines.extend(owners(&sent));
            lines.push("sync -f -- \"$t\"".to_owned());
            lines.extend(moves(base, &sent));
        }
        lines.extend(settings(base, planned));
        lines.push("rm -rf -- \"$t\"".to_owned());
        lines.push("trap - EXIT".to_owned());
        let title = match sent.len() {
            0 => format!("set owner and mode below {}", self.dest),
            number => format!("write {} to {}", count(number, "file"), self.dest),
        };
        // The folder for unpacking lies in the target, hence on its file system.
        let script = temporary(&format!("{base}/folder")) + &lines.join(" &&\n");
        let mut step = Step::new(title, script).touch(Touch::Path(self.dest.to_string()));
        if !sent.is_empty() {
            step = step
                .input(tar(&sent))
                .before(contents("content", base, &sent, |plan| {
                    plan.digest.as_ref()
                }))
                .verify(contents("content", base, &sent, |plan| {
                    Some(&plan.file.sha256)
                }));
        }
        let changed: Vec<&Planned> = planned.iter().filter(|plan| plan.changes()).collect();
        step = step.verify(standings(base, &changed));
        self.predict(known, step, planned, steps)
    }

    /// The touch forgets all below the target, so all that was looked at is entered again.
    fn predict(
        &self,
        known: &Known,
        mut step: Step,
        planned: &[Planned],
        steps: &[Step],
    ) -> Result<Step, Missing> {
        for folder in &self.folders {
            let question = Question::Path(folder.clone());
            let made = steps
                .iter()
                .flat_map(|step| &step.predicts)
                .find(|(predicted, _)| *predicted == question);
            let answer = match made {
                Some((_, answer)) => answer.clone(),
                None => Answer::Path(known.path(folder)?.clone()),
            };
            let there = |info: &PathInfo| info.stat.is_some();
            if matches!(&answer, Answer::Path(info) if there(info)) {
                step = step.predict(question, answer);
            }
        }
        for plan in planned {
            let dest = &plan.file.dest;
            let digest = match plan.sent {
                true => Some(plan.file.sha256.clone()),
                false => plan.digest.clone(),
            };
            if is_certain(&plan.new) {
                let info = PathInfo {
                    stat: Some(plan.new.clone()),
                    ..known.path(dest)?.clone()
                };
                step = step.predict(Question::Path(dest.clone()), Answer::Path(info));
            }
            step = step.predict(Question::Digest(dest.clone()), Answer::Digest(digest));
        }
        Ok(step)
    }
}

impl Planned<'_> {
    fn differences(&self) -> Vec<Field> {
        match self.old.as_ref().filter(|old| old.kind == 'f') {
            Some(old) if self.new != *old => self.resolved.differences(old),
            _ => Vec::new(),
        }
    }

    /// Whether anything happens to it.
    pub fn changes(&self) -> bool {
        self.sent || !self.differences().is_empty()
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        if self.sent {
            fields.push(Field::Text {
                field: self.file.name.clone(),
                before_sha256: self.digest.as_ref().map(|digest| digest.to_string()),
                after_sha256: Some(self.file.sha256.to_string()),
                before: None,
                after: None,
            });
        }
        for field in self.differences() {
            if let Field::Value {
                field,
                before,
                after,
            } = field
            {
                let name = format!("{} {field}", self.file.name);
                fields.push(Field::value(name, before, after));
            }
        }
        fields
    }
}
