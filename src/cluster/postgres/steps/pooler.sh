# The console of the local pooler, which knows the account postgres by the socket. Where pgroute runs, its own helper is asked: it keeps
# pgroute away from a pause, and waits for the way to the primary at the end of it.
helper=/usr/local/lib/hadeploy/pgbouncer-pause
console() { as_postgres timeout 12 "$PG_BIN/psql" -XAtqw -h /var/run/postgresql -p 6432 -U postgres -d pgbouncer -c "$1"; }
# Each database and whether it is paused.
databases() {
    rows=$(console 'SHOW DATABASES') || fail "the pooler does not answer"
    printf '%s\n' "$rows" | awk -F'|' 'NF && $1 != "pgbouncer" { print $1, $(NF - 1) }'
}
pause() {
    if [ -x "$helper" ]; then "$helper" pause "$1" 10; else console "PAUSE \"$1\""; fi
}
resume() {
    if [ -x "$helper" ]; then "$helper" resume "$1" 10; else console "RESUME \"$1\""; fi
}
all=$(databases) || exit 1
for name in $(printf '%s\n' "$all" | awk -v want="$PAUSE" 'NF && $2 != want { print $1 }'); do
    if [ "$PAUSE" = 0 ]; then
        out=$(resume "$name" 2>&1) || bad="$name: $out"
    elif ! out=$(pause "$name" 2>&1); then
        # Clients must not wait for a pause that did not come about.
        bad="$name: $out"
        for paused in $(databases | awk '$2 == 1 { print $1 }'); do resume "$paused" >/dev/null 2>&1; done
        break
    fi
done
# A pooler that says less than asked for has the last word: what counts is its state.
all=$(databases) || exit 1
left=$(printf '%s\n' "$all" | awk -v want="$PAUSE" 'NF && $2 != want { print $1 }')
[ -z "$left" ] || fail "still $([ "$PAUSE" = 1 ] && echo not paused || echo paused): $left ${bad:-}"
