[ ! -e "$PG_DATA/PG_VERSION" ] || fail "$PG_DATA holds data: nothing is made over it"
[ -z "$(ls -A "$PG_DATA" 2>/dev/null)" ] || fail "$PG_DATA is not empty"
# Made beside its place and renamed: half a cluster never looks like one.
rm -rf "$PG_DATA.hadeploy-new"
as_postgres "$PG_BIN/initdb" -D "$PG_DATA.hadeploy-new" --data-checksums --auth-local=peer --auth-host=scram-sha-256 \
    --username=postgres --encoding=UTF8 --locale=C.UTF-8 >"/run/hadeploy-$TAG" 2>&1 || { tail -n 8 "/run/hadeploy-$TAG" >&2; fail "initdb failed"; }
rm -f "/run/hadeploy-$TAG"
# The settings are in /etc.
rm -f "$PG_DATA.hadeploy-new/postgresql.conf" "$PG_DATA.hadeploy-new/pg_hba.conf" "$PG_DATA.hadeploy-new/pg_ident.conf"
[ ! -d "$PG_DATA" ] || rmdir "$PG_DATA" || fail "$PG_DATA is not empty"
mv -T "$PG_DATA.hadeploy-new" "$PG_DATA" && sync "${PG_DATA%/*}" || fail "$PG_DATA cannot be made"
clear_marks
order_start
start_unit
until_recovery f 60 || fail_log "the new server does not answer"
