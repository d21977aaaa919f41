export LC_ALL=C
say() { sed "s/^/$1 /"; }
set -f
timeout 5 systemctl show -p Id,LoadState,ActiveState,UnitFileState,Type $UNITS 2>/dev/null | say unit
set +f
timeout 5 systemctl list-units --state=failed --all --plain --no-legend --full 2>/dev/null | say failed
echo "ready $([ -e /run/hadeploy/ready ] && echo yes || echo no) $([ -e /run/hadeploy/drain ] && echo yes || echo no)"
if [ -e /run/hadeploy/pgroute/state ]; then
  echo "now $(date +%s)"
  head -c 2000 /run/hadeploy/pgroute/state | say route
fi
if [ -e /etc/pgbouncer/pgbouncer.ini ] && timeout 3 systemctl -q is-active pgbouncer.service 2>/dev/null; then
  for psql in /usr/lib/postgresql/*/bin/psql; do :; done
  (cd / && timeout 5 runuser -u postgres -- "$psql" -XA -F '|' -P footer=off -h /var/run/postgresql -p 6432 -U postgres -d pgbouncer -c 'SHOW DATABASES' -c 'SHOW POOLS' 2>/dev/null) | say pool
fi
# What ends meanwhile, and threads of the kernel, have none.
echo "pss $(timeout 5 cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }')"
# In a container this is the memory of the machine around it.
[ -e /run/systemd/container ] || sed -n 's/^MemTotal: *\([0-9]*\) kB/total \1/p' /proc/meminfo
timeout 3 df -Pk / /var /var/lib/postgresql 2>/dev/null | say disk
echo 'end yes'
