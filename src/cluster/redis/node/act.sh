PATIENCE=10
PASSWORD=$(cat "$IN1")
fail() { printf '%s\n' "$*" >&2; exit 1; }
put() { # FILE: what stands on standard input takes its place, kept by redis.
  cat > "$1.$TAG" && chown redis:redis "$1.$TAG" && chmod 0640 "$1.$TAG" && sync "$1.$TAG" && mv -f "$1.$TAG" "$1" || { rm -f "$1.$TAG"; fail "cannot write $1"; }
}
# PORT FILE: how the daemon is reached; it may take a while to come up.
enter() {
  tries=0
  until reach "$1" "$2"; [ "$what" = up ]; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ] || fail "nothing answers on port $1 ($what)"
    sleep 0.25
  done
}
tell() { cli "$port_of" "$how" "$(word)" 2>/dev/null | tr -d '\r'; }
redis() { port_of=6379; enter 6379 $conf; }
sentinel() { port_of=26379; enter 26379 $sconf; }
# Commands on standard input; each must be answered by OK, QUEUED or a number.
obey() {
  answers=$(tell)
  wrong=$(printf '%s\n' "$answers" | grep -vE '^(OK|QUEUED|[0-9]*)$' | head -n 1)
  [ -z "$wrong" ] || fail "$wrong"
  case $answers in *OK*) ;; *) fail "no answer" ;; esac
}
marked() { grep -q '^# hadeploy' $conf || sed -i '1i # hadeploy manages redis: change settings by the task redis_cluster' $conf; }
keep() { echo 'CONFIG REWRITE' | obey; marked; }
up() {
  [ -d /var/lib/redis ] || install -d -o redis -g redis -m 0750 /var/lib/redis
  [ -d /var/log/redis ] || install -d -o redis -g adm -m 2750 /var/log/redis
  systemctl reset-failed "$1" 2>/dev/null
  systemctl -q enable "$1" && systemctl "$2" "$1" 2>/dev/null && return
  journalctl -q -o cat -n 20 -u "$1" --no-pager 2>/dev/null | grep -iE 'fatal|error|failed|can.t' | tail -n 3 >&2
  fail "$1 does not $2"
}
# FILE PATTERN: the file without the lines of the pattern, and with the second input behind them.
edit() { { grep -vE "$2" "$1"; cat "$IN2"; } | put "$1"; }
