#!/bin/sh
# pg-failover-ok NODE VISIBLE UPSTREAM TOTAL: whether repmgrd may promote here. Only where most members answer, and where the lost
# primary does not answer this node as a primary after all. repmgrd asks again later when it may not.
. "${0%/*}/pg-lib"

if ! majority; then
    say "no promotion: only $REACHED of $PG_MEMBERS members answer"
    exit 1
fi
for peer in $PG_PEERS; do
    name=${peer#*,}
    address=${name#*,}
    name=${name%%,*}
    answers "$address" || continue
    if answer=$(ask "$address" "$ROLE") && [ "${answer%%|*}" = f ]; then
        say "no promotion: $name is primary and answers"
        exit 1
    fi
done
say "promotion allowed: $REACHED of $PG_MEMBERS members answer, none is primary"
exit 0
