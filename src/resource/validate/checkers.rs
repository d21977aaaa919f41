//! The table of files that daemons read, each with the daemon's own checker: what is written there passes it before it is in place, also
//! where the task names no `validate`. A checker that is not installed is passed over: then there is no daemon either.

use crate::command::{Command, quote};

/// Where a checker sees the new content.
#[derive(Clone, Copy, PartialEq)]
enum Sight {
    /// It reads that file alone, which is named `"$t"`.
    Alone,
    /// It reads the whole configuration, in a name space of its own where the new file stands at its place. What did not pass before
    /// either may stay so, unless this file is named.
    Whole,
    /// The same; but what it says is only believed when it names this file, since others that this one needs may come later.
    Named,
}

/// One row.
struct Checker {
    /// Shell patterns of the files: `*` stops at a slash, `**` does not.
    files: &'static [&'static str],
    /// The program without which there is nothing to check.
    program: &'static str,
    /// What people are told it was.
    shown: &'static str,
    sight: Sight,
    /// POSIX sh that fails when the content is wrong, and says why; `$t` is the new file, `$p` its place. What it says on descriptor 3,
    /// people are told of a content that passes.
    script: &'static str,
}

static CHECKERS: &[Checker] = &[
    Checker {
        files: &["/etc/sudoers", "/etc/sudoers.d/*"],
        program: "visudo",
        shown: "visudo -c",
        sight: Sight::Alone,
        script: r#"visudo -cf "$t""#,
    },
    Checker {
        files: &["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"],
        program: "sshd",
        shown: "sshd -t",
        sight: Sight::Whole,
        script: "[ -d /run/sshd ] || mkdir -m 0755 /run/sshd; sshd -t",
    },
    Checker {
        files: &["/etc/haproxy/haproxy.cfg"],
        program: "haproxy",
        shown: "haproxy -c",
        sight: Sight::Alone,
        script: r#"haproxy -c -f "$t""#,
    },
    Checker {
        files: &["/etc/rsyslog.conf", "/etc/rsyslog.d/*.conf"],
        program: "rsyslogd",
        shown: "rsyslogd -N1",
        sight: Sight::Named,
        script: "rsyslogd -N1 -f /etc/rsyslog.conf",
    },
    Checker {
        files: &["/etc/fail2ban/**.conf", "/etc/fail2ban/**.local"],
        program: "fail2ban-client",
        shown: "fail2ban-client -t",
        sight: Sight::Whole,
        script: "fail2ban-client -t",
    },
    Checker {
        files: &["/etc/nginx/**"],
        program: "nginx",
        shown: "nginx -t",
        sight: Sight::Named,
        script: "nginx -t -q",
    },
    // A program that comes later is no fault, and a word that this systemd does not know it passes over: people are told.
    Checker {
        files: &[
            "/etc/systemd/system/*.service",
            "/etc/systemd/system/*.socket",
            "/etc/systemd/system/*.timer",
            "/etc/systemd/system/*.path",
            "/etc/systemd/system/*.mount",
            "/etc/systemd/system/*.target",
            "/etc/systemd/system/*.slice",
            "/etc/systemd/system/*.d/*.conf",
        ],
        program: "systemd-analyze",
        shown: "systemd-analyze verify",
        sight: Sight::Whole,
        script: r#"u=$p
case $p in *.d/*.conf) u=${p%/*}; u=${u##*/}; u=${u%.d}; for d in /etc/systemd/system /run/systemd/system /usr/lib/systemd/system /lib/systemd/system; do [ ! -f "$d/$u" ] || { u=$d/$u; break; }; done; [ "${u#/}" != "$u" ] || exit 0;; esac
n=${u##*/}; n=${n%%@*}; n=${n%.*}
w=$(systemd-analyze verify --man=no "$u" 2>&1 | grep -F -e "$p" -e "$n.${u##*.}" -e "$n@")
if ! printf '%s\n' "$w" | grep -q -E "Missing '='|Assignment outside|[Ii]nvalid section header|Failed to parse|bad unit file setting|has no .*setting|lacks|fatal error|not absolute|not executable path|Unbalanced|Neither a valid executable"; then
printf '%s\n' "$w" | grep -E 'Unknown (key|section|lvalue)' | sed "s#^#systemd passes over a part of it: #" >&3; exit 0; fi
printf '%s\n' "$w"; exit 1"#,
    },
    Checker {
        files: &["/etc/fstab"],
        program: "findmnt",
        shown: "findmnt --verify",
        sight: Sight::Alone,
        script: super::super::mount::CHECK,
    },
    // What a source holds is only seen when its lists are fetched; this is about how it is written.
    Checker {
        files: &[
            "/etc/apt/sources.list",
            "/etc/apt/sources.list.d/*.list",
            "/etc/apt/sources.list.d/*.sources",
        ],
        program: "apt-get",
        shown: "apt-get indextargets",
        sight: Sight::Whole,
        script: "apt-get indextargets >/dev/null",
    },
    // redis has no checker. Told to listen nowhere, it reads its configuration and ends, before it looks at any data.
    Checker {
        files: &["/etc/redis/redis.conf", "/etc/redis/redis-*.conf"],
        program: "redis-server",
        shown: "redis-server",
        sight: Sight::Alone,
        script: r#"d=$(mktemp -d) && cp -- "$t" "$d/redis.conf" || exit 1
w=$(timeout 10 redis-server "$d/redis.conf" --port 0 --tls-port 0 --unixsocket '' --daemonize no --supervised no --pidfile '' --logfile '' --dir "$d" --appendonly no --save '' 2>&1)
rm -rf -- "$d"
case $w in *'FATAL CONFIG FILE ERROR'*) printf '%s\n' "$w" | sed "s#$d/redis.conf#$p#g" | sed -n "/FATAL/,\$p" | sed "s#^Reading the configuration file, at line \([0-9]*\)#$p:\1:#"; false;; esac"#,
    },
    Checker {
        files: &[
            "/etc/postgresql/*/*/postgresql.conf",
            "/etc/postgresql/*/*/conf.d/*.conf",
        ],
        program: "pg_lsclusters",
        shown: "postgres -C",
        sight: Sight::Whole,
        script: r#"v=${p#/etc/postgresql/}; c=${v#*/}; v=${v%%/*}; c=${c%%/*}
b=/usr/lib/postgresql/$v/bin/postgres
[ ! -x "$b" ] || [ ! -e "/etc/postgresql/$v/$c/postgresql.conf" ] || w=$(runuser -u postgres -- "$b" -C port -c "config_file=/etc/postgresql/$v/$c/postgresql.conf" 2>&1 >/dev/null) && exit 0
printf '%s\n' "$w" | sed -n 's/.*value for parameter "\([^"]*\)".*/\1/p' | while read -r n; do grep -n -i "^[[:space:]]*$n[[:space:]=]" "$p" | sed "s#^#$p:#"; done
printf '%s\n' "$w"; exit 1"#,
    },
    // Only the server itself reads these, at its own place: the new file stands there for that moment. The server takes it up when it is
    // reloaded, not before.
    Checker {
        files: &[
            "/etc/postgresql/*/*/pg_hba.conf",
            "/etc/postgresql/*/*/pg_ident.conf",
        ],
        program: "pg_lsclusters",
        shown: "pg_hba_file_rules",
        sight: Sight::Alone,
        script: r#"v=${p#/etc/postgresql/}; c=${v#*/}; v=${v%%/*}; c=${c%%/*}
q=$(pg_lsclusters -h | awk -v v="$v" -v c="$c" '$1 == v && $2 == c && $4 ~ /^online/ {print $3}')
[ -n "$q" ] || exit 0
f=pg_hba_file_rules; case $p in *ident.conf) f=pg_ident_file_mappings; [ "$v" -ge 15 ] || exit 0;; esac
r=; [ ! -e "$p" ] || { r=$t.was; ln -fT -- "$p" "$r" || exit 1; }
cp -pT -- "$t" "$t.now" && mv -fT -- "$t.now" "$p" || exit 1
w=$(runuser -u postgres -- psql -XAtq -p "$q" -d postgres -c "SELECT '$p:' || line_number || ': ' || error FROM $f WHERE error IS NOT NULL" 2>&1); s=$?
if [ -n "$r" ]; then mv -fT -- "$r" "$p"; else rm -f -- "$p"; fi
[ "$s" != 0 ] || [ -z "$w" ] || { printf '%s\n' "$w"; false; }"#,
    },
];

