//! A member that is lost for good.

use super::act::Act;
use super::judge::Judge;
use super::look::{Decision, Look, refusal};
use super::picture::slot;
use super::spec::Goal;
use crate::cluster::Refusal;

/// Why the goal itself cannot be: a member to forget is there, one to work on is not.
pub fn objection(look: &Look) -> Option<Refusal> {
    let spec = look.site.spec;
    let name = match &spec.goal {
        Goal::Forget { name } => name,
        Goal::Rejoin { name } | Goal::Switchover { to: Some(name) }
            if spec.member(name).is_none_or(|member| member >= spec.data()) =>
        {
            return Some(refusal(
                format!("{name} is no data member of the cluster"),
                "name a host of the cluster's group that holds data",
            ));
        }
        _ => return None,
    };
    let seen = look.known(look.site.spec.member(name)?)?;
    (seen.online.is_some() || seen.process).then(|| {
        refusal(
            format!("{name} is not lost: its server runs"),
            format!(
                "stop it first, after a switchover if it is the primary: systemctl stop {}",
                look.site.unit()
            ),
        )
    })
}

impl Judge<'_> {
    /// The cluster goes on without it: elections do not count it, and no WAL is kept for it.
    pub fn forget(&mut self, primary: usize) -> Decision {
        let look = self.look;
        let Goal::Forget { name } = self.goal() else {
            return Decision::Settled;
        };
        let Some(online) = look.online(primary) else {
            return Decision::Settled;
        };
        if let Some(decision) = self.primary_row(primary) {
            return decision;
        }
        let rows = online.nodes.as_deref().unwrap_or_default();
        let row = rows.iter().find(|row| row.name == *name);
        if let Some(row) = row {
            let unregister = Act::Unregister {
                id: row.id,
                name: row.name.clone(),
            };
            return Decision::act(primary, unregister);
        }
        // A former member's number is no longer in any row.
        let kept = |candidate: &str| {
            rows.iter()
                .any(|row| row.slot == candidate || slot(row.id) == candidate)
                || (0..look.site.ids.len()).any(|member| {
                    look.name(member) != name && slot(look.site.ids[member]) == candidate
                })
        };
        let orphan = online.slots.iter().find(|found| {
            !found.active && found.name.starts_with("repmgr_slot_") && !kept(&found.name)
        });
        match orphan {
            Some(orphan) => {
                let name = orphan.name.clone();
                Decision::act(primary, Act::DropSlot { name })
            }
            None => self.unpause().unwrap_or(Decision::Settled),
        }
    }
}
