//! Settings that are not as wanted, compared by what they mean: redis writes values in its own way.

use super::observation::{Redis, Watching};
use super::spec::{AT_START, Spec};

/// A setting with another value than the wanted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its name.
    pub name: String,
    /// As found; empty where redis has none.
    pub before: String,
    /// As wanted.
    pub after: String,
}

/// The settings of redis that differ: those that can be set while it runs, and those it reads when it starts.
pub fn of_redis(
    spec: &Spec,
    member: usize,
    priority: u32,
    redis: &Redis,
) -> (Vec<Drift>, Vec<Drift>) {
    let mut wanted = spec.wanted(member);
    wanted.insert("replica-priority".to_owned(), priority.to_string());
    wanted
        .into_iter()
        .filter_map(|(name, after)| {
            let before = redis.settings.get(&name).cloned().unwrap_or_default();
            (!same(&name, &before, &after)).then_some(Drift {
                name,
                before,
                after,
            })
        })
        .partition(|drift| !AT_START.contains(&drift.name.as_str()))
}

/// Names of wanted settings that this redis does not have.
pub fn unknown_to_redis(spec: &Spec, member: usize, redis: &Redis) -> Vec<String> {
    spec.wanted(member)
        .into_keys()
        .filter(|name| !redis.settings.contains_key(name))
        .collect()
}

/// How a sentinel watches, where it differs.
pub fn of_sentinel(spec: &Spec, watch: &Watching) -> Vec<Drift> {
    let wanted = [
        ("quorum", spec.watch.quorum.to_string()),
        (
            "down-after-milliseconds",
            spec.watch.down_after.as_millis().to_string(),
        ),
        (
            "failover-timeout",
            spec.watch.failover_timeout.as_millis().to_string(),
        ),
    ];
    wanted
        .into_iter()
        .filter_map(|(name, after)| {
            let before = watch.settings.get(name).cloned().unwrap_or_default();
            (before != after).then(|| Drift {
                name: name.to_owned(),
                before,
                after,
            })
        })
        .collect()
}

/// Whether two values of a setting mean the same.
pub fn same(name: &str, found: &str, wanted: &str) -> bool {
    match name {
        "client-output-buffer-limit" => {
            let groups = |text: &str| -> Vec<Vec<String>> {
                let words: Vec<String> = words(text);
                words.chunks(4).map(<[String]>::to_vec).collect()
            };
            let found = groups(found);
            groups(wanted).iter().all(|group| found.contains(group))
        }
        "notify-keyspace-events" => {
            let flags = |text: &str| {
                // `A` stands for these.
                let mut flags: Vec<char> = text.replace('A', "g$lshzxetd").chars().collect();
                flags.sort_unstable();
                flags.dedup();
                flags
            };
            flags(found) == flags(wanted)
        }
        _ => words(found) == words(wanted),
    }
}

/// The words of a value, amounts of memory as bytes.
fn words(text: &str) -> Vec<String> {
    text.trim_matches('"')
        .split_whitespace()
        .map(|word| match word.to_ascii_lowercase().as_str() {
            "replica" => "slave".to_owned(),
            "true" => "yes".to_owned(),
            "false" => "no".to_owned(),
            lower => bytes(lower).map_or_else(|| word.to_owned(), |bytes| bytes.to_string()),
        })
        .collect()
}

/// `100mb` as redis counts it.
fn bytes(word: &str) -> Option<u64> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit: u64 = match &word[digits.len()..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn values_are_compared_by_what_they_mean() {
        for (name, found, wanted) in [
            ("maxmemory", "104857600", "100mb"),
            ("maxmemory", "1000", "1K"),
            ("save", "3600 1 300 100", "3600  1 300 100"),
            ("save", "", "\"\""),
            ("appendonly", "yes", "true"),
            ("notify-keyspace-events", "AKE", "KEA"),
            (
                "client-output-buffer-limit",
                "normal 0 0 0 slave 67108864 33554432 60 pubsub 33554432 8388608 60",
                "replica 64mb 32mb 60",
            ),
        ] {
            assert!(same(name, found, wanted), "{name}: {found} = {wanted}");
        }
        for (name, found, wanted) in [
            ("maxmemory", "104857600", "100m"),
            ("save", "3600 1", ""),
            ("maxmemory-policy", "noeviction", "allkeys-lru"),
            (
                "client-output-buffer-limit",
                "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
                "replica 64mb 32mb 60",
            ),
        ] {
            assert!(!same(name, found, wanted), "{name}: {found} ≠ {wanted}");
        }
    }
}
