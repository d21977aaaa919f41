//! Who acts for a task: the account, the host, the environment, and for how long.

use std::sync::Arc;

use super::bind::Binder;
use super::scope::TaskScope;
use super::state::HostState;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Privilege, Task};
use crate::template::{Stop, is_omit};
use crate::value::Kind as ValueKind;

impl Binder {
    /// The account a task acts as.
    pub(super) fn actor(
        &self,
        own: &Privilege,
        scope: &Arc<TaskScope>,
        on: &HostState,
    ) -> Result<String, Stop> {
        let privilege = own.over(&self.play.play.play.privilege);
        let connection = &on.connection;
        let wanted = match self.flag(&privilege.become_, "become", scope)? {
            Some(wanted) => wanted,
            None => connection
                .privileged
                .unwrap_or(self.play.run.settings.force_become),
        };
        if !wanted {
            return Ok(on.login.clone());
        }
        let (user, span) = match &privilege.user {
            Some(user) => {
                let user = self.render(user, scope)?;
                (user.as_str().map(str::to_owned), Some(user.span))
            }
            None => (connection.become_user.clone(), None),
        };
        let user = user.unwrap_or_else(|| match span {
            Some(_) => String::new(),
            None => "root".to_owned(),
        });
        if !is_account_name(&user) {
            let message = format!("`{user}` is not the name of an account");
            return Err(match span {
                Some(span) => Diagnostic::at(&span, message),
                None => {
                    Diagnostic::error(message).help("see `ansible_become_user` in the inventory")
                }
            }
            .into());
        }
        Ok(user)
    }

    pub(super) fn environment(
        &self,
        task: &Task,
        scope: &Arc<TaskScope>,
    ) -> Result<Vec<(String, String)>, Stop> {
        let mut env: Vec<(String, String)> = Vec::new();
        for layer in self
            .play
            .play
            .play
            .environment
            .iter()
            .chain(&task.environment)
        {
            let layer = self.render(layer, scope)?;
            if layer.is_null() {
                continue;
            }
            let Some(map) = layer.as_map() else {
                return Err(Diagnostic::at(
                    &layer.span,
                    format!("`environment` must be a mapping, not {}", layer.type_name()),
                )
                .into());
            };
            for (name, entry) in map {
                let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty()
                    || !name.chars().all(valid)
                    || name.starts_with(|c: char| c.is_ascii_digit())
                {
                    return Err(Diagnostic::at(
                        &entry.key,
                        format!("`{name}` is not the name of an environment variable"),
                    )
                    .into());
                }
                let text = match &entry.value.kind {
                    ValueKind::Str(text) => text.to_string(),
                    _ => entry.value.to_json().to_string(),
                };
                env.retain(|(earlier, _)| earlier != name.as_ref());
                env.push((name.to_string(), text));
            }
        }
        Ok(env)
    }

    pub(super) fn timeout(&self, task: &Task, scope: &Arc<TaskScope>) -> Result<Option<u64>, Stop> {
        let Some(timeout) = &task.timeout else {
            return Ok(None);
        };
        let timeout = self.render(timeout, scope)?;
        let seconds = match &timeout.kind {
            ValueKind::Int(seconds) => u64::try_from(*seconds).ok(),
            ValueKind::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        match seconds {
            Some(0) => Ok(None),
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Diagnostic::at(&timeout.span, "`timeout` is a number of seconds").into()),
        }
    }

    /// The host that acts, when it is another one.
    pub(super) fn delegate(
        &self,
        task: &Task,
        scope: &Arc<TaskScope>,
    ) -> Result<Option<Arc<HostState>>, Stop> {
        let Some(delegate) = &task.delegate else {
            return Ok(None);
        };
        let name = self.render(delegate, scope)?;
        if is_omit(&name) || name.is_null() {
            return Ok(None);
        }
        let wanted = name.as_str().unwrap_or_default();
        if wanted == &*self.play.host.name {
            return Ok(None);
        }
        match self.play.run.hosts.get(wanted) {
            Some(host) => Ok(Some(host.clone())),
            None => Err(Diagnostic::at(
                &delegate.span,
                format!("`{wanted}`, which is to act for this host, is not in the run"),
            )
            .help("its lease is taken with all others: name it as it is written in the inventory, without values of the run")
            .into()),
        }
    }
}

/// The account of the shell on a node.
pub(super) fn shell_user(on: &HostState) -> &str {
    if on.root { "root" } else { &on.login }
}

/// What useradd takes by default; anything else could mean something to a shell.
pub fn is_account_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['-', '.'])
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c))
}
