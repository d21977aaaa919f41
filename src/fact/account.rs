//! Questions about accounts and groups.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Answer, FactError, Question};
use crate::command::Command;

/// A user account. In a prediction numbers may be unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountInfo {
    /// Its number; none in a prediction.
    pub uid: Option<u32>,
    /// Primary group's number; none in a prediction.
    pub gid: Option<u32>,
    /// Primary group's name, or its number when it has none.
    pub group: Arc<str>,
    /// The comment field.
    pub comment: Arc<str>,
    /// Home folder.
    pub home: Arc<str>,
    /// Whether the home folder is there.
    pub home_exists: bool,
    /// Login shell.
    pub shell: Arc<str>,
    /// Supplementary groups, sorted.
    pub groups: Vec<Arc<str>>,
    /// The hash in shadow; none when shadow could not be read. Never shown.
    pub password: Option<Arc<str>>,
    /// Days since 1970 after which the account is disabled.
    pub expires: Option<i64>,
    /// How long its password holds.
    pub aging: Aging,
}

/// How long a password holds, in days, as shadow says; none where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Aging {
    /// Before it may be changed again.
    pub min: Option<u32>,
    /// Before it must be changed.
    pub max: Option<u32>,
    /// Of warning before that.
    pub warn: Option<u32>,
    /// Behind that, before the account is disabled.
    pub inactive: Option<u32>,
}

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupInfo {
    /// Its number; none in a prediction.
    pub gid: Option<u32>,
    /// Members named in the group file.
    pub members: Vec<Arc<str>>,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

/// Three `getent` for any number of accounts: the groups are read whole, since membership is written there. Shadow answers root only.
pub(super) fn accounts_script(keys: &[&str]) -> String {
    let getent = |database: &str| {
        Command::new("getent")
            .arg(database)
            .arg("--")
            .args(keys.iter().copied())
    };
    format!(
        "accounts=$({})\nprintf '%s\\n@homes\\n' \"$accounts\"\nwhile IFS=: read -r name _ _ _ _ home _; do\n\
         if [ -n \"$name\" ] && [ -d \"$home\" ]; then printf '%s\\n' \"$name\"; fi\ndone <<EOF\n$accounts\nEOF\n\
         echo @groups\ngetent group\necho @shadow\n{} 2>/dev/null\n",
        getent("passwd"),
        getent("shadow"),
    )
}

pub(super) fn parse_accounts(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut part = "";
    let mut passwd = HashMap::new();
    let mut homes = Vec::new();
    let mut groups: Vec<(&str, &str, &str)> = Vec::new();
    let mut shadow = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('@') {
            part = line;
            continue;
        }
        let columns: Vec<&str> = line.split(':').collect();
        match (part, columns.as_slice()) {
            ("", [name, _, uid, gid, comment, home, shell]) => {
                passwd.insert(*name, (*uid, *gid, *comment, *home, *shell));
            }
            ("@homes", _) => homes.push(line),
            ("@groups", [name, _, gid, members]) => groups.push((name, gid, members)),
            ("@shadow", [name, hash, _, min, max, warn, inactive, expires, ..]) => {
                let days = |word: &str| word.parse().ok();
                let aging = Aging {
                    min: days(min),
                    max: days(max),
                    warn: days(warn),
                    inactive: days(inactive),
                };
                shadow.insert(*name, (*hash, expires.parse().ok(), aging));
            }
            _ => return Err(unreadable("accounts", line)),
        }
    }
    let mut answers = Vec::new();
    for key in keys {
        let account = match passwd.get(key) {
            None => None,
            Some((uid, gid, comment, home, shell)) => {
                let number = |word: &str| word.parse().map_err(|_| unreadable("accounts", word));
                let primary = groups.iter().find(|(_, number, _)| number == gid);
                let mut member_of: Vec<Arc<str>> = groups
                    .iter()
                    .filter(|(_, _, members)| members.split(',').any(|member| member == *key))
                    .map(|(name, _, _)| Arc::from(*name))
                    .collect();
                member_of.sort();
                member_of.dedup();
                Some(AccountInfo {
                    uid: Some(number(uid)?),
                    gid: Some(number(gid)?),
                    group: primary.map_or(*gid, |(name, _, _)| name).into(),
                    comment: (*comment).into(),
                    home: (*home).into(),
                    home_exists: homes.contains(key),
                    shell: (*shell).into(),
                    groups: member_of,
                    password: shadow.get(key).map(|(hash, ..)| Arc::from(*hash)),
                    expires: shadow.get(key).and_then(|(_, expires, _)| *expires),
                    aging: shadow
                        .get(key)
                        .map(|(.., aging)| *aging)
                        .unwrap_or_default(),
                })
            }
        };
        answers.push((Question::Account((*key).into()), Answer::Account(account)));
    }
    Ok(answers)
}

