//! How a node is, whatever clusters it is a member of: its services, whether it takes visitors, where its pooler leads, memory and room.
//! One read-only script, and its pure parser.

use std::collections::BTreeMap;

/// Units of the platform, as systemd matches them: those that a node has are shown.
const UNITS: &str = "haproxy.service nginx.service app@*.service app-*.service app-*.timer node-ready.service \
postgresql@*.service repmgrd.service pgbouncer.service hadeploy-*.service hadeploy-*.timer redis-server.service \
redis-sentinel.service fail2ban.service ssh.service rsyslog.service keepalived.service chrony.service";

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct NodeReport {
    /// Its name.
    pub host: String,
    /// Why nothing is known of it; none when it answered.
    pub unreachable: Option<String>,
    /// For how long nothing is known of it.
    pub silent_ms: u64,
    /// The services that it has or should have, and all units that failed.
    pub services: Vec<Service>,
    /// Whether it says that it takes visitors; none when visitors have nothing to do with it.
    pub ready: Option<bool>,
    /// Whether it was taken out by hand or by a rolling update.
    pub drained: bool,
    /// Its pgbouncer; none when there is none, or it does not answer.
    pub pgbouncer: Option<Pooler>,
    /// What keeps its pgbouncer on the primary.
    pub pgroute: Option<Route>,
    /// What all its processes take together: the sum of their proportional set sizes.
    pub memory_pss_mb: Option<u64>,
    /// The memory of the machine, where it can be known.
    pub memory_mb: Option<u64>,
    /// Room on the fullest of the file systems that matter.
    pub disk_free_mb: Option<u64>,
}

/// A service of a node.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Service {
    /// The unit's name, without `.service`.
    pub unit: String,
    /// `active`, `inactive`, `failed`, `activating` …
    pub state: String,
}

/// Where a pooler leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pooler {
    /// The address of the PostgreSQL behind it.
    pub target: String,
    /// The member at that address.
    pub node: Option<String>,
    /// Clients are held back.
    pub paused: bool,
    /// Clients are turned away.
    pub disabled: bool,
    /// Clients that are connected.
    pub clients: u64,
    /// Clients that wait for a connection to the server.
    pub waiting: u64,
}

/// What pgroute found last.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Route {
    /// `route`, `split`, `conflict`, `stale`, `none` or `minority`.
    pub verdict: String,
    /// The address it leads to.
    pub target: String,
    /// Seconds since it looked.
    pub age_s: u64,
}

impl Service {
    /// Whether it does what it is there for.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

impl NodeReport {
    /// What can be told of a node that does not answer.
    pub fn silent(host: &str, why: String, silent_ms: u64) -> NodeReport {
        NodeReport {
            host: host.to_owned(),
            unreachable: Some(why),
            silent_ms,
            ..NodeReport::default()
        }
    }

    /// Whether there is nothing to worry about.
    pub fn is_well(&self) -> bool {
        let led = |route: &Route| route.verdict == "route";
        // pgroute is there for a pooler.
        let serves = match &self.pgbouncer {
            Some(pooler) => !pooler.paused && !pooler.disabled,
            None => self.pgroute.is_none(),
        };
        self.unreachable.is_none()
            && self.services.iter().all(Service::is_active)
            && self.ready != Some(false)
            && !self.drained
            && serves
            && self.pgroute.as_ref().is_none_or(led)
    }

    /// What a node said to the [`question`].
    ///
    /// # Errors
    /// The answer is not whole.
    pub fn parse(host: &str, text: &str) -> Result<NodeReport, String> {
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in text.lines() {
            let (label, rest) = line.split_once(' ').unwrap_or((line, ""));
            lines.entry(label).or_default().push(rest);
        }
        let of = |label: &str| lines.get(label).map(Vec::as_slice).unwrap_or_default();
        if of("end").is_empty() {
            return Err("its answer is not whole".to_owned());
        }
        let units: Vec<Unit> = of("unit")
            .split(|line| line.is_empty())
            .map(Unit::parse)
            .collect();
        let flags = of("ready").first().copied().unwrap_or_default();
        let visited = flags != "no no"
            || units
                .iter()
                .any(|unit| unit.id == "node-ready.service" && unit.load == "loaded");
        let number = |label: &str| of(label).first()?.trim().parse::<u64>().ok();
        Ok(NodeReport {
            host: host.to_owned(),
            services: services(&units, of("failed")),
            ready: visited.then_some(flags == "yes no"),
            drained: flags.ends_with("yes"),
            pgbouncer: pooler(of("pool")),
            pgroute: route(of("route"), number("now").unwrap_or(0)),
            memory_pss_mb: number("pss").filter(|kb| *kb > 0).map(|kb| kb / 1024),
            memory_mb: number("total").map(|kb| kb / 1024),
            disk_free_mb: room(of("disk")).map(|kb| kb / 1024),
            ..NodeReport::default()
        })
    }
}

/// POSIX sh that prints what [`NodeReport::parse`] reads. Run as root; it changes nothing, and comes to an end within half a minute
/// whatever the daemons do.
pub fn question() -> String {
    let units = crate::command::quote(UNITS);
    format!("UNITS={units}\n{}", include_str!("node/question.sh"))
}

#[derive(Default)]
struct Unit<'a> {
    id: &'a str,
    load: &'a str,
    active: &'a str,
    file: &'a str,
    kind: &'a str,
}

