//! What a change does beside what it is about: to services, and to what comes behind it.

use sha2::{Digest, Sha256};

use super::{Change, Content, Touch};

/// What the change does to a running service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The unit is reloaded.
    Reload(String),
    /// The unit is started, stopped or restarted.
    Restart(String),
}

impl Effect {
    /// The word in events.
    pub fn word(&self) -> &'static str {
        match self {
            Effect::None => "none",
            Effect::Reload(_) => "reload",
            Effect::Restart(_) => "restart",
        }
    }

    /// The unit.
    pub fn unit(&self) -> Option<&str> {
        match self {
            Effect::None => None,
            Effect::Reload(unit) | Effect::Restart(unit) => Some(unit),
        }
    }
}

impl Change {
    /// Adds an effect on one more service.
    pub fn and_effect(mut self, effect: Effect) -> Change {
        match self.effect {
            Effect::None => self.effect = effect,
            _ => self.also.push(effect),
        }
        self
    }

    /// What its acts run, as a hash; none when it has no act.
    pub fn runs(&self) -> Option<String> {
        let mut hash = Sha256::new();
        let mut acts = false;
        for step in self.steps.iter().filter(|step| step.act) {
            acts = true;
            let stdin = step.stdin.as_deref().unwrap_or_default();
            for text in [&step.title, &step.script, stdin] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            for input in &step.inputs {
                match input {
                    Content::Bytes(bytes) => hash.update(bytes),
                    Content::File { sha256, .. } => hash.update(sha256.as_bytes()),
                    Content::Tar(entries) => {
                        entries
                            .iter()
                            .for_each(|it| hash.update(it.name.as_bytes()));
                    }
                }
            }
        }
        let digest = hash.finalize();
        acts.then(|| digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether one of its steps may alter anything.
    pub fn may_alter_anything(&self) -> bool {
        let mut touches = self.steps.iter().flat_map(|step| &step.touches);
        touches.any(|touch| *touch == Touch::Everything)
    }
}
