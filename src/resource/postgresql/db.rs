//! `postgresql_db`: a database.

use super::{
    End, LOGIN, PORT, Place, SOCKET, conn_limit, found, leaves, name, optional, refused,
    role_exists, said, server, wrong,
};
use crate::change::{Action, Change, Field};
use crate::fact::postgres::{Ask, DatabaseInfo, Found, Subject};
use crate::fact::{Known, Missing};
use crate::resource::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::sql;

/// Makes, changes and removes a database. The task runs on every node of a cluster; only the node whose server is the primary compares and
/// mends, by its own socket.
///
/// # Differs from Ansible
/// - another `login_host` than `localhost` and a `login_password` are refused: each node acts on its own server as the account `postgres`
/// - no Python library is needed on the node
///
/// # Needs
/// - PostgreSQL on the node
///
/// # Returns
/// - `db`: its name
///
/// # Examples
/// ```yaml
/// - name: the database of the application
///   postgresql_db: { name: appdb, owner: app, encoding: UTF-8 }
/// ```
pub(in crate::resource) static POSTGRESQL_DB: Kind = Kind {
    name: "postgresql_db",
    aliases: &[
        "community.postgresql.postgresql_db",
        "community.general.postgresql_db",
    ],
    summary: "makes, changes and removes a database of PostgreSQL, on the node that is the primary",
    params: &[
        Param::new("name", ParamType::Str, "The database.")
            .aliases(&["db"])
            .required(),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether it is there.",
        )
        .default("present"),
        Param::new("owner", ParamType::Str, "Its owner, which must exist."),
        Param::new(
            "template",
            ParamType::Str,
            "The database that a new one is copied from.",
        ),
        Param::new(
            "encoding",
            ParamType::Str,
            "The encoding; that of a database that is there cannot be changed.",
        ),
        Param::new(
            "lc_collate",
            ParamType::Str,
            "The order of its texts; it cannot be changed later.",
        ),
        Param::new(
            "lc_ctype",
            ParamType::Str,
            "What its letters are; it cannot be changed later.",
        ),
        Param::new("tablespace", ParamType::Str, "Where it lies."),
        Param::new(
            "conn_limit",
            ParamType::Int,
            "Connections at once; -1 for any number.",
        ),
        Param::new(
            "comment",
            ParamType::Str,
            "The comment; an empty text for none.",
        ),
        Param::new(
            "force",
            ParamType::Bool,
            "With `absent`, also when someone is connected.",
        )
        .default("false"),
        Param::new(
            "maintenance_db",
            ParamType::Str,
            "The database that the statements are run in.",
        )
        .aliases(&["login_db"])
        .default("postgres"),
        PORT,
        SOCKET,
        LOGIN,
    ],
    free_form: None,
    refused: refused![
        (
            "target",
            "dump and restore with `pg_dump` and `pg_restore` in `command` tasks"
        ),
        (
            "target_opts",
            "dump and restore with `pg_dump` and `pg_restore` in `command` tasks"
        ),
        ("dump_extra_args", "dump with `pg_dump` in a `command` task"),
        ("icu_locale", "make it with `createdb` in a `command` task"),
        (
            "locale_provider",
            "make it with `createdb` in a `command` task"
        ),
    ],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

struct Database {
    place: Place,
    name: String,
    present: bool,
    force: bool,
    template: Option<String>,
    wanted: DatabaseInfo,
}

fn bind(args: &Args) -> Bound {
    let maintenance = optional(args, "maintenance_db")?;
    let text = |param: &str| args.str(param).map(str::to_owned);
    Ok(Box::new(Database {
        place: Place::new(server(args)?, maintenance.as_deref().unwrap_or("postgres")),
        name: name(args, "name")?,
        present: args.str("state") != Some("absent"),
        force: args.bool("force", false),
        template: optional(args, "template")?,
        wanted: DatabaseInfo {
            owner: optional(args, "owner")?,
            encoding: text("encoding"),
            lc_collate: text("lc_collate"),
            lc_ctype: text("lc_ctype"),
            tablespace: optional(args, "tablespace")?,
            conn_limit: conn_limit(args)?,
            comment: text("comment"),
        },
    }))
}

