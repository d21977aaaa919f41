# Clients wait: no more programs than it needs.
sql postgres >/dev/null <<SQL || fail_log "the server here does not take another upstream"
ALTER SYSTEM SET primary_conninfo = '$(conninfo "$UP_ADDRESS" | sed 's/dbname=[^ ]* //') application_name=$NODE_NAME passfile=/var/lib/postgresql/.pgpass';
ALTER SYSTEM SET primary_slot_name = 'repmgr_slot_$NODE_ID';
SELECT pg_reload_conf();
SQL
# Whether it streams is seen soon by all; nobody waits for it here longer than clients may.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    got=$(ask postgres "SELECT status || ' from ' || sender_host FROM pg_stat_wal_receiver" 2>/dev/null)
    [ "$got" != "streaming from $UP_ADDRESS" ] || { say "$got"; exit 0; }
    sleep 0.1
done
say "it does not stream yet: ${got:-no receiver}"
