systemctl stop repmgrd.service 2>/dev/null
stop_server
if [ -e "$PG_DATA" ]; then
    aside=$PG_DATA.hadeploy-$(date -u +%Y%m%dT%H%M%SZ)
    mv -T "$PG_DATA" "$aside" && sync "${PG_DATA%/*}" || fail "$PG_DATA cannot be renamed"
    say "$PG_DATA is now $aside"
fi
