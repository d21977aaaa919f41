//! `archive`: files of the node, packed into one on the node.

mod pack;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::attributes::{self, Attributes, homeless};
use super::copy::REFUSED_OF_FILES;
use super::place::{is_folder, parent, standing, state, temporary, trimmed, was, with_stat};
use super::write::set;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource, folders};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question};
use pack::{Format, Pack};

/// Packs files of the node into an archive on the node, or compresses a single file. The same files give the same archive, byte for byte: names stand in
/// order, and no time of packing is kept. So a run that finds nothing new changes nothing. The archive never holds itself.
///
/// # Differs from Ansible
/// - an archive whose bytes would be the same is not written again
/// - `attributes` and `unsafe_writes` are refused
///
/// # Needs
/// - the package `zip`, `bzip2` or `xz-utils` on the node, for the formats `zip`, `bz2` and `xz`
///
/// # Returns
/// - `dest`: the archive
/// - `dest_state`: `archive`, `compress` for a single file, `incomplete` where something is missing, `absent` where there is nothing to pack
/// - `arcroot`: the folder that the names in the archive are relative to
/// - `archived`: the paths that are packed
/// - `missing`: paths that were named and are not there
/// - `expanded_paths`, `expanded_exclude_paths`: what the patterns of `path` and `exclude_path` stand for
/// - `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task, when it was written
///
/// # Examples
/// ```yaml
/// - name: the site without what can be made again
///   archive:
///     path: /var/www/app
///     dest: /var/backups/app.tgz
///     exclusion_patterns: ["*/cache/*"]
///     mode: "0600"
///
/// - name: one file, compressed to app.log.1.xz
///   archive: { path: /var/log/app.log.1, format: xz, remove: true }
/// ```
pub static ARCHIVE: Kind = Kind {
    name: "archive",
    aliases: &["community.general.archive"],
    summary: "packs files and folders of the node into an archive there, or compresses one file",
    params: &[
        Param::new("path", ParamType::List, "Absolute paths, which may be shell patterns.").required(),
        Param::new("dest", ParamType::Path, "The archive. Needed unless a single file is compressed, which is then called by its format, such as `.gz`."),
        Param::new("format", ParamType::Choice(&["bz2", "gz", "tar", "xz", "zip"]), "How it is packed: tar, compressed unless it is `tar`, or zip, which needs the package `zip`.").default("gz"),
        Param::new("exclude_path", ParamType::List, "Paths or patterns of those in `path` that are left out."),
        Param::new("exclusion_patterns", ParamType::List, "Patterns of names in the archive that are left out; `*` goes beyond slashes."),
        Param::new("force_archive", ParamType::Bool, "Whether a single file is packed rather than only compressed.").default("false"),
        Param::new("remove", ParamType::Bool, "Whether what was packed is removed.").default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for name in ["path", "exclude_path"] {
        for path in args.list(name) {
            if !path.starts_with('/') && !path.contains("{{") {
                faults.push(
                    Diagnostic::at(
                        args.value_place(name),
                        format!("the path `{path}` is relative"),
                    )
                    .help("write an absolute path of the node"),
                );
            }
        }
    }
    faults
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let list = |name: &str| -> Vec<Arc<str>> {
        args.list(name)
            .into_iter()
            .map(|path| trimmed(path).into())
            .collect()
    };
    let paths = list("path");
    let format = Format::named(args.str("format").unwrap_or("gz"));
    if paths.is_empty() {
        return Err(Diagnostic::at(args.value_place("path"), "`path` is empty").into());
    }
    let single = paths.len() == 1 && !is_pattern(&paths[0]);
    if !args.has("dest") && (!single || args.bool("force_archive", false)) {
        return Err(Diagnostic::at(&args.span, "`archive` needs `dest`")
            .help("only a single file that is compressed can do without it")
            .into());
    }
    let own = format!("{}.{}", paths[0], args.str("format").unwrap_or("gz"));
    Ok(Box::new(Archive {
        dest: trimmed(args.str("dest").unwrap_or(&own)).into(),
        named: args.has("dest"),
        archives: args.bool("force_archive", false) || !single,
        paths,
        excluded: list("exclude_path"),
        patterns: args
            .list("exclusion_patterns")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        format,
        remove: args.bool("remove", false),
        attributes: Attributes::bind(args, controller)?,
    }))
}

/// An archive as wanted.
struct Archive {
    paths: Vec<Arc<str>>,
    excluded: Vec<Arc<str>>,
    patterns: Vec<String>,
    dest: Arc<str>,
    /// Whether `dest` was given.
    named: bool,
    format: Format,
    /// Whether it is an archive whatever the one path is.
    archives: bool,
    remove: bool,
    attributes: Attributes,
}

impl Resource for Archive {
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
        let excluded = self.expand(known, &self.excluded)?;
        let mut all = self.expand(known, &self.paths)?;
        let expanded: Vec<String> = all.iter().cloned().collect();
        all.retain(|path| !excluded.contains(path));
        let told = |change: Change| {
            let list = |paths: &BTreeSet<String>| Json::from_iter(paths.iter().cloned());
            change
                .result("dest", &*info.abs)
                .result("expanded_paths", Json::from(expanded.clone()))
                .result("expanded_exclude_paths", list(&excluded))
        };
        let Some(pack) = self.pack(known, all, &info.abs)? else {
            let change = Change::none("there is nothing to pack");
            let found = if info.stat.is_some() {
                "archive"
            } else {
                "absent"
            };
            return Ok(told(change.result("dest_state", found)));
        };
        if pack.archives && !self.named {
            return Ok(Change::failed(format!("`{}` is a folder", self.paths[0]))
                .help("give `dest`, the archive that it is packed into"));
        }
        let probe: Arc<str> = pack.probe().into();
        known.need([Question::Probe(probe.clone())])?;
        let answer = String::from_utf8_lossy(known.probe(&probe)?).into_owned();
        let sum = answer.trim();
        if let Some(program) = sum.strip_prefix("none ") {
            return Ok(
                Change::blocked(format!("there is no `{program}` on the node")).help(format!(
                    "install the package `{}` before this task",
                    self.format.package()
                )),
            );
        }
        let told = |change: Change| {
            let missing = Json::from(pack.missing.clone());
            told(change)
                .result("arcroot", pack.root.as_str())
                .result("archived", Json::from(pack.targets.clone()))
                .result("missing", missing)
                .result("dest_state", pack.state())
        };
        if let Some(stat) = info.stat.as_ref().filter(|stat| stat.target_kind == 'd') {
            let found = state(Some(stat));
            return Ok(
                Change::blocked(format!("`{}` is a {found}, not a file", self.dest))
                    .help("name the archive itself"),
            );
        }
        match parent(&self.dest) {
            Some(folder) if !is_folder(known.path(folder)?) => {
                return Ok(folders::no_folder(folder));
            }
            _ => {}
        }
        let old = info.stat.as_ref().filter(|stat| stat.kind == 'f');
        let digest = known.digest(&self.dest)?.cloned();
        let mut change = Change::none("the archive is as its files are");
        if digest.as_deref() == Some(sum) && old.is_some() {
            if let Some(old) = old {
                let fields = resolved.differences(old);
                if !fields.is_empty() {
                    change = Change::new(Action::Update)
                        .step(set(&resolved, &info.abs, &self.dest, old));
                    change.fields = fields;
                }
            }
        } else {
            let above = match parent(&self.dest) {
                Some(folder) => known.path(folder)?.stat.as_ref(),
                None => None,
            };
            let new = match old {
                Some(old) => resolved.altered(old),
                None => resolved.fresh('f', above),
            };
            let path = quote(&info.abs);
            let script = format!(
                "{}{} &&\nchown {} -- \"$t\" &&\nchmod {} -- \"$t\" &&\nsync -- \"$t\" &&\nmv -fT -- \"$t\" {path}",
                temporary(&info.abs),
                pack.write(),
                quote(&resolved.principals(&new)),
                super::mode::argument(new.mode),
            );
            let step = Step::new(format!("pack {}", self.dest), script)
                .touch(Touch::Path(self.dest.to_string()))
                .before(was(&info.abs, info.stat.as_ref(), digest.as_deref()))
                .verify(standing(&info.abs, &new, None));
            change = Change::new(match info.stat {
                Some(_) => Action::Update,
                None => Action::Create,
            })
            .field(Field::Text {
                field: "content".to_owned(),
                before_sha256: digest.as_ref().map(|digest| digest.to_string()),
                after_sha256: (!sum.is_empty()).then(|| sum.to_owned()),
                before: None,
                after: None,
            })
            .step(
                step.predict(
                    Question::Path(self.dest.clone()),
                    Answer::Path(PathInfo {
                        stat: Some(new.clone()),
                        ..info.clone()
                    }),
                )
                .predict(
                    Question::Digest(self.dest.clone()),
                    Answer::Digest(Some(sum.into())),
                )
                .predict(
                    Question::Probe(probe.clone()),
                    Answer::Probe(sum.as_bytes().into()),
                ),
            );
            change = with_stat(change, &new, "file");
        }
        if self.remove {
            change = self.removed(change, &pack);
        }
        Ok(told(change))
    }
}

