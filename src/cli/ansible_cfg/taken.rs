//! What of `ansible.cfg` is taken: below the command line and `hadeploy.yml`.

use std::path::{Path, PathBuf};

use super::{Cfg, Row};
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::diagnostic::Diagnostic;
use crate::transport::ssh::HostKeyChecking;
use crate::transport::ssh::arguments::SshArguments;

/// Settings that are taken, by section. Of these nothing is said.
pub(super) const TAKEN: &[(&str, &str)] = &[
    ("defaults", "inventory"),
    ("defaults", "forks"),
    ("defaults", "host_key_checking"),
    ("defaults", "remote_user"),
    ("defaults", "private_key_file"),
    ("defaults", "vault_password_file"),
    ("defaults", "timeout"),
    ("defaults", "roles_path"),
    ("defaults", "collections_path"),
    ("privilege_escalation", "become"),
    ("ssh_connection", "ssh_args"),
    ("ssh_connection", "ssh_common_args"),
    ("ssh_connection", "ssh_extra_args"),
];

/// Arguments of ssh in the order in which Ansible gives them.
const ARGUMENTS: &[&str] = &["ssh_args", "ssh_common_args", "ssh_extra_args"];

/// Lays what the file says under what is known already.
///
/// # Errors
/// Values that are none, each at its place.
pub fn under(cfg: &Cfg, defaults: &mut Defaults, env: &Environment) -> Result<(), Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let folder = cfg.folder();
    let path = |text: &str| folder.join(env.expand(Path::new(text)));
    let own = |key: &str| cfg.row("defaults", key);
    if defaults.inventory.is_empty()
        && let Some(row) = own("inventory")
    {
        let files = row.value.split(',').map(str::trim);
        let files = files.filter(|file| !file.is_empty());
        defaults.inventory = files.map(|file| path(file).display().to_string()).collect();
    }
    let file = |key: &str| own(key).map(|row| env.folder.join(path(row.value)));
    if defaults.private_key.is_none() {
        defaults.private_key = file("private_key_file");
    }
    if defaults.vault_password_file.is_none() {
        defaults.vault_password_file = file("vault_password_file");
    }
    if defaults.remote_user.is_none() {
        defaults.remote_user = own("remote_user").map(|row| row.value.to_owned());
    }
    if defaults.forks.is_none()
        && let Some(row) = own("forks")
    {
        match row.value.parse() {
            Ok(forks @ 1..=10_000) => defaults.forks = Some(forks),
            _ => faults.push(wrong(cfg, &row, "a whole number from 1 to 10000")),
        }
    }
    let mut switch = |section, key| {
        let row = cfg.row(section, key)?;
        let switch = boolean(row.value);
        if switch.is_none() {
            faults.push(wrong(cfg, &row, "true or false"));
        }
        switch
    };
    // Ansible takes every key then, also a changed one. Here an unknown one is learnt, and a changed one refused.
    if switch("defaults", "host_key_checking") == Some(false)
        && defaults.host_key_checking.is_none()
    {
        defaults.host_key_checking = Some(HostKeyChecking::AcceptNew);
    }
    defaults.become_root = switch("privilege_escalation", "become") == Some(true);
    for key in ARGUMENTS {
        let Some(row) = cfg.row("ssh_connection", key) else {
            continue;
        };
        match SshArguments::parse(row.value) {
            Ok(more) => {
                let so_far = std::mem::take(&mut defaults.ssh_arguments);
                defaults.ssh_arguments = so_far.or(more);
            }
            Err(error) => faults.push(Diagnostic::at(&cfg.span(&row), error.to_string())),
        }
    }
    if let Some(row) = own("timeout") {
        let seconds = row.value.parse::<u32>().ok();
        let said = seconds.map(|seconds| format!("-o ConnectTimeout={seconds}"));
        match said.map(|text| SshArguments::parse(&text)) {
            Some(Ok(last)) => {
                let so_far = std::mem::take(&mut defaults.ssh_arguments);
                defaults.ssh_arguments = so_far.or(last);
            }
            _ => faults.push(wrong(cfg, &row, "a whole number of seconds")),
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults),
    }
}

/// Folders between colons; relative ones start where the file lies.
pub fn folders(cfg: &Cfg, key: &str, env: &Environment) -> Option<Vec<PathBuf>> {
    let row = cfg.row("defaults", key)?;
    Some(split(row.value, &cfg.folder(), env))
}

