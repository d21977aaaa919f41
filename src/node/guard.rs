//! Commit-confirm: a change that could close the way in is undone by the node itself, unless a new connection confirms it in time.
//!
//! What is saved lies in `/var/lib/hadeploy/guard/RUN-N`. Who confirms and who restores race for one rename of the file `armed` in it: to
//! `confirmed`, or to `restoring`. Behind a restoring, `restored` holds its status and the node's uptime. `restore` is the script of the node's timer; a
//! unit of its own runs it when the node starts in between, where the change would survive that.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::launch::Launch;
use super::script::{OWED, OwedNote};
use crate::change::Guard;
use crate::command::quote;

/// Where guarded changes lie until they are confirmed.
pub const GUARDS: &str = "/var/lib/hadeploy/guard";

/// What a node says about a guarded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardState {
    /// It is confirmed; the status of what was then done, and its last words.
    Confirmed(i32, String),
    /// The old state is back; whether putting it back went well, and its last words.
    Restored(i32, String),
    /// The node has not decided yet.
    Waits,
}

/// A guarded change that a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The run that made it, with the number of its script.
    pub name: String,
    /// Whether the old state is back.
    pub restored: bool,
    /// What was changed.
    pub what: String,
}

/// Names of one guarded change on a node.
struct Names {
    folder: String,
    unit: String,
    boot: String,
}

impl Names {
    /// Those of a script.
    fn new(launch: &Launch) -> Names {
        let name = format!("{}-{}", launch.run, launch.number);
        Names {
            folder: format!("{GUARDS}/{name}"),
            unit: format!("hadeploy-guard-{name}"),
            boot: format!("hadeploy-boot-guard-{name}.service"),
        }
    }

    /// Shell text that takes the unit away that restores when the node starts.
    fn forget_boot(&self) -> String {
        format!(
            "if [ -e /etc/systemd/system/{boot} ]; then rm -f /etc/systemd/system/{boot} /etc/systemd/system/sysinit.target.wants/{boot}; [ \"$HOW\" = boot ] || systemctl daemon-reload; fi\n",
            boot = self.boot
        )
    }

    /// Shell text that ends the timer.
    fn stop_timer(&self) -> String {
        format!(
            "if [ -e \"$S/sleeper\" ]; then kill -- \"-$(cat \"$S/sleeper\")\"; else systemctl stop {}.timer; fi 2>/dev/null\n",
            self.unit
        )
    }
}

/// The file that saves the old state and arms the timer, run by `sh -e`. `notes` of owed handlers go when
/// the old state is back, if they are new, which `$new` says.
fn arm_text(guard: &Guard, launch: &Launch, notes: &[OwedNote]) -> String {
    let names = Names::new(launch);
    let folder = quote(&names.folder);
    let mut text = format!(
        "mkdir -p -m 0700 {GUARDS}\nmkdir -m 0700 {folder}\nS={folder}\nprintf '%s\\n' {what} >\"$S/what\"\ncat /proc/sys/kernel/random/boot_id >\"$S/boot\"\n(\n:\n{save}\n)\n",
        what = quote(&guard.what),
        save = guard.save,
    );
    let _ = write!(
        text,
        "cat >\"$S/restore\" <<'END-{run}'\n{}END-{run}\n",
        restore_text(guard, &names),
        run = launch.run,
    );
    for note in notes {
        let remove = format!("rm -f {}", quote(&format!("{OWED}/{}", note.id)));
        let _ = writeln!(
            text,
            "[ -z \"$new\" ] || printf '%s\\n' {} >>\"$S/notes\"",
            quote(&remove)
        );
    }
    text.push_str(": >\"$S/armed\"\n");
    if guard.survives_boot {
        let _ = write!(
            text,
            "if [ -d /run/systemd/system ]; then\n\
             printf '%s\\n' '[Unit]' 'Description=Puts back a change of the way in that was not confirmed' DefaultDependencies=no After=local-fs.target RequiresMountsFor=/var/lib/hadeploy Before=ssh.service ssh.socket sysinit.target '[Service]' Type=oneshot {exec} >/etc/systemd/system/{boot}\n\
             mkdir -p /etc/systemd/system/sysinit.target.wants; ln -s ../{boot} /etc/systemd/system/sysinit.target.wants/{boot}\nfi\n",
            exec = quote(&format!("ExecStart=/bin/sh {}/restore boot", names.folder)),
            boot = names.boot,
        );
    }
    let _ = write!(
        text,
        "sync\nif [ -d /run/systemd/system ] && [ -w /run/systemd ]; then systemd-run --quiet --collect --unit={unit} --on-active={seconds} --timer-property=AccuracySec=1s /bin/sh \"$S/restore\" timer\n\
         else setsid /bin/sh -c 'echo $$ >\"$1/sleeper\"; sleep {seconds}; exec /bin/sh \"$1/restore\" timer' sh \"$S\" >/dev/null 2>&1 </dev/null & fi\n",
        unit = names.unit,
        seconds = Guard::WINDOW.as_secs(),
    );
    text
}

