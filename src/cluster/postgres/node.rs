//! What is put on a node, and the steps of each act.
//!
//! The helpers in `files/` are the same on every node: what differs is in the one small file of [`environment`]. The acts in `steps/` are
//! run once, as root, with the node's values in front; each proves its end by the server itself, never by the status of `systemctl`.

mod access;
mod accounts;
mod daemon;
mod server;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::site::Site;
use crate::command::quote;

pub use server::settings;
pub use steps::step;

/// A file that we own on a member.
#[derive(Clone)]
pub struct ManagedFile {
    /// Where.
    pub path: String,
    /// What.
    pub content: Arc<[u8]>,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: &'static str,
    /// Group.
    pub group: &'static str,
    /// Whether the running server must read its files again when this one changes.
    pub reload: bool,
}

impl ManagedFile {
    fn new(path: impl Into<String>, content: impl Into<Vec<u8>>, mode: u32) -> ManagedFile {
        ManagedFile {
            path: path.into(),
            content: content.into().into(),
            mode,
            owner: "root",
            group: "root",
            reload: false,
        }
    }

    fn of_postgres(mut self) -> ManagedFile {
        self.owner = "postgres";
        self.group = "postgres";
        self
    }

    fn reload(mut self) -> ManagedFile {
        self.reload = true;
        self
    }
}

/// Folder of the helpers.
const LIBRARY: &str = "/usr/local/lib/hadeploy";

/// Name on the node, text and mode of each helper.
const HELPERS: [(&str, &str, u32); 8] = [
    ("pg-lib", include_str!("files/pg-lib.sh"), 0o644),
    (
        "pg-start-guard",
        include_str!("files/pg-start-guard.sh"),
        0o755,
    ),
    (
        "pg-failover-ok",
        include_str!("files/pg-failover-ok.sh"),
        0o755,
    ),
    (
        "pg-isolation-fence",
        include_str!("files/pg-isolation-fence.sh"),
        0o755,
    ),
    ("pg-promote", include_str!("files/pg-promote.sh"), 0o755),
    ("pg-elect", include_str!("files/pg-elect.sh"), 0o755),
    ("pg-event", include_str!("files/pg-event.sh"), 0o755),
    (
        "pg-rewind-wrapper",
        include_str!("files/pg-rewind-wrapper.sh"),
        0o755,
    ),
];

/// Every file of ours on a member, whatever its state, for [`super::Act::Prepare`] and [`super::Act::WriteFiles`]. Those below the server's
/// folder are written only where that is there.
pub fn files(site: &Site, member: usize) -> Vec<ManagedFile> {
    let etc = site.etc();
    let mut files = vec![ManagedFile::new(
        "/etc/hadeploy/postgres.env",
        environment(site, member),
        0o644,
    )];
    files.extend(
        HELPERS
            .iter()
            .map(|(name, text, mode)| ManagedFile::new(format!("{LIBRARY}/{name}"), *text, *mode)),
    );
    files.extend([
        ManagedFile::new("/var/lib/postgresql/.pgpass", access::pgpass(site), 0o600).of_postgres(),
        ManagedFile::new("/etc/repmgr.conf", daemon::repmgr_conf(site, member), 0o640)
            .of_postgres(),
        ManagedFile::new(
            "/etc/systemd/system/repmgrd.service",
            daemon::repmgrd_unit(site),
            0o644,
        ),
        ManagedFile::new(
            "/etc/systemd/system/hadeploy-pg-elect.service",
            daemon::elect_unit(),
            0o644,
        ),
        ManagedFile::new(
            format!("/etc/systemd/system/{}.d/10-hadeploy.conf", site.unit()),
            daemon::server_drop_in(),
            0o644,
        ),
        ManagedFile::new(
            "/etc/sudoers.d/hadeploy-postgres",
            access::sudoers(site),
            0o440,
        ),
        ManagedFile::new(format!("{etc}/pg_hba.conf"), access::hba(site), 0o640)
            .of_postgres()
            .reload(),
        ManagedFile::new(
            format!("{etc}/conf.d/50-hadeploy.conf"),
            server::text(site, member),
            0o644,
        )
        .of_postgres()
        .reload(),
    ]);
    files
}

/// Packages that a member needs.
pub fn packages(release: u32) -> Vec<String> {
    vec![
        format!("postgresql-{release}"),
        format!("postgresql-{release}-repmgr"),
    ]
}

/// Values of a member as assignments of a shell: what helpers and acts are written with. No secrets.
fn environment(site: &Site, member: usize) -> String {
    let spec = site.spec;
    let others = || {
        spec.members
            .iter()
            .enumerate()
            .filter(move |(index, _)| *index != member)
    };
    let peers: Vec<String> = others()
        .filter(|(index, _)| *index < spec.data())
        .map(|(index, other)| format!("{},{},{}", site.ids[index], other.name, other.address))
        .collect();
    let addresses: Vec<&str> = others().map(|(_, other)| other.address.as_str()).collect();
    let witness = if spec.is_witness(member) { "yes" } else { "" };
    let values: [(&str, String); 20] = [
        ("PG_VERSION", site.release.to_string()),
        ("PG_PORT", spec.port.to_string()),
        ("PG_BIN", site.bin()),
        ("PG_DATA", site.data()),
        ("PG_ETC", site.etc()),
        ("PG_UNIT", site.unit()),
        (
            "PG_LOG",
            format!("/var/log/postgresql/postgresql-{}-main.log", site.release),
        ),
        ("PG_CA", spec.tls.ca.clone()),
        ("PG_TLS_CERT", spec.tls.cert.clone()),
        ("PG_TLS_KEY", spec.tls.key.clone()),
        ("PG_PEERS", peers.join(" ")),
        ("PG_OTHERS", addresses.join(" ")),
        ("PG_DATA_NODES", spec.data().to_string()),
        ("PG_MEMBERS", spec.members.len().to_string()),
        ("PG_WITNESS", witness.to_owned()),
        ("PG_PROBE_PORTS", format!("22 {}", spec.port)),
        ("PG_GIVEN_UP", daemon::given_up(spec).as_secs().to_string()),
        ("NODE_ID", site.ids[member].to_string()),
        ("NODE_NAME", spec.name(member).to_owned()),
        ("NODE_ADDRESS", spec.members[member].address.clone()),
    ];
    values
        .iter()
        .map(|(name, value)| format!("{name}={}\n", quote(value)))
        .collect()
}

/// How members reach the server of one: what repmgr keeps in its table. Without the bounds of TCP, repmgrd waits a quarter of an hour for an
/// answer on a connection that a cut line has swallowed, and does not even begin to elect.
fn conninfo(site: &Site, member: usize) -> String {
    let spec = site.spec;
    format!(
        "host={} port={} user=repmgr dbname=repmgr connect_timeout=2 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=5000 sslmode=verify-ca sslrootcert={}",
        spec.members[member].address, spec.port, spec.tls.ca
    )
}
