#!/bin/sh
# pg-event NODE EVENT SUCCESS TIME DETAILS: what repmgr and repmgrd report. It goes to the log, and where the primary may have moved, the
# router is told to look at once: it watches the file's time.
. "${0%/*}/pg-lib"
if [ "${3:-}" = 1 ]; then outcome=done; else outcome=FAILED; fi
logger -t hadeploy-pg-event -- "node ${1:-?}: ${2:-?} $outcome: ${5:-}"
case ${2:-} in
    *promote* | *follow* | *rejoin* | *switchover* | *disconnect* | *register*)
        : > /var/run/postgresql/hadeploy-primary-moved
        ;;
esac
exit 0
