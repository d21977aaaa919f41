//! Whether the fleet can spare a node.

use std::sync::Arc;

use crate::rollout::Seen;

/// Why the fleet cannot lose a node, before anything is touched.
pub(super) fn cannot_spare(names: &[Arc<str>], seen: &[Seen], limit: usize) -> Option<String> {
    if names.len() < 2 {
        return Some(format!(
            "{} is the only node: taking it out would stop the service; use `hadeploy apply`",
            names.first().map_or("there", |name| name)
        ));
    }
    if !seen.contains(&Seen::InService) {
        let why = seen.iter().find_map(|seen| match seen {
            Seen::Out(why) | Seen::Lost(why) => Some(why.as_str()),
            Seen::InService => None,
        });
        return Some(format!(
            "no node is in service ({}); a rolling update is for a platform that serves: use `hadeploy apply`",
            why.unwrap_or_default()
        ));
    }
    let lost: Vec<String> = names
        .iter()
        .zip(seen)
        .filter_map(|(name, seen)| match seen {
            Seen::Lost(why) => Some(format!("{name} does not answer ({why})")),
            _ => None,
        })
        .collect();
    (lost.len() >= limit).then(|| {
        format!(
            "{}; at most {limit} may be out at once, so no other node may be taken out",
            lost.join(", ")
        )
    })
}
