//! The question to a member: one read-only script. Each line of what it prints starts with a word that says what the line belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::node;
use super::site::{FENCED, NEEDS_REJOIN, REFUSED, Site};
use super::spec::{COUNTERS, Spec};
use crate::command::quote;

/// Major releases of PostgreSQL in the releases of Debian that we know.
pub const RELEASES: [u32; 2] = [15, 17];

/// The script for a member. It comes to an end within twenty seconds whatever the daemons do.
pub fn question(spec: &Spec, member: usize) -> String {
    let mut paths = BTreeSet::new();
    let mut names: BTreeSet<String> = COUNTERS.iter().map(|name| (*name).to_owned()).collect();
    for release in RELEASES {
        let site = Site {
            spec,
            ids: (1..).take(spec.members.len()).collect(),
            release,
            random: String::new(),
        };
        paths.extend(node::files(&site, member).into_iter().map(|file| file.path));
        names.extend(node::settings(&site, member).into_keys());
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("'{}'", name.replace('\'', "''")))
        .collect();
    let mut text = BEGIN.to_owned();
    let _ = writeln!(
        text,
        "marks {} {} {}",
        quote(NEEDS_REJOIN),
        quote(REFUSED),
        quote(FENCED)
    );
    for path in &paths {
        let _ = writeln!(text, "managed {}", quote(path));
    }
    let online = ONLINE.replace("@NAMES@", &names.join(","));
    let _ = writeln!(
        text,
        "port={}\nonline={}\nnodes={}",
        spec.port,
        quote(&online),
        quote(NODES)
    );
    text.push_str(SERVER);
    text
}

/// What needs no server. `say LABEL` prefixes what it is given; nothing that a program prints can be taken for another label.
const BEGIN: &str = r#"export LC_ALL=C PGCONNECT_TIMEOUT=3 PGOPTIONS='-c statement_timeout=4s -c lc_messages=C -c lock_timeout=2s'
say() { sed "s/^/$1 /"; }
release=
for path in /usr/lib/postgresql/*/bin/postgres; do
  if [ -e "$path" ]; then release=${path#/usr/lib/postgresql/}; release=${release%%/*}; fi
done
for path in /etc/postgresql/*/main/postgresql.conf; do
  found=${path#/etc/postgresql/}; found=${found%%/*}
  if [ -e "$path" ] && { [ -z "$release" ] || [ -e "/usr/lib/postgresql/$found/bin/postgres" ]; }; then release=$found; fi
done
[ -n "$release" ] || release=$(timeout 5 apt-cache policy postgresql 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*\)+.*/\1/p')
if [ -z "$release" ]; then
  . /etc/os-release
  case $VERSION_ID in 12) release=15 ;; 13) release=17 ;; esac
fi
echo "release $release"
data=/var/lib/postgresql/$release/main
bin=/usr/lib/postgresql/$release/bin
timeout 5 dpkg-query -W -f='${db:Status-Abbrev}|${Package}|${Version}\n' "postgresql-$release" "postgresql-$release-repmgr" postgresql-common repmgr-common sudo pgbouncer 2>/dev/null | say package
[ -e "/etc/postgresql/$release/main/postgresql.conf" ] && echo 'configured yes'
if [ -e "$data/PG_VERSION" ]; then
  echo 'data yes'
  timeout 5 "$bin/pg_controldata" -D "$data" 2>/dev/null | say control
  [ -e "$data/standby.signal" ] || [ -e "$data/recovery.signal" ] && echo 'signal yes'
  head -c 100 "$data/pg_stat/repmgrd_state.txt" 2>/dev/null | tr -d '\000' | say pause; echo
elif [ -n "$(ls -A "$data" 2>/dev/null | head -n 1)" ]; then
  echo 'remains yes'
fi
if pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then echo 'process yes'; fi
timeout 3 systemctl show "postgresql@$release-main.service" -p ActiveState,Result,UnitFileState 2>/dev/null | say unit
timeout 3 systemctl show repmgrd.service -p ActiveState,UnitFileState,ActiveEnterTimestamp --timestamp=unix 2>/dev/null | say repmgrd
if [ -e /etc/repmgr.conf ]; then
  stat -c %Y /etc/repmgr.conf | say conf
  sed -n "s/^node_id *= *'\{0,1\}\([0-9]*\).*/\1/p" /etc/repmgr.conf | say id
