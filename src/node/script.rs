//! Steps as one shell script: guards before, read-back behind, a record for each, then the answers to open questions.
//!
//! Results are lines on standard output: `S n rc out err` when step n ended (out and err in base64, `-` for none),
//! `M n what` when what it was decided on had moved, `V n what` when the read-back was not what was wanted,
//! `L run` when the lease is another's. The first that is not a clean `S` is the last. `G` says that a change waits for its confirmation.
//! Then, behind a line `Q`, the answers.

use std::fmt::Write;

use crate::change::{Expect, Step, Touch};
use crate::command::quote;
use crate::fact::{self, Missing};

use super::guard;
use super::launch::Launch;

/// At most this many bytes of each output of a step are kept; the rest is cut.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// A note that a handler is owed, written directly before the change that raises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedNote {
    /// File name: unique for playbook, play and handler.
    pub id: String,
    /// One line of JSON.
    pub text: String,
}

/// A step in its place: who runs it and what it owes.
#[derive(Debug, Clone)]
pub struct PlacedStep {
    /// The step.
    pub step: Step,
    /// The account that runs it; none for the shell's own.
    pub user: Option<String>,
    /// Handlers owed from now on.
    pub owes: Vec<OwedNote>,
    /// Notes paid by the success of this step (their handler).
    pub pays: Vec<String>,
    /// Whether a failing status stops the script. An act whose status is judged by the controller does not need to: it is the last.
    pub stops: bool,
}

/// The functions every script begins with. `vp` compares a path with what is expected and prints the first field that differs.
const PRELUDE: &str = r#"
vp() {
if s=$(find "$1" -maxdepth 0 -printf '%y\t%m\t%u\t%g\t%U\t%G\t%l.' 2>/dev/null) && [ -n "$s" ]; then
IFS='	' read -r y m u g U G l <<END
$s
END
l=${l%.}
else y=-; m=; u=; g=; U=; G=; l=; fi
[ -z "$2" ] || [ "$2" = "$y" ] || { printf 'type: wanted %s, found %s' "$2" "$y"; return 1; }
[ -z "$3" ] || [ "$3" = "$m" ] || { printf 'mode: wanted %s, found %s' "$3" "$m"; return 1; }
[ -z "$4" ] || [ "$4" = "$u" ] || [ "$4" = "$U" ] || { printf 'owner: wanted %s, found %s' "$4" "$u"; return 1; }
[ -z "$5" ] || [ "$5" = "$g" ] || [ "$5" = "$G" ] || { printf 'group: wanted %s, found %s' "$5" "$g"; return 1; }
[ -z "$7" ] || [ "$7" = "$l" ] || { printf 'target: wanted %s, found %s' "$7" "$l"; return 1; }
if [ -n "$6" ]; then h=$(sha256sum <"$1" 2>/dev/null); h=${h%% *}
[ "$6" = "$h" ] || { printf 'content: wanted sha256 %s, found %s' "$6" "${h:-nothing}"; return 1; }; fi
return 0
}
b() { if [ -s "$1" ]; then head -c LIMIT "$1" | base64 -w0; else printf -- -; fi; }
say() { printf '%s %s ' "$1" "$2"; printf %s "$3" | base64 -w0; printf '\n'; }
"#;

/// Where notes of owed handlers lie on a node.
pub const OWED: &str = "/var/lib/hadeploy/owed";

/// The whole script, as `launch` will start it. `nonce` marks the answers' sections.
pub fn compile(steps: &[PlacedStep], questions: &Missing, launch: &Launch, nonce: &str) -> String {
    // The launcher's way to this script is closed to all programs that it starts.
    let mut text = String::from("exec 9<&-\n");
    text.push_str(&PRELUDE.replace("LIMIT", &OUTPUT_LIMIT.to_string()));
    let _ = writeln!(text, "D={}", quote(&launch.folder()));
    let _ = writeln!(
        text,
        "r=$(cat {base}/lease/run 2>/dev/null); [ \"$r\" = {run} ] || {{ say L 0 \"$r\"; exit 0; }}",
        base = quote(&launch.base),
        run = quote(&launch.run),
    );
    body(&mut text, steps, questions, launch, nonce);
    text
}

