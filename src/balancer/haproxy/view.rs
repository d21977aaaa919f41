//! What HAProxy says of its servers: the answers of its runtime socket, read.

use crate::balancer::Service;
use crate::diagnostic::count;

/// One row of `show stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    pub backend: String,
    pub server: String,
    pub status: String,
    pub sessions: u64,
    /// Connections kept open for later requests.
    pub idle: u64,
    pub check: String,
}

/// What the administrator wants of a server, and whether it is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Wanted,
    Draining,
    Maintenance,
}

/// One server in one backend on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub host: String,
    pub backend: String,
    pub status: String,
    pub standing: Standing,
    /// Whether it may get connections by its health.
    pub running: bool,
    pub idle: u64,
    pub sessions: u64,
    pub check: String,
}

/// `srv_admin_state` of `show servers state`, its bits for maintenance: forced, inherited, unresolvable address and name.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x20 | 0x40;
/// Its bits for draining: forced and inherited.
const DRAINING: u32 = 0x08 | 0x10;
/// `srv_op_state` of a server that is up with its whole weight.
const RUNNING: u32 = 2;

impl View {
    /// Puts both answers together; `state` is that of operation and administration.
    pub(super) fn new(host: &str, stat: &Stat, state: (u32, u32)) -> View {
        let (operation, administration) = state;
        let standing = match administration {
            bits if bits & MAINTENANCE != 0 => Standing::Maintenance,
            bits if bits & DRAINING != 0 => Standing::Draining,
            _ => Standing::Wanted,
        };
        View {
            host: host.into(),
            backend: stat.backend.clone(),
            status: stat.status.clone(),
            standing,
            running: operation == RUNNING,
            sessions: stat.sessions,
            idle: stat.idle,
            check: stat.check.clone(),
        }
    }

    /// Whether it gets no new connections because somebody wants so.
    pub(super) fn is_closed(&self) -> bool {
        self.standing != Standing::Wanted
    }

    fn word(&self) -> &str {
        match self.standing {
            Standing::Maintenance => "is in maintenance",
            Standing::Draining => "drains",
            Standing::Wanted if self.running => "is in service",
            Standing::Wanted => "is not healthy",
        }
    }
}

/// All views as one: the worst of them counts.
pub(super) fn service(views: &[View]) -> Service {
    let down: Vec<String> = views
        .iter()
        .filter(|view| view.standing == Standing::Wanted && !view.running)
        .map(|view| {
            let check = match view.check.is_empty() {
                true => String::new(),
                false => format!(" ({})", view.check),
            };
            format!(
                "{} at {} is {}{check}",
                view.backend, view.host, view.status
            )
        })
        .collect();
    if !down.is_empty() {
        return Service::Down(down.join(", "));
    }
    if views.iter().all(|view| view.standing == Standing::Wanted) {
        return Service::In;
    }
    match views.iter().all(View::is_closed) && sessions(views) == 0 {
        true => Service::Out,
        false => Service::Draining,
    }
}

/// Sessions of all views together.
pub(super) fn sessions(views: &[View]) -> u64 {
    total(views, |view| view.sessions)
}

/// A number of all views together; what a balancer says can be any number.
pub(super) fn total(views: &[View], number: fn(&View) -> u64) -> u64 {
    views.iter().map(number).fold(0, u64::saturating_add)
}

/// `app at lb1 drains, 2 sessions; app at lb2 is in service`.
pub(super) fn words(views: &[View]) -> String {
    let each: Vec<String> = views
        .iter()
        .map(|view| {
            let sessions = match usize::try_from(view.sessions).unwrap_or(usize::MAX) {
                0 => String::new(),
                number => format!(", {}", count(number, "session")),
            };
            format!(
                "{} at {} {}{sessions}",
                view.backend,
                view.host,
                view.word()
            )
        })
        .collect();
    each.join("; ")
}

/// Takes the answers apart: each stands behind a line with its length in bytes.
pub(super) fn answers(text: &str) -> Option<Vec<String>> {
    let mut rest = text;
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_once('\n')?;
        let length: usize = length.parse().ok()?;
        answers.push(behind.get(..length)?.to_owned());
        rest = behind.get(length..)?;
    }
    Some(answers)
}

/// The rows of `show stat`, by the names in its first line.
pub(super) fn stats(text: &str) -> Option<Vec<Stat>> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let head = fields(lines.next()?.strip_prefix("# ")?);
    let at = |name: &str| head.iter().position(|field| field == name);
    let (backend, server, status) = (at("pxname")?, at("svname")?, at("status")?);
    let (current, queued) = (at("scur")?, at("qcur")?);
    let (check, idle) = (at("check_status"), at("srv_icur"));
    let stat = |line: &str| {
        let row = fields(line);
        let number = |at: usize| -> Option<u64> { row.get(at)?.parse().ok() };
        Some(Stat {
            backend: row.get(backend)?.clone(),
            server: row.get(server)?.clone(),
            status: row.get(status)?.clone(),
            sessions: number(current)?.saturating_add(number(queued).unwrap_or(0)),
            idle: idle.and_then(number).unwrap_or(0),
            check: check
                .and_then(|at| row.get(at).cloned())
                .unwrap_or_default(),
        })
    };
    lines.map(stat).collect()
}

/// Operation and administration of one server from `show servers state BACKEND`, by the names in its line of columns.
pub(super) fn admin_state(text: &str, server: &str) -> Option<(u32, u32)> {
    let head = text.lines().find_map(|line| line.strip_prefix("# "))?;
    let at = |name: &str| head.split(' ').position(|field| field == name);
    let (name, operation, administration) =
        (at("srv_name")?, at("srv_op_state")?, at("srv_admin_state")?);
    text.lines().find_map(|line| {
        let row: Vec<&str> = line.split(' ').collect();
        (!line.starts_with('#') && *row.get(name)? == server).then(|| {
            Some((
                row.get(operation)?.parse().ok()?,
                row.get(administration)?.parse().ok()?,
            ))
        })?
    })
}

/// One line of comma separated values; a field in quotes may hold commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for char in line.chars() {
        match char {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            char => fields.last_mut().expect("it is never empty").push(char),
        }
    }
    fields
}

#[cfg(test)]
mod tests;
