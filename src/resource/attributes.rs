//! Owner, group and mode of a path: what is wanted, how it differs from what is there, and the commands that set it.

use std::sync::Arc;

use super::mode::{FileMode, argument, octal};
use super::{Args, Controller, Param, ParamType};
use crate::change::{Change, Field};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, PathInfo, Question, Stat};

/// `owner`, for the table of parameters.
pub const OWNER: Param = Param::new(
    "owner",
    ParamType::Str,
    "Name or number of the account that owns it. Left alone when not given; a new file is the acting account's.",
);
/// `group`.
pub const GROUP: Param = Param::new("group", ParamType::Str, "Name or number of its group.");
/// `mode`.
pub const MODE: Param = Param::new(
    "mode",
    ParamType::Mode,
    "Permissions: `'0644'`, or symbolic such as `u=rw,go=r`. Left alone when not given; a new file gets 0644, a new folder 0755.",
);
/// The refusal of SELinux parameters.
pub const NO_SELINUX: &str = "Debian nodes run without SELinux; leave it out";
/// The refusal of `attributes`.
pub const NO_CHATTR: &str = "use a `command` task with `chattr`";
/// The refusal of `unsafe_writes`.
pub const NO_UNSAFE: &str = "files are always written beside the target and renamed; leave it out";

/// What is wanted of owner, group and mode.
#[derive(Debug, Clone)]
pub struct Attributes {
    owner: Option<Arc<str>>,
    group: Option<Arc<str>>,
    /// Whether the group is the owner's own, whichever that is.
    own_group: bool,
    /// The wanted mode, if any.
    pub mode: Option<FileMode>,
    user: Arc<str>,
}

impl Attributes {
    /// Reads `owner`, `group` and `mode`.
    pub fn bind(args: &Args, controller: &dyn Controller) -> Result<Attributes, Diagnostic> {
        let (attributes, preserve) = Attributes::bind_preserving(args, controller);
        if preserve {
            let place = args.value_place("mode");
            return Err(Diagnostic::at(place, "`mode` cannot be `preserve` here")
                .help("only `copy` and `template` have a source to take it from"));
        }
        Ok(attributes)
    }

    /// Reads `owner` and `group` of a kind that has no `mode`.
    pub fn bind_owner(args: &Args, controller: &dyn Controller) -> Attributes {
        let text = |name| args.str(name).map(Arc::from);
        Attributes {
            owner: text("owner"),
            group: text("group"),
            own_group: false,
            mode: None,
            user: controller.user().into(),
        }
    }

    /// The same, and whether the mode is to be that of the source.
    pub fn bind_preserving(args: &Args, controller: &dyn Controller) -> (Attributes, bool) {
        let text = |name| args.str(name).map(Arc::from);
        let attributes = Attributes {
            owner: text("owner"),
            group: text("group"),
            own_group: false,
            mode: args.get("mode").and_then(FileMode::read),
            user: controller.user().into(),
        };
        (attributes, args.str("mode") == Some("preserve"))
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.group.is_none() && self.mode.is_none()
    }

    /// What the acting account makes when nothing is wanted.
    pub fn plain(&self) -> Attributes {
        Attributes {
            owner: None,
            group: None,
            own_group: false,
            mode: None,
            user: self.user.clone(),
        }
    }

    /// What the acting account makes.
    pub fn of_nobody(controller: &dyn Controller) -> Attributes {
        Attributes {
            owner: None,
            group: None,
            own_group: false,
            mode: None,
            user: controller.user().into(),
        }
    }

    /// What belongs to an account and its own group.
    pub fn of_account(name: &str, mode: FileMode, controller: &dyn Controller) -> Attributes {
        Attributes {
            owner: Some(name.into()),
            group: None,
            own_group: true,
            mode: Some(mode),
            user: controller.user().into(),
        }
    }

    /// The same with another mode.
    pub fn with_mode(&self, mode: Option<FileMode>) -> Attributes {
        Attributes {
            mode,
            ..self.clone()
        }
    }

    /// The accounts and groups that are named. Numbers and root need no question.
    pub fn questions(&self) -> Vec<Question> {
        let named = |name: &&Arc<str>| number(name).is_none();
        let owner = self.owner.as_ref().filter(named);
        let group = self.group.as_ref().filter(named);
        owner
            .map(|name| Question::Account(name.clone()))
            .into_iter()
            .chain(group.map(|name| Question::Group(name.clone())))
            .collect()
    }

