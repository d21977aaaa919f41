#!/bin/sh
# pg-start-guard INSTANCE: before the server starts. A standby may start at any time; a former primary only when it is sure that no
# other node has taken its place: most members answer, none is primary, and enough standbys answer that have seen no newer time line.
. "${0%/*}/pg-lib"
STATE=${HADEPLOY_STATE:-/var/lib/hadeploy}
TOKEN=$STATE/pg-start-token

allow() {
    rm -f "$STATE/pg-start-refused"
    say "start allowed: $*"
    exit 0
}

refuse() {
    mkdir -p "$STATE" && printf '%s\n' "$*" > "$STATE/pg-start-refused"
    say "start refused: $*"
    exit 1
}

# Time line of the local data, a promotion without its checkpoint included.
own_timeline() {
    line=$("$PG_BIN/pg_controldata" -D "$PG_DATA" 2>/dev/null | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
    [ -n "$line" ] || return 1
    for history in "$PG_DATA"/pg_wal/????????.history; do
        [ -e "$history" ] || continue
        name=${history##*/}
        found=$((0x${name%.history}))
        [ "$found" -gt "$line" ] && line=$found
    done
    echo "$line"
}

# One look around. 0: may start. 1: must not. 2: not known yet. WHY says why.
look() {
    if ! majority; then
        WHY="only $REACHED of $PG_MEMBERS members answer"
        return 2
    fi
    agree=1
    silent=
    for peer in $PG_PEERS; do
        name=${peer#*,}
        address=${name#*,}
        name=${name%%,*}
        if ! answers "$address" || ! answer=$(ask "$address" "$ROLE"); then
            silent="$silent $name"
            continue
        fi
        if [ "${answer%%|*}" = f ]; then
            WHY="$name is primary on time line ${answer#*|}"
            printf '%s\n' "$name" > "$STATE/pg-needs-rejoin"
            return 1
        fi
        if [ "${answer#*|}" -gt "$MINE" ]; then
            WHY="$name has seen time line ${answer#*|}, the data here end on $MINE"
            printf '%s\n' "$name" > "$STATE/pg-needs-rejoin"
            return 1
        fi
        agree=$((agree + 1))
    done
    if [ $((agree * 2)) -gt "$PG_DATA_NODES" ]; then
        WHY="$agree of $PG_DATA_NODES data nodes know no newer primary"
        return 0
    fi
    WHY="PostgreSQL of$silent does not answer"
    return 2
}

mkdir -p "$STATE"
case ${1:-} in
    '' | "$PG_VERSION-main" | "$PG_VERSION/main") ;;
    *) exit 0 ;;
esac
[ -e "$PG_DATA/PG_VERSION" ] || allow "there are no data"
[ ! -e "$PG_DATA/standby.signal" ] || allow "the data are a standby's"
[ -z "$PG_WITNESS" ] || allow "this is the witness, whose data are its own"
[ ! -e "$PG_DATA/backup_label" ] || refuse "the data are an unfinished copy"

if [ -e "$TOKEN" ]; then
    # BOOT EPOCH: an order of this boot and of these two minutes.
    read -r boot epoch < "$TOKEN"
    rm -f "$TOKEN"
    age=$(($(date +%s) - ${epoch:-0}))
    if [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ "$age" -ge 0 ] && [ "$age" -lt 120 ]; then
        allow "by order"
    fi
    say "an old order to start is ignored"
fi
[ ! -e "$STATE/pg-fenced" ] || refuse "this server was stopped for good: it has to be rejoined"

MINE=$(own_timeline) || refuse "pg_controldata cannot read $PG_DATA"
end=$(($(date +%s) + ${GUARD_SECONDS:-60}))
while :; do
    look
    case $? in
        0) allow "$WHY" ;;
        1) refuse "$WHY" ;;
    esac
    [ "$(date +%s)" -lt "$end" ] || refuse "$WHY"
    say "waiting: $WHY"
    sleep 3
done
