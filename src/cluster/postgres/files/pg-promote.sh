#!/bin/sh
# pg-promote [--dry-run]: makes this standby the primary. What repmgrd runs on the elected node, and hadeploy in a planned switchover.
# Succeeds only when the server here takes writes.
. "${0%/*}/pg-lib"

recovery() {
    timeout 5 "$PG_BIN/psql" -XAtqw -h /var/run/postgresql -p "$PG_PORT" -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null
}

exec 9> /var/run/postgresql/hadeploy-promote.lock
flock -w 60 9 || {
    say "another promotion is under way"
    exit 1
}
case $(recovery) in
    f)
        say "already primary"
        exit 0
        ;;
    t) ;;
    *)
        say "the server here does not answer"
        exit 1
        ;;
esac
[ "${1:-}" != --dry-run ] || exit 0
"$PG_BIN/repmgr" -f /etc/repmgr.conf standby promote 9>&-
status=$?
if [ "$(recovery)" = f ]; then
    # repmgr promotes first and writes its table afterwards: a failure of that is mended by the next apply.
    [ "$status" = 0 ] || say "promoted, but repmgr ended with status $status"
    say "this node is primary now"
    exit 0
fi
say "not promoted: repmgr ended with status $status"
exit 1
