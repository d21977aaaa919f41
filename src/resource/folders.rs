//! Folders that are made together with those missing above them.

use std::collections::{BTreeMap, HashMap};

use super::attributes::{Resolved, homeless};
use super::place::{is_certain, is_folder, parent, standing, state, trimmed, was};
use crate::change::{Change, Step, Touch};
use crate::command::{Command, quote};
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};

/// The questions about a folder and all above it.
pub fn questions(folder: &str) -> Vec<Question> {
    above(folder)
        .into_iter()
        .map(|path| Question::Path(path.into()))
        .collect()
}

/// The folder and those above it, topmost first.
fn above(folder: &str) -> Vec<&str> {
    let mut paths = vec![trimmed(folder)];
    while let Some(next) = paths.last().and_then(|path| parent(path)) {
        paths.push(next);
    }
    paths.reverse();
    paths
}

/// Which of them are missing, topmost first; or why they cannot be made.
pub fn missing(known: &Known, folder: &str) -> Result<Result<Vec<String>, Change>, Missing> {
    known.need(questions(folder))?;
    let mut missing = Vec::new();
    for path in above(folder) {
        let info = known.path(path)?;
        if let Some(change) = homeless(info) {
            return Ok(Err(change));
        }
        match &info.stat {
            None => missing.push(path.to_owned()),
            Some(_) if is_folder(info) => {}
            stat => {
                let found = match stat.as_ref().map(|stat| (stat.kind, stat.target_kind)) {
                    Some(('l', 'N' | 'L')) => "link that leads nowhere",
                    _ => state(stat.as_ref()),
                };
                return Ok(Err(Change::blocked(format!(
                    "`{path}` is a {found}, not a folder"
                ))
                .help("remove it first, or use another path")));
            }
        }
    }
    Ok(Ok(missing))
}

/// The step that makes `folders`, each behind the one it lies in, all with the wanted attributes, and what the last of
/// them will be.
pub fn make(
    known: &Known,
    resolved: &Resolved,
    folders: &[String],
) -> Result<(Step, Stat), Missing> {
    let last = folders.last().map(String::as_str).unwrap_or_default();
    let mut made: HashMap<&str, Stat> = HashMap::new();
    let mut end = None;
    let mut step = Step::new(format!("make {last}"), "");
    let mut command = Command::new("mkdir").arg("--");
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in folders {
        let info = known.path(folder)?;
        let above = match parent(folder) {
            Some(above) if !made.contains_key(above) => known.path(above)?.stat.as_ref(),
            Some(above) => made.get(above),
            None => None,
        };
        let new = resolved.fresh('d', above);
        command = command.arg(&*info.abs);
        // What `mkdir` leaves under umask 022, against which the rest is set.
        let plain = resolved.plain('d', above);
        for setting in resolved.commands("", &plain) {
            settings.entry(setting).or_default().push(quote(&info.abs));
        }
        step = step
            .touch(Touch::NewFolder(folder.clone()))
            .before(was(&info.abs, None, None))
            .verify(standing(&info.abs, &new, None));
        if is_certain(&new) {
            let info = PathInfo {
                stat: Some(new.clone()),
                ..info.clone()
            };
            step = step.predict(Question::Path(folder.as_str().into()), Answer::Path(info));
        }
        // All are made before any is altered: the next one inherits nothing of what this one will be.
        made.insert(folder, plain);
        end = Some(new);
    }
    let mut lines = vec![command.to_string()];
    // By name `chmod` would come first, but `chown` takes special bits away.
    let (owners, modes): (Vec<_>, Vec<_>) = settings
        .into_iter()
        .partition(|(command, _)| command.starts_with("chown"));
    for (command, paths) in owners.into_iter().chain(modes) {
        lines.push(format!("{command}{}", paths.join(" ")));
    }
    step.script = lines.join(" &&\n");
    let stat = end.unwrap_or_else(|| resolved.fresh('d', None));
    Ok((step, stat))
}

/// The obstacle of a missing parent folder.
pub fn no_folder(folder: &str) -> Change {
    Change::blocked(format!("the folder `{folder}` does not exist")).help(
        "make it first with a `file` task with `state: directory`, or install the package that brings it",
    )
}

/// Folders that earlier steps of the change make.
pub fn predicted(steps: &[Step]) -> HashMap<&str, &Stat> {
    steps
        .iter()
        .flat_map(|step| &step.predicts)
        .filter_map(|(question, answer)| match (question, answer) {
            (Question::Path(path), Answer::Path(info)) => {
                info.stat.as_ref().map(|stat| (&**path, stat))
            }
            _ => None,
        })
        .collect()
}
