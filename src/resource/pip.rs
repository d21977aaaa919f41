//! `pip`: Python packages, above all in virtual environments.

mod ask;
mod diff;

use std::sync::Arc;

use super::command::words::split;
use super::place::trimmed;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;

/// Installs Python packages with pip, into a virtual environment that is made where it is not there, and takes them away. What is to be done
/// is asked of the node's own pip (`pip install --dry-run`), so names, versions, requirements and options mean what they mean there; hadeploy
/// itself needs no Python. It runs as the account that the task acts as: give `become_user` for the one that the environment is to belong to.
///
/// # Differs from Ansible
/// - a virtual environment is made with `python3 -m venv` unless `virtualenv_command` says otherwise, and not for `state: absent`
/// - a plan shows the versions that would be installed. Where pip cannot say so beforehand, as it would have to build a package or gets no
///   answer, only an apply knows
/// - what is named by an address or a path counts as there when its version is: `state: forcereinstall` installs it anew
/// - `cmd`, `stdout` and `stderr` are not returned
///
/// # Needs
/// - the package `python3-venv` on the node, or `python3-pip` for packages without an environment; there Debian 12 and later also want
///   `break_system_packages: true`
/// - pip 22.2 or later; Debian's is
///
/// # Returns
/// - `name`: what was asked for
/// - `requirements`: the file
/// - `state`: the state
/// - `version`: the version that was asked for
/// - `virtualenv`: the environment
///
/// # Examples
/// ```yaml
/// - name: virtual environments can be made
///   apt: { name: python3-venv }
/// - name: what the worker needs
///   pip:
///     requirements: /srv/worker/requirements.txt
///     virtualenv: /srv/worker/venv
///   become: true
///   become_user: worker
///   notify: restart worker
/// - name: its server, from our own packages
///   pip:
///     name: ["gunicorn>=21,<23", uvloop]
///     virtualenv: /srv/worker/venv
///     extra_args: --no-index --find-links /srv/wheels
/// ```
pub static PIP: Kind = Kind {
    name: "pip",
    aliases: &["ansible.builtin.pip", "ansible.legacy.pip"],
    summary: "installs Python packages, into a virtual environment or not",
    params: &[
        Param::new("name", ParamType::List, "Packages as pip takes them: `flask`, `flask>=2,<3`, an address, a path of the node."),
        Param::new("requirements", ParamType::Str, "A file of requirements on the node, seen from `chdir`."),
        Param::new("version", ParamType::Str, "The version, where `name` is one package: `2.1`, or `>=2,<3`."),
        Param::new("state", ParamType::Choice(&["present", "absent", "latest", "forcereinstall"]), "Whether they are there; `latest` as new as they can be, `forcereinstall` installed anew each time.").default("present"),
        Param::new("virtualenv", ParamType::Path, "The folder of the virtual environment."),
        Param::new("virtualenv_command", ParamType::Str, "What makes it; the folder is put behind.").default("python3 -m venv"),
        Param::new("virtualenv_python", ParamType::Str, "The Python that it is made with: the environment's, with `-p` for other commands than `venv`."),
        Param::new("virtualenv_site_packages", ParamType::Bool, "Whether it sees the packages of the system.").default("false"),
        Param::new("executable", ParamType::Str, "The pip to use where there is no `virtualenv`: `pip3.11`, or its path. Else `python3 -m pip`."),
        Param::new("extra_args", ParamType::Str, "More options for pip, as a shell splits them."),
        Param::new("editable", ParamType::Bool, "Whether `name` is installed in place (`pip install -e`).").default("false"),
        Param::new("chdir", ParamType::Path, "The folder to run pip in."),
        Param::new("umask", ParamType::Str, "Which permissions new files do not get, in octal."),
        Param::new("break_system_packages", ParamType::Bool, "Whether pip may install beside Debian's own packages.").default("false"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

/// What makes an environment unless something else is said.
const VENV: &str = "python3 -m venv";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.one_of_required(&["name", "requirements"]);
    faults.extend(args.at_most_one_of(&["virtualenv", "executable"]));
    let at = |name: &str, message: String| Diagnostic::at(args.value_place(name), message);
    let state = args.literal("state");
    if args.has("version") {
        if args.has("requirements") || names(args).len() > 1 {
            faults.push(
                at("version", "`version` is that of one package".to_owned())
                    .help("write it behind each name: `flask==2.1`"),
            );
        } else if state == Some("latest") {
            faults.push(at(
                "version",
                "`version` does not go with `state: latest`".to_owned(),
            ));
        }
    }
    for name in names(args) {
        if name.starts_with('-') || name.contains(['\n', '\0']) {
            faults.push(
                at("name", format!("`{name}` is no package"))
                    .help("options of pip go into `extra_args`"),
            );
        }
    }
    let octal = |text: &str| {
        (1..=4).contains(&text.len()) && text.chars().all(|c| ('0'..='7').contains(&c))
    };
    if let Some(umask) = args.literal("umask").filter(|umask| !octal(umask)) {
        faults.push(
            at("umask", format!("`{umask}` is no umask"))
                .help("write it in octal and in quotes: `'0022'`"),
        );
    }
    for name in ["extra_args", "virtualenv_command"] {
        if let Some(Err(message)) = args.literal(name).map(split) {
            faults.push(at(name, message));
        }
    }
    faults
}

/// The packages; what commas inside a version took apart is one again, as in Ansible.
fn names(args: &Args) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut open = false;
    for part in args.list("name") {
        let goes_on = open || part.trim_start().starts_with(['<', '>', '=', '!', '~']);
        match names.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.push(',');
                last.push_str(part.trim());
            }
            None => names.push(part.trim().to_owned()),
        }
        // `flask[async,dotenv]`
        let last = names.last().map_or("", String::as_str);
        open = last.matches('[').count() > last.matches(']').count();
    }
    names.retain(|name| !name.is_empty());
    names
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let text = |name: &str| args.str(name).map(str::to_owned);
    let words = |name: &str| -> Result<Vec<String>, crate::template::Stop> {
        let text = args.str(name).unwrap_or_default();
        let fault = |message: String| Diagnostic::at(args.value_place(name), message);
        Ok(split(text).map_err(fault)?)
    };
    let given = names(args);
    let mut names = given.clone();
    if let (Some(version), Some(name)) = (args.str("version"), names.first_mut()) {
        let exact = version.starts_with(|c: char| c.is_ascii_digit());
        *name = format!("{name}{}{version}", if exact { "==" } else { "" });
    }
    Ok(Box::new(Pip {
        given,
        names,
        requirements: text("requirements"),
        version: text("version"),
        state: match args.str("state") {
            Some("absent") => State::Absent,
            Some("latest") => State::Latest,
            Some("forcereinstall") => State::Anew,
            _ => State::Present,
        },
        virtualenv: args.str("virtualenv").map(|path| trimmed(path).into()),
        command: match args.str("virtualenv_command") {
            Some(command) if command.trim() != VENV => Some(words("virtualenv_command")?),
            _ => None,
        },
        python: text("virtualenv_python"),
        site_packages: args.bool("virtualenv_site_packages", false),
        executable: text("executable"),
        extra: words("extra_args")?,
        editable: args.bool("editable", false),
        chdir: text("chdir"),
        umask: text("umask"),
        break_system: args.bool("break_system_packages", false),
        user: controller.user().to_owned(),
    }))
}

/// What becomes of the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Present,
    Absent,
    Latest,
    /// Installed, whether they are there or not.
    Anew,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Present => "present",
            State::Absent => "absent",
            State::Latest => "latest",
            State::Anew => "forcereinstall",
        }
    }
}

/// Packages that are to be there, or not.
struct Pip {
    /// As they are given.
    given: Vec<String>,
    /// As pip takes them, with their versions.
    names: Vec<String>,
    requirements: Option<String>,
    version: Option<String>,
    state: State,
    virtualenv: Option<Arc<str>>,
    /// What makes the environment, where that is not `venv`.
    command: Option<Vec<String>>,
    python: Option<String>,
    site_packages: bool,
    executable: Option<String>,
    extra: Vec<String>,
    editable: bool,
    chdir: Option<String>,
    umask: Option<String>,
    break_system: bool,
    /// Who pip runs as.
    user: String,
}
