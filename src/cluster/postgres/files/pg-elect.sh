#!/bin/sh
# pg-elect [--once]: beside repmgrd, on each data node. repmgrd elects once when it has lost the primary; where that comes to nothing, as where
# too few members answered just then, it looks on for good. This asks again, by the same rules: most members answer, none is primary, all
# standbys are heard, and this one has received most of all; of equals the one with the lowest number takes over.
. "${0%/*}/pg-lib"

# here SQL: the answer of the server here.
here() {
    timeout 5 "$PG_BIN/psql" -XAtqw -h /var/run/postgresql -p "$PG_PORT" -d repmgr -c "$1" 2>/dev/null
}

# What a server is, the time line that it has seen, and how many bytes of WAL it has received.
HOLDS="$ROLE, coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0'::pg_lsn) - '0/0'::pg_lsn"

# more ANSWER ID: that server holds more than the one here, or as much with a lower number.
more() {
    theirs=${1#*|}
    ours=${mine#*|}
    [ "${theirs%%|*}" = "${ours%%|*}" ] || { [ "${theirs%%|*}" -gt "${ours%%|*}" ]; return; }
    [ "${theirs#*|}" = "${ours#*|}" ] || { [ "${theirs#*|}" -gt "${ours#*|}" ]; return; }
    [ "$2" -lt "$NODE_ID" ]
}

# first: nobody comes before this node. Only one server may be silent: that of the lost primary.
first() {
    mine=$(here "$HOLDS") || return 1
    case $mine in t\|*\|*) ;; *) return 1 ;; esac
    silent=0
    for peer in $PG_PEERS; do
        address=${peer##*,}
        if answers "$address" && answer=$(ask "$address" "$HOLDS"); then
            case $answer in
                t\|*\|*) ! more "$answer" "${peer%%,*}" || return 1 ;;
                *) return 1 ;;
            esac
        else
            silent=$((silent + 1))
        fi
    done
    [ "$silent" -le 1 ]
}

elect() {
    state=$(here "SELECT repmgr.get_upstream_last_seen(), repmgr.repmgrd_is_running(), repmgr.repmgrd_is_paused() WHERE pg_is_in_recovery()") || return 0
    case $state in *'|t|f') ;; *) return 0 ;; esac
    [ "${state%%|*}" -gt "$PG_GIVEN_UP" ] || return 0
    majority && first && "${0%/*}/pg-failover-ok" "$NODE_ID" || return 0
    say "no primary was seen for ${state%%|*} s, and repmgrd elects none: this node takes over"
    "${0%/*}/pg-promote"
}

if [ "${1:-}" = --once ]; then
    elect
    exit
fi
while :; do
    sleep 10
    elect
done
