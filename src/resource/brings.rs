//! Which facts tasks of some kinds bring.

use super::{Args, Kind, getent};

/// The names of the facts that a task brings, as far as they can be known before it runs.
pub fn brings(kind: &Kind, args: &Args) -> Vec<String> {
    match kind.name {
        "package_facts" => vec!["packages".to_owned()],
        "service_facts" => vec!["services".to_owned()],
        "getent" => match args.literal("database") {
            Some(database) => vec![getent::fact(database)],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The names that it may bring, whatever its templates become.
pub fn may_bring(kind: &Kind, args: &Args) -> Vec<String> {
    let sure = brings(kind, args);
    match kind.name {
        "getent" if sure.is_empty() => getent::DATABASES
            .iter()
            .map(|name| getent::fact(name))
            .collect(),
        _ => sure,
    }
}
