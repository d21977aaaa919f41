ask postgres "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$SLOT' AND NOT active" >/dev/null || fail_log "the slot $SLOT cannot be dropped"
[ "$(ask postgres "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$SLOT'")" = 0 ] || fail "the slot $SLOT is in use"
