# Of this member alone, so that an unreachable one stands in nobody's way; repmgrd keeps it in pg_stat/repmgrd_state.txt.
ask repmgr "SELECT repmgr.repmgrd_pause($PAUSE)" >/dev/null || fail_log "repmgrd's state cannot be set"
[ "$(ask repmgr 'SELECT repmgr.repmgrd_is_paused()')" = "$PAUSED" ] || fail "repmgrd did not take it: is it running?"