/// Runs `check` where the new file stands at its place, seen by nobody else; 99 when the node allows no such thing.
const IN_PLACE: &str = r#"there() { w= e=
trap '[ -z "$w" ] || rm -rf -- "$w"' EXIT; trap 'exit 143' HUP INT TERM
if [ -e "$p" ]; then e=1; else w=$(mktemp -d) && cp -a -- "${p%/*}/." "$w/" && rm -f -- "$w/${t##*/}" && cp -a -- "$t" "$w/${p##*/}" || return 99; fi
export t p w e
unshare -m /bin/sh -c 'if [ -n "$e" ]; then mount --bind "$t" "$p"; else mount --bind "$w" "${p%/*}"; fi >/dev/null 2>&1 || exit 99
'"$check"; }
"#;

/// Shell text that fails when the new content in `"$t"` is not what the daemon that reads `path` can use; none where nobody knows.
pub fn script(path: &str) -> Option<String> {
    let checker = CHECKERS
        .iter()
        .find(|row| row.files.iter().any(|pattern| matches(pattern, path)))?;
    let say = Command::new("echo").arg(format!(
        "the new content of `{path}` does not pass `{}`; the old one stands",
        checker.shown
    ));
    let run = match checker.sight {
        Sight::Alone => "alone() { ( eval \"$check\" ); }\nsaid=$(alone 2>&1); r=$?\n".to_owned(),
        sight => {
            let believed = match sight {
                Sight::Named => "r=0",
                _ => "( eval \"$check\" ) >/dev/null 2>&1 3>&1 || r=0",
            };
            format!(
                "{IN_PLACE}said=$(there 2>&1); r=$?\n[ $r != 99 ] || r=0\n[ $r = 0 ] || case $said in *\"$p\"*) ;; *) {believed};; esac\n"
            )
        }
    };
    Some(format!(
        "{{ checked() {{ command -v {program} >/dev/null || return 0\np={p} check={check}\n{run}\
         [ $r = 0 ] || {{ printf '%s\\n' \"$said\" | sed \"s#$t#$p#g\" | tail -n 15 >&2; {say} >&2; }}\nreturn $r; }}\nchecked 3>&1; }}",
        program = checker.program,
        p = quote(path),
        check = quote(checker.script),
    ))
}

