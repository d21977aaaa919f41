//! `git`: a repository on the node, at a version.

mod ask;
mod diff;
mod script;

use std::sync::Arc;

use super::place::trimmed;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;

/// Clones a repository onto the node, and brings it to a branch, tag or commit. What the remote has is asked by the node when the play begins to look
/// at it, in a plan too; where that needs something that only an apply has, such as a proxy in `environment`, an apply finds out by itself. git
/// runs as the account that the task acts as, so what is made belongs to it: give `become_user` for the account that the files are to belong
/// to. A commit written out in full is not looked up at the remote as long as it is checked out.
///
/// # Differs from Ansible
/// - a branch is checked out at the commit that the plan showed, also where the remote has moved on since
/// - a checkout that is at the right commit, but not on the branch, is a change
/// - `archive`, `separate_git_dir`, `reference`, `verify_commit` and `track_submodules` are refused
///
/// # Needs
/// - the package `git` on the node, and `openssh-client` for addresses of SSH
///
/// # Returns
/// - `before`: the commit before, null for a new repository
/// - `after`: the commit behind the task
/// - `remote_url_changed`: whether the address of the remote was another
///
/// # Examples
/// ```yaml
/// - name: the sources of the shop, as the account that runs it
///   git:
///     repo: "https://git.example/shop.git"
///     dest: /srv/shop/src
///     version: v2.1
///     depth: 1
///   become: true
///   become_user: shop
///   notify: restart shop
/// - name: by SSH, with a key of its own
///   git:
///     repo: "git@git.example:ops/conf.git"
///     dest: /srv/conf
///     key_file: /root/.ssh/conf_ed25519
///     accept_newhostkey: true
///   register: conf
/// - name: what came
///   debug: { msg: "{{ conf.before }} to {{ conf.after }}" }
///   when: conf is changed
/// ```
pub static GIT: Kind = Kind {
    name: "git",
    aliases: &["ansible.builtin.git", "ansible.legacy.git"],
    summary: "clones a repository onto the node, and brings it to a branch, tag or commit",
    params: &[
        Param::new("repo", ParamType::Str, "The address of the repository: HTTPS, SSH, or a path of the node.").required().aliases(&["name"]),
        Param::new("dest", ParamType::Path, "The folder. It is made with those above it; it must be empty, or the repository.").required(),
        Param::new("version", ParamType::Str, "A branch, a tag, a commit in full, or `HEAD` for the remote's own branch.").default("HEAD"),
        Param::new("remote", ParamType::Str, "What the remote is called.").default("origin"),
        Param::new("update", ParamType::Bool, "Whether a repository that is there is brought to `version`.").default("true"),
        Param::new("clone", ParamType::Bool, "Whether a repository that is not there is made.").default("true"),
        Param::new("force", ParamType::Bool, "Whether altered files are thrown away; else they are a failure. Files that git does not know stay.").default("false"),
        Param::new("depth", ParamType::Int, "How many commits of the history come along, at least 1."),
        Param::new("single_branch", ParamType::Bool, "Whether only the history of `version` comes along.").default("false"),
        Param::new("recursive", ParamType::Bool, "Whether submodules come along.").default("true"),
        Param::new("bare", ParamType::Bool, "Whether it is a bare repository, with all branches and tags of the remote.").default("false"),
        Param::new("refspec", ParamType::Str, "What else is fetched, as `git fetch` takes it."),
        Param::new("key_file", ParamType::Path, "The private key on the node to log in with."),
        Param::new("accept_hostkey", ParamType::Bool, "Whether every key of the server is taken, also a changed one. `accept_newhostkey` is safer, `known_hosts` is safe.").default("false"),
        Param::new("accept_newhostkey", ParamType::Bool, "Whether the key of a server that is not known yet is taken, and kept.").default("false"),
        Param::new("ssh_opts", ParamType::Str, "More options for ssh."),
        Param::new("umask", ParamType::Str, "Which permissions new files do not get, in octal."),
    ],
    free_form: None,
    refused: &[
        ("archive", "use `command` with `git -C DEST archive` and `creates`"),
        ("archive_prefix", "use `command` with `git -C DEST archive` and `creates`"),
        ("separate_git_dir", "use `command` with `git clone --separate-git-dir` and `creates`"),
        ("reference", "give `depth` for a clone that is small"),
        ("verify_commit", "use `command` with `git -C DEST verify-commit HEAD` and `changed_when: false`"),
        ("gpg_allowlist", "use `command` with `git -C DEST verify-commit HEAD` and `changed_when: false`"),
        ("gpg_whitelist", "use `command` with `git -C DEST verify-commit HEAD` and `changed_when: false`"),
        ("track_submodules", "submodules are kept at the commits that the repository names"),
        ("executable", "git is taken from the PATH"),
    ],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let both = args.bool("accept_hostkey", false) && args.bool("accept_newhostkey", false);
    if both {
        faults.extend(args.at_most_one_of(&["accept_hostkey", "accept_newhostkey"]));
    }
    if args.int("depth").is_some_and(|depth| depth < 1) {
        let place = args.value_place("depth");
        faults.push(
            Diagnostic::at(place, "`depth` is at least 1")
                .help("leave it out for all of the history"),
        );
    }
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    for name in ["version", "remote", "refspec"] {
        if let Some(text) = args.literal(name).filter(|text| !word(text)) {
            let place = args.value_place(name);
            faults.push(Diagnostic::at(
                place,
                format!("`{text}` cannot be a `{name}` of git"),
            ));
        }
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if let Some(name) = args
        .literal("remote")
        .filter(|name| word(name) && !name.chars().all(plain))
    {
        let place = args.value_place("remote");
        faults.push(Diagnostic::at(
            place,
            format!("`{name}` cannot be the name of a remote"),
        ));
    }
    if let Some(repo) = args.literal("repo")
        && (repo.is_empty() || repo.starts_with('-') || repo.contains(['\n', '\0']))
    {
        let place = args.value_place("repo");
        faults.push(Diagnostic::at(place, "this is no address of a repository"));
    }
    if let Some(umask) = args.literal("umask")
        && !(umask.len() <= 4
            && !umask.is_empty()
            && umask.chars().all(|c| ('0'..='7').contains(&c)))
    {
        let place = args.value_place("umask");
        faults.push(
            Diagnostic::at(place, format!("`{umask}` is no umask"))
                .help("write it in octal and in quotes: `'0022'`"),
        );
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let text = |name: &str| args.str(name).map(str::to_owned);
    let repo = args.str("repo").unwrap_or_default();
    let new_keys = match (
        args.bool("accept_hostkey", false),
        args.bool("accept_newhostkey", false),
    ) {
        (true, _) => Some("no"),
        (_, true) => Some("accept-new"),
        _ => None,
    };
    Ok(Box::new(Git {
        // As in Ansible: only so a depth counts for a path.
        repo: match repo.starts_with('/') {
            true => format!("file://{repo}"),
            false => repo.to_owned(),
        },
        dest: trimmed(args.str("dest").unwrap_or_default()).into(),
        version: args.str("version").unwrap_or("HEAD").to_owned(),
        remote: args.str("remote").unwrap_or("origin").to_owned(),
        update: args.bool("update", true),
        clone: args.bool("clone", true),
        force: args.bool("force", false),
        depth: args.int("depth"),
        single_branch: args.bool("single_branch", false),
        recursive: args.bool("recursive", true),
        bare: args.bool("bare", false),
        refspec: text("refspec"),
        key_file: text("key_file"),
        new_keys,
        ssh_opts: text("ssh_opts"),
        umask: text("umask"),
        user: controller.user().to_owned(),
    }))
}

/// A repository and the version it is to be at.
struct Git {
    repo: String,
    dest: Arc<str>,
    version: String,
    remote: String,
    update: bool,
    clone: bool,
    force: bool,
    depth: Option<i64>,
    single_branch: bool,
    recursive: bool,
    bare: bool,
    refspec: Option<String>,
    key_file: Option<String>,
    /// What ssh does with the keys of hosts that it does not know.
    new_keys: Option<&'static str>,
    ssh_opts: Option<String>,
    umask: Option<String>,
    /// Who git runs as.
    user: String,
}

impl Git {
    /// Whether the version is a commit in full, which is the same everywhere.
    fn is_pinned(&self) -> bool {
        self.version.len() == 40 && self.version.chars().all(|c| c.is_ascii_hexdigit())
    }

    /// Whether the remote is reached by SSH.
    fn by_ssh(&self) -> bool {
        let scp = || {
            let (host, _) = self.repo.split_once(':')?;
            (!host.contains('/') && !self.repo.contains("://")).then_some(())
        };
        self.repo.starts_with("ssh://") || self.repo.starts_with("git+ssh://") || scp().is_some()
    }
}
