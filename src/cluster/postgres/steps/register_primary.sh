[ "$(recovery)" = f ] || fail "the server here is no primary"
out=$(repmgr primary register --force 2>&1) || fail "repmgr primary register: $out"
got=$(ask repmgr "SELECT type || ' ' || active FROM repmgr.nodes WHERE node_id = $NODE_ID")
[ "$got" = "primary true" ] || fail "the row of node $NODE_ID says '$got': $out"
