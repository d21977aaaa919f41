//! The shell text around `apt-get`: who holds its lock, repair of an interrupted dpkg, fixed answers to its questions.

use crate::command::quote;

/// How `apt-get` is called, whatever it does.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for another package manager, in seconds.
    pub lock_timeout: u64,
    /// `force-confdef,force-confold` and the like.
    pub dpkg_options: Vec<String>,
    /// Status of a `policy-rc.d` in place while packages are installed: 101 keeps daemons from starting.
    pub policy_rc_d: Option<i64>,
}

/// Fetches the package lists; a list that cannot be fetched is an error, unlike apt's own default.
pub fn update(options: &Options, retries: u64) -> String {
    format!(
        "{}wait_for_lock /var/lib/apt/lists/lock\n\
         apt_get -o APT::Update::Error-Mode=any -o Acquire::Retries={retries} update || exit\n\
         mkdir -p /var/lib/apt/periodic && touch {}\n",
        prelude(options),
        crate::fact::apt::UPDATE_STAMP,
    )
}

/// Runs `apt-get` with `words`, behind a repair of what an interrupted run may have left.
pub(super) fn run(options: &Options, words: &[String]) -> String {
    let mut script = prelude(options);
    script.push_str("wait_for_lock /var/lib/dpkg/lock-frontend\nrepair\n");
    if let Some(status) = options.policy_rc_d {
        script.push_str(&format!(
            "policy=/usr/sbin/policy-rc.d\n[ ! -e \"$policy\" ] || mv -- \"$policy\" \"$policy.$TAG\" || exit\n\
             trap 'rm -f -- \"$policy\"; [ ! -e \"$policy.$TAG\" ] || mv -- \"$policy.$TAG\" \"$policy\"' EXIT\n\
             trap 'exit 143' TERM INT HUP\n\
             printf '#!/bin/sh\\nexit {status}\\n' >\"$policy\" && chmod 0755 \"$policy\" || exit\n"
        ));
    }
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    script.push_str(&format!("apt_get {}\n", words.join(" ")));
    script
}

fn prelude(options: &Options) -> String {
    let dpkg: Vec<String> = options
        .dpkg_options
        .iter()
        .map(|option| format!("--{}", option.trim_start_matches('-')))
        .collect();
    let apt: Vec<String> = dpkg
        .iter()
        .map(|option| format!("-o {}", quote(&format!("Dpkg::Options::={option}"))))
        .collect();
    let dpkg: Vec<String> = dpkg.iter().map(|option| quote(option)).collect();
    PRELUDE
        .replace("@TIMEOUT@", &options.lock_timeout.to_string())
        .replace("@DPKG@", &dpkg.join(" "))
        .replace("@APT@", &apt.join(" "))
}

/// The holder is read from `/proc/locks`, since `fuser` is not on every node.
const PRELUDE: &str = r#"export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l UCF_FORCE_CONFFOLD=1
waited=0
holder() {
  inode=$(stat -c %i "$1" 2>/dev/null) || return 1
  while read -r _ arrow _ _ pid where _; do
    case $arrow in '->') continue ;; esac
    case $where in *:"$inode")
      command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)
      printf 'process %s (%s)' "$pid" "${command% }"
      return 0 ;;
    esac
  done </proc/locks
  return 1
}
wait_for_lock() {
  while who=$(holder "$1"); do
    if [ "$waited" -ge @TIMEOUT@ ]; then
      printf '%s is held by %s; waited %s seconds for it\n' "$1" "$who" "$waited" >&2
      exit 100
    fi
    [ $((waited % 15)) -ne 0 ] || printf 'waiting: %s is held by %s\n' "$1" "$who" >&2
    sleep 1
    waited=$((waited + 1))
  done
}
apt_get() {
  apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=@TIMEOUT@ @APT@ "$@" </dev/null
  status=$?
  [ "$status" -eq 0 ] || for lock in /var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    ! who=$(holder "$lock") || printf '%s is held by %s\n' "$lock" "$who" >&2
  done
  return "$status"
}
repair() {
  set -- /var/lib/dpkg/updates/[0-9]*
  if [ -e "$1" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]; then
    echo 'dpkg was interrupted earlier; finishing what it began' >&2
    dpkg @DPKG@ --configure -a </dev/null || apt_get -f install || exit
    apt_get -f install || exit
  fi
}
"#;

/// A check that a package is, or is not, installed, in that version if one is named.
pub(super) fn installed(name: &str, version: Option<&str>) -> String {
    let same = version.map_or(String::new(), |version| {
        format!(
            "case \" $found\" in *\" \"{}\" \"*) ;; *) printf '%s' \"$found\"; exit 1 ;; esac\n",
            quote(version)
        )
    });
    format!(
        "found=$(dpkg-query -W -f '${{db:Status-Abbrev}} ${{Version}} ' -- {} 2>/dev/null)\n\
         case $found in ?[itW]*) ;; *) printf '%s' \"${{found:-not installed}}\"; exit 1 ;; esac\n{same}",
        quote(name)
    )
}

/// Marks packages as manually installed.
pub(super) fn mark_manual(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    format!("apt-mark -qq manual -- {}\n", names.join(" "))
}

/// A check that a package is not marked as automatically installed.
pub(super) fn manual(name: &str) -> String {
    format!(
        "found=$(apt-mark showauto -- {})\n[ -z \"$found\" ] || {{ printf 'automatically installed'; exit 1; }}\n",
        quote(name)
    )
}

/// A check that a package is not installed.
pub(super) fn removed(name: &str) -> String {
    format!(
        "found=$(dpkg-query -W -f '${{db:Status-Abbrev}}' -- {} 2>/dev/null)\n\
         case $found in ?[itWUFH]*) printf '%s' \"$found\"; exit 1 ;; esac\n",
        quote(name)
    )
}
