//! `postgresql_ext`: an extension in a database.

use super::{
    End, LOGIN, PORT, Place, SOCKET, database, database_exists, found, leaves, name, optional,
    refused, said, server, wrong,
};
use crate::change::{Action, Change, Field};
use crate::fact::postgres::{Ask, ExtensionInfo, Found, Subject};
use crate::fact::{Known, Missing};
use crate::resource::{Kind, Param, ParamType, Resource};
use crate::sql;

/// Adds, updates and removes an extension. The task runs on every node of a cluster; only the node whose server is the primary compares and
/// mends, by its own socket.
///
/// # Differs from Ansible
/// - another `login_host` than `localhost` and a `login_password` are refused: each node acts on its own server as the account `postgres`
/// - no Python library is needed on the node
///
/// # Needs
/// - PostgreSQL on the node, and the package of the extension
///
/// # Returns
/// - `ext`: its name
///
/// # Examples
/// ```yaml
/// - name: search in texts
///   postgresql_ext: { name: pg_trgm, db: appdb }
/// ```
pub(in crate::resource) static POSTGRESQL_EXT: Kind = Kind {
    name: "postgresql_ext",
    aliases: &["community.postgresql.postgresql_ext", "community.general.postgresql_ext"],
    summary: "adds, updates and removes an extension in a database of PostgreSQL, on the node that is the primary",
    params: &[
        Param::new("name", ParamType::Str, "The extension.").aliases(&["ext"]).required(),
        Param::new("db", ParamType::Str, "The database, which must exist.").aliases(&["login_db"]).required(),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether it is there.").default("present"),
        Param::new("version", ParamType::Str, "The version; `latest` also updates one that is there. One that is there stays as it is when not given."),
        Param::new("schema", ParamType::Str, "The schema that holds it."),
        Param::new("cascade", ParamType::Bool, "Whether those it depends on are added too; with `absent`, what depends on it is removed.").default("false"),
        PORT,
        SOCKET,
        LOGIN,
    ],
    free_form: None,
    refused: refused![(
        "comment",
        "run `COMMENT ON EXTENSION` with a `command` task"
    )],
    check: |_| Vec::new(),
    bind: |args, _| {
        Ok(Box::new(Extension {
            place: Place::new(server(args)?, &name(args, "db")?),
            name: name(args, "name")?,
            present: args.str("state") != Some("absent"),
            version: args.str("version").map(str::to_owned),
            schema: optional(args, "schema")?,
            cascade: args.bool("cascade", false),
        }))
    },
};

struct Extension {
    place: Place,
    name: String,
    present: bool,
    version: Option<String>,
    schema: Option<String>,
    cascade: bool,
}

impl Resource for Extension {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        said(self.compare(known))
    }
}

impl Extension {
    fn compare(&self, known: &Known) -> Result<Change, End> {
        let ask = self.place.ask(Subject::Extension(self.name.clone()));
        let mut questions = vec![ask.question()];
        if let Some(db) = &self.place.db {
            questions.push(database(&self.place, db).question());
        }
        known.need(questions)?;
        database_exists(known, &self.place)?;
        let Found::Extension(info) = found(known, &ask)? else {
            return Ok(Change::none(""));
        };
        let change = match (&info.installed, self.present) {
            (None, false) => Change::none("the extension is not there"),
            (Some(_), false) => self.absent(&ask, info),
            (None, true) => self.creation(&ask, info),
            (Some(installed), true) => self.update(&ask, info, installed),
        };
        Ok(change.result("ext", self.name.as_str()))
    }

    fn absent(&self, ask: &Ask, info: &ExtensionInfo) -> Change {
        let cascade = if self.cascade { " CASCADE" } else { "" };
        let statements = [format!("DROP EXTENSION {}{cascade}", sql::name(&self.name))];
        let left = format!(
            "SELECT 'state' FROM pg_extension WHERE extname = {}",
            sql::text(&self.name)
        );
        let after = ExtensionInfo {
            installed: None,
            schema: None,
            updates: Vec::new(),
            ..info.clone()
        };
        let title = format!("remove extension {}", self.name);
        let step = self.place.step(title, &statements, true, &left);
        Change::new(Action::Delete)
            .field(Field::value("state", "present", "absent"))
            .step(leaves(step, ask, Found::Extension(after)))
    }

