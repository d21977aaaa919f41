//! `apt`: Debian packages present, absent, at a version or the newest; package lists; upgrades.

mod choose;
mod deb;
mod diff;
mod package;
pub mod script;
mod services;
mod wanted;

use self::deb::Deb;
use self::diff::{Apt, State};
use self::script::Options;
use super::{Args, Bound, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;

pub use self::package::PACKAGE;

/// Brings Debian packages to the wanted state. The packages of one task go into one call of `apt-get`, and what a service of them must read
/// anew is seen.
///
/// # Differs from Ansible
/// - nothing has to be installed on the node beforehand: `python3-apt` is not used
/// - `allow_unauthenticated` is refused
/// - a plan says which versions come, as `apt-get` itself would choose them
/// - that a package which came along with another one is marked as manually installed is a change, and shown
///
/// # Returns
/// - `cache_updated`: whether package lists were fetched
///
/// # Examples
/// ```yaml
/// - name: a web server
///   apt:
///     name: [nginx, logrotate]
///     update_cache: true
///     cache_valid_time: 3600
///
/// - name: no mail server
///   apt: { name: postfix, state: absent, purge: true }
/// ```
pub static APT: Kind = Kind {
    name: "apt",
    aliases: &["ansible.builtin.apt"],
    summary: "installs, upgrades and removes Debian packages",
    params: PARAMS,
    free_form: None,
    refused: REFUSED,
    check,
    bind,
};

const REFUSED: &[(&str, &str)] = &[
    (
        "allow_unauthenticated",
        "add the repository's key with `signed-by` instead",
    ),
    (
        "force",
        "name what is meant: `allow_downgrade`, `allow_change_held_packages`",
    ),
    (
        "auto_install_module_deps",
        "nothing needs to be installed for this module; leave it out",
    ),
];

fn check(args: &Args) -> Vec<Diagnostic> {
    let any = [
        "name",
        "update_cache",
        "cache_valid_time",
        "upgrade",
        "autoremove",
        "autoclean",
        "clean",
        "deb",
    ];
    let mut faults = args.one_of_required(&any);
    faults.extend(deb::faults(args));
    faults
}

const PARAMS: &[Param] = &[
    Param::new("name", ParamType::List, "Package names; `name=version`, where the version may hold `*`. All go into one `apt-get` call.")
        .aliases(&["pkg", "package"]),
    Param::new("deb", ParamType::Str, "A package in a file of the node, by its absolute path; what it depends on comes too. A newer version that is installed stays, unless `allow_downgrade`."),
    Param::new(
        "state",
        ParamType::Choice(&["present", "latest", "absent"]),
        "`present` installs what is not there, `latest` also upgrades, `absent` removes.",
    )
    .default("present"),
    Param::new("update_cache", ParamType::Bool, "Fetch the package lists first, when they are older than `cache_valid_time` or a source was changed since. With `state: present` only when something is to be installed.")
        .aliases(&["update-cache"]),
    Param::new("cache_valid_time", ParamType::Int, "Age in seconds up to which package lists are good enough. Implies `update_cache`.")
        .default("0"),
    Param::new("update_cache_retries", ParamType::Int, "How often a failed download of lists is tried again.").default("5"),
    Param::new("update_cache_retry_max_delay", ParamType::Int, "Accepted; apt decides how long it waits between attempts.").default("12"),
    Param::new("purge", ParamType::Bool, "With `absent`, also remove configuration files.").default("false"),
    Param::new("autoremove", ParamType::Bool, "Remove packages nothing depends on any more.").default("false"),
    Param::new("autoclean", ParamType::Bool, "Delete downloaded packages that can no longer be had.").default("false"),
    Param::new("clean", ParamType::Bool, "Delete all downloaded packages.").default("false"),
    Param::new("default_release", ParamType::Str, "The release to prefer, as `apt-get -t`.").aliases(&["default-release"]),
    Param::new("install_recommends", ParamType::Bool, "Whether recommended packages come too; apt's own setting when not given.")
        .aliases(&["install-recommends"]),
    Param::new(
        "upgrade",
        ParamType::Choice(&["no", "yes", "safe", "full", "dist", "False", "True"]),
        "Upgrade all packages: `yes` and `safe` remove none, `full` and `dist` may.",
    )
    .default("no"),
    Param::new("dpkg_options", ParamType::List, "Options for dpkg.").default("force-confdef,force-confold"),
    Param::new("allow_downgrade", ParamType::Bool, "Whether a named version may be older than the installed one.")
        .aliases(&["allow-downgrade", "allow_downgrades", "allow-downgrades"])
        .default("false"),
    Param::new("allow_change_held_packages", ParamType::Bool, "Whether packages on hold may change.").default("false"),
    Param::new("only_upgrade", ParamType::Bool, "Leave packages alone that are not installed.").default("false"),
    Param::new("fail_on_autoremove", ParamType::Bool, "Fail rather than remove a package.").default("false"),
    Param::new("policy_rc_d", ParamType::Int, "Status of a `policy-rc.d` while packages are installed; 101 keeps daemons from starting."),
    Param::new("lock_timeout", ParamType::Int, "Seconds to wait for another package manager.").default("300"),
    Param::new("force_apt_get", ParamType::Bool, "Accepted; `apt-get` is always used.").default("true"),
];

fn bind(args: &Args, _controller: &dyn super::Controller) -> Bound {
    let wanted = wanted::parse(args)?;
    let state = match args.str("state") {
        Some("latest") => State::Latest,
        Some("absent") => State::Absent,
        _ => State::Present,
    };
    let seconds = |name: &str, default: u64| {
        args.int(name)
            .map_or(default, |value| u64::try_from(value).unwrap_or(0))
    };
    let fetch = (args.bool("update_cache", false) || args.has("cache_valid_time"))
        .then(|| seconds("cache_valid_time", 0));
    let release = args.str("default_release").map(str::to_owned);
    let dpkg_options = if args.has("dpkg_options") {
        args.list("dpkg_options")
    } else {
        vec!["force-confdef", "force-confold"]
    };
    let options = Options {
        lock_timeout: seconds("lock_timeout", 300),
        dpkg_options: dpkg_options.into_iter().map(str::to_owned).collect(),
        policy_rc_d: args.int("policy_rc_d"),
    };
    if let Some(path) = args.str("deb") {
        if let Some(fault) = deb::faults(args).into_iter().next() {
            return Err(fault.into());
        }
        let downgrade = args.bool("allow_downgrade", false);
        return Ok(Box::new(Deb::new(path, downgrade, flags(args), options)));
    }
    let named = args.has("name");
    let mut tidy = Vec::new();
    for what in ["autoremove", "autoclean"] {
        if args.bool(what, false) && (what == "autoclean" || !named) {
            tidy.push(what);
        }
    }
    Ok(Box::new(Apt {
        wanted,
        state,
        fetch,
        retries: seconds("update_cache_retries", 5),
        purge: args.bool("purge", false),
        upgrade: match args.str("upgrade") {
            Some("yes" | "safe" | "True") => Some("upgrade"),
            Some("full" | "dist") => Some("dist-upgrade"),
            _ => None,
        },
        tidy,
        clean: args.bool("clean", false),
        only_upgrade: args.bool("only_upgrade", false),
        change_held: args.bool("allow_change_held_packages", false),
        release,
        flags: flags(args),
        options,
    }))
}

/// Options of `apt-get` for installs.
fn flags(args: &Args) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |on: bool, word: &str| {
        if on {
            flags.push(word.to_owned());
        }
    };
    if let Some(recommends) = args
        .get("install_recommends")
        .map(|_| args.bool("install_recommends", true))
    {
        flag(recommends, "--install-recommends");
        flag(!recommends, "--no-install-recommends");
    }
    flag(args.bool("allow_downgrade", false), "--allow-downgrades");
    flag(
        args.bool("allow_change_held_packages", false),
        "--allow-change-held-packages",
    );
    flag(args.bool("only_upgrade", false), "--only-upgrade");
    flag(args.bool("fail_on_autoremove", false), "--no-remove");
    flag(args.bool("autoremove", false), "--auto-remove");
    if let Some(release) = args.str("default_release") {
        flags.extend(["-t".to_owned(), release.to_owned()]);
    }
    flags
}
