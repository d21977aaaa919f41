//! Questions to the node's PostgreSQL: whether it is the primary, and what stands in it. One `psql` a database answers all.

mod ask;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, FactError, Question};
use crate::command::quote;
use crate::sql;

pub use ask::{differences, grants};

/// What is asked, of which server. Its key is its JSON; what is not given is the default of PostgreSQL and Debian.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The server.
    #[serde(flatten)]
    pub server: Server,
    /// The database that is asked; `postgres` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db: Option<String>,
    /// What is asked.
    #[serde(flatten)]
    pub subject: Subject,
}

/// A server of the node, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Server {
    /// 5432 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The folder of its socket; `/var/run/postgresql` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// The role that asks, from the account of the same name; `postgres` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A role.
    Role(String),
    /// A database.
    Database(String),
    /// An extension in the asked database.
    Extension(String),
    /// A point in time, as the server writes it.
    Time(String),
    /// Random letters, for a role's new password.
    Salt(String),
    /// Who is a member of a role.
    Members(String),
    /// Privileges in the asked database.
    Acl(Objects),
}

/// Things that have privileges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Objects {
    /// What they are.
    pub kind: ObjectKind,
    /// The schema they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Their names; none for all in the schema. Of functions with the types of their arguments; of defaults `TABLES` and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whose future objects are meant, for defaults; none for those of who asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
}

/// What has privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// Tables, views, and what else is used as one.
    Table,
    /// Sequences.
    Sequence,
    /// Functions.
    Function,
    /// Schemas.
    Schema,
    /// Databases.
    Database,
    /// What future objects begin with.
    Default,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum PostgresReply {
    /// No server answers, and why.
    Silent(Arc<str>),
    /// The server is a standby: what stands in it is the primary's business.
    Standby,
    /// The server is the primary and could not answer this, and why.
    Refused(Arc<str>),
    /// The primary's answer.
    Found(Found),
}

/// The primary's answer; the variant is the subject's.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// None when there is no such role.
    Role(Option<RoleInfo>),
    /// None when there is no such database.
    Database(Option<DatabaseInfo>),
    /// An extension.
    Extension(ExtensionInfo),
    /// A time as the server writes it, or a salt.
    Text(Arc<str>),
    /// The members, and whether they may make others.
    Members(BTreeMap<String, bool>),
    /// Privileges.
    Acl(AclInfo),
}

/// A role.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct RoleInfo {
    /// `LOGIN`, `CREATEDB` …: those it has.
    pub attributes: Vec<String>,
    /// Connections at once; -1 for any number.
    pub conn_limit: i64,
    /// When its password ends, as the server writes it.
    pub expires: Option<String>,
    /// What its password is compared with. Never shown.
    pub password: Option<String>,
    /// The comment.
    pub comment: Option<String>,
}

impl Default for RoleInfo {
    /// What `CREATE USER` makes.
    fn default() -> RoleInfo {
        RoleInfo {
            attributes: vec!["INHERIT".to_owned(), "LOGIN".to_owned()],
            conn_limit: -1,
            expires: None,
            password: None,
            comment: None,
        }
    }
}

impl fmt::Debug for RoleInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleInfo")
            .field("attributes", &self.attributes)
            .field("conn_limit", &self.conn_limit)
            .field("expires", &self.expires)
            .field("comment", &self.comment)
            .finish_non_exhaustive()
    }
}

/// A database. In a prediction, what nobody chose is none.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct DatabaseInfo {
    /// Its owner.
    pub owner: Option<String>,
    /// `UTF8` …
    pub encoding: Option<String>,
    /// The order of its texts.
    pub lc_collate: Option<String>,
    /// What its letters are.
    pub lc_ctype: Option<String>,
    /// Where it lies.
    pub tablespace: Option<String>,
    /// Connections at once; -1 for any number.
    pub conn_limit: Option<i64>,
    /// The comment.
    pub comment: Option<String>,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ExtensionInfo {
    /// The version in the database; none when it is not there.
    pub installed: Option<String>,
    /// Its schema.
    pub schema: Option<String>,
    /// The version that is taken when none is named; none when the server's packages do not bring it.
    pub default: Option<String>,
    /// All versions that the server's packages bring.
    pub versions: Vec<String>,
    /// Those that the installed one can be updated to.
    pub updates: Vec<String>,
}