impl<'a> Unit<'a> {
    fn parse(lines: &[&'a str]) -> Unit<'a> {
        let mut unit = Unit::default();
        for line in lines {
            match line.split_once('=') {
                Some(("Id", value)) => unit.id = value,
                Some(("LoadState", value)) => unit.load = value,
                Some(("ActiveState", value)) => unit.active = value,
                Some(("UnitFileState", value)) => unit.file = value,
                Some(("Type", value)) => unit.kind = value,
                _ => {}
            }
        }
        unit
    }

    /// Whether the node has it, or should. A step that hadeploy runs has no file, and what only works at a boot is no service, unless
    /// that failed.
    fn is_there(&self) -> bool {
        let lives = self.active != "inactive" || self.file.starts_with("enabled");
        let once = self.kind == "oneshot" && self.active != "failed";
        self.load == "loaded" && self.file != "transient" && lives && !once
    }
}

fn services(units: &[Unit], failed: &[&str]) -> Vec<Service> {
    // In the order of the table, as a visitor goes through them; systemd says them in any.
    let order = |id: &str| {
        let like = |pattern: &str| match pattern.split_once('*') {
            Some((head, tail)) => id.starts_with(head) && id.ends_with(tail),
            None => id == pattern,
        };
        UNITS.split(' ').position(like)
    };
    let mut found: Vec<&Unit> = units.iter().filter(|unit| unit.is_there()).collect();
    found.sort_by_key(|unit| (order(unit.id), unit.id));
    found.dedup_by_key(|unit| unit.id);
    let plain = |id: &str| id.strip_suffix(".service").unwrap_or(id).to_owned();
    let mut services: Vec<Service> = found
        .iter()
        .map(|unit| Service {
            unit: plain(unit.id),
            state: unit.active.to_owned(),
        })
        .collect();
    for line in failed {
        let Some(unit) = line.split_whitespace().next().map(plain) else {
            continue;
        };
        if !services.iter().any(|service| service.unit == unit) {
            services.push(Service {
                unit,
                state: "failed".to_owned(),
            });
        }
    }
    services
}

/// Rows of tables, each under its head, as psql writes them without alignment.
fn pooler(lines: &[&str]) -> Option<Pooler> {
    let mut head: Vec<&str> = Vec::new();
    let mut pooler: Option<Pooler> = None;
    for line in lines {
        let cells: Vec<&str> = line.split('|').collect();
        if matches!(cells[0], "name" | "database") {
            head = cells;
            continue;
        }
        let cell = |name: &str| {
            let at = head.iter().position(|column| *column == name)?;
            cells.get(at).copied()
        };
        // The console itself is the other database.
        if cells[0] == "pgbouncer" {
            continue;
        }
        let number = |name: &str| cell(name).and_then(|text| text.parse::<u64>().ok());
        if let Some(host) = cell("host") {
            pooler.get_or_insert_with(|| Pooler {
                target: host.to_owned(),
                paused: cell("paused") == Some("1"),
                disabled: cell("disabled") == Some("1"),
                ..Pooler::default()
            });
        } else if let Some(pooler) = &mut pooler {
            let waiting = number("cl_waiting").unwrap_or(0);
            let all = number("cl_active").unwrap_or(0).saturating_add(waiting);
            pooler.clients = pooler.clients.saturating_add(all);
            pooler.waiting = pooler.waiting.saturating_add(waiting);
        }
    }
    pooler
}

fn route(lines: &[&str], now: u64) -> Option<Route> {
    let value = |name: &str| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    let seen = value("seen").and_then(|seen| seen.split('.').next()?.parse::<u64>().ok());
    Some(Route {
        verdict: value("verdict")?.to_owned(),
        target: value("target").unwrap_or_default().to_owned(),
        age_s: now.saturating_sub(seen.unwrap_or(now)),
    })
}

/// The least that `df` says is available, in kilobytes.
fn room(lines: &[&str]) -> Option<u64> {
    let available = |line: &&str| line.split_whitespace().nth(3)?.parse::<u64>().ok();
    lines.iter().filter_map(available).min()
}

#[cfg(test)]
mod tests;
