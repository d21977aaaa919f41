//! The SQL of each subject: one row, one column, JSON. Names without a schema are those of `pg_catalog`.

use super::{ObjectKind, Objects, Subject};
use crate::sql::{name, text, texts};

/// A query without its end.
pub(super) fn select(subject: &Subject) -> String {
    match subject {
        Subject::Role(role) => format!(
            "SELECT coalesce((SELECT json_build_object('attributes', array_remove(ARRAY[\
             CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END, \
             CASE WHEN rolinherit THEN 'INHERIT' END, CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END, \
             CASE WHEN rolsuper THEN 'SUPERUSER' END], NULL), 'conn_limit', rolconnlimit, 'expires', rolvaliduntil::text, 'password', rolpassword, \
             'comment', shobj_description(oid, 'pg_authid')) FROM pg_authid WHERE rolname = {}), 'null')",
            text(role)
        ),
        Subject::Database(database) => format!(
            "SELECT coalesce((SELECT json_build_object('owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding), \
             'lc_collate', datcollate, 'lc_ctype', datctype, 'conn_limit', datconnlimit, 'tablespace', \
             (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace), 'comment', shobj_description(oid, 'pg_database')) \
             FROM pg_database WHERE datname = {}), 'null')",
            text(database)
        ),
        Subject::Extension(extension) => {
            let extension = text(extension);
            format!(
                "SELECT json_build_object('installed', (SELECT extversion FROM pg_extension WHERE extname = {extension}), \
                 'schema', (SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = {extension}), \
                 'default', (SELECT default_version FROM pg_available_extensions WHERE name = {extension}), \
                 'versions', (SELECT coalesce(json_agg(version), '[]') FROM pg_available_extension_versions WHERE name = {extension}), \
                 'updates', (SELECT coalesce(json_agg(p.target), '[]') FROM pg_available_extensions a, pg_extension_update_paths(a.name) p \
                 WHERE a.name = {extension} AND p.source = a.installed_version AND p.path IS NOT NULL))"
            )
        }
        Subject::Time(time) => format!("SELECT to_json({}::timestamptz::text)", text(time)),
        Subject::Salt(_) => "SELECT to_json(gen_random_uuid()::text)".to_owned(),
        Subject::Members(role) => format!(
            "SELECT coalesce(json_object_agg(name, admin), '{{}}') FROM ({}) m",
            members(role)
        ),
        Subject::Acl(objects) => {
            let schema = objects
                .schema
                .as_deref()
                .map_or("true".to_owned(), |schema| {
                    format!(
                        "EXISTS (SELECT FROM pg_namespace WHERE nspname = {})",
                        text(schema)
                    )
                });
            format!(
                "SELECT json_build_object('schema', {schema}, 'objects', (SELECT coalesce(json_agg(json_build_object('name', name, 'sql', sql, \
                 'owner', pg_get_userbyid(owner), 'all', (SELECT json_agg(privilege_type ORDER BY privilege_type) FROM aclexplode(acldefault(type, 10))), \
                 'grants', (SELECT coalesce(json_agg(json_build_object('to', role, 'privilege', privilege, 'grantable', grantable) \
                 ORDER BY role, privilege), '[]') FROM ({EXPLODED}) g)) ORDER BY name), '[]') FROM ({}) o))",
                rows(objects)
            )
        }
    }
}

/// Who is granted what on an object `o`; who granted it does not matter.
const EXPLODED: &str = "SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END AS role, privilege_type AS privilege, \
     bool_or(is_grantable) AS grantable FROM aclexplode(o.acl) GROUP BY grantee, privilege_type";

/// Rows of `name`, `role`, `privilege` and `grantable`.
pub fn grants(subject: &Subject) -> String {
    match subject {
        Subject::Members(group) => format!(
            "SELECT {} AS name, name AS role, 'MEMBER' AS privilege, admin AS grantable FROM ({}) m",
            text(group),
            members(group)
        ),
        Subject::Acl(objects) => format!(
            "SELECT o.name, g.role, g.privilege, g.grantable FROM ({}) o, LATERAL ({EXPLODED}) g",
            rows(objects)
        ),
        _ => "SELECT NULL AS name, NULL AS role, NULL AS privilege, false AS grantable WHERE false"
            .to_owned(),
    }
}

/// The query for those of `wanted` that are not so in `grants`: rows of name, role, privilege, whether it is to be there, and whether it is to be
/// grantable, where that matters.
pub fn differences(
    grants: &str,
    wanted: &[(String, String, String, bool, Option<bool>)],
) -> String {
    let rows: Vec<String> = wanted
        .iter()
        .map(|(name, role, privilege, there, grantable)| {
            let grantable = grantable.map_or("NULL", |is| if is { "true" } else { "false" });
            format!(
                "({}, {}, {}, {there}, {grantable}::boolean)",
                text(name),
                text(role),
                text(privilege)
            )
        })
        .collect();
    format!(
        "SELECT w.privilege || ' of ' || w.role || ' on ' || w.name FROM (VALUES {}) w(name, role, privilege, there, grantable) LEFT JOIN ({grants}) g \
         ON g.name = w.name AND g.role = w.role AND g.privilege = w.privilege \
         WHERE (g.name IS NOT NULL) <> w.there OR (w.there AND g.grantable <> w.grantable) LIMIT 3",
        rows.join(", ")
    )
}

