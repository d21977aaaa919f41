LC_ALL=C; export LC_ALL
conf=/etc/redis/redis.conf sconf=/etc/redis/sentinel.conf
# The last value of a one-word setting in a file.
value() { sed -n "s/^$2[[:space:]][[:space:]]*\"\{0,1\}\([^\"]*\)\"\{0,1\}[[:space:]]*\$/\1/p" "$1" 2>/dev/null | tail -n 1; }
same() { if [ "$1" = "$2" ]; then echo same; else echo other; fi; }
# PORT-OF-DAEMON TRANSPORT PASSWORD: commands on standard input.
cli() {
  if [ "$2" = tls ]; then set -- "$1" "$3" --tls --insecure; else set -- "$1" "$3"; fi
  port=$1; REDISCLI_AUTH=$2; export REDISCLI_AUTH; shift 2
  timeout "${PATIENCE:-2}" redis-cli -h 127.0.0.1 -p "$port" --no-auth-warning "$@"
  status=$?; unset REDISCLI_AUTH; return $status
}
# PORT FILE: sets how, which and what.
reach() {
  what=down how= which=
  command -v redis-cli >/dev/null || return
  case $(value "$2" tls-port) in ''|0) order='plain tls' ;; *) order='tls plain' ;; esac
  for how in $order; do
    which=wanted
    heard=$(echo PING | cli "$1" "$how" "$PASSWORD" 2>&1); status=$?
    case $heard in
      *'Could not connect'*'refused'*) what=down; return ;;
      *'without any password'*) what=up which=none; return ;;
      *WRONGPASS*|*NOAUTH*|*NOPERM*)
        which=file; stored=$(value "$2" requirepass)
        if [ -n "$stored" ]; then
          case $(echo PING | cli "$1" "$how" "$stored" 2>&1) in
            *WRONGPASS*|*NOAUTH*|*NOPERM*) ;;
            *) what=up; return ;;
          esac
        fi
        what=locked; return ;;
      *PONG*|*LOADING*|*MASTERDOWN*|*BUSY*|*MISCONF*) what=up; return ;;
      *) what=hung ;;
    esac
    [ "$status" = 124 ] || [ "$status" = 0 ] || [ "$status" = 1 ] || return
  done
}
word() { case $which in wanted) echo "$PASSWORD" ;; file) echo "$stored" ;; *) echo ;; esac; }