fi
for path in /var/lib/postgresql /var/lib; do
  if [ -d "$path" ]; then timeout 3 df -B1 --output=avail,size "$path" 2>/dev/null | tail -n 1 | say disk; break; fi
done
for path in "$data".hadeploy-*; do [ -e "$path" ] && echo "aside $path"; done
marks() {
  [ -e "$1" ] && head -c 2000 "$1" | tr '\n' ' ' | say rejoin && echo
  [ -e "$2" ] && head -c 2000 "$2" | tr '\n' ' ' | say refused && echo
  [ -e "$3" ] && echo 'fenced yes'
}
managed() { [ -f "$1" ] && echo "file $(stat -c '%a %U %G %.Y' -- "$1") $(sha256sum <"$1" | cut -d ' ' -f 1) $1"; }
"#;

/// What the server and the pooler say. The release's own psql is asked: the one in the path is a program in Perl that looks for it, and clients
/// may be waiting.
const SERVER: &str = r#"ask() { timeout 5 runuser -u postgres -- "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -h /var/run/postgresql -p "$port" -d "$1" -c "$2" 2>/dev/null; }
if [ -e "$data/postmaster.pid" ] && answer=$(ask postgres "$online"); then
  printf '%s\n' "$answer" | say online
  case $(ask postgres "SELECT count(*) FROM pg_database WHERE datname = 'repmgr'") in
    0) echo 'nodes none' ;;
    1) case $(ask repmgr "SELECT to_regclass('repmgr.nodes') IS NOT NULL") in
         f) echo 'nodes none' ;;
         t) ask repmgr "$nodes" | say nodes
            [ ! -e "$data/standby.signal" ] || ask repmgr 'SELECT repmgr.get_upstream_last_seen()' | say unseen ;;
       esac ;;
  esac
fi
if timeout 3 systemctl -q is-active pgbouncer.service 2>/dev/null; then
  # pgbouncer turns away who gives it options of a server.
  timeout 3 env -u PGOPTIONS runuser -u postgres -- "$bin/psql" -XA -P footer=off -h /var/run/postgresql -p 6432 -U postgres -d pgbouncer -c 'SHOW DATABASES' 2>/dev/null | say pool
fi
echo 'end yes'
"#;