fn members(role: &str) -> String {
    format!(
        "SELECT pg_get_userbyid(member)::text AS name, bool_or(admin_option) AS admin FROM pg_auth_members \
         WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = {}) GROUP BY member",
        text(role)
    )
}

/// Rows of `name`, `sql`, `owner`, `acl`, and `type` as `acldefault` calls it.
fn rows(objects: &Objects) -> String {
    let schema = text(objects.schema.as_deref().unwrap_or("public"));
    let named = |column: &str| match objects.names.is_empty() {
        true => "true".to_owned(),
        false => format!(
            "{column} IN ({})",
            texts(objects.names.iter().map(String::as_str))
        ),
    };
    let relations = |kinds: &str, letter: char| {
        format!(
            "SELECT relname::text AS name, format('%I.%I', nspname, relname) AS sql, relowner AS owner, '{letter}'::\"char\" AS type, \
             coalesce(relacl, acldefault('{letter}', relowner)) AS acl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
             WHERE nspname = {schema} AND relkind IN ({kinds}) AND {}",
            named("relname")
        )
    };
    match objects.kind {
        ObjectKind::Table => relations("'r', 'p', 'v', 'm', 'f'", 'r'),
        ObjectKind::Sequence => relations("'S'", 's'),
        ObjectKind::Function => functions(objects, &schema),
        ObjectKind::Schema => format!(
            "SELECT nspname::text AS name, format('%I', nspname) AS sql, nspowner AS owner, 'n'::\"char\" AS type, \
             coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM pg_namespace WHERE {}",
            named("nspname")
        ),
        ObjectKind::Database => format!(
            "SELECT datname::text AS name, format('%I', datname) AS sql, datdba AS owner, 'd'::\"char\" AS type, \
             coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_database WHERE {}",
            named("datname")
        ),
        ObjectKind::Default => defaults(objects, &named("class")),
    }
}

/// A function's name comes with the types of its arguments, which the server reads.
fn functions(objects: &Objects, schema: &str) -> String {
    let columns = "format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) AS sql, proowner AS owner, 'f'::\"char\" AS type, \
         coalesce(proacl, acldefault('f', proowner)) AS acl";
    if objects.names.is_empty() {
        return format!(
            "SELECT format('%I(%s)', proname, pg_get_function_identity_arguments(p.oid)) AS name, {columns} \
             FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = {schema} AND prokind <> 'p'"
        );
    }
    let space = name(objects.schema.as_deref().unwrap_or("public"));
    let asked: Vec<String> = objects
        .names
        .iter()
        .map(|asked| {
            let (function, arguments) = asked.split_once('(').unwrap_or((asked, ")"));
            let signature = format!("{space}.{}({arguments}", name(function.trim()));
            format!("({}, to_regprocedure({}))", text(asked), text(&signature))
        })
        .collect();
    format!(
        "SELECT a.name, {columns} FROM (VALUES {}) a(name, oid) JOIN pg_proc p ON p.oid = a.oid JOIN pg_namespace n ON n.oid = pronamespace",
        asked.join(", ")
    )
}

/// Defaults of a schema begin with nothing, those of all schemas with what the server has built in.
fn defaults(objects: &Objects, named: &str) -> String {
    let (space, built_in) = match &objects.schema {
        Some(schema) => (
            format!(
                "(SELECT oid FROM pg_namespace WHERE nspname = {})",
                text(schema)
            ),
            "NULL::aclitem[]".to_owned(),
        ),
        None => ("0".to_owned(), "acldefault(t.type, r.oid)".to_owned()),
    };
    let of = match objects.of.is_empty() {
        true => "CURRENT_USER".to_owned(),
        false => texts(objects.of.iter().map(String::as_str)),
    };
    format!(
        "SELECT format('%s of %s', class, rolname) AS name, class AS sql, r.oid AS owner, t.type, coalesce(defaclacl, {built_in}) AS acl \
         FROM (VALUES ('TABLES', 'r'::\"char\", 'r'::\"char\"), ('SEQUENCES', 'S', 's'), ('FUNCTIONS', 'f', 'f'), ('TYPES', 'T', 'T'), ('SCHEMAS', 'n', 'n')) \
         t(class, letter, type) CROSS JOIN pg_roles r LEFT JOIN pg_default_acl d ON defaclrole = r.oid AND defaclobjtype = t.letter AND defaclnamespace = {space} \
         WHERE {named} AND rolname IN ({of})"
    )
}
