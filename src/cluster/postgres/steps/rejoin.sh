if [ "$(recovery)" = t ] && until_streams 5 "$UP_ADDRESS"; then
    clear_marks
    exit 0
fi
# repmgrd and the server must not come up by themselves meanwhile.
systemctl stop repmgrd.service 2>/dev/null
stop_server
# A slot with the own name of the primary's life would hold back WAL.
there=$(ask_at "$UP_ADDRESS" "SELECT pg_is_in_recovery() || ' ' || system_identifier FROM pg_control_system()") || fail "$UP_NAME does not answer repmgr"
[ "$there" = "false $(control 'Database system identifier')" ] || fail "$UP_NAME is no primary of the same cluster: $there"
target=$(conninfo "$UP_ADDRESS")
rewind=
out=$(repmgr node rejoin -d "$target" --dry-run 2>&1) || {
    rewind=--force-rewind=/usr/local/lib/hadeploy/pg-rewind-wrapper
    out=$(repmgr node rejoin -d "$target" $rewind --dry-run 2>&1) || { printf '%s\n' "$out" | tail -n 8 >&2; fail "this server cannot be rejoined"; }
}
if [ -n "$rewind" ]; then
    # What is thrown away is kept as text: from the fork, as far as the WAL here goes.
    line=$(ask_at "$UP_ADDRESS" "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")
    mine=$(control "Latest checkpoint's TimeLineID")
    fork=$(ask_at "$UP_ADDRESS" "SELECT pg_read_file('pg_wal/' || lpad(upper(to_hex($line)), 8, '0') || '.history', 0, 65536, true)" | awk -v line="$mine" '$1 == line { print $2 }' | tail -n 1)
    if [ -n "$fork" ]; then
        evidence=$STATE/pg-divergent-$(date -u +%Y%m%dT%H%M%SZ).txt
        (umask 077; "$PG_BIN/pg_waldump" -p "$PG_DATA/pg_wal" -t "$mine" -s "$fork" > "$evidence" 2>/dev/null)
        lost=$(grep -c 'desc: COMMIT' "$evidence")
        if [ "$lost" = 0 ]; then
            rm -f "$evidence"
            say "rewound to $fork on time line $mine: no transaction is lost"
        else
            say "rewound to $fork on time line $mine: $lost transactions of this server are discarded, listed in $evidence"
        fi
    fi
fi
out=$(REPMGR_SECONDS=900 repmgr node rejoin -d "$target" $rewind 2>&1) || {
    printf '%s\n' "$out" | tail -n 8 >&2
    [ "$(recovery)" = t ] || fail_log "repmgr node rejoin failed"
}
until_recovery t 120 || fail_log "the rejoined server does not answer"
until_streams 60 "$UP_ADDRESS" || fail_log "the rejoined server does not stream from $UP_NAME"
systemctl is-active -q "$PG_UNIT" || fail "the server runs outside of $PG_UNIT"
clear_marks