/// Folders between colons; relative ones start in `folder`.
pub fn split(text: &str, folder: &Path, env: &Environment) -> Vec<PathBuf> {
    let parts = text.split(':').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    parts
        .map(|part| folder.join(env.expand(Path::new(part))))
        .collect()
}

fn wrong(cfg: &Cfg, row: &Row<'_>, wanted: &str) -> Diagnostic {
    let Row { key, value, .. } = row;
    Diagnostic::at(
        &cfg.span(row),
        format!("`{key}` of ansible.cfg must be {wanted}, not `{value}`"),
    )
}

/// As Ansible reads it (`module_utils.parsing.convert_bool`).
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, mut defaults: Defaults) -> Result<Defaults, String> {
        let cfg = Cfg {
            source: crate::source::Source::new("conf/ansible.cfg", text),
        };
        let env = Environment {
            folder: "/work".into(),
            home: Some("/home/ann".into()),
            ..Environment::read()
        };
        let said = under(&cfg, &mut defaults, &env);
        let line = |fault: &Diagnostic| fault.one_line();
        said.map(|()| defaults)
            .map_err(|faults| faults.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn what_is_said_lies_below_what_is_known() {
        let text = "[defaults]\ninventory = hosts, ~/more\nforks = 7\nremote_user = admin\nhost_key_checking = False\n\
            private_key_file = key\nvault_password_file = ~/pass\n[privilege_escalation]\nbecome = yes\n";
        let taken = of(text, Defaults::default()).expect("right");
        assert_eq!(taken.inventory, ["conf/hosts", "/home/ann/more"]);
        assert_eq!((taken.forks, taken.become_root), (Some(7), true));
        assert_eq!(taken.remote_user.as_deref(), Some("admin"));
        assert_eq!(taken.host_key_checking, Some(HostKeyChecking::AcceptNew));
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        assert_eq!(path(&taken.private_key).as_deref(), Some("/work/conf/key"));
        let password = path(&taken.vault_password_file);
        assert_eq!(password.as_deref(), Some("/home/ann/pass"));
        let known = Defaults {
            inventory: vec!["own".into()],
            forks: Some(1),
            remote_user: Some("me".into()),
            host_key_checking: Some(HostKeyChecking::Yes),
            ..Defaults::default()
        };
        let taken = of(text, known).expect("right");
        assert_eq!(
            (taken.inventory, taken.forks),
            (vec!["own".into()], Some(1))
        );
        assert_eq!(taken.remote_user.as_deref(), Some("me"));
        assert_eq!(taken.host_key_checking, Some(HostKeyChecking::Yes));
    }

    #[test]
    fn arguments_of_ssh_and_the_timeout_come_in_the_order_of_ansible() {
        let text = "[ssh_connection]\nssh_extra_args = -o Port=3\nssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o Port=1\n\
            ssh_common_args = -o Port=2\n[defaults]\ntimeout = 30\n";
        let taken = of(text, Defaults::default()).expect("right");
        let said = format!("{:?}", taken.ssh_arguments);
        let places = ["Port(1)", "Port(2)", "Port(3)", "ConnectTimeout(Some(30s))"];
        let places = places.map(|word| said.find(word).unwrap_or_else(|| panic!("{word}: {said}")));
        assert!(places.is_sorted(), "{said}");
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        for (text, said) in [
            (
                "[defaults]\nforks = many\n",
                "conf/ansible.cfg:2:1: `forks` of ansible.cfg must be a whole number from 1 to 10000, not `many`",
            ),
            (
                "[defaults]\n\nhost_key_checking = maybe\n",
                "conf/ansible.cfg:3:1: `host_key_checking` of ansible.cfg must be true or false, not `maybe`",
            ),
            (
                "[defaults]\ntimeout = 5m\n",
                "conf/ansible.cfg:2:1: `timeout` of ansible.cfg must be a whole number of seconds, not `5m`",
            ),
            (
                "[ssh_connection]\nssh_args = -Z\n",
                "conf/ansible.cfg:2:1: `-Z` is no ssh option",
            ),
        ] {
            assert_eq!(of(text, Defaults::default()).expect_err(text), said);
        }
    }
}
