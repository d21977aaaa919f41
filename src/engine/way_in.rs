//! The way in stays open: which files it depends on, and what follows a script that changed one of them, or restarted the node.

use std::sync::Arc;
use std::time::Instant;

use super::host::HostRun;
use super::state::{HostState, Run};
use crate::change::{Change, Guard, Step, Touch};
use crate::command::quote;
use crate::event::Event;
use crate::fact::{Answer, Known, Missing, Question};
use crate::inventory::Method;
use crate::node::guard::Left;
use crate::node::{Node, NodeError, PlacedStep, Proof, ScriptEnd, StepEnd};

/// What to do when a change closed the way in.
const HELP: &str = "the node is as it was before this task: mend the task so that the way in of this run stays open, then apply again";

/// Said of a guarded change that failed by itself.
pub const BACK: &str = "the node is as it was before this task; nothing of it took effect";

/// A part of the way in: where it lies, and how a change of it takes effect.
struct Part {
    /// What its steps are called: `reload ssh`.
    title: &'static str,
    /// A path belongs to it when it is one of these, lies below one, or begins with one and goes on (`sshd_config.bak`).
    roots: &'static [&'static str],
    /// POSIX sh that checks the files and lets them take effect at once. When it fails, the old files are put back.
    effect: &'static str,
    /// POSIX sh that lets the old files take effect again; never run while the node starts.
    again: &'static str,
}

/// The parts. sudoers, PAM, the network and the keys of the login user belong here too, once they are guarded.
static PARTS: &[Part] = &[Part {
    title: "check the configuration of sshd and reload it",
    roots: &["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"],
    // sshd takes the signal in its own time: the address of its program moves when it has executed itself again. Where a socket
    // starts sshd for each connection, there is nothing to reload.
    effect: r#"command -v sshd >/dev/null || exit 0
[ -d /run/sshd ] || mkdir -m 0755 /run/sshd
sshd -t || exit 1
systemctl is-active -q ssh.service || exit 0
p=$(systemctl show -p MainPID --value ssh.service); m=; k=0
[ ! -r "/proc/$p/maps" ] || read -r m _ <"/proc/$p/maps"
systemctl reload ssh.service || exit 1
while [ "$k" -lt 20 ]; do n=; read -r n _ <"/proc/$p/maps" || break; [ "$n" = "$m" ] || break; k=$((k + 1)); sleep 0.1; done
:"#,
    again: r#"! command -v sshd >/dev/null || systemctl is-active -q ssh.socket || systemctl reload-or-restart ssh.service"#,
}];

