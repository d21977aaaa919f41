[ -e "$PG_DATA/standby.signal" ] || fail "the server here is no standby"
stop_server
start_unit
until_recovery t 120 || fail_log "the standby does not answer"
until_streams 60 || fail_log "the standby does not stream"
