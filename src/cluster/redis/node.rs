//! What is run and written on a member.

mod files;

use super::act::Act;
use super::drift::Drift;
use super::probe::{REACH, words};
use super::spec::{REDIS_PORT, Spec};
use crate::change::{Content, Step, Touch};
use crate::command::quote;

/// Functions for every act.
const ACT: &str = include_str!("node/act.sh");
const FAILOVER: &str = include_str!("node/failover.sh");

const INSTALL: &str = r#"policy=/usr/sbin/policy-rc.d
# Nothing starts while it is installed: redis-sentinel would take its own address for the primary's.
if [ ! -e "$policy" ] || grep -q '^# hadeploy' "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\n# hadeploy\nexit 101\n' > "$policy" && chmod 0755 "$policy" || exit 1
fi
get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install redis-server redis-sentinel
}
get || { apt-get -q update && get; } || exit 1
# Debian's own group for who may read keys.
if getent group ssl-cert >/dev/null; then gpasswd -a redis ssl-cert >/dev/null || exit 1; fi
"#;

const PREPARE: &str = r#"systemctl stop redis-server 2>/dev/null
put $conf < "$IN2"
up redis-server start
redis
"#;

const WRITE_SENTINEL: &str = r#"systemctl stop redis-sentinel 2>/dev/null
put $sconf < "$IN2"
up redis-sentinel start
sentinel
"#;

const SET_ASIDE: &str = r#"systemctl stop redis-server
for data in dump.rdb appendonlydir; do
  [ ! -e "/var/lib/redis/$data" ] || mv "/var/lib/redis/$data" "/var/lib/redis/$data.hadeploy-$TAG" || exit 1
done
up redis-server start
redis
"#;

// Sentinel first: it must not take part in judging a redis that stops.
const RETIRE: &str = r#"for unit in redis-sentinel redis-server; do
  systemctl stop $unit 2>/dev/null
  systemctl -q disable $unit 2>/dev/null
  ! systemctl -q is-active $unit || fail "$unit does not stop"
done
"#;

const SWITCH: &str = r#"redis
obey < "$IN2"
# The connection is still the old one: nothing else is needed to write the file.
enter 6379 $conf
printf 'CLIENT KILL TYPE pubsub\nCLIENT KILL TYPE replica\nCLIENT KILL TYPE master\nCLIENT KILL TYPE normal\n' | tell >/dev/null
enter 6379 $conf
keep
"#;

const EDIT_SENTINEL: &str = r#"systemctl stop redis-sentinel
edit $sconf "^(bind|port|protected-mode|requirepass|tls-[a-z-]+|user default|sentinel announce-ip|sentinel auth-pass $NAME) "
up redis-sentinel start
sentinel
"#;

const FOLLOW: &str = r#"redis
if echo 'INFO replication' | tell | grep -q '^role:master' && echo 'INFO keyspace' | tell | grep -q '^db'; then
  set --; [ "$how" = plain ] || set -- --tls --insecure
  saved=/var/lib/redis/dump.rdb.hadeploy-$TAG
  REDISCLI_AUTH=$(word) timeout 300 redis-cli -h 127.0.0.1 -p 6379 --no-auth-warning "$@" --rdb "$saved" >/dev/null 2>&1 && chown redis:redis "$saved" ||
    fail "what this primary held could not be kept in $saved"
  echo "what this primary held is in $saved"
fi
printf 'MULTI\nREPLICAOF %s 6379\nCONFIG REWRITE\nCLIENT KILL TYPE normal\nEXEC\n' "$PRIMARY" | tell | grep -qvE '^(OK|QUEUED|[0-9]*)$' && fail "redis did not take its new primary"
marked
"#;

const EDIT_REDIS: &str = r#"edit $conf "^($NAMES) "
up redis-server restart
redis
follows() { echo 'INFO replication' | tell; }
follows | grep -q '^role:slave' || exit 0
tries=0
until follows | grep -q '^master_link_status:up'; do
  tries=$((tries + 1)); [ "$tries" -lt 120 ] || fail "redis does not reach its primary after the restart"
  sleep 0.5
done
"#;

