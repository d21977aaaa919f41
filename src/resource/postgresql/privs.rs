//! `postgresql_privs`: what roles may do.

use super::grants::{Style, Wanted};
use super::{
    End, LOGIN, PORT, Place, SOCKET, checked, database, database_exists, found, leaves, name,
    refused, role_exists, said, server,
};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::postgres::{self, Ask, Found, Grant, ObjectAcl, ObjectKind, Objects, Subject};
use crate::fact::{Known, Missing, Question};
use crate::resource::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::sql;

/// Grants and revokes privileges. The task runs on every node of a cluster; only the node whose server is the primary compares and mends, by
/// its own socket.
///
/// # Differs from Ansible
/// - another `login_host` than `localhost` and a `login_password` are refused: each node acts on its own server as the account `postgres`
/// - no Python library is needed on the node
/// - foreign data wrappers, languages, types and parameters are no `type` here
///
/// # Needs
/// - PostgreSQL on the node
///
/// # Examples
/// ```yaml
/// - name: reports read only
///   postgresql_privs:
///     { db: appdb, roles: reports, objs: ALL_IN_SCHEMA, privs: SELECT }
/// ```
pub(in crate::resource) static POSTGRESQL_PRIVS: Kind = Kind {
    name: "postgresql_privs",
    aliases: &["community.postgresql.postgresql_privs", "community.general.postgresql_privs"],
    summary: "grants and revokes privileges in PostgreSQL, on the node that is the primary",
    params: &[
        Param::new("database", ParamType::Str, "The database that the objects are in.").aliases(&["db", "login_db"]).required(),
        Param::new("roles", ParamType::List, "The roles, which must exist; `PUBLIC` for all.").aliases(&["role"]).required(),
        Param::new("type", ParamType::Choice(&["table", "sequence", "function", "schema", "database", "default_privs", "group"]), "What the objects are. `table` is also for views; `group` makes the roles members of other roles.").default("table"),
        Param::new("objs", ParamType::List, "The objects; `ALL_IN_SCHEMA` for all tables, sequences or functions of the schema. Functions come with the types of their arguments, between colons: `add(int:int)`. Of default_privs TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS, or `ALL_DEFAULT`. A database's can be left out.").aliases(&["obj"]),
        Param::new("privs", ParamType::List, "The privileges; `ALL` for all.").aliases(&["priv"]),
        Param::new("schema", ParamType::Str, "The schema of tables, sequences, functions and default_privs: `public` when not given; `not-specified` for default_privs of all schemas."),
        Param::new("target_roles", ParamType::List, "Whose future objects default_privs are about; those of `login_user` when not given."),
        Param::new("grant_option", ParamType::Bool, "Whether the roles may grant it to others; as it is when not given.").aliases(&["admin_option"]),
        Param::new("fail_on_role", ParamType::Bool, "Whether a role that does not exist is a failure; else it is left out.").default("true"),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether they have it.").default("present"),
        PORT,
        SOCKET,
        LOGIN,
    ],
    free_form: None,
    refused: refused![
        ("password", "the account `postgres` of the node needs no password; leave it out"),
        ("usage_on_types", "name `TYPES` in `objs` where you want it"),
    ],
    check,
    bind: |args, _| bind(args),
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let kind = args.literal("type").unwrap_or("table");
    let mut needs = |param: &str, doubt: bool| {
        if !args.has(param) && !doubt {
            let words = format!("`postgresql_privs` of type {kind} needs `{param}`");
            faults.push(Diagnostic::at(&args.span, words));
        }
    };
    needs("objs", kind == "database");
    needs("privs", kind == "group");
    let mut excludes = |param: &str, excluded: bool, help: &str| {
        if args.has(param) && excluded {
            let words = format!("type {kind} has no `{param}`");
            faults.push(Diagnostic::at(args.place(param), words).help(help));
        }
    };
    excludes(
        "privs",
        kind == "group",
        "membership is all there is; leave it out",
    );
    let spaced = ["table", "sequence", "function", "default_privs"].contains(&kind);
    excludes(
        "schema",
        !spaced,
        "only tables, sequences, functions and default_privs are in a schema",
    );
    excludes(
        "target_roles",
        kind != "default_privs",
        "only default_privs have them",
    );
    faults
}

