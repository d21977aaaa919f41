//! `systemd` and `service`: units running, stopped, restarted, enabled, masked.

mod script;
mod work;

use self::work::{Work, is_enabled, is_up, reload_step};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::diagnostic::Diagnostic;
use crate::fact::unit::{ANY, full_name, well_formed};
use crate::fact::{Known, Missing, Question, UnitInfo};

/// Starts, stops, restarts and enables a service of systemd.
///
/// # Differs from Ansible
/// - `sleep`, `pattern`, `runlevel` and `arguments` are refused: systemd has its own words for them
///
/// # Returns
/// - `name`, `state`, `enabled`: the service behind the task
/// - `status`: what systemd says of it, by its own names, such as `ActiveState`
///
/// # Examples
/// ```yaml
/// - name: the web server runs, also after a boot
///   service: { name: nginx, state: started, enabled: true }
/// ```
pub static SERVICE: Kind = Kind {
    name: "service",
    aliases: &["ansible.builtin.service"],
    summary: "starts, stops, restarts and enables a service",
    params: &[
        NAME,
        STATE,
        ENABLED,
        Param::new(
            "use",
            ParamType::Choice(&["auto", "service", "systemd"]),
            "Accepted; systemd is always used.",
        )
        .default("auto"),
    ],
    free_form: None,
    refused: &[
        (
            "sleep",
            "systemd waits for the stop to end before it starts again; set `RestartSec=` in the unit if it needs a pause",
        ),
        (
            "pattern",
            "systemd knows whether the service runs; leave it out",
        ),
        (
            "runlevel",
            "systemd has no runlevels; the unit's `WantedBy=` says when it starts",
        ),
        (
            "arguments",
            "put them into the unit's `ExecStart=` by a drop-in",
        ),
        ("args", "put them into the unit's `ExecStart=` by a drop-in"),
    ],
    check: |args| args.one_of_required(&["state", "enabled"]),
    bind,
};

/// Starts, stops, restarts, enables and masks units, and has systemd read its files anew. With nothing but a name it looks at the unit: `status` tells
/// how it is, `LoadState: not-found` that there is none.
///
/// # Differs from Ansible
/// - only the system's own units: `scope` can only be `system`
/// - systemd reads changed files before it starts a unit, also where `daemon_reload` is not given
///
/// # Returns
/// - `name`, `state`, `enabled`: the unit behind the task
/// - `status`: what systemd says of it, by its own names, such as `ActiveState`
///
/// # Examples
/// ```yaml
/// - name: the timer of the backup
///   systemd:
///     name: backup.timer
///     state: started
///     enabled: true
///     daemon_reload: true
/// ```
pub static SYSTEMD: Kind = Kind {
    name: "systemd_service",
    aliases: &["systemd", "ansible.builtin.systemd", "ansible.builtin.systemd_service"],
    summary: "starts, stops, restarts, enables and masks systemd units; reloads systemd",
    params: &[
        NAME_OPTIONAL,
        STATE,
        ENABLED,
        Param::new("masked", ParamType::Bool, "Whether the unit is masked, so that nothing can start it."),
        Param::new("daemon_reload", ParamType::Bool, "Have systemd read its files again, if any changed since it did; done without being asked before a unit is started.")
            .aliases(&["daemon-reload"])
            .default("false"),
        Param::new("daemon_reexec", ParamType::Bool, "Have systemd execute itself again.").aliases(&["daemon-reexec"]).default("false"),
        Param::new("no_block", ParamType::Bool, "Do not wait until the unit is started or stopped; then nothing is verified either.").default("false"),
        Param::new("force", ParamType::Bool, "Whether enabling replaces links that are in its way.").default("false"),
        Param::new("scope", ParamType::Choice(&["system"]), "Only the system's own units are managed.").default("system"),
    ],
    free_form: None,
    refused: &[],
    check: |args| {
        let needs_name: Vec<&str> = ["state", "enabled", "masked"].into_iter().filter(|name| args.has(name)).collect();
        if !args.has("name") && let Some(first) = needs_name.first() {
            return vec![Diagnostic::at(args.place(first), format!("`{first}` needs a `name`"))];
        }
        match args.has("name") {
            // Nothing but a name looks at the unit, for its `status`.
            true => Vec::new(),
            false => args.one_of_required(&["state", "enabled", "masked", "daemon_reload", "daemon_reexec"]),
        }
    },
    bind,
};

const NAME: Param = Param::new(
    "name",
    ParamType::Str,
    "The unit; without a suffix, a service.",
)
.required();
const NAME_OPTIONAL: Param = Param::new(
    "name",
    ParamType::Str,
    "The unit; without a suffix, a service.",
)
.aliases(&["service", "unit"]);
const STATE: Param = Param::new(
    "state",
    ParamType::Choice(&["started", "stopped", "restarted", "reloaded"]),
    "`started` and `stopped` do nothing when it is so; `restarted` and `reloaded` always act, and start what is stopped.",
);
const ENABLED: Param = Param::new("enabled", ParamType::Bool, "Whether it starts at boot.");

#[derive(Clone, Copy, PartialEq)]
enum State {
    Started,
    Stopped,
    Restarted,
    Reloaded,
}

struct Unit {
    /// The full name; none for systemd itself.
    name: Option<String>,
    state: Option<State>,
    enabled: Option<bool>,
    masked: Option<bool>,
    reload: bool,
    reexec: bool,
    block: bool,
    force: bool,
}