/// The step that does an act.
pub fn step(spec: &Spec, member: usize, act: &Act) -> Step {
    let mut text = String::new();
    let mut second = None;
    let script = match act {
        Act::Install => INSTALL.to_owned(),
        Act::OwnFolder => "chown redis:redis /etc/redis && chmod 2770 /etc/redis\nfor file in $conf $sconf; do [ ! -e $file ] || chown redis:redis $file || exit 1; done\n".to_owned(),
        Act::Prepare { follows } => {
            second = Some(files::redis(spec, member, *follows));
            PREPARE.to_owned()
        }
        Act::WriteSentinel { watches } => {
            second = Some(files::sentinel(spec, member, *watches));
            WRITE_SENTINEL.to_owned()
        }
        // What its log says is read behind it, and decides what helps.
        Act::StartRedis => "(up redis-server start) 2>&1 || exit 0\nredis\n".to_owned(),
        Act::SetAside => SET_ASIDE.to_owned(),
        Act::StartSentinel => "up redis-sentinel start\nsentinel\n".to_owned(),
        Act::RestartSentinel => "up redis-sentinel restart\nsentinel\n".to_owned(),
        Act::StopSentinel => "systemctl stop redis-sentinel\n".to_owned(),
        Act::Switch => {
            second = Some(switch(spec));
            SWITCH.to_owned()
        }
        Act::EditSentinel => {
            second = Some(files::sentinel_access(spec, member));
            EDIT_SENTINEL.to_owned()
        }
        Act::Follow { primary } => {
            text = format!("PRIMARY={}\n", quote(&spec.members[*primary].address));
            FOLLOW.to_owned()
        }
        Act::SetRedis { drifts } => {
            second = Some(drifts.iter().map(|drift| set("CONFIG SET", drift)).collect());
            "redis\nobey < \"$IN2\"\nkeep\n".to_owned()
        }
        Act::SetMasterauth => {
            second = Some(format!("CONFIG SET masterauth {}\n", spec.password));
            "redis\nobey < \"$IN2\"\nkeep\n".to_owned()
        }
        Act::KeepRedis => "redis\nkeep\n".to_owned(),
        Act::EditRedis { drifts } => {
            let names: Vec<&str> = drifts.iter().map(|drift| drift.name.as_str()).collect();
            text = format!("NAMES={}\n", quote(&names.join("|")));
            second = Some(drifts.iter().map(|drift| files::line(&drift.name, &drift.after)).collect());
            EDIT_REDIS.to_owned()
        }
        Act::SetSentinel { drifts, password } => {
            let command = format!("SENTINEL SET {}", spec.name);
            let mut commands: String = drifts.iter().map(|drift| set(&command, drift)).collect();
            if *password {
                commands.push_str(&format!("{command} auth-pass {}\n", spec.password));
            }
            second = Some(commands);
            "sentinel\nobey < \"$IN2\"\n".to_owned()
        }
        Act::KeepSentinel => "sentinel\necho 'SENTINEL FLUSHCONFIG' | obey\n".to_owned(),
        Act::Retire => RETIRE.to_owned(),
        Act::Reset => "sentinel\n[ \"$(echo \"SENTINEL RESET $NAME\" | tell | head -n 1)\" = 1 ] || fail \"sentinel does not watch $NAME\"\n".to_owned(),
        Act::Failover { .. } => FAILOVER.to_owned(),
    };
    let script = format!("{}{text}{REACH}{ACT}{script}", words(spec, member));
    let mut step = Step::new(act.title(spec), script)
        .input(Content::Bytes(spec.password.as_bytes().into()))
        .touch(Touch::Everything)
        .cut();
    if let Some(second) = second {
        step = step.input(Content::Bytes(second.into_bytes().into()));
    }
    step
}

/// A command that sets one value, as redis-cli reads it.
fn set(command: &str, drift: &Drift) -> String {
    let value = if drift.after == "\"\"" {
        ""
    } else {
        &drift.after
    };
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{command} {} \"{escaped}\"\n", drift.name)
}

/// Commands by which a running redis changes its password and its ports.
fn switch(spec: &Spec) -> String {
    let mut text = String::new();
    match &spec.tls {
        Some(tls) => {
            for (name, value) in tls.settings() {
                text.push_str(&format!("CONFIG SET {name} {value}\n"));
            }
            text.push_str(&format!(
                "CONFIG SET port 0\nCONFIG SET tls-port {REDIS_PORT}\n"
            ));
        }
        None => text.push_str(&format!(
            "CONFIG SET tls-replication no\nCONFIG SET tls-port 0\nCONFIG SET port {REDIS_PORT}\n"
        )),
    }
    let password = &spec.password;
    text.push_str(&format!(
        "CONFIG SET masterauth {password}\nCONFIG SET requirepass {password}\nCONFIG REWRITE\n"
    ));
    text
}
