//! `postgres_cluster`: PostgreSQL with repmgr on all hosts of a group, as one task.

use std::collections::BTreeMap;
use std::time::Duration;

use super::members::members;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::cluster::Cluster;
use crate::cluster::postgres::{
    Database, Goal, PostgresCluster, Role, RoleKind, Spec, Synchronous, Tls,
};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use crate::value::{Kind as ValueKind, Map, Value};

/// Brings PostgreSQL on all hosts of a group to one primary and its standbys, as one task for all of them. `hadeploy pg` moves the primary.
///
/// # Needs
/// - certificates on each member, see `ca`, `certificate` and `private_key`
///
/// # Examples
/// ```yaml
/// - name: the database
///   postgres_cluster:
///     group: db
///     repmgr_password: "{{ repmgr_password }}"
///     users: [{ name: app, password: "{{ db_password }}" }]
///     databases: [{ name: app, owner: app }]
///     clients: web
/// ```
pub static POSTGRES_CLUSTER: Kind = Kind {
    name: "postgres_cluster",
    aliases: &[],
    summary: "brings PostgreSQL on all hosts of a group to one primary and its standbys, with automatic failover by repmgr",
    params: &[
        Param::new("group", ParamType::Str, "The group whose hosts hold the data, each with a `private_address`. Three hosts or more fail over by themselves; with two, repmgr only watches.").default("db"),
        Param::new("witness", ParamType::Str, "A group of one host that holds no data and is there to be seen, so that two data hosts have a majority."),
        Param::new("port", ParamType::Int, "The servers' port.").default("5432"),
        Param::new("settings", ParamType::Map, "Settings of the servers, as in postgresql.conf. What needs a restart gets one: standbys first, then a planned switchover, then the old primary."),
        Param::new("synchronous", ParamType::Str, "How many standbys each commit waits for: a number, `off`, or `auto`: one where three hosts or more hold data.").default("auto"),
        Param::new("repmgr_password", ParamType::Str, "The password of the account `repmgr`, by which the servers reach each other.").required(),
        Param::new("pooler_password", ParamType::Str, "The password of the account `pgbouncer`, which asks the servers for the passwords of others. No such account without it."),
        Param::new("users", ParamType::Any, "Accounts: a list of mappings with `name` and `password`."),
        Param::new("databases", ParamType::Any, "Databases: a list of mappings with `name` and `owner`, one of `users`."),
        Param::new("clients", ParamType::Str, "The group whose hosts may connect with the accounts of `users`; the members may anyway."),
        Param::new("ca", ParamType::Path, "The certificate of the authority that signed the servers' certificates, on each member.").default("/etc/hadeploy/tls/ca.crt"),
        Param::new("certificate", ParamType::Path, "The server's certificate, on each member.").default("/etc/hadeploy/tls/node.crt"),
        Param::new("private_key", ParamType::Path, "Its key; the group ssl-cert must be able to read it.").default("/etc/hadeploy/tls/node.key"),
        Param::new("detection", ParamType::Int, "Seconds that a primary is looked at, when it does not answer, before another takes its place.").default("30"),
    ],
    free_form: None,
    refused: &[
        ("state", "a cluster is not taken away by a task"),
        ("primary", "who is primary is asked from the running servers; `hadeploy pg switchover` moves it"),
        ("version", "it is the version of the nodes' Debian release"),
    ],
    check,
    bind,
};

/// Shortest and longest time until a dead primary is replaced: less is a blink, more is patience lost.
const DETECTION: std::ops::RangeInclusive<i64> = 10..=600;

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if args.literal("detection").is_some()
        && let Some(seconds) = args.int("detection")
        && !DETECTION.contains(&seconds)
    {
        faults.push(Diagnostic::at(
            args.value_place("detection"),
            "`detection` is from 10 to 600 seconds",
        ));
    }
    if args.has("databases") && !args.has("users") {
        faults.push(Diagnostic::at(
            args.place("databases"),
            "`databases` needs `users`: each database has an owner among them",
        ));
    }
    faults
}

