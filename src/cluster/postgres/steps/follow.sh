[ "$(recovery)" = t ] || fail "the server here is no standby"
out=$(repmgr standby follow --upstream-node-id="$UP_ID" 2>&1)
status=$?
until_streams 60 "$UP_ADDRESS" || { printf '%s\n' "$out" | tail -n 6 >&2; fail_log "it does not stream from $UP_NAME (repmgr: $status)"; }
# repmgrd of this node may have done the same at the same time: then the slot is in use already, and that is as wanted.
case $status:$out in 23:*'already exists as an active slot'*) status=0 ;; esac
[ "$status" = 0 ] || { printf '%s\n' "$out" | tail -n 6 >&2; fail "repmgr standby follow: $status"; }