/// Everything the server knows of itself, as one line of JSON with the names of [`super::Online`]. The time line of a standby is that of the
/// WAL file it has received last: its control file is as old as its last restart point, and a receiver that has ended says nothing.
const ONLINE: &str = r#"SELECT jsonb_build_object(
'recovery', pg_is_in_recovery(),
'sysid', (SELECT system_identifier FROM pg_control_system()),
'random', gen_random_uuid(),
'tli', CASE WHEN pg_is_in_recovery() THEN GREATEST((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT min_recovery_end_timeline FROM pg_control_recovery()), (SELECT timeline_id FROM pg_control_checkpoint()),
    (SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir(), (SELECT pg_size_bytes(current_setting('wal_segment_size')) AS segment, (GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/1'::pg_lsn)::bigint AS place) AS at
      WHERE name ~ '^[0-9A-F]{24}$' AND substr(name, 9) = lpad(upper(to_hex(place >> 32)), 8, '0') || lpad(upper(to_hex((place & 4294967295) / segment)), 8, '0')))
  ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
'receive', COALESCE(CASE WHEN pg_is_in_recovery() THEN GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn, 0),
'replay', COALESCE(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0),
'paused', CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END,
'read_only', current_setting('default_transaction_read_only') = 'on',
'loaded', extract(epoch FROM pg_conf_load_time()),
'pending_restart', COALESCE((SELECT jsonb_agg(name ORDER BY name) FROM pg_settings WHERE pending_restart), '[]'),
'config_errors', COALESCE((SELECT jsonb_agg(error) FROM (SELECT sourcefile || ' line ' || sourceline || ': ' || error AS error FROM pg_file_settings WHERE error IS NOT NULL AND error <> 'setting could not be applied'
  UNION ALL SELECT 'pg_hba.conf line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL) AS errors), '[]'),
'auto', COALESCE((SELECT jsonb_agg(DISTINCT name) FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'), '[]'),
'settings', COALESCE((SELECT jsonb_object_agg(name, jsonb_build_object('shown', current_setting(name), 'raw', setting, 'postmaster', context = 'postmaster')) FROM pg_settings WHERE name IN (@NAMES@)), '{}'),
'receiver', (SELECT jsonb_build_object('status', status, 'sender_host', COALESCE(sender_host, ''), 'slot', COALESCE(slot_name, '')) FROM pg_stat_wal_receiver),
'senders', COALESCE((SELECT jsonb_agg(jsonb_build_object('name', application_name, 'address', COALESCE(host(client_addr), ''), 'state', state, 'sync', sync_state,
  'lag', CASE WHEN pg_is_in_recovery() THEN 0 ELSE GREATEST(COALESCE(pg_current_wal_lsn() - replay_lsn, 0), 0) END)) FROM pg_stat_replication), '[]'),
'slots', COALESCE((SELECT jsonb_agg(jsonb_build_object('name', slot_name, 'active', active, 'wal_status', COALESCE(wal_status, ''),
  'held', CASE WHEN pg_is_in_recovery() THEN 0 ELSE GREATEST(COALESCE(pg_current_wal_lsn() - restart_lsn, 0), 0) END)) FROM pg_replication_slots WHERE slot_type = 'physical'), '[]'),
'roles', COALESCE((SELECT jsonb_agg(jsonb_build_object('name', rolname, 'superuser', rolsuper, 'login', rolcanlogin, 'replication', rolreplication,
  'salt', CASE WHEN rolpassword LIKE 'SCRAM-SHA-256$%' THEN split_part(rolpassword, '$', 2) ELSE '' END,
  'digest', COALESCE(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), ''))) FROM pg_authid WHERE rolname !~ '^pg_'), '[]'),
'forks', CASE WHEN pg_is_in_recovery() THEN '[]' ELSE COALESCE((SELECT jsonb_agg(jsonb_build_object('tli', split_part(line, E'\t', 1)::int, 'end', split_part(line, E'\t', 2)::pg_lsn - '0/0'::pg_lsn))
  FROM regexp_split_to_table(pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history', 0, 1000000, true), E'\n') AS line WHERE line ~ '^[0-9]+\t'), '[]') END,
'databases', (SELECT jsonb_object_agg(datname, pg_get_userbyid(datdba)) FROM pg_database WHERE NOT datistemplate),
'ready', (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'))"#;

/// repmgr's table, as one line of JSON with the names of [`super::Node`].
const NODES: &str = r#"SELECT COALESCE(jsonb_agg(jsonb_build_object('id', node_id, 'name', node_name, 'kind', type, 'upstream', upstream_node_id,
'active', active, 'priority', priority, 'conninfo', conninfo, 'slot', COALESCE(slot_name, '')) ORDER BY node_id), '[]') FROM repmgr.nodes"#;

/// The lines of each label, in their order.
pub type Sections<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Splits what the script printed.
///
/// # Errors
/// When it did not come to its end.
pub fn sections(text: &str) -> Result<Sections<'_>, String> {
    let mut sections = Sections::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (label, rest) = line.split_once(' ').unwrap_or((line, ""));
        sections.entry(label).or_default().push(rest);
    }
    match sections.contains_key("end") {
        true => Ok(sections),
        false => Err("the question did not come to its end".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Member;
    use crate::cluster::postgres::{Goal, Observation, Synchronous, Tls};

    /// Wherever it runs, it comes to its end, says something that can be read, and complains of nothing.
    #[test]
    fn a_real_shell_runs_it() {
        let spec = Spec {
            members: vec![Member {
                name: "pg1".into(),
                address: "127.0.0.1".into(),
            }],
            witness: false,
            port: 1,
            settings: BTreeMap::new(),
            synchronous: Synchronous::Auto,
            roles: Vec::new(),
            databases: Vec::new(),
            tls: Tls {
                ca: "/ca".into(),
                cert: "/cert".into(),
                key: "/key".into(),
            },
            clients: Vec::new(),
            detection: std::time::Duration::from_secs(30),
            goal: Goal::Converge,
        };
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(question(&spec, 0))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let text = String::from_utf8(output.stdout).unwrap();
        let seen = Observation::parse(&text).unwrap();
        assert!(seen.online.is_none() && seen.disk_size > 0, "{text}");
    }
}
