//! `user`: an account of the node.

mod aging;
mod key;
mod step;
mod write;

use self::key::Key;
use self::write::Wanted;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{AccountInfo, Known, Missing, Question};
use crate::template::Stop;

/// Makes, changes and removes accounts in the node's own files. A change that could lock the run out is undone by the node unless a new
/// connection confirms it.
///
/// # Differs from Ansible
/// - `groups` that are not there are an error
/// - the hash of a password is never shown
///
/// # Returns
/// - `name`, `state`, `uid`, `group`, `home`, `shell`, `comment`: the account behind the task
/// - `ssh_key_file`, `ssh_public_key`: its key, with `generate_ssh_key`
///
/// # Examples
/// ```yaml
/// - name: the account of the application
///   user:
///     name: app
///     system: true
///     home: /srv/app
///     shell: /usr/sbin/nologin
/// ```
pub static USER: Kind = Kind {
    name: "user",
    aliases: &["ansible.builtin.user"],
    summary: "makes, changes and removes accounts",
    params: PARAMS,
    free_form: None,
    refused: REFUSED,
    check: |args| {
        let mut faults = Vec::new();
        if args.has("append") && !args.has("groups") {
            faults.push(
                Diagnostic::warning(
                    args.place("append"),
                    "`append` has no effect without `groups`",
                )
                .help("name the groups to add, or leave `append` out"),
            );
        }
        faults
    },
    bind: |args, _| bind(args),
};

const PARAMS: &[Param] = &[
    Param::new("name", ParamType::Str, "The account.")
        .aliases(&["user"])
        .required(),
    Param::new(
        "state",
        ParamType::Choice(&["present", "absent"]),
        "Whether it is there.",
    )
    .default("present"),
    Param::new("uid", ParamType::Int, "Its number."),
    Param::new(
        "non_unique",
        ParamType::Bool,
        "Whether another account may have the same number.",
    )
    .default("false"),
    Param::new(
        "group",
        ParamType::Str,
        "Its primary group, which must exist; a new account gets one of its own name.",
    ),
    Param::new(
        "groups",
        ParamType::List,
        "Its other groups, which must exist; an empty list means none.",
    ),
    Param::new(
        "append",
        ParamType::Bool,
        "Whether it keeps groups that are not named.",
    )
    .default("false"),
    Param::new(
        "comment",
        ParamType::Str,
        "The comment field: the person's name.",
    ),
    Param::new("home", ParamType::Path, "Its home folder."),
    Param::new(
        "create_home",
        ParamType::Bool,
        "Whether the home folder is made when it is not there.",
    )
    .aliases(&["createhome"])
    .default("true"),
    Param::new(
        "move_home",
        ParamType::Bool,
        "Whether a changed `home` takes the old folder along.",
    )
    .default("false"),
    Param::new(
        "skeleton",
        ParamType::Path,
        "The folder whose files a new home begins with.",
    ),
    Param::new(
        "umask",
        ParamType::Str,
        "The umask a new home is made with.",
    ),
    Param::new("shell", ParamType::Path, "Its login shell."),
    Param::new(
        "system",
        ParamType::Bool,
        "Whether a new account gets a number of the system's range.",
    )
    .default("false"),
    Param::new(
        "password",
        ParamType::Str,
        "The hash of its password, as `password_hash` makes; `!` or `*` for none that works. Never shown.",
    ),
    Param::new(
        "update_password",
        ParamType::Choice(&["always", "on_create"]),
        "Whether the password of an account that is there is changed.",
    )
    .default("always"),
    Param::new(
        "password_lock",
        ParamType::Bool,
        "Whether its password is locked.",
    ),
    Param::new(
        "expires",
        ParamType::Float,
        "Seconds since 1970 after which it is disabled; negative for never.",
    ),
    Param::new(
        "password_expire_min",
        ParamType::Int,
        "Days before its password may be changed again; -1 for none.",
    ),
    Param::new(
        "password_expire_max",
        ParamType::Int,
        "Days before its password must be changed; -1 for never.",
    ),
    Param::new(
        "password_expire_warn",
        ParamType::Int,
        "Days of warning before that; -1 for none.",
    ),
    Param::new(
        "password_expire_account_disable",
        ParamType::Int,
        "Days behind that before it is disabled; -1 for never.",
    ),
    Param::new(
        "remove",
        ParamType::Bool,
        "With `absent`, also remove its home and mail.",
    )
    .default("false"),
    Param::new(
        "force",
        ParamType::Bool,
        "With `absent`, also when it is logged in.",
    )
    .default("false"),
    Param::new(
        "generate_ssh_key",
        ParamType::Bool,
        "Whether it has an SSH key of its own; one that is there stays.",
    )
    .default("false"),
    Param::new(
        "ssh_key_type",
        ParamType::Choice(&["rsa", "ed25519", "ecdsa"]),
        "The kind of a new SSH key.",
    )
    .default("rsa"),
    Param::new(
        "ssh_key_bits",
        ParamType::Int,
        "The length of a new SSH key; ssh-keygen's own when not given.",
    ),
    Param::new(
        "ssh_key_file",
        ParamType::Str,
        "The file of the SSH key, relative to the home; `.ssh/id_TYPE` when not given.",
    ),
    Param::new(
        "ssh_key_comment",
        ParamType::Str,
        "The comment of a new SSH key; the account and the host when not given.",
    ),
];

