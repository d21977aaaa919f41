[ -z "${RELOAD_UNITS:-}" ] || systemctl daemon-reload || fail "systemd does not read its units again"
if [ -e "$PG_ETC/postgresql.conf" ]; then
    as_postgres "$PG_BIN/postgres" -D "$PG_ETC" -C max_connections >/dev/null 2>"$BACKUP/error" || {
        cat "$BACKUP/error" >&2
        back
        fail "the server refuses its settings; the files are as they were"
    }
fi
if [ -n "$(recovery)" ]; then
    # Settings that wait for a restart carry an error text, too: only those that name a fault count.
    faults=$(ask postgres "SELECT sourcefile || ':' || sourceline || ' ' || coalesce(name, '') || ': ' || error FROM pg_file_settings WHERE error IS NOT NULL AND error <> 'setting could not be applied'
        UNION ALL SELECT 'pg_hba.conf:' || line_number || ' ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL") || faults="the server does not check its files"
    if [ -n "$faults" ]; then
        back
        printf '%s\n' "$faults" >&2
        fail "the server finds faults in its files; they are as they were"
    fi
    if [ "$RELOAD" = 1 ]; then
        loaded=$(ask postgres "SELECT extract(epoch FROM pg_conf_load_time())")
        ask postgres 'SELECT pg_reload_conf()' >/dev/null || fail_log "the server does not read its files again"
        for i in 1 2 3 4 5 6 7 8 9 10; do
            sleep 0.3
            [ "$(ask postgres "SELECT extract(epoch FROM pg_conf_load_time())")" = "$loaded" ] || break
            [ "$i" -lt 10 ] || fail_log "the server did not read its files again"
        done
    fi
fi
say "$PUT files written"
