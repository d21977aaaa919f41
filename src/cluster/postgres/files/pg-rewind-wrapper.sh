#!/bin/sh
# pg-rewind-wrapper ARGUMENTS: pg_rewind as `repmgr node rejoin --force-rewind` calls it, with what Debian needs: the server's settings lie
# outside its data, and WAL that is already archived is fetched from there.
. "${0%/*}/pg-lib"
set -- "$@" --config-file="$PG_ETC/postgresql.conf"
if [ -n "$("$PG_BIN/postgres" -D "$PG_ETC" -C restore_command 2>/dev/null)" ]; then
    set -- "$@" --restore-target-wal
fi
exec "$PG_BIN/pg_rewind" "$@"
