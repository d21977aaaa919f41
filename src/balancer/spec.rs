//! What the user wrote under `balancer:`, read and built.

use std::time::Duration;

use super::command::Command;
use super::digitalocean::{Api, DigitalOcean};
use super::haproxy::Haproxy;
use super::param::{COMMAND, DIGITALOCEAN, HAPROXY, PROVIDERS, Provider, READINESS};
use super::reader::Reader;
use super::readiness::{Readiness, Settings};
use super::{BalancerError, LoadBalancer, Means, Member, http};
use crate::diagnostic::{Diagnostic, list};
use crate::name::HostName;
use crate::secret::Secret;
use crate::template::is_template;
use crate::value::{Kind, Map, Value};

/// A balancer as the user describes it, with the values of one host: parameters that are `per_host` may differ between hosts.
#[derive(Debug, Clone)]
pub struct Spec {
    settings: Settings,
    flags: bool,
    kind: SpecKind,
}

#[derive(Debug, Clone)]
enum SpecKind {
    Readiness,
    Haproxy {
        hosts: Vec<String>,
        backends: Vec<String>,
        server: Option<String>,
        socket: String,
        enable_timeout: Duration,
    },
    DigitalOcean {
        id: String,
        droplet: String,
        token: Secret,
        api: String,
        patience: Duration,
    },
    Command {
        state: Vec<String>,
        drain: Vec<String>,
        enable: Vec<String>,
        server: Option<String>,
        timeout: Duration,
    },
}

impl Spec {
    /// Reads the mapping of one provider, or its name alone; nothing is `readiness`. Templates are rendered already, with the
    /// variables of the host that it is read for.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn read(value: &Value) -> Result<Spec, Vec<Diagnostic>> {
        let (spec, faults) = read(value, false);
        match spec {
            Some(spec) if faults.is_empty() => Ok(spec),
            _ => Err(faults),
        }
    }

    /// What is wrong already while templates are not rendered; they may become anything.
    pub fn check(value: &Value) -> Vec<Diagnostic> {
        read(value, true).1
    }

    /// Values that must be masked wherever they turn up.
    pub fn secrets(&self) -> Vec<Secret> {
        match &self.kind {
            SpecKind::DigitalOcean { token, .. } => vec![token.clone()],
            _ => Vec::new(),
        }
    }

    /// Hosts of the inventory that are needed beside the members.
    pub fn hosts(&self) -> &[String] {
        match &self.kind {
            SpecKind::Haproxy { hosts, .. } => hosts,
            _ => &[],
        }
    }

    /// The host that this was read for, as the balancer knows it.
    pub fn member(&self, host: &str, address: &str) -> Member {
        let server = match &self.kind {
            SpecKind::Readiness => None,
            SpecKind::Haproxy { server, .. } | SpecKind::Command { server, .. } => server.clone(),
            SpecKind::DigitalOcean { droplet, .. } => Some(droplet.clone()),
        };
        Member {
            host: host.into(),
            address: address.into(),
            server: server.unwrap_or_else(|| host.into()),
        }
    }

    /// The balancer.
    ///
    /// # Errors
    /// This hadeploy was built without what it needs.
    pub fn build(&self, means: Means) -> Result<Box<dyn LoadBalancer>, BalancerError> {
        let node = Readiness {
            settings: self.settings.clone(),
            means,
        };
        let flags = self.flags;
        Ok(match self.kind.clone() {
            SpecKind::Readiness => Box::new(node),
            SpecKind::Haproxy {
                hosts,
                backends,
                socket,
                enable_timeout,
                ..
            } => Box::new(Haproxy {
                hosts,
                socket,
                backends,
                enable_timeout,
                flags,
                node,
            }),
            SpecKind::DigitalOcean {
                id,
                token,
                api,
                patience,
                ..
            } => {
                let http = http::client(&api).map_err(|why| BalancerError::misread(&api, why))?;
                Box::new(DigitalOcean {
                    id,
                    api: Api {
                        base: api,
                        token,
                        http,
                        patience,
                    },
                    patience,
                    flags,
                    node,
                })
            }
            SpecKind::Command {
                state,
                drain,
                enable,
                timeout,
                ..
            } => Box::new(Command {
                state,
                drain,
                enable,
                timeout,
                flags,
                node,
            }),
        })
    }
}

fn read(value: &Value, tolerant: bool) -> (Option<Spec>, Vec<Diagnostic>) {
    let empty = Map::new();
    let names = || PROVIDERS.iter().map(|provider| provider.name);
    let (name, place, map) = match &value.kind {
        Kind::Null => (READINESS.name, &value.span, &empty),
        _ if tolerant && matches!(value.kind, Kind::Str(_)) && is_template(value) => {
            return (None, Vec::new());
        }
        Kind::Str(name) => (name.as_ref(), &value.span, &empty),
        Kind::Map(map) if map.len() == 1 => {
            let (name, entry) = map.iter().next().expect("it has one entry");
            let map = match &entry.value.kind {
                Kind::Map(map) => map.as_ref(),
                Kind::Null => &empty,
                _ if tolerant && is_template(&entry.value) => return (None, Vec::new()),
                _ => {
                    let what = entry.value.type_name();
                    let fault = Diagnostic::at(
                        &entry.value.span,
                        format!("`{name}` takes a mapping of parameters, not {what}"),
                    );
                    return (None, vec![fault]);
                }
            };
            (name.as_ref(), &entry.key, map)
        }
        _ => {
            let fault = Diagnostic::at(&value.span, "`balancer` takes one provider").help(format!(
                "write one of {} and its parameters below it",
                list(names())
            ));
            return (None, vec![fault]);
        }
    };
    let Some(provider) = PROVIDERS.iter().find(|provider| provider.name == name) else {
        let fault = Diagnostic::at(place, format!("unknown balancer `{name}`"))
            .nearest(name, names())
            .help(format!("there are {}", list(names())));
        return (None, vec![fault]);
    };
    let mut reader = Reader::new(provider, map, place, tolerant);
    let spec = spec(provider, &mut reader);
    (spec, reader.faults)
}

