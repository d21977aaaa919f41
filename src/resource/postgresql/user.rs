//! `postgresql_user`: a role.

mod attributes;

use self::attributes::flags;
use super::scram::Password;
use super::{
    End, LOGIN, MASKED, PORT, Place, SOCKET, conn_limit, found, leaves, name, refused, said,
    server, text_of, wrong,
};
use crate::change::{Action, Change, Field, Step};
use crate::diagnostic::Diagnostic;
use crate::fact::postgres::{Ask, Found, RoleInfo, Subject};
use crate::fact::{Known, Missing};
use crate::resource::body::sha256;
use crate::resource::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::secret::Secret;
use crate::sql;

/// Makes, changes and removes a role. The task runs on every node of a cluster; only the node whose server is the primary compares and mends,
/// by its own socket.
///
/// # Differs from Ansible
/// - another `login_host` than `localhost` and a `login_password` are refused: each node acts on its own server as the account `postgres`
/// - no Python library is needed on the node
/// - only a SCRAM verifier of the password goes to the node
///
/// # Needs
/// - PostgreSQL on the node
///
/// # Returns
/// - `user`: its name
///
/// # Examples
/// ```yaml
/// - name: the role of the application
///   postgresql_user:
///     { name: app, password: "{{ db_password }}", conn_limit: 50 }
/// ```
pub(in crate::resource) static POSTGRESQL_USER: Kind = Kind {
    name: "postgresql_user",
    aliases: &[
        "community.postgresql.postgresql_user",
        "community.general.postgresql_user",
    ],
    summary: "makes, changes and removes a role of PostgreSQL, on the node that is the primary",
    params: &[
        Param::new("name", ParamType::Str, "The role.")
            .aliases(&["user"])
            .required(),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether it is there.",
        )
        .default("present"),
        Param::new(
            "password",
            ParamType::Str,
            "Its password, or a ready SCRAM-SHA-256 verifier; an empty text for none. Only the verifier goes to the node. Never shown.",
        ),
        Param::new(
            "no_password_changes",
            ParamType::Bool,
            "Whether the password of a role that is there stays as it is.",
        )
        .default("false"),
        Param::new(
            "encrypted",
            ParamType::Bool,
            "Passwords are always stored as verifiers; only true is accepted.",
        )
        .default("true"),
        Param::new(
            "role_attr_flags",
            ParamType::List,
            "Any of SUPERUSER, CREATEROLE, CREATEDB, INHERIT, LOGIN, REPLICATION, BYPASSRLS, each also with NO before it. A new role has LOGIN and INHERIT; what is not named stays.",
        ),
        Param::new(
            "conn_limit",
            ParamType::Int,
            "Connections at once; -1 for any number.",
        ),
        Param::new(
            "expires",
            ParamType::Str,
            "When its password ends, as PostgreSQL reads a time; `infinity` for never.",
        ),
        Param::new(
            "comment",
            ParamType::Str,
            "The comment; an empty text for none.",
        ),
        PORT,
        SOCKET,
        LOGIN,
    ],
    free_form: None,
    refused: refused![
        ("db", "a role belongs to the whole server; leave it out"),
        (
            "login_db",
            "a role belongs to the whole server; leave it out"
        ),
        ("priv", "grant with a `postgresql_privs` task"),
        (
            "groups",
            "make it a member with `postgresql_privs: {type: group}`"
        ),
        (
            "fail_on_user",
            "a role that cannot be removed is a failure; `ignore_errors: true` goes on"
        ),
        (
            "fail_on_role",
            "a role that cannot be removed is a failure; `ignore_errors: true` goes on"
        ),
        (
            "configuration",
            "run `ALTER ROLE … SET` with a `command` task"
        ),
        (
            "reset_unspecified_configuration",
            "run `ALTER ROLE … RESET ALL` with a `command` task"
        ),
    ],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

struct User {
    place: Place,
    name: String,
    present: bool,
    password: Option<Password>,
    /// Whether the password of a role that is there is changed.
    always: bool,
    /// Attribute, column, and whether it is wanted.
    flags: Vec<(&'static str, &'static str, bool)>,
    conn_limit: Option<i64>,
    expires: Option<String>,
    comment: Option<String>,
}

