//! The table of projects, each a folder of `tests/ansible/projects`, and projects of your own.

use std::path::Path;

/// A project and how it is run.
pub struct Project {
    /// The name of its folder, and of the folder below `/srv` that it writes into.
    pub name: &'static str,
    /// Where it lies, if not below `tests/ansible/projects`.
    pub elsewhere: Option<&'static Path>,
    /// Only with `--ignored`.
    pub long: bool,
    /// Its hosts are n1 and n2; else its one host is any node.
    pub pair: bool,
    /// Options for both programs.
    pub words: &'static [&'static str],
    /// The exit status of ansible-playbook: 0, or 2 where a host fails on purpose. Of hadeploy's: 0, or 3.
    pub fails: bool,
    /// Tasks of which hadeploy says something else on purpose: place and name, what Ansible says and what hadeploy says, and in docs/ansible.md why.
    pub differs: &'static [(&'static str, &'static str, &'static str)],
}

const fn project(name: &'static str) -> Project {
    Project {
        name,
        elsewhere: None,
        long: true,
        pair: false,
        words: &[],
        fails: false,
        differs: &[],
    }
}

const fn in_every_run(name: &'static str) -> Project {
    Project {
        long: false,
        ..project(name)
    }
}

const fn of_two_hosts(name: &'static str) -> Project {
    Project {
        pair: true,
        ..project(name)
    }
}

/// The projects that lie in the folder named by `PROJECTS`. One with a file `fails` fails on purpose.
pub fn of_your_own() -> Vec<&'static Project> {
    let Some(folder) = std::env::var_os("PROJECTS") else {
        return Vec::new();
    };
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("site.yml").exists())
        .collect();
    paths.sort();
    let made = paths.into_iter().map(|path| {
        let path: &'static Path = Box::leak(path.into_boxed_path());
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        let made = Project {
            elsewhere: Some(path),
            long: false,
            fails: path.join("fails").exists(),
            ..project(name)
        };
        &*Box::leak(Box::new(made))
    });
    made.collect()
}

/// All projects.
pub static PROJECTS: &[Project] = &[
    in_every_run("roles"),
    in_every_run("blocks"),
    in_every_run("edits"),
    in_every_run("handlers"),
    project("accounts"),
    project("collections"),
    of_two_hosts("delegation"),
    project("dynamic_roles"),
    project("idioms"),
    project("includes"),
    project("inventory_ini"),
    project("loops"),
    Project {
        words: &["-e", "extra='on the command line'"],
        ..project("precedence")
    },
    project("python"),
    project("registers"),
    Project {
        fails: true,
        ..of_two_hosts("serial")
    },
    Project {
        // It is known here whether systemd read its units anew.
        differs: &[("site.yml:7 reload systemd", "ok", "changed")],
        ..project("services")
    },
    Project {
        words: &["--tags", "configuration", "--skip-tags", "slow"],
        ..project("tags")
    },
    project("templates"),
    project("vaults"),
    project("wild_facts"),
    project("with_lookups"),
];
