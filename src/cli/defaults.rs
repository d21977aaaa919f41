//! `hadeploy.yml` under the command line, and `ansible.cfg` under both: what is given above wins.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ansible_cfg::{self, Cfg};
use super::environment::Environment;
use crate::diagnostic::Diagnostic;
use crate::settings::{self, Settings};
use crate::transport::ssh;
use crate::transport::ssh::arguments::SshArguments;

/// Defaults of the project that the working folder lies in, with paths as they are to be shown.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// `-i`.
    pub inventory: Vec<String>,
    /// `--forks`.
    pub forks: Option<usize>,
    /// `--host-key-checking`.
    pub host_key_checking: Option<ssh::HostKeyChecking>,
    /// `-u`.
    pub remote_user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// `--vault-password-file`.
    pub vault_password_file: Option<PathBuf>,
    /// `--age-identity`.
    #[cfg(feature = "age")]
    pub age_identity: Option<PathBuf>,
    /// `--recipients-file` of `hadeploy vault`.
    #[cfg(feature = "age")]
    pub age_recipients: Option<PathBuf>,
    /// `-b`.
    pub become_root: bool,
    /// What ssh is told behind what the inventory says of a host.
    pub ssh_arguments: SshArguments,
    /// `--lock-timeout`.
    pub lock_timeout: Option<Duration>,
    /// Where `pg`, `redis` and `status` find the clusters.
    pub playbook: Option<String>,
    /// What `deploy` and `rollback` run.
    pub deploy_playbook: Option<String>,
    /// The folder of logs.
    pub logs: Option<PathBuf>,
}

impl Defaults {
    /// Reads the nearest `hadeploy.yml`, and below it `ansible.cfg`.
    ///
    /// # Errors
    /// Everything that is wrong in the files.
    pub fn read(env: &Environment) -> Result<Defaults, Vec<Diagnostic>> {
        Defaults::for_playbooks(env, &[])
    }

    /// The same where playbooks are given: an `ansible.cfg` beside one counts, where there is none in the working folder.
    ///
    /// # Errors
    /// Everything that is wrong in the files.
    pub fn for_playbooks(
        env: &Environment,
        playbooks: &[String],
    ) -> Result<Defaults, Vec<Diagnostic>> {
        let (settings, _) = Settings::nearest(&env.folder)?;
        let shown = |path: &PathBuf| near(&env.expand(path), env).display().to_string();
        let mut defaults = Defaults {
            inventory: settings.inventory.iter().map(shown).collect(),
            forks: settings.forks,
            host_key_checking: settings.host_key_checking.map(host_keys),
            remote_user: settings.remote_user,
            private_key: settings.private_key_file.map(|path| env.expand(&path)),
            vault_password_file: settings.vault_password_file.map(|path| env.expand(&path)),
            #[cfg(feature = "age")]
            age_identity: settings.age_identity_file.map(|path| env.expand(&path)),
            #[cfg(feature = "age")]
            age_recipients: settings.age_recipients_file.map(|path| env.expand(&path)),
            become_root: false,
            ssh_arguments: SshArguments::default(),
            lock_timeout: settings.lock_timeout,
            playbook: settings.playbook.as_ref().map(shown),
            deploy_playbook: settings.deploy_playbook.as_ref().map(shown),
            logs: settings.log_dir.map(|path| env.expand(&path)),
        };
        if let Some(cfg) = Cfg::find(env, playbooks) {
            ansible_cfg::under(&cfg, &mut defaults, env)?;
        }
        Ok(defaults)
    }

    /// The inventories of the command line, else those of the file.
    pub fn inventories(&self, given: &[String]) -> Vec<String> {
        match given.is_empty() {
            true => self.inventory.clone(),
            false => given.to_vec(),
        }
    }
}

/// A path below the working folder is shown from there.
fn near<'a>(path: &'a Path, env: &Environment) -> &'a Path {
    path.strip_prefix(&env.folder).unwrap_or(path)
}

fn host_keys(keys: settings::HostKeyChecking) -> ssh::HostKeyChecking {
    match keys {
        settings::HostKeyChecking::Yes => ssh::HostKeyChecking::Yes,
        settings::HostKeyChecking::AcceptNew => ssh::HostKeyChecking::AcceptNew,
        settings::HostKeyChecking::No => ssh::HostKeyChecking::No,
    }
}
