//! OpenSSH's configuration: what arguments, `~/.ssh/config` and `/etc/ssh/ssh_config` say of one host.
//!
//! Written to ssh_config(5) and OpenSSH's readconf.c, and tested against `ssh -G`. A keyword is followed, or changes nothing here, or is
//! an error with file and line where it counts for a host: nothing that would matter is passed over ([`keyword`] has the tables).
//! Resolving is pure but for what [`machine`] does: reading files, each once, and running the programs of `Match exec`.

mod build;
mod criteria;
mod error;
mod jump;
mod keyword;
mod machine;
mod parse;
mod said;
mod setting;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use build::Wanted;
pub use error::{ConfigError, Place};
pub(crate) use said::Said;
pub(crate) use setting::{Line, Setting, argument, option};
pub use tokens::Who;

use self::machine::{Machine, ThisMachine};
use self::parse::{File, Owner, Reader};
use self::said::Walk;
use super::arguments::{ConfigChoice, SshArguments};

/// The configuration of this machine, for the account that runs this. Files are read when first needed, and once.
pub struct SshConfig {
    who: Who,
    user_file: Option<PathBuf>,
    machine_file: Option<PathBuf>,
    machine: Box<dyn Machine>,
    usual: SshArguments,
    read: Mutex<HashMap<PathBuf, Result<Arc<File>, ConfigError>>>,
}

/// What is asked: a host as it is spelled, and what is known of it before any file is read.
pub(crate) struct Query<'a> {
    pub(crate) host: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) arguments: &'a SshArguments,
    /// What becomes of unknown host keys beside that.
    pub(crate) host_keys: super::HostKeyRule,
}

impl SshConfig {
    /// `user_file` is `~/.ssh/config` with its whole path, `machine_file` `/etc/ssh/ssh_config`; one that is missing says nothing.
    pub fn new(who: Who, user_file: Option<PathBuf>, machine_file: Option<PathBuf>) -> Self {
        let machine = Box::new(ThisMachine {
            uid: who.uid,
            ran: Mutex::default(),
        });
        Self {
            who,
            user_file,
            machine_file,
            machine,
            usual: SshArguments::default(),
            read: Mutex::default(),
        }
    }

    /// With arguments for every host, behind its own.
    pub fn with_usual(mut self, usual: SshArguments) -> Self {
        self.usual = usual;
        self
    }

    /// The arguments for every host.
    pub fn usual(&self) -> &SshArguments {
        &self.usual
    }

    /// A path with a leading `~/` as the home folder, where there is one.
    pub fn home_path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.who.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// Everything that is said of a host, and the name that is connected to.
    pub(crate) fn said(&self, query: &Query<'_>) -> Result<(Said, String), ConfigError> {
        let mut walk = Walk {
            who: &self.who,
            machine: &*self.machine,
            original: query.host,
            host: query.host.to_string(),
            last: false,
            said: Said::default(),
            wants_last: false,
        };
        walk.said.user = query.user.map(str::to_string);
        walk.said.port = query.port;
        walk.said.host_key_checking = query.host_keys.always;
        walk.arguments(&query.arguments.lines)?;
        if walk.said.host_key_checking.is_none() {
            walk.said.host_key_checking = query.host_keys.usual;
        }
        let files = self.files(&query.arguments.config)?;
        for file in &files {
            walk.file(file)?;
        }
        let mut host = walk.connects_to();
        if host.parse::<IpAddr>().is_err() {
            host.make_ascii_lowercase();
        }
        if walk.wants_last {
            walk.said.host_name = Some(host.clone());
            walk.host.clone_from(&host);
            walk.last = true;
            for file in &files {
                walk.file(file)?;
            }
        }
        Ok((walk.said, host))
    }

    fn files(&self, choice: &ConfigChoice) -> Result<Vec<Arc<File>>, ConfigError> {
        let mut files = Vec::new();
        match choice {
            ConfigChoice::None => {}
            ConfigChoice::File(path) => {
                let path = tokens::tilde(path, &self.who)
                    .map(PathBuf::from)
                    .map_err(|error| Place::Argument.error(error))?;
                if !path.exists() {
                    let message =
                        format!("`-F` names `{}`, and there is no such file", path.display());
                    return Err(Place::Argument.error(message));
                }
                files.push(self.file(&path, Owner::User)?);
            }
            ConfigChoice::Usual => {
                if let Some(path) = &self.user_file {
                    files.push(self.file(path, Owner::User)?);
                }
                if let Some(path) = &self.machine_file {
                    files.push(self.file(path, Owner::Machine)?);
                }
            }
        }
        Ok(files)
    }

    fn file(&self, path: &Path, owner: Owner) -> Result<Arc<File>, ConfigError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = read.entry(path.to_path_buf()).or_insert_with(|| {
            let reader = Reader {
                who: &self.who,
                machine: &*self.machine,
                owner,
            };
            reader
                .file(path)
                .map(|file| Arc::new(file.unwrap_or_default()))
        });
        known.clone()
    }
}

impl fmt::Debug for SshConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshConfig")
            .field("user_file", &self.user_file)
            .field("machine_file", &self.machine_file)
            .finish_non_exhaustive()
    }
}
