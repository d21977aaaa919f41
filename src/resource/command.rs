//! `command` and `shell`: programs run for their effect. They act; nothing is known of the node behind them.

pub(super) mod words;

use self::words::{expanded, split, tilde};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use crate::template::Stop;

/// Runs a program without a shell. It acts: nothing is known of the node behind it, so a plan shows it and does not run it, unless the task has
/// `check_mode: false`.
///
/// # Differs from Ansible
/// - `creates` and `removes` are asked first, so a plan knows whether the program will run
/// - `executable` is refused: use `shell`
/// - the program runs detached from the connection, and goes on when that is cut
///
/// # Returns
/// - `cmd`: the words
/// - `rc`: the status
/// - `stdout`, `stderr`: what it wrote; also as `stdout_lines` and `stderr_lines`
/// - `start`, `end`, `delta`: when, and how long
///
/// # Examples
/// ```yaml
/// - name: the swap file
///   command: fallocate -l 1G /swapfile
///   args:
///     creates: /swapfile
///
/// - name: which kernel runs
///   command:
///     argv: [uname, -r]
///   register: kernel
///   changed_when: false
///   check_mode: false
/// ```
pub static COMMAND: Kind = Kind {
    name: "command",
    aliases: &["ansible.builtin.command", "ansible.legacy.command"],
    summary: "runs a program, without a shell",
    params: &[
        CMD,
        ARGV,
        CHDIR,
        CREATES,
        REMOVES,
        STDIN,
        STDIN_NEWLINE,
        STRIP,
        EXPAND,
    ],
    free_form: Some("cmd"),
    refused: &[
        ("executable", "use `shell`, or name the program in `argv`"),
        WARN,
    ],
    check: |args| {
        let mut faults = args.one_of_required(&["cmd", "argv"]);
        faults.extend(args.at_most_one_of(&["cmd", "argv"]));
        faults
    },
    bind: |args, controller| bind(args, controller, false),
};

/// Runs a line of shell. It acts: nothing is known of the node behind it, so a plan shows it and does not run it, unless the task has
/// `check_mode: false`.
///
/// # Differs from Ansible
/// - `argv` is refused: use `command`
/// - the shell runs detached from the connection, and goes on when that is cut
///
/// # Returns
/// - `cmd`: the line
/// - `rc`: the status
/// - `stdout`, `stderr`: what it wrote; also as `stdout_lines` and `stderr_lines`
/// - `start`, `end`, `delta`: when, and how long
///
/// # Examples
/// ```yaml
/// - name: a dump of the settings
///   shell: "sysctl -a | sort > /root/sysctl.txt"
///   args:
///     creates: /root/sysctl.txt
/// ```
pub static SHELL: Kind = Kind {
    name: "shell",
    aliases: &["ansible.builtin.shell"],
    summary: "runs a line of shell, by `/bin/sh` or the named one",
    params: &[
        CMD,
        CHDIR,
        CREATES,
        REMOVES,
        Param::new(
            "executable",
            ParamType::Path,
            "The shell to use instead of `/bin/sh`; a name without a slash is looked for in PATH.",
        )
        .relative(),
        STDIN,
        STDIN_NEWLINE,
        STRIP,
    ],
    free_form: Some("cmd"),
    refused: &[("argv", "use `command` for a list of words"), WARN],
    check: |args| args.one_of_required(&["cmd"]),
    bind: |args, controller| bind(args, controller, true),
};

const WARN: (&str, &str) = ("warn", "Ansible dropped it in 2.14; leave it out");
const CMD: Param = Param::new("cmd", ParamType::Str, "The line to run.");
const ARGV: Param = Param::new(
    "argv",
    ParamType::List,
    "The program and its arguments as a list; nothing in them is split.",
);
pub(super) const CHDIR: Param = Param::new(
    "chdir",
    ParamType::Path,
    "The folder to run in, seen from the home of who logs in, which it is when not given; `/` where the account that acts may not read that.",
)
.relative();
pub(super) const CREATES: Param = Param::new(
    "creates",
    ParamType::Str,
    "A path or shell pattern; when something matches, nothing is run. Seen from `chdir`, or from the home of who logs in.",
);
pub(super) const REMOVES: Param = Param::new(
    "removes",
    ParamType::Str,
    "A path or shell pattern; when nothing matches, nothing is run. Seen from `chdir`, or from the home of who logs in.",
);
const STDIN: Param = Param::new("stdin", ParamType::Str, "Text for its standard input.");
const STDIN_NEWLINE: Param = Param::new(
    "stdin_add_newline",
    ParamType::Bool,
    "Whether the text for its input is ended by a newline.",
)
.default("true");
const STRIP: Param = Param::new(
    "strip_empty_ends",
    ParamType::Bool,
    "Whether empty lines at the end of what it says are dropped.",
)
.default("true");
const EXPAND: Param = Param::new(
    "expand_argument_vars",
    ParamType::Bool,
    "Whether `$NAME` and a leading `~` in arguments mean the node's variables and homes.",
)
.default("true");

/// One line, or one list of words, to run.
struct Run {
    /// The shell text.
    script: String,
    /// What it is called in titles.
    title: String,
    /// `cmd` of the result.
    cmd: serde_json::Value,
    creates: Option<String>,
    removes: Option<String>,
    stdin: Option<String>,
    /// The line of a shell.
    file: Option<String>,
    strip: bool,
}

fn fault(args: &Args, name: &str, message: impl Into<String>) -> Stop {
    Diagnostic::at(args.value_place(name), message).into()
}

/// The shells that take a line which removes its own file first.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ksh", "zsh"];

