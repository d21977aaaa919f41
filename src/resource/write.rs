//! A regular file with a wanted content: what differs, and the step that writes it beside the target and renames it.

use std::sync::Arc;

use super::attributes::{Attributes, Resolved, homeless};
use super::body::{Body, DIFF_LIMIT, Source, text};
use super::folders;
use super::place::{is_certain, is_folder, parent, standing, state, temporary, was, with_stat};
use super::validate::{self, Validate};
use crate::change::{Action, Change, Content, Field, Step, Touch};
use crate::command::quote;
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};

/// Contents up to this length are predicted, so that a following task can go on from them.
const PREDICT_LIMIT: usize = 1024 * 1024;

/// A regular file as wanted, where it is to stand, and how it is put there.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where, as the user wrote it.
    pub dest: Arc<str>,
    /// Owner, group and mode.
    pub attributes: Attributes,
    /// Whether the file behind a link is written, rather than the link replaced.
    pub follow: bool,
    /// Whether an existing file with another content is overwritten.
    pub force: bool,
    /// Whether the old file is kept beside it.
    pub backup: bool,
    /// The command the new content must pass.
    pub validate: Option<Validate>,
    /// What missing parent folders are made with; none where their absence is an error.
    pub folders: Option<Attributes>,
}

impl Target {
    /// What must be known before [`Target::diff`] can say anything; ask it in the first wave.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = vec![
            Question::Path(self.dest.clone()),
            Question::Digest(self.dest.clone()),
        ];
        let folder = parent(&self.dest);
        match &self.folders {
            Some(attributes) => {
                questions.extend(folder.map(folders::questions).unwrap_or_default());
                questions.extend(attributes.questions());
            }
            None => questions.extend(folder.map(|folder| Question::Path(folder.into()))),
        }
        questions.extend(self.attributes.questions());
        questions
    }

    /// The change that gives the file this content.
    pub fn diff(&self, known: &Known, body: &Body) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let info = known.path(&self.dest)?.clone();
        let digest = known.digest(&self.dest)?.cloned();
        if let Some(change) = homeless(&info) {
            return Ok(change);
        }
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let behind = self.behind(&info);
        let mut open = Vec::new();
        if behind {
            open.push(Question::Path(info.real.clone()));
        }
        let differs = digest.as_ref() != Some(&body.sha256);
        if differs && digest.is_some() && self.shows_text(known, &info, body) {
            open.push(Question::Text(self.dest.clone()));
        }
        known.need(open)?;
        let old = if behind {
            known.path(&info.real)?.stat.clone()
        } else {
            info.stat.clone()
        };
        if let Some(change) = self.obstacle(known, old.as_ref())? {
            return Ok(change);
        }
        let above = match self.above(known, &info)? {
            Ok(above) => above,
            Err(change) => return Ok(change),
        };
        let place = Place {
            above: above.as_ref().map(|(_, stat)| stat),
            target: self,
            resolved: &resolved,
            path: if behind { &info.real } else { &info.abs },
            info: &info,
            old: old.as_ref(),
            digest: digest.as_ref().filter(|_| behind || is_file(&info)),
        };
        let mut change = place.change(known, body)?;
        if let Some((step, _)) = above {
            change.steps.insert(0, step);
        }
        Ok(change)
    }

    /// The step that makes the missing folders, and what the last of them will be.
    fn above(
        &self,
        known: &Known,
        info: &PathInfo,
    ) -> Result<Result<Option<(Step, Stat)>, Change>, Missing> {
        let (Some(attributes), Some(folder), None) =
            (&self.folders, parent(&self.dest), info.stat.as_ref())
        else {
            return Ok(Ok(None));
        };
        let (missing, resolved) =
            match (folders::missing(known, folder)?, attributes.resolve(known)?) {
                (Ok(missing), Ok(resolved)) => (missing, resolved),
                (Err(change), _) | (_, Err(change)) => return Ok(Err(change)),
            };
        if missing.is_empty() {
            return Ok(Ok(None));
        }
        folders::make(known, &resolved, &missing).map(|made| Ok(Some(made)))
    }

    /// Whether the file behind the link is meant.
    fn behind(&self, info: &PathInfo) -> bool {
        self.follow && info.stat.as_ref().is_some_and(|stat| stat.kind == 'l')
    }

    fn shows_text(&self, known: &Known, info: &PathInfo, body: &Body) -> bool {
        let size = info.stat.as_ref().map_or(0, |stat| stat.size);
        known.wants_diff && size <= DIFF_LIMIT as u64 && body.text().is_some()
    }

    fn obstacle(&self, known: &Known, old: Option<&Stat>) -> Result<Option<Change>, Missing> {
        match old.map(|stat| stat.kind) {
            Some('f' | 'l') => return Ok(None),
            Some(_) => {
                let found = state(old);
                return Ok(Some(
                    Change::blocked(format!("`{}` is a {found}, not a file", self.dest))
                        .help("remove it first, or write to another path"),
                ));
            }
            None => {}
        }
        match parent(&self.dest) {
            Some(folder) if self.folders.is_none() && !is_folder(known.path(folder)?) => {
                Ok(Some(folders::no_folder(folder)))
            }
            _ => Ok(None),
        }
    }
}

