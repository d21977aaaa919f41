//! Who takes part, and the programs each of them runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::measure::Job;
use crate::nodes::HADEPLOY;
use crate::play::Play;
use crate::target::{Reach, Target};
use crate::{ansible, limit, pyinfra, target};

/// One that brings the nodes to the play's state or, in the case of the first two, reads what there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// `ssh node true`.
    Login,
    /// The hand-written script.
    Limit,
    /// The program of this package.
    Hadeploy,
    /// ansible-core with pipelining.
    Ansible,
    /// ansible-core with mitogen's strategy.
    Mitogen,
    /// pyinfra.
    Pyinfra,
}

/// The folder with everything that contenders read.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    reach: Reach,
    venv: Option<PathBuf>,
    mitogen: Option<PathBuf>,
}

/// A set of hosts with its inventories.
#[derive(Debug)]
pub struct Setting {
    /// What it is called in files and options.
    pub name: &'static str,
    /// Its hosts.
    pub targets: Vec<Target>,
    /// What hadeploy does: `apply` or `plan`.
    pub mode: &'static str,
}

impl Contender {
    /// Its column's head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "ssh true",
            Self::Limit => "limit",
            Self::Hadeploy => "hadeploy",
            Self::Ansible => "ansible",
            Self::Mitogen => "mitogen",
            Self::Pyinfra => "pyinfra",
        }
    }

    /// Whether it is one of the slow ones, which take part in fewer rounds.
    pub fn is_peer(self) -> bool {
        matches!(self, Self::Ansible | Self::Mitogen | Self::Pyinfra)
    }
}

impl Stage {
    /// Writes the play in every language.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(play: &Play, folder: &Path, reach: Reach, venv: Option<&Path>) -> Result<Self> {
        ansible::write(play, folder)?;
        fs::write(folder.join("limit.sh"), limit::script(play))?;
        fs::write(folder.join("deploy.py"), pyinfra::deploy(play))?;
        fs::create_dir_all(folder.join("home"))?;
        let mitogen = venv.and_then(find_mitogen);
        ansible::write_config(&folder.join("ansible.cfg"), None)?;
        ansible::write_config(&folder.join("mitogen.cfg"), mitogen.as_deref())?;
        Ok(Self {
            folder: folder.into(),
            reach,
            venv: venv.map(Path::to_path_buf),
            mitogen,
        })
    }

    /// The peers that the virtual environment holds.
    pub fn peers(&self) -> Vec<Contender> {
        let has = |name: &str| {
            let venv = self.venv.as_ref();
            venv.is_some_and(|venv| venv.join("bin").join(name).exists())
        };
        let mut peers = Vec::new();
        if has("ansible-playbook") {
            peers.push(Contender::Ansible);
            if self.mitogen.is_some() {
                peers.push(Contender::Mitogen);
            }
        }
        if has("pyinfra") {
            peers.push(Contender::Pyinfra);
        }
        peers
    }

    /// Names a set of hosts and writes its inventories.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn setting(
        &self,
        name: &'static str,
        mode: &'static str,
        targets: Vec<Target>,
    ) -> Result<Setting> {
        let setting = Setting {
            name,
            targets,
            mode,
        };
        let targets = &setting.targets;
        fs::write(
            self.inventory(&setting, "yml"),
            target::inventory(targets, &self.reach),
        )?;
        fs::write(
            self.inventory(&setting, "py"),
            pyinfra::inventory(targets, &self.reach),
        )?;
        Ok(setting)
    }

    /// The programs of one run, all to be started at once.
    pub fn jobs(&self, contender: Contender, setting: &Setting) -> Vec<Job> {
        let yaml = self.inventory(setting, "yml").display().to_string();
        let python = self.inventory(setting, "py").display().to_string();
        let program = |name: &str| {
            let venv = self.venv.clone().unwrap_or_default();
            venv.join("bin").join(name).display().to_string()
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
        match contender {
            Contender::Login | Contender::Limit => {
                let all = setting.targets.iter();
                all.map(|target| self.ssh(contender, target)).collect()
            }
            Contender::Hadeploy => {
                let mut command: Vec<String> = words(&[HADEPLOY, setting.mode, "play.yml"]);
                command.extend(words(&["-i", &yaml, "--output", "json"]));
                if setting.mode == "apply" {
                    command.push("--yes".into());
                }
                vec![self.job(command, &[])]
            }
            Contender::Ansible | Contender::Mitogen => {
                let config = match contender {
                    Contender::Mitogen => "mitogen.cfg",
                    _ => "ansible.cfg",
                };
                let command = words(&[&program("ansible-playbook"), "play.yml", "-i", &yaml]);
                let config = self.folder.join(config).display().to_string();
                vec![self.job(command, &[("ANSIBLE_CONFIG", &config)])]
            }
            Contender::Pyinfra => {
                let command = words(&[&program("pyinfra"), "-y", &python, "deploy.py"]);
                vec![self.job(command, &[])]
            }
        }
    }

    fn ssh(&self, contender: Contender, target: &Target) -> Job {
        let mut command = target::ssh(target, &self.reach);
        let mut stdin = None;
        match contender {
            Contender::Limit => {
                command.extend(["sh".into(), "-s".into()]);
                stdin = Some(self.folder.join("limit.sh"));
            }
            _ => command.push("true".into()),
        }
        Job {
            stdin,
            ..self.job(command, &[])
        }
    }

    fn job(&self, command: Vec<String>, env: &[(&str, &str)]) -> Job {
        let home = self.folder.join("home").display().to_string();
        // Own settings, an agent or a log folder of the user's have no part in it.
        let own = [
            ("HOME", home.as_str()),
            ("XDG_STATE_HOME", &home),
            ("SSH_AUTH_SOCK", ""),
            ("CI", "true"),
        ];
        let env = own.iter().chain(env);
        Job {
            command,
            env: env
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            folder: self.folder.clone(),
            stdin: None,
        }
    }

    fn inventory(&self, setting: &Setting, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", setting.name))
    }
}

fn find_mitogen(venv: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(venv.join("lib")).ok()?;
    versions.flatten().find_map(|version| {
        let plugins = "site-packages/ansible_mitogen/plugins/strategy";
        Some(version.path().join(plugins)).filter(|path| path.is_dir())
    })
}
