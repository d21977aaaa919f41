//! The table of projects, each a folder of `tests/ansible/projects`.

/// A project and how it is run.
pub struct Project {
    /// The name of its folder, and of the folder below `/srv` that it writes into.
    pub name: &'static str,
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

/// All projects.
pub static PROJECTS: &[Project] = &[
    in_every_run("roles"),
    in_every_run("blocks"),
    in_every_run("edits"),
    in_every_run("handlers"),
    project("accounts"),
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
