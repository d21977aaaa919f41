//! `redis_cluster`: redis and sentinel on all hosts of a group, as one cluster.

use std::collections::BTreeMap;

use super::members::members;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::cluster::Cluster;
use crate::cluster::redis::{Goal, OWN, Redis, Spec, Tls, Watch, is_plain_word};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use crate::template::Stop;
use crate::value::{Kind as ValueKind, Value};

/// Brings redis and its sentinels on all hosts of a group to the wanted state, as one task for all of them and one member at a time.
///
/// # Examples
/// ```yaml
/// - name: the cache
///   redis_cluster:
///     group: cache
///     password: "{{ redis_password }}"
///     maxmemory: 256mb
/// ```
pub static REDIS_CLUSTER: Kind = Kind {
    name: "redis_cluster",
    aliases: &[],
    summary: "brings redis with sentinels on all hosts of a group to the wanted state, one member at a time",
    params: &[
        Param::new("group", ParamType::Str, "The group whose hosts are the members. Their addresses are `private_address`, else `ansible_host`. The first becomes primary of a new cluster; later the sentinels say who is.").required(),
        Param::new("password", ParamType::Str, "The password of redis and of sentinel.").required(),
        Param::new("name", ParamType::Str, "The name by which sentinels and their clients know the primary.").default("mymaster"),
        Param::new("tls", ParamType::Map, "Paths on the members: `ca`, `certificate`, `key`. With them redis and sentinel speak only TLS, on the same ports."),
        Param::new("maxmemory", ParamType::Str, "How much memory the data may take, such as `100mb`."),
        Param::new("settings", ParamType::Map, "Settings of redis by their names. Those that redis reads only at its start are taken by a restart of one member after the other, the primary last and after a planned failover."),
        Param::new("forget", ParamType::Str, "The address of a former member that is gone for good, for the sentinels to forget."),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if let Some(map) = args.get("settings").and_then(Value::as_map) {
        for (name, entry) in map {
            let lower = name.to_ascii_lowercase();
            if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == lower) {
                faults.push(
                    Diagnostic::at(&entry.key, format!("`{name}` is the cluster's own setting"))
                        .help(*why),
                );
            } else if !lower
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            {
                faults.push(Diagnostic::at(
                    &entry.key,
                    format!("`{name}` cannot be a setting of redis"),
                ));
            } else if lower == "maxmemory" && args.has("maxmemory") {
                faults.push(Diagnostic::at(&entry.key, "`maxmemory` is given twice"));
            }
        }
    }
    if let Some(map) = args.get("tls").and_then(Value::as_map) {
        const PARTS: [&str; 3] = ["ca", "certificate", "key"];
        for (name, entry) in map {
            if !PARTS.contains(&&**name) {
                faults.push(
                    Diagnostic::at(&entry.key, format!("`tls` has no part `{name}`"))
                        .help("it has `ca`, `certificate` and `key`"),
                );
            }
        }
        for part in PARTS {
            if !map.contains_key(part) {
                faults.push(Diagnostic::at(
                    args.place("tls"),
                    format!("`tls` needs `{part}`"),
                ));
            }
        }
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let members = members(args, controller, "group", None)?;
    if members.is_empty() {
        let group = args.str("group").unwrap_or_default();
        let place = args.value_place("group");
        return Err(
            Diagnostic::at(place, format!("the group `{group}` has no hosts"))
                .help("name a group of the inventory")
                .into(),
        );
    }
    let word = |name: &str, fallback: &str| -> Result<String, Stop> {
        let word = args.str(name).unwrap_or(fallback);
        if is_plain_word(word) {
            return Ok(word.to_owned());
        }
        Err(Diagnostic::at(
            args.value_place(name),
            format!("`{name}` holds characters that cannot stand in the files of redis"),
        )
        .help("use letters, digits and `_.~+/=:@%!,^*-`")
        .into())
    };
    let mut settings = BTreeMap::new();
    if let Some(map) = args.get("settings").and_then(Value::as_map) {
        for (name, entry) in map {
            settings.insert(name.to_ascii_lowercase(), setting(&entry.value)?);
        }
    }
    if let Some(memory) = args.str("maxmemory") {
        settings.insert("maxmemory".to_owned(), memory.to_owned());
    }
    let tls = match args.get("tls").and_then(Value::as_map) {
        None => None,
        Some(map) => {
            let part = |name: &str| -> Result<String, Stop> {
                let value = &map[name].value;
                match value.as_str() {
                    Some(path) if path.starts_with('/') && is_plain_word(path) => {
                        Ok(path.to_owned())
                    }
                    _ => Err(Diagnostic::at(
                        &value.span,
                        format!("`{name}` must be an absolute path on the members, without blanks"),
                    )
                    .into()),
                }
            };
            Some(Tls {
                ca: part("ca")?,
                certificate: part("certificate")?,
                key: part("key")?,
            })
        }
    };
    Ok(Box::new(RedisCluster(Redis::new(Spec {
        watch: Watch::of(members.len()),
        members,
        name: word("name", "mymaster")?,
        password: word("password", "")?,
        tls,
        settings,
        goal: match args.str("forget") {
            Some(address) => Goal::Forget {
                addresses: vec![address.to_owned()],
            },
            None => Goal::Converge,
        },
    }))))
}

/// One value of redis as it stands in its file.
fn setting(value: &Value) -> Result<String, Stop> {
    match &value.kind {
        ValueKind::Bool(yes) => Ok(if *yes { "yes" } else { "no" }.to_owned()),
        ValueKind::Int(number) => Ok(number.to_string()),
        ValueKind::Float(number) => Ok(number.to_string()),
        ValueKind::Str(text) if !text.contains(['\n', '\r', '\0', '"', '\'', '\\', '#']) => {
            Ok(text.trim().to_owned())
        }
        ValueKind::Str(_) => {
            Err(Diagnostic::at(&value.span, "a setting of redis is one line without quotes").into())
        }
        _ => Err(Diagnostic::at(
            &value.span,
            format!(
                "a setting of redis is text or a number, not {}",
                value.type_name()
            ),
        )
        .into()),
    }
}

/// The cluster; it has no diff of its own.
struct RedisCluster(Redis);

impl Resource for RedisCluster {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        Ok(Change::failed("a cluster is looked at as a whole"))
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        Some(&self.0)
    }
}
