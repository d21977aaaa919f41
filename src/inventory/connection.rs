//! How a host is reached: the `ansible_` variables that an inventory may set, and their types.

use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::value::{Kind, Map, Value};

/// How a host is reached, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Over the network or on this machine.
    pub method: Method,
    /// Name or address to connect to; the host's name when nothing else is set.
    pub address: String,
    /// None: what the ssh configuration says, else 22.
    pub port: Option<u16>,
    /// None: what the ssh configuration says, else the name of who runs this.
    pub user: Option<String>,
    /// A private key.
    pub identity_file: Option<String>,
    /// ssh options, as written.
    pub common_args: Option<String>,
    /// More ssh options, behind the common ones.
    pub extra_args: Option<String>,
    /// Whether tasks act as another account; none: what the play says.
    pub privileged: Option<bool>,
    /// That account; none: what the play says, else root.
    pub become_user: Option<String>,
    /// Sent once on standard input; whoever prints this masks it.
    pub become_password: Option<String>,
}

/// What carries the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// SSH.
    Ssh,
    /// This machine.
    Local,
}

/// The connection variables of a host as written, perhaps templates. Whoever has the scope renders them with
/// [`ConnectionVars::map`], then [`ConnectionVars::typed`] checks them.
#[derive(Debug, Clone, Default)]
pub struct ConnectionVars {
    values: Vec<(&'static str, Value)>,
}

/// Connection variables with the names under which they are kept.
pub const VARIABLES: &[(&str, &str)] = &[
    ("ansible_host", "address"),
    ("ansible_port", "port"),
    ("ansible_user", "user"),
    ("ansible_connection", "method"),
    ("ansible_ssh_private_key_file", "identity_file"),
    ("ansible_ssh_common_args", "common_args"),
    ("ansible_ssh_extra_args", "extra_args"),
    ("ansible_become", "become"),
    ("ansible_become_user", "become_user"),
    ("ansible_become_method", "become_method"),
    ("ansible_become_password", "become_password"),
    ("ansible_become_pass", "become_password"),
];

/// Accepted and without effect, each with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    (
        "ansible_python_interpreter",
        "nodes need no Python here; the variable can go",
    ),
    (
        "ansible_ssh_pipelining",
        "every script is sent whole over one connection; the variable can go",
    ),
];

/// Ansible's other connection variables, each with what to use instead.
pub const REFUSED: &[(&str, &str)] = &[
    (
        "ansible_become_exe",
        "only sudo from the node's PATH is used",
    ),
    (
        "ansible_become_flags",
        "only `sudo -n`, or sudo with a password, is used",
    ),
    (
        "ansible_password",
        "log in with a key: `ansible_ssh_private_key_file`, or an agent",
    ),
    (
        "ansible_private_key_file",
        "it is called `ansible_ssh_private_key_file`",
    ),
    (
        "ansible_remote_tmp",
        "nothing is left on the node, so there is nothing to place",
    ),
    ("ansible_shell_executable", "scripts run in `/bin/sh`"),
    ("ansible_shell_type", "scripts run in `/bin/sh`"),
    (
        "ansible_ssh_executable",
        "ssh is built in; ssh options go into `ansible_ssh_common_args`",
    ),
    ("ansible_ssh_host", "it is called `ansible_host`"),
    (
        "ansible_ssh_pass",
        "log in with a key: `ansible_ssh_private_key_file`, or an agent",
    ),
    ("ansible_ssh_port", "it is called `ansible_port`"),
    ("ansible_ssh_user", "it is called `ansible_user`"),
    (
        "ansible_sudo_pass",
        "it is called `ansible_become_password`",
    ),
];

impl ConnectionVars {
    /// Picks the connection variables out of a host's.
    pub fn of(vars: &Map) -> ConnectionVars {
        ConnectionVars::default().over(vars)
    }

    /// The same with the variables of `vars` laid over them (`-e`).
    pub fn over(mut self, vars: &Map) -> ConnectionVars {
        for (variable, field) in VARIABLES {
            if let Some(entry) = vars.get(*variable) {
                self.set(field, entry.value.clone());
            }
        }
        self
    }

    /// Sets what no variable has set: a play's `remote_user`, `-u`, `--private-key` …; `field` is a name of [`Connection`].
    pub fn or(mut self, field: &'static str, value: Option<Value>) -> ConnectionVars {
        if self.get(field).is_none()
            && let Some(value) = value
        {
            self.set(field, value);
        }
        self
    }

