//! States of PostgreSQL.

use super::{On, State, mended, refused};

/// All that can be made on three nodes.
pub const STATES: &[State] = &[
    mended("P1 all as wanted", &[], &[]),
    mended(
        "P2 no data",
        &[(On::Broken, "pgstop; rm -rf \"$data\"")],
        &["@ data clone of P", "@ server standby", "@ repmgrd running"],
    ),
    mended(
        "P3 standby stopped",
        &[(On::Broken, "pgstop")],
        &["@ server standby", "@ repmgrd running"],
    ),
    mended(
        "P4 a standby of another standby",
        &[(
            On::Broken,
            r#"systemctl stop repmgrd
pg postgres "ALTER SYSTEM SET primary_slot_name = ''"
sed -i "s/host=$PRIMARY/host=$OTHER/" "$data/postgresql.auto.conf"
pg postgres 'SELECT pg_reload_conf()'
until_so '[ "$(pg postgres "SELECT sender_host FROM pg_stat_wal_receiver")" = "$OTHER" ]'"#,
        )],
        &["@ upstream P", "@ repmgrd running"],
    ),
    mended(
        "P4 its slot is gone",
        &[
            (On::Broken, "pgstop"),
            (
                On::Primary,
                r#"slots() { pg postgres "SELECT count(*) FROM pg_replication_slots WHERE active"; }
until_so '[ "$(slots)" = 1 ]'
pg postgres "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active""#,
            ),
            (On::Broken, "systemctl start \"$unit\" repmgrd"),
        ],
        &["@ upstream P"],
    ),
    mended(
        "P4 the primary lets it in no more",
        &[(
            On::Primary,
            r#"hba=/etc/postgresql/$release/main/pg_hba.conf
sed -i "s/^\(hostssl *replication .*\)$/# \1/" "$hba"; grep -q '^# hostssl *replication' "$hba"
pg postgres 'SELECT pg_reload_conf()'
pg postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = '$BROKEN_NAME'""#,
        )],
        &["P configuration as declared"],
    ),
    mended(
        "P4 its password is wrong",
        &[(
            On::Broken,
            r#"sed -i 's/:[^:]*$/:wrong/' /var/lib/postgresql/.pgpass
pkill -TERM -f 'postgres: .*[w]alreceiver'
until_so '[ -z "$(pg postgres "SELECT pid FROM pg_stat_wal_receiver")" ]'"#,
        )],
        &["@ configuration as declared"],
    ),
    mended(
        "P5 it lies behind",
        &[
            (
                On::Broken,
                r#"pid=$(pgrep -f 'postgres: .*[s]tartup'); kill -STOP "$pid"
systemd-run -q --collect sh -c "sleep 45; kill -CONT $pid""#,
            ),
            (
                On::Primary,
                r#"pg appdb 'CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) AS words FROM generate_series(1, 60000) n'
pg appdb 'DROP TABLE filler'"#,
            ),
        ],
        &[],
    ),
    refused(
        "P6 replay paused",
        &[(On::Broken, "pg postgres 'SELECT pg_wal_replay_pause()'")],
        &[],
        "the replay of @ was paused",
        &["pg", "repair"],
    ),
    mended(
        "P7 data unreadable",
        &[(On::Broken, "pgstop; : >\"$data/global/pg_control\"")],
        &[
            "@ data set aside",
            "@ data clone of P",
            "@ server standby",
            "@ repmgrd running",
        ],
    ),
    mended(
        "P7 its slot has lost WAL",
        &[(On::Broken, "pgstop"), (On::Primary, LOSE_WAL)],
        &[
            "@ data set aside",
            "@ data clone of P",
            "@ server standby",
            "@ repmgrd running",
        ],
    ),
    refused(
        "P7 data of another cluster",
        &[(
            On::Broken,
            r#"pgstop; mv "$data" "$data.hadeploy-by-hand"
runuser -u postgres -- "$bin/initdb" -D "$data" -k --auth=peer >/dev/null; rm -f "$data/postgresql.conf" "$data/pg_hba.conf" "$data/pg_ident.conf"
runuser -u postgres -- touch "$data/standby.signal""#,
        )],
        &[],
        "@ holds the data of another cluster",
        &["pg", "repair"],
    ),
    mended(
        "P8 row of a standby gone",
        &[(
            On::Broken,
            "sqlp repmgr \"DELETE FROM repmgr.nodes WHERE node_name = '$BROKEN_NAME'\"",
        )],
        &["@ registered standby of P"],
    ),
    mended(
        "P8 row of the primary gone",
        &[(
            On::Primary,
            "pg repmgr \"UPDATE repmgr.nodes SET upstream_node_id = NULL; DELETE FROM repmgr.nodes WHERE node_name = '$PRIMARY_NAME'\"",
        )],
        &["..."],
    ),
    State {
        leads: On::Broken,
        ..mended(
            "P9 a standby promoted by hand while the primary was stopped",
            &[
                (On::Primary, "pgstop"),
                (On::Broken, "pg_ctlcluster \"$release\" main promote"),
            ],
            &["..."],
        )
    },
    State {
        leads: On::Broken,
        behind: &[(
            On::Primary,
            "grep -q COMMIT /var/lib/hadeploy/pg-divergent-*.txt; rm /var/lib/hadeploy/pg-divergent-*.txt",
        )],
        ..mended(
            "P10 with commits of its own",
            &[
                (On::Other, "pgstop"),
                (On::Broken, "pgstop"),
                (
                    On::Primary,
                    r#"systemctl stop repmgrd
pg appdb "SET synchronous_commit = local; INSERT INTO drill VALUES ('nobody', 1)"
systemctl kill -s KILL "$unit"; systemctl stop "$unit""#,
                ),
                (On::Other, "systemctl start \"$unit\""),
                (
                    On::Broken,
                    "systemctl start \"$unit\"; pg_ctlcluster \"$release\" main promote",
                ),
            ],
            &["..."],
        )
    },
    State {
        leads: On::Broken,
        behind: &[
            (
                On::Primary,
                "grep -q COMMIT /var/lib/hadeploy/pg-divergent-*.txt; rm /var/lib/hadeploy/pg-divergent-*.txt",
            ),
            (
                On::Each,
                "[ \"$(pg appdb \"SELECT string_agg(DISTINCT who, ' ') FROM drill WHERE number = -11\")\" = new ]",
            ),
            (
                On::Broken,
                "pg appdb 'DELETE FROM drill WHERE number = -11'",
            ),
        ],
        ..refused(
            "P11 two primaries",
            &[
                (On::Primary, "pgstop"),
                (On::Broken, "pg_ctlcluster \"$release\" main promote"),
                (On::Primary, "past_guard"),
                (
                    On::Primary,
                    "pg appdb \"SET synchronous_commit = local; INSERT INTO drill VALUES ('old', -11)\"",
                ),
                (
                    On::Broken,
                    "pg appdb \"SET synchronous_commit = local; INSERT INTO drill VALUES ('new', -11)\"",
                ),
            ],
            &["..."],
            "# was a second primary and was stopped",
            &["pg", "rejoin", "P"],
        )
    },
    State {
        behind: &[
            (
                On::Each,
                "[ \"$(pg appdb \"SELECT string_agg(DISTINCT who, ' ') FROM drill WHERE number = -12\")\" = true ]",
            ),
            (
                On::Primary,
                "pg appdb 'DELETE FROM drill WHERE number = -12'",
            ),
        ],
        ..refused(
            "P11 two primaries on one time line",
            &[
                (
                    On::Broken,
                    r#"pgstop; rm "$data/standby.signal"; past_guard
pg appdb "SET synchronous_commit = local; INSERT INTO drill VALUES ('false', -12)""#,
                ),
                (
                    On::Primary,
                    "pg appdb \"INSERT INTO drill VALUES ('true', -12)\"",
                ),
            ],
            &["..."],
            "@ was a second primary and was stopped",
            &["pg", "rejoin", "@"],
        )
    },
    State {
        leads: On::Any,
        ..mended(
            "P12 primary killed, repmgrd judges",
            &[(On::Primary, "systemctl kill -s KILL \"$unit\"")],
            &["..."],
        )
    },
    mended(
        "P13 repmgrd paused and the primary killed",
        &[
            (On::Each, "pg repmgr 'SELECT repmgr.repmgrd_pause(true)'"),
            (On::Primary, "systemctl kill -s KILL \"$unit\""),
        ],
        &[
            "P server primary",
            "n1 repmgrd running",
            "n2 repmgrd running",
            "n3 repmgrd running",
        ],
    ),
    State {
        leads: On::Any,
        ..mended(
            "P13 repmgrd stopped and the primary's data gone",
            &[
                (On::Each, "systemctl stop repmgrd"),
                (
                    On::Primary,
                    "systemctl stop \"$unit\"; mv \"$data\" \"$data.hadeploy-by-hand\"",
                ),
            ],
            &["..."],
        )
    },
    mended(
        "P14 all stopped",
        &[
            (On::Each, "systemctl stop repmgrd"),
            (On::Each, "systemctl stop \"$unit\""),
        ],
        &[
            "P server primary",
            "@ server standby",
            "O server standby",
            "n1 repmgrd running",
            "n2 repmgrd running",
            "n3 repmgrd running",
        ],
    ),
    mended(
        "P14 all killed",
        &[
            (On::Each, "systemctl stop repmgrd"),
            (On::Each, "systemctl kill -s KILL \"$unit\""),
        ],
        &[
            "P server primary",
            "@ server standby",
            "O server standby",
            "n1 repmgrd running",
            "n2 repmgrd running",
            "n3 repmgrd running",
        ],
    ),
    mended(
        "P16 repmgrd stopped",
        &[(On::Broken, "systemctl stop repmgrd")],
        &["@ repmgrd running"],
    ),
    mended(
        "P16 repmgrd disabled",
        &[(On::Broken, "systemctl disable -q repmgrd")],
        &["@ repmgrd running"],
    ),
    mended(
        "P16 repmgrd paused",
        &[(
            On::Broken,
            "runuser -u postgres -- repmgr -f /etc/repmgr.conf service pause",
        )],
        &[
            "n1 repmgrd running",
            "n2 repmgrd running",
            "n3 repmgrd running",
        ],
    ),
    mended(
        "P17 slot of nobody",
        &[(
            On::Primary,
            "pg postgres \"SELECT pg_create_physical_replication_slot('repmgr_slot_9', true)\"",
        )],
        &["P slot"],
    ),
    mended(
        "P17 slot of nobody on a standby",
        &[(
            On::Broken,
            "pg postgres \"SELECT pg_create_physical_replication_slot('repmgr_slot_1', true)\"",
        )],
        &["@ slot"],
    ),
    mended(
        "P19 setting overridden",
        &[(
            On::Broken,
            "pg postgres \"ALTER SYSTEM SET wal_receiver_timeout = '77s'\"",
        )],
        &["@ configuration as declared"],
    ),
    mended(
        "P19 file changed",
        &[(On::Broken, "echo '# by hand' >>/etc/repmgr.conf")],
        &["@ configuration as declared", "@ repmgrd running"],
    ),
    mended(
        "P19 file with a fault",
        &[(
            On::Primary,
            "echo 'hostssl nonsense' >>\"/etc/postgresql/$release/main/pg_hba.conf\"",
        )],
        &["P configuration as declared"],
    ),
    State {
        with: MORE,
        leads: On::Any,
        behind: &[(
            On::Each,
            "[ \"$(pg postgres 'SHOW max_connections')\" = 123 ]",
        )],
        ..mended("P19 a setting raised that needs restarts", &[], &["..."])
    },
    State {
        leads: On::Any,
        behind: &[(
            On::Each,
            "[ \"$(pg postgres 'SHOW max_connections')\" != 123 ]",
        )],
        ..mended("P19 and lowered", &[], &["..."])
    },
];

/// More connections than there were.
const MORE: &[&str] = &["-e", "{\"postgresql\": {\"max_connections\": 123}}"];

/// The primary keeps less WAL than the stopped standby lacks.
const LOSE_WAL: &str = r#"pg postgres "ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'"; pg postgres "ALTER SYSTEM SET wal_keep_size = 0"; pg postgres 'SELECT pg_reload_conf()'
for i in 1 2 3 4 5 6; do pg appdb 'SELECT pg_switch_wal()'; pg appdb "INSERT INTO drill VALUES ('nobody', 1)"; done; pg postgres CHECKPOINT
until_so '[ "$(pg postgres "SELECT count(*) FROM pg_replication_slots WHERE wal_status = '"'lost'"'")" = 1 ]'
pg postgres 'ALTER SYSTEM RESET max_slot_wal_keep_size'; pg postgres 'ALTER SYSTEM RESET wal_keep_size'; pg postgres 'SELECT pg_reload_conf()'"#;
