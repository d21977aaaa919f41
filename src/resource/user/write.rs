//! How an account is made, changed and removed: `useradd`, `usermod`, `userdel`, and `chpasswd` for what must not stand in a process list.

use std::sync::Arc;

use super::aging;
use crate::change::{Action, Change, Expect, Field, Touch};
use crate::command::{Command, quote};
use crate::fact::{AccountInfo, Aging};

/// What the user wants of an account. What is none is left as it is.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) uid: Option<u32>,
    pub(super) non_unique: bool,
    pub(super) group: Option<String>,
    /// Sorted.
    pub(super) groups: Option<Vec<String>>,
    pub(super) append: bool,
    pub(super) comment: Option<String>,
    pub(super) home: Option<String>,
    pub(super) create_home: bool,
    pub(super) move_home: bool,
    pub(super) skeleton: Option<String>,
    pub(super) umask: Option<String>,
    pub(super) shell: Option<String>,
    pub(super) system: bool,
    pub(super) password: Option<String>,
    /// Whether the password of an account that is there is changed.
    pub(super) always: bool,
    pub(super) lock: Option<bool>,
    /// Days since 1970; the inner none is never.
    pub(super) expires: Option<Option<i64>>,
    pub(super) aging: aging::Wanted,
}

const MASKED: &str = "(masked)";

impl Wanted {
    /// Groups that must be there.
    pub(super) fn needed_groups(&self) -> impl Iterator<Item = &str> {
        let others = self.groups.iter().flatten().map(String::as_str);
        self.group.as_deref().into_iter().chain(others)
    }

    /// A new account, and what it will be. With `own_group`, a group of its name is already there and stays apart from it,
    /// as `useradd -N` does.
    pub(super) fn creation(&self, own_group: bool) -> (Change, AccountInfo) {
        let mut command = self.identity(Command::new("useradd"));
        if self.group.is_none() && own_group {
            command = command.arg("--no-user-group");
        }
        if let Some(groups) = self.groups.as_ref().filter(|groups| !groups.is_empty()) {
            command = command.arg("--groups").arg(groups.join(","));
        }
        command = self.described(command);
        if let Some(home) = &self.home {
            command = command.arg("--home-dir").arg(home);
        }
        command = command.arg(if self.create_home {
            "--create-home"
        } else {
            "--no-create-home"
        });
        if let Some(skeleton) = self.skeleton.as_ref().filter(|_| self.create_home) {
            command = command.arg("--skel").arg(skeleton);
        }
        if let Some(umask) = &self.umask {
            command = command.arg("--key").arg(format!("UMASK={umask}"));
        }
        if self.system {
            command = command.arg("--system");
        }
        if let Some(Some(days)) = self.expires {
            command = command.arg("--expiredate").arg(date(days));
        }
        let (aging, chage, days) = self.aging.update(&self.name, None);
        let mut end = self.made(own_group);
        end.aging = days;
        let mut change = Change::new(Action::Create);
        change.fields = self.new_fields();
        change.fields.extend(aging);
        let mut script = command.arg("--").arg(&self.name).to_string();
        if self.password.is_some() {
            script.push_str(" || exit\nchpasswd --encrypted");
        }
        if self.lock == Some(true) {
            script.push_str(&format!(
                " || exit\nusermod --lock -- {}",
                quote(&self.name)
            ));
        }
        if let Some(chage) = chage {
            script.push_str(&format!(" || exit\n{chage}"));
        }
        let mut step = self.step("make", script, Some(end.clone()));
        step.before.push(Expect::Check {
            field: "account".to_owned(),
            script: format!("! getent passwd -- {}", quote(&self.name)),
        });
        if let Some(hash) = &self.password {
            step.stdin = Some(format!("{}:{hash}\n", self.name).into());
        }
        (change.step(step), end)
    }

