#!/bin/sh
# pg-isolation-fence NODE [--dry-run]: repmgrd of a primary has lost its standbys. The server here stops where this node is the one that is
# cut off, since the others will elect another primary, and where they have done so already; else it stays up.
. "${0%/*}/pg-lib"

# The name of a primary on a newer time line, if there is one.
successor() {
    own=$(ask "$NODE_ADDRESS" "$ROLE") || own='f|0'
    for peer in $PG_PEERS; do
        name=${peer#*,}
        address=${name#*,}
        answers "$address" && answer=$(ask "$address" "$ROLE") || continue
        if [ "${answer%%|*}" = f ] && [ "${answer#*|}" -gt "${own#*|}" ]; then
            echo "${name%%,*}"
            return 0
        fi
    done
    return 1
}

if ! majority; then
    say "only $REACHED of $PG_MEMBERS members answer: this node is cut off, its server stops"
elif name=$(successor); then
    say "$name was promoted in the meantime: the server here stops"
else
    say "the standbys are gone, but $REACHED of $PG_MEMBERS members answer and none took over: the server stays up"
    exit 0
fi
[ "${2:-}" != --dry-run ] || exit 0
"$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -t 6 stop >/dev/null 2>&1 ||
    "$PG_BIN/pg_ctl" -D "$PG_DATA" -m immediate -t 10 stop >/dev/null 2>&1
if "$PG_BIN/pg_ctl" -D "$PG_DATA" status >/dev/null 2>&1; then
    say "the server could not be stopped"
    exit 1
fi
say "the server is stopped"
