//! `authorized_key`: who may log in as an account by SSH.

mod keys;

use std::sync::Arc;

use serde_json::Value as Json;

use super::attributes::{Attributes, Resolved, homeless};
use super::body::Body;
use super::edit::{self, Found};
use super::mode::FileMode;
use super::place::{is_folder, parent, trimmed};
use super::write::{Target, set};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource, folders};
use crate::change::{Action, Change, Field};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question};
use keys::{Done, Edit, Key, split_options};

/// Says which SSH keys may log in as an account. A change that could lock the run out is undone by the node unless a new connection confirms
/// it.
///
/// # Differs from Ansible
/// - `key` is the text of the keys; addresses are not fetched
/// - the file is written at once, never line by line
///
/// # Returns
/// - `keyfile`: the file
///
/// # Examples
/// ```yaml
/// - name: the keys of the operators
///   authorized_key:
///     user: deploy
///     key: "{{ lookup('file', 'operators.pub') }}"
///     exclusive: true
/// ```
pub static AUTHORIZED_KEY: Kind = Kind {
    name: "authorized_key",
    aliases: &["ansible.posix.authorized_key"],
    summary: "makes sure that SSH keys may log in as an account, or may not",
    params: &[
        Param::new("user", ParamType::Str, "The account.").required(),
        Param::new("key", ParamType::Str, "Public keys, each a line, with options before them if they have any. Keys are told apart by themselves, not by their comments.").required(),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether they are to be there.").default("present"),
        Param::new("exclusive", ParamType::Bool, "Whether every other line is removed. In a loop each item would remove the others': give all keys at once.").default("false"),
        Param::new("key_options", ParamType::Str, "What stands before each key, such as `no-pty,from=\"10.0.0.1\"`; in place of its own."),
        Param::new("comment", ParamType::Str, "What stands behind each key, in place of its own."),
        Param::new("path", ParamType::Path, "The file. By default `.ssh/authorized_keys` in the account's home."),
        Param::new("manage_dir", ParamType::Bool, "Whether the folder is made, is the account's and has the mode 0700. Say false with a `path` in a folder of several accounts.").default("true"),
        Param::new("follow", ParamType::Bool, "Whether the file behind a link is written, rather than the link replaced.").default("false"),
    ],
    free_form: None,
    refused: &[("validate_certs", "keys are not fetched; give them as text")],
    check: |args| args.literal("key").and_then(|text| keys(text, args).err()).into_iter().collect(),
    bind,
};

/// The keys in a text, or what is wrong with one of them.
fn keys(text: &str, args: &Args) -> Result<Vec<Key>, Diagnostic> {
    let place = args.value_place("key");
    let mut keys: Vec<Key> = Vec::new();
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(Diagnostic::at(place, "keys are not fetched from elsewhere")
            .help("write the keys themselves, or keep them in a variable"));
    }
    for line in text.lines().map(|line| line.trim().replace("\\#", "#")) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with("-----BEGIN") {
            return Err(Diagnostic::at(place, "this is no public key")
                .help("a public key is one line, in the file that ends with `.pub`; never give away the private one"));
        }
        let key = Key::read(&line).filter(Key::is_well_formed).ok_or_else(|| {
            let start: String = line.chars().take(40).collect();
            Diagnostic::at(place, format!("`{start}…` is no public key"))
                .help("a line is `ssh-ed25519 AAAA… comment`, as `ssh-keygen` writes it to the file that ends with `.pub`")
        })?;
        keys.push(key);
    }
    if keys.is_empty() && !args.bool("exclusive", false) {
        return Err(Diagnostic::at(place, "there is no key in `key`")
            .help("with `exclusive: true`, none means that nobody may log in by a key"));
    }
    Ok(keys)
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let needs = |name| Diagnostic::at(&args.span, format!("`authorized_key` needs `{name}`"));
    let user = args.str("user").ok_or_else(|| needs("user"))?;
    if user.is_empty() || user.contains(['/', ':', '\n']) || user.parse::<u32>().is_ok() {
        let place = args.value_place("user");
        return Err(
            Diagnostic::at(place, format!("`{user}` is not the name of an account")).into(),
        );
    }
    let text = args.str("key").ok_or_else(|| needs("key"))?;
    let mut keys = keys(text, args)?;
    for key in &mut keys {
        if let Some(options) = args.str("key_options") {
            key.options = split_options(options);
        }
        if let Some(comment) = args.str("comment") {
            key.comment = comment.trim().to_owned();
        }
    }
    let present = args.str("state") != Some("absent");
    let path = match args.str("path") {
        Some(path) => trimmed(path).to_owned(),
        None => format!("~{user}/.ssh/authorized_keys"),
    };
    let own = Attributes::of_account(user, FileMode::Bits(0o600), controller);
    let folder = own.with_mode(Some(FileMode::Bits(0o700)));
    let managed = present && args.bool("manage_dir", true);
    let optional = |name| args.str(name).map_or(Json::Null, Json::from);
    Ok(Box::new(AuthorizedKeys {
        target: Target {
            dest: path.into(),
            attributes: if present { own.clone() } else { own.plain() },
            follow: args.bool("follow", false),
            force: true,
            backup: false,
            validate: None,
            folders: present.then(|| if managed { folder.clone() } else { own.plain() }),
        },
        folder: managed.then_some(folder),
        edit: Edit {
            keys,
            present,
            exclusive: args.bool("exclusive", false),
        },
        result: serde_json::json!({
            "user": user, "key": text, "path": optional("path"), "manage_dir": args.bool("manage_dir", true),
            "state": args.str("state").unwrap_or("present"), "exclusive": args.bool("exclusive", false),
            "key_options": optional("key_options"), "comment": optional("comment"), "follow": args.bool("follow", false),
        }),
    }))
}

