# Sourced by the helpers beside it: what this node and its peers are, and how they are asked.
# The values come from /etc/hadeploy/postgres.env:
#   PG_PEERS   ID,NAME,ADDRESS of each other data node     PG_OTHERS  address of each other member, the witness too
#   PG_DATA_NODES, PG_MEMBERS                               how many there are, this one included
#   PG_WITNESS                                             not empty on the witness
. "${HADEPLOY_ENV:-/etc/hadeploy/postgres.env}"
export PGPASSFILE="${PGPASSFILE:-/var/lib/postgresql/.pgpass}" PGCONNECT_TIMEOUT=2 LC_ALL=C.UTF-8
SELF=${0##*/}

say() {
    logger -t "hadeploy-$SELF" -- "$*" 2>/dev/null
    printf '%s: %s\n' "$SELF" "$*" >&2
}

# open ADDRESS PORT: the host answers there within a second, be it by refusing.
open() {
    answer=$(LC_ALL=C timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1) && return 0
    case $answer in *refused*) return 0 ;; esac
    return 1
}

# look_around: ALIVE becomes the addresses of the other members that answer, REACHED how many members do, this one included. All ports of
# all members are asked at once.
look_around() {
    ALIVE=$(
        for other in $PG_OTHERS; do
            for port in ${PG_PROBE_PORTS:-22 $PG_PORT}; do
                (open "$other" "$port" && echo "$other") &
            done
        done | sort -u
    )
    REACHED=$(($(printf '%s\n' "$ALIVE" | grep -c .) + 1))
}

# majority: more than half of the members answer.
majority() {
    look_around
    [ $((REACHED * 2)) -gt "$PG_MEMBERS" ]
}

# answers ADDRESS: it was among those that answered.
answers() { printf '%s\n' "$ALIVE" | grep -qxF "$1"; }

# ask ADDRESS SQL: the answer of the server there, or a failure within four seconds.
ask() {
    timeout 4 "$PG_BIN/psql" -XAtqw -v ON_ERROR_STOP=1 \
        -d "host=$1 port=$PG_PORT user=repmgr dbname=repmgr sslmode=verify-ca sslrootcert=$PG_CA application_name=hadeploy options='-c statement_timeout=2000'" \
        -c "$2" 2>&1
}

# What a server is: `f` or `t` for recovery, and the highest time line it has seen. A standby's control file is as old as its last restart
# point: the WAL file that it received last knows better.
ROLE="SELECT pg_is_in_recovery(), greatest(
    CASE WHEN pg_is_in_recovery() THEN 0 ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
    coalesce((SELECT received_tli FROM pg_stat_wal_receiver), 0),
    coalesce((SELECT min_recovery_end_timeline FROM pg_control_recovery()), 0),
    (SELECT timeline_id FROM pg_control_checkpoint()),
    CASE WHEN pg_is_in_recovery() THEN (SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir(),
        (SELECT pg_size_bytes(current_setting('wal_segment_size')) AS segment, (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/1'::pg_lsn)::bigint AS place) AS at
        WHERE name ~ '^[0-9A-F]{24}\$' AND substr(name, 9) = lpad(upper(to_hex(place >> 32)), 8, '0') || lpad(upper(to_hex((place & 4294967295) / segment)), 8, '0')) END)"
