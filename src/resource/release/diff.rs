//! What is missing of a release: its folder, its links to what is shared, the link to it.

use std::sync::Arc;

use super::super::Resource;
use super::super::attributes::{Resolved, homeless};
use super::super::folders;
use super::super::place::state;
use super::{Release, script};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::fact::{Answer, Known, Missing, PathInfo, Question};

/// The file in a release that says what it was unpacked from.
pub const MARKER: &str = ".hadeploy-release";

impl Resource for Release {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let base = known.path(&self.path)?.clone();
        if let Some(change) = homeless(&base) {
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
        let link = known.path(&self.below(&self.link))?;
        let before = match link.stat.as_ref().map(|stat| (stat.kind, &stat.link)) {
            None => None,
            Some(('l', Some(target))) => Some(target.clone()),
            Some(_) => {
                let found = state(link.stat.as_ref());
                return Ok(Change::blocked(format!(
                    "`{}` is a {found}, not a link",
                    self.below(&self.link)
                ))
                .help("remove it, or choose another `link`"));
            }
        };
        let folder = known.path(&self.folder())?.stat.is_some();
        if let Some(obstacle) = self.obstacle(known, folder)? {
            return Ok(obstacle);
        }
        let mut change = Change::new(if folder {
            Action::Update
        } else {
            Action::Create
        });
        if !missing.is_empty() {
            change = change.step(folders::make(known, &resolved, &missing)?.0);
        }
        if let Some(source) = self.source.as_ref().filter(|_| !folder) {
            let step = script::unpack(self, source, &base.abs, &resolved);
            change = change
                .field(Field::value("release", "absent", &*self.id))
                .step(self.unpacked(known, step, &resolved, &source.sum)?);
        }
        let target = format!("releases/{}", self.id);
        let same = before
            .as_deref()
            .is_some_and(|link| link == target || link == format!("{}/{target}", base.abs));
        let previous = before.as_deref().map(|link| {
            let name = link.trim_end_matches('/').rsplit('/').next();
            name.unwrap_or_default().to_owned()
        });
        if self.current && !same {
            let from = previous.clone().unwrap_or_default();
            let step = script::switch(self, &base.abs, before.as_deref());
            change = change
                .field(Field::value(&*self.link, from, &*self.id))
                .step(self.switched(known, step, &target)?);
        }
        if change.steps.is_empty() {
            change = Change::none(match self.current {
                true => "the release is the current one",
                false => "the release is unpacked",
            });
        } else if let Some(step) = change.steps.last_mut() {
            step.script.push_str(&script::prune(self, &base.abs));
        }
        Ok(change
            .result("release", &*self.id)
            .result("previous", previous.filter(|name| **name != *self.id))
            .result("path", format!("{}/releases/{}", base.abs, self.id)))
    }
}

impl Release {
    pub(super) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.path.trim_end_matches('/'))
    }

    fn folder(&self) -> String {
        self.below(&format!("releases/{}", self.id))
    }

    fn marker(&self) -> Arc<str> {
        format!("{}/{MARKER}", self.folder()).into()
    }

    fn questions(&self) -> Vec<Question> {
        let mut questions = folders::questions(&self.below("releases"));
        questions.push(Question::Path(self.folder().into()));
        questions.push(Question::Path(self.marker()));
        questions.push(Question::Text(self.marker()));
        questions.push(Question::Path(self.below(&self.link).into()));
        questions.extend(self.attributes.questions());
        questions
    }

    /// Why the release cannot be had.
    fn obstacle(&self, known: &Known, folder: bool) -> Result<Option<Change>, Missing> {
        if !folder {
            return Ok(self.source.is_none().then(|| {
                Change::blocked(format!("release `{}` is not unpacked", self.id))
                    .help("give its `src`, or name one of the folders in `releases`")
            }));
        }
        let marker = known.text(&self.marker())?;
        let Some(found) = marker.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
            return Ok(Some(
                Change::failed(format!(
                    "`{}` was not made by a `release` task",
                    self.folder()
                ))
                .help("remove the folder, or give the release another id"),
            ));
        };
        let differs = |source: &super::Source| found.trim() != &*source.sum;
        Ok(self.source.as_ref().filter(|it| differs(it)).map(|source| {
            Change::failed(format!(
                "release `{}` was unpacked from another source: it has the sum {}…, `src` has {}…",
                self.id,
                found.trim().chars().take(12).collect::<String>(),
                &source.sum[..12]
            ))
            .help("a release is never altered; give the new content a new id")
        }))
    }

    fn unpacked(
        &self,
        known: &Known,
        step: Step,
        resolved: &Resolved,
        sum: &Arc<str>,
    ) -> Result<Step, Missing> {
        let (folder, marker) = (self.folder(), self.marker());
        let stat = resolved.fresh('d', None);
        let mut step = step.touch(Touch::Path(folder.clone()));
        for (path, stat) in [(&*folder, stat), (&*marker, resolved.fresh('f', None))] {
            let info = PathInfo {
                stat: Some(stat),
                ..known.path(path)?.clone()
            };
            step = step.predict(Question::Path(path.into()), Answer::Path(info));
        }
        let text: Arc<[u8]> = format!("{sum}\n").into_bytes().into();
        Ok(step.predict(Question::Text(marker), Answer::Text(Some(text))))
    }

    fn switched(&self, known: &Known, step: Step, target: &str) -> Result<Step, Missing> {
        let path = self.below(&self.link);
        let info = known.path(&path)?;
        let mut stat = self
            .attributes
            .plain()
            .resolve(known)?
            .map_or_else(|_| None, |resolved| Some(resolved.fresh('l', None)));
        if let Some(stat) = &mut stat {
            stat.target_kind = 'd';
            stat.link = Some(target.into());
        }
        let info = PathInfo {
            abs: info.abs.clone(),
            real: format!("{}/{target}", known.path(&self.path)?.real).into(),
            stat,
        };
        Ok(step
            .touch(Touch::Path(path.clone()))
            .touch(Touch::Path(self.below(&script::previous(&self.link))))
            .touch(Touch::Path(self.below(&script::note_name(&self.link))))
            .predict(Question::Path(path.into()), Answer::Path(info)))
    }
}
