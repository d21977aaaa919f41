#!/bin/sh
# pg-isolation-fence NODE [--dry-run]: repmgrd of a primary has lost its standbys. Where most members do not answer either, this node is
# the one that is cut off, and the others will elect another primary: the server here stops before they do.
. "${0%/*}/pg-lib"

if majority; then
    say "the standbys are gone, but $REACHED of $PG_MEMBERS members answer: the server stays up"
    exit 0
fi
say "only $REACHED of $PG_MEMBERS members answer: this node is cut off, its server stops"
[ "${2:-}" != --dry-run ] || exit 0
"$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -t 6 stop >/dev/null 2>&1 ||
    "$PG_BIN/pg_ctl" -D "$PG_DATA" -m immediate -t 10 stop >/dev/null 2>&1
if "$PG_BIN/pg_ctl" -D "$PG_DATA" status >/dev/null 2>&1; then
    say "the server could not be stopped"
    exit 1
fi
say "the server is stopped"
