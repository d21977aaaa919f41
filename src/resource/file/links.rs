//! `state: link` and `state: hard`.

use std::sync::Arc;

use super::super::attributes::homeless;
use super::super::folders::no_folder;
use super::super::place::{is_certain, is_folder, parent, standing, state, temporary, was};
use super::{File, Wanted};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::command::quote;
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};

impl File {
    /// The path that `src` names on the node; a relative one begins where the link stands.
    pub(super) fn source(&self) -> Option<String> {
        let src = self.src.as_ref()?;
        let above = parent(&self.path).unwrap_or("/").trim_end_matches('/');
        match (src.starts_with('/') || src.starts_with('~'), self.wanted) {
            (true, Wanted::Link | Wanted::Hard) => Some(src.to_string()),
            (false, Wanted::Link | Wanted::Hard) => Some(format!("{above}/{src}")),
            _ => None,
        }
    }

    /// A symbolic link.
    pub(super) fn link(&self, known: &Known, info: &PathInfo) -> Result<Change, Missing> {
        let Some((src, source)) = self.linked(known)? else {
            return Ok(Change::failed("a link needs `src`"));
        };
        if let Some(change) = homeless(source) {
            return Ok(change);
        }
        // `~` in a link would mean nothing to the node's programs.
        let target: Arc<str> = if src.starts_with('~') {
            source.abs.clone()
        } else {
            src
        };
        if let Some(stat) = info.stat.as_ref().filter(|stat| stat.kind == 'l')
            && stat.link.as_ref() == Some(&target)
        {
            return self.behind(known, info, stat);
        }
        if source.stat.is_none() && !self.force {
            return Ok(Change::blocked(format!(
                "`{target}` does not exist, to which the link is to lead"
            ))
            .help("make it first, or write `force: true` to link to what is not there yet"));
        }
        if let Some(change) = self.occupied(info) {
            return Ok(change);
        }
        self.new_link(known, info, source, target)
    }

    fn new_link(
        &self,
        known: &Known,
        info: &PathInfo,
        source: &PathInfo,
        target: Arc<str>,
    ) -> Result<Change, Missing> {
        let folder = match self.standing_folder(known)? {
            Ok(folder) => folder,
            Err(change) => return Ok(change),
        };
        let resolved = match self.attributes.with_mode(None).resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let plain = resolved.plain('l', folder.as_ref());
        let mut commands = vec![format!("ln -sT -- {} \"$t\"", quote(&target))];
        // With `follow`, the owner is meant for what stands behind it.
        let mut new = if self.follow {
            plain
        } else {
            commands.extend(resolved.commands("\"$t\"", &plain));
            resolved.altered(&plain)
        };
        new.link = Some(target.clone());
        new.size = target.len() as u64;
        new.target_kind = source.stat.as_ref().map_or('N', |stat| stat.target_kind);
        commands.extend(self.clear(info));
        commands.push(format!("mv -fT -- \"$t\" {}", quote(&info.abs)));
        commands.push("trap - EXIT".to_owned());
        let step = self.placed(info, &new, commands, source.real.clone());
        let action = match info.stat {
            Some(_) => Action::Update,
            None => Action::Create,
        };
        let field = match info.stat.as_ref().map(|stat| (&stat.link, stat)) {
            Some((Some(link), _)) => Field::value("src", &**link, &*target),
            _ => Field::value("state", state(info.stat.as_ref()), "link"),
        };
        let mut change = Change::new(action).field(field).step(step);
        if self.follow
            && !self.attributes.is_empty()
            && let Some(stat) = &source.stat
            && stat.kind != 'l'
        {
            let key: Arc<str> = self.source().unwrap_or_default().into();
            change = self.settle(known, &key, source, stat, change)?;
        }
        let change = change.result("src", &*target);
        Ok(self.result(change, info, Some(&new)))
    }

    /// The link is right; attributes are those of what stands behind it, or with `follow: false` its own.
    fn behind(&self, known: &Known, info: &PathInfo, stat: &Stat) -> Result<Change, Missing> {
        let change =
            Change::none("it is as wanted").result("src", stat.link.as_deref().unwrap_or_default());
        if !self.follow {
            return self.settle(known, &self.path, info, stat, change);
        }
        let nothing = self.attributes.is_empty() && self.times.are_preserved();
        if nothing || "NL".contains(stat.target_kind) {
            return Ok(self.result(change, info, Some(stat)));
        }
        let real = known.path(&info.real)?;
        match &real.stat {
            Some(behind) => self.settle(known, &info.real, real, behind, change),
            None => Ok(self.result(change, info, Some(stat))),
        }
    }

