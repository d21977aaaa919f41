//! The files that are written once; redis and sentinel write them themselves from then on.

use std::collections::BTreeMap;

use crate::cluster::redis::probe::ports;
use crate::cluster::redis::spec::{REDIS_PORT, SENTINEL_PORT, Spec};

/// Tells that a file is this tool's.
const MARK: &str = "# hadeploy wrote this once; the daemon writes it from then on: change settings by the task redis_cluster\n";

/// One setting as a line.
pub fn line(name: &str, value: &str) -> String {
    let value = if value.is_empty() { "\"\"" } else { value };
    format!("{name} {value}\n")
}

/// `redis.conf` of a member that holds nothing yet.
pub fn redis(spec: &Spec, member: usize, follows: Option<usize>) -> String {
    let (port, tls_port) = ports(spec, REDIS_PORT);
    let mut settings: BTreeMap<String, String> = [
        ("supervised", "systemd"),
        ("pidfile", "/run/redis/redis-server.pid"),
        ("logfile", "/var/log/redis/redis-server.log"),
        ("dir", "/var/lib/redis"),
        ("port", &port),
        ("tls-port", &tls_port),
        ("requirepass", &spec.password),
        ("masterauth", &spec.password),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    settings.extend(spec.wanted(member));
    let mut text = MARK.to_owned();
    for (name, value) in &settings {
        text.push_str(&line(name, value));
    }
    if let Some(primary) = follows {
        let address = &spec.members[primary].address;
        text.push_str(&format!("replicaof {address} {REDIS_PORT}\n"));
    }
    text
}

/// `sentinel.conf` of a sentinel that is not of the cluster yet. Its id comes from itself.
pub fn sentinel(spec: &Spec, member: usize, watches: usize) -> String {
    let name = &spec.name;
    let primary = &spec.members[watches].address;
    let watch = &spec.watch;
    format!(
        "{MARK}daemonize no\nsupervised systemd\npidfile /run/sentinel/redis-sentinel.pid\nlogfile /var/log/redis/redis-sentinel.log\ndir /var/lib/redis\n\
         sentinel deny-scripts-reconfig yes\nsentinel resolve-hostnames no\n\
         sentinel monitor {name} {primary} {REDIS_PORT} {}\n\
         sentinel down-after-milliseconds {name} {}\nsentinel failover-timeout {name} {}\nsentinel parallel-syncs {name} 1\n{}",
        watch.quorum,
        watch.down_after.as_millis(),
        watch.failover_timeout.as_millis(),
        sentinel_access(spec, member),
    )
}

/// The lines of `sentinel.conf` that say how it is reached, and how it reaches others.
pub fn sentinel_access(spec: &Spec, member: usize) -> String {
    let (port, tls_port) = ports(spec, SENTINEL_PORT);
    let address = &spec.members[member].address;
    let password = &spec.password;
    let mut text = format!(
        "bind {address} 127.0.0.1\nprotected-mode yes\nport {port}\ntls-port {tls_port}\nrequirepass {password}\n\
         sentinel announce-ip {address}\nsentinel auth-pass {} {password}\n",
        spec.name
    );
    if let Some(tls) = &spec.tls {
        for (name, value) in tls.settings() {
            text.push_str(&line(name, value));
        }
    }
    text
}
