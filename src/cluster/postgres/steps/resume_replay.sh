[ "$(recovery)" = t ] || exit 0
ask postgres 'SELECT pg_wal_replay_resume()' >/dev/null || fail_log "replay cannot be resumed"
[ "$(ask postgres 'SELECT pg_get_wal_replay_pause_state()')" = "not paused" ] || fail "replay is still paused"