    /// A hard link.
    pub(super) fn hard(&self, known: &Known, info: &PathInfo) -> Result<Change, Missing> {
        let Some((_, source)) = self.linked(known)? else {
            return Ok(Change::failed("a link needs `src`"));
        };
        if let Some(change) = homeless(source) {
            return Ok(change);
        }
        let Some(stat) = &source.stat else {
            return Ok(Change::blocked(format!(
                "`{}` does not exist, of which the link is to be made",
                source.abs
            ))
            .help("make it first"));
        };
        if stat.kind == 'd' {
            return Ok(Change::blocked(format!("`{}` is a folder", source.abs))
                .help("folders have no hard links; write `state: link`"));
        }
        // A prediction has no inode; it is never the same file for certain.
        let same = |found: &&Stat| {
            found.inode == stat.inode && found.device == stat.device && stat.inode != 0
        };
        if let Some(found) = info.stat.as_ref().filter(same) {
            let change = Change::none("it is as wanted").result("src", &*source.abs);
            return self.settle(known, &self.path, info, found, change);
        }
        if let Some(change) = self.occupied(info) {
            return Ok(change);
        }
        if let Err(change) = self.standing_folder(known)? {
            return Ok(change);
        }
        let mut commands = vec![format!("ln -PT -- {} \"$t\"", quote(&source.abs))];
        commands.extend(self.clear(info));
        commands.push(format!("mv -fT -- \"$t\" {}", quote(&info.abs)));
        commands.push("trap - EXIT".to_owned());
        let new = Stat {
            links: stat.links + 1,
            ..stat.clone()
        };
        let step = self.placed(info, &new, commands, info.abs.clone());
        let action = match info.stat {
            Some(_) => Action::Update,
            None => Action::Create,
        };
        let change = Change::new(action)
            .field(Field::value("state", state(info.stat.as_ref()), "hard"))
            .step(step);
        let after = PathInfo {
            stat: Some(new.clone()),
            ..info.clone()
        };
        let change = self.settle(known, &self.path, &after, &new, change)?;
        Ok(change.result("src", &*source.abs).result("state", "hard"))
    }

    fn linked<'a>(&self, known: &'a Known) -> Result<Option<(Arc<str>, &'a PathInfo)>, Missing> {
        match (&self.src, self.source()) {
            (Some(src), Some(source)) => Ok(Some((src.clone(), known.path(&source)?))),
            _ => Ok(None),
        }
    }

    /// Why what stands there is not replaced.
    fn occupied(&self, info: &PathInfo) -> Option<Change> {
        let stat = info.stat.as_ref()?;
        let linked = self.wanted == Wanted::Link && stat.kind == 'l';
        let emptied = stat.kind == 'd' && self.force;
        if linked || emptied || (self.force && stat.kind != 'd') {
            return None;
        }
        let found = state(Some(stat));
        Some(Change::blocked(format!("`{}` is a {found}", self.path)).help(
            "remove it first, or write `force: true` to put the link in place of a file or an empty folder",
        ))
    }

    /// A folder is replaced only when it is empty, as `rmdir` sees to.
    fn clear(&self, info: &PathInfo) -> Option<String> {
        let stat = info.stat.as_ref()?;
        (stat.kind == 'd').then(|| format!("rmdir -- {}", quote(&info.abs)))
    }

    fn standing_folder(&self, known: &Known) -> Result<Result<Option<Stat>, Change>, Missing> {
        let Some(above) = parent(&self.path) else {
            return Ok(Ok(None));
        };
        let info = known.path(above)?;
        if is_folder(info) {
            Ok(Ok(info.stat.clone()))
        } else {
            Ok(Err(no_folder(above)))
        }
    }

    fn placed(&self, info: &PathInfo, new: &Stat, commands: Vec<String>, real: Arc<str>) -> Step {
        let script = temporary(&info.abs) + &commands.join(" &&\n");
        let step = Step::new(format!("link {}", self.path), script)
            .touch(Touch::Path(self.path.to_string()))
            .before(was(&info.abs, info.stat.as_ref(), None))
            .verify(standing(&info.abs, new, None));
        if !is_certain(new) {
            return step;
        }
        let after = PathInfo {
            abs: info.abs.clone(),
            real,
            stat: Some(new.clone()),
        };
        step.predict(Question::Path(self.path.clone()), Answer::Path(after))
    }
}
