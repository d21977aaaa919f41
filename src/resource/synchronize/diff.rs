//! What differs between the source and the folder of the node, and the step that mends it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::Digest;

use super::exclude::{Exclude, is_excluded};
use super::source::{Entry, Source, What};
use crate::change::{Action, Change, Content, Expect, Field, Step, TarEntry, Touch};
use crate::command::quote;
use crate::diagnostic::count;
use crate::fact::{Known, Missing, Question, Stat};
use crate::resource::Resource;
use crate::resource::attributes::{Attributes, homeless};
use crate::resource::copy::stream;
use crate::resource::folders;
use crate::resource::mode::octal;
use crate::resource::place::{state, temporary};

/// Puts everything in its place, by one list of what is to be done.
const PLACE: &str = include_str!("place.pl");

/// A folder of the controller and where it is mirrored to.
pub struct Synchronize {
    pub dest: Arc<str>,
    pub src: String,
    pub source: Source,
    pub perms: bool,
    pub delete: bool,
    pub delete_excluded: bool,
    /// Whether only what is there already is brought up to date.
    pub existing: bool,
    pub excludes: Vec<Exclude>,
    /// What folders above it are made with.
    pub attributes: Attributes,
}

/// All that is to be done, in order.
#[derive(Default)]
struct Work<'a> {
    /// `x` remove, `d` make a folder, `f` put a file, `l` make a link, `m` set the mode: with what, and where.
    list: Vec<(char, String, &'a str)>,
    /// Modes that are set at the end: of a folder that nobody may write to, too.
    modes: Vec<(u32, &'a str)>,
    sent: Vec<Sent<'a>>,
    fields: Vec<Field>,
    /// What stands at a name afterwards: kind, mode and where a link leads.
    after: Vec<(&'a str, String)>,
}

/// A file whose content is sent.
struct Sent<'a> {
    entry: &'a Entry,
    sha256: &'a Arc<str>,
    before: Option<Arc<str>>,
}

impl Resource for Synchronize {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = folders::questions(&self.dest);
        questions.push(Question::Tree(self.dest.clone()));
        known.need(questions)?;
        let info = known.path(&self.dest)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        let missing = match folders::missing(known, &self.dest)? {
            Ok(missing) => missing,
            Err(change) => return Ok(change),
        };
        let base = info.abs.trim_end_matches('/').to_owned();
        let tree = known.tree(&self.dest)?.cloned().unwrap_or_default();
        let old: HashMap<&str, &Stat> = tree
            .iter()
            .map(|entry| (&*entry.name, &entry.stat))
            .collect();
        let place = |name: &str| -> Arc<str> { format!("{base}/{name}").into() };
        let is_file = |entry: &&Entry| {
            let there = old
                .get(entry.name.as_str())
                .is_some_and(|stat| stat.kind == 'f');
            there && matches!(entry.what, What::File { .. })
        };
        let files = self.source.entries.iter().filter(is_file);
        known.need(files.map(|entry| Question::Digest(place(&entry.name))))?;
        if self.existing && !missing.is_empty() {
            return Ok(self.told(Change::none("nothing is there yet")));
        }
        let mut work = Work::default();
        for entry in &self.source.entries {
            let found = old.get(entry.name.as_str()).copied();
            let digest = match (&entry.what, found.map(|stat| stat.kind)) {
                (What::File { .. }, Some('f')) => known.digest(&place(&entry.name))?.cloned(),
                _ => None,
            };
            if let Err(change) = self.compare(&mut work, entry, found, digest) {
                return Ok(*change);
            }
        }
        if let (Some(mode), true) = (self.source.top, self.perms) {
            let now = info.stat.as_ref().map_or(0o755, |stat| stat.mode);
            // What stands behind a link has a mode of its own, which is not known here.
            let link = info.stat.as_ref().is_some_and(|stat| stat.kind == 'l');
            if now != mode && !link {
                work.set_mode(".", now, mode);
            }
        }
        let names: Vec<&str> = self.extra(&old);
        for name in &names {
            let kind = old.get(name).copied();
            work.list.push(('x', String::new(), name));
            work.fields.push(Field::value(*name, state(kind), "absent"));
            work.after.push((name, String::new()));
        }
        self.change(known, &base, &missing, work)
    }
}

