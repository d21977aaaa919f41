//! Inventories that only a plugin of Ansible's can make: refused by name, with what to use instead.

use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// What some plugins do, and what does it here.
const INSTEAD: &[(&str, &str)] = &[
    (
        "constructed",
        "write the groups out, or let a program print them",
    ),
    ("generator", "write the hosts as a range: `web[01:20]`"),
    (
        "advanced_host_list",
        "name the hosts on the command line: `-i 'web[01:20],'`",
    ),
    (
        "host_list",
        "name the hosts on the command line: `-i web1,web2,`",
    ),
    ("ini", "name the INI file itself with `-i`"),
    ("yaml", "name the YAML file itself with `-i`"),
    ("script", "name the program itself with `-i`"),
    ("toml", "write it as YAML"),
    ("auto", "name the inventory itself with `-i`"),
];

/// Why a YAML file is no inventory: it is the configuration of a plugin.
pub(super) fn refusal(value: &Value, path: &str) -> Option<Diagnostic> {
    let entry = value.as_map()?.get("plugin")?;
    // A group may be called so.
    let name = entry.value.as_str()?;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    let help = match INSTEAD.iter().find(|(known, _)| *known == short) {
        Some((_, instead)) => (*instead).to_owned(),
        None => format!(
            "name a program that prints JSON with `-i`; where Ansible is installed, this one is it: `#!/bin/sh` and `exec ansible-inventory -i {path} --list`"
        ),
    };
    Some(
        Diagnostic::at(
            &entry.value.span,
            format!("`{name}` is a plugin of Ansible's, and hadeploy has no inventory plugins"),
        )
        .help(help),
    )
}
