[ ! -e "$PG_DATA/standby.signal" ] || fail "the server here is a standby"
[ "$(recovery)" != f ] || ask postgres CHECKPOINT || fail_log "no checkpoint"
stop_server
order_start
start_unit
until_recovery f 300 || fail_log "the server does not take writes"
