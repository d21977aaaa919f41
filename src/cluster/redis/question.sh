say() { printf '@@%s\n' "$*"; }
for package in redis-server redis-sentinel; do
  say package "$package" "$(dpkg-query -W -f='${db:Status-Status} ${Version}' "$package" 2>/dev/null)"
done
say folder "$(stat -c '%U %G %a' /etc/redis 2>/dev/null)"
readable=yes
if [ -n "$CA" ] && id redis >/dev/null 2>&1; then
  for file in "$CA" "$CERTIFICATE" "$KEY"; do
    timeout 2 runuser -u redis -- test -r "$file" || readable=$file
  done
fi
say readable "$readable"
mark() { if grep -q '^# hadeploy' "$1" 2>/dev/null; then echo marked; else echo plain; fi; }
say redis-file "$(mark $conf)"
sed -n 's/^\(replicaof\|slaveof\)[[:space:]]/&/p' $conf 2>/dev/null
say sentinel-file "$(mark $sconf)"
sed -n "/^sentinel \(monitor\|config-epoch\) $NAME /p; /^sentinel \(announce-ip\|myid\) /p" $sconf 2>/dev/null
say sentinel-access "$(same "$(value $sconf port | grep . || echo 0)" "$PORT")" "$(same "$(value $sconf tls-port | grep . || echo 0)" "$TLS_PORT")" \
  "$(same "$(value $sconf requirepass)" "$PASSWORD")" "$(same "$(value $sconf "sentinel auth-pass $NAME")" "$PASSWORD")" \
  "$(same "$(sed -n 's/^bind //p' $sconf 2>/dev/null | tr -d '"' | tail -n 1)" "$BIND")" \
  "$(same "$(value $sconf tls-cert-file)" "$CERTIFICATE")" "$(same "$(value $sconf tls-key-file)" "$KEY")" "$(same "$(value $sconf tls-ca-cert-file)" "$CA")"
say kept "$(find /var/lib/redis/dump.rdb /var/lib/redis/appendonlydir -type f -size +300c 2>/dev/null | head -n 1)"
reach 6379 $conf
say redis "$what" "$how" "$which"
if [ "$what" = up ]; then
  cli 6379 "$how" "$(word)" 2>/dev/null <<END
ECHO @@info
INFO replication
INFO persistence
INFO keyspace
ECHO @@settings
CONFIG GET $SETTINGS
ECHO @@told
END
  say masterauth "$(same "$(echo 'CONFIG GET masterauth' | cli 6379 "$how" "$(word)" 2>/dev/null | tail -n 1)" "$PASSWORD")"
fi
if [ "$what" != up ] || [ "$(systemctl is-active redis-server 2>/dev/null)" != active ]; then
  say log
  tail -n 60 /var/log/redis/redis-server.log 2>/dev/null | awk '/Redis is starting/ { n = 0 } { line[++n] = $0 } END { for (i = 1; i <= n; i++) print line[i] }' |
    grep -iE 'bad file format|wrong signature|short read|unexpected end of file|fatal|error|cannot|can.t|failed' | tail -n 5
fi
reach 26379 $sconf
say sentinel "$what" "$how" "$which"
if [ "$what" = up ]; then
  cli 26379 "$how" "$(word)" 2>/dev/null <<END
PING @@master
SENTINEL MASTER $NAME
PING @@replicas
SENTINEL REPLICAS $NAME
PING @@sentinels
SENTINEL SENTINELS $NAME
PING @@quorum
SENTINEL CKQUORUM $NAME
PING @@myid
SENTINEL MYID
PING @@tilt
INFO sentinel
PING @@told
END
fi
say end
