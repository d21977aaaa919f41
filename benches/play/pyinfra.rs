//! The play as a pyinfra deploy.

use std::fmt::Write;

use crate::play::{FACT, File, Play, SETTINGS, VARS};
use crate::target::{Reach, Target};

/// The deploy file; it finds templates and files beside it, in the folders that the playbook uses.
pub fn deploy(play: &Play) -> String {
    let mut text = String::from("from pyinfra.operations import apt, files, server, systemd\n\n");
    let _ = writeln!(text, "apt.packages(packages={:?})", play.packages);
    for path in &play.folders {
        let _ = writeln!(
            text,
            "files.directory(path={path:?}, mode=\"755\", user=\"root\", group=\"root\")"
        );
    }
    for group in &play.groups {
        let _ = writeln!(text, "server.group(group={group:?})");
    }
    for user in &play.users {
        let _ = writeln!(
            text,
            "server.user(user={:?}, comment={:?}, group={:?}, home=\"/home/{}\", shell=\"/bin/bash\", create_home=True)",
            user.name, user.comment, user.group, user.name
        );
    }
    // pyinfra has no playbook variables: they are given to each template. The fact is a constant, one fact less to read.
    let vars: String = VARS
        .iter()
        .map(|(name, value)| format!(", {name}={value:?}"))
        .collect();
    let facts = format!("{vars}, ansible_facts={{\"distribution\": {:?}}}", FACT.1);
    for file in &play.templates {
        put(&mut text, "template", "templates", file, &facts);
    }
    for file in &play.blobs {
        put(&mut text, "put", "files", file, "");
    }
    for line in &play.lines {
        let _ = writeln!(text, "files.line(path={SETTINGS:?}, line={line:?})");
    }
    for unit in &play.units {
        put(&mut text, "put", "files", unit, "");
    }
    for unit in &play.units {
        let _ = writeln!(
            text,
            "systemd.service(service={:?}, running=True, enabled=True)",
            unit.name
        );
    }
    text
}

/// An inventory as pyinfra reads it.
pub fn inventory(targets: &[Target], reach: &Reach) -> String {
    let mut text = String::from("hosts = [\n");
    for target in targets {
        let _ = writeln!(
            text,
            "    ({:?}, {{\"ssh_hostname\": \"{}\", \"ssh_port\": {}, \"ssh_user\": \"root\", \"ssh_key\": {:?}, \
             \"ssh_known_hosts_file\": {:?}, \"ssh_strict_host_key_checking\": \"yes\"}}),",
            target.name, target.address, target.port, reach.key, reach.known_hosts
        );
    }
    text.push_str("]\n");
    text
}

fn put(text: &mut String, operation: &str, folder: &str, file: &File, more: &str) {
    let _ = writeln!(
        text,
        "files.{operation}(src=\"{folder}/{}\", dest={:?}, user=\"root\", group=\"root\", mode={:?}{more})",
        file.name,
        file.path,
        file.mode.trim_start_matches('0')
    );
}