    /// The numbers of owner and group, or the change that says which of them does not exist.
    pub fn resolve(&self, known: &Known) -> Result<Result<Resolved, Change>, Missing> {
        known.need(self.questions())?;
        let mut resolved = Resolved {
            owner: None,
            group: None,
            mode: self.mode.clone(),
            user: self.user.clone(),
        };
        if let Some(name) = &self.owner {
            let id = match number(name) {
                Some(id) => {
                    let name = name.clone();
                    resolved.group = self.own_group.then_some(Principal { name, id: Some(id) });
                    Some(id)
                }
                None => match known.account(name)? {
                    Some(account) => {
                        let (name, id) = (account.group.clone(), account.gid);
                        resolved.group = self.own_group.then_some(Principal { name, id });
                        account.uid
                    }
                    None => return Ok(Err(absent("user", name))),
                },
            };
            let name = name.clone();
            resolved.owner = Some(Principal { name, id });
        }
        if let Some(name) = &self.group {
            let id = match number(name) {
                Some(id) => Some(id),
                None => match known.group(name)? {
                    Some(group) => group.gid,
                    None => return Ok(Err(absent("group", name))),
                },
            };
            let name = name.clone();
            resolved.group = Some(Principal { name, id });
        }
        Ok(Ok(resolved))
    }
}

fn number(name: &str) -> Option<u32> {
    match name {
        "root" => Some(0),
        name => name.parse().ok(),
    }
}

/// The change for a user or group that does not exist.
pub fn absent(what: &str, name: &str) -> Change {
    Change::blocked(format!("{what} `{name}` does not exist")).help(format!(
        "create it with a `{what}` task before this one, or correct the name"
    ))
}

/// The change for a path below the home of an account that does not exist, if it is one.
pub fn homeless(info: &PathInfo) -> Option<Change> {
    let name = info.abs.strip_prefix('~')?;
    Some(absent("user", name.split('/').next().unwrap_or(name)))
}

/// An account or group with its number, when that is known.
#[derive(Debug, Clone)]
struct Principal {
    name: Arc<str>,
    id: Option<u32>,
}

impl Principal {
    fn is(&self, name: &str, id: Option<u32>) -> bool {
        match (self.id, id) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => *self.name == *name,
        }
    }
}

/// [`Attributes`] whose accounts exist.
#[derive(Debug, Clone)]
pub struct Resolved {
    owner: Option<Principal>,
    group: Option<Principal>,
    mode: Option<FileMode>,
    user: Arc<str>,
}

impl Resolved {
    /// What differs from what is there. A link has no mode of its own.
    pub fn differences(&self, stat: &Stat) -> Vec<Field> {
        let mut fields = Vec::new();
        if let Some(owner) = &self.owner
            && !owner.is(&stat.owner, stat.uid)
        {
            fields.push(Field::value("owner", &*stat.owner, &*owner.name));
        }
        if let Some(group) = &self.group
            && !group.is(&stat.group, stat.gid)
        {
            fields.push(Field::value("group", &*stat.group, &*group.name));
        }
        let mode = self.bits(stat);
        if mode != stat.mode {
            fields.push(Field::value("mode", octal(stat.mode), octal(mode)));
        }
        fields
    }

    /// What a new thing gets, as fields.
    pub fn given(&self, new: Option<&Stat>) -> Vec<Field> {
        let mut fields = Vec::new();
        if let Some(owner) = &self.owner {
            fields.push(Field::value("owner", "", &*owner.name));
        }
        if let Some(group) = &self.group {
            fields.push(Field::value("group", "", &*group.name));
        }
        if let (Some(_), Some(stat)) = (&self.mode, new) {
            fields.push(Field::value("mode", "", octal(stat.mode)));
        }
        fields
    }

    fn bits(&self, stat: &Stat) -> u32 {
        match &self.mode {
            Some(mode) if stat.kind != 'l' => mode.bits(stat.mode, stat.kind == 'd'),
            _ => stat.mode,
        }
    }

