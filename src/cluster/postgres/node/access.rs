//! Who may connect, and with which password or right.

use super::super::site::Site;
use super::super::spec::{REPMGR, RoleKind};

/// `pg_hba.conf`: the server's own account by its socket, members as repmgr, applications' hosts to their databases; nobody else, and
/// over the network only by TLS with SCRAM.
pub(super) fn hba(site: &Site) -> String {
    let spec = site.spec;
    let mut text =
        String::from("# TYPE  DATABASE  USER  ADDRESS  METHOD\nlocal all postgres peer\n");
    let mut allow = |database: &str, user: &str, address: &str| {
        text.push_str(&format!(
            "hostssl {} {} {} scram-sha-256\n",
            word(database),
            word(user),
            network(address)
        ));
    };
    for member in &spec.members {
        allow(REPMGR, REPMGR, &member.address);
        // Not quoted: in quotes it would be a database of that name.
        allow("replication", REPMGR, &member.address);
    }
    let poolers: Vec<&str> = spec
        .roles
        .iter()
        .filter(|role| role.kind == RoleKind::Pooler)
        .map(|role| role.name.as_str())
        .collect();
    for client in &spec.clients {
        for database in &spec.databases {
            for pooler in &poolers {
                allow(&database.name, pooler, client);
            }
            for role in &spec.roles {
                if role.kind == RoleKind::Login {
                    allow(&database.name, &role.name, client);
                }
            }
        }
    }
    text
}

/// `~postgres/.pgpass`: repmgr's password for each member.
pub(super) fn pgpass(site: &Site) -> String {
    let Some(role) = site.spec.repmgr() else {
        return String::new();
    };
    let password = role.password.replace('\\', "\\\\").replace(':', "\\:");
    format!("*:*:*:{}:{password}\n", role.name)
}

/// What repmgr may ask of systemd.
pub(super) fn sudoers(site: &Site) -> String {
    let unit = site.unit();
    let commands: Vec<String> = ["start", "stop", "restart", "reload"]
        .iter()
        .map(|verb| format!("/usr/bin/systemctl {verb} {unit}"))
        .collect();
    format!(
        "Defaults:postgres !requiretty\npostgres ALL=(root) NOPASSWD: {}\n",
        commands.join(", ")
    )
}

/// A name as `pg_hba.conf` reads it back unchanged.
fn word(name: &str) -> String {
    const KEYWORDS: [&str; 4] = ["all", "sameuser", "samerole", "samegroup"];
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !KEYWORDS.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// One address, or the network as it stands.
fn network(address: &str) -> String {
    if address.contains('/') {
        address.to_owned()
    } else if address.contains(':') {
        format!("{address}/128")
    } else {
        format!("{address}/32")
    }
}
