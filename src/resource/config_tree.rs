//! `config_tree`: the whole configuration of a daemon as one generation. It is staged aside, checked by the daemon, put into place by
//! renaming a link, proven to be in effect, and taken back when that cannot be proven.

mod diff;
mod files;
mod lookup;
mod script;

use std::sync::Arc;

use regex::bytes::Regex;

use super::attributes::{self, Attributes};
use super::mode::FileMode;
use super::pattern::compile;
use super::place::trimmed;
use super::validate::Validate;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;
use crate::fact::http::Url;
use crate::fact::unit::{full_name, well_formed};
use files::Files;

/// Brings the whole configuration of a daemon as one generation: staged aside, checked by the daemon, put into place by renaming a link, proven
/// to be in effect, and taken back when that cannot be proven.
///
/// # Needs
/// - the daemon itself, for `validate`
///
/// # Returns
/// - `id`: the generation
/// - `dest`, `path`: the folder, and the generation in it
/// - `previous`: the generation before it
///
/// # Examples
/// ```yaml
/// - name: configuration of nginx
///   config_tree:
///     src: nginx
///     dest: /etc/nginx-site
///     validate: nginx -t -q -c %s/nginx.conf
///     service: nginx
/// ```
pub static CONFIG_TREE: Kind = Kind {
    name: "config_tree",
    aliases: &[],
    summary: "renders a folder of templates as one generation of a daemon's configuration, and goes back when it does not take effect",
    params: &[
        Param::new("src", ParamType::Source, "A folder, searched in `templates` beside the playbook. Files named `*.j2` are rendered and lose the suffix, others are copied. In templates `config_tree_id` is the generation's id: 16 hex digits over all names, modes and contents.").required(),
        Param::new("dest", ParamType::Path, "A folder of the node. Generations lie in `releases/ID` below it, and the link `current` leads to the one in effect. The daemon is to read its configuration through that link; includes between the files must be relative.").required(),
        Param::new("validate", ParamType::Str, "A command that the staged folder must pass before it is put into place; `%s` is the folder. Such as `nginx -t -q -c %s/nginx.conf -g 'pid /run/nginx-hadeploy-test.pid;'`."),
        Param::new("service", ParamType::Str, "The unit that reads the configuration. When it does not run, the link is put in place and nothing is activated."),
        Param::new("activate", ParamType::Str, "The shell line that has the daemon read the configuration; `systemctl reload SERVICE` when a service is given."),
        Param::new("restart", ParamType::Str, "The shell line for the first generation, and where `restart_when` says so; `systemctl restart SERVICE` when a service is given."),
        Param::new("restart_when", ParamType::List, "Python regular expressions. When lines that match one of them differ from those of the generation in effect, the daemon is restarted rather than reloaded."),
        Param::new("proof", ParamType::Str, "A shell line that must print the generation's id once it is in effect."),
        Param::new("proof_url", ParamType::Str, "An `http://` address, asked by the node itself, whose body must be the id. It is asked in every run, so that a daemon that runs another generation is found."),
        Param::new("proof_timeout", ParamType::Int, "Seconds until the proof must hold.").default("10"),
        Param::new("logs", ParamType::List, "Log files of the daemon; what it wrote to them meanwhile is told when it does not take a generation, beside the journal of its unit."),
        Param::new("keep", ParamType::Int, "How many old generations are kept.").default("3"),
        attributes::OWNER,
        attributes::GROUP,
        Param::new("mode", ParamType::Mode, "Permissions of files, or `preserve` for those of the sources.").default("0644"),
        Param::new("dir_mode", ParamType::Mode, "Permissions of folders.").aliases(&["directory_mode"]).default("0755"),
    ],
    free_form: None,
    refused: &[
        ("backup", "old generations are kept anyway; see `keep`"),
        ("force", "what was altered by hand is always replaced; leave it out"),
    ],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["proof", "proof_url"]);
    for name in ["proof", "proof_url", "restart", "restart_when"] {
        if args.has(name) && !args.has("activate") && !args.has("service") {
            faults.push(
                Diagnostic::at(
                    args.place(name),
                    format!("`{name}` needs `service` or `activate`"),
                )
                .help("say which unit reads the configuration, or how it is made to"),
            );
        }
    }
    faults
}

