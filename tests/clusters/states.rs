//! States that somebody or something brought about, each made by hand, and what an apply does about it.

use std::thread;
use std::time::Duration;

use crate::platform::{NODES, Platform};
use crate::{Case, both};

/// One state.
struct State {
    /// Its number in `docs/clusters.md`, and what it is.
    name: &'static str,
    /// Which node is broken: of PostgreSQL or of redis, `primary` or `other`.
    at: At,
    /// Shell that breaks it, as root.
    make: &'static str,
    /// Seconds before the apply.
    pause: u64,
    /// What an apply changes, on which role's node; or, before a refusal, nothing.
    changes: &'static [&'static str],
    /// What an apply says when it refuses; then `mend` is what an operator does.
    refuses: Option<&'static str>,
    /// What an operator does about it.
    mend: &'static [&'static str],
}

/// Which node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Primary,
    Standby,
    RedisPrimary,
    Replica,
}

const fn mended(
    name: &'static str,
    at: At,
    make: &'static str,
    changes: &'static [&'static str],
) -> State {
    State {
        name,
        at,
        make,
        pause: 2,
        changes,
        refuses: None,
        mend: &[],
    }
}

const fn refused(
    name: &'static str,
    at: At,
    make: &'static str,
    why: &'static str,
    mend: &'static [&'static str],
) -> State {
    State {
        name,
        at,
        make,
        pause: 2,
        changes: &[],
        refuses: Some(why),
        mend,
    }
}

/// `@` is the broken node, `P` the primary.
const STATES: &[State] = &[
    mended(
        "P3 standby stopped",
        At::Standby,
        "systemctl stop repmgrd postgresql@*.service",
        &["@ server standby", "@ repmgrd running"],
    ),
    refused(
        "P6 replay paused",
        At::Standby,
        "pg postgres 'SELECT pg_wal_replay_pause()'",
        "the replay of @ was paused",
        &["pg", "repair"],
    ),
    mended(
        "P8 row of a standby gone",
        At::Standby,
        "sqlp repmgr \"DELETE FROM repmgr.nodes WHERE node_name = '$(hostname)'\"",
        &["@ registered standby of P"],
    ),
    mended(
        "P16 repmgrd stopped",
        At::Standby,
        "systemctl stop repmgrd",
        &["@ repmgrd running"],
    ),
    mended(
        "P16 repmgrd disabled",
        At::Standby,
        "systemctl disable -q repmgrd",
        &["@ repmgrd running"],
    ),
    mended(
        "P16 repmgrd paused",
        At::Standby,
        "runuser -u postgres -- repmgr -f /etc/repmgr.conf service pause",
        &[
            "n1 repmgrd running",
            "n2 repmgrd running",
            "n3 repmgrd running",
        ],
    ),
    mended(
        "P17 slot of nobody",
        At::Primary,
        "pg postgres \"SELECT pg_create_physical_replication_slot('repmgr_slot_9', true)\"",
        &["@ slot"],
    ),
    mended(
        "P7 data unreadable",
        At::Standby,
        "systemctl stop repmgrd postgresql@*.service; : >\"$(ls -d /var/lib/postgresql/*/main/global/pg_control)\"",
        &[],
    ),
    mended(
        "P19 setting overridden",
        At::Standby,
        "pg postgres \"ALTER SYSTEM SET wal_receiver_timeout = '77s'\"",
        &["@ configuration as declared"],
    ),
    mended(
        "P19 file changed",
        At::Standby,
        "echo '# by hand' >>/etc/repmgr.conf",
        &["@ configuration as declared", "@ repmgrd running"],
    ),
    mended(
        "R2 redis of a replica killed",
        At::Replica,
        "systemctl kill -s KILL redis-server; systemctl stop redis-server",
        &["@ redis running"],
    ),
    mended(
        "R2 sentinel stopped",
        At::Replica,
        "systemctl stop redis-sentinel",
        &["@ sentinel running"],
    ),
    mended(
        "R3 wrong password of a replica",
        At::Replica,
        "rcli 6379 config set masterauth wrong; rcli 6379 client kill type master",
        &[],
    ),
    mended(
        "R4 replica of nobody",
        At::Replica,
        "rcli 6379 replicaof no one",
        &[],
    ),
    mended(
        "R9 sentinel watches 127.0.0.1",
        At::Replica,
        "rcli 26379 sentinel remove mymaster; rcli 26379 sentinel monitor mymaster 127.0.0.1 6379 2",
        &[],
    ),
    mended(
        "R14 folder of redis not its own",
        At::Replica,
        "chown root:root /etc/redis; chmod 755 /etc/redis",
        &[],
    ),
    mended(
        "R12 no replica may take over",
        At::Replica,
        "rcli 6379 config set replica-priority 0",
        &[],
    ),
    mended(
        "R15 writes refused for want of memory",
        At::RedisPrimary,
        "rcli 6379 config set maxmemory 1mb",
        &[],
    ),
];

