//! `getent`: entries of the node's databases of accounts, groups, hosts and the like, as facts.

use serde_json::{Map, Value as Json};

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::command::Command;
use crate::fact::{Known, Missing, Question};

/// Reads a database of the node, such as its accounts or groups, into a fact: a mapping from the first column to the list of the others. A key that
/// stands there twice has a list of lists.
///
/// # Returns
/// - `ansible_facts`: the fact `getent_DATABASE`, such as `getent_passwd`
///
/// # Examples
/// ```yaml
/// - name: the accounts of the node
///   getent: { database: passwd }
///
/// - name: where the web server is at home
///   debug: { msg: "{{ ansible_facts.getent_passwd['www-data'][4] }}" }
///
/// - name: whether there is such a group
///   getent: { database: group, key: deploy, fail_key: false }
/// ```
pub static GETENT: Kind = Kind {
    name: "getent",
    aliases: &["ansible.builtin.getent", "ansible.legacy.getent"],
    summary: "reads a database of the node (passwd, group, hosts …) into the fact `getent_DATABASE`",
    params: &[
        Param::new("database", ParamType::Choice(DATABASES), "The database.").required(),
        Param::new(
            "key",
            ParamType::Str,
            "The entry to read; all when not given.",
        ),
        Param::new(
            "service",
            ParamType::Str,
            "The source to read from, such as `files`, rather than those of /etc/nsswitch.conf.",
        ),
        Param::new(
            "split",
            ParamType::Str,
            "What separates the columns; `:` for passwd, shadow, group and gshadow, white space for the others, when not given.",
        ),
        Param::new(
            "fail_key",
            ParamType::Bool,
            "Whether it is a failure that there is no such entry; else its value is null.",
        )
        .default("true"),
    ],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

/// What `getent` of Debian knows.
pub(super) const DATABASES: &[&str] = &[
    "ahosts",
    "ahostsv4",
    "ahostsv6",
    "aliases",
    "ethers",
    "group",
    "gshadow",
    "hosts",
    "initgroups",
    "netgroup",
    "networks",
    "passwd",
    "protocols",
    "rpc",
    "services",
    "shadow",
];

/// The name of a database's fact.
pub(super) fn fact(database: &str) -> String {
    format!("getent_{database}")
}

fn bind(args: &Args) -> Bound {
    let database = args.str("database").unwrap_or_default();
    let key = args.str("key").map(str::to_owned);
    let mut command = Command::new("getent");
    if let Some(service) = args.str("service") {
        command = command.arg("-s").arg(service);
    }
    let command = command.arg("--").arg(database).args(key.clone());
    let colon = matches!(database, "passwd" | "shadow" | "group" | "gshadow");
    Ok(Box::new(Getent {
        question: format!("{command}\n{command}\nprintf '@%s' \"$?\"").into(),
        fact: fact(database),
        split: args
            .str("split")
            .map(str::to_owned)
            .or_else(|| colon.then(|| ":".to_owned())),
        fails: args.bool("fail_key", true),
        database: database.to_owned(),
        key,
    }))
}

/// A database, or one entry of it.
struct Getent {
    question: std::sync::Arc<str>,
    database: String,
    key: Option<String>,
    fact: String,
    split: Option<String>,
    fails: bool,
}

impl Resource for Getent {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(self.question.clone())])?;
        let output = String::from_utf8_lossy(known.probe(&self.question)?).into_owned();
        let (text, status) = output.rsplit_once('@').unwrap_or((&output, ""));
        let database = &self.database;
        Ok(match (status, &self.key) {
            ("0", _) => {
                let entries = entries(text, self.split.as_deref());
                let words = match entries.len() {
                    1 => "1 entry".to_owned(),
                    number => format!("{number} entries"),
                };
                Change::none(words).brings(&self.fact, Json::Object(entries))
            }
            ("2", Some(key)) if !self.fails => {
                let none = Map::from_iter([(key.clone(), Json::Null)]);
                Change::none("there is no such entry").brings(&self.fact, Json::Object(none))
            }
            ("2", Some(key)) => Change::blocked(format!("`{database}` has no entry `{key}`"))
                .help("correct the key, or write `fail_key: false` to go on without"),
            // An empty database has no entry to find.
            ("2", None) => Change::none("no entries").brings(&self.fact, Json::Object(Map::new())),
            ("3", _) => Change::failed(format!("`{database}` cannot be listed as a whole"))
                .help("give the `key` of an entry"),
            _ => Change::failed(format!("`getent {database}` failed"))
                .help("see what it says on the node"),
        })
    }
}

/// The lines by their first column.
fn entries(text: &str, split: Option<&str>) -> Map<String, Json> {
    let mut entries: Map<String, Json> = Map::new();
    let mut twice = std::collections::HashSet::new();
    for line in text.lines() {
        let mut columns: Vec<&str> = match split {
            Some(split) if !split.is_empty() => line.split(split).collect(),
            _ => line.split_whitespace().collect(),
        };
        if columns.is_empty() {
            continue;
        }
        let name = columns.remove(0);
        let rest = Json::from(columns);
        match entries.get_mut(name) {
            None => {
                entries.insert(name.to_owned(), rest);
            }
            Some(Json::Array(lists)) if twice.contains(name) => lists.push(rest),
            Some(first) => {
                twice.insert(name.to_owned());
                let one = std::mem::take(first);
                *first = Json::Array(vec![one, rest]);
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_lists_by_their_first_column() {
        let found = entries("root:x:0:0:root:/root:/bin/sh\nx::\n", Some(":"));
        assert_eq!(
            Json::Object(found),
            serde_json::json!({"root": ["x", "0", "0", "root", "/root", "/bin/sh"], "x": ["", ""]})
        );
        let found = entries("127.0.0.1  localhost\n::1 a b\n::1 c\n::1 d\n", None);
        assert_eq!(
            Json::Object(found),
            serde_json::json!({"127.0.0.1": ["localhost"], "::1": [["a", "b"], ["c"], ["d"]]})
        );
    }
}