/// The script of steps that only read, for a plan: without a lease, in a folder of its own under `/tmp` that is removed behind it.
pub fn compile_reading(steps: &[PlacedStep], questions: &Missing, nonce: &str) -> String {
    let mut text = PRELUDE.replace("LIMIT", &OUTPUT_LIMIT.to_string());
    text.push_str("D=$(mktemp -d) || exit 1; trap 'rm -rf \"$D\"' EXIT; chmod 711 \"$D\"\n");
    let launch = Launch {
        base: "/tmp".to_owned(),
        run: nonce.to_owned(),
        number: 1,
    };
    body(&mut text, steps, questions, &launch, nonce);
    text
}

fn body(
    text: &mut String,
    steps: &[PlacedStep],
    questions: &Missing,
    launch: &Launch,
    nonce: &str,
) {
    // What steps say, and what they are given, is nobody else's to read: who reads the process list knows the folder.
    text.push_str("umask 077; : >\"$D/o\" >\"$D/e\"; umask 022\n");
    let mut input = 0;
    let guarded = steps.iter().any(|placed| placed.step.guard.is_some());
    if guarded {
        text.push_str(guard::UNDO);
    }
    let stop = if guarded { "undo; exit 0" } else { "exit 0" };
    for (index, placed) in steps.iter().enumerate() {
        step_text(text, index, placed, &mut input, launch, stop);
    }
    if guarded {
        text.push_str("[ -z \"$G\" ] || printf 'G\\n'\n");
    }
    text.push_str("printf 'Q\\n'\n");
    if !questions.is_empty() {
        text.push_str("{\n");
        text.push_str(&fact::script(questions, nonce));
        text.push_str("} 2>/dev/null\n");
    }
}

fn step_text(
    text: &mut String,
    index: usize,
    placed: &PlacedStep,
    input: &mut usize,
    launch: &Launch,
    stop: &str,
) {
    let step = &placed.step;
    for expect in &step.before {
        let _ = writeln!(
            text,
            "w=$({} 2>&1) || {{ say M {index} \"$w\"; {stop}; }}",
            check(expect)
        );
    }
    for note in &placed.owes {
        let file = quote(&format!("{OWED}/{}", note.id));
        let _ = writeln!(
            text,
            "mkdir -p -m 0700 {OWED}; if [ -e {file} ]; then new{index}=; else new{index}=1; printf '%s\\n' {} >{file}; sync {file}; fi",
            quote(&note.text)
        );
    }
    let undo: String = placed
        .owes
        .iter()
        .map(|note| {
            format!(
                "[ -z \"$new{index}\" ] || rm -f {}; ",
                quote(&format!("{OWED}/{}", note.id))
            )
        })
        .collect();
    if let Some(guarded) = &step.guard {
        // What it says when it fails is the step's.
        let arm = guard::armed_text(guarded, launch, &placed.owes, &format!("$new{index}"));
        let _ = writeln!(
            text,
            "{arm}[ $rc = 0 ] || {{ {undo}printf 'S {index} %s ' $rc; b \"$D/o\"; printf ' '; b \"$D/e\"; printf '\\n'; {stop}; }}"
        );
    }
    text.push_str(&run_text(step, placed, input, index, launch));
    if placed.stops {
        let _ = writeln!(
            text,
            "[ $rc = 0 ] || {{ {undo}printf 'S {index} %s ' $rc; b \"$D/o\"; printf ' '; b \"$D/e\"; printf '\\n'; {stop}; }}"
        );
    }
    for expect in &step.verify {
        let _ = writeln!(
            text,
            "w=$({} 2>&1) || {{ say V {index} \"$w\"; {stop}; }}",
            check(expect)
        );
    }
    for id in &placed.pays {
        let _ = writeln!(
            text,
            "[ $rc != 0 ] || rm -f {}",
            quote(&format!("{OWED}/{id}"))
        );
    }
    let _ = writeln!(
        text,
        "printf 'S {index} %s ' $rc; b \"$D/o\"; printf ' '; b \"$D/e\"; printf '\\n'"
    );
}