    /// The value of a field, as written.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, value)| value)
    }

    /// Every value through `render`; the first error ends it.
    pub fn map<E>(
        &self,
        mut render: impl FnMut(&Value) -> Result<Value, E>,
    ) -> Result<ConnectionVars, E> {
        let values = self
            .values
            .iter()
            .map(|(field, value)| Ok((*field, render(value)?)))
            .collect::<Result<_, E>>()?;
        Ok(ConnectionVars { values })
    }

    /// Checked values. All of them must be rendered.
    pub fn typed(&self, host: &HostName) -> Result<Connection, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut text = |field: &str| {
            let value = self.get(field).filter(|value| !value.is_null())?;
            match &value.kind {
                Kind::Str(text) => Some(text.to_string()),
                Kind::Int(number) => Some(number.to_string()),
                _ => {
                    faults.push(wrong(value, field, "text"));
                    None
                }
            }
        };
        let connection = Connection {
            address: text("address").unwrap_or_else(|| host.to_string()),
            user: text("user"),
            identity_file: text("identity_file"),
            common_args: text("common_args"),
            extra_args: text("extra_args"),
            become_user: text("become_user"),
            become_password: text("become_password"),
            method: self.method(&mut faults),
            port: self.port(&mut faults),
            privileged: self.privileged(&mut faults),
        };
        if let Some(value) = self.get("become_method")
            && value.as_str() != Some("sudo")
            && !value.is_null()
        {
            faults.push(
                Diagnostic::at(&value.span, "`ansible_become_method` can only be `sudo`")
                    .help("install sudo on the node, or log in as root"),
            );
        }
        if connection.address.is_empty() || connection.address.starts_with('-') {
            let message = format!("`{}` is not an address of `{host}`", connection.address);
            faults.push(match self.get("address") {
                Some(value) => Diagnostic::at(&value.span, message),
                None => Diagnostic::error(message),
            });
        }
        if faults.is_empty() {
            Ok(connection)
        } else {
            Err(faults)
        }
    }

    fn set(&mut self, field: &'static str, value: Value) {
        self.values.retain(|(name, _)| *name != field);
        self.values.push((field, value));
    }

    fn method(&self, faults: &mut Vec<Diagnostic>) -> Method {
        match self.get("method").filter(|value| !value.is_null()) {
            None => Method::Ssh,
            Some(value) => match value.as_str() {
                Some("ssh" | "smart") => Method::Ssh,
                Some("local") => Method::Local,
                _ => {
                    faults.push(
                        wrong(value, "method", "`ssh` or `local`")
                            .nearest(value.as_str().unwrap_or(""), ["ssh", "local"])
                            .help("nodes are Debian machines, reached by ssh; `local` is this one"),
                    );
                    Method::Ssh
                }
            },
        }
    }

    fn port(&self, faults: &mut Vec<Diagnostic>) -> Option<u16> {
        let value = self.get("port").filter(|value| !value.is_null())?;
        let port = match &value.kind {
            Kind::Int(number) => u16::try_from(*number).ok(),
            Kind::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        if port.is_none_or(|port| port == 0) {
            faults.push(wrong(value, "port", "a number from 1 to 65535"));
        }
        port
    }

    fn privileged(&self, faults: &mut Vec<Diagnostic>) -> Option<bool> {
        let value = self.get("become").filter(|value| !value.is_null())?;
        match &value.kind {
            Kind::Bool(value) => return Some(*value),
            Kind::Str(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => return Some(true),
                "false" | "no" | "off" | "0" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        faults.push(wrong(value, "become", "true or false"));
        None
    }
}

fn wrong(value: &Value, field: &str, wanted: &str) -> Diagnostic {
    let variable = VARIABLES
        .iter()
        .find(|(_, name)| *name == field)
        .map_or(field, |(variable, _)| variable);
    Diagnostic::at(&value.span, format!("`{variable}` must be {wanted}"))
}

/// The faults of variables that begin with `ansible_` and are not known; one warning for each that has no effect.
pub fn check_names(vars: &Map, in_group: bool) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (name, entry) in vars {
        if !name.starts_with("ansible_") || VARIABLES.iter().any(|(known, _)| *known == &**name) {
            continue;
        }
        if name.as_ref() == "ansible_group_priority" && in_group {
            continue;
        }
        if let Some((_, why)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == &**name) {
            faults.push(
                Diagnostic::warning(&entry.key, format!("`{name}` has no effect")).help(*why),
            );
            continue;
        }
        if let Some((_, instead)) = REFUSED.iter().find(|(known, _)| *known == &**name) {
            faults.push(
                Diagnostic::at(&entry.key, format!("hadeploy does not have `{name}`"))
                    .help(*instead),
            );
            continue;
        }
        faults.push(
            Diagnostic::at(&entry.key, format!("unknown connection variable `{name}`"))
                .nearest(name, VARIABLES.iter().map(|(known, _)| *known))
                .help("variables of your own cannot begin with `ansible_`"),
        );
    }
    faults
}

/// Whether a name is one of the connection variables.
pub fn is_connection_variable(name: &str) -> bool {
    VARIABLES.iter().any(|(known, _)| *known == name)
}