struct Privileges {
    place: Place,
    /// What is asked, one answer each.
    subjects: Vec<Subject>,
    wanted: Wanted,
    /// Roles that must be there beside those that are granted to.
    targets: Vec<String>,
    fail_on_role: bool,
}

fn bind(args: &Args) -> Bound {
    let kind = args.str("type").unwrap_or("table");
    let database = name(args, "database")?;
    let mut place = Place::new(server(args)?, &database);
    let schema = match args.str("schema") {
        None => Some("public".to_owned()),
        Some("not-specified") if kind == "default_privs" => None,
        Some(_) => Some(name(args, "schema")?),
    };
    let roles = names(args, "roles")?
        .into_iter()
        .map(|role| match role.eq_ignore_ascii_case("public") {
            true => "PUBLIC".to_owned(),
            false => role,
        })
        .collect();
    let objects = |kind, schema, names, of| {
        Subject::Acl(Objects {
            kind,
            schema,
            names,
            of,
        })
    };
    let in_schema = |kind| -> Result<Subject, Diagnostic> {
        let mut names = names(args, "objs")?;
        if names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("all_in_schema"))
        {
            names.clear();
        } else if kind == ObjectKind::Function {
            names = functions(args, &names)?;
        }
        Ok(objects(kind, schema.clone(), names, Vec::new()))
    };
    let targets = names(args, "target_roles")?;
    let (style, subjects) = match kind {
        "sequence" => (
            Style::On("SEQUENCE"),
            vec![in_schema(ObjectKind::Sequence)?],
        ),
        "function" => (
            Style::On("FUNCTION"),
            vec![in_schema(ObjectKind::Function)?],
        ),
        "schema" => {
            let names = names(args, "objs")?;
            let subject = objects(ObjectKind::Schema, None, names, Vec::new());
            (Style::On("SCHEMA"), vec![subject])
        }
        "database" => {
            let mut names = names(args, "objs")?;
            if names.is_empty() {
                names.push(database);
            }
            place = place.whole();
            let subject = objects(ObjectKind::Database, None, names, Vec::new());
            (Style::On("DATABASE"), vec![subject])
        }
        "group" => {
            place = place.whole();
            let groups = names(args, "objs")?;
            (
                Style::Group,
                groups.into_iter().map(Subject::Members).collect(),
            )
        }
        "default_privs" => {
            let classes = classes(args, schema.is_some())?;
            let subject = objects(
                ObjectKind::Default,
                schema.clone(),
                classes,
                targets.clone(),
            );
            (Style::Default(schema), vec![subject])
        }
        _ => (Style::On("TABLE"), vec![in_schema(ObjectKind::Table)?]),
    };
    let grant_option = args.get("grant_option");
    Ok(Box::new(Privileges {
        place,
        subjects,
        wanted: Wanted {
            privileges: privileges(args, &style),
            style,
            roles,
            present: args.str("state") != Some("absent"),
            grantable: grant_option.map(|_| args.bool("grant_option", false)),
        },
        targets,
        fail_on_role: args.bool("fail_on_role", true),
    }))
}

