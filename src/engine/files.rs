//! Files of the controller: read and hashed once per run, however many hosts need them.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use sha2::{Digest, Sha256};

use super::state::lock;
use crate::change::Content;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Loaded, ReadVars};
use crate::source::Source;
use crate::vault::{FileError, Keyring, is_vault_file, read_source};

/// Files larger than this are streamed, never held in memory.
const IN_MEMORY: u64 = 1024 * 1024;

/// The tasks of an included file or role, or what is wrong with it.
type Included = Result<Arc<Loaded>, Diagnostic>;

/// The variables of included files, or what is wrong with them.
type Variables = Result<Arc<ReadVars>, Diagnostic>;

/// What was read so far.
#[derive(Default)]
pub struct Files {
    contents: Mutex<HashMap<PathBuf, Content>>,
    opened: Mutex<HashMap<PathBuf, Option<Content>>>,
    sources: Mutex<HashMap<PathBuf, Arc<Source>>>,
    digests: Mutex<HashMap<PathBuf, (u64, Arc<str>)>>,
    tasks: Mutex<HashMap<(usize, String), Included>>,
    looked_up: Mutex<BTreeSet<PathBuf>>,
    vars: Mutex<HashMap<(usize, String), Variables>>,
    awaited: OnceLock<String>,
}

/// The numbers of tasks that are read during the run begin here.
const FIRST_ID: usize = 1 << 40;

impl Files {
    /// In a plan: this task would write on the controller, so that a file that is not there may be there when the plan is applied.
    pub fn await_task(&self, label: &str) {
        let _ = self.awaited.set(label.to_owned());
    }

    /// The task before which no file of the controller can be called missing.
    pub fn awaited(&self) -> Option<&String> {
        self.awaited.get()
    }

    /// What a vault holds; none for a file that is none. From then on no line of it is shown.
    pub fn opened(&self, path: &Path, keyring: &Keyring) -> Result<Option<Content>, FileError> {
        if let Some(known) = lock(&self.opened).get(path) {
            return Ok(known.clone());
        }
        let content = open(path, keyring)?;
        lock(&self.opened).insert(path.to_owned(), content.clone());
        Ok(content)
    }

    /// A file's content as it is: in memory when small, else its length and hash.
    pub fn content(&self, path: &Path) -> std::io::Result<Content> {
        if let Some(content) = lock(&self.contents).get(path) {
            return Ok(content.clone());
        }
        let content = read(path)?;
        lock(&self.contents).insert(path.to_owned(), content.clone());
        Ok(content)
    }

    /// A file's length and SHA-256; its bytes are not kept.
    pub fn digest(&self, path: &Path) -> std::io::Result<(u64, Arc<str>)> {
        if let Some(known) = lock(&self.digests).get(path) {
            return Ok(known.clone());
        }
        let found = digest(path)?;
        lock(&self.digests).insert(path.to_owned(), found.clone());
        Ok(found)
    }

    /// The files that were read.
    pub fn read(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = lock(&self.contents).keys().cloned().collect();
        paths.extend(lock(&self.sources).keys().cloned());
        paths.extend(lock(&self.digests).keys().cloned());
        paths.extend(lock(&self.looked_up).iter().cloned());
        let loaded = lock(&self.tasks);
        let loaded = loaded.values().flatten().flat_map(|it| &it.files);
        paths.extend(loaded.cloned());
        let read = lock(&self.vars);
        let read = read.values().flatten().flat_map(|it| &it.files);
        paths.extend(read.cloned());
        paths
    }

    /// What the task `include` includes of a file or role, known by `key`, read by `load` from a first number on: the same for all
    /// hosts.
    pub fn tasks(
        &self,
        include: usize,
        key: &str,
        load: impl FnOnce(usize) -> Result<Loaded, Vec<Diagnostic>>,
    ) -> Included {
        let mut known = lock(&self.tasks);
        let first_id = FIRST_ID + (known.len() << 20);
        let read = known
            .entry((include, key.to_owned()))
            .or_insert_with(|| load(first_id).map(Arc::new).map_err(first_of));
        read.clone()
    }

    /// What the task `include` reads of files of variables, known by `key`: the same for all hosts.
    pub fn vars(
        &self,
        include: usize,
        key: &str,
        load: impl FnOnce() -> Result<ReadVars, Vec<Diagnostic>>,
    ) -> Variables {
        let mut known = lock(&self.vars);
        let read = known.entry((include, key.to_owned()));
        let read = read.or_insert_with(|| load().map(Arc::new).map_err(first_of));
        read.clone()
    }

    /// A text file for a lookup, as it is now: an earlier task may have written it.
    pub fn look_up(&self, path: &Path, keyring: &Keyring) -> Result<Arc<Source>, FileError> {
        let source = read_source(path, keyring)?;
        if source.is_sealed() {
            keyring.hide(source.text());
        }
        lock(&self.looked_up).insert(path.to_owned());
        Ok(source)
    }

    /// A template file, which may be a vault.
    pub fn source(&self, path: &Path, keyring: &Keyring) -> Result<Arc<Source>, FileError> {
        if let Some(source) = lock(&self.sources).get(path) {
            return Ok(source.clone());
        }
        let source = read_source(path, keyring)?;
        lock(&self.sources).insert(path.to_owned(), source.clone());
        Ok(source)
    }
}

/// The first error.
fn first_of(faults: Vec<Diagnostic>) -> Diagnostic {
    let mut faults = faults.into_iter().filter(Diagnostic::is_error);
    let nothing = || Diagnostic::error("the file cannot be read");
    faults.next().unwrap_or_else(nothing)
}

fn open(path: &Path, keyring: &Keyring) -> Result<Option<Content>, FileError> {
    if !is_vault_file(path)? {
        return Ok(None);
    }
    let content = keyring.open(&std::fs::read(path)?)?;
    if let Ok(text) = std::str::from_utf8(&content) {
        keyring.hide(text);
    }
    Ok(Some(Content::Bytes(content.as_slice().into())))
}

fn read(path: &Path) -> std::io::Result<Content> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length <= IN_MEMORY {
        let mut bytes = Vec::with_capacity(length as usize);
        file.read_to_end(&mut bytes)?;
        return Ok(Content::Bytes(bytes.into()));
    }
    drop(file);
    let (len, sha256) = digest(path)?;
    Ok(Content::File {
        path: path.to_owned(),
        len,
        sha256,
    })
}

fn digest(path: &Path) -> std::io::Result<(u64, Arc<str>)> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 256 * 1024];
    let mut read = 0u64;
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        hash.update(&piece[..length]);
        read += length as u64;
    }
    let sha256: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((read, sha256.into()))
}