/// Runs one step with its outputs in `$D/o` and `$D/e` and its status in `rc`.
fn run_text(
    step: &Step,
    placed: &PlacedStep,
    input: &mut usize,
    index: usize,
    launch: &Launch,
) -> String {
    let run = launch.run.as_str();
    let mut body = String::new();
    let mut paths = Vec::new();
    for (number, content) in step.inputs.iter().enumerate() {
        *input += 1;
        let path = quote(&launch.input_path(*input, content));
        let _ = writeln!(body, "IN{}={path}", number + 1);
        paths.push(path);
    }
    if step.line.is_some() {
        body.push_str("LINE=$D/l\n");
    }
    let _ = writeln!(body, "TAG={}", quote(&format!("{run}-{index}")));
    for (name, value) in &step.env {
        let _ = writeln!(body, "export {name}={}", quote(value));
    }
    body.push_str(&step.script);
    if !body.ends_with('\n') {
        body.push('\n');
    }
    let mut text = String::new();
    if let Some(line) = &step.line {
        let words = quote(line);
        let _ = writeln!(text, "umask 077; printf %s {words} >\"$D/l\"; umask 022");
        paths.push("\"$D/l\"".to_owned());
    }
    let stdin = match &step.stdin {
        Some(words) => {
            let words = quote(words);
            let _ = writeln!(text, "umask 077; printf %s {words} >\"$D/n\"; umask 022");
            "\"$D/n\""
        }
        None => "/dev/null",
    };
    // What the step was given lies there no longer than it needs it.
    let mut given = paths.clone();
    given.extend(step.stdin.iter().map(|_| "\"$D/n\"".to_owned()));
    if placed.user.is_none() && !may_hang(step) {
        let _ = writeln!(text, "(\n{body}) <{stdin} >\"$D/o\" 2>\"$D/e\"; rc=$?");
        if !given.is_empty() {
            let _ = writeln!(text, "rm -f {}", given.join(" "));
        }
        return text;
    }
    // The body goes through a file: what is in arguments shows in the process list.
    let mut head = format!("D={}\n", "\"$1\"");
    if placed.user.is_none() {
        head.push_str("rm -f \"$D/b\"\n");
    }
    // A unit has none of these, and a login has them: programs look for their settings below the home folder.
    let user = placed.user.as_deref().unwrap_or("root");
    let _ = writeln!(head, "export HOME=~{user} USER={user} LOGNAME={user}");
    let _ = writeln!(
        text,
        "umask 077; cat >\"$D/b\" <<'END-{run}'\n{head}{body}END-{run}\numask 022"
    );
    let mut command = format!("timeout -k 10 {}", step.deadline.as_secs().max(1));
    if let Some(user) = &placed.user {
        let mut files = "\"$D/b\"".to_owned();
        for path in &paths {
            let _ = write!(files, " {path}");
        }
        if step.stdin.is_some() {
            files.push_str(" \"$D/n\"");
        }
        let _ = writeln!(text, "chown {user} {files}");
        let _ = write!(command, " runuser -u {user} --");
    }
    let _ = writeln!(
        text,
        "{command} /bin/sh \"$D/b\" \"$D\" <{stdin} >\"$D/o\" 2>\"$D/e\"; rc=$?"
    );
    // Those of a user are the user's: what is written under the same names next may be root's.
    given.insert(0, "\"$D/b\"".to_owned());
    let _ = writeln!(text, "rm -f {}", given.join(" "));
    text
}

/// Steps that run programs of unknown length get a deadline of their own; file steps are short and many.
fn may_hang(step: &Step) -> bool {
    step.act || step.cut || step.touches.contains(&Touch::Everything)
}

/// The shell text that succeeds when `expect` holds and else prints what is wrong.
fn check(expect: &Expect) -> String {
    match expect {
        Expect::Path {
            path,
            kind,
            mode,
            owner,
            group,
            sha256,
            target,
        } => {
            let word = |value: Option<&String>| quote(value.map_or("", String::as_str));
            format!(
                "vp {} {} {} {} {} {} {}",
                quote(path),
                kind.map_or("''".to_owned(), |kind| kind.to_string()),
                mode.map_or("''".to_owned(), |mode| format!("{mode:o}")),
                word(owner.as_ref()),
                word(group.as_ref()),
                word(sha256.as_ref()),
                word(target.as_ref()),
            )
        }
        Expect::Check { field, script } => {
            format!(
                "f=$( {{ {script}\n}} 2>&1 ) || {{ printf '%s: %s' {} \"$f\"; false; }}",
                quote(field)
            )
        }
    }
}

#[cfg(test)]
mod tests;
