#!/bin/bash
# writer.sh pooler|direct|sentinel|redis WHO FILE: writes on and on, and notes what came of each write in FILE, one line each:
#
#   ack BEGAN ENDED NUMBER TIMELINE SERVER     microseconds; the server said that NUMBER is written
#   no BEGAN ENDED NUMBER WHY                  no answer in time, or another one: nobody promised anything
#
# pooler and sentinel: twenty times a second, as the application does, by this node's pgbouncer or where this node's sentinel says that
# the primary is. direct and redis: once a second to this node's own server, whoever that is.
set -u
how=$1 who=$2 file=$3
. /etc/drill
trap '' PIPE
rest=0.05 patience=45
case $how in
direct | redis) rest=1 patience=4 ;;
sentinel) patience=5 ;;
esac
for bin in /usr/lib/postgresql/*/bin; do PATH=$bin:$PATH; done
export PGPASSWORD=$app_password REDISCLI_AUTH=$redis_password PGCONNECT_TIMEOUT=40
fifo=$(mktemp -u) child=''
exec {never}<> <(:)
now=0
clock() { now=${EPOCHREALTIME/[.,]/}; }

# What answers to lines.
run() {
    case $how in
    pooler) exec psql -XAtq -F ' ' -h 127.0.0.1 -p 6432 -U app -d appdb ;;
    direct) exec setpriv --reuid postgres --regid postgres --init-groups psql -XAtq -F ' ' -h /var/run/postgresql -p 5432 -d appdb ;;
    sentinel) exec redis-cli $tls -h "$server" -p 6379 ;;
    redis) exec redis-cli $tls -h 127.0.0.1 -p 6379 ;;
    esac
}
ask_sentinel() { timeout 2 redis-cli $tls -p 26379 sentinel get-master-addr-by-name mymaster 2>/dev/null | head -1; }

close() {
    [ -n "$child" ] || return 0
    kill -9 "$child" 2>/dev/null
    exec {to}>&- {from}<&-
    child=''
}
open() {
    server=127.0.0.1
    [ "$how" != sentinel ] || server=$(ask_sentinel)
    rm -f "$fifo" && mkfifo "$fifo" || exit 1
    exec {from}<>"$fifo"
    exec {to}> >(run >"$fifo" 2>&1)
    child=$!
}

number=0
while :; do
    number=$((number + 1))
    clock && began=$now
    [ -n "$child" ] || open
    case $how in
    pooler | direct) line="INSERT INTO drill VALUES ('$who', $number) RETURNING number, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), coalesce(host(inet_server_addr()), 'here')" want="$number "???????? end=';' ;;
    *) line="SADD drill:$who $number" want=1 end='' ;;
    esac
    printf '%s%s\n' "$line" "$end" >&"$to" 2>/dev/null
    answer=''
    read -r -t "$patience" answer <&"$from" || answer=${answer:-silence}
    clock
    case $answer in
    "$number "????????" "*) echo "ack $began $now $answer" ;;
    1) echo "ack $began $now $number 0 $server" ;;
    *) echo "no $began $now $number $answer" && close ;;
    esac >>"$file"
    read -r -t "$rest" <&"$never"
done
