//! Accounts and databases, as the SQL that brings them up to date. Every statement may be run again.

use super::super::site::Site;
use super::super::spec::{Database, REPMGR, Role, RoleKind};
use crate::scram::{self, Verifier};

/// For `psql`, on the primary. Holds verifiers.
pub(super) fn sql(site: &Site, witness: bool) -> String {
    let spec = site.spec;
    let mut sql = String::new();
    for role in &spec.roles {
        if !witness || role.kind == RoleKind::Repmgr {
            sql.push_str(&account(role, &site.random));
        }
    }
    let own = Database {
        name: REPMGR.into(),
        owner: REPMGR.into(),
    };
    sql.push_str(&database(&own));
    if !witness {
        for each in &spec.databases {
            sql.push_str(&database(each));
        }
        for role in &spec.roles {
            if role.kind == RoleKind::Pooler {
                for each in &spec.databases {
                    sql.push_str(&lookup(&role.name, &each.name));
                }
            }
        }
    }
    sql.push_str(&format!(
        "\\connect {}\nCREATE EXTENSION IF NOT EXISTS repmgr;\n",
        connect(REPMGR)
    ));
    sql
}

fn account(role: &Role, random: &str) -> String {
    let rights = match role.kind {
        RoleKind::Repmgr => "LOGIN SUPERUSER REPLICATION",
        RoleKind::Pooler | RoleKind::Login => "LOGIN NOSUPERUSER NOREPLICATION",
    };
    let salt = scram::salt(random, &role.name);
    let verifier = Verifier::new(&role.password, &salt, scram::ROUNDS).text();
    format!(
        "SELECT {create} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) \\gexec\nALTER ROLE {name} WITH {rights} PASSWORD {verifier};\n",
        create = literal(&format!("CREATE ROLE {}", identifier(&role.name))),
        text = literal(&role.name),
        name = identifier(&role.name),
        verifier = literal(&verifier),
    )
}

fn database(database: &Database) -> String {
    let (name, owner) = (identifier(&database.name), identifier(&database.owner));
    format!(
        "SELECT {create} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {text}) \\gexec\nALTER DATABASE {name} OWNER TO {owner};\n",
        create = literal(&format!("CREATE DATABASE {name} OWNER {owner}")),
        text = literal(&database.name),
    )
}

/// The function by which the pooler finds the verifiers of applications' accounts, and of no others.
fn lookup(role: &str, database: &str) -> String {
    let role = identifier(role);
    format!(
        "\\connect {}
CREATE SCHEMA IF NOT EXISTS pgbouncer;
REVOKE ALL ON SCHEMA pgbouncer FROM PUBLIC;
GRANT USAGE ON SCHEMA pgbouncer TO {role};
CREATE OR REPLACE FUNCTION pgbouncer.get_auth(wanted text) RETURNS TABLE (usename name, passwd text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid
WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper AND NOT rolreplication $$;
REVOKE ALL ON FUNCTION pgbouncer.get_auth(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgbouncer.get_auth(text) TO {role};
",
        connect(database)
    )
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an argument of `\connect`, where it must not be read as a connection string.
fn connect(name: &str) -> String {
    format!(
        "-reuse-previous=on \"dbname='{}'\"",
        name.replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('"', "\"\"")
    )
}
