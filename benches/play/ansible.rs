//! The play as an Ansible playbook, which hadeploy, ansible-core and mitogen all run.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::play::{File, Play, SETTINGS, VARS};

/// Writes playbook, templates and files into `folder`; gives the playbook's path.
pub fn write(play: &Play, folder: &Path) -> Result<PathBuf> {
    for (name, files) in [
        ("templates", play.templates.iter().collect::<Vec<&File>>()),
        ("files", play.blobs.iter().chain(&play.units).collect()),
    ] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        for file in files {
            fs::write(folder.join(&file.name), &file.source)?;
        }
    }
    let playbook = folder.join("play.yml");
    fs::write(&playbook, playbook_text(play))?;
    Ok(playbook)
}

/// Writes an `ansible.cfg`: Ansible at its best that needs nothing of a node (pipelining, all hosts at once), with
/// mitogen's strategy where its plugin folder is given.
pub fn write_config(path: &Path, mitogen: Option<&Path>) -> Result<()> {
    let mut text = String::from(
        "[defaults]\nforks = 50\ninterpreter_python = /usr/bin/python3\nretry_files_enabled = false\n",
    );
    if let Some(plugins) = mitogen {
        let _ = writeln!(text, "strategy_plugins = {}", plugins.display());
        text.push_str("strategy = mitogen_linear\n");
    }
    text.push_str("[ssh_connection]\npipelining = true\n");
    fs::write(path, text)?;
    Ok(())
}

fn playbook_text(play: &Play) -> String {
    let mut text = String::from("- name: bench\n  hosts: all\n  vars:\n");
    for (name, value) in VARS {
        let _ = writeln!(text, "    {name}: \"{value}\"");
    }
    text.push_str("  tasks:\n");
    let packages = format!("[{}]", play.packages.join(", "));
    let arguments = [("name", packages.as_str()), ("state", "present")];
    task(&mut text, "packages", "apt", &arguments);
    for path in &play.folders {
        let arguments = [
            ("path", path.as_str()),
            ("state", "directory"),
            ("mode", "\"0755\""),
        ];
        task(&mut text, &format!("folder {path}"), "file", &arguments);
    }
    accounts(&mut text, play);
    for (module, files) in [("template", &play.templates), ("copy", &play.blobs)] {
        for file in files {
            put(&mut text, module, file);
        }
    }
    for line in &play.lines {
        let quoted = format!("\"{line}\"");
        let arguments = [
            ("path", SETTINGS),
            ("line", quoted.as_str()),
            ("create", "true"),
            ("mode", "\"0644\""),
        ];
        task(&mut text, &format!("line {line}"), "lineinfile", &arguments);
    }
    for unit in &play.units {
        put(&mut text, "copy", unit);
    }
    for unit in &play.units {
        let arguments = [
            ("name", unit.name.as_str()),
            ("enabled", "true"),
            ("state", "started"),
        ];
        let name = format!("service {}", unit.name);
        task(&mut text, &name, "service", &arguments);
    }
    text
}

fn accounts(text: &mut String, play: &Play) {
    for group in &play.groups {
        let arguments = [("name", group.as_str()), ("state", "present")];
        task(text, &format!("group {group}"), "group", &arguments);
    }
    for user in &play.users {
        let home = format!("/home/{}", user.name);
        let arguments = [
            ("name", user.name.as_str()),
            ("comment", &user.comment),
            ("group", &user.group),
            ("home", &home),
            ("shell", "/bin/bash"),
        ];
        task(text, &format!("user {}", user.name), "user", &arguments);
    }
}

fn put(text: &mut String, module: &str, file: &File) {
    let mode = format!("\"{}\"", file.mode);
    let arguments = [
        ("src", file.name.as_str()),
        ("dest", &file.path),
        ("owner", "root"),
        ("group", "root"),
        ("mode", &mode),
    ];
    let name = format!("{module} {}", file.name);
    task(text, &name, module, &arguments);
}

fn task(text: &mut String, name: &str, module: &str, arguments: &[(&str, &str)]) {
    let _ = writeln!(text, "    - name: {name}\n      ansible.builtin.{module}:");
    for (key, value) in arguments {
        let _ = writeln!(text, "        {key}: {value}");
    }
}