impl Synchronize {
    /// What is to be done for one entry.
    fn compare<'a>(
        &'a self,
        work: &mut Work<'a>,
        entry: &'a Entry,
        old: Option<&Stat>,
        digest: Option<Arc<str>>,
    ) -> Result<(), Box<Change>> {
        if old.is_none() && self.existing {
            return Ok(());
        }
        let name = entry.name.as_str();
        let kind = old.map(|stat| stat.kind);
        if kind == Some('d') && !matches!(entry.what, What::Folder) {
            if !self.delete {
                let place = format!("{}/{name}", self.dest);
                return Err(Box::new(
                    Change::blocked(format!("`{place}` is a folder, and none in the source"))
                        .help("write `delete: true` to have it replaced, or remove it first"),
                ));
            }
            work.list.push(('x', String::new(), name));
        }
        // Without `perms`, what is there keeps its own, and what is new gets what the umask lets through.
        let mode = match (self.perms, old.filter(|stat| stat.kind != 'l')) {
            (true, _) => entry.mode,
            (false, Some(stat)) => stat.mode,
            (false, None) => entry.mode & 0o755,
        };
        match &entry.what {
            What::Folder if kind == Some('d') => {}
            What::Folder => {
                if old.is_some() {
                    work.list.push(('x', String::new(), name));
                }
                work.list.push(('d', String::new(), name));
                work.modes.push((mode, name));
                work.fields
                    .push(Field::value(name, state(old), "directory"));
                work.after.push((name, format!("d {mode:o} ")));
                return Ok(());
            }
            What::File { sha256, .. } => {
                if digest.as_ref() != Some(sha256) {
                    work.list.push(('f', String::new(), name));
                    work.modes.push((mode, name));
                    work.fields.push(Field::Text {
                        field: name.to_owned(),
                        before_sha256: digest.as_ref().map(|digest| digest.to_string()),
                        after_sha256: Some(sha256.to_string()),
                        before: None,
                        after: None,
                    });
                    work.after.push((name, format!("f {mode:o} ")));
                    work.sent.push(Sent {
                        entry,
                        sha256,
                        before: digest,
                    });
                    return Ok(());
                }
            }
            What::Link(target) => {
                let found = old.and_then(|stat| stat.link.as_deref());
                if found != Some(target.as_str()) {
                    let before = match found {
                        Some(found) => format!("link to {found}"),
                        None => state(old).to_owned(),
                    };
                    work.list.push(('l', target.clone(), name));
                    work.fields
                        .push(Field::value(name, before, format!("link to {target}")));
                    work.after.push((name, format!("l 777 {target}")));
                }
                return Ok(());
            }
        }
        if let Some(stat) = old.filter(|stat| stat.mode != mode) {
            work.set_mode(name, stat.mode, mode);
            work.after.push((name, format!("{} {mode:o} ", stat.kind)));
        }
        Ok(())
    }

    /// What is to be deleted: the topmost of what is not in the source. A folder with something that is kept stays.
    fn extra<'a>(&self, old: &HashMap<&'a str, &Stat>) -> Vec<&'a str> {
        if !self.delete {
            return Vec::new();
        }
        let wanted: HashSet<&str> = self
            .source
            .entries
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        // Beside a folder that is mirrored as a whole, other things are not touched.
        let top = match self.source.top {
            Some(_) => String::new(),
            None => format!("{}/", self.source.entries.first().map_or("", |it| &it.name)),
        };
        let mut kept: HashSet<&str> = HashSet::new();
        let mut names: Vec<&str> = Vec::new();
        for (name, stat) in old {
            let excluded =
                !self.delete_excluded && is_excluded(&self.excludes, name, stat.kind == 'd');
            if excluded || wanted.contains(name) {
                kept.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
            } else if name.starts_with(&top) {
                names.push(name);
            }
        }
        names.retain(|name| !kept.contains(name));
        names.sort_unstable();
        let mut gone: HashSet<&str> = HashSet::new();
        names.retain(|name| {
            let below = name
                .match_indices('/')
                .any(|(at, _)| gone.contains(&name[..at]));
            gone.insert(name);
            !below
        });
        names
    }

    fn told(&self, change: Change) -> Change {
        let lines: Vec<&str> = change.fields.iter().map(Field::name).collect();
        let words = lines.join("\n");
        change
            .result("src", self.src.as_str())
            .result("dest", &*self.dest)
            .result("rc", 0)
            .result("stdout_lines", words.lines().collect::<Vec<_>>())
    }

    fn change(
        &self,
        known: &Known,
        base: &str,
        missing: &[String],
        work: Work,
    ) -> Result<Change, Missing> {
        if missing.is_empty() && work.fields.is_empty() {
            return Ok(self.told(Change::none("all is as in the source")));
        }
        let mut change = Change::new(match missing.is_empty() {
            true => Action::Update,
            false => Action::Create,
        });
        if !missing.is_empty() {
            let resolved = match self.attributes.resolve(known)? {
                Ok(resolved) => resolved,
                Err(change) => return Ok(change),
            };
            let (step, _) = folders::make(known, &resolved, missing)?;
            change = change.step(step);
            for path in missing {
                change = change.field(Field::value(path, "absent", "directory"));
            }
        }
        change.fields.extend(work.fields.iter().cloned());
        if !work.fields.is_empty() {
            change = change.step(self.step(base, &work));
        }
        Ok(self.told(change))
    }

    fn step(&self, base: &str, work: &Work) -> Step {
        let mut list = String::new();
        let modes = work
            .modes
            .iter()
            .rev()
            .map(|(mode, name)| ('m', format!("{mode:o}"), *name));
        let (deleted, first): (Vec<_>, Vec<_>) = work
            .list
            .iter()
            .cloned()
            .partition(|(verb, _, name)| *verb == 'x' && work.is_deleted(name));
        for (verb, what, name) in first.into_iter().chain(deleted).chain(modes) {
            list.push_str(&format!("{verb}\0{what}\0{name}\0"));
        }
        let sent = work.sent.len();
        let title = match sent {
            0 => format!("bring {} up to date", self.dest),
            _ => format!("write {} to {}", count(sent, "file"), self.dest),
        };
        let unpack = match sent {
            0 => "",
            _ => "tar -xf \"$IN2\" --no-same-owner -C \"$t\" &&\nsync -f -- \"$t\" &&\n",
        };
        let script = format!(
            "{}mkdir -m 0700 -- \"$t\" &&\n{unpack}perl - \"$IN1\" \"$t\" {} <<'END-OF-PLACE'\n{PLACE}END-OF-PLACE\n",
            temporary(&format!("{base}/folder")),
            quote(if base.is_empty() { "/" } else { base }),
        );
        let mut step = Step::new(title, script)
            .input(Content::Bytes(list.into_bytes().into()))
            .touch(Touch::Path(self.dest.to_string()));
        if sent > 0 {
            let entries = work.sent.iter().filter_map(|sent| match &sent.entry.what {
                What::File { path, len, .. } => Some(TarEntry {
                    name: sent.entry.name.clone(),
                    mode: 0o600,
                    file: Some((path.clone(), *len)),
                }),
                _ => None,
            });
            step = step
                .input(Content::Tar(Arc::new(entries.collect())))
                .before(sums(base, &work.sent, |sent| sent.before.as_ref()))
                .verify(sums(base, &work.sent, |sent| Some(sent.sha256)));
        }
        step.verify(standing(base, &work.after))
    }
}

