//! Arguments that may turn out not to be given: `src: "{{ item.src | default(omit) }}"`. Roles pass on all that their users may say in this way, so
//! what is wrong only if such an argument is given can be told no earlier than its value.

use super::{Args, unknown};
use crate::diagnostic::Diagnostic;
use crate::value::{Kind as ValueKind, Value};

/// Whether a value is a template that may come to `omit`.
pub(super) fn perhaps(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.contains("{{")
            && text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "omit")
    })
}

/// Whether a parameter that hadeploy refuses is given with a value that asks for nothing, or for what is done anyway. `localhost` as the host of
/// a database is its socket in Ansible too.
pub(super) fn means_nothing(name: &str, value: &Value) -> bool {
    value.is_null()
        || match name {
            "unsafe_writes" => is_false(value),
            "login_host" => matches!(value.as_str(), Some("" | "localhost")),
            "login_password" => value.as_str() == Some(""),
            "use_proxy" => value.kind == ValueKind::Bool(true),
            "digest" | "ownca_digest" | "selfsigned_digest" => value.as_str() == Some("sha256"),
            _ => false,
        }
}

/// Whether a template is the value of a parameter that hadeploy refuses, and may come to one that asks for nothing.
pub(super) fn perhaps_nothing(name: &str, value: &Value) -> bool {
    let local = name == "login_host"
        && value
            .as_str()
            .is_some_and(|text| text.contains("{{") && text.contains("localhost"));
    let asked = name == "use_proxy" && value.as_str().is_some_and(|text| text.contains("{{"));
    local || asked || perhaps(value)
}

fn is_false(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Bool(flag) => !flag,
        ValueKind::Str(text) => matches!(&*text.to_ascii_lowercase(), "no" | "false" | "off"),
        _ => false,
    }
}

impl Args {
    /// What the kind's check finds before binding, whether or not the arguments that may be omitted are given.
    pub fn surely_wrong(&self) -> Vec<Diagnostic> {
        let faults = (self.kind.check)(self);
        let mut given = self.clone();
        given.values.retain(|_, entry| !perhaps(&entry.value));
        if faults.is_empty() || given.values.len() == self.values.len() {
            return faults;
        }
        let without: Vec<String> = (self.kind.check)(&given)
            .into_iter()
            .map(|fault| fault.message)
            .collect();
        faults
            .into_iter()
            .filter(|fault| without.contains(&fault.message))
            .collect()
    }

    /// Parameters that are refused and, now that all values are known, were not omitted.
    pub fn refused(&self) -> Vec<Diagnostic> {
        self.open
            .iter()
            .filter(|(name, entry)| {
                super::is_refused(self.kind, name) && !means_nothing(name, &entry.value)
            })
            .map(|(name, entry)| unknown(self.kind, name, &entry.key))
            .collect()
    }
}