pub(super) fn groups_script(keys: &[&str]) -> String {
    Command::new("getent")
        .arg("group")
        .arg("--")
        .args(keys.iter().copied())
        .to_string()
}

pub(super) fn parse_groups(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut found = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let columns: Vec<&str> = line.split(':').collect();
        let [name, _, gid, members] = columns.as_slice() else {
            return Err(unreadable("groups", line));
        };
        let gid = gid.parse().map_err(|_| unreadable("groups", line))?;
        let members = members.split(',').filter(|member| !member.is_empty());
        found.insert(
            *name,
            GroupInfo {
                gid: Some(gid),
                members: members.map(Arc::from).collect(),
            },
        );
    }
    Ok(keys
        .iter()
        .map(|key| {
            (
                Question::Group((*key).into()),
                Answer::Group(found.remove(key)),
            )
        })
        .collect())
}

/// The line is not shown: it may be one of shadow.
fn unreadable(subject: &'static str, line: &str) -> FactError {
    FactError {
        subject,
        reason: format!(
            "a line of {} characters is not understood",
            line.chars().count()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "root:x:0:0:root:/root:/bin/bash\ndeploy:x:1000:1000:Dé Ploy,,,:/home/deploy:/bin/sh\n@homes\nroot\n@groups\n\
        root:x:0:\nsudo:x:27:deploy,admin\nusers:x:100:\ndeploy:x:1000:\nadm:x:4:deploy\n@shadow\nroot:*:20228:0:99999:7:::\n\
        deploy:$6$abc:20228:0:99999:7:30:20500:\n";

    #[test]
    fn accounts_know_their_groups_home_and_expiry() {
        let answers = parse_accounts(&["deploy", "nobody", "root"], BODY.as_bytes()).expect("ok");
        let Answer::Account(Some(deploy)) = &answers[0].1 else {
            panic!("{answers:?}");
        };
        assert_eq!(deploy.groups, ["adm".into(), "sudo".into()]);
        assert_eq!(&*deploy.group, "deploy");
        assert_eq!(deploy.password.as_deref(), Some("$6$abc"));
        assert_eq!(deploy.expires, Some(20500));
        let Aging {
            min,
            max,
            warn,
            inactive,
        } = deploy.aging;
        assert_eq!(
            [min, max, warn, inactive],
            [Some(0), Some(99_999), Some(7), Some(30)]
        );
        assert_eq!(&*deploy.comment, "Dé Ploy,,,");
        assert!(!deploy.home_exists);
        assert_eq!(answers[1].1, Answer::Account(None));
        let Answer::Account(Some(root)) = &answers[2].1 else {
            panic!("{answers:?}");
        };
        assert!(root.home_exists && root.expires.is_none() && root.aging.inactive.is_none());
    }

    #[test]
    fn without_root_the_hash_is_unknown() {
        let body = BODY.split("@shadow").next().expect("one part").to_owned() + "@shadow\n";
        let answers = parse_accounts(&["deploy"], body.as_bytes()).expect("ok");
        let Answer::Account(Some(deploy)) = &answers[0].1 else {
            panic!("{answers:?}");
        };
        assert_eq!(deploy.password, None);
    }

    #[test]
    fn groups_have_number_and_members() {
        let answers = parse_groups(
            &["nogrp", "sudo", "users"],
            b"sudo:x:27:a,b\nusers:x:100:\n",
        )
        .expect("ok");
        assert_eq!(answers[0].1, Answer::Group(None));
        let sudo = GroupInfo {
            gid: Some(27),
            members: vec!["a".into(), "b".into()],
        };
        assert_eq!(answers[1].1, Answer::Group(Some(sudo)));
        assert!(parse_groups(&["x"], b"what\n").is_err());
    }
}
