apt() {
    apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends "$@"
}
missing() {
    for package in $1; do
        [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" = 'ii ' ] || printf '%s ' "$package"
    done
}
need() {
    wanted=$(missing "$1")
    [ -n "$wanted" ] || return 0
    apt install $wanted >"/run/hadeploy-$TAG.apt" 2>&1 || {
        [ -n "${UPDATED:-}" ] || { apt update >/dev/null 2>&1; UPDATED=1; }
        apt install $wanted >"/run/hadeploy-$TAG.apt" 2>&1
    } || { tail -n 12 "/run/hadeploy-$TAG.apt" >&2; fail "apt-get cannot install $wanted"; }
    rm -f "/run/hadeploy-$TAG.apt"
    left=$(missing "$1")
    [ -z "$left" ] || fail "not installed: $left"
    say "installed $wanted"
}
# The package of the server makes a cluster of its own and starts it, unless it is told not to before it comes.
need "postgresql-common sudo"
conf=/etc/postgresql-common/createcluster.conf
if ! grep -q '^create_main_cluster *= *false' $conf; then
    sed '/^#* *create_main_cluster/d' $conf > "$conf.$TAG" && echo 'create_main_cluster = false' >> "$conf.$TAG" && mv "$conf.$TAG" $conf ||
        fail "$conf cannot be written"
fi
need "$PG_PACKAGES"
# The file of the packaged SysV script must not start a second repmgrd beside the unit.
if [ -e /etc/default/repmgrd ] && grep -q '^REPMGRD_ENABLED=.*yes' /etc/default/repmgrd; then
    sed -i 's/^REPMGRD_ENABLED=.*/REPMGRD_ENABLED=no/' /etc/default/repmgrd
fi
for file in "$PG_CA" "$PG_TLS_CERT" "$PG_TLS_KEY"; do
    as_postgres test -r "$file" || fail "the account postgres cannot read $file"
done
[ -e "$PG_ETC/postgresql.conf" ] || install -d -o postgres -g postgres -m 755 "/etc/postgresql/$PG_VERSION" "$PG_ETC" "$PG_ETC/conf.d"
install -d -o postgres -g postgres -m 755 /var/lib/postgresql "/var/lib/postgresql/$PG_VERSION"
install -d -o root -g postgres -m 1775 /var/log/postgresql
[ -e "$PG_LOG" ] || install -o postgres -g adm -m 640 /dev/null "$PG_LOG"
