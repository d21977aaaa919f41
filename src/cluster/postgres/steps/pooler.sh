# pooler COMMAND: as the admin of the local pooler.
admin() { as_postgres timeout 15 "$PG_BIN/psql" -XAtq -h /var/run/postgresql -p "${POOLER_PORT:-6432}" -U postgres -d pgbouncer -c "$1"; }
databases() { admin 'SHOW DATABASES' | awk -F'|' '$1 != "pgbouncer" { print $1, $(NF - 1) }'; }
bad=
for name in $(databases | awk -v want="$PAUSE" '$2 != want { print $1 }'); do
    if [ "$PAUSE" = 1 ]; then
        out=$(admin "PAUSE $name" 2>&1) || { bad="PAUSE $name: $out"; break; }
    else
        out=$(admin "RESUME $name" 2>&1) || bad="RESUME $name: $out"
    fi
done
if [ -n "$bad" ] && [ "$PAUSE" = 1 ]; then
    for name in $(databases | awk '{ print $1 }'); do admin "RESUME $name" >/dev/null 2>&1; done
fi
[ -z "$bad" ] || fail "the pooler: $bad"