/// The resource of one host; the cluster is the same on all.
struct Task(PostgresCluster);

impl Resource for Task {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        Ok(Change::failed(
            "a cluster is brought to its wanted state as a whole",
        ))
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        Some(&self.0)
    }
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let mut members = members(args, controller, "group", Some("db"))?;
    if members.is_empty() {
        return Err(Diagnostic::at(
            &args.span,
            format!(
                "no host of the inventory is in the group `{}`",
                args.str("group").unwrap_or("db")
            ),
        )
        .help("`group` names the hosts that hold the data")
        .into());
    }
    let witness = self::members(args, controller, "witness", None)?;
    if witness.len() > 1 || witness.iter().any(|it| members.contains(it)) {
        return Err(Diagnostic::at(
            args.value_place("witness"),
            "the witness is one host that holds no data",
        )
        .into());
    }
    let clients = self::members(args, controller, "clients", None)?;
    let has_witness = !witness.is_empty();
    members.extend(witness);
    let (roles, databases) = accounts(args)?;
    Ok(Box::new(Task(PostgresCluster::new(Spec {
        members,
        witness: has_witness,
        port: port(args)?,
        settings: settings(args)?,
        synchronous: synchronous(args)?,
        roles,
        databases,
        tls: Tls {
            ca: path(args, "ca"),
            cert: path(args, "certificate"),
            key: path(args, "private_key"),
        },
        clients: clients.into_iter().map(|client| client.address).collect(),
        detection: Duration::from_secs(args.int("detection").unwrap_or(30).unsigned_abs()),
        goal: Goal::Converge,
    }))))
}

fn port(args: &Args) -> Result<u16, Diagnostic> {
    let port = args.int("port").unwrap_or(5432);
    u16::try_from(port)
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| {
            Diagnostic::at(
                args.value_place("port"),
                "`port` is a TCP port, from 1 to 65535",
            )
        })
}

/// Where the site's own certificates lie.
const CERTIFICATES: [(&str, &str); 3] = [
    ("ca", "/etc/hadeploy/tls/ca.crt"),
    ("certificate", "/etc/hadeploy/tls/node.crt"),
    ("private_key", "/etc/hadeploy/tls/node.key"),
];

/// The path of a certificate or key.
fn path(args: &Args, name: &str) -> String {
    let usual = CERTIFICATES.iter().find(|(param, _)| *param == name);
    let usual = usual.map_or("", |(_, path)| path);
    args.str(name).unwrap_or(usual).to_owned()
}

fn synchronous(args: &Args) -> Result<Synchronous, Diagnostic> {
    match args.str("synchronous").unwrap_or("auto") {
        "auto" => Ok(Synchronous::Auto),
        "off" | "false" | "0" => Ok(Synchronous::Off),
        count => count.parse().map(Synchronous::Any).map_err(|_| {
            Diagnostic::at(
                args.value_place("synchronous"),
                "`synchronous` is `auto`, `off`, or how many standbys a commit waits for",
            )
        }),
    }
}

/// Settings that are the cluster's own business.
const OWN: &[(&str, &str)] = &[
    ("port", "the parameter `port` says it"),
    (
        "listen_addresses",
        "a member listens on its private address and on localhost",
    ),
    ("ssl", "connections are encrypted"),
    ("ssl_cert_file", "the parameter `certificate` says it"),
    ("ssl_key_file", "the parameter `private_key` says it"),
    ("ssl_ca_file", "the parameter `ca` says it"),
    (
        "synchronous_standby_names",
        "the parameter `synchronous` says it",
    ),
    ("primary_conninfo", "repmgr writes it"),
    ("primary_slot_name", "repmgr writes it"),
    ("hot_standby", "standbys are always asked"),
    (
        "wal_level",
        "it is `replica`, or what replicates would break",
    ),
    ("data_directory", "it is where Debian's package has it"),
    ("hba_file", "it is where Debian's package has it"),
];

