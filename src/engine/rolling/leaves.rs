//! Which changes stop a node's part of a cluster for a while.

use std::sync::Arc;

use crate::change::{Effect, Field};
use crate::event::{Status, TaskResult};
use crate::playbook::{Scheduled, TaskAction};

/// Units of the daemons, as their names begin.
const UNITS: [&str; 4] = ["postgresql", "repmgrd", "redis-server", "redis-sentinel"];

/// Packages that restart them, as their names begin.
const PACKAGES: [&str; 3] = ["postgresql", "redis", "repmgr"];

/// Whether the node's daemons of a cluster stop by what a plan says of one task. `whole`: the task brings all packages to lists that it
/// fetches first, so that what it will install is not known.
pub(in crate::engine) fn leaves(planned: &TaskResult, whole: bool) -> bool {
    match planned.status {
        Status::Changed | Status::Unknown => {}
        _ => return false,
    }
    let begins = |name: &str, with: &[&str]| with.iter().any(|start| name.starts_with(start));
    // What comes anew stops nobody.
    let there = |field: &Field| matches!(field, Field::Value { before, .. } if !before.is_empty());
    let named = |field: &Field| there(field) && begins(field.name(), &PACKAGES);
    let mut fields = planned.changes.iter().chain(
        planned
            .items
            .iter()
            .filter(|item| item.status == Status::Changed)
            .flat_map(|item| &item.changes),
    );
    match planned.kind {
        "reboot" => true,
        "apt" | "package" => whole || fields.any(named),
        _ => match &planned.effect {
            Effect::Restart(unit) => begins(unit, &UNITS),
            _ => false,
        },
    }
}

/// The places of tasks that bring all packages to lists that they fetch first.
pub(super) fn whole(plays: &[Arc<Scheduled>]) -> Vec<Arc<str>> {
    let tasks = plays.iter().flat_map(|play| play.play.tasks_and_handlers());
    tasks
        .filter(|task| match &task.action {
            TaskAction::Kind { kind, args } => {
                matches!(kind.name, "apt" | "package")
                    && args.has("upgrade")
                    && args.has("update_cache")
            }
            _ => false,
        })
        .map(|task| task.at.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Action;

    fn planned(kind: &'static str, fields: &[&str], effect: Effect) -> TaskResult {
        let field = |name: &&str| Field::value(*name, "1", "2");
        TaskResult {
            play: "p".into(),
            task: "t".into(),
            host: "n1".into(),
            delegate: None,
            status: Status::Changed,
            at: "p.yml:1".into(),
            kind,
            action: Action::Update,
            changes: fields.iter().map(field).collect(),
            effect,
            follows: Vec::new(),
            msg: String::new(),
            rc: None,
            duration_ms: 0,
            items: Vec::new(),
            ignored: false,
            rescued: false,
            known_after: None,
            failure: None,
            handler: false,
        }
    }

    #[test]
    fn what_stops_a_daemon_of_a_cluster() {
        let restart = |unit: &str| Effect::Restart(unit.to_owned());
        let changes = [
            (planned("reboot", &[], Effect::None), true),
            (planned("apt", &["bash"], Effect::None), false),
            (
                planned("apt", &["bash", "postgresql-15"], Effect::None),
                true,
            ),
            (planned("apt", &["redis-sentinel"], Effect::None), true),
            (
                planned("systemd", &[], restart("postgresql@15-main.service")),
                true,
            ),
            (planned("systemd", &[], restart("redis-server")), true),
            (planned("systemd", &[], restart("nginx")), false),
            (
                planned(
                    "systemd",
                    &[],
                    Effect::Reload("postgresql@15-main".to_owned()),
                ),
                false,
            ),
            (planned("lineinfile", &["postgresql"], Effect::None), false),
        ];
        for (planned, wanted) in &changes {
            assert_eq!(leaves(planned, false), *wanted, "{planned:?}");
        }
        let mut fresh = planned("apt", &[], Effect::None);
        fresh.changes = vec![Field::value("postgresql-client", "", "15")];
        assert!(!leaves(&fresh, false), "it comes anew");
        fresh.changes = vec![Field::value("postgresql-15", "15.1", "")];
        assert!(leaves(&fresh, false), "it goes");
        let mut skipped = planned("reboot", &[], Effect::None);
        skipped.status = Status::Skipped;
        assert!(!leaves(&skipped, false), "it does nothing");
        skipped.status = Status::Unknown;
        assert!(leaves(&skipped, false), "it may do something");
        assert!(
            leaves(&planned("apt", &["bash"], Effect::None), true),
            "lists that are fetched"
        );
    }
}