fn bind(args: &Args, _controller: &dyn Controller) -> Bound {
    let is_systemd = args.kind.name == SYSTEMD.name;
    let own = |name: &str| is_systemd && args.bool(name, false);
    let choice = |name: &str| args.get(name).map(|_| args.bool(name, false));
    if let Some(name) = args.str("name")
        && !well_formed(&full_name(name))
    {
        return Err(Diagnostic::at(
            args.value_place("name"),
            format!("`{name}` cannot be the name of a unit"),
        )
        .help("name one unit; letters, digits and `:-_.\\@` can be in its name")
        .into());
    }
    Ok(Box::new(Unit {
        name: args.str("name").map(full_name),
        state: args.str("state").map(|word| match word {
            "stopped" => State::Stopped,
            "restarted" => State::Restarted,
            "reloaded" => State::Reloaded,
            _ => State::Started,
        }),
        enabled: choice("enabled"),
        masked: if is_systemd { choice("masked") } else { None },
        reload: own("daemon_reload"),
        reexec: own("daemon_reexec"),
        block: !own("no_block"),
        force: own("force"),
    }))
}

impl Resource for Unit {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let unit = self.name.as_deref().map(|name| Question::Unit(name.into()));
        let any = self.reload.then(|| Question::Unit(ANY.into()));
        known.need(unit.into_iter().chain(any))?;
        let mut change = Change::none("");
        if self.reexec {
            let step = Step::new("execute systemd again", "systemctl daemon-reexec");
            change.action = Action::Run;
            change.steps.push(step.touch(Touch::Unit(ANY.to_owned())));
        }
        let stale = self.reload && known.unit(ANY)?.needs_reload;
        let Some(name) = &self.name else {
            if stale {
                change.action = Action::Run;
                change
                    .fields
                    .push(Field::value("unit files", "changed", "read again"));
                change.steps.push(reload_step());
            } else if self.reload {
                change.reason = "no unit file changed since systemd read them".to_owned();
            }
            return Ok(change);
        };
        let info = known.unit(name)?;
        if let Some(obstacle) = self.obstacle(name, info) {
            return Ok(obstacle);
        }
        let sysv = if &*info.enabled == "generated" && self.enabled.is_some() {
            let script = name.trim_end_matches(".service");
            let links = format!("/etc/rc[2345].d/S[0-9][0-9]{script}");
            known.need([Question::Glob(links.as_str().into())])?;
            Some(!known.glob(&links)?.is_empty())
        } else {
            None
        };
        let mut work = Work {
            name,
            info: info.clone(),
            change,
        };
        self.mask(&mut work);
        self.enable(&mut work, sysv);
        self.drive(&mut work);
        let mut change = work.change;
        if stale || (!change.steps.is_empty() && info.needs_reload) {
            change
                .fields
                .insert(0, Field::value("unit files", "changed", "read again"));
            change.steps.insert(usize::from(self.reexec), reload_step());
        }
        if change.steps.is_empty() {
            change.reason = format!("{name} is {}", describe(info));
        } else if change.action == Action::None {
            change.action = Action::Update;
        }
        let end = work.info;
        Ok(change
            .result("name", name.as_str())
            .result("enabled", is_enabled(&end, sysv))
            .result("state", if is_up(&end) { "started" } else { "stopped" })
            .result(
                "status",
                serde_json::json!({"ActiveState": &*end.active, "SubState": &*end.sub, "LoadState": &*end.load, "UnitFileState": &*end.enabled}),
            ))
    }
}

impl Unit {
    /// Why the unit cannot be managed as asked.
    fn obstacle(&self, name: &str, info: &UnitInfo) -> Option<Change> {
        let runs = matches!(
            self.state,
            Some(State::Started | State::Restarted | State::Reloaded)
        );
        let template = name.contains("@.");
        if template && self.state.is_some() {
            return Some(
                Change::failed(format!("`{name}` is a template and cannot run itself")).help(
                    format!("name an instance, such as `{}`", name.replace("@.", "@1.")),
                ),
            );
        }
        let looks = self.state.is_none() && self.enabled.is_none() && self.masked.is_none();
        match &*info.load {
            "not-found" if looks => None,
            "not-found" if self.masked == Some(true) && self.state.is_none() && self.enabled.is_none() => None,
            "not-found" if self.state == Some(State::Stopped) && self.enabled.is_none() && is_up(info) => None,
            "not-found" => Some(
                Change::blocked(format!("unit `{name}` does not exist"))
                    .help("install the package that brings it, or copy its file to /etc/systemd/system, before this task"),
            ),
            "masked" if self.masked != Some(false) && (runs || self.enabled == Some(true)) => Some(
                Change::blocked(format!("unit `{name}` is masked"))
                    .help("unmask it with `systemd_service` and `masked: false`"),
            ),
            "bad-setting" | "error" if runs && !info.needs_reload => Some(
                Change::blocked(format!("the file of unit `{name}` cannot be used ({})", info.load))
                    .help(format!("`systemd-analyze verify {name}` on the node says what is wrong with it")),
            ),
            _ => None,
        }
    }
}

fn describe(info: &UnitInfo) -> String {
    match (&*info.active, &*info.enabled) {
        (active, "") => active.to_owned(),
        (active, enabled) => format!("{active} and {enabled}"),
    }
}