fn settings(args: &Args) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut settings = BTreeMap::new();
    let Some(map) = args.get("settings").and_then(Value::as_map) else {
        return Ok(settings);
    };
    for (name, entry) in map {
        if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == &**name) {
            return Err(
                Diagnostic::at(&entry.key, format!("`{name}` cannot be set here")).help(*why),
            );
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Diagnostic::at(
                &entry.key,
                format!("`{name}` is not the name of a setting of PostgreSQL"),
            ));
        }
        let value = match &entry.value.kind {
            ValueKind::Bool(true) => "on".to_owned(),
            ValueKind::Bool(false) => "off".to_owned(),
            _ => text(&entry.value)?,
        };
        settings.insert(name.to_string(), value);
    }
    Ok(settings)
}

fn accounts(args: &Args) -> Result<(Vec<Role>, Vec<Database>), Diagnostic> {
    let role = |name: &str, password: &str, kind| Role {
        name: name.to_owned(),
        password: password.to_owned(),
        kind,
    };
    let mut roles = vec![role(
        "repmgr",
        args.str("repmgr_password").unwrap_or_default(),
        RoleKind::Repmgr,
    )];
    if let Some(password) = args.str("pooler_password") {
        roles.push(role("pgbouncer", password, RoleKind::Pooler));
    }
    for map in mappings(args, "users")? {
        let (name, password) = (word(map, "users", "name")?, word(map, "users", "password")?);
        if roles.iter().any(|role| role.name == name) || name == "postgres" {
            return Err(Diagnostic::at(
                &map.span,
                format!("the account `{name}` is there already"),
            ));
        }
        roles.push(role(&name, &password, RoleKind::Login));
    }
    if let Some(role) = roles.iter().find(|role| role.password.is_empty()) {
        return Err(Diagnostic::at(
            &args.span,
            format!("the password of `{}` is empty", role.name),
        ));
    }
    let mut databases = Vec::new();
    for map in mappings(args, "databases")? {
        let database = Database {
            name: word(map, "databases", "name")?,
            owner: word(map, "databases", "owner")?,
        };
        if !roles.iter().any(|role| role.name == database.owner) {
            let names = roles.iter().map(|role| role.name.as_str());
            return Err(Diagnostic::at(
                &map.span,
                format!(
                    "`{}`, the owner of `{}`, is not among `users`",
                    database.owner, database.name
                ),
            )
            .nearest(&database.owner, names));
        }
        databases.push(database);
    }
    Ok((roles, databases))
}

/// The mappings of a list.
fn mappings<'a>(args: &'a Args, param: &str) -> Result<Vec<&'a Value>, Diagnostic> {
    let Some(value) = args.get(param) else {
        return Ok(Vec::new());
    };
    let list = value.as_list().ok_or_else(|| {
        Diagnostic::at(
            args.value_place(param),
            format!("`{param}` is a list of mappings, not {}", value.type_name()),
        )
    })?;
    Ok(list.iter().collect())
}

/// A text that a mapping of a list must have.
fn word(value: &Value, list: &str, name: &str) -> Result<String, Diagnostic> {
    let map: Option<&Map> = value.as_map();
    let entry = map.and_then(|map| map.get(name));
    let Some(entry) = entry else {
        return Err(Diagnostic::at(
            &value.span,
            format!("an entry of `{list}` needs `{name}`"),
        ));
    };
    text(&entry.value)
}

fn text(value: &Value) -> Result<String, Diagnostic> {
    match &value.kind {
        ValueKind::Str(text) => Ok(text.to_string()),
        ValueKind::Int(number) => Ok(number.to_string()),
        ValueKind::Float(number) => Ok(number.to_string()),
        _ => Err(Diagnostic::at(
            &value.span,
            format!("this must be a text or a number, not {}", value.type_name()),
        )),
    }
}
