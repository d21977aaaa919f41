//! States that somebody or something brought about, each made by hand, and what an apply does about it.

mod postgres;
mod redis;

use std::thread;
use std::time::Duration;

use crate::platform::{NODES, Platform};
use crate::run::Run;
use crate::{Case, both};

/// One state.
struct State {
    /// Its number in `docs/clusters.md`, and what it is.
    name: &'static str,
    /// Shell that makes it, as root, on one node after the other.
    make: &'static [(On, &'static str)],
    /// What an apply is given besides.
    with: &'static [&'static str],
    /// What it changes, in the order of the nodes: `@` is the broken node, `P` the primary as it was, `O` the third one. `...` stands for
    /// what elections decide: then only what is so afterwards counts.
    changes: &'static [&'static str],
    /// What is said by the apply, be it that it waits or why it refuses.
    says: &'static str,
    /// What an operator does when it refused.
    mend: &'static [&'static str],
    /// Who the primary is afterwards: as before, unless another one is named.
    leads: On,
    /// Shell that must succeed afterwards.
    behind: &'static [(On, &'static str)],
}

/// Which node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    /// The primary, of PostgreSQL or of redis.
    Primary,
    /// The one that is broken.
    Broken,
    /// The third one.
    Other,
    /// One after the other.
    Each,
    /// Whichever.
    Any,
}

/// A state that an apply mends.
const fn mended(
    name: &'static str,
    make: &'static [(On, &'static str)],
    changes: &'static [&'static str],
) -> State {
    State {
        name,
        make,
        with: &[],
        changes,
        says: "",
        mend: &[],
        leads: On::Primary,
        behind: &[],
    }
}

/// A state in which it refuses, after it has done `changes`.
const fn refused(
    name: &'static str,
    make: &'static [(On, &'static str)],
    changes: &'static [&'static str],
    says: &'static str,
    mend: &'static [&'static str],
) -> State {
    State {
        says,
        mend,
        ..mended(name, make, changes)
    }
}

/// In front of each script.
const TOOLS: &str = r#"cd /; . /etc/drill; set -e
for bin in /usr/lib/postgresql/*/bin; do :; done
release=${bin%/bin}; release=${release##*/}
data=/var/lib/postgresql/$release/main
unit=postgresql@$release-main
pg() { runuser -u postgres -- psql -XAtq -d "$1" -c "$2"; }
sqlp() { runuser -u postgres -- env PGPASSFILE=/var/lib/postgresql/.pgpass psql -XAtq -d "host=$PRIMARY user=repmgr dbname=$1" -c "$2"; }
rcli() { port=$1; shift; REDISCLI_AUTH=$redis_password redis-cli $tls -p "$port" "$@"; }
pgstop() { systemctl stop repmgrd "$unit"; }
until_so() { i=0; until eval "$1"; do i=$((i + 1)); [ "$i" -lt 150 ] || { echo "not so: $1" >&2; exit 1; }; sleep 0.2; done; }
past_guard() { mkdir -p /var/lib/hadeploy; echo "$(cat /proc/sys/kernel/random/boot_id) $(date +%s)" >/var/lib/hadeploy/pg-start-token; rm -f /var/lib/hadeploy/pg-fenced; systemctl start "$unit"; until_so '[ "$(pg postgres "SELECT pg_is_in_recovery()" 2>/dev/null)" = f ]'; }
"#;

pub fn cases() -> Vec<Case> {
    both("states::by_hand", true, by_hand)
}

