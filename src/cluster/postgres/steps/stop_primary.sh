# repmgrd here sees a stopped server and must not judge; the checkpoint makes the stop short.
[ "$(recovery)" != f ] || ask postgres CHECKPOINT || fail_log "no checkpoint"
stop_server
state=$(control 'Database cluster state')
[ "$state" = "shut down" ] || fail "the server is down, but not in order: $state"
say "stopped at $(control 'Latest checkpoint location')"
