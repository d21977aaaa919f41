//! What differs between the generation in effect and the wanted one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::Resource;
use super::super::attributes::{Resolved, homeless};
use super::super::body::text;
use super::super::folders;
use super::super::mode::FileMode;
use super::super::place::state;
use super::script::Turn;
use super::{ConfigTree, Proof};
use crate::change::{Action, Change, Effect, Field, Touch};
use crate::fact::{Known, Missing, PathInfo, Question, TreeEntry};

/// The generation that the link leads to.
pub(super) struct Current {
    /// Where the link leads, as written in it.
    pub(super) link: Arc<str>,
    /// The last part of that.
    pub(super) name: String,
}

impl Current {
    fn of(link: &Arc<str>) -> Current {
        let name = link.trim_end_matches('/').rsplit('/').next();
        Current {
            name: name.unwrap_or_default().to_owned(),
            link: link.clone(),
        }
    }

    /// The id: the name without what tells two of one id apart.
    pub(super) fn id(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

impl Resource for ConfigTree {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let info = known.path(&self.dest)?.clone();
        if let Some(change) = homeless(&info) {
            return Ok(change);
        }
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let missing = match folders::missing(known, &self.below("releases"))? {
            Ok(missing) => missing,
            Err(change) => return Ok(change),
        };
        let link = known.path(&self.below("current"))?;
        let current = match link.stat.as_ref().map(|stat| (stat.kind, &stat.link)) {
            None => None,
            Some(('l', Some(target))) => Some(Current::of(target)),
            Some(_) => return Ok(in_the_way(&self.below("current"), link)),
        };
        let fields = self.fields(known, &resolved)?;
        let runs = self.runs(known)?;
        let elsewhere = self.elsewhere(known, runs)?;
        let change = if !fields.is_empty() || current.is_none() {
            let restarts = current.is_none() || self.restarts(known)?;
            let name = self.name(current.as_ref());
            let turn = Turn {
                tree: self,
                resolved: &resolved,
                base: &info.abs,
                name: &name,
                current: current.as_ref(),
                restarts,
            };
            let action = match current {
                None => Action::Create,
                Some(_) => Action::Update,
            };
            let mut change = Change::new(action);
            if !missing.is_empty() {
                let folder = resolved.with_mode(FileMode::Bits(self.dir_mode));
                change = change.step(folders::make(known, &folder, &missing)?.0);
            }
            let before = current.as_ref().map_or("", Current::id);
            if before != self.files.id {
                change = change.field(Field::value("generation", before, &*self.files.id));
            }
            change.fields.extend(fields);
            let step = turn.put(runs);
            self.with_effect(change.step(step), runs, restarts)
        } else if let Some(found) = elsewhere {
            let name = current.as_ref().map(|current| current.name.clone());
            let turn = Turn {
                tree: self,
                resolved: &resolved,
                base: &info.abs,
                name: &name.unwrap_or_default(),
                current: current.as_ref(),
                restarts: false,
            };
            let change = Change::new(Action::Run)
                .reason("the files are as wanted, the daemon runs another generation")
                .field(Field::value("running", found, &*self.files.id))
                .step(turn.again());
            self.with_effect(change, runs, false)
        } else {
            Change::none("the generation is in effect")
        };
        let name = match change.fields.is_empty() {
            true => current.as_ref().map(|current| current.name.clone()),
            false => Some(self.name(current.as_ref())),
        };
        let path = format!("{}/releases/{}", info.abs, name.unwrap_or_default());
        let previous = current.as_ref().map(|current| &*current.link);
        Ok(change
            .result("id", self.files.id.as_str())
            .result("dest", &*info.abs)
            .result("path", path)
            .result("previous", previous))
    }
}

fn is_file(standing: &BTreeMap<&str, &TreeEntry>, name: &str) -> bool {
    standing
        .get(name)
        .is_some_and(|entry| entry.stat.kind == 'f')
}

fn in_the_way(path: &str, info: &PathInfo) -> Change {
    let found = state(info.stat.as_ref());
    Change::blocked(format!("`{path}` is a {found}, not a link"))
        .help("remove it, or choose another `dest`")
}

impl ConfigTree {
    pub(super) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.dest.trim_end_matches('/'))
    }

    fn live(&self, name: &str) -> Arc<str> {
        self.below(&format!("current/{name}")).into()
    }

    fn questions(&self) -> Vec<Question> {
        let mut questions = folders::questions(&self.below("releases"));
        questions.extend(self.attributes.questions());
        questions.push(Question::Path(self.below("current").into()));
        questions.push(Question::Tree(self.below("current").into()));
        for file in &self.files.files {
            questions.push(Question::Digest(self.live(&file.name)));
        }
        questions.extend(self.activation.unit.clone().map(Question::Unit));
        if let Some(Proof::Address(address, _)) = &self.activation.proof {
            questions.push(Question::Http(address.clone()));
        }
        questions
    }

    /// Whether there is a daemon to be told.
    fn runs(&self, known: &Known) -> Result<bool, Missing> {
        Ok(match &self.activation.unit {
            Some(unit) => matches!(&*known.unit(unit)?.active, "active" | "reloading"),
            None => self.activation.reload.is_some(),
        })
    }

    /// The generation that the daemon says it runs, when it is not the wanted one.
    fn elsewhere(&self, known: &Known, runs: bool) -> Result<Option<String>, Missing> {
        let Some(Proof::Address(address, _)) = self.activation.proof.as_ref().filter(|_| runs)
        else {
            return Ok(None);
        };
        let found = match known.http(address)? {
            Some(reply) if reply.status == 200 => reply.body.trim(),
            Some(_) | None => "",
        };
        Ok((found != self.files.id).then(|| found.chars().take(40).collect()))
    }

    /// What stands in the generation in effect, by name.
    fn standing<'a>(&self, known: &'a Known) -> Result<BTreeMap<&'a str, &'a TreeEntry>, Missing> {
        let tree = known.tree(&self.below("current"))?;
        let entries = tree.into_iter().flat_map(|tree| tree.iter());
        Ok(entries.map(|entry| (&*entry.name, entry)).collect())
    }

    /// The names of files whose content differs, those that are to go among them.
    fn differing(&self, known: &Known) -> Result<Vec<String>, Missing> {
        let mut names = Vec::new();
        let mut wanted = BTreeSet::new();
        for file in &self.files.files {
            wanted.insert(&*file.name);
            if known.digest(&self.live(&file.name))? != Some(&file.body.sha256) {
                names.push(file.name.clone());
            }
        }
        for (name, entry) in self.standing(known)? {
            if entry.stat.kind == 'f' && !wanted.contains(name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn fields(&self, known: &Known, resolved: &Resolved) -> Result<Vec<Field>, Missing> {
        let standing = self.standing(known)?;
        let differing = self.differing(known)?;
        let texts = known.wants_diff || !self.activation.restart_when.is_empty();
        known.need(
            differing
                .iter()
                .filter(|name| texts && is_file(&standing, name))
                .map(|name| Question::Text(self.live(name))),
        )?;
        let mut fields = Vec::new();
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        for folder in &self.files.folders {
            wanted.insert(folder);
            let mode = FileMode::Bits(self.dir_mode);
            self.compare(
                &standing,
                folder,
                'd',
                resolved.with_mode(mode),
                &mut fields,
            );
        }
        for file in &self.files.files {
            wanted.insert(&file.name);
            let mode = FileMode::Bits(file.mode);
            let found = standing.get(file.name.as_str());
            if differing.contains(&file.name) {
                let old = found.filter(|entry| entry.stat.kind == 'f');
                let before = match old {
                    Some(_) if texts => known.text(&self.live(&file.name))?.cloned(),
                    _ => None,
                };
                let digest = match old {
                    Some(_) => known
                        .digest(&self.live(&file.name))?
                        .map(|sum| sum.to_string()),
                    None => None,
                };
                let before = before.and_then(|bytes| text(&bytes));
                let shown = known.wants_diff && (before.is_some() || old.is_none());
                fields.push(Field::Text {
                    field: file.name.clone(),
                    before_sha256: digest,
                    after_sha256: Some(file.body.sha256.to_string()),
                    after: file.body.text().filter(|_| shown),
                    before: before.filter(|_| shown && file.body.is_shown()),
                });
            }
            if found.is_some() {
                self.compare(
                    &standing,
                    &file.name,
                    'f',
                    resolved.with_mode(mode),
                    &mut fields,
                );
            }
        }
        for (name, entry) in &standing {
            if !wanted.contains(name) {
                fields.push(Field::value(*name, state(Some(&entry.stat)), "absent"));
            }
        }
        Ok(fields)
    }

    /// Kind, owner, group and mode of one entry.
    fn compare(
        &self,
        standing: &BTreeMap<&str, &TreeEntry>,
        name: &str,
        kind: char,
        resolved: Resolved,
        fields: &mut Vec<Field>,
    ) {
        match standing.get(name).map(|entry| &entry.stat) {
            Some(stat) if stat.kind == kind => {
                for field in resolved.differences(stat) {
                    if let Field::Value {
                        field,
                        before,
                        after,
                    } = field
                    {
                        fields.push(Field::value(format!("{name} {field}"), before, after));
                    }
                }
            }
            found => {
                let wanted = if kind == 'd' { "directory" } else { "file" };
                fields.push(Field::value(name, state(found), wanted));
            }
        }
    }

    /// Whether lines that only a restart takes in differ.
    fn restarts(&self, known: &Known) -> Result<bool, Missing> {
        if self.activation.restart_when.is_empty() {
            return Ok(false);
        }
        let standing = self.standing(known)?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for name in self.differing(known)? {
            if is_file(&standing, &name)
                && let Some(old) = known.text(&self.live(&name))?
            {
                self.matching(old, &mut before);
            }
            let new = self.files.files.iter().find(|file| file.name == name);
            if let Some(bytes) = new.and_then(|file| file.body.bytes()) {
                self.matching(bytes, &mut after);
            }
        }
        before.sort();
        after.sort();
        Ok(before != after)
    }

    fn matching(&self, bytes: &[u8], lines: &mut Vec<Vec<u8>>) {
        for line in bytes.split(|byte| *byte == b'\n') {
            if self
                .activation
                .restart_when
                .iter()
                .any(|it| it.is_match(line))
            {
                lines.push(line.trim_ascii().to_owned());
            }
        }
    }

    /// The folder's name: what is in effect is never written to, not even when it was altered by hand.
    fn name(&self, current: Option<&Current>) -> String {
        match current {
            Some(current) if current.name == self.files.id => format!("{}.2", self.files.id),
            _ => self.files.id.clone(),
        }
    }

    fn with_effect(&self, mut change: Change, runs: bool, restarts: bool) -> Change {
        let Some(step) = change.steps.last_mut() else {
            return change;
        };
        step.touches.push(Touch::Path(self.dest.to_string()));
        if !runs {
            return change;
        }
        step.cut = true;
        if self.activation.own {
            step.touches.push(Touch::Everything);
        }
        if let Some(unit) = &self.activation.unit {
            step.touches.push(Touch::Unit(unit.to_string()));
            change.effect = match restarts {
                true => Effect::Restart(unit.to_string()),
                false => Effect::Reload(unit.to_string()),
            };
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_generations_of_one_id_have_one_id() {
        let link: Arc<str> = "releases/0123456789abcdef.2".into();
        let current = Current::of(&link);
        assert_eq!(current.name, "0123456789abcdef.2");
        assert_eq!(current.id(), "0123456789abcdef");
    }
}