fn by_hand(platform: &Platform) {
    let wanted = std::env::var("DRILL_STATE").unwrap_or_default();
    let mut wrong = Vec::new();
    let all = [(false, postgres::STATES), (true, redis::STATES)];
    for (of_redis, states) in all {
        let named = |state: &&State| wanted.split(',').any(|word| state.name.contains(word));
        for state in states.iter().filter(named) {
            if let Err(why) = one(platform, state, of_redis) {
                println!("    {}: WRONG: {why}", state.name);
                wrong.push(state.name);
                platform.mend();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Who is who while one state is tried.
struct Roles {
    primary: &'static str,
    broken: &'static str,
    other: &'static str,
    of_redis: bool,
}

impl Roles {
    fn now(platform: &Platform, of_redis: bool) -> Roles {
        let primary = match of_redis {
            true => platform.redis_primary(),
            false => platform.primary(),
        };
        let others = platform.others(primary);
        Roles {
            primary,
            broken: others[1],
            other: others[0],
            of_redis,
        }
    }

    fn nodes(&self, on: On) -> Vec<&'static str> {
        match on {
            On::Primary => vec![self.primary],
            On::Broken => vec![self.broken],
            On::Other => vec![self.other],
            On::Each => NODES.to_vec(),
            On::Any => Vec::new(),
        }
    }

    /// The table's words with the nodes' names, in the nodes' order.
    fn named(&self, words: &[&str]) -> Vec<String> {
        let word = |word: &str| match word {
            "@" => self.broken.to_owned(),
            "P" => self.primary.to_owned(),
            "O" => self.other.to_owned(),
            word => word.to_owned(),
        };
        let line = |line: &&str| {
            let words: Vec<String> = line.split(' ').map(word).collect();
            words.join(" ")
        };
        let mut lines: Vec<String> = words.iter().map(line).collect();
        lines.sort_by_key(|line| line[..2].to_owned());
        lines
    }

    fn run(&self, platform: &Platform, scripts: &[(On, &str)]) -> Result<(), String> {
        let address = |name: &str| platform.node(name).address();
        let names = format!(
            "PRIMARY={} BROKEN={} OTHER={} PRIMARY_NAME={} BROKEN_NAME={}\n",
            address(self.primary),
            address(self.broken),
            address(self.other),
            self.primary,
            self.broken
        );
        for (on, script) in scripts {
            for node in self.nodes(*on) {
                let text = format!("{names}{TOOLS}{script}");
                let (status, out, err) = platform.node(node).try_sh(&text);
                if status != 0 {
                    return Err(format!("on {node}: {script}: {out}{err}"));
                }
            }
        }
        Ok(())
    }
}

/// The servers' processes of a node, which change where one was restarted.
fn servers(platform: &Platform, name: &str) -> String {
    platform.node(name).sh(
        "for unit in postgresql@*.service redis-server redis-sentinel pgbouncer; do systemctl show -p Id,MainPID --value \"$unit\" | tr '\\n' ' '; done",
    )
}

fn one(platform: &Platform, state: &State, of_redis: bool) -> Result<(), String> {
    let roles = Roles::now(platform, of_redis);
    let wanted = roles.named(state.changes);
    let open = state.changes.contains(&"...");
    // Where nothing was broken and nothing is to be changed, no server may be another one afterwards.
    let mut still = NODES.to_vec();
    still.retain(|name| {
        let made = state
            .make
            .iter()
            .any(|(on, _)| roles.nodes(*on).contains(name));
        let changed = open || wanted.iter().any(|line| line.starts_with(name));
        !(made || changed)
    });
    let before: Vec<String> = still.iter().map(|name| servers(platform, name)).collect();
    roles.run(platform, state.make)?;
    thread::sleep(Duration::from_secs(2));
    let run = platform.site.run(&[&["apply"], state.with].concat());
    let says = state
        .says
        .replace('@', roles.broken)
        .replace('#', roles.primary);
    let changes = platform.changes(&run);
    if !run.text().contains(&says) {
        return Err(format!("it should say: {says}\n{run}"));
    }
    if !open && changes != wanted {
        return Err(format!("changed {changes:?}, not {wanted:?}\n{run}"));
    }
    if state.mend.is_empty() {
        println!("    {}: {}", state.name, shown(&changes));
        if run.code != 0 {
            return Err(format!("{run}"));
        }
    } else {
        if run.code == 0 {
            return Err(format!("it should have refused: {says}\n{run}"));
        }
        let address = platform.node(roles.primary).address();
        let subnet = address.rsplit_once('.').unwrap().0;
        let words = roles.named(&[&format!("00 {}", state.mend.join(" "))]);
        let words = words[0].replace('%', subnet);
        let words: Vec<&str> = words.split(' ').skip(1).collect();
        let mend: Run = match words[0] {
            "apply" => platform.site.run(&words),
            _ => platform.site.order(&words).wait(),
        };
        println!(
            "    {}: {}, then refused: {}; then {}: {}",
            state.name,
            shown(&changes),
            said(&run),
            words.join(" "),
            shown(&platform.changes(&mend))
        );
        if mend.code != 0 {
            return Err(format!("{mend}"));
        }
    }
    let again = platform.site.run(&[&["apply"], state.with].concat());
    if again.code != 0 || NODES.iter().any(|name| again.count(name, "changed") != 0) {
        return Err(format!("not settled\n{again}"));
    }
    for (name, before) in still.iter().zip(before) {
        let after = servers(platform, name);
        if after != before {
            return Err(format!("the servers of {name} were {before}, are {after}"));
        }
    }
    roles.run(platform, state.behind)?;
    let leads = Roles::now(platform, roles.of_redis).primary;
    match state.leads {
        On::Any => Ok(()),
        on if roles.nodes(on) == [leads] => Ok(()),
        _ => Err(format!("{leads} is primary now")),
    }
}

fn shown(changes: &[String]) -> String {
    match changes.is_empty() {
        true => "nothing".into(),
        false => changes.join(", "),
    }
}

/// Why a run ended, for people.
fn said(run: &Run) -> String {
    let failed = run.tasks().find(|task| task["status"] == "failed");
    let message = failed.map_or(&run.events.last().unwrap()["reason"], |task| {
        &task["failure"]["message"]
    });
    message.as_str().unwrap_or_default().to_owned()
}