    /// The version to be there; none for any.
    fn wanted<'a>(&'a self, info: &'a ExtensionInfo) -> Option<&'a str> {
        match self.version.as_deref() {
            Some("latest") => info.default.as_deref(),
            version => version,
        }
    }

    fn creation(&self, ask: &Ask, info: &ExtensionInfo) -> Change {
        let name = &self.name;
        let wanted = self.wanted(info);
        let Some(default) = &info.default else {
            return Change::blocked(format!("the server has no extension `{name}`"))
                .help("install the Debian package that brings it before this task");
        };
        if let Some(wanted) = wanted.filter(|wanted| !info.versions.iter().any(|it| it == wanted)) {
            let versions = info.versions.join(", ");
            return Change::blocked(format!("the server has no version {wanted} of `{name}`"))
                .help(format!("it has {versions}"));
        }
        let mut statement = format!("CREATE EXTENSION {}", sql::name(name));
        let version = wanted.unwrap_or(default);
        let mut change = Change::new(Action::Create)
            .field(Field::value("state", "absent", "present"))
            .field(Field::value("version", "", version));
        if let Some(schema) = &self.schema {
            statement.push_str(&format!(" WITH SCHEMA {}", sql::name(schema)));
            change = change.field(Field::value("schema", "", schema.as_str()));
        }
        if let Some(wanted) = wanted {
            statement.push_str(&format!(" VERSION {}", sql::name(wanted)));
        }
        if self.cascade {
            statement.push_str(" CASCADE");
        }
        self.written(change, ask, "add", &[statement], info, version)
    }

    fn update(&self, ask: &Ask, info: &ExtensionInfo, installed: &str) -> Change {
        let mut statements = Vec::new();
        let mut change = Change::none("the extension is as wanted");
        let alter = format!("ALTER EXTENSION {}", sql::name(&self.name));
        let version = self.wanted(info).unwrap_or(installed);
        if version != installed {
            if !info.updates.iter().any(|update| update == version) {
                let name = &self.name;
                let words = format!("`{name}` {installed} cannot be updated to version {version}");
                let help = match info.updates.join(", ") {
                    updates if updates.is_empty() => "there is no update for it".to_owned(),
                    updates => format!("it can be updated to {updates}"),
                };
                return Change::blocked(words).help(help);
            }
            change = change.field(Field::value("version", installed, version));
            statements.push(format!("{alter} UPDATE TO {}", sql::name(version)));
        }
        if let (Some(wanted), Some(schema)) = (&self.schema, &info.schema)
            && wanted != schema
        {
            change = change.field(Field::value("schema", schema.as_str(), wanted.as_str()));
            statements.push(format!("{alter} SET SCHEMA {}", sql::name(wanted)));
        }
        if statements.is_empty() {
            return change;
        }
        change.action = Action::Update;
        self.written(change.reason(""), ask, "change", &statements, info, version)
    }

    fn written(
        &self,
        change: Change,
        ask: &Ask,
        verb: &str,
        statements: &[String],
        info: &ExtensionInfo,
        version: &str,
    ) -> Change {
        let mut conditions = vec![("version", format!("extversion = {}", sql::text(version)))];
        if let Some(schema) = &self.schema {
            let space = "(SELECT nspname FROM pg_namespace n WHERE n.oid = extnamespace)";
            conditions.push(("schema", format!("{space} = {}", sql::text(schema))));
        }
        let row = format!("pg_extension WHERE extname = {}", sql::text(&self.name));
        let after = ExtensionInfo {
            installed: Some(version.to_owned()),
            schema: self.schema.clone().or(info.schema.clone()),
            ..info.clone()
        };
        let title = format!("{verb} extension {}", self.name);
        let wrong = wrong(&row, &conditions);
        let step = self.place.step(title, statements, true, &wrong);
        change.step(leaves(step, ask, Found::Extension(after)))
    }
}
