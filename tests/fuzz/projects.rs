//! Files of users beyond playbooks: settings, roles, configurations of ssh, and what programs of theirs print.

use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path};

use hadeploy::inventory::Inventory;
use hadeploy::playbook::{Options, Project};
use hadeploy::settings::Settings;
use hadeploy::transport::ssh::arguments::SshArguments;
use hadeploy::transport::ssh::config::{SshConfig, Wanted, Who};
use hadeploy::vault::Keyring;

use crate::support::executable::make_executable;
use crate::targets::read::{TEMPLATES, file, shown, text};

pub fn ansible_cfg(bytes: &[u8]) -> bool {
    let path = file("ansible.cfg", bytes);
    let folder = path.parent().expect("a folder");
    let notes = hadeploy::cli::ansible_cfg::read_in(folder);
    shown(&notes);
    !notes.is_empty()
}

pub fn settings(bytes: &[u8]) -> bool {
    match Settings::read(&file("hadeploy.yml", bytes)) {
        Ok(_) => true,
        Err(faults) => {
            assert!(!faults.is_empty());
            shown(&faults)
        }
    }
}

/// What a program prints with `--list`; asked for a host, it has nothing to say.
pub fn inventory_program(bytes: &[u8]) -> bool {
    let said = file("list.json", bytes);
    let program = said.with_file_name("program");
    if !program.exists() {
        let text = "#!/bin/sh\n[ \"$1\" != --list ] || exec cat \"${0%/*}/list.json\"\n";
        std::fs::write(&program, text).expect("written");
        make_executable(&program);
    }
    let path = program.display().to_string();
    let (inventory, faults) = Inventory::load(&[path], &[], &Keyring::default());
    assert!(inventory.names().all(|name| !name.is_empty()));
    shown(&faults)
}

/// A project of several files: a line `@@ PATH` begins each. Its playbook is `site.yml`.
pub fn role(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let text = text(bytes);
    for part in text.split("@@ ").skip(1).take(20) {
        let (name, body) = part.split_once('\n').unwrap_or((part, ""));
        let inside = |part: Component| matches!(part, Component::Normal(_));
        if name.len() < 100 && Path::new(name).components().all(inside) {
            let path = folder.path().join(name);
            // A file where a folder is to be is one of the things that can be wrong.
            let _ = path.parent().map(std::fs::create_dir_all);
            let _ = std::fs::write(&path, body);
        }
    }
    let hosts = folder.path().join("hosts.yml");
    std::fs::write(&hosts, "web: {hosts: {'web[1:3]': }}\n").expect("written");
    let site = folder.path().join("site.yml");
    let names = [site, hosts].map(|path| path.display().to_string());
    let [site, hosts] = names;
    let options = Options::default();
    let (_, faults) = Project::load(&[site], &[hosts], &options, &TEMPLATES);
    shown(&faults)
}

/// `~/.ssh/config`, for a host by name, one by address and one behind others.
pub fn ssh_config(bytes: &[u8]) -> bool {
    // What it says is run, and nobody knows what it says.
    if bytes
        .to_ascii_lowercase()
        .windows(4)
        .any(|word| word == b"exec")
    {
        return false;
    }
    let path = file("config", bytes);
    let about = std::fs::metadata(&path).expect("a file");
    let folder = path.parent().map(Path::to_owned);
    let ssh = folder.as_deref().expect("a folder").join(".ssh");
    if !ssh.exists() {
        std::fs::create_dir(&ssh).expect("a folder");
        std::fs::write(ssh.join("more"), "Host web*\n  Port 2222\n").expect("written");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("private");
    let who = Who {
        user: "ann".to_owned(),
        uid: about.uid(),
        home: folder,
        machine: "desk".to_owned(),
        variables: HashMap::from([("A".to_owned(), "b".to_owned())]),
    };
    let config = SshConfig::new(who, Some(path), None);
    let mut right = true;
    for address in ["web1", "10.0.0.1", "db.example.com"] {
        let asked = config.options(&Wanted {
            name: "n1",
            address,
            arguments: SshArguments::default(),
            ..Wanted::default()
        });
        match asked {
            Ok(options) => assert!(!options.describe().is_empty()),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                right = false;
            }
        }
    }
    right
}
