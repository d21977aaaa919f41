# Clients wait: no more programs than it needs. IN1 says how far the former primary went.
last=$(sed -n 's/^stopped at //p' "$IN1")
case $last in
    *[!0-9A-F/]* | '') fail "how far the former primary went is not known" ;;
esac
# The one that repmgrd's promotion takes.
exec 9>/var/run/postgresql/hadeploy-promote.lock
flock -w 10 9 || fail "another promotion is under way"
# A primary that somebody started again meanwhile answers; a stopped one refuses at once.
primaries=$(
    for address in $PEERS; do
        ask_at "$address" "SELECT '$address' WHERE NOT pg_is_in_recovery()" 2>/dev/null &
    done
    wait
)
[ -z "$primaries" ] || fail "a primary runs at $primaries"
sql postgres >/dev/null 2>"/run/hadeploy-$TAG" <<SQL || { cat "/run/hadeploy-$TAG" >&2; rm -f "/run/hadeploy-$TAG"; fail_log "this standby could not take over"; }
DO \$\$
DECLARE
    deadline timestamptz := clock_timestamp() + interval '10 s';
BEGIN
    WHILE GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) <= '$last' LOOP
        IF clock_timestamp() > deadline THEN
            RAISE EXCEPTION 'received up to % only, and the former primary went to $last', GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn());
        END IF;
        PERFORM pg_sleep(0.02);
    END LOOP;
    IF pg_get_wal_replay_pause_state() <> 'not paused' THEN
        RAISE EXCEPTION 'its replay is paused';
    END IF;
    IF NOT pg_promote(true, 30) THEN
        RAISE EXCEPTION 'it was not promoted within 30 s';
    END IF;
END
\$\$;
SQL
rm -f "/run/hadeploy-$TAG"
[ "$(recovery)" = f ] || fail_log "the server takes no writes"
say "primary"
