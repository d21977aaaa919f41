//! What is done to a unit, step by step, each with what is known of it behind.

use super::{State, Unit, script};
use crate::change::{Action, Change, Effect, Expect, Field, Step, Touch};
use crate::fact::unit::ANY;
use crate::fact::{Answer, Question, UnitInfo};

/// A unit on its way: what is known of it behind the steps so far.
pub(super) struct Work<'a> {
    pub(super) name: &'a str,
    pub(super) info: UnitInfo,
    pub(super) change: Change,
}

impl Work<'_> {
    fn step(&mut self, title: &str, script: String, verify: Option<Expect>) -> &mut Step {
        let mut step = Step::new(format!("{title} {}", self.name), script)
            .touch(Touch::Unit(self.name.to_owned()))
            .predict(
                Question::Unit(self.name.into()),
                Answer::Unit(self.info.clone()),
            );
        step.verify.extend(verify);
        let last = self.change.steps.len();
        self.change.steps.push(step);
        &mut self.change.steps[last]
    }
}

impl Unit {
    pub(super) fn mask(&self, work: &mut Work) {
        let masked = &*work.info.load == "masked" || work.info.enabled.starts_with("masked");
        let (verb, wanted) = match self.masked {
            Some(true) if !masked => ("mask", true),
            Some(false) if masked => ("unmask", false),
            _ => return,
        };
        work.info.load = if wanted { "masked" } else { "loaded" }.into();
        work.info.enabled = if wanted { "masked" } else { "disabled" }.into();
        work.change.fields.push(Field::value(
            "masked",
            masked.to_string(),
            wanted.to_string(),
        ));
        let verify = script::masked(work.name, wanted);
        work.step(verb, script::plain(verb, work.name, false), Some(verify));
    }

    pub(super) fn enable(&self, work: &mut Work, sysv: Option<bool>) {
        let Some(wanted) = self.enabled else { return };
        let now = is_enabled(&work.info, sysv);
        // `static`, `indirect` and the like have no links of their own: there is nothing to enable or disable.
        let fixed = matches!(
            &*work.info.enabled,
            "static" | "indirect" | "transient" | "alias"
        );
        if now == wanted || fixed {
            return;
        }
        let before = work.info.enabled.to_string();
        work.change.fields.push(Field::value(
            "enabled",
            if before.is_empty() {
                now.to_string()
            } else {
                before
            },
            if wanted { "enabled" } else { "disabled" },
        ));
        if sysv.is_none() {
            work.info.enabled = if wanted { "enabled" } else { "disabled" }.into();
        }
        let verb = if wanted { "enable" } else { "disable" };
        let verify = script::enabled(work.name, wanted);
        let step = script::plain(verb, work.name, self.force);
        work.step(verb, step, Some(verify));
    }

    pub(super) fn drive(&self, work: &mut Work) {
        let Some(state) = self.state else { return };
        let up = is_up(&work.info);
        let name = work.name;
        let before = work.info.active.to_string();
        let (verb, script, acts) = match state {
            State::Started if up => return,
            State::Stopped if matches!(&*work.info.active, "inactive" | "failed") => return,
            State::Started => ("start", script::bring_up("start", name, self.block), false),
            State::Stopped => ("stop", script::stop(name, self.block), false),
            State::Reloaded if up => ("reload", script::reload(name, self.block), true),
            State::Restarted | State::Reloaded => (
                "restart",
                script::bring_up("restart", name, self.block),
                true,
            ),
        };
        let ends = &*work.info.service_type == "oneshot" && !work.info.remain_after_exit;
        let (active, sub) = match state {
            State::Stopped => ("inactive", "dead"),
            _ if ends => ("inactive", "dead"),
            _ => ("active", "running"),
        };
        work.info.active = active.into();
        work.info.sub = sub.into();
        work.info.needs_reload = false;
        let after = match state {
            State::Started => "started",
            State::Stopped => "stopped",
            State::Restarted => "restarted",
            State::Reloaded => "reloaded",
        };
        work.change
            .fields
            .push(Field::value("state", before, after));
        work.change.effect = if verb == "reload" {
            Effect::Reload(name.to_owned())
        } else {
            Effect::Restart(name.to_owned())
        };
        if acts {
            work.change.action = Action::Run;
        }
        let verify = (state == State::Stopped && self.block).then(|| script::stopped(name));
        work.step(verb, script, verify).cut = true;
    }
}

pub(super) fn reload_step() -> Step {
    let fresh = UnitInfo {
        load: "loaded".into(),
        active: "active".into(),
        sub: "".into(),
        enabled: "".into(),
        needs_reload: false,
        service_type: "".into(),
        remain_after_exit: false,
        result: "".into(),
    };
    Step::new("have systemd read its files", "systemctl daemon-reload")
        .touch(Touch::Unit(ANY.to_owned()))
        .predict(Question::Unit(ANY.into()), Answer::Unit(fresh))
}

/// Running, or on its way there; a unit that waits to be started again has failed.
pub(super) fn is_up(info: &UnitInfo) -> bool {
    matches!(&*info.active, "active" | "reloading" | "activating") && &*info.sub != "auto-restart"
}

pub(super) fn is_enabled(info: &UnitInfo, sysv: Option<bool>) -> bool {
    sysv.unwrap_or(matches!(
        &*info.enabled,
        "enabled" | "static" | "alias" | "linked" | "indirect"
    )) && &*info.enabled != "linked"
}
