[ "$(recovery)" = t ] || fail "the server here is no standby"
for slot in $SLOTS; do
    ask postgres "SELECT pg_create_physical_replication_slot('$slot', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" >/dev/null ||
        fail_log "the slot $slot cannot be made"
done
