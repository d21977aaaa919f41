[ "$(recovery)" = t ] || fail "the server here is no standby"
# Forgotten once, and taken in again: repmgr does not know it and lets it follow nobody. It is registered when it streams.
if [ "$(ask_at "$UP_ADDRESS" "SELECT count(*) FROM repmgr.nodes WHERE node_id = $NODE_ID")" = 0 ]; then
    ask_at "$UP_ADDRESS" "SELECT pg_create_physical_replication_slot('repmgr_slot_$NODE_ID', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'repmgr_slot_$NODE_ID')" >/dev/null ||
        fail "no slot can be made on $UP_NAME"
    ! until_streams 30 "$UP_ADDRESS" || exit 0
fi
out=$(repmgr standby follow --upstream-node-id="$UP_ID" 2>&1)
status=$?
until_streams 60 "$UP_ADDRESS" || { printf '%s\n' "$out" | tail -n 6 >&2; fail_log "it does not stream from $UP_NAME (repmgr: $status)"; }
# repmgrd of this node may have done the same at the same time: then the slot is in use already, and that is as wanted.
case $status:$out in 23:*'already exists as an active slot'*) status=0 ;; esac
[ "$status" = 0 ] || { printf '%s\n' "$out" | tail -n 6 >&2; fail "repmgr standby follow: $status"; }
