[ ! -e "$PG_DATA/standby.signal" ] || fail "the data here are a standby's: it is promoted, not started as primary"
if [ "$(recovery)" != f ]; then
    rm -f "$STATE/pg-fenced" "$STATE/pg-needs-rejoin"
    order_start
    start_unit
    until_recovery f 300 || fail_log "the server does not take writes"
fi
