[ "$(recovery)" = f ] || fail "the server here is no primary"
type=$(ask repmgr "SELECT type FROM repmgr.nodes WHERE node_id = $ROW_ID")
case $type in
    '') exit 0 ;;
    primary) out=$(repmgr primary unregister --node-id="$ROW_ID" --force 2>&1) ;;
    *) out=$(repmgr "$type" unregister --node-id="$ROW_ID" 2>&1) ;;
esac
[ "$(ask repmgr "SELECT count(*) FROM repmgr.nodes WHERE node_id = $ROW_ID")" = 0 ] || fail "the row of node $ROW_ID stays: $out"