/// Privileges.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct AclInfo {
    /// Whether the schema is there; true when none is named.
    #[serde(default)]
    pub schema: bool,
    /// The objects that are there.
    #[serde(default)]
    pub objects: Vec<ObjectAcl>,
}

/// Who may do what with one object.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ObjectAcl {
    /// As it was asked for.
    pub name: String,
    /// As SQL names it.
    pub sql: String,
    /// Who owns it; of defaults, whose objects are meant.
    pub owner: String,
    /// All privileges that it knows.
    pub all: Vec<String>,
    /// What is granted.
    pub grants: Vec<Grant>,
}

/// One privilege of one role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// The role; `PUBLIC` for all.
    pub to: String,
    /// `SELECT` …
    pub privilege: String,
    /// Whether the role may grant it to others.
    #[serde(default)]
    pub grantable: bool,
}

impl Ask {
    /// The question.
    pub fn question(&self) -> Question {
        let key = serde_json::to_string(self).unwrap_or_default();
        Question::Postgres(key.into())
    }

    fn parse(key: &str) -> Option<Ask> {
        serde_json::from_str(key).ok()
    }

    /// The answer in what the server printed, or a case wrote down.
    pub fn found(&self, value: Value) -> Result<Found, serde_json::Error> {
        use serde_json::from_value;
        Ok(match &self.subject {
            Subject::Role(_) => Found::Role(from_value(value)?),
            Subject::Database(_) => Found::Database(from_value(value)?),
            Subject::Extension(_) => Found::Extension(from_value(value)?),
            Subject::Time(_) | Subject::Salt(_) => Found::Text(from_value::<String>(value)?.into()),
            Subject::Members(_) => Found::Members(from_value(value)?),
            Subject::Acl(_) => Found::Acl(from_value(value)?),
        })
    }

    fn database(&self) -> &str {
        self.db.as_deref().unwrap_or("postgres")
    }

    /// Whether an effect on what this asks makes the answer to `other` uncertain.
    fn moves(&self, other: &Ask) -> bool {
        use Subject::{Acl, Database, Extension, Members, Role, Salt, Time};
        let place = |ask: &Ask| (ask.server.port, ask.server.socket.clone());
        if place(self) != place(other) || matches!(other.subject, Time(_) | Salt(_)) {
            return false;
        }
        let databases =
            matches!(&other.subject, Acl(objects) if objects.kind == ObjectKind::Database);
        match (&self.subject, &other.subject) {
            (Role(own), Role(name)) | (Members(own), Members(name)) => own == name,
            (Role(_), Members(_) | Acl(_)) => true,
            (Database(own), Database(name)) => own == name,
            (Database(own), _) => own == other.database() || databases,
            (Extension(_), Extension(_) | Acl(_)) => self.database() == other.database(),
            (Acl(_), Acl(_)) => databases || self.database() == other.database(),
            _ => false,
        }
    }
}

/// Whether an effect on what `touched` asks makes the answer to `asked` uncertain.
pub(super) fn moves(touched: &str, asked: &str) -> bool {
    match (Ask::parse(touched), Ask::parse(asked)) {
        (Some(touched), Some(asked)) => touched.moves(&asked),
        _ => true,
    }
}

impl Server {
    /// The shell text of a session with that database: SQL comes by standard input, so that it stands in no list of processes. `options`
    /// are psql's; a session that only asks ends within `seconds`.
    pub fn session(&self, database: &str, options: &str, seconds: Option<u64>) -> String {
        let login = quote(self.login.as_deref().unwrap_or("postgres"));
        let timeout = seconds.map(|seconds| format!("timeout {seconds} "));
        format!(
            "(cd / || exit; export PGCONNECT_TIMEOUT=5 PGCLIENTENCODING=UTF8; if [ \"$(id -un)\" = {login} ]; then set --; else set -- runuser -u {login} --; fi\n\
             exec {}\"$@\" psql -XAtqw {options} -h {} -p {} -U {login} -d {})",
            timeout.unwrap_or_default(),
            quote(self.socket.as_deref().unwrap_or("/var/run/postgresql")),
            self.port.unwrap_or(5432),
            quote(&sql::connection(database)),
        )
    }
}