/// What the node runs to be as before.
fn restore_text(guard: &Guard, names: &Names) -> String {
    format!(
        "# Written by hadeploy: puts back what a change was not confirmed.\n\
         export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; umask 022; cd /\n\
         HOW=${{1:-now}}; S={folder}\n\
         mv -T \"$S/armed\" \"$S/restoring\" 2>/dev/null || {{ [ \"$HOW\" != timer ] && [ -e \"$S/restoring\" ] && [ ! -e \"$S/restored\" ]; }} || exit 0\n\
         (\n:\n{restore}\n) >\"$S/said\" 2>&1 </dev/null; r=$?; sync\n\
         [ ! -e \"$S/notes\" ] || . \"$S/notes\"\n{boot}\
         read -r u _ </proc/uptime; printf '%s %s\\n' \"$r\" \"${{u%%.*}}\" >\"$S/restored.new\"; mv -T \"$S/restored.new\" \"$S/restored\"\n\
         [ \"$HOW\" != now ] || {{\n{stop}}}\nexit 0\n",
        folder = quote(&names.folder),
        restore = guard.restore,
        boot = names.forget_boot(),
        stop = names.stop_timer(),
    )
}

/// Shell functions of a script with a guarded change: `undo` puts the old state back at once, where the change itself fails.
pub const UNDO: &str = "G=\nundo() { [ -z \"$G\" ] || { setsid -w /bin/sh \"$G/restore\" now; rm -rf \"$G\"; } >/dev/null 2>&1 </dev/null; }\n";

/// Arms a guard in a script; `rc` is its status, and `$D/o` and `$D/e` hold what it said. `new` is the word that says whether `notes` are new.
pub fn armed_text(guard: &Guard, launch: &Launch, notes: &[OwedNote], new: &str) -> String {
    format!(
        "cat >\"$D/g\" <<'END-arm-{run}'\n{arm}END-arm-{run}\n\
         G={folder}; new={new} /bin/sh -e \"$D/g\" >\"$D/o\" 2>\"$D/e\"; rc=$?\n\
         [ $rc = 0 ] || {{ rm -rf \"$G\"; G=; echo 'it is not done, since the old state cannot be kept' >>\"$D/e\"; }}\n",
        run = launch.run,
        arm = arm_text(guard, launch, notes),
        folder = quote(&folder(launch)),
    )
}

/// The folder that [`UNDO`] knows by `$G`.
fn folder(launch: &Launch) -> String {
    Names::new(launch).folder
}

