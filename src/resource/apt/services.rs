//! Packages whose own scripts restart a service when they are upgraded, and stop it when they are removed.

use crate::change::{Effect, Field};

/// Packages of Debian with their units. A package that comes anew disturbs nothing that ran.
const SERVICES: &[(&str, &str)] = &[
    ("apache2", "apache2.service"),
    ("chrony", "chrony.service"),
    ("containerd", "containerd.service"),
    ("cron", "cron.service"),
    ("docker-ce", "docker.service"),
    ("docker.io", "docker.service"),
    ("fail2ban", "fail2ban.service"),
    ("haproxy", "haproxy.service"),
    ("keepalived", "keepalived.service"),
    ("mariadb-server", "mariadb.service"),
    ("memcached", "memcached.service"),
    ("nginx", "nginx.service"),
    ("openssh-server", "ssh.service"),
    ("pgbouncer", "pgbouncer.service"),
    (
        "prometheus-node-exporter",
        "prometheus-node-exporter.service",
    ),
    ("redis-sentinel", "redis-sentinel.service"),
    ("redis-server", "redis-server.service"),
    ("rsyslog", "rsyslog.service"),
    ("varnish", "varnish.service"),
];

/// What an upgrade or removal of the package does to a service, as far as it is known.
pub(super) fn effect(field: &Field) -> Option<Effect> {
    let Field::Value {
        field: name,
        before,
        ..
    } = field
    else {
        return None;
    };
    if !before.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let known = SERVICES.iter().find(|(package, _)| package == name);
    let unit = match known {
        Some((_, unit)) => (*unit).to_owned(),
        None => of_a_version(name)?,
    };
    Some(Effect::Restart(unit))
}

/// `postgresql-15` and `php8.2-fpm`: the version is part of the name.
fn of_a_version(name: &str) -> Option<String> {
    let number = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if let Some(version) = name.strip_prefix("postgresql-") {
        return number(version).then(|| format!("postgresql@{version}-main.service"));
    }
    let version = name.strip_prefix("php")?.strip_suffix("-fpm")?;
    number(version).then(|| format!("{name}.service"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upgrades_and_removals_restart_what_is_known() {
        let restart = |unit: &str| Some(Effect::Restart(unit.to_owned()));
        for (package, before, after, wanted) in [
            (
                "nginx",
                "1.22.1-9",
                "1.22.1-9+deb12u1",
                restart("nginx.service"),
            ),
            ("nginx", "1.22.1-9", "", restart("nginx.service")),
            ("nginx", "", "1.22.1-9", None),
            ("nginx", "configuration files", "", None),
            ("openssh-server", "1:9.2", "1:9.3", restart("ssh.service")),
            (
                "postgresql-15",
                "15.4",
                "15.5",
                restart("postgresql@15-main.service"),
            ),
            ("postgresql-15-repmgr", "5.3", "5.4", None),
            ("postgresql-common", "248", "249", None),
            (
                "php8.2-fpm",
                "8.2.1",
                "8.2.2",
                restart("php8.2-fpm.service"),
            ),
            ("curl", "7", "8", None),
        ] {
            assert_eq!(
                effect(&Field::value(package, before, after)),
                wanted,
                "{package}"
            );
        }
    }
}
