for name in $NAMES; do
    ask postgres "ALTER SYSTEM RESET $name" || fail_log "$name cannot be reset"
done
ask postgres 'SELECT pg_reload_conf()' >/dev/null || fail_log "the server does not read its files again"
sleep 0.5
for name in $NAMES; do
    ! grep -q "^ *$name *=" "$PG_DATA/postgresql.auto.conf" || fail "$name is still in postgresql.auto.conf"
done
