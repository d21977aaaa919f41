//! What a change means for services: its own effects, and what the handlers do that it notifies.

use std::sync::Arc;

use super::host::HostRun;
use super::verdict::UnitEnd;
use crate::change::Effect;
use crate::event::{Consequence, Status};
use crate::fact::unit;
use crate::playbook::{Task, TaskAction};

impl HostRun {
    /// Everything that follows from the ends of a task's units. What does not change has no consequences; what only an apply knows has those
    /// that it may have.
    pub(super) fn follows(&self, index: usize, task: &Task, ends: &[UnitEnd]) -> Vec<Consequence> {
        let moves = |end: &&UnitEnd| matches!(end.status, Status::Changed | Status::Unknown);
        let mut follows: Vec<Consequence> = Vec::new();
        let own = ends
            .iter()
            .filter(moves)
            .flat_map(|end| std::iter::once(&end.effect).chain(&end.also));
        for effect in own.filter(|effect| **effect != Effect::None) {
            let own = Consequence {
                effect: effect.clone(),
                handler: None,
            };
            if !follows.contains(&own) {
                follows.push(own);
            }
        }
        if !task.notify.is_empty() && ends.iter().any(|end| moves(&end)) {
            let mut seen = Vec::new();
            self.handled(index, task, &mut seen, &mut follows);
        }
        follows
    }

    /// Adds what the handlers do that `task` notifies, and those that they notify.
    fn handled(
        &self,
        index: usize,
        task: &Task,
        seen: &mut Vec<usize>,
        follows: &mut Vec<Consequence>,
    ) {
        let mut named = self.handlers_of(index, task).unwrap_or_default();
        // They run in the order of their definition.
        named.sort_unstable();
        for number in named {
            if seen.contains(&number) {
                continue;
            }
            seen.push(number);
            let handler = self.layout.handlers()[number].clone();
            self.done_by(index, &handler, &handler, seen, follows);
        }
    }

    /// Adds what a task of a handler does: its own, or one that it includes. Where those are not known, it does something.
    fn done_by(
        &self,
        index: usize,
        handler: &Task,
        task: &Task,
        seen: &mut Vec<usize>,
        follows: &mut Vec<Consequence>,
    ) {
        if !self.may_run(task) {
            return;
        }
        if let TaskAction::Include(include) = &task.action
            && let Some(loaded) = &include.read
        {
            for inner in loaded.tasks.iter() {
                self.done_by(index, handler, inner, seen, follows);
            }
            return;
        }
        if let Some(effect) = self.effect_of(task) {
            follows.push(Consequence {
                effect,
                handler: Some(handler.label.clone()),
            });
        }
        if !task.notify.is_empty() {
            self.handled(index, task, seen, follows);
        }
    }

    /// Whether none of its conditions is known to be false.
    fn may_run(&self, task: &Task) -> bool {
        let scope: Arc<dyn crate::template::Scope> = self.binder.scope(task, Vec::new());
        let is_false = |condition| matches!(self.run.templates.test(condition, &scope), Ok(false));
        !task.when.iter().any(is_false)
    }

    /// What a task of a handler would do to a service; none when it only sees to it that something is so.
    fn effect_of(&self, handler: &Task) -> Option<Effect> {
        let scope = self.binder.scope(handler, Vec::new());
        let TaskAction::Kind { kind, args } = &handler.action else {
            return Some(Effect::None);
        };
        if !matches!(kind.name, "service" | "systemd_service") {
            return Some(Effect::None);
        }
        let text = |name: &str| {
            let value = self.binder.render(args.get(name)?, &scope).ok()?;
            value.as_str().map(str::to_owned)
        };
        let state = args.get("state").map(|_| text("state"));
        let name = text("name").map(|name| unit::full_name(&name));
        match (state, name) {
            (Some(Some(state)), Some(name)) => match state.as_str() {
                "restarted" => Some(Effect::Restart(name)),
                "reloaded" => Some(Effect::Reload(name)),
                // Whether it does anything is seen when its turn has come.
                _ => None,
            },
            // A daemon-reload, or a link that is made: nothing that runs is disturbed.
            (None, _) => None,
            _ => Some(Effect::None),
        }
    }
}
