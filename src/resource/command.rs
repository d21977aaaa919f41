//! `command` and `shell`: programs run for their effect. They act; nothing is known of the node behind them.

mod words;

use self::words::{Words, expanded, free_form, split, tilde};
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use crate::template::Stop;

/// Runs a program without a shell.
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
    bind: |args, _| bind(args, false),
};

/// Runs a line of shell.
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
            "The shell to use instead of `/bin/sh`.",
        ),
        STDIN,
        STDIN_NEWLINE,
        STRIP,
    ],
    free_form: Some("cmd"),
    refused: &[("argv", "use `command` for a list of words"), WARN],
    check: |args| args.one_of_required(&["cmd"]),
    bind: |args, _| bind(args, true),
};

const WARN: (&str, &str) = ("warn", "Ansible dropped it in 2.14; leave it out");
const CMD: Param = Param::new("cmd", ParamType::Str, "The line to run.");
const ARGV: Param = Param::new(
    "argv",
    ParamType::List,
    "The program and its arguments as a list; nothing in them is split.",
);
const CHDIR: Param = Param::new("chdir", ParamType::Path, "The folder to run in; else `/`.");
const CREATES: Param = Param::new(
    "creates",
    ParamType::Str,
    "A path or shell pattern; when something matches, nothing is run. Relative to `chdir`.",
);
const REMOVES: Param = Param::new(
    "removes",
    ParamType::Str,
    "A path or shell pattern; when nothing matches, nothing is run. Relative to `chdir`.",
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
    strip: bool,
}

fn bind(args: &Args, shell: bool) -> Bound {
    let mut words = Words::default();
    if let Some(cmd) = args.str("cmd") {
        // Only the free form takes options among its words; `cmd:` is all command.
        words = if args.place("cmd").text() == "cmd" {
            Words {
                line: cmd.to_owned(),
                options: Vec::new(),
            }
        } else {
            free_form(cmd)
        };
    }
    let option = |name: &'static str| {
        words
            .options
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.clone())
            .or_else(|| args.str(name).map(str::to_owned))
    };
    let flag = |name: &'static str| match words.options.iter().find(|(given, _)| given == name) {
        Some((_, word)) => !matches!(
            word.to_ascii_lowercase().as_str(),
            "no" | "false" | "off" | "0"
        ),
        None => args.bool(name, true),
    };
    let fault =
        |name: &str, message: String| Stop::from(Diagnostic::at(args.value_place(name), message));
    let (body, cmd) = if shell {
        if words.line.trim().is_empty() {
            return Err(fault("cmd", "the line to run is empty".to_owned()));
        }
        let executable = option("executable").unwrap_or_else(|| "/bin/sh".to_owned());
        let body = format!("{} -c {}", quote(&executable), quote(&words.line));
        (body, serde_json::Value::from(words.line.trim()))
    } else {
        let argv = if args.has("argv") {
            args.list("argv").into_iter().map(str::to_owned).collect()
        } else {
            split(&words.line).map_err(|message| fault("cmd", message))?
        };
        if argv.first().is_none_or(String::is_empty) {
            return Err(fault(
                if args.has("argv") { "argv" } else { "cmd" },
                "there is no program to run".to_owned(),
            ));
        }
        if let Some(nul) = argv.iter().find(|word| word.contains('\0')) {
            return Err(fault(
                "argv",
                format!("`{}` holds a NUL byte", nul.escape_debug()),
            ));
        }
        let expand = args.bool("expand_argument_vars", true);
        let body: Vec<String> = argv
            .iter()
            .map(|word| if expand { expanded(word) } else { quote(word) })
            .collect();
        (body.join(" "), argv.into())
    };
    let chdir = option("chdir");
    let pattern = |name: &'static str| match option(name) {
        None => Ok(None),
        Some(path) if path.starts_with(['/', '~']) => Ok(Some(path)),
        Some(path) => match &chdir {
            Some(folder) => Ok(Some(format!("{}/{path}", folder.trim_end_matches('/')))),
            None => Err(Stop::from(
                Diagnostic::at(
                    args.value_place(name),
                    format!("the path `{path}` is relative"),
                )
                .help("write an absolute path of the node, or give `chdir`"),
            )),
        },
    };
    let folder = chdir.as_ref().map_or(String::new(), |folder| {
        format!("cd -- {} || exit\n", tilde(folder))
    });
    let stdin = option("stdin").map(|mut text| {
        if flag("stdin_add_newline") {
            text.push('\n');
        }
        text
    });
    let shown = match &cmd {
        serde_json::Value::String(line) => line.clone(),
        _ => body.clone(),
    };
    Ok(Box::new(Run {
        // The subshell keeps a program that bears the name of a builtin a program.
        script: format!("{folder}(exec {body})"),
        title: format!("run {}", first_line(&shown)),
        cmd,
        creates: pattern("creates")?,
        removes: pattern("removes")?,
        stdin,
        strip: flag("strip_empty_ends"),
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
        Ok(Change::new(Action::Run)
            .step(step)
            .result("cmd", self.cmd.clone())
            .result("strip_empty_ends", self.strip))
    }
}

fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or("");
    let mut short: String = line.chars().take(72).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    short
}
