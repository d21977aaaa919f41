//! `reboot`: restarts the node, and waits until it is ready again.

use std::time::Duration;

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Reboot, Step, Touch};
use crate::command::Command;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Restarts the node, and waits until it is ready again.
///
/// # Differs from Ansible
/// - `reboot_command`, `boot_time_command` and `search_paths` are refused
/// - the restart is known by the kernel's own name for each start
///
/// # Returns
/// - `rebooted`: whether it was restarted
///
/// # Examples
/// ```yaml
/// - name: the new kernel
///   reboot: { reboot_timeout: 300 }
/// ```
pub static REBOOT: Kind = Kind {
    name: "reboot",
    aliases: &["ansible.builtin.reboot", "ansible.legacy.reboot"],
    summary: "restarts the node and waits until it is ready again",
    params: &[
        Param::new(
            "reboot_timeout",
            ParamType::Int,
            "How many seconds the node may take until it is ready again.",
        )
        .aliases(&["reboot_timeout_sec"])
        .default("600"),
        Param::new(
            "connect_timeout",
            ParamType::Int,
            "How many seconds one try to connect may take.",
        )
        .aliases(&["connect_timeout_sec"]),
        Param::new(
            "pre_reboot_delay",
            ParamType::Int,
            "Seconds before the restart; at least two, in which the result of this script is read.",
        )
        .aliases(&["pre_reboot_delay_sec"])
        .default("0"),
        Param::new(
            "post_reboot_delay",
            ParamType::Int,
            "Seconds between the first answer and the test.",
        )
        .aliases(&["post_reboot_delay_sec"])
        .default("0"),
        Param::new(
            "test_command",
            ParamType::Str,
            "Shell text that succeeds when the node is ready.",
        )
        .default("whoami"),
        Param::new(
            "msg",
            ParamType::Str,
            "What who is logged in there is told.",
        )
        .default("Reboot initiated by hadeploy"),
    ],
    free_form: None,
    refused: &[
        (
            "search_paths",
            "systemd restarts the node; no program is searched",
        ),
        (
            "boot_time_command",
            "the kernel's own name for each start is compared",
        ),
        ("reboot_command", "use `command` for another way to restart"),
    ],
    check,
    bind: |args, _| bind(args),
};

const SECONDS: [&str; 4] = [
    "reboot_timeout",
    "connect_timeout",
    "pre_reboot_delay",
    "post_reboot_delay",
];

fn check(args: &Args) -> Vec<Diagnostic> {
    let negative = |name: &&str| args.int(name).is_some_and(|seconds| seconds < 0);
    let faults = SECONDS.into_iter().filter(negative).map(|name| {
        Diagnostic::at(
            args.value_place(name),
            format!("`{name}` cannot be less than 0"),
        )
    });
    faults.collect()
}

/// A restart.
struct Restart {
    delay: u64,
    message: String,
    reboot: Reboot,
}

fn bind(args: &Args) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let seconds = |name: &str| {
        args.int(name)
            .and_then(|seconds| u64::try_from(seconds).ok())
    };
    let time = |name: &str| seconds(name).map(Duration::from_secs);
    Ok(Box::new(Restart {
        delay: seconds("pre_reboot_delay").unwrap_or(0),
        message: args
            .str("msg")
            .unwrap_or("Reboot initiated by hadeploy")
            .to_owned(),
        reboot: Reboot {
            timeout: time("reboot_timeout").unwrap_or(Duration::from_secs(600)),
            connect_timeout: time("connect_timeout"),
            pause: time("post_reboot_delay").unwrap_or_default(),
            test: args.str("test_command").unwrap_or("whoami").to_owned(),
        },
    }))
}

impl Resource for Restart {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        let reboot = Command::new("systemctl")
            .arg("reboot")
            .arg(format!("--message={}", self.message));
        // Not from this script itself: its result is read before the node goes.
        let script = format!(
            "systemd-run --quiet --collect --on-active={} --timer-property=AccuracySec=100ms {reboot}",
            self.delay.max(2)
        );
        let mut step = Step::new("restart the node", script)
            .touch(Touch::Everything)
            .cut();
        step.reboot = Some(Reboot {
            timeout: self.reboot.timeout + Duration::from_secs(self.delay),
            ..self.reboot.clone()
        });
        Ok(Change::new(Action::Run)
            .step(step)
            .reason("restarted")
            .result("rebooted", true))
    }
}