const REFUSED: &[(&str, &str)] = &[
    (
        "ssh_key_passphrase",
        "it would have to stand in a process list; make the key on the controller and `copy` it",
    ),
    ("local", "accounts are always made in the node's own files"),
    ("seuser", "Debian does not use SELinux"),
    ("login_class", "only BSD has login classes"),
    ("hidden", "only macOS has hidden accounts"),
    ("profile", "only Solaris has profiles"),
    ("authorization", "only Solaris has authorizations"),
    ("role", "only Solaris has roles"),
    (
        "uid_min",
        "set `UID_MIN` in /etc/login.defs, or give a `uid`",
    ),
    (
        "uid_max",
        "set `UID_MAX` in /etc/login.defs, or give a `uid`",
    ),
];

struct User {
    wanted: Wanted,
    present: bool,
    remove: bool,
    force: bool,
    key: Option<Key>,
}

fn bind(args: &Args) -> Bound {
    let name = name(args, "name")?;
    let group = args.str("group").map(str::to_owned);
    let groups = args.has("groups").then(|| {
        let mut groups: Vec<String> = args.list("groups").into_iter().map(str::to_owned).collect();
        groups.sort();
        groups.dedup();
        groups
    });
    let comment = args.str("comment").map(str::to_owned);
    if comment
        .as_deref()
        .is_some_and(|comment| comment.contains([':', '\n']))
    {
        return Err(fault(
            args,
            "comment",
            "a comment holds no `:` and no newline",
            None,
        ));
    }
    let password = args.str("password").map(str::to_owned);
    if password.as_deref().is_some_and(|hash| !is_hash(hash)) {
        return Err(fault(
            args,
            "password",
            "this is no hash of a password",
            Some(
                "hash it: `{{ secret | password_hash('sha512') }}`; `'!'` is a password that never works",
            ),
        ));
    }
    let key = args.bool("generate_ssh_key", false).then(|| Key::new(args));
    Ok(Box::new(User {
        wanted: Wanted {
            uid: number(args, "uid")?,
            non_unique: args.bool("non_unique", false),
            group,
            groups,
            append: args.bool("append", false),
            comment,
            home: args.str("home").map(str::to_owned),
            create_home: args.bool("create_home", true),
            move_home: args.bool("move_home", false),
            skeleton: args.str("skeleton").map(str::to_owned),
            umask: args.str("umask").map(str::to_owned),
            shell: args.str("shell").map(str::to_owned),
            system: args.bool("system", false),
            password,
            always: args.str("update_password") != Some("on_create"),
            lock: args
                .get("password_lock")
                .map(|_| args.bool("password_lock", false)),
            expires: expires(args),
            aging: aging::Wanted::new(args)?,
            name,
        },
        present: args.str("state") != Some("absent"),
        remove: args.bool("remove", false),
        force: args.bool("force", false),
        key,
    }))
}

