//! The shell text around `systemctl`: a unit is started, and must still be up a second later.

use crate::change::Expect;
use crate::command::quote;

/// `enable`, `disable`, `mask`, `unmask`.
pub(super) fn plain(verb: &str, name: &str, force: bool) -> String {
    let force = if force { " --force" } else { "" };
    format!("systemctl --quiet{force} {verb} -- {}", quote(name))
}

/// Starts or restarts a unit and holds it for a second. What it says on failure is the unit's status with its last lines.
pub(super) fn bring_up(verb: &str, name: &str, block: bool) -> String {
    if !block {
        return format!("systemctl --no-block {verb} -- {}", quote(name));
    }
    format!(
        "unit={}\n{LOOK}begin=$(date +%s.%N)\nsystemctl {verb} -- \"$unit\" || fail 'it could not be started'\n{HOLD}",
        quote(name)
    )
}

/// Reloads a unit, which must be up afterwards.
pub(super) fn reload(name: &str, block: bool) -> String {
    if !block {
        return format!("systemctl --no-block reload -- {}", quote(name));
    }
    format!(
        "unit={}\n{LOOK}systemctl reload -- \"$unit\" || fail 'it could not be reloaded'\nlook\nstill_up\n",
        quote(name)
    )
}

/// Stops a unit.
pub(super) fn stop(name: &str, block: bool) -> String {
    let wait = if block { "" } else { " --no-block" };
    format!("systemctl{wait} stop -- {}", quote(name))
}

/// A check that a unit does not run.
pub(super) fn stopped(name: &str) -> Expect {
    check(
        "state",
        format!(
            "found=$(systemctl show -p ActiveState --value -- {})\ncase $found in inactive|failed) ;; *) printf '%s' \"$found\"; exit 1 ;; esac",
            quote(name)
        ),
    )
}

/// A check of the links that start a unit at boot.
pub(super) fn enabled(name: &str, wanted: bool) -> Expect {
    let good = if wanted {
        "enabled|alias|static|indirect|generated"
    } else {
        "disabled|linked|static|indirect|generated|''"
    };
    check(
        "enabled",
        format!(
            "found=$(systemctl is-enabled -- {} 2>/dev/null)\ncase $found in {good}) ;; *) printf '%s' \"$found\"; exit 1 ;; esac",
            quote(name)
        ),
    )
}

/// A check whether a unit is masked.
pub(super) fn masked(name: &str, wanted: bool) -> Expect {
    let (good, bad) = if wanted {
        (":", "printf 'not masked'; exit 1")
    } else {
        ("printf masked; exit 1", ":")
    };
    check(
        "masked",
        format!(
            "case $(systemctl is-enabled -- {} 2>/dev/null) in masked*) {good} ;; *) {bad} ;; esac",
            quote(name)
        ),
    )
}

fn check(field: &str, script: String) -> Expect {
    Expect::Check {
        field: field.to_owned(),
        script,
    }
}

const LOOK: &str = r#"fail() {
  # What it said last may not have come to the journal yet.
  journalctl --sync 2>/dev/null
  systemctl --no-pager --full --lines=0 status -- "$unit" >&2
  # By its name: the status knows the words of its present attempt only, and the next may have begun.
  journalctl -q --no-pager -n 15 -u "$unit" >&2
  printf '%s: %s\n' "$unit" "$1" >&2
  exit 1
}
look() {
  active= sub= type= remain= result= restarts=0 since=0
  while IFS='=' read -r key value; do
    case $key in
      ActiveState) active=$value ;;
      SubState) sub=$value ;;
      Type) type=$value ;;
      RemainAfterExit) remain=$value ;;
      Result) result=$value ;;
      NRestarts) restarts=$value ;;
      ActiveEnterTimestampMonotonic) since=$value ;;
    esac
  done <<EOF
$(systemctl show -p ActiveState,SubState,Type,RemainAfterExit,Result,NRestarts,ActiveEnterTimestampMonotonic -- "$unit")
EOF
}
still_up() {
  case $active/$sub in
    */auto-restart*) fail "it ended ($result) and waits to be started again" ;;
    active/*|activating/*|reloading/*|refreshing/*) ;;
    *) fail "it is $active ($sub), with the result $result" ;;
  esac
}
"#;

/// A second counts from when the unit became active, so that one that took its time to be ready is not waited for.
const HOLD: &str = r#"look
if [ "$active" = inactive ]; then
  # A unit that does not run is forgotten at once, with what came of its conditions; the journal remembers.
  journalctl --sync 2>/dev/null
  unmet=$(journalctl -q -o cat --since "@$begin" -u "$unit" 2>/dev/null | sed -n 's/.*unmet condition check (\(.*\)).*/\1/p' | tail -n 1)
  [ -z "$unmet" ] || fail "a condition of it is not met: $unmet"
fi
if [ "$type" = oneshot ] && [ "$remain" != yes ]; then
  [ "$active" != failed ] && [ "$result" = success ] || fail "it ended with the result $result"
  exit 0
fi
still_up
first=$restarts
read -r up _ </proc/uptime
rest=$((1000 - (${up%.*} * 1000 + 1${up#*.} * 10 - 1000) + since / 1000))
[ "$active" = active ] && [ "$rest" -le 1000 ] || rest=1000
if [ "$rest" -gt 0 ]; then
  sleep "$((rest / 1000)).$(printf %03d $((rest % 1000)))"
  look
  still_up
  [ "$restarts" = "$first" ] || fail "it ended within a second and was started again"
fi
"#;
