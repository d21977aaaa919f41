//! What stands in PostgreSQL: databases, roles, privileges, extensions. A task runs on every node of a cluster, and only on the node that is
//! the primary is anything done: what stands there comes to the standbys by itself.

pub(super) mod db;
pub(super) mod ext;
mod grants;
pub(super) mod privs;
mod scram;
pub(super) mod user;

use std::sync::Arc;

use super::{Args, Param, ParamType};
use crate::change::{Change, Content, Expect, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::postgres::{Ask, Found, Server, Subject};
use crate::fact::{Answer, Known, Missing, PostgresReply, Question};
use crate::sql;

/// Parameters of all four kinds.
const PORT: Param = Param::new("login_port", ParamType::Int, "The server's port.")
    .aliases(&["port"])
    .default("5432");
const SOCKET: Param = Param::new(
    "login_unix_socket",
    ParamType::Path,
    "The folder of the server's socket.",
)
.aliases(&["unix_socket"])
.default("/var/run/postgresql");
const LOGIN: Param = Param::new(
    "login_user",
    ParamType::Str,
    "The role that acts, from the account of the same name.",
)
.aliases(&["login"])
.default("postgres");

/// What no kind takes, and a kind's own.
macro_rules! refused {
    ($($own:expr),* $(,)?) => {
        &[
            ("login_host", "the task acts on the node's own server, through its socket; leave it out"),
            ("host", "the task acts on the node's own server, through its socket; leave it out"),
            ("login_password", "the account `postgres` of the node needs no password; leave it out"),
            ("session_role", "name the role that acts with `login_user`"),
            ("trust_input", "every name and value is quoted; leave it out"),
            ("ssl_mode", "the task goes through the socket; leave it out"),
            ("ca_cert", "the task goes through the socket; leave it out"),
            ("ssl_rootcert", "the task goes through the socket; leave it out"),
            ("ssl_cert", "the task goes through the socket; leave it out"),
            ("ssl_key", "the task goes through the socket; leave it out"),
            ("connect_params", "the task goes through the socket; leave it out"),
            $($own),*
        ]
    };
}
use refused;

/// Said by every node but the primary.
const STANDBY: &str = "standby: the primary does it";

const MASKED: &str = "(masked)";

/// Why a diff ends before its comparison.
enum End {
    /// Something is to be asked first.
    Missing(Missing),
    /// This is all there is to say.
    Change(Box<Change>),
}

impl From<Missing> for End {
    fn from(missing: Missing) -> End {
        End::Missing(missing)
    }
}

impl From<Change> for End {
    fn from(change: Change) -> End {
        End::Change(Box::new(change))
    }
}

/// What a diff says, however it ended.
fn said(change: Result<Change, End>) -> Result<Change, Missing> {
    match change {
        Ok(change) => Ok(change),
        Err(End::Change(change)) => Ok(*change),
        Err(End::Missing(missing)) => Err(missing),
    }
}

/// The server of a task.
fn server(args: &Args) -> Result<Server, Diagnostic> {
    let port = match args.int("login_port") {
        None | Some(5432) => None,
        Some(port) => match u16::try_from(port) {
            Ok(port) if port > 0 => Some(port),
            _ => {
                let words = format!("`{port}` is no port");
                return Err(Diagnostic::at(args.value_place("login_port"), words));
            }
        },
    };
    let given = |param: &str, default: &str| {
        let value = args.str(param).map(|value| value.trim_end_matches('/'));
        value
            .filter(|value| !value.is_empty() && *value != default)
            .map(str::to_owned)
    };
    Ok(Server {
        port,
        socket: given("login_unix_socket", "/var/run/postgresql"),
        login: given("login_user", "postgres"),
    })
}

/// A name that the server takes as it is.
fn name(args: &Args, param: &str) -> Result<String, Diagnostic> {
    let name = args.str(param).unwrap_or_default();
    checked(name).map_err(|words| Diagnostic::at(args.value_place(param), words))?;
    Ok(name.to_owned())
}

/// A name that need not be given.
fn optional(args: &Args, param: &str) -> Result<Option<String>, Diagnostic> {
    match args.has(param) {
        true => name(args, param).map(Some),
        false => Ok(None),
    }
}

fn checked(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains('\0') {
        return Err("a name in PostgreSQL has at least one letter".to_owned());
    }
    if name.len() > sql::LONGEST_NAME {
        let most = sql::LONGEST_NAME;
        return Err(format!(
            "`{name}` is longer than {most} bytes, and PostgreSQL would cut it"
        ));
    }
    Ok(())
}

/// A place where SQL is run.
#[derive(Clone)]
struct Place {
    server: Server,
    /// None for `postgres`.
    db: Option<String>,
}

impl Place {
    fn new(server: Server, db: &str) -> Place {
        Place {
            server,
            db: (db != "postgres").then(|| db.to_owned()),
        }
    }

    /// The server's own business, asked in `postgres`.
    fn whole(&self) -> Place {
        Place {
            server: self.server.clone(),
            db: None,
        }
    }

    fn ask(&self, subject: Subject) -> Ask {
        Ask {
            server: self.server.clone(),
            db: self.db.clone(),
            subject,
        }
    }

    fn role(&self, name: &str) -> Ask {
        self.whole().ask(Subject::Role(name.to_owned()))
    }

    fn session(&self, options: &str, seconds: Option<u64>) -> String {
        let db = self.db.as_deref().unwrap_or("postgres");
        self.server.session(db, options, seconds)
    }

    /// A step that runs these statements, all or none in a `transaction`, while the node is the primary. Behind it, the query `wrong` must find nothing.
    fn step(&self, title: String, statements: &[String], transaction: bool, wrong: &str) -> Step {
        let mut text = "SET lock_timeout = '60s';\n".to_owned();
        for statement in statements {
            text.push_str(statement);
            text.push_str(";\n");
        }
        let options = match transaction {
            true => "-v ON_ERROR_STOP=1 -1 -f -",
            false => "-v ON_ERROR_STOP=1 -f -",
        };
        let asked = self.session("", Some(30));
        let wrong = format!("SET search_path = pg_catalog, pg_temp;\n{wrong};\n");
        // What went wrong stands last, behind its details.
        let script = format!(
            "said=$( {} <\"$IN1\" 2>&1) || {{ status=$?\n\
             printf '%s\\n' \"$said\" | awk '{{ sub(/^psql:<stdin>:[0-9]+: /, \"\") }} /^ERROR:/ {{ sub(/^ERROR: */, \"\"); e = e $0 \"\\n\"; next }} {{ print }} END {{ printf \"%s\", e }}' >&2\n\
             (exit $status); }}",
            self.session(options, None)
        );
        Step::new(title, script)
            .input(Content::Bytes(text.into_bytes().into()))
            .before(Expect::Check {
                field: "primary".to_owned(),
                script: format!(
                    "found=$(printf 'SELECT NOT pg_is_in_recovery();\\n' | {asked})\n[ \"$found\" = t ] || {{ printf standby; exit 1; }}"
                ),
            })
            .verify(Expect::Check {
                field: "PostgreSQL".to_owned(),
                script: format!(
                    "found=$(printf %s {} | {asked} 2>&1) && [ -z \"$found\" ] || {{ printf %s \"$found\"; exit 1; }}",
                    quote(&wrong)
                ),
            })
    }
}

/// The step alters what `ask` asks, and then this is the answer.
fn leaves(step: Step, ask: &Ask, found: Found) -> Step {
    let question = ask.question();
    let Question::Postgres(key) = &question else {
        return step;
    };
    step.touch(Touch::Postgres(key.to_string()))
        .predict(question, Answer::Postgres(PostgresReply::Found(found)))
}

/// What the primary says; a standby, silence and a refusal end the diff.
fn found<'k>(known: &'k Known, ask: &Ask) -> Result<&'k Found, End> {
    let change = match known.postgres(ask)? {
        PostgresReply::Found(found) => return Ok(found),
        PostgresReply::Standby => Change::none(STANDBY).result("msg", STANDBY),
        PostgresReply::Silent(why) => {
            let server = &ask.server;
            let port = server.port.unwrap_or(5432);
            let socket = server.socket.as_deref().unwrap_or("/var/run/postgresql");
            let login = server.login.as_deref().unwrap_or("postgres");
            Change::blocked(format!("no PostgreSQL server answers on the node: {why}")).help(format!(
                "it is asked as `{login}` through the socket in {socket}, port {port}: install and start it before this task, and act as root (`become: true`)"
            ))
        }
        PostgresReply::Refused(why) => Change::failed(format!("PostgreSQL does not answer: {why}")),
    };
    Err(change.into())
}

