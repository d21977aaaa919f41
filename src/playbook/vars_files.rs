//! `vars_files`: which files they are, and when what is encrypted in them is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::is_literal;
use super::select::TagChoice;
use super::{Play, Scheduled, VarsFile, uses};
use crate::diagnostic::Diagnostic;
use crate::inventory::{read_closed_vars, read_vars};
use crate::name::is_identifier;
use crate::value::{Map, Value, has_closed, is_closed_file, opened};
use crate::vault::Keyring;

/// Which vars file an entry of `vars_files` means: the one it names, or of several the first that is there.
///
/// # Errors
/// None of several is there.
pub fn chosen_vars_file(folder: &Path, entry: &Value) -> Result<Value, Vec<Diagnostic>> {
    let Some(choice) = entry.as_list() else {
        return Ok(entry.clone());
    };
    let is_there = |name: &&Value| name.as_str().is_some_and(|it| folder.join(it).is_file());
    // What is no text is told when it is to be read.
    let odd = choice.iter().find(|name| name.as_str().is_none());
    if let Some(name) = odd.or_else(|| choice.iter().find(is_there)) {
        return Ok(name.clone());
    }
    let looked = choice
        .iter()
        .filter_map(Value::as_str)
        .map(|name| format!("`{}`", folder.join(name).display()));
    let fault = Diagnostic::at(&entry.span, "none of these vars files is there");
    let looked: Vec<String> = looked.collect();
    Err(vec![
        fault.help(format!("looked for {}", looked.join(", "))),
    ])
}

/// Reads a vars file by its rendered name, relative to the folder of its play.
pub fn load_vars_file(
    folder: &Path,
    name: &Value,
    keyring: &Keyring,
) -> Result<Arc<Map>, Vec<Diagnostic>> {
    named(read_vars(&found(folder, name)?, keyring)?)
}

/// The same, of which nothing is opened.
pub(super) fn closed_vars_file(folder: &Path, name: &Value) -> Result<Arc<Map>, Vec<Diagnostic>> {
    named(read_closed_vars(&found(folder, name)?)?)
}

fn found(folder: &Path, name: &Value) -> Result<PathBuf, Vec<Diagnostic>> {
    let Some(text) = name.as_str().filter(|text| !text.is_empty()) else {
        return Err(vec![Diagnostic::at(
            &name.span,
            format!("a vars file is named by text, not {}", name.type_name()),
        )]);
    };
    let path = folder.join(text);
    if !path.is_file() {
        return Err(vec![
            Diagnostic::at(&name.span, format!("there is no vars file `{text}`"))
                .help(format!("looked for `{}`", path.display())),
        ]);
    }
    Ok(path)
}

/// The variables, if each has a name that a variable can have.
fn named(vars: Arc<Map>) -> Result<Arc<Map>, Vec<Diagnostic>> {
    let faults: Vec<Diagnostic> = vars
        .iter()
        .filter(|(name, _)| !is_identifier(name) && !is_closed_file(name))
        .map(|(name, entry)| {
            Diagnostic::at(
                &entry.key,
                format!("`{name}` cannot be the name of a variable"),
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(vars)
    } else {
        Err(faults)
    }
}

impl Play {
    /// Opens what is encrypted in its literal vars files.
    ///
    /// # Errors
    /// What stays closed, and what is wrong with what the others hold.
    pub(super) fn open_vars_files(&mut self, keyring: &Keyring) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for file in &mut self.vars_files {
            if let VarsFile::Read { vars, .. } = file
                && has_closed(vars)
            {
                match opened(vars, keyring).and_then(|opened| named(Arc::new(opened))) {
                    Ok(opened) => *vars = opened,
                    Err(mut found) => faults.append(&mut found),
                }
            }
        }
        faults
    }

    /// Whether one of its vars files is closed still.
    pub(super) fn has_closed_files(&self) -> bool {
        let closed =
            |file: &VarsFile| matches!(file, VarsFile::Read { vars, .. } if has_closed(vars));
        self.vars_files.iter().any(closed)
    }

    /// Whether its vars files have a say in which hosts it has, and in which batches.
    pub(super) fn places_by_files(&self) -> bool {
        !is_literal(&self.hosts) || !self.serial.iter().all(is_literal)
    }
}

impl Scheduled {
    /// Whether its vars files are read at all: not without hosts, nor where tags leave no task and nothing else can use them. Handlers
    /// count, for an earlier run may owe them.
    pub(super) fn reads_files(&self, tags: &TagChoice) -> bool {
        let play = &self.play;
        let mut tasks = play.all_tasks();
        !self.hosts.is_empty()
            && (tasks.any(|task| tags.takes(&task.tags))
                || !play.handlers.is_empty()
                || uses::of_play(play).any(|value| !is_literal(value)))
    }
}