/// Seconds that a session waits for its answers.
const PATIENCE: u64 = 30;

/// Said when there is no psql; a server cannot be there without.
const NO_PSQL: &str = "there is no `psql`";

/// Keys by server and database, with their places in the list of keys.
fn sessions(keys: &[&str]) -> Vec<(Ask, Vec<(usize, Ask)>)> {
    let mut sessions: Vec<(Ask, Vec<(usize, Ask)>)> = Vec::new();
    for (index, ask) in keys.iter().map(|key| Ask::parse(key)).enumerate() {
        let Some(ask) = ask else { continue };
        let same = |(first, _): &&mut (Ask, Vec<(usize, Ask)>)| {
            first.server == ask.server && first.database() == ask.database()
        };
        match sessions.iter_mut().find(same) {
            Some((_, asks)) => asks.push((index, ask)),
            None => sessions.push((ask.clone(), vec![(index, ask)])),
        }
    }
    sessions
}

/// A server that has just been started is waited for.
pub(super) fn postgres_script(keys: &[&str]) -> String {
    let mut script = String::new();
    for (number, (first, asks)) in sessions(keys).into_iter().enumerate() {
        let mut text = "SET standard_conforming_strings = on;\nSET search_path = pg_catalog, pg_temp;\nSET statement_timeout = '20s';\n\
             SELECT pg_is_in_recovery() AS standby \\gset\n\\if :standby\n\\echo @standby\n\\else\n\\echo @primary\n"
            .to_owned();
        for (index, ask) in asks {
            let _ = writeln!(
                text,
                "\\echo @answer {index}\n{};",
                ask::select(&ask.subject)
            );
        }
        text.push_str("\\endif\n");
        let session = first.server.session(first.database(), "", Some(PATIENCE));
        let _ = write!(
            script,
            "q={}\nfor i in 1 2 3 4 5 6 7 8 9 10; do if command -v psql >/dev/null; then\no=$(printf %s \"$q\" | {session} 2>&1)\nelse o={}; fi\n\
             case $o in psql:*'starting up'*) sleep 1 ;; *) break ;; esac; done\nprintf '@session {number}\\n%s\\n' \"$o\"\n",
            quote(&text),
            quote(NO_PSQL),
        );
    }
    script
}

pub(super) fn parse_postgres(
    keys: &[&str],
    body: &[u8],
) -> Result<Vec<(Question, Answer)>, FactError> {
    let text = String::from_utf8_lossy(body);
    let mut answers = Vec::new();
    for (number, (_, asks)) in sessions(keys).into_iter().enumerate() {
        let mark = format!("@session {number}");
        let lines: Vec<&str> = text
            .lines()
            .skip_while(|line| *line != mark)
            .skip(1)
            .take_while(|line| !line.starts_with("@session "))
            .collect();
        for (index, ask) in asks {
            let reply = reply(index, &ask, &lines);
            answers.push((
                Question::Postgres(keys[index].into()),
                Answer::Postgres(reply),
            ));
        }
    }
    Ok(answers)
}

/// What a session printed for one of its questions.
fn reply(index: usize, ask: &Ask, lines: &[&str]) -> PostgresReply {
    let first = |lines: &[&str]| -> Arc<str> {
        let line = lines
            .iter()
            .map(|line| line.trim())
            .find(|line| !line.is_empty());
        let line = line.unwrap_or("it said nothing in time");
        let line = line.strip_prefix("psql: ").unwrap_or(line);
        line.strip_prefix("error: ").unwrap_or(line).into()
    };
    if lines.contains(&"@standby") {
        return PostgresReply::Standby;
    }
    if !lines.contains(&"@primary") {
        return PostgresReply::Silent(first(lines));
    }
    let mark = format!("@answer {index}");
    let said: Vec<&str> = lines
        .iter()
        .copied()
        .skip_while(|line| *line != mark)
        .skip(1)
        .take_while(|line| !line.starts_with("@answer "))
        .collect();
    // A notice may stand before it.
    let found = said.iter().rev().find_map(|line| {
        let value = serde_json::from_str(line).ok()?;
        ask.found(value).ok()
    });
    match found {
        Some(found) => PostgresReply::Found(found),
        None => PostgresReply::Refused(first(&said)),
    }
}