/// Shell text that confirms, from a new connection, and says what became of the change. The answer may be asked for again.
pub fn confirm_text(guard: &Guard, launch: &Launch) -> String {
    let names = Names::new(launch);
    let done = quote(&format!("{}/confirmed", launch.folder()));
    format!(
        "S={folder}; HOW=now\n\
         if [ -e {done} ]; then printf 'GUARD C 0 -\\n'\n\
         elif mv -T \"$S/armed\" \"$S/confirmed\" || [ -e \"$S/confirmed\" ]; then\n{stop}{boot}(\n:\n{persist}\n) >\"$S/said\" 2>&1 </dev/null; r=$?\n\
         printf 'GUARD C %s ' \"$r\"; tail -c 2000 \"$S/said\" | base64 -w0; printf '\\n'; : >{done}; rm -rf \"$S\"\n\
         else\n{state}fi\n",
        folder = quote(&names.folder),
        stop = names.stop_timer(),
        boot = names.forget_boot(),
        persist = guard.persist,
        state = state_words(),
    )
}

/// Shell text that asks, after the node's time is up, whether the old state is back; has it put back when the timer did not come.
pub fn restored_text(launch: &Launch) -> String {
    format!(
        "S={}\n[ ! -e \"$S/armed\" ] || setsid -w /bin/sh \"$S/restore\" now\n{}",
        quote(&folder(launch)),
        state_words(),
    )
}

/// Shell text that only asks whether the old state is back.
pub fn told_text(launch: &Launch) -> String {
    format!("S={}\n{}", quote(&folder(launch)), state_words())
}

/// Says how a change was restored; the folder is not needed any more then.
fn state_words() -> &'static str {
    "if [ -e \"$S/restored\" ]; then read -r r _ <\"$S/restored\"; printf 'GUARD R %s ' \"$r\"; tail -c 2000 \"$S/said\" | base64 -w0; printf '\\n'; rm -rf \"$S\"\n\
     elif [ ! -d \"$S\" ]; then printf 'GUARD R 0 -\\n'; else printf 'GUARD W 0 -\\n'; fi\n"
}

/// What [`confirm_text`] and [`restored_text`] printed; none when they said nothing.
pub fn parse(output: &[u8]) -> Option<GuardState> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|line| line.strip_prefix("GUARD "))?;
    let mut words = line.split(' ');
    let kind = words.next()?;
    let status = words.next()?.parse().ok()?;
    let said = STANDARD
        .decode(words.next().unwrap_or("-"))
        .map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned())
        .unwrap_or_default();
    match kind {
        "C" => Some(GuardState::Confirmed(status, said)),
        "R" => Some(GuardState::Restored(status, said)),
        "W" => Some(GuardState::Waits),
        _ => None,
    }
}

/// Shell text, without a program of its own where nothing was left, that prints what runs left behind. With `mend`, which only who
/// holds the lease may ask for, the old state is put back at once.
pub fn left_text(run: &str, mend: bool) -> String {
    let mend = if mend {
        format!(
            "r=; [ ! -e \"$B/lease/run\" ] || read -r r <\"$B/lease/run\"; if [ \"$r\" = {} ]; then n=0; while [ -e \"$S/restoring\" ] && [ ! -e \"$S/restored\" ] && [ \"$n\" -lt 10 ]; do sleep 1; n=$((n + 1)); done; [ -e \"$S/confirmed\" ] || setsid -w /bin/sh \"$S/restore\" now; m=1; fi; ",
            quote(run)
        )
    } else {
        String::new()
    };
    format!(
        "for S in {GUARDS}/*; do [ -e \"$S/what\" ] || continue; case ${{S##*/}} in {run}-*) continue;; esac; m=; {mend}\
         w=; read -r w <\"$S/what\"; if [ -e \"$S/restored\" ]; then k=R; [ -z \"$m\" ] || rm -rf \"$S\"; elif [ -e \"$S/confirmed\" ]; then k=; [ -z \"$m\" ] || rm -rf \"$S\"; else k=A; fi; \
         [ -z \"$k\" ] || printf 'LEFT %s %s %s\\n' \"$k\" \"${{S##*/}}\" \"$w\"; done\n",
        run = quote(run),
    )
}

/// What [`left_text`] printed.
pub fn parse_left(output: &[u8]) -> Vec<Left> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix("LEFT ")?.splitn(3, ' ');
            Some(Left {
                restored: words.next()? == "R",
                name: words.next()?.to_owned(),
                what: words.next()?.to_owned(),
            })
        })
        .collect()
}