/// `UTF-8` and `utf8` are one encoding, `en_US.UTF-8` and `en_US.utf8` one locale.
fn essence(name: &str) -> String {
    let plain = name.chars().filter(|c| !matches!(c, '-' | '_'));
    let plain: String = plain.collect::<String>().to_ascii_lowercase();
    if plain == "unicode" {
        return "utf8".to_owned();
    }
    plain
}

impl Resource for Database {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        said(self.compare(known))
    }
}

impl Database {
    fn compare(&self, known: &Known) -> Result<Change, End> {
        let ask = self.place.ask(Subject::Database(self.name.clone()));
        let owner = self.wanted.owner.as_ref().filter(|_| self.present);
        let mut questions = vec![ask.question()];
        questions.extend(owner.map(|owner| self.place.role(owner).question()));
        known.need(questions)?;
        let Found::Database(info) = found(known, &ask)? else {
            return Ok(Change::none(""));
        };
        if !self.present {
            return Ok(self.absent(&ask, info.is_some()));
        }
        if let Some(owner) = owner {
            role_exists(known, &self.place, owner)?;
        }
        let change = match info {
            None => self.creation(&ask),
            Some(info) => self.update(&ask, info)?,
        };
        Ok(change.result("db", self.name.as_str()))
    }

    fn absent(&self, ask: &Ask, is_there: bool) -> Change {
        let change = Change::none("there is no such database").result("db", self.name.as_str());
        if !is_there {
            return change;
        }
        let mut change = change
            .field(Field::value("state", "present", "absent"))
            .reason("");
        change.action = Action::Delete;
        let force = if self.force { " WITH (FORCE)" } else { "" };
        let statements = [format!("DROP DATABASE {}{force}", sql::name(&self.name))];
        let left = format!(
            "SELECT 'state' FROM pg_database WHERE datname = {}",
            sql::text(&self.name)
        );
        let title = format!("remove database {}", self.name);
        let step = self.place.step(title, &statements, false, &left);
        change.step(leaves(step, ask, Found::Database(None)))
    }

    fn creation(&self, ask: &Ask) -> Change {
        let wanted = &self.wanted;
        let mut change =
            Change::new(Action::Create).field(Field::value("state", "absent", "present"));
        let mut statement = format!("CREATE DATABASE {}", sql::name(&self.name));
        let names = [
            ("owner", "OWNER", &wanted.owner),
            ("template", "TEMPLATE", &self.template),
            ("tablespace", "TABLESPACE", &wanted.tablespace),
        ];
        let texts = [
            ("encoding", "ENCODING", &wanted.encoding),
            ("lc_collate", "LC_COLLATE", &wanted.lc_collate),
            ("lc_ctype", "LC_CTYPE", &wanted.lc_ctype),
        ];
        let names = names.map(|(field, word, value)| (field, word, value, true));
        let texts = texts.map(|(field, word, value)| (field, word, value, false));
        for (field, word, value, is_name) in names.into_iter().chain(texts) {
            let Some(value) = value else { continue };
            let quoted = match is_name {
                true => sql::name(value),
                false => sql::text(value),
            };
            statement.push_str(&format!(" {word} {quoted}"));
            change = change.field(Field::value(field, "", value.as_str()));
        }
        if let Some(limit) = wanted.conn_limit {
            statement.push_str(&format!(" CONNECTION LIMIT {limit}"));
            change = change.field(Field::value("conn_limit", "", limit.to_string()));
        }
        let mut statements = vec![statement];
        if let Some(comment) = wanted
            .comment
            .as_deref()
            .filter(|comment| !comment.is_empty())
        {
            statements.push(self.comment(comment));
            change = change.field(Field::value("comment", "", comment));
        }
        self.written(change, ask, "make", &statements, wanted.clone())
    }