    /// What is said of a new account.
    fn new_fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::value("state", "absent", "present")];
        for (field, value) in [
            ("uid", self.uid.map(|uid| uid.to_string())),
            ("group", self.group.clone()),
            (
                "groups",
                self.groups.as_ref().map(|groups| groups.join(",")),
            ),
            ("comment", self.comment.clone()),
            ("home", self.home.clone()),
            ("shell", self.shell.clone()),
            ("expires", self.expires.flatten().map(date)),
            (
                "password",
                self.password.as_ref().map(|_| MASKED.to_owned()),
            ),
            (
                "password_lock",
                self.lock.filter(|lock| *lock).map(|_| "true".to_owned()),
            ),
        ] {
            if let Some(value) = value {
                fields.push(Field::value(field, "", value));
            }
        }
        fields
    }

    fn numbered(&self, mut command: Command) -> Command {
        if let Some(uid) = self.uid {
            command = command.arg("--uid").arg(uid.to_string());
            if self.non_unique {
                command = command.arg("--non-unique");
            }
        }
        command
    }

    fn identity(&self, command: Command) -> Command {
        let command = self.numbered(command);
        match &self.group {
            Some(group) => command.arg("--gid").arg(group),
            None => command,
        }
    }

    fn described(&self, mut command: Command) -> Command {
        if let Some(comment) = &self.comment {
            command = command.arg("--comment").arg(comment);
        }
        match &self.shell {
            Some(shell) => command.arg("--shell").arg(shell),
            None => command,
        }
    }

    fn made(&self, own_group: bool) -> AccountInfo {
        let home = format!("/home/{}", self.name);
        let group = match (&self.group, own_group) {
            (Some(group), _) => group.as_str(),
            (None, true) => "users",
            (None, false) => &self.name,
        };
        let password = self.password.as_deref().unwrap_or("!");
        let lock = self.lock == Some(true) && !password.starts_with('!');
        AccountInfo {
            uid: self.uid,
            gid: None,
            group: group.into(),
            comment: self.comment.as_deref().unwrap_or("").into(),
            home: self.home.as_deref().unwrap_or(&home).into(),
            home_exists: self.create_home,
            shell: self.shell.as_deref().unwrap_or("/bin/sh").into(),
            groups: self
                .groups
                .iter()
                .flatten()
                .map(|group| group.as_str().into())
                .collect(),
            password: Some(
                if lock {
                    format!("!{password}")
                } else {
                    password.to_owned()
                }
                .into(),
            ),
            expires: self.expires.flatten(),
            aging: Aging::default(),
        }
    }

    /// What differs of an account that is there, and what it will be.
    pub(super) fn update(&self, info: &AccountInfo) -> (Change, AccountInfo) {
        let mut end = info.clone();
        let mut change = Change::none("");
        let mut command = Command::new("usermod");
        let mut differs = |field: &str, before: &str, after: &str| {
            change.fields.push(Field::value(field, before, after));
        };
        if let Some((uid, found)) = self.uid.zip(info.uid).filter(|(uid, found)| uid != found) {
            differs("uid", &found.to_string(), &uid.to_string());
            command = self.numbered(command);
            end.uid = Some(uid);
        }
        if let Some(group) = self
            .group
            .as_deref()
            .filter(|group| !same_group(group, info))
        {
            differs("group", &info.group, group);
            command = command.arg("--gid").arg(group);
            end.group = group.into();
            end.gid = None;
        }
        if let Some(groups) = self.new_groups(info) {
            differs("groups", &info.groups.join(","), &groups.join(","));
            command = command.arg("--groups").arg(groups.join(","));
            end.groups = groups;
        }
        for (field, option, wanted, found) in [
            ("comment", "--comment", &self.comment, &mut end.comment),
            ("shell", "--shell", &self.shell, &mut end.shell),
        ] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| ***wanted != **found) {
                differs(field, found, wanted);
                command = command.arg(option).arg(wanted);
                *found = wanted.as_str().into();
            }
        }
        if let Some(home) = self
            .home
            .as_ref()
            .filter(|home| home.trim_end_matches('/') != info.home.trim_end_matches('/'))
        {
            differs("home", &info.home, home);
            command = command.arg("--home").arg(home);
            if self.move_home {
                command = command.arg("--move-home");
            }
            end.home = home.as_str().into();
            end.home_exists = self.move_home && info.home_exists;
        }
        if let Some(expires) = self
            .expires
            .filter(|expires| *expires != info.expires.filter(|days| *days >= 0))
        {
            let words = |days: Option<i64>| days.map_or("never".to_owned(), date);
            differs("expires", &words(info.expires), &words(expires));
            command = command
                .arg("--expiredate")
                .arg(expires.map_or(String::new(), date));
            end.expires = expires;
        }
        let lines = match command.words().len() {
            1 => Vec::new(),
            _ => vec![command.arg("--").arg(&self.name)],
        };
        self.finish(change, lines, info, end)
    }

    /// The password, the lock and the home folder, which `usermod` does not set all at once.
    fn finish(
        &self,
        mut change: Change,
        mut lines: Vec<Command>,
        info: &AccountInfo,
        mut end: AccountInfo,
    ) -> (Change, AccountInfo) {
        let (aging, chage, days) = self.aging.update(&self.name, Some(&info.aging));
        change.fields.extend(aging);
        lines.extend(chage);
        end.aging = days;
        let mut stdin = None;
        if let (Some(hash), Some(found)) = (&self.password, &info.password)
            && self.always
            && hash.trim_start_matches('!') != found.trim_start_matches('!')
        {
            change.fields.push(Field::value("password", MASKED, MASKED));
            lines.push(Command::new("chpasswd").arg("--encrypted"));
            stdin = Some(format!("{}:{hash}\n", self.name));
            end.password = Some(hash.as_str().into());
        }
        let locked = end.password.as_deref().map(|hash| hash.starts_with('!'));
        if let (Some(lock), Some(locked)) = (self.lock, locked)
            && lock != locked
        {
            change.fields.push(Field::value(
                "password_lock",
                locked.to_string(),
                lock.to_string(),
            ));
            let option = if lock { "--lock" } else { "--unlock" };
            lines.push(
                Command::new("usermod")
                    .arg(option)
                    .arg("--")
                    .arg(&self.name),
            );
            let hash = end
                .password
                .as_deref()
                .unwrap_or("")
                .trim_start_matches('!');
            end.password = Some(
                if lock {
                    format!("!{hash}")
                } else {
                    hash.to_owned()
                }
                .into(),
            );
        }
        let mut script: Vec<String> = lines.iter().map(Command::to_string).collect();
        if self.create_home && !end.home_exists {
            change
                .fields
                .push(Field::value("home folder", "absent", &*end.home));
            script.push(self.home_script(&end.home));
            end.home_exists = true;
        }
        if script.is_empty() {
            return (change, end);
        }
        let mut step = self.step("change", script.join(" || exit\n"), Some(end.clone()));
        step.stdin = stdin.map(Into::into);
        step.before.extend(self.unmoved(info));
        (change.step(step), end)
    }

    /// The groups it will be in, when that is not what it is in.
    fn new_groups(&self, info: &AccountInfo) -> Option<Vec<Arc<str>>> {
        let primary = self.group.as_deref().unwrap_or(&info.group);
        let mut groups: Vec<Arc<str>> = self
            .groups
            .as_ref()?
            .iter()
            .filter(|group| {
                **group != *primary || info.groups.iter().any(|found| **found == ***group)
            })
            .map(|group| group.as_str().into())
            .collect();
        if self.append {
            groups.extend(info.groups.iter().cloned());
        }
        groups.sort();
        groups.dedup();
        (groups != info.groups).then_some(groups)
    }

    /// Takes the account away.
    pub(super) fn removal(&self, info: &AccountInfo, remove: bool, force: bool) -> Change {
        let mut command = Command::new("userdel");
        if force {
            command = command.arg("--force");
        }
        let mut change =
            Change::new(Action::Delete).field(Field::value("state", "present", "absent"));
        if remove {
            command = command.arg("--remove");
            if info.home_exists {
                change = change.field(Field::value("home folder", &*info.home, "absent"));
            }
        }
        let script = command.arg("--").arg(&self.name).to_string();
        let mut step = self.step("remove", script, None);
        if remove {
            step = step.touch(Touch::Path(info.home.to_string()));
        }
        change.step(step)
    }
}

fn same_group(wanted: &str, info: &AccountInfo) -> bool {
    wanted == &*info.group || info.gid.is_some_and(|gid| wanted.parse() == Ok(gid))
}

/// Days since 1970 as `2031-05-17`.
fn date(days: i64) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    match jiff::Span::new()
        .try_days(days)
        .and_then(|span| epoch.checked_add(span))
    {
        Ok(date) => date.to_string(),
        Err(_) => days.to_string(),
    }
}