/// Keys that are to be in a file, or not.
struct AuthorizedKeys {
    target: Target,
    /// What the folder is to be, if that is looked after.
    folder: Option<Attributes>,
    edit: Edit,
    result: Json,
}

impl Resource for AuthorizedKeys {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let folder = self.folder.as_ref().zip(parent(&self.target.dest));
        let mut questions = edit::questions(&self.target);
        questions.extend(folder.map(|(_, path)| Question::Path(path.into())));
        known.need(questions)?;
        let resolved = match folder {
            Some((attributes, path)) => match attributes.resolve(known)? {
                Ok(resolved) => Some((resolved, path)),
                Err(change) => return Ok(change),
            },
            None => None,
        };
        if let Some((_, path)) = &resolved
            && let Some(change) = unmakable(known, path)?
        {
            return Ok(change);
        }
        let info = known.path(&self.target.dest)?;
        let is_link = |info: &PathInfo| info.stat.as_ref().is_some_and(|stat| stat.kind == 'l');
        let mut open = Vec::new();
        if is_link(info) && self.target.follow {
            open.push(Question::Path(info.real.clone()));
        }
        if let Some((_, path)) = &resolved {
            let info = known.path(path)?;
            open.extend(is_link(info).then(|| Question::Path(info.real.clone())));
        }
        known.need(open)?;
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent => None,
        };
        let (new, done) = self.edit.apply(old.as_deref().unwrap_or_default());
        let same = done == Done::default();
        // A link to a file that is as wanted stays.
        let linked = same && is_link(info) && !self.target.follow;
        let mut change = if linked || (same && (old.is_none() || !self.edit.present)) {
            Change::none("")
        } else {
            self.target.diff(known, &Body::new(new))?
        };
        if change.obstacle.is_none()
            && let Some((resolved, path)) = &resolved
        {
            change = own_folder(known, resolved, path, change)?;
        }
        change.reason = match change.action {
            Action::None if self.edit.present => "the keys are there".to_owned(),
            Action::None => "the keys are not there".to_owned(),
            _ => words(&done),
        };
        for (key, value) in self.result.as_object().into_iter().flatten() {
            change.result.insert(key.clone(), value.clone());
        }
        Ok(change.result("keyfile", &*info.abs))
    }
}

/// Why the folder cannot be made, if it is missing: nobody has a home there.
fn unmakable(known: &Known, path: &str) -> Result<Option<Change>, Missing> {
    let info = known.path(path)?;
    if let Some(change) = homeless(info) {
        return Ok(Some(change));
    }
    match parent(path) {
        Some(above) if info.stat.is_none() && !is_folder(known.path(above)?) => {
            Ok(Some(folders::no_folder(above)))
        }
        _ => Ok(None),
    }
}

/// Adds the step that gives an existing folder to the account.
fn own_folder(
    known: &Known,
    resolved: &Resolved,
    path: &str,
    mut change: Change,
) -> Result<Change, Missing> {
    let mut info = known.path(path)?;
    let mut key: Arc<str> = path.into();
    if info.stat.as_ref().is_some_and(|stat| stat.kind == 'l') {
        key = info.real.clone();
        info = known.path(&key)?;
    }
    let Some(stat) = info.stat.as_ref().filter(|stat| stat.kind == 'd') else {
        return Ok(change);
    };
    let fields = resolved.differences(stat);
    if fields.is_empty() {
        return Ok(change);
    }
    let mut after = info.clone();
    after.stat = Some(resolved.altered(stat));
    let step = set(resolved, &info.abs, &key, stat)
        .predict(Question::Path(key.clone()), Answer::Path(after));
    change.steps.insert(0, step);
    change
        .fields
        .extend(fields.into_iter().map(|field| match field {
            Field::Value {
                field,
                before,
                after,
            } => Field::value(format!("{field} of {path}"), before, after),
            field => field,
        }));
    change.action = match change.action {
        Action::None => Action::Update,
        action => action,
    };
    Ok(change)
}

fn words(done: &Done) -> String {
    let parts = [
        (done.added, "added"),
        (done.altered, "altered"),
        (done.removed, "removed"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    parts.join(", ")
}
