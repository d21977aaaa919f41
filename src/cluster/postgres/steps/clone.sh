[ ! -e "$PG_DATA/PG_VERSION" ] || fail "$PG_DATA holds data: nothing is cloned over it"
[ -z "$(ls -A "$PG_DATA" 2>/dev/null)" ] || fail "$PG_DATA is not empty"
! process || fail "a server runs on $PG_DATA"
new=$PG_DATA.hadeploy-new
slot=repmgr_slot_$NODE_ID
rm -rf "$new"
bytes=$(ask_at "$UP_ADDRESS" 'SELECT sum(pg_database_size(oid)) FROM pg_database') || fail "$UP_NAME does not answer repmgr"
free=$(df -B1 --output=avail "${PG_DATA%/*}" | tail -n 1)
[ "$free" -gt $((bytes + 268435456)) ] || fail "$((free / 1048576)) MB are free, the data of $UP_NAME are $((bytes / 1048576)) MB"
# A slot left by an earlier life holds back WAL that nobody needs, or has lost it.
ask_at "$UP_ADDRESS" "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$slot' AND NOT active" >/dev/null || fail "the slot $slot on $UP_NAME cannot be renewed"
ask_at "$UP_ADDRESS" "SELECT pg_create_physical_replication_slot('$slot', true)" >/dev/null || fail "the slot $slot on $UP_NAME is in use"
as_postgres "$PG_BIN/pg_basebackup" -d "$(conninfo "$UP_ADDRESS") fallback_application_name=hadeploy_clone" -D "$new" -X stream -S "$slot" -c fast --no-password >"/run/hadeploy-$TAG" 2>&1 || {
    tail -n 5 "/run/hadeploy-$TAG" >&2
    rm -rf "$new" "/run/hadeploy-$TAG"
    fail "the data of $UP_NAME could not be copied"
}
rm -f "/run/hadeploy-$TAG"
# What repmgr would write; a file that came with the data may hold another life's.
auto=$new/postgresql.auto.conf
sed -i '/^ *primary_\(conninfo\|slot_name\) *=/d; /^ *recovery_target_timeline *=/d' "$auto"
printf "primary_conninfo = '%s application_name=%s passfile=/var/lib/postgresql/.pgpass'\nprimary_slot_name = '%s'\nrecovery_target_timeline = 'latest'\n" \
    "$(conninfo "$UP_ADDRESS" | sed 's/dbname=[^ ]* //')" "$NODE_NAME" "$slot" >> "$auto"
rm -f "$new/recovery.signal" "$new/postgresql.conf" "$new/pg_hba.conf" "$new/pg_ident.conf" "$new/pg_stat/repmgrd_state.txt"
as_postgres touch "$new/standby.signal"
sync -f "$auto"
[ ! -d "$PG_DATA" ] || rmdir "$PG_DATA" || fail "$PG_DATA is not empty"
mv -T "$new" "$PG_DATA" && sync "${PG_DATA%/*}" || fail "$PG_DATA cannot be made"
clear_marks
