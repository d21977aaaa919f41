//! As whom something acts.

use crate::value::Value;

/// `become`, `become_user` and `become_method` of a play, import or task.
#[derive(Debug, Clone, Default)]
pub struct Privilege {
    /// Whether to act as another account.
    pub become_: Option<Value>,
    /// As whom.
    pub user: Option<Value>,
    /// How; only `sudo`.
    pub method: Option<Value>,
}

impl Privilege {
    /// What is set here, and where nothing is, what `outer` sets.
    pub fn over(&self, outer: &Privilege) -> Privilege {
        let pick = |own: &Option<Value>, outer: &Option<Value>| own.clone().or(outer.clone());
        Privilege {
            become_: pick(&self.become_, &outer.become_),
            user: pick(&self.user, &outer.user),
            method: pick(&self.method, &outer.method),
        }
    }
}
