//! Two nodes of one release with Python, and projects that are run on them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use hadeploy::lab::{Lab, Release, Wanted};

use crate::ansible::Ansible;
use crate::events::Said;
use crate::node::{Node, is_kept, lab_name};
use crate::projects::Project;
use crate::state::State;
use crate::{harness, must};

/// The nodes, once they are needed.
pub struct World {
    lab: Lab,
    nodes: OnceLock<Option<Nodes>>,
}

/// Two nodes that are up, and the program that hadeploy is held against.
pub struct Nodes {
    lab: Lab,
    /// Installed on the controller.
    pub ansible: Ansible,
}

fn release() -> Release {
    match std::env::var("RELEASE").as_deref() {
        Ok("13") => Release::Trixie,
        Ok("12") | Err(_) => Release::Bookworm,
        Ok(other) => panic!("RELEASE is 12 or 13, not {other}"),
    }
}

impl harness::World for World {
    fn new() -> World {
        let number = if release() == Release::Trixie { 13 } else { 12 };
        World {
            lab: Lab::open(&lab_name("a", number)).unwrap(),
            nodes: OnceLock::new(),
        }
    }

    fn down(&self) {
        if !is_kept() && matches!(self.nodes.get(), Some(Some(_))) {
            self.lab.down().unwrap();
        }
    }
}

impl World {
    /// Both nodes; none where there is no Ansible to compare with.
    pub fn nodes(&self) -> Option<&Nodes> {
        let up = || {
            let ansible = Ansible::installed()?;
            if !is_kept() {
                self.lab.down().unwrap();
            }
            let wanted = Wanted {
                nodes: 2,
                release: Some(release()),
                ..Wanted::default()
            };
            self.lab.up(&wanted, &|_| {}).unwrap();
            let lab = self.lab.clone();
            let nodes = Nodes { lab, ansible };
            nodes.prepare();
            Some(nodes)
        };
        self.nodes.get_or_init(up).as_ref()
    }
}

impl Nodes {
    /// A node, looked at from inside.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab.clone(),
            name: name.to_owned(),
        }
    }

    /// Ansible needs Python on its node; the other gets it too, so that the two can be compared.
    fn prepare(&self) {
        thread::scope(|scope| {
            for name in ["n1", "n2"] {
                scope.spawn(move || {
                    self.node(name).sh("export DEBIAN_FRONTEND=noninteractive
                        dpkg-query -W python3-apt >/dev/null 2>&1 || {
                            apt-get -q update && apt-get -q -y install --no-install-recommends python3 python3-apt; }");
                });
            }
        });
    }

    /// Takes away what the project wrote into its own folder.
    pub fn clean(&self, project: &Project, names: &[&str]) {
        for name in names {
            self.node(name).sh(&format!("rm -rf /srv/{}", project.name));
        }
    }

    /// What the nodes hold now.
    pub fn states(&self, names: &[&str]) -> Vec<State> {
        thread::scope(|scope| {
            let look = |name| scope.spawn(move || State::of(&self.node(name)));
            let looks: Vec<_> = names.iter().copied().map(look).collect();
            looks.into_iter().map(|look| look.join().unwrap()).collect()
        })
    }
}

/// A copy of a project that is run on nodes, in a home of its own.
pub struct Site {
    root: tempfile::TempDir,
    /// What it is a copy of.
    pub project: &'static Project,
}

impl Site {
    /// For the nodes of these names; with one name, every host of the project is that node.
    pub fn new(nodes: &Nodes, project: &'static Project, names: &[&str]) -> Site {
        let root = tempfile::tempdir().unwrap();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/projects");
        let from = match project.elsewhere {
            Some(folder) => folder.to_owned(),
            None => ours.join(project.name),
        };
        let site = Site { root, project };
        must(Command::new("cp").arg("-r").arg(from).arg(site.folder()));
        std::fs::create_dir(site.home()).unwrap();
        let mut text = format!(
            "all:\n  vars:\n    ansible_user: root\n    ansible_ssh_private_key_file: {}\n    ansible_ssh_common_args: -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\n",
            nodes.lab.key().display(),
            nodes.lab.known_hosts().display()
        );
        match names {
            [one] => text += &format!("    ansible_host: {}\n", nodes.node(one).address()),
            several => {
                text += "  hosts:\n";
                for name in several {
                    let address = nodes.node(name).address();
                    text += &format!("    {name}: {{ansible_host: {address}}}\n");
                }
            }
        }
        std::fs::write(site.root.path().join("connection.yml"), text).unwrap();
        site
    }

    /// The project's folder.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The home of who runs it.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Playbook, inventories and options, which both programs understand.
    pub fn words(&self) -> Vec<OsString> {
        let has = |name: &str| self.folder().join(name).exists();
        let ini = has("hosts.ini");
        let inventory = if ini { "hosts.ini" } else { "inventory.yml" };
        let mut words: Vec<OsString> = ["site.yml", "-i", inventory, "-i"].map(Into::into).into();
        words.push(self.root.path().join("connection.yml").into());
        if has("password") {
            words.extend(["--vault-password-file", "password"].map(Into::into));
        }
        words.extend(self.project.words.iter().map(Into::into));
        words
    }

    /// The binary with a subcommand on the playbook.
    pub fn hadeploy(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hadeploy"));
        program
            .arg(command)
            .args(self.words())
            .args(["--output", "json"])
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home())
            .env("LANG", "C.UTF-8")
            .env("PARITY_WORD", "word")
            .stdin(Stdio::null());
        program
    }

    /// An apply, which must end as the project says.
    #[track_caller]
    pub fn apply(&self) -> Said {
        // This machine takes part where a task is delegated to it, and other runs may be at work on it.
        let mut program = self.hadeploy("apply");
        let ran = program.args(["--lock-timeout", "300s"]).output().unwrap();
        let said = Said::by_hadeploy(&ran);
        let wanted = if self.project.fails { 3 } else { 0 };
        assert_eq!(
            ran.status.code(),
            Some(wanted),
            "hadeploy on `{}`\n{}\n{}",
            self.project.name,
            String::from_utf8_lossy(&ran.stdout),
            said.stderr
        );
        said
    }
}