fn spec(provider: &Provider, reader: &mut Reader<'_>) -> Option<Spec> {
    let settings = settings(reader);
    let flags = reader.flag("readiness");
    let kind = match provider.name {
        name if name == HAPROXY.name => haproxy(reader),
        name if name == DIGITALOCEAN.name => digitalocean(reader),
        name if name == COMMAND.name => {
            let (state, drain, enable) = (
                reader.argv("state"),
                reader.argv("drain"),
                reader.argv("enable"),
            );
            let (server, timeout) = (reader.text("server"), reader.time("timeout"));
            match (state, drain, enable, timeout) {
                (Some(state), Some(drain), Some(enable), Some(timeout)) => {
                    Some(SpecKind::Command {
                        state,
                        drain,
                        enable,
                        server,
                        timeout,
                    })
                }
                _ => None,
            }
        }
        _ => Some(SpecKind::Readiness),
    };
    Some(Spec {
        settings: settings?,
        flags: flags.unwrap_or(true),
        kind: kind?,
    })
}

/// What a provider does not take of them has its default, which it does not use.
fn settings(reader: &mut Reader<'_>) -> Option<Settings> {
    let health_log = reader.text("health_log");
    let interval = reader.time("interval");
    let unhealthy = reader.count("unhealthy_threshold");
    let healthy = reader.count("healthy_threshold");
    let ports = reader.ports("ports");
    let drain_timeout = reader.time("drain_timeout");
    let require_probes = reader.flag("require_probes");
    let reload = reader.text("reload");
    Some(Settings {
        health_log: health_log?,
        interval: interval?,
        unhealthy_threshold: unhealthy?,
        healthy_threshold: healthy?,
        ports: ports?,
        drain_timeout: drain_timeout?,
        require_probes: require_probes?,
        reload,
    })
}

fn haproxy(reader: &mut Reader<'_>) -> Option<SpecKind> {
    let hosts = reader.list("hosts");
    for host in hosts.iter().flatten() {
        if let (Err(error), Some(value)) = (HostName::new(host), reader.given("hosts"))
            && !host.contains("{{")
        {
            reader.wrong("hosts", value, &format!("must name hosts ({error})"));
        }
    }
    let backends = reader.list("backend");
    let server = reader.text("server");
    for (name, word) in backends
        .iter()
        .flatten()
        .map(|word| ("backend", word))
        .chain(server.iter().map(|word| ("server", word)))
    {
        // What HAProxy allows in names; anything else would be another command.
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if let Some(value) = reader.given(name)
            && !word.chars().all(legal)
            && !word.contains("{{")
        {
            reader.wrong(
                name,
                value,
                "must hold letters, digits, `-`, `_`, `.` and `:` only",
            );
        }
    }
    let (socket, enable_timeout) = (reader.text("socket"), reader.time("enable_timeout"));
    Some(SpecKind::Haproxy {
        hosts: hosts?,
        backends: backends?,
        server,
        socket: socket?,
        enable_timeout: enable_timeout?,
    })
}

fn digitalocean(reader: &mut Reader<'_>) -> Option<SpecKind> {
    let (id, droplet) = (reader.text("load_balancer"), reader.text("droplet"));
    let id_legal = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if let (Some(id), Some(value)) = (&id, reader.given("load_balancer"))
        && !id_legal(id)
    {
        reader.wrong(
            "load_balancer",
            value,
            "must be an id of letters, digits and `-`",
        );
    }
    if let (Some(droplet), Some(value)) = (&droplet, reader.given("droplet"))
        && droplet.parse::<u64>().is_err()
    {
        reader.wrong("droplet", value, "must be a droplet's id, a number");
    }
    let (token, api) = (reader.text("token"), reader.text("api"));
    if let (Some(api), Some(value)) = (&api, reader.given("api"))
        && !(api.starts_with("https://") || api.starts_with("http://127.0.0.1"))
    {
        reader.wrong("api", value, "must begin with `https://`");
    }
    if let (Some(token), Some(value)) = (&token, reader.given("token"))
        && !token.chars().all(|c| c.is_ascii_graphic())
    {
        reader.wrong("token", value, "must hold no spaces and line ends");
    }
    let patience = reader.time("api_timeout");
    Some(SpecKind::DigitalOcean {
        id: id?,
        droplet: droplet?,
        token: Secret::new(token?),
        api: api?,
        patience: patience?,
    })
}

/// What every node has when nothing is said.
#[cfg(test)]
pub(super) fn default_settings() -> Settings {
    Spec::read(&Value::new(
        Kind::Null,
        &crate::source::Span::synthetic("test"),
    ))
    .expect("the defaults are right")
    .settings
}

#[cfg(test)]
mod tests;
