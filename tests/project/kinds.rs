//! A table of kinds for these tests, independent of the real one.

use hadeploy::resource::{Args, Bound, Controller, Kind, Param, ParamType};
use hadeploy::template::Stop;

pub static KINDS: &[&Kind] = &[
    &APT, &COMMAND, &COPY, &DEBUG, &FILE, &SERVICE, &SET_FACT, &TEMPLATE,
];

static APT: Kind = kind(
    "apt",
    &["ansible.builtin.apt"],
    &[
        Param::new("name", ParamType::List, "Packages").aliases(&["pkg"]),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent", "latest"]),
            "Wanted state",
        ),
        Param::new(
            "update_cache",
            ParamType::Bool,
            "Whether to run apt-get update",
        ),
    ],
    None,
);

static COMMAND: Kind = kind(
    "command",
    &["ansible.builtin.command"],
    &[
        Param::new("cmd", ParamType::Str, "The command"),
        Param::new("creates", ParamType::Path, "A path"),
        Param::new("chdir", ParamType::Path, "A folder"),
    ],
    Some("cmd"),
);

static COPY: Kind = kind(
    "copy",
    &["ansible.builtin.copy"],
    &[
        Param::new("src", ParamType::Source, "A file of the controller"),
        Param::new("content", ParamType::Str, "Text"),
        Param::new("dest", ParamType::Path, "Where to").required(),
        Param::new("mode", ParamType::Mode, "Permissions"),
    ],
    None,
);

static DEBUG: Kind = kind(
    "debug",
    &["ansible.builtin.debug"],
    &[
        Param::new("msg", ParamType::Any, "A message"),
        Param::new("var", ParamType::Expression, "An expression"),
    ],
    None,
);

static FILE: Kind = kind(
    "file",
    &["ansible.builtin.file"],
    &[
        Param::new("path", ParamType::Path, "The path").required(),
        Param::new(
            "state",
            ParamType::Choice(&["file", "directory", "absent"]),
            "State",
        ),
        Param::new("mode", ParamType::Mode, "Permissions"),
    ],
    None,
);

static SERVICE: Kind = kind(
    "service",
    &["ansible.builtin.service"],
    &[
        Param::new("name", ParamType::Str, "The unit").required(),
        Param::new(
            "state",
            ParamType::Choice(&["started", "stopped", "restarted", "reloaded"]),
            "State",
        ),
    ],
    None,
);

static SET_FACT: Kind = kind(
    "set_fact",
    &["ansible.builtin.set_fact"],
    &[Param::new(Param::OPEN, ParamType::Any, "Names and values")],
    None,
);

static TEMPLATE: Kind = kind(
    "template",
    &["ansible.builtin.template"],
    &[
        Param::new("src", ParamType::Source, "A template of the controller").required(),
        Param::new("dest", ParamType::Path, "Where to").required(),
    ],
    None,
);

const fn kind(
    name: &'static str,
    aliases: &'static [&'static str],
    params: &'static [Param],
    free_form: Option<&'static str>,
) -> Kind {
    Kind {
        name,
        aliases,
        summary: "for tests",
        params,
        free_form,
        refused: &[("force", "remove it")],
        check: nothing,
        bind,
    }
}

fn nothing(_: &Args) -> Vec<hadeploy::diagnostic::Diagnostic> {
    Vec::new()
}

fn bind(args: &Args, _: &dyn Controller) -> Bound {
    Err(Stop::After(args.kind.name.to_owned()))
}
