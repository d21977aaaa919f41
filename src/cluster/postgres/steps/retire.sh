# repmgrd first: it must not judge a server that stops. Debian starts the server of each cluster whose start.conf says auto.
units="repmgrd.service hadeploy-pgroute.service pgbouncer.service"
for unit in $units; do
    systemctl stop "$unit" 2>/dev/null
    systemctl disable -q "$unit" 2>/dev/null
    ! systemctl is-active -q "$unit" || fail "$unit does not stop"
done
[ ! -e "$PG_ETC/start.conf" ] || printf '# hadeploy retired this member\nmanual\n' > "$PG_ETC/start.conf" || fail "$PG_ETC/start.conf cannot be written"
[ ! -x "$PG_BIN/pg_ctl" ] || stop_server
systemctl disable -q "$PG_UNIT" 2>/dev/null
systemctl daemon-reload
exit 0