/// What runs a line of shell, the line, and the file it lies in: every account of the node reads the arguments of programs.
fn line(args: &Args) -> Result<(String, serde_json::Value, Option<String>), Stop> {
    let line = args.str("cmd").unwrap_or_default();
    if line.trim().is_empty() {
        return Err(fault(args, "cmd", "the line to run is empty"));
    }
    let executable = args.str("executable").unwrap_or("/bin/sh");
    let name = executable.rsplit('/').next().unwrap_or_default();
    let gone = match SHELLS.contains(&name) {
        // Another account than root's cannot, and root does it later.
        true => "rm -f -- \"$0\" 2>/dev/null; ",
        false => "",
    };
    let body = format!("{} \"$LINE\"", quote(executable));
    Ok((body, line.trim().into(), Some(format!("{gone}{line}\n"))))
}

/// The shell text of a program with its arguments, and its words.
fn program(args: &Args) -> Result<(String, serde_json::Value, Option<String>), Stop> {
    let named = if args.has("argv") { "argv" } else { "cmd" };
    let argv = match args.str("cmd") {
        Some(line) => split(line).map_err(|message| fault(args, "cmd", message))?,
        None => args.list("argv").into_iter().map(str::to_owned).collect(),
    };
    if argv.first().is_none_or(String::is_empty) {
        return Err(fault(args, named, "there is no program to run"));
    }
    if argv.iter().any(|word| word.contains('\0')) {
        return Err(fault(args, named, "an argument cannot hold a NUL byte"));
    }
    let expand = args.bool("expand_argument_vars", true);
    let body: Vec<String> = argv
        .iter()
        .map(|word| if expand { expanded(word) } else { quote(word) })
        .collect();
    Ok((body.join(" "), argv.into(), None))
}

/// The folder that `path` means where the program begins in `folder`.
fn within(folder: &str, path: &str) -> String {
    match path.starts_with(['/', '~']) {
        true => path.to_owned(),
        false => format!("{}/{path}", folder.trim_end_matches('/')),
    }
}

/// Shell text that goes to the folder to run in. The home of who logs in need not be there, nor be open to the account that acts.
pub(super) fn begin(chdir: Option<&str>, controller: &dyn Controller) -> String {
    let home = controller.folder();
    match chdir {
        Some(folder) => format!("cd -- {} || exit\n", tilde(&within(home, folder))),
        None => format!("[ ! -r {0} ] || cd -- {0} 2>/dev/null\n", tilde(home)),
    }
}

/// `creates` or `removes`, as an absolute pattern.
pub(super) fn pattern(args: &Args, controller: &dyn Controller, name: &str) -> Option<String> {
    let path = args.str(name)?;
    // A home without a name is that of the account that acts; the questions are asked by the shell's own.
    let rest = path.strip_prefix('~');
    if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Some(format!("~{}{rest}", controller.user()));
    }
    let home = controller.folder();
    let folder = args.str("chdir").map(|folder| within(home, folder));
    Some(within(folder.as_deref().unwrap_or(home), path))
}

fn bind(args: &Args, controller: &dyn Controller, shell: bool) -> Bound {
    let (body, cmd, file) = if shell { line(args)? } else { program(args)? };
    let folder = begin(args.str("chdir"), controller);
    let stdin = args.str("stdin").map(|text| {
        let newline = args.bool("stdin_add_newline", true);
        format!("{text}{}", if newline { "\n" } else { "" })
    });
    let shown = match &cmd {
        serde_json::Value::Array(words) => {
            let words = words.iter().filter_map(serde_json::Value::as_str);
            words.map(quote).collect::<Vec<_>>().join(" ")
        }
        line => line.as_str().unwrap_or_default().to_owned(),
    };
    Ok(Box::new(Run {
        // The subshell keeps a program that bears the name of a builtin a program.
        script: format!("{folder}(exec {body})"),
        title: format!("run {}", first_line(&shown)),
        creates: pattern(args, controller, "creates"),
        removes: pattern(args, controller, "removes"),
        stdin,
        file,
        strip: args.bool("strip_empty_ends", true),
        cmd,
    }))
}

/// A line of shell with `cmd` and `executable` alone.
pub(super) fn line_of_shell(args: &Args, controller: &dyn Controller) -> Bound {
    let (body, cmd, file) = line(args)?;
    Ok(Box::new(Run {
        script: format!("{}(exec {body})", begin(None, controller)),
        title: format!("run {}", first_line(cmd.as_str().unwrap_or_default())),
        creates: None,
        removes: None,
        stdin: None,
        file,
        strip: true,
        cmd,
    }))
}

impl Resource for Run {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let patterns = [&self.creates, &self.removes];
        known.need(
            patterns
                .into_iter()
                .flatten()
                .map(|pattern| Question::Glob(pattern.as_str().into())),
        )?;
        let skipped = |reason: String| {
            Change::none(reason.clone())
                .result("cmd", self.cmd.clone())
                .result("rc", 0)
                .result("stdout", reason)
                .result("stderr", "")
        };
        if let Some(pattern) = &self.creates
            && !known.glob(pattern)?.is_empty()
        {
            return Ok(skipped(format!("skipped, since {pattern} exists")));
        }
        if let Some(pattern) = &self.removes
            && known.glob(pattern)?.is_empty()
        {
            return Ok(skipped(format!("skipped, since {pattern} does not exist")));
        }
        let mut step = Step::new(self.title.clone(), self.script.clone())
            .touch(Touch::Everything)
            .cut();
        step.act = true;
        step.stdin = self.stdin.as_deref().map(Into::into);
        step.line = self.file.as_deref().map(Into::into);
        Ok(Change::new(Action::Run)
            .step(step)
            .result("cmd", self.cmd.clone())
            .result("strip_empty_ends", self.strip))
    }
}

pub(super) fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or("");
    let mut short: String = line.chars().take(72).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    short
}
