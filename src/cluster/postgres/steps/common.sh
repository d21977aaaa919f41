# In front of every act: words, the local server, waiting, files.
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PGCONNECT_TIMEOUT=5
STATE=/var/lib/hadeploy
cd /
mkdir -p "$STATE"

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
# The last words of the server and of its unit, for a failure.
log_tail() {
    systemctl status --no-pager --lines=6 "$PG_UNIT" 2>&1 | sed -n '3p;/hadeploy\|pg-start-guard\|postgres/p' | tail -n 8
    tail -n 12 "$PG_LOG" 2>/dev/null
}
fail_log() {
    printf '%s\n' "$*" >&2
    log_tail >&2
    exit 1
}
as_postgres() { runuser -u postgres -- env PGPASSFILE=/var/lib/postgresql/.pgpass PGCONNECT_TIMEOUT=5 LC_ALL=C.UTF-8 "$@"; }
# sql DATABASE: runs what comes on standard input on the server here. Waits for no standby, and is not logged.
sql() {
    as_postgres env PGOPTIONS='-c synchronous_commit=local -c statement_timeout=60000 -c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic -c client_min_messages=warning' \
        timeout 90 "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h /var/run/postgresql -p "$PG_PORT" -d "$1"
}
ask() { printf '%s\n' "$2" | sql "$1"; }
# ask_at ADDRESS SQL: the answer of another member's server.
ask_at() {
    as_postgres timeout 20 "$PG_BIN/psql" -XAtqw -v ON_ERROR_STOP=1 -d "$(conninfo "$1")" -c "$2"
}
conninfo() {
    printf '%s' "host=$1 port=$PG_PORT user=repmgr dbname=repmgr connect_timeout=2 tcp_user_timeout=10000 sslmode=verify-ca sslrootcert=$PG_CA"
}
repmgr() { as_postgres timeout "${REPMGR_SECONDS:-120}" "$PG_BIN/repmgr" -f /etc/repmgr.conf "$@"; }
# The server here: f primary, t standby, nothing when it does not answer.
recovery() { ask postgres 'SELECT pg_is_in_recovery()' 2>/dev/null; }
process() { as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" status >/dev/null 2>&1; }
control() { "$PG_BIN/pg_controldata" -D "$PG_DATA" 2>/dev/null | sed -n "s/^$1: *//p"; }
# until_recovery t|f SECONDS: waits until the server answers so. Ends early when its unit or its process is gone.
until_recovery() {
    end=$(($(date +%s) + $2))
    while [ "$(recovery)" != "$1" ]; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        process || systemctl is-active -q "$PG_UNIT" || return 1
        sleep 0.5
    done
}
# until_streams SECONDS [ADDRESS]: waits until the WAL receiver streams, from this member if given.
until_streams() {
    end=$(($(date +%s) + $1))
    while :; do
        got=$(ask postgres "SELECT status || ' from ' || sender_host FROM pg_stat_wal_receiver" 2>/dev/null)
        case $got in
            "streaming from ${2:-}"*) return 0 ;;
        esac
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.5
    done
}
# start_unit: the server starts in its unit, or the reason of the guard or of the server is said. The status of systemctl proves only that
# the guard let it pass.
start_unit() {
    if process && ! systemctl is-active -q "$PG_UNIT"; then
        fail "the server runs outside of $PG_UNIT: stop it with pg_ctlcluster, then try again"
    fi
    systemctl reset-failed "$PG_UNIT" 2>/dev/null
    unretire
    if ! systemctl start "$PG_UNIT"; then
        [ ! -e "$STATE/pg-start-refused" ] || fail "the start guard refused: $(cat "$STATE/pg-start-refused")"
        fail_log "$PG_UNIT did not start"
    fi
}
# stop_server: in order; a server that hangs is made to stop.
stop_server() {
    timeout 90 systemctl stop "$PG_UNIT"
    if process; then
        as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -t 30 stop >/dev/null 2>&1 ||
            as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -m immediate -t 30 stop >/dev/null 2>&1
    fi
    ! process || fail_log "the server does not stop"
}
order_start() { printf '%s %s\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(date +%s)" > "$STATE/pg-start-token"; }
# Retired once, and taken in again: it comes back at a boot.
unretire() {
    if grep -q '^# hadeploy retired' "$PG_ETC/start.conf" 2>/dev/null; then printf 'auto\n' > "$PG_ETC/start.conf"; fi
}
# A rejoined or cloned member is held back no longer.
clear_marks() { unretire; rm -f "$STATE/pg-needs-rejoin" "$STATE/pg-fenced" "$STATE/pg-start-refused"; }
# put INPUT PATH OWNER GROUP MODE: the file has this content, owner and mode; PUT counts those that changed.
PUT=0
put() {
    if [ "$(stat -c '%U:%G:%a' "$2" 2>/dev/null)" = "$3:$4:$5" ] && cmp -s "$1" "$2"; then return 0; fi
    put_tmp="${2%/*}/.${2##*/}.$TAG"
    mkdir -p "${2%/*}" && cat "$1" > "$put_tmp" && chown "$3:$4" "$put_tmp" && chmod "$5" "$put_tmp" || fail "$2 cannot be written"
    case $2 in
        /etc/sudoers.d/*) visudo -cqf "$put_tmp" || { rm -f "$put_tmp"; fail "visudo refuses $2"; } ;;
    esac
    sync "$put_tmp" && mv -f "$put_tmp" "$2" && sync "${2%/*}" || fail "$2 cannot be written"
    PUT=$((PUT + 1))
    say "wrote $2"
    case $2 in /etc/systemd/*) RELOAD_UNITS=1 ;; esac
}