/// That the database is there.
fn database_exists(known: &Known, place: &Place) -> Result<(), End> {
    let Some(db) = &place.db else { return Ok(()) };
    match found(known, &database(place, db))? {
        Found::Database(Some(_)) => Ok(()),
        _ => Err(Change::blocked(format!("there is no database `{db}`"))
            .help("make it with a `postgresql_db` task before this one")
            .into()),
    }
}

fn database(place: &Place, name: &str) -> Ask {
    place.whole().ask(Subject::Database(name.to_owned()))
}

/// That the role is there.
fn role_exists(known: &Known, place: &Place, role: &str) -> Result<(), End> {
    match found(known, &place.role(role))? {
        Found::Role(None) => Err(Change::blocked(format!("there is no role `{role}`"))
            .help("make it with a `postgresql_user` task before this one")
            .into()),
        _ => Ok(()),
    }
}

/// The query for the names of those conditions that do not hold in the one row of `from`.
fn wrong(from: &str, conditions: &[(&str, String)]) -> String {
    let rows: Vec<String> = conditions
        .iter()
        .map(|(field, holds)| format!("({}, (SELECT {holds} FROM {from}))", sql::text(field)))
        .collect();
    format!(
        "SELECT field FROM (VALUES {}) v(field, holds) WHERE holds IS NOT TRUE",
        rows.join(", ")
    )
}

/// `conn_limit`, whole numbers from -1.
fn conn_limit(args: &Args) -> Result<Option<i64>, Diagnostic> {
    match args.int("conn_limit") {
        Some(limit) if !(-1..=i64::from(i32::MAX)).contains(&limit) => {
            let words = format!("`{limit}` is no number of connections");
            Err(Diagnostic::at(args.value_place("conn_limit"), words)
                .help("-1 stands for any number"))
        }
        limit => Ok(limit),
    }
}

/// An answer that is a text.
fn text_of(found: &Found) -> Arc<str> {
    match found {
        Found::Text(text) => text.clone(),
        _ => "".into(),
    }
}
