//! The launcher: every script that holds steps is started the same way, detached from the connection, its output and status recorded
//! on the node, so that a cut connection loses nothing and nothing is started twice.

use std::time::Duration;

use crate::change::Content;
use crate::command::quote;

use super::{lease, payload};

/// Names of one launched script on a node.
#[derive(Debug, Clone)]
pub struct Launch {
    /// hadeploy's run-time folder on the node: `/run/hadeploy` for root.
    pub base: String,
    /// The run.
    pub run: String,
    /// The number of the script within run and host, from 1.
    pub number: u32,
}

/// Inputs too large for the node's memory lie here until their step has run.
pub const STAGE: &str = "/var/lib/hadeploy/stage";

/// Prints the last line of what the running step says, each time it is another one. It ends with the shell, which prints nothing else meanwhile.
const LIVE: &str = r#"( o=; while sleep 1 >/dev/null 2>&1 && kill -0 "$$"; do
f=$(ls -t "$D/o" "$D/e" 2>/dev/null | head -n 1); n=$(tail -c 400 "$f" 2>/dev/null | tr '\r' '\n' | grep . | tail -n 1)
[ "$n" = "$o" ] || { o=$n; printf '\n@%s live %s\n' "$MARK" "$(printf %s "$n" | base64 -w0)"; }; done ) </dev/null 2>/dev/null & l=$!
"#;

/// Ends [`LIVE`].
const LIVE_END: &str = "kill \"$l\" 2>/dev/null; wait \"$l\" 2>/dev/null\n";

/// What the launcher or the re-attachment reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchEnd {
    /// The script ended; what it said.
    Ended(Vec<u8>),
    /// Its bytes did not arrive whole, or could not be stored: nothing was started. The reason.
    NotStarted(String),
    /// It was not started and never will be: it may be sent again under another number.
    NeverBegan,
    /// It was started and is gone without a result: killed, or the node was restarted. Its last words.
    Vanished(String),
}

impl Launch {
    /// Its folder on the node.
    pub fn folder(&self) -> String {
        format!("{}/steps/{}/{}", self.base, self.run, self.number)
    }

    /// Its systemd unit.
    pub(super) fn unit(&self) -> String {
        format!("hadeploy-{}-{}", self.run, self.number)
    }

    /// Where the n-th input (from 1) lies while the script runs.
    pub fn input_path(&self, number: usize, content: &Content) -> String {
        if payload::on_disk(content) && self.base == "/run/hadeploy" {
            format!("{STAGE}/{}-{}-{number}", self.run, self.number)
        } else {
            format!("{}/i{number}", self.folder())
        }
    }

    /// Reads the script and its inputs from standard input, starts it, waits and prints its result. When it cannot, it answers, and swallows
    /// the rest of the stream: no byte of a file may ever be taken for a script.
    /// `deadline` is for the whole script.
    /// With `live`, what the script says is told line by line meanwhile, as far as once a second shows it.
    pub fn text(
        &self,
        script_length: usize,
        inputs: &[&Content],
        deadline: Duration,
        live: bool,
    ) -> String {
        let folder = quote(&self.folder());
        let base = quote(&self.base);
        let run = quote(&self.run);
        // In braces: a text of which only the beginning arrives does nothing.
        let mut text = format!(
            "{{\nB={base}; D={folder}; f=\n\
             no() {{ printf 'N %s' \"$1\"; [ -z \"$2\" ] || rm -rf \"$D\" {STAGE}/{run}-{number}-*; printf '\\n\\n@%s done 90\\n' \"$MARK\"; exec cat >/dev/null; }}\n\
             take() {{ head -c \"$1\" >\"$2\" 2>/dev/null && [ \"$(stat -c %s \"$2\")\" = \"$1\" ] || w=$(df -P \"$2\" | tail -n1 | {{ read -r _ _ _ k _ on; printf '%s KiB are left on %s' \"$k\" \"$on\"; }}); }}\n\
             w=$(mkdir -p -m 0711 \"$B\" \"$B/steps\" \"$B/steps/\"{run} 2>&1 && mkdir -m 0711 \"$D\" 2>&1) || no \"$w\"\n\
             [ -d \"$B/steps/\"{run}/{previous}/void ] || rm -rf \"$B/steps/\"{run}/{previous}; umask 077; w=\n",
            number = self.number,
            previous = self.number.saturating_sub(1),
        );
        text.push_str(&format!("take {script_length} \"$D/script\"\n"));
        for (index, content) in inputs.iter().enumerate() {
            let path = self.input_path(index + 1, content);
            if path.starts_with(STAGE) {
                text.push_str(&format!(
                    "[ -d {STAGE} ] || mkdir -p -m 0711 {STAGE} || w='{STAGE} cannot be made'\n"
                ));
            }
            text.push_str(&format!(
                "[ -n \"$w\" ] || take {} {}\n",
                payload::length(content),
                quote(&path)
            ));
        }
        text.push_str(&format!(
            "[ -z \"$w\" ] || no \"no room for what is to be written: $w\" x\n\
             mkdir \"$D/started\" 2>/dev/null || no 'the connection was replaced' \n\
             : >\"$D/res\" >\"$D/err\"; umask 022\n\
             {begin}if [ -d /run/systemd/system ] && [ -w /run/systemd ]; then\n\
             systemd-run --quiet --collect --wait --unit={unit} -p KillMode=process -p RuntimeMaxSec={seconds} -p OOMPolicy=continue {main} </dev/null >\"$D/err\" 2>&1\n\
             else setsid -w {main} </dev/null >\"$D/err\" 2>&1; fi\n\
             {end}{result}}}\n",
            begin = if live { LIVE } else { "" },
            end = if live { LIVE_END } else { "" },
            unit = quote(&self.unit()),
            seconds = deadline.as_secs() + 60,
            main = self.main(),
            result = self.result(),
        ));
        text
    }