    /// What stands there once the attributes are set.
    pub fn altered(&self, stat: &Stat) -> Stat {
        let mut stat = stat.clone();
        stat.mode = self.bits(&stat);
        if let Some(owner) = &self.owner {
            stat.owner = owner.name.clone();
            stat.uid = owner.id;
        }
        if let Some(group) = &self.group {
            stat.group = group.name.clone();
            stat.gid = group.id;
        }
        stat
    }

    /// What a new file (`f`), folder (`d`) or link (`l`) in `parent` gets. Owner and group are empty where the acting
    /// account decides and is not root.
    pub fn fresh(&self, kind: char, parent: Option<&Stat>) -> Stat {
        self.altered(&self.plain(kind, parent))
    }

    /// The same before owner, group and mode are set.
    pub fn plain(&self, kind: char, parent: Option<&Stat>) -> Stat {
        let root = &*self.user == "root";
        let sets_group = parent.filter(|parent| parent.mode & 0o2000 != 0);
        let user: Arc<str> = if root { "root".into() } else { "".into() };
        let mut stat = Stat {
            kind,
            target_kind: kind,
            mode: match kind {
                'd' => 0o755 | sets_group.map_or(0, |_| 0o2000),
                'l' => 0o777,
                _ => 0o644,
            },
            uid: root.then_some(0),
            gid: root.then_some(0),
            owner: self.user.clone(),
            group: user,
            size: 0,
            mtime: 0.0,
            atime: 0.0,
            ctime: 0.0,
            inode: 0,
            links: 1,
            device: parent.map_or(0, |parent| parent.device),
            link: None,
        };
        if let Some(parent) = sets_group {
            stat.group = parent.group.clone();
            stat.gid = parent.gid;
        }
        stat
    }

    /// The same with another mode.
    pub fn with_mode(&self, mode: FileMode) -> Resolved {
        Resolved {
            mode: Some(mode),
            ..self.clone()
        }
    }

    /// `OWNER:GROUP` for `chown` of what is to become `stat`; empty when the acting account's own is right.
    pub fn principals(&self, stat: &Stat) -> String {
        let mut text = String::new();
        if self.owner.is_some() || self.as_root() {
            text.push_str(&id(&stat.owner, stat.uid));
        }
        if self.group.is_some() || (self.as_root() && !stat.group.is_empty()) {
            text.push(':');
            text.push_str(&id(&stat.group, stat.gid));
        }
        text
    }

    /// Whether steps act as root, and so can keep an owner.
    pub fn as_root(&self) -> bool {
        &*self.user == "root"
    }

    /// `-m`, `-o` and `-g` of `install` for what is to become `stat`.
    pub fn install_options(&self, stat: &Stat) -> String {
        let mut text = format!("-m {}", argument(stat.mode));
        if self.owner.is_some() || self.as_root() {
            text.push_str(&format!(" -o {}", quote(&id(&stat.owner, stat.uid))));
        }
        if self.group.is_some() || (self.as_root() && !stat.group.is_empty()) {
            text.push_str(&format!(" -g {}", quote(&id(&stat.group, stat.gid))));
        }
        text
    }

    /// The commands that turn what `stat` says of `path` into what is wanted, joined by `&&`; `path` is a shell word.
    /// A change of owner clears setuid and setgid bits, so they are set again.
    pub fn commands(&self, path: &str, stat: &Stat) -> Vec<String> {
        let mut commands = Vec::new();
        let mut principals = String::new();
        if let Some(owner) = &self.owner
            && !owner.is(&stat.owner, stat.uid)
        {
            principals.push_str(&owner.name);
        }
        if let Some(group) = &self.group
            && !group.is(&stat.group, stat.gid)
        {
            principals.push(':');
            principals.push_str(&group.name);
        }
        if !principals.is_empty() {
            commands.push(format!("chown -h {} -- {path}", quote(&principals)));
        }
        let bits = self.bits(stat);
        let cleared = !principals.is_empty() && stat.kind == 'f' && stat.mode & 0o6000 != 0;
        if stat.kind != 'l' && (bits != stat.mode || cleared) {
            commands.push(format!("chmod {} -- {path}", argument(bits)));
        }
        commands
    }
}

/// Owner or group for a command: what the user wrote, else the number that was found.
fn id(name: &str, number: Option<u32>) -> String {
    match number {
        Some(number) if name.is_empty() || name.parse::<u32>().is_ok() => number.to_string(),
        _ => name.to_owned(),
    }
}
