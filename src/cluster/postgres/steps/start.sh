[ -e "$PG_DATA/standby.signal" ] || fail "the data here are not a standby's"
start_unit
until_recovery t 120 || fail_log "the standby does not answer"
until_streams 30 || say "it does not stream yet: ${got:-no receiver}"
