//! Opening what is encrypted among the variables of hosts: only of those that somebody needs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::draft::{check_vars, merge};
use super::{Host, Inventory, Layer};
use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::value::{Map, has_closed, is_closed_file, opened};
use crate::vault::Keyring;

/// What became of mappings, which many hosts share: each as it was, so that its address stays its own, and opened. None for one in which nothing
/// was closed.
type Seen = HashMap<*const Map, (Arc<Map>, Option<Arc<Map>>)>;

impl Inventory {
    /// Opens the variables of some hosts.
    ///
    /// # Errors
    /// Each vault that stays closed, once, and what is wrong with what the others hold.
    pub fn open<'h>(
        &mut self,
        names: impl IntoIterator<Item = &'h HostName>,
        keyring: &Keyring,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut seen = Seen::new();
        for name in names {
            if let Some(host) = self.hosts.get_mut(name) {
                open(host, keyring, &mut seen, &mut faults);
            }
        }
        faults
    }
}

impl Host {
    /// The host with its variables opened.
    ///
    /// # Errors
    /// Each vault that stays closed.
    pub fn opened(&self, keyring: &Keyring) -> Result<Cow<'_, Host>, Vec<Diagnostic>> {
        if !has_closed(&self.vars) {
            return Ok(Cow::Borrowed(self));
        }
        let mut faults = Vec::new();
        let mut host = self.clone();
        open(&mut host, keyring, &mut Seen::new(), &mut faults);
        match faults.iter().any(Diagnostic::is_error) {
            true => Err(faults),
            false => Ok(Cow::Owned(host)),
        }
    }
}

fn open(host: &mut Host, keyring: &Keyring, seen: &mut Seen, faults: &mut Vec<Diagnostic>) {
    let mut changed = false;
    for Layer { vars, .. } in &mut host.layers {
        let known = seen.entry(Arc::as_ptr(vars));
        let (_, new) = known.or_insert_with(|| {
            let closed = has_closed(vars);
            (vars.clone(), closed.then(|| read(vars, keyring, faults)))
        });
        if let Some(new) = new {
            *vars = new.clone();
            changed = true;
        }
    }
    if changed {
        host.vars = Arc::new(merge(&host.layers));
    }
}

fn read(vars: &Map, keyring: &Keyring, faults: &mut Vec<Diagnostic>) -> Arc<Map> {
    match opened(vars, keyring) {
        Ok(opened) => {
            // What stands beside a value that was closed has been looked at.
            if vars.keys().any(|name| is_closed_file(name)) {
                check_vars(&opened, false, faults);
            }
            Arc::new(opened)
        }
        Err(mut found) => {
            faults.append(&mut found);
            Arc::default()
        }
    }
}