    /// The detached program. Its arguments show in the process list; they are names only. The script has no name any more while it runs.
    fn main(&self) -> String {
        format!(
            "/bin/sh -c {} hadeploy {}",
            quote(
                "exec 9<\"$1/script\"; rm -f \"$1/script\"; /bin/sh /proc/self/fd/9 >\"$1/res\" 2>\"$1/err\" </dev/null; printf '%s\\n' \"$?\" >\"$1/rc.new\"; mv -T \"$1/rc.new\" \"$1/rc\""
            ),
            quote(&self.folder()),
        )
    }

    /// Prints the result of a script that is over.
    fn result(&self) -> String {
        format!(
            "if [ -e \"$D/rc\" ]; then printf 'E\\n'; cat \"$D/res\"; rm -f \"$D/script\" \"$D\"/i* {STAGE}/{}-{}-*\n\
             else printf 'V '; tail -c 2000 \"$D/err\" 2>/dev/null | tr '\\n' ' '; printf '\\n'; fi\n",
            quote(&self.run),
            self.number,
        )
    }

    /// After a lost connection: waits for a script that was started, and prints its result; forbids one that was not. The hanging connection and
    /// this one race for the folder `started`, so that exactly one of them is right about it; a hanging one that
    /// gives up takes the whole folder away, therefore more than one try.
    pub fn attach_text(&self) -> String {
        format!(
            "{adopt}D={folder}\n\
             if [ ! -d \"$B/steps/\"{run} ]; then printf 'V what it said is gone\\n'\n\
             elif w=; for k in 1 2 3; do mkdir -m 0711 \"$D\"; if [ -d \"$D/void\" ] || mkdir \"$D/started\"; then w=1; break; fi; [ ! -d \"$D/started\" ] || break; done; [ -n \"$w\" ]; then mkdir \"$D/void\"; printf 'B\\n'\n\
             else while [ ! -e \"$D/rc\" ]; do\n\
             if [ -d /run/systemd/system ] && [ -w /run/systemd ]; then case $(systemctl show -p ActiveState --value {unit} 2>/dev/null) in active|activating|deactivating|reloading) ;; *) sleep 1; break;; esac\n\
             else busy \"$D\" || {{ sleep 1; busy \"$D\" || break; }}; fi\n\
             sleep 0.2; done\n\
             {result}\
             fi\n",
            run = quote(&self.run),
            folder = quote(&self.folder()),
            unit = quote(&self.unit()),
            adopt = lease::adopt_text(&self.base, &self.run),
            result = self.result(),
        )
    }
}

/// What [`Launch::text`] or [`Launch::attach_text`] printed.
pub fn parse(output: &[u8]) -> LaunchEnd {
    let end = output
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(output.len());
    let line = String::from_utf8_lossy(&output[..end]).into_owned();
    let rest = output.get(end + 1..).unwrap_or(&[]);
    match line.split_at_checked(1) {
        Some(("E", _)) => LaunchEnd::Ended(rest.to_vec()),
        Some(("B", _)) => LaunchEnd::NeverBegan,
        Some(("N", reason)) => LaunchEnd::NotStarted(reason.trim().to_owned()),
        Some(("V", words)) => LaunchEnd::Vanished(words.trim().to_owned()),
        _ => LaunchEnd::Vanished(line),
    }
}