impl Part {
    /// The paths to be saved before `touched` is changed; none when it does not belong here.
    fn saved(&self, touched: &str) -> Vec<String> {
        let touched = touched.trim_end_matches('/');
        if self.roots.iter().any(|root| touched.starts_with(root)) {
            return vec![touched.to_owned()];
        }
        let is_above = |root: &&&str| {
            root.strip_prefix(touched)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.roots
            .iter()
            .filter(is_above)
            .map(|root| (*root).to_owned())
            .collect()
    }
}

/// The change, guarded when it alters what the way in depends on.
pub fn guarded(mut change: Change, known: &Known) -> Change {
    if change.steps.is_empty() || change.steps.iter().any(Step::stands_apart) {
        return change;
    }
    let mut touched: Vec<String> = Vec::new();
    for touch in change.steps.iter().flat_map(|step| &step.touches) {
        let (Touch::Path(path) | Touch::NewFolder(path)) = touch else {
            continue;
        };
        touched.push(path.clone());
        if let Ok(info) = known.path(path) {
            touched.extend([info.abs.to_string(), info.real.to_string()]);
        }
    }
    let mut paths: Vec<String> = Vec::new();
    let mut parts: Vec<&Part> = Vec::new();
    for part in PARTS {
        let saved: Vec<String> = touched.iter().flat_map(|path| part.saved(path)).collect();
        if saved.is_empty() {
            continue;
        }
        parts.push(part);
        paths.extend(saved);
        // A file behind a link is saved too, wherever it lies.
        let direct = change.steps.iter().flat_map(|step| &step.touches);
        for touch in direct {
            if let Touch::Path(path) = touch
                && !part.saved(path).is_empty()
                && path.starts_with(part.roots[0])
                && let Ok(info) = known.path(path)
            {
                paths.push(info.real.to_string());
            }
        }
    }
    paths.retain(|path| path.starts_with('/'));
    paths.sort();
    paths.dedup();
    // What lies below another is saved with it.
    let all = paths.clone();
    paths.retain(|path| {
        !all.iter().any(|other| {
            path.strip_prefix(other.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    });
    if paths.is_empty() {
        return change;
    }
    let first = change.steps.remove(0).guard(guard_of(&paths, &parts));
    change.steps.insert(0, first);
    for part in parts {
        let mut step = Step::new(part.title, part.effect);
        step.deadline = Guard::WINDOW / 2;
        change.steps.push(step.cut());
    }
    change
}

fn guard_of(paths: &[String], parts: &[&Part]) -> Guard {
    let mut save = String::new();
    let mut restore = String::from(
        "back() { if [ -e \"$S/none$1\" ]; then rm -rf -- \"$2\"\n\
         else rm -rf -- \"$2.hadeploy\"; cp -a -- \"$S/old$1\" \"$2.hadeploy\" || return 1\n\
         if [ -d \"$2\" ] && [ ! -L \"$2\" ]; then rm -rf -- \"$2\"; fi; mv -fT -- \"$2.hadeploy\" \"$2\"; fi; }\nr=0\n",
    );
    for (number, path) in paths.iter().enumerate() {
        let path = quote(path);
        save.push_str(&format!(
            "if [ -e {path} ] || [ -L {path} ]; then cp -a -- {path} \"$S/old{number}\"; else : >\"$S/none{number}\"; fi\n"
        ));
        restore.push_str(&format!("back {number} {path} || r=1\n"));
    }
    for part in parts {
        restore.push_str(&format!(
            "[ \"$HOW\" = boot ] || {{\n{}\n}} || r=1\n",
            part.again
        ));
    }
    restore.push_str("(exit $r)");
    Guard {
        what: paths.join(", ").replace('\n', " "),
        save,
        restore,
        persist: String::new(),
        survives_boot: true,
    }
}

/// Runs steps; a guarded change among them is confirmed by a new connection, or its restoring waited for, and so is a restart.
pub async fn run_steps(
    run: &Run,
    host: &HostState,
    node: &mut Node,
    steps: &[PlacedStep],
    missing: &Missing,
) -> Result<(ScriptEnd, Vec<(Question, Answer)>), NodeError> {
    let working = |what: String| {
        run.say(Event::HostWorking {
            host: host.name.clone(),
            what,
        });
    };
    let guard = steps.iter().find_map(|placed| placed.step.guard.clone());
    let reboot = steps.iter().find_map(|placed| placed.step.reboot.clone());
    let Some(reboot) = reboot else {
        let began = Instant::now();
        let (mut end, mut answers) = node.run_steps(steps, missing).await?;
        if let Some(guard) = guard.filter(|_| end.armed) {
            working("proving by a new connection that the way in is open".to_owned());
            if !prove(node, &guard, began, &mut end).await? {
                answers.clear();
            }
        }
        return Ok((end, answers));
    };
    if host.connection.method == Method::Local {
        let mut end = ScriptEnd::default();
        end.steps.push(StepEnd::Unconfirmed {
            words: "it would restart the machine that hadeploy runs on".to_owned(),
            help: "restart hosts that are reached by SSH only",
        });
        return Ok((end, Vec::new()));
    }
    // What is asked behind a restart is asked by the next script: this node is not there any more.
    let old = node.boot().await?;
    let (end, answers) = node.run_steps(steps, &Missing::default()).await?;
    if matches!(end.steps.last(), Some(StepEnd::Ran { rc: 0, .. })) {
        working("waiting for its restart".to_owned());
        node.restarted(&old, &reboot, &run.settings.lease).await?;
    }
    Ok((end, answers))
}

/// False when the node put the old state back, which its last step then says.
async fn prove(
    node: &mut Node,
    guard: &Arc<Guard>,
    began: Instant,
    end: &mut ScriptEnd,
) -> Result<bool, NodeError> {
    let what = &guard.what;
    let (words, help) = match node.prove(guard, began).await? {
        Proof::Confirmed(0, _) => return Ok(true),
        Proof::Confirmed(rc, said) => (
            format!(
                "{what} was changed and the way in is open, but what keeps the change over a restart of the node ended with status {rc}: {said}"
            ),
            "the change is in effect; apply again to have it kept",
        ),
        Proof::Restored {
            why,
            after_s,
            status: 0,
            ..
        } => (
            format!(
                "the way in was lost by the change of {what} ({why}); the node put the old state back by itself, and let us in again after {after_s} s"
            ),
            HELP,
        ),
        Proof::Restored {
            why, status, said, ..
        } => (
            format!(
                "the way in was lost by the change of {what} ({why}); the node lets us in again, but putting the old state back ended with status {status}: {said}"
            ),
            "look at what the node says, and at its logs (`journalctl -u ssh`), before the next apply",
        ),
    };
    end.steps.pop();
    end.steps.push(StepEnd::Unconfirmed { words, help });
    Ok(false)
}

/// Says what an earlier run left unconfirmed.
pub fn tell_left(run: &Run, host: &HostState, left: &Left) {
    let Left { what, name, .. } = left;
    let words = if left.restored || run.settings.mode.may_change() {
        format!(
            "a run that did not come to its end (`{name}`) had changed {what} and not confirmed it; the old state is back"
        )
    } else {
        format!(
            "a change of {what} by the run of script `{name}` is not confirmed; the node puts the old state back when nobody confirms it within {} s, an apply does so at once",
            Guard::WINDOW.as_secs()
        )
    };
    run.say(Event::Warning {
        host: Some(host.name.clone()),
        message: words,
    });
}

impl HostRun {
    /// Says what people should know of a change before it is made.
    pub(super) fn warn(&self, change: &Change) {
        for words in &change.warnings {
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: words.clone(),
            });
        }
    }
}