/// Names of a list, sorted, each once.
fn names(args: &Args, param: &str) -> Result<Vec<String>, Diagnostic> {
    let mut names = Vec::new();
    for name in args.list(param) {
        let name = name.trim();
        // A function's signature may be longer than a name.
        let plain = name.split('(').next().unwrap_or_default();
        checked(plain).map_err(|words| Diagnostic::at(args.value_place(param), words))?;
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    if names.is_empty() && args.has(param) {
        let words = format!("`{param}` names nothing");
        return Err(Diagnostic::at(args.value_place(param), words));
    }
    Ok(names)
}

fn functions(args: &Args, names: &[String]) -> Result<Vec<String>, Diagnostic> {
    names
        .iter()
        .map(|name| match name.split_once('(') {
            Some((_, arguments)) if arguments.ends_with(')') => Ok(name.replace(':', ",")),
            _ => Err(Diagnostic::at(
                args.value_place("objs"),
                format!("`{name}` is no function with the types of its arguments"),
            )
            .help("write `add(int:int)`, with colons between the types, or `now()`")),
        })
        .collect()
}

/// What default privileges are about.
fn classes(args: &Args, in_schema: bool) -> Result<Vec<String>, Diagnostic> {
    let known = ["FUNCTIONS", "SCHEMAS", "SEQUENCES", "TABLES", "TYPES"];
    let mut classes = Vec::new();
    for name in names(args, "objs")? {
        let upper = name.to_ascii_uppercase();
        if upper == "ALL_DEFAULT" {
            let all = known
                .iter()
                .filter(|class| !in_schema || **class != "SCHEMAS");
            return Ok(all.map(|class| (*class).to_owned()).collect());
        }
        let fault = |words: String| Diagnostic::at(args.value_place("objs"), words);
        if !known.contains(&upper.as_str()) {
            return Err(fault(format!("`{name}` has no default privileges"))
                .help("there are TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS and ALL_DEFAULT"));
        }
        if upper == "SCHEMAS" && in_schema {
            return Err(
                fault("a schema is in no schema".to_owned()).help("set `schema: not-specified`")
            );
        }
        classes.push(upper);
    }
    Ok(classes)
}

/// None for all.
fn privileges(args: &Args, style: &Style) -> Option<Vec<String>> {
    if *style == Style::Group {
        return Some(vec![MEMBER.to_owned()]);
    }
    let mut words: Vec<String> = args
        .list("privs")
        .into_iter()
        .map(|word| match word.trim().to_ascii_uppercase().as_str() {
            "TEMP" => "TEMPORARY".to_owned(),
            "ALL PRIVILEGES" => "ALL".to_owned(),
            word => word.to_owned(),
        })
        .collect();
    words.sort();
    words.dedup();
    (!words.iter().any(|word| word == "ALL")).then_some(words)
}

/// The one privilege of a group.
const MEMBER: &str = "MEMBER";

impl Resource for Privileges {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        said(self.compare(known))
    }
}

impl Privileges {
    fn questions(&self, asks: &[Ask]) -> Vec<Question> {
        let roles = self.wanted.roles.iter().filter(|role| *role != "PUBLIC");
        let roles = roles.chain(&self.targets).chain(self.groups());
        let mut questions: Vec<Question> =
            roles.map(|role| self.place.role(role).question()).collect();
        if let Some(db) = &self.place.db {
            questions.push(database(&self.place, db).question());
        }
        questions.extend(asks.iter().map(Ask::question));
        questions
    }

    fn groups(&self) -> impl Iterator<Item = &String> {
        self.subjects.iter().filter_map(|subject| match subject {
            Subject::Members(group) => Some(group),
            _ => None,
        })
    }

    fn compare(&self, known: &Known) -> Result<Change, End> {
        let asks: Vec<Ask> = self
            .subjects
            .iter()
            .map(|subject| self.place.ask(subject.clone()))
            .collect();
        known.need(self.questions(&asks))?;
        database_exists(known, &self.place)?;
        for role in self.targets.iter().chain(self.groups()) {
            role_exists(known, &self.place, role)?;
        }
        let mut warnings = Vec::new();
        let mut roles = Vec::new();
        for role in &self.wanted.roles {
            if role != "PUBLIC"
                && let Err(end) = role_exists(known, &self.place, role)
            {
                let is_absent = matches!(&end, End::Change(change) if change.obstacle.is_some());
                if self.fail_on_role || !is_absent {
                    return Err(end);
                }
                warnings.push(format!("there is no role `{role}`: it is left out"));
                continue;
            }
            roles.push(role.clone());
        }
        let wanted = Wanted {
            style: self.wanted.style.clone(),
            roles,
            privileges: self.wanted.privileges.clone(),
            ..self.wanted
        };
        let mut change = Change::none("the privileges are as wanted");
        change.warnings = warnings;
        for ask in &asks {
            change = self.one(known, ask, &wanted, change)?;
        }
        Ok(change)
    }

