[ "$(recovery)" = t ] || fail "the server here is no standby"
out=$(repmgr standby register --force --upstream-node-id="$UP_ID" --wait-sync=30 2>&1) || fail "repmgr standby register: $out"
got=$(ask repmgr "SELECT type || ' ' || upstream_node_id || ' ' || active FROM repmgr.nodes WHERE node_id = $NODE_ID")
[ "$got" = "standby $UP_ID true" ] || fail "the row of node $NODE_ID says '$got': $out"