/// How a generation is brought into effect and proven.
#[derive(Debug, Clone, Default)]
struct Activation {
    /// The full name of the unit.
    unit: Option<Arc<str>>,
    /// Shell lines.
    reload: Option<String>,
    restart: Option<String>,
    /// Whether one of them is the user's own, which may alter anything.
    own: bool,
    proof: Option<Proof>,
    /// Seconds.
    timeout: u64,
    logs: Vec<String>,
    restart_when: Vec<Regex>,
}

/// What says which generation is in effect.
#[derive(Debug, Clone)]
enum Proof {
    /// A shell line.
    Command(String),
    /// An address, as written and taken apart.
    Address(Arc<str>, Url),
}

/// A configuration as wanted.
struct ConfigTree {
    files: Files,
    dest: Arc<str>,
    attributes: Attributes,
    dir_mode: u32,
    validate: Option<Validate>,
    activation: Activation,
    keep: u64,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let needs = |name| Diagnostic::at(&args.span, format!("`config_tree` needs `{name}`"));
    let src = args.get("src").ok_or_else(|| needs("src"))?;
    let dest = args.str("dest").ok_or_else(|| needs("dest"))?;
    let (attributes, preserve) = Attributes::bind_preserving(args, controller);
    let bits = |name: &str, folder: bool, default: u32| {
        let mode = args.get(name).and_then(FileMode::read);
        mode.map_or(default, |mode| mode.bits(default, folder))
    };
    let mode = (!preserve).then(|| bits("mode", false, 0o644));
    let dir_mode = bits("dir_mode", true, 0o755);
    let mut salt = format!("{dir_mode:o}");
    for name in ["owner", "group"] {
        salt.push_str(&format!(" {}", args.str(name).unwrap_or_default()));
    }
    let keep = count(args, "keep", 3, 1)?;
    Ok(Box::new(ConfigTree {
        files: Files::read(src, mode, &salt, controller)?,
        dest: trimmed(dest).into(),
        attributes,
        dir_mode,
        validate: Validate::bind(args)?,
        activation: activation(args)?,
        keep,
    }))
}

fn count(args: &Args, name: &str, default: u64, least: u64) -> Result<u64, Diagnostic> {
    let Some(number) = args.int(name) else {
        return Ok(default);
    };
    u64::try_from(number)
        .ok()
        .filter(|number| *number >= least)
        .ok_or_else(|| {
            Diagnostic::at(
                args.value_place(name),
                format!("`{name}` must be at least {least}"),
            )
        })
}

fn activation(args: &Args) -> Result<Activation, Diagnostic> {
    let service = args
        .str("service")
        .or_else(|| service_of(args.str("activate")?));
    if let Some(name) = service
        && !well_formed(&full_name(name))
    {
        return Err(Diagnostic::at(
            args.value_place("service"),
            format!("`{name}` cannot be the name of a unit"),
        ));
    }
    let line = |name: &str, verb: &str| {
        let given = args.str(name).map(str::to_owned);
        given.or_else(|| service.map(|service| format!("systemctl {verb} {service}")))
    };
    let proof = match (args.str("proof"), args.str("proof_url")) {
        (Some(line), _) => Some(Proof::Command(line.to_owned())),
        (None, Some(address)) => {
            let url = Url::parse(address).ok_or_else(|| {
                Diagnostic::at(
                    args.value_place("proof_url"),
                    format!("`{address}` is no address the node can ask"),
                )
                .help("write `http://HOST:PORT/PATH`, such as `http://127.0.0.1/__gen`; for anything else use `proof`")
            })?;
            Some(Proof::Address(address.into(), url))
        }
        (None, None) => None,
    };
    let mut restart_when = Vec::new();
    for pattern in args.list("restart_when") {
        restart_when.push(compile(pattern, args.value_place("restart_when"))?);
    }
    Ok(Activation {
        unit: service.map(|name| full_name(name).into()),
        reload: line("activate", "reload"),
        restart: line("restart", "restart"),
        own: args.has("activate") || args.has("restart"),
        proof,
        timeout: count(args, "proof_timeout", 10, 1)?,
        logs: args.list("logs").into_iter().map(str::to_owned).collect(),
        restart_when,
    })
}

/// The unit in `systemctl reload UNIT`.
fn service_of(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [
            "systemctl",
            "reload" | "restart" | "reload-or-restart" | "try-reload-or-restart",
            name,
        ] => Some(name),
        _ => None,
    }
}
