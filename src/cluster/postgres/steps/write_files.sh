# BACKUP holds what was there, for the way back.
BACKUP=$(mktemp -d) || fail "no temporary folder"
trap 'rm -rf "$BACKUP"' EXIT
back() {
    for path in $PATHS; do
        if [ -e "$BACKUP$path" ]; then cp -p "$BACKUP$path" "$path.$TAG" && mv -f "$path.$TAG" "$path"; else rm -f "$path"; fi
    done
    [ -z "${RELOAD_UNITS:-}" ] || systemctl daemon-reload
}
for path in $PATHS; do
    [ ! -e "$path" ] || { mkdir -p "$BACKUP${path%/*}" && cp -p "$path" "$BACKUP$path"; } || fail "$path cannot be kept for the way back"
done
