# The settings' folder as Debian's tools know it, where there is none; an existing one stays as it is. postgresql.conf comes last: it is what
# makes a cluster of the folder.
if [ ! -e "$PG_ETC/postgresql.conf" ]; then
    printf 'auto\n' > "$PG_ETC/start.conf"
    printf "# Options of pg_ctl.\npg_ctl_options = ''\n" > "$PG_ETC/pg_ctl.conf"
    printf '# Variables of the server.\n' > "$PG_ETC/environment"
    printf '# MAPNAME  SYSTEM-USERNAME  PG-USERNAME\n' > "$PG_ETC/pg_ident.conf"
    chown postgres:postgres "$PG_ETC/start.conf" "$PG_ETC/pg_ctl.conf" "$PG_ETC/environment" "$PG_ETC/pg_ident.conf"
    chmod 640 "$PG_ETC/pg_ident.conf"
    cat > "$PG_ETC/.postgresql.conf.$TAG" <<CONF
# Where things are. Everything else is in conf.d.
data_directory = '$PG_DATA'
hba_file = '$PG_ETC/pg_hba.conf'
ident_file = '$PG_ETC/pg_ident.conf'
external_pid_file = '/var/run/postgresql/$PG_VERSION-main.pid'
port = $PG_PORT
unix_socket_directories = '/var/run/postgresql'
cluster_name = '$PG_VERSION/main'
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'Etc/UTC'
timezone = 'Etc/UTC'
datestyle = 'iso, mdy'
default_text_search_config = 'pg_catalog.english'
include_dir = 'conf.d'
CONF
    chown postgres:postgres "$PG_ETC/.postgresql.conf.$TAG"
    mv "$PG_ETC/.postgresql.conf.$TAG" "$PG_ETC/postgresql.conf" || fail "$PG_ETC cannot be written"
    RELOAD_UNITS=1
    say "made $PG_ETC"
fi
[ -z "${RELOAD_UNITS:-}" ] || systemctl daemon-reload || fail "systemd does not read its units again"
as_postgres "$PG_BIN/postgres" -D "$PG_ETC" -C max_connections >/dev/null 2>"/run/hadeploy-$TAG" || {
    cat "/run/hadeploy-$TAG" >&2
    fail "the server refuses its settings"
}
rm -f "/run/hadeploy-$TAG"
pg_lsclusters -h | grep -q "^$PG_VERSION  *main " || fail "pg_lsclusters does not know $PG_VERSION main"
systemctl cat "$PG_UNIT" | grep -q pg-start-guard || fail "$PG_UNIT has no start guard"
# The packaged SysV script of repmgrd counts as running without a process.
if [ "$(systemctl show -p ActiveState,MainPID --value repmgrd.service | tr '\n' ' ')" = "0 active " ]; then
    systemctl stop repmgrd.service
fi
