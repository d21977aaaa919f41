[ "$(recovery)" = f ] || fail "the server here is no primary"
sql postgres < "$IN1" >"/run/hadeploy-$TAG" 2>&1 || { sed "s/SCRAM-SHA-256[^']*/SCRAM-SHA-256…/g" "/run/hadeploy-$TAG" | tail -n 5 >&2; rm -f "/run/hadeploy-$TAG"; fail "accounts and databases could not be brought up to date"; }
rm -f "/run/hadeploy-$TAG"
ask repmgr 'SELECT count(*) FROM repmgr.nodes' >/dev/null || fail_log "repmgr's table is not there"
as_postgres timeout 10 "$PG_BIN/psql" -XAtqw -d "$(conninfo "$NODE_ADDRESS")" -c 'SELECT 1' >/dev/null || fail_log "repmgr cannot log in at $NODE_ADDRESS with its password"