fn bind(args: &Args) -> Bound {
    if !args.bool("encrypted", true) {
        return Err(Diagnostic::at(
            args.value_place("encrypted"),
            "PostgreSQL stores no password as it is",
        )
        .help("leave `encrypted` out")
        .into());
    }
    let password = args.str("password").map(|text| {
        Password::read(text)
            .map_err(|(words, help)| Diagnostic::at(args.value_place("password"), words).help(help))
    });
    Ok(Box::new(User {
        place: Place::new(server(args)?, "postgres"),
        name: name(args, "name")?,
        present: args.str("state") != Some("absent"),
        password: password.transpose()?,
        always: !args.bool("no_password_changes", false),
        flags: flags(args)?,
        conn_limit: conn_limit(args)?,
        expires: args.str("expires").map(str::to_owned),
        comment: args.str("comment").map(str::to_owned),
    }))
}

impl Resource for User {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        said(self.compare(known))
    }
}

impl User {
    fn compare(&self, known: &Known) -> Result<Change, End> {
        let role = self.place.role(&self.name);
        let salt = self.place.ask(Subject::Salt(self.name.clone()));
        let time = |time: &String| self.place.ask(Subject::Time(time.clone()));
        let time = self.expires.as_ref().filter(|_| self.present).map(time);
        let mut questions = vec![role.question()];
        questions.extend(time.as_ref().map(Ask::question));
        if self.present && matches!(self.password, Some(Password::Plain(_))) {
            questions.push(salt.question());
        }
        known.need(questions)?;
        let Found::Role(info) = found(known, &role)? else {
            return Ok(Change::none(""));
        };
        if !self.present {
            return Ok(self.absent(&role, info.is_some()));
        }
        let time = match &time {
            Some(time) => Some(text_of(found(known, time)?)),
            None => None,
        };
        let random = || -> Result<_, End> {
            match self.password {
                Some(Password::Plain(_)) => Ok(text_of(found(known, &salt)?)),
                _ => Ok("".into()),
            }
        };
        let mut work = Work::new(self, info.as_ref());
        work.attributes();
        work.conn_limit();
        work.expires(time.as_deref());
        let password = self
            .password
            .as_ref()
            .filter(|_| self.always || info.is_none());
        let mut secret = None;
        if let Some(password) = password
            && !password.is(work.after.password.as_deref())
        {
            secret = Some(password.stored(&random()?, self.name.as_str()));
        }
        work.password(secret);
        Ok(work.change(&role))
    }

    fn absent(&self, role: &Ask, is_there: bool) -> Change {
        let change = Change::none("there is no such role").result("user", self.name.as_str());
        if !is_there {
            return change;
        }
        let mut change = change
            .field(Field::value("state", "present", "absent"))
            .reason("");
        change.action = Action::Delete;
        let statements = [format!("DROP ROLE {}", sql::name(&self.name))];
        let left = format!(
            "SELECT 'state' FROM pg_authid WHERE rolname = {}",
            sql::text(&self.name)
        );
        let title = format!("remove role {}", self.name);
        let step = self.place.step(title, &statements, true, &left);
        change.step(leaves(step, role, Found::Role(None)))
    }
}

/// What is to be done with a role, as it is gathered.
struct Work<'a> {
    user: &'a User,
    is_new: bool,
    after: RoleInfo,
    /// What stands behind `ALTER ROLE name`.
    clauses: Vec<String>,
    fields: Vec<Field>,
    /// What must hold of its row.
    conditions: Vec<(&'static str, String)>,
}