impl Archive {
    fn questions(&self) -> Vec<Question> {
        let mut questions = vec![
            Question::Path(self.dest.clone()),
            Question::Digest(self.dest.clone()),
        ];
        questions.extend(parent(&self.dest).map(|folder| Question::Path(folder.into())));
        questions.extend(self.attributes.questions());
        for path in self.paths.iter().chain(&self.excluded) {
            questions.push(match is_pattern(path) {
                true => Question::Glob(path.clone()),
                false => Question::Path(path.clone()),
            });
        }
        questions
    }

    /// Patterns as what they match.
    fn expand(&self, known: &Known, paths: &[Arc<str>]) -> Result<BTreeSet<String>, Missing> {
        let mut all = BTreeSet::new();
        for path in paths {
            match is_pattern(path) {
                true => all.extend(known.glob(path)?.iter().cloned()),
                false => {
                    all.insert(path.to_string());
                }
            }
        }
        Ok(all)
    }

    /// What is packed; none when nothing of it is there.
    fn pack(
        &self,
        known: &Known,
        paths: BTreeSet<String>,
        dest: &str,
    ) -> Result<Option<Pack>, Missing> {
        let (mut targets, mut missing) = (Vec::new(), Vec::new());
        let mut archives = self.archives;
        for path in &paths {
            // What a pattern matched is there.
            let stat = match self.paths.iter().any(|own| **own == **path) {
                true => known.path(path)?.stat.as_ref(),
                false => {
                    targets.push(path.clone());
                    continue;
                }
            };
            match stat {
                Some(stat) => {
                    archives |= stat.kind == 'd';
                    targets.push(path.clone());
                }
                None => missing.push(path.clone()),
            }
        }
        if targets.is_empty() {
            return Ok(None);
        }
        Ok(Some(Pack {
            root: pack::root(&paths),
            targets,
            missing,
            archives,
            format: self.format,
            patterns: self.patterns.clone(),
            dest: dest.to_owned(),
        }))
    }

    /// The same change, and what was packed goes.
    fn removed(&self, mut change: Change, pack: &Pack) -> Change {
        let command = Command::new("rm")
            .arg("-rf")
            .arg("--")
            .args(pack.targets.iter().cloned());
        let mut step = Step::new(
            format!("remove what is in {}", self.dest),
            command.to_string(),
        );
        for path in &pack.targets {
            change = change.field(Field::value(path, "packed", "absent"));
            step = step
                .touch(Touch::Path(path.clone()))
                .verify(crate::change::Expect::absent(path.as_str()));
        }
        if change.action == Action::None {
            change.action = Action::Update;
            change.reason.clear();
        }
        change.step(step)
    }
}
