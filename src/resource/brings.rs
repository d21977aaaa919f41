//! Which facts tasks of some kinds bring.

use super::{Args, Kind, getent, set_fact};
use crate::value::{Kind as ValueKind, Value};

/// The names of the facts that a task brings, as far as they can be known before it runs.
pub fn brings(kind: &Kind, args: &Args) -> Vec<String> {
    match kind.name {
        "package_facts" => vec!["packages".to_owned()],
        "service_facts" => vec!["services".to_owned()],
        "getent" => match args.literal("database") {
            Some(database) => vec![getent::fact(database)],
            None => Vec::new(),
        },
        "set_fact" if cacheable(args).is_some_and(|it| it.kind == ValueKind::Bool(true)) => {
            cached(args)
        }
        _ => Vec::new(),
    }
}

fn cacheable(args: &Args) -> Option<&Value> {
    let (_, entry) = args.iter().find(|(name, _)| *name == "cacheable")?;
    Some(&entry.value)
}

/// The names of the facts that a `set_fact` sets with `cacheable`.
fn cached(args: &Args) -> Vec<String> {
    let names = args.open().map(|(name, _)| set_fact::fact_name(name));
    names.map(str::to_owned).collect()
}

/// The names that it may bring, whatever its templates become.
pub fn may_bring(kind: &Kind, args: &Args) -> Vec<String> {
    let sure = brings(kind, args);
    match kind.name {
        "getent" if sure.is_empty() => getent::DATABASES
            .iter()
            .map(|name| getent::fact(name))
            .collect(),
        "set_fact" if cacheable(args).is_some() => cached(args),
        _ => sure,
    }
}