const TOOLS: &str = r#"cd /; . /etc/drill; set -e
pg() { runuser -u postgres -- psql -XAtq -d "$1" -c "$2"; }
sqlp() { runuser -u postgres -- env PGPASSFILE=/var/lib/postgresql/.pgpass psql -XAtq -d "host=$PRIMARY user=repmgr dbname=$1" -c "$2"; }
rcli() { port=$1; shift; REDISCLI_AUTH=$redis_password redis-cli $tls -p "$port" "$@"; }
"#;

pub fn cases() -> Vec<Case> {
    both("states::by_hand", true, by_hand)
}

fn by_hand(platform: &Platform) {
    let wanted = std::env::var("DRILL_STATE").unwrap_or_default();
    let mut wrong = Vec::new();
    for state in STATES.iter().filter(|state| state.name.contains(&wanted)) {
        if let Err(why) = one(platform, state) {
            println!("    {}: WRONG: {why}", state.name);
            wrong.push(state.name);
            platform.mend();
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn one(platform: &Platform, state: &State) -> Result<(), String> {
    let primary = match state.at {
        At::Primary | At::Standby => platform.primary(),
        _ => platform.redis_primary(),
    };
    let broken = match state.at {
        At::Primary | At::RedisPrimary => primary,
        _ => platform.others(primary)[1],
    };
    let named = |text: &str| text.replace('@', broken);
    let address = platform.node(primary).address();
    let (status, out, err) = platform
        .node(broken)
        .try_sh(&format!("PRIMARY={address}\n{TOOLS}{}", state.make));
    if status != 0 {
        return Err(format!("not made: {out}{err}"));
    }
    thread::sleep(Duration::from_secs(state.pause));
    let mut run = platform.site.run(&["apply"]);
    let reason = run.text();
    match state.refuses {
        Some(why) => {
            let why = named(why);
            if run.code == 0 || !reason.contains(&why) {
                return Err(format!("it should have refused: {why}\n{run}"));
            }
            run = platform.site.order(state.mend).wait();
            println!(
                "    {}: refused; then {}",
                state.name,
                platform.changes(&run).join(", ")
            );
        }
        None => println!("    {}: {}", state.name, platform.changes(&run).join(", ")),
    }
    if run.code != 0 {
        return Err(format!("{run}"));
    }
    let changes = platform.changes(&run);
    let wanted: Vec<String> = state
        .changes
        .iter()
        .map(|it| {
            it.replace('@', broken)
                .replace(" P", &format!(" {primary}"))
        })
        .collect();
    if state.refuses.is_none() && !wanted.is_empty() && changes != wanted {
        return Err(format!("changed {changes:?}, not {wanted:?}"));
    }
    let again = platform.site.run(&["apply"]);
    match again.code == 0 && NODES.iter().all(|name| again.count(name, "changed") == 0) {
        true => Ok(()),
        false => Err(format!("not settled\n{again}")),
    }
}
