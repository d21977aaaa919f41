out=$(as_postgres timeout 120 /usr/local/lib/hadeploy/pg-promote 2>&1) || fail_log "$out"
[ "$(recovery)" = f ] || fail_log "the server is still a standby: $out"
