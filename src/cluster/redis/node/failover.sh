# Writes pause, the replicas catch up, the sentinel is told; nothing acknowledged is lost, since nothing is acknowledged meanwhile.
sentinel; show=$how sword=$(word)
redis
now() { date +%s%3N; }
told() { cli 26379 "$show" "$sword" 2>/dev/null | tr -d '\r'; }
replication() { echo 'INFO replication' | tell; }
[ "$(replication | sed -n 's/^role://p')" = master ] || fail "redis here is no primary any more"
[ "$(echo "SENTINEL GET-MASTER-ADDR-BY-NAME $NAME" | told | head -n 1)" = "$ADDRESS" ] || fail "sentinel here names another primary"
began=$(now)
trap 'echo "CLIENT UNPAUSE" | tell >/dev/null' EXIT
trap 'exit 1' INT TERM HUP
echo 'CLIENT PAUSE 45000 WRITE' | obey
end=$(replication | sed -n 's/^master_repl_offset://p')
tries=0
while :; do
  behind=$(replication | awk -F'[:,=]' -v end="$end" '/^slave[0-9]+:/ && /state=online/ { n++; for (i = 1; i < NF; i++) if ($i == "offset" && $(i + 1) + 0 < end + 0) b++ } END { if (!n) print "no"; else print b + 0 }')
  [ "$behind" = 0 ] && break
  tries=$((tries + 1)); [ "$tries" -lt 60 ] || fail "replicas do not catch up with offset $end"
  sleep 0.1
done
level=$(now)
answer=$(echo "SENTINEL FAILOVER $NAME" | told | head -n 1)
[ "$answer" = OK ] || fail "sentinel refuses: $answer"
tries=0
while :; do
  heir=$(echo "SENTINEL GET-MASTER-ADDR-BY-NAME $NAME" | told | head -n 1)
  [ -n "$heir" ] && [ "$heir" != "$ADDRESS" ] && break
  tries=$((tries + 1)); [ "$tries" -lt 250 ] || fail "sentinel made no other primary within 35 seconds"
  sleep 0.1
done
# What the sentinel does to the old primary some seconds later.
printf 'MULTI\nREPLICAOF %s 6379\nCONFIG REWRITE\nCLIENT KILL TYPE normal\nEXEC\n' "$heir" | tell >/dev/null
over=$(now)
tries=0
until replication | grep -q '^master_link_status:up'; do
  tries=$((tries + 1)); [ "$tries" -lt 100 ] || break
  sleep 0.1
done
echo "primary $heir; writes paused $((over - began)) ms, of which $((level - began)) ms until the replicas were level"
