printf '%s\n' "$TAG" > "$STATE/pg-fenced" && sync "$STATE/pg-fenced" || fail "$STATE cannot be written"
systemctl stop repmgrd.service 2>/dev/null
stop_server