impl<'a> Work<'a> {
    fn set_mode(&mut self, name: &'a str, old: u32, new: u32) {
        self.modes.push((new, name));
        let field = match name {
            "." => "mode".to_owned(),
            name => format!("{name} mode"),
        };
        self.fields
            .push(Field::value(field, octal(old), octal(new)));
    }

    /// Whether nothing takes the place of what is removed there.
    fn is_deleted(&self, name: &str) -> bool {
        self.after
            .iter()
            .any(|(other, after)| *other == name && after.is_empty())
    }
}

/// `printf '%s\0' NAME …`: a builtin, so that no number of names is too many.
fn printed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = "printf '%s\\0'".to_owned();
    for name in names {
        text.push(' ');
        text.push_str(&quote(&format!("./{name}")));
    }
    text
}

/// That the files have these sums; those without one must not be files.
fn sums(
    base: &str,
    sent: &[Sent],
    sum: impl for<'a> Fn(&'a Sent) -> Option<&'a Arc<str>>,
) -> Expect {
    let mut hash = sha2::Sha256::new();
    for sent in sent {
        if let Some(sum) = sum(sent) {
            hash.update(format!("{sum}  ./{}\0", sent.entry.name));
        }
    }
    let list = printed(sent.iter().map(|sent| sent.entry.name.as_str()));
    equal(
        base,
        "content",
        &format!(
            "{list} | find -files0-from - -maxdepth 0 -type f -print0 2>/dev/null | xargs -0r sha256sum -z --"
        ),
        hash,
    )
}

/// That all that was touched stands as it is to: kind, mode, where links lead; and what was deleted is gone.
fn standing(base: &str, after: &[(&str, String)]) -> Expect {
    let mut hash = sha2::Sha256::new();
    for (_, words) in after.iter().filter(|(_, words)| !words.is_empty()) {
        hash.update(format!("{words}\0"));
    }
    let list = printed(after.iter().map(|(name, _)| *name));
    equal(
        base,
        "kind and mode",
        &format!("{list} | find -files0-from - -maxdepth 0 -printf '%y %m %l\\0' 2>/dev/null"),
        hash,
    )
}

/// That what a script prints in a folder has this sum.
fn equal(base: &str, field: &str, script: &str, hash: sha2::Sha256) -> Expect {
    let base = quote(if base.is_empty() { "/" } else { base });
    let script = format!("cd -- {base} 2>/dev/null && {{ {script}; }}");
    stream::equal(field, &script, hash)
}