fn is_file(info: &PathInfo) -> bool {
    info.stat.as_ref().is_some_and(|stat| stat.kind == 'f')
}

/// A target with what is known of it.
struct Place<'a> {
    target: &'a Target,
    resolved: &'a Resolved,
    /// The path that is written.
    path: &'a str,
    info: &'a PathInfo,
    old: Option<&'a Stat>,
    /// The folder that is made for it, if it is missing.
    above: Option<&'a Stat>,
    /// The old content's, when a regular file is there.
    digest: Option<&'a Arc<str>>,
}

impl Place<'_> {
    fn change(&self, known: &Known, body: &Body) -> Result<Change, Missing> {
        let exists = self.old.is_some();
        if exists && !self.target.force {
            let change = Change::none("it exists and `force` is false");
            return Ok(self.result(change, self.old));
        }
        // A link to the wanted content is still not a file.
        let replaces_link = self.old.is_some_and(|old| old.kind == 'l');
        if self.digest == Some(&body.sha256) && !replaces_link {
            return Ok(self.attributes(body));
        }
        if let (None, Some(bytes)) = (&self.target.validate, body.bytes())
            && let Some(fault) = validate::fault(self.path, bytes)
        {
            let change = Change::failed(fault);
            return Ok(
                change.help("mend that line; nothing was written, and the old content stands")
            );
        }
        let new = self.new_stat(known, body)?;
        let mut change = Change::new(if exists {
            Action::Update
        } else {
            Action::Create
        });
        if replaces_link {
            change = change.field(Field::value("state", "link", "file"));
        }
        change = change.field(self.content_field(known, body)?);
        if let Some(words) = validate::unread(self.path) {
            change = change.warning(words);
        }
        let fields = match self.old.filter(|old| old.kind == 'f') {
            Some(old) => self.resolved.differences(old),
            None => self.resolved.given(Some(&new)),
        };
        for field in fields {
            change = change.field(field);
        }
        let backup = self.backup();
        if let Some(backup) = &backup {
            change = change.result("backup_file", backup.as_str());
        }
        change = change.step(self.write(body, &new, backup.as_deref()));
        if let Some(sha1) = body.sha1() {
            change = change.result("checksum", sha1);
        }
        Ok(self.result(change, Some(&new)))
    }

    fn new_stat(&self, known: &Known, body: &Body) -> Result<Stat, Missing> {
        let mut stat = match self.old.filter(|old| old.kind == 'f') {
            Some(old) if self.resolved.as_root() => self.resolved.altered(old),
            // Another account cannot give a file away: what it writes anew is its own.
            Some(old) => Stat {
                mode: self.resolved.altered(old).mode,
                ..self.resolved.fresh('f', None)
            },
            None => {
                let folder = parent(&self.target.dest).map(|folder| known.path(folder));
                let folder = folder.transpose()?.and_then(|info| info.stat.as_ref());
                self.resolved.fresh('f', folder.or(self.above))
            }
        };
        // It will be another inode, with times that are not known yet.
        stat.size = body.len;
        stat.links = 1;
        stat.inode = 0;
        (stat.atime, stat.mtime, stat.ctime) = (0.0, 0.0, 0.0);
        Ok(stat)
    }

    /// Only owner, group and mode may differ.
    fn attributes(&self, body: &Body) -> Change {
        let Some(old) = self.old else {
            return Change::none("it is as wanted");
        };
        let fields = self.resolved.differences(old);
        if fields.is_empty() {
            let mut change = Change::none("it is as wanted");
            if let Some(sha1) = body.sha1() {
                change = change.result("checksum", sha1);
            }
            return self.result(change, self.old);
        }
        let mut change = Change::new(Action::Update);
        change.fields = fields;
        let new = self.resolved.altered(old);
        let step = set(self.resolved, self.path, &self.target.dest, old);
        let step = self.predicted(step, &new);
        self.result(change.step(step), Some(&new))
    }

    fn content_field(&self, known: &Known, body: &Body) -> Result<Field, Missing> {
        let shown = self.target.shows_text(known, self.info, body);
        let before = match self.digest {
            Some(_) if shown => known.text(&self.target.dest)?.and_then(|old| text(old)),
            _ => None,
        };
        // Both sides or none: half a diff would read as if all had been written anew.
        let after = body
            .text()
            .filter(|_| shown && (before.is_some() || self.digest.is_none()));
        Ok(Field::Text {
            field: "content".to_owned(),
            before_sha256: self.digest.map(|digest| digest.to_string()),
            after_sha256: Some(body.sha256.to_string()),
            before,
            after,
        })
    }

    /// Where the old file is kept. Named by its content: the same old content is kept once.
    fn backup(&self) -> Option<String> {
        let digest = self.digest.filter(|_| self.target.backup)?;
        Some(format!("{}.{}~", self.path, &digest[..12]))
    }

    fn write(&self, body: &Body, new: &Stat, backup: Option<&str>) -> Step {
        let dest = &self.target.dest;
        let path = quote(self.path);
        let mut lines = Vec::new();
        lines.push(self.put(body, new));
        let own = self.target.validate.as_ref();
        let daemons =
            validate::known(self.path).filter(|_| own.is_none() && self.resolved.as_root());
        let tells = daemons.is_some();
        lines.extend(own.map(|own| own.script("$t", self.path)).or(daemons));
        lines.push("sync -- \"$t\"".to_owned());
        if let Some(backup) = backup {
            lines.push(format!("cp -pT -- {path} {}", quote(backup)));
        }
        lines.push(format!("mv -fT -- \"$t\" {path}"));
        lines.push("trap - EXIT".to_owned());
        let script = format!("{}{}", temporary(self.path), lines.join(" &&\n"));
        let mut step = Step::new(format!("write {dest}"), script)
            .before(was(
                self.path,
                self.old,
                self.digest.map(|digest| &**digest),
            ))
            .verify(standing(self.path, new, Some(&body.sha256)));
        step.tells = tells;
        step = step.touch(Touch::Path(dest.to_string()));
        if let Source::Sent(content) = &body.source {
            step = step.input(content.clone());
        }
        if let Some(backup) = backup {
            step = step.touch(Touch::Path(backup.to_owned()));
        }
        step = self.predicted(step, new).predict(
            Question::Digest(dest.clone()),
            Answer::Digest(Some(body.sha256.clone())),
        );
        match body.bytes() {
            Some(bytes) if bytes.len() <= PREDICT_LIMIT => step.predict(
                Question::Text(dest.clone()),
                Answer::Text(Some(bytes.clone())),
            ),
            _ => step,
        }
    }

    /// Puts the content into `$t` with its attributes. A large input is moved, so that it lies on the disk once.
    fn put(&self, body: &Body, new: &Stat) -> String {
        let options = self.resolved.install_options(new);
        let install = |from: &str| format!("install {options} -T -- {from} \"$t\"");
        match &body.source {
            Source::Node(path) => install(&quote(path)),
            Source::Sent(Content::Bytes(_)) => install("\"$IN1\""),
            Source::Sent(_) if !self.resolved.as_root() => install("\"$IN1\""),
            Source::Sent(_) => format!(
                "{{ mv -fT -- \"$IN1\" \"$t\" 2>/dev/null || {}; }} &&\nchown {} -- \"$t\" &&\nchmod {} -- \"$t\"",
                install("\"$IN1\""),
                quote(&self.resolved.principals(new)),
                super::mode::argument(new.mode)
            ),
        }
    }

    /// Enters what is known of the path afterwards, if it is certain.
    fn predicted(&self, step: Step, new: &Stat) -> Step {
        if !is_certain(new) {
            return step;
        }
        let dest = Question::Path(self.target.dest.clone());
        if *self.path == *self.info.abs {
            let info = PathInfo {
                abs: self.info.abs.clone(),
                real: written(self.info, self.old),
                stat: Some(new.clone()),
            };
            return step.predict(dest, Answer::Path(info));
        }
        let mut link = self.info.clone();
        if let Some(stat) = &mut link.stat {
            stat.target_kind = 'f';
        }
        let behind = PathInfo {
            abs: self.info.real.clone(),
            real: self.info.real.clone(),
            stat: Some(new.clone()),
        };
        step.predict(dest, Answer::Path(link))
            .predict(Question::Path(self.info.real.clone()), Answer::Path(behind))
    }

    fn result(&self, change: Change, stat: Option<&Stat>) -> Change {
        let change = change.result("dest", self.path).result("path", self.path);
        match stat {
            Some(stat) => with_stat(change, stat, state(Some(stat))),
            None => change.result("state", "absent"),
        }
    }
}

/// The real path of what replaces a link: the link's own place. Its folder may be behind a link, which the real path of a
/// link does not tell, so the absolute path stands for it.
fn written(info: &PathInfo, old: Option<&Stat>) -> Arc<str> {
    if old.is_some_and(|old| old.kind == 'l') {
        info.abs.clone()
    } else {
        info.real.clone()
    }
}

/// A step that only sets owner, group and mode of `path`, which the user calls `dest`.
pub fn set(resolved: &Resolved, path: &str, dest: &str, old: &Stat) -> Step {
    let script = resolved.commands(&quote(path), old).join(" &&\n");
    let new = resolved.altered(old);
    Step::new(format!("set owner and mode of {dest}"), script)
        .touch(Touch::Path(dest.to_owned()))
        .before(was(path, Some(old), None))
        .verify(standing(path, &new, None))
}