/// Whether a path fits a pattern.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => {
            let Some(tail) = path.strip_prefix(start) else {
                return false;
            };
            let (rest, deep) = match rest.strip_prefix('*') {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .take_while(|at| deep || !tail[..*at].contains('/'))
                .any(|at| at > 0 && matches(rest, &tail[at..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_their_patterns() {
        for path in [
            "/etc/sudoers",
            "/etc/sudoers.d/ops",
            "/etc/fail2ban/fail2ban.local",
            "/etc/fail2ban/jail.d/a.conf",
            "/etc/apt/sources.list.d/x.sources",
            "/etc/systemd/system/app@.service",
            "/etc/systemd/system/nginx.service.d/x.conf",
            "/etc/postgresql/15/main/conf.d/a.conf",
            "/etc/postgresql/17/main/pg_hba.conf",
        ] {
            assert!(script(path).is_some(), "{path}");
        }
        for path in [
            "/etc/sudoers.d/a/b",
            "/etc/sudoers.d/",
            "/etc/ssh/ssh_config",
            "/etc/apt/sources.list.d/x.bak",
            "/etc/fail2ban/README",
            "/etc/postgresql/15/main/environment",
            "/srv/etc/sudoers",
        ] {
            assert!(script(path).is_none(), "{path}");
        }
    }
}
