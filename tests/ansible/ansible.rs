//! ansible-core, installed once into the folder of builds, and its runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::events::Said;
use crate::must;
use crate::world::Site;

/// The release that hadeploy is held against.
const CORE: &str = "ansible-core==2.19.*";
/// The package whose collections belong to that release. It is large, so only what the projects need of it is unpacked.
const COLLECTIONS: &str = "ansible==12.*";

/// Takes one collection out of the package.
const UNPACK: &str = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as package:
    package.extractall(sys.argv[2], [name for name in package.namelist() if name.startswith('ansible_collections/ansible/posix/')])";

/// Where it stands.
pub struct Ansible {
    venv: PathBuf,
}

impl Ansible {
    /// Installed at the first call; none where Python or the registry cannot be had.
    pub fn installed() -> Option<Ansible> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let ansible = Ansible {
            venv: folder.join("ansible-core-2.19"),
        };
        let done = ansible.venv.join("complete");
        if done.exists() && runs(ansible.program("ansible-playbook").arg("--version")) {
            return Some(ansible);
        }
        let _ = std::fs::remove_dir_all(&ansible.venv);
        let make = || {
            runs(
                Command::new("python3")
                    .args(["-m", "venv"])
                    .arg(&ansible.venv),
            )
        };
        // Debian's python3 comes without what makes such a folder.
        let made = make() || (runs(&mut apt(&["python3-venv"])) && make());
        let mut pip = ansible.program("pip");
        if !made || !runs(pip.args(["install", "-q", CORE])) {
            return None;
        }
        let parts = ansible.venv.join("collections");
        let mut pip = ansible.program("pip");
        pip.args(["download", "-q", "--no-deps", "--dest"]);
        if !runs(pip.arg(&parts).arg(COLLECTIONS)) {
            return None;
        }
        for package in std::fs::read_dir(&parts).unwrap() {
            let package = package.unwrap().path();
            let mut python = ansible.program("python3");
            must(python.args(["-c", UNPACK]).arg(&package).arg(&parts));
            std::fs::remove_file(package).unwrap();
        }
        std::fs::write(done, "").unwrap();
        Some(ansible)
    }

    fn program(&self, name: &str) -> Command {
        Command::new(self.venv.join("bin").join(name))
    }

    /// Where collections lie: what projects of your own need may lie elsewhere.
    fn collections(&self) -> OsString {
        std::env::var_os("ANSIBLE_COLLECTIONS_PATH")
            .unwrap_or_else(|| self.venv.join("collections").into())
    }

    /// Runs the playbook of a site, and wants the exit status that its project says.
    #[track_caller]
    pub fn run(&self, site: &Site) -> Said {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut program = self.program("ansible-playbook");
        let path = std::env::var("PATH").unwrap();
        program
            .args(site.words())
            .current_dir(site.folder())
            .env_clear()
            .env("PATH", format!("{}/bin:{path}", self.venv.display()))
            .env("HOME", site.home())
            .env("LANG", "C.UTF-8")
            .env("PARITY_WORD", "word")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("ANSIBLE_HOME", site.home())
            .env(
                "ANSIBLE_CALLBACK_PLUGINS",
                root.join("tests/ansible/callback"),
            )
            .env("ANSIBLE_STDOUT_CALLBACK", "events")
            .env("ANSIBLE_COLLECTIONS_PATH", self.collections())
            .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
            .env("ANSIBLE_PIPELINING", "1")
            .stdin(Stdio::null());
        let ran = program.output().unwrap();
        let wanted = if site.project.fails { 2 } else { 0 };
        let said = Said::by_ansible(&ran, &site.folder());
        assert_eq!(
            ran.status.code(),
            Some(wanted),
            "ansible-playbook on `{}`\n{}\n{}",
            site.project.name,
            String::from_utf8_lossy(&ran.stdout),
            said.stderr
        );
        said
    }
}

fn apt(packages: &[&str]) -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-q", "-y", "install", "--no-install-recommends"])
        .args(packages);
    apt
}

fn runs(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|ran| ran.status.success())
}