    /// What one answer shows, added to the change.
    fn one(
        &self,
        known: &Known,
        ask: &Ask,
        wanted: &Wanted,
        mut change: Change,
    ) -> Result<Change, End> {
        let objects = self.objects(known, ask)?;
        if let Some((privilege, object)) = wanted.unknown(&objects) {
            let words = format!("{privilege} is no privilege of {}", object.name);
            return Err(Change::failed(words)
                .help(format!("there are {} and ALL", object.all.join(", ")))
                .into());
        }
        let outcome = wanted.compare(&objects);
        if outcome.statements.is_empty() {
            return Ok(change);
        }
        change.fields.extend(outcome.fields);
        change.action = Action::Update;
        let (verb, roles) = match wanted.present {
            true => ("grant to", wanted.roles.join(", ")),
            false => ("revoke from", wanted.roles.join(", ")),
        };
        let grants = postgres::grants(&ask.subject);
        let wrong = postgres::differences(&grants, &outcome.wanted);
        let after = match &ask.subject {
            Subject::Members(_) => {
                let grants = outcome.after.into_iter().flat_map(|object| object.grants);
                Found::Members(grants.map(|grant| (grant.to, grant.grantable)).collect())
            }
            _ => Found::Acl(postgres::AclInfo {
                schema: true,
                objects: outcome.after,
            }),
        };
        let title = format!("{verb} {roles}");
        let step = self.place.step(title, &outcome.statements, true, &wrong);
        Ok(change.reason("").step(leaves(step, ask, after)))
    }

    fn objects(&self, known: &Known, ask: &Ask) -> Result<Vec<ObjectAcl>, End> {
        match (found(known, ask)?, &ask.subject) {
            (Found::Members(members), Subject::Members(group)) => Ok(vec![ObjectAcl {
                name: group.clone(),
                sql: sql::name(group),
                owner: String::new(),
                all: vec![MEMBER.to_owned()],
                grants: members
                    .iter()
                    .map(|(to, grantable)| Grant {
                        to: to.clone(),
                        privilege: MEMBER.to_owned(),
                        grantable: *grantable,
                    })
                    .collect(),
            }]),
            (Found::Acl(acl), Subject::Acl(asked)) => {
                if let (false, Some(schema)) = (acl.schema, &asked.schema) {
                    return Err(self.absent("schema", schema));
                }
                let missing = asked.names.iter().find(|name| {
                    asked.kind != ObjectKind::Default
                        && !acl.objects.iter().any(|object| object.name == **name)
                });
                let kind = match asked.kind {
                    ObjectKind::Table => "table",
                    ObjectKind::Sequence => "sequence",
                    ObjectKind::Function => "function",
                    ObjectKind::Schema => "schema",
                    ObjectKind::Database | ObjectKind::Default => "database",
                };
                match missing {
                    Some(missing) => Err(self.absent(kind, missing)),
                    None => Ok(acl.objects.clone()),
                }
            }
            _ => Ok(Vec::new()),
        }
    }

    fn absent(&self, kind: &str, name: &str) -> End {
        let place = match &self.place.db {
            Some(db) => format!(" in database `{db}`"),
            None => String::new(),
        };
        Change::blocked(format!("there is no {kind} `{name}`{place}"))
            .help("it must be there before its privileges are set")
            .into()
    }
}