    fn comment(&self, comment: &str) -> String {
        let text = match comment {
            "" => "NULL".to_owned(),
            comment => sql::text(comment),
        };
        format!("COMMENT ON DATABASE {} IS {text}", sql::name(&self.name))
    }

    fn update(&self, ask: &Ask, info: &DatabaseInfo) -> Result<Change, End> {
        let wanted = &self.wanted;
        for (field, wanted, found) in [
            ("encoding", &wanted.encoding, &info.encoding),
            ("lc_collate", &wanted.lc_collate, &info.lc_collate),
            ("lc_ctype", &wanted.lc_ctype, &info.lc_ctype),
        ] {
            if let (Some(wanted), Some(found)) = (wanted, found)
                && essence(wanted) != essence(found)
            {
                let words = format!(
                    "`{field}` of database `{}` is {found}, not {wanted}",
                    self.name
                );
                return Err(Change::failed(words)
                    .help("PostgreSQL cannot change it: dump the database, remove it and make it anew")
                    .into());
            }
        }
        let mut change = Change::none("the database is as wanted");
        let mut after = info.clone();
        let mut statements = Vec::new();
        let alter = format!("ALTER DATABASE {}", sql::name(&self.name));
        for (field, clause, wanted, found) in [
            ("owner", "OWNER TO", &wanted.owner, &mut after.owner),
            (
                "tablespace",
                "SET TABLESPACE",
                &wanted.tablespace,
                &mut after.tablespace,
            ),
        ] {
            let Some(wanted) = wanted else { continue };
            if found.as_ref() != Some(wanted) {
                let before = found.replace(wanted.clone()).unwrap_or_default();
                change = change.field(Field::value(field, before, wanted.as_str()));
                statements.push(format!("{alter} {clause} {}", sql::name(wanted)));
            }
        }
        if let Some(limit) = wanted.conn_limit
            && info.conn_limit.unwrap_or(-1) != limit
        {
            let before = info.conn_limit.unwrap_or(-1).to_string();
            change = change.field(Field::value("conn_limit", before, limit.to_string()));
            statements.push(format!("{alter} CONNECTION LIMIT {limit}"));
            after.conn_limit = Some(limit);
        }
        if let Some(comment) = &wanted.comment
            && info.comment.as_deref().unwrap_or_default() != comment
        {
            let before = info.comment.clone().unwrap_or_default();
            change = change.field(Field::value("comment", before, comment.as_str()));
            statements.push(self.comment(comment));
            after.comment = Some(comment.clone());
        }
        if statements.is_empty() {
            return Ok(change);
        }
        change.action = Action::Update;
        Ok(self.written(change.reason(""), ask, "change", &statements, after))
    }

    fn written(
        &self,
        change: Change,
        ask: &Ask,
        verb: &str,
        statements: &[String],
        after: DatabaseInfo,
    ) -> Change {
        let wanted = &self.wanted;
        let mut conditions = vec![("state", "true".to_owned())];
        let mut holds = |field, column: &str, value: &Option<String>| {
            if let Some(value) = value {
                conditions.push((field, format!("{column} = {}", sql::text(value))));
            }
        };
        holds("owner", "pg_get_userbyid(datdba)", &wanted.owner);
        holds(
            "tablespace",
            "(SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace)",
            &wanted.tablespace,
        );
        holds(
            "comment",
            "coalesce(shobj_description(oid, 'pg_database'), '')",
            &wanted.comment,
        );
        if let Some(limit) = wanted.conn_limit {
            conditions.push(("conn_limit", format!("datconnlimit = {limit}")));
        }
        let row = format!("pg_database WHERE datname = {}", sql::text(&self.name));
        let title = format!("{verb} database {}", self.name);
        let wrong = wrong(&row, &conditions);
        let step = self.place.step(title, statements, false, &wrong);
        change.step(leaves(step, ask, Found::Database(Some(after))))
    }
}