impl<'a> Work<'a> {
    fn new(user: &'a User, info: Option<&RoleInfo>) -> Work<'a> {
        let mut work = Work {
            user,
            is_new: info.is_none(),
            after: info.cloned().unwrap_or_default(),
            clauses: Vec::new(),
            fields: Vec::new(),
            conditions: Vec::new(),
        };
        if work.is_new {
            work.fields.push(Field::value("state", "absent", "present"));
        }
        work.conditions.push(("state", "true".to_owned()));
        work
    }

    fn attributes(&mut self) {
        let before = self.after.attributes.join(",");
        for (name, column, is) in &self.user.flags {
            let has = self.after.attributes.iter().any(|found| found == name);
            let not = if *is { "" } else { "NOT " };
            self.conditions
                .push(("role_attr_flags", format!("{not}{column}")));
            if has == *is {
                continue;
            }
            if !self.is_new {
                let no = if *is { "" } else { "NO" };
                self.clauses.push(format!("{no}{name}"));
            }
            match is {
                true => self.after.attributes.push((*name).to_owned()),
                false => self.after.attributes.retain(|found| found != name),
            }
        }
        self.after.attributes.sort();
        if self.is_new {
            // `CREATE ROLE` itself begins with other ones than `CREATE USER`.
            self.clauses.extend(self.after.attributes.iter().cloned());
            for name in ["INHERIT", "LOGIN"] {
                if !self.after.attributes.iter().any(|found| found == name) {
                    self.clauses.push(format!("NO{name}"));
                }
            }
        }
        let after = self.after.attributes.join(",");
        if before != after {
            let before = if self.is_new { "" } else { before.as_str() };
            self.fields
                .push(Field::value("role_attr_flags", before, after));
        }
    }

    fn conn_limit(&mut self) {
        let Some(limit) = self.user.conn_limit else {
            return;
        };
        self.conditions
            .push(("conn_limit", format!("rolconnlimit = {limit}")));
        if limit != self.after.conn_limit {
            let before = self.after.conn_limit.to_string();
            self.fields
                .push(Field::value("conn_limit", before, limit.to_string()));
            self.clauses.push(format!("CONNECTION LIMIT {limit}"));
            self.after.conn_limit = limit;
        }
    }

    fn expires(&mut self, wanted: Option<&str>) {
        let Some(wanted) = wanted else { return };
        let before = self.after.expires.as_deref().unwrap_or("infinity");
        let time = sql::text(wanted);
        self.conditions.push((
            "expires",
            format!("coalesce(rolvaliduntil, 'infinity') = {time}::timestamptz"),
        ));
        if before != wanted {
            self.fields.push(Field::value("expires", before, wanted));
            self.clauses.push(format!("VALID UNTIL {time}"));
            self.after.expires = Some(wanted.to_owned());
        }
    }

    /// The inner none takes the password away.
    fn password(&mut self, stored: Option<Option<Secret>>) {
        let Some(stored) = stored else { return };
        let shown = |is: bool| if is { MASKED } else { "" };
        let before = shown(self.after.password.is_some());
        self.fields
            .push(Field::value("password", before, shown(stored.is_some())));
        match &stored {
            None => {
                self.clauses.push("PASSWORD NULL".to_owned());
                self.conditions
                    .push(("password", "rolpassword IS NULL".to_owned()));
            }
            Some(stored) => {
                self.clauses
                    .push(format!("PASSWORD {}", sql::text(stored.reveal())));
                let digest = sha256(stored.reveal().as_bytes());
                self.conditions.push((
                    "password",
                    format!("encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex') = '{digest}'"),
                ));
            }
        }
        self.after.password = stored.map(|stored| stored.reveal().to_owned());
    }

    fn change(mut self, role: &Ask) -> Change {
        let user = self.user;
        let name = sql::name(&user.name);
        let mut statements = Vec::new();
        if !self.clauses.is_empty() {
            // The verifier is to stand in no log.
            for setting in [
                "log_statement = 'none'",
                "log_min_duration_statement = -1",
                "log_min_error_statement = 'panic'",
            ] {
                let secret = self
                    .clauses
                    .iter()
                    .any(|clause| clause.starts_with("PASSWORD"));
                statements.extend(secret.then(|| format!("SET {setting}")));
            }
            let verb = if self.is_new { "CREATE" } else { "ALTER" };
            statements.push(format!(
                "{verb} ROLE {name} WITH {}",
                self.clauses.join(" ")
            ));
        }
        if let Some(comment) = &user.comment {
            let before = self.after.comment.as_deref().unwrap_or_default();
            if before != comment {
                self.fields
                    .push(Field::value("comment", before, comment.as_str()));
                let text = if comment.is_empty() {
                    "NULL".to_owned()
                } else {
                    sql::text(comment)
                };
                statements.push(format!("COMMENT ON ROLE {name} IS {text}"));
                self.after.comment = Some(comment.clone());
            }
            let wanted = sql::text(comment);
            self.conditions.push((
                "comment",
                format!("coalesce(shobj_description(oid, 'pg_authid'), '') = {wanted}"),
            ));
        }
        let mut change = Change::none("the role is as wanted").result("user", user.name.as_str());
        change.fields = self.fields;
        if statements.is_empty() {
            return change;
        }
        let (action, verb) = match self.is_new {
            true => (Action::Create, "make"),
            false => (Action::Update, "change"),
        };
        change.action = action;
        let row = format!("pg_authid WHERE rolname = {}", sql::text(&user.name));
        let title = format!("{verb} role {}", user.name);
        let wrong = wrong(&row, &self.conditions);
        let step: Step = user.place.step(title, &statements, true, &wrong);
        change
            .reason("")
            .step(leaves(step, role, Found::Role(Some(self.after))))
    }
}