/// A name of an account or a group that the node's programs accept and that no shell or file misreads.
pub(super) fn name(args: &Args, param: &str) -> Result<String, Stop> {
    let name = args.str(param).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-$".contains(c);
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(first) || !name.chars().all(allowed) || name.len() > 32 {
        return Err(fault(
            args,
            param,
            &format!("`{name}` cannot be the name of an account or group"),
            Some(
                "a name begins with a letter or `_`, holds letters, digits, `.`, `_` and `-`, and has at most 32 characters",
            ),
        ));
    }
    Ok(name.to_owned())
}

/// A number of an account or a group.
pub(super) fn number(args: &Args, param: &str) -> Result<Option<u32>, Stop> {
    match args.int(param).map(u32::try_from) {
        None => Ok(None),
        Some(Ok(number)) if number != u32::MAX => Ok(Some(number)),
        Some(_) => Err(fault(
            args,
            param,
            &format!("`{param}` must be between 0 and 4294967294"),
            None,
        )),
    }
}

fn fault(args: &Args, param: &str, message: &str, help: Option<&str>) -> Stop {
    let diagnostic = Diagnostic::at(args.value_place(param), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
    .into()
}

/// What crypt makes, or what never matches. A plain password in its place would lock the account, and stand in shadow.
fn is_hash(text: &str) -> bool {
    let text = text.trim_start_matches('!');
    let hash = |c: char| c.is_ascii_alphanumeric() || "./$=,-_+@".contains(c);
    text.is_empty()
        || matches!(text, "*" | "x" | "*LK*")
        || (text.starts_with('$') && text.matches('$').count() >= 3 && text.chars().all(hash))
}

/// Whole days since 1970; a negative number is never.
fn expires(args: &Args) -> Option<Option<i64>> {
    let seconds = match &args.get("expires")?.kind {
        crate::value::Kind::Float(seconds) => *seconds,
        _ => return None,
    };
    Some((seconds >= 0.0).then(|| (seconds / 86_400.0).floor() as i64))
}

impl Resource for User {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let wanted = &self.wanted;
        let account = Question::Account(wanted.name.as_str().into());
        let groups = wanted
            .needed_groups()
            .map(|group| Question::Group(group.into()));
        let mut questions: Vec<Question> = vec![account];
        if self.present {
            questions.extend(groups);
            // Whether a group of the account's own name is in the way decides how it is made.
            questions.push(Question::Group(wanted.name.as_str().into()));
            questions.extend(self.key.iter().flat_map(|key| key.questions(&wanted.name)));
        }
        known.need(questions)?;
        let info = known.account(&wanted.name)?;
        if !self.present {
            return Ok(match info {
                None => Change::none("there is no such account"),
                Some(info) => wanted.removal(info, self.remove, self.force),
            }
            .result("name", wanted.name.as_str())
            .result("state", "absent"));
        }
        for group in wanted.needed_groups() {
            let own = info.is_none() && *group == wanted.name && wanted.group.is_none();
            if known.group(group)?.is_none() && group.parse::<u32>().is_err() && !own {
                return Ok(Change::blocked(format!("group `{group}` does not exist"))
                    .help("make it with a `group` task before this one"));
            }
        }
        let own_group = known.group(&wanted.name)?.is_some();
        let (change, end) = match info {
            None => wanted.creation(own_group),
            Some(info) => wanted.update(info),
        };
        let mut change = describe(change, &wanted.name, &end);
        if let Some(key) = &self.key {
            change = key.diff(change, known, &wanted.name, &end)?;
        }
        if change.steps.is_empty() {
            change.reason = "the account is as wanted".to_owned();
        } else if change.action == Action::None {
            change.action = Action::Update;
        }
        Ok(change)
    }
}

/// What `register` gets, as far as it is known before the account is there.
fn describe(change: Change, name: &str, end: &AccountInfo) -> Change {
    let mut change = change
        .result("name", name)
        .result("state", "present")
        .result("home", &*end.home)
        .result("shell", &*end.shell)
        .result("comment", &*end.comment);
    if let (Some(uid), Some(gid)) = (end.uid, end.gid) {
        change = change.result("uid", uid).result("group", gid);
    }
    change
}
