[ "$(recovery)" = f ] || fail "the server of the witness does not answer"
out=$(repmgr witness register --force -h "$UP_ADDRESS" -p "$PG_PORT" -U repmgr -d "dbname=repmgr sslmode=verify-ca sslrootcert=$PG_CA" 2>&1) || fail "repmgr witness register: $out"
got=$(ask repmgr "SELECT type || ' ' || upstream_node_id || ' ' || active FROM repmgr.nodes WHERE node_id = $NODE_ID")
[ "$got" = "witness $UP_ID true" ] || fail "the row of node $NODE_ID says '$got': $out"
