//! The server's settings.

use std::collections::BTreeMap;

use super::super::site::Site;

/// What the server is given, unless the user wants another value. For nodes of 1 GB that run more than PostgreSQL.
const DEFAULTS: [(&str, &str); 30] = [
    ("max_connections", "60"),
    ("superuser_reserved_connections", "5"),
    ("shared_buffers", "128MB"),
    ("effective_cache_size", "384MB"),
    ("work_mem", "4MB"),
    ("maintenance_work_mem", "32MB"),
    ("autovacuum_max_workers", "2"),
    ("max_worker_processes", "8"),
    ("max_parallel_workers_per_gather", "0"),
    ("min_wal_size", "80MB"),
    ("max_wal_size", "512MB"),
    ("checkpoint_timeout", "5min"),
    ("checkpoint_completion_target", "0.9"),
    ("random_page_cost", "1.1"),
    // Kept for standbys that were away, and for rewinding; bounded, so that a dead one does not fill the disk.
    ("wal_keep_size", "512MB"),
    ("max_slot_wal_keep_size", "2GB"),
    ("max_wal_senders", "10"),
    ("max_replication_slots", "10"),
    // A silent standby is dropped from the view of the isolation fence after this: part of its 18 seconds.
    ("wal_sender_timeout", "10s"),
    ("wal_receiver_timeout", "10s"),
    ("wal_retrieve_retry_interval", "2s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "15s"),
    ("log_checkpoints", "on"),
    ("log_lock_waits", "on"),
    ("log_min_duration_statement", "1s"),
    ("log_autovacuum_min_duration", "10s"),
    ("idle_in_transaction_session_timeout", "10min"),
];

/// What replication, failover and rewinding stand on; the user's settings do not reach it.
const FIXED: [(&str, &str); 8] = [
    ("wal_level", "replica"),
    ("hot_standby", "on"),
    ("wal_log_hints", "on"),
    ("full_page_writes", "on"),
    ("fsync", "on"),
    ("password_encryption", "scram-sha-256"),
    ("restart_after_crash", "on"),
    ("ssl", "on"),
];

/// The settings that the files give a member: ours and the user's, without quotes.
pub fn settings(site: &Site, member: usize) -> BTreeMap<String, String> {
    let spec = site.spec;
    let mut values: BTreeMap<String, String> = DEFAULTS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if spec.is_witness(member) {
        values.insert("shared_buffers".into(), "16MB".into());
        values.insert("max_connections".into(), "20".into());
    } else {
        values.extend(spec.settings.clone());
    }
    for (name, value) in FIXED {
        values.insert(name.into(), value.into());
    }
    // Libraries of the user stand beside ours.
    let mut libraries: Vec<&str> = spec
        .settings
        .get("shared_preload_libraries")
        .map(String::as_str)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != "repmgr")
        .collect();
    libraries.insert(0, "repmgr");
    values.insert("shared_preload_libraries".into(), libraries.join(", "));
    values.insert("port".into(), spec.port.to_string());
    values.insert(
        "listen_addresses".into(),
        format!("localhost, {}", spec.members[member].address),
    );
    values.insert("ssl_ca_file".into(), spec.tls.ca.clone());
    values.insert("ssl_cert_file".into(), spec.tls.cert.clone());
    values.insert("ssl_key_file".into(), spec.tls.key.clone());
    values.insert("synchronous_standby_names".into(), standbys(site, member));
    values
}

/// `conf.d/50-hadeploy.conf`.
pub(super) fn text(site: &Site, member: usize) -> String {
    let mut text =
        String::from("# Written by hadeploy: settings of the cluster's task belong there.\n");
    for (name, value) in settings(site, member) {
        text.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
    }
    text
}

/// Which standbys a commit waits for: any of the data members. The same on all of them, since each may become the primary.
fn standbys(site: &Site, member: usize) -> String {
    let spec = site.spec;
    if spec.quorum() == 0 || spec.is_witness(member) {
        return String::new();
    }
    let names: Vec<String> = spec.members[..spec.data()]
        .iter()
        .map(|member| format!("\"{}\"", member.name))
        .collect();
    format!("ANY {} ({})", spec.quorum(), names.join(", "))
}
