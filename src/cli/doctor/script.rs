//! What is asked of a node: one script that only reads. Each line of its answer is a word and what it is about.

use crate::command::quote;
use crate::secret::Secret;

/// What any account may ask, and root knows better: `$1` is nothing but a name.
const ASKS: &str = r#"
LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin
echo "root $(id -u)"
( . /etc/os-release; echo "release $ID ${VERSION_ID:-none}" ) 2>/dev/null
awk '/^MemTotal:/{t=$2}/^MemAvailable:/{a=$2}/^SwapTotal:/{s=$2}/^SwapFree:/{f=$2}END{print "memory",t,a,s,f}' /proc/meminfo
for d in / /var /boot /tmp; do df -Pk "$d"; done 2>/dev/null | awk '$1!="Filesystem"&&!seen[$6]++{print "disk",$6,$2,$4}'
for d in / /var; do df -Pi "$d"; done 2>/dev/null | awk '$1!="Filesystem"&&$2>0&&!seen[$6]++{print "inodes",$6,$2,$4}'
dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | awk '$1~/^(half-configured|half-installed|unpacked|triggers-awaited|triggers-pending)$/{print "dpkg",$1,$2}'
[ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || echo "interrupted"
for l in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock; do
  i=$(stat -c %i "$l" 2>/dev/null) || continue
  pid=$(awk -v i=":$i$" '$6~i{print $5;exit}' /proc/locks)
  [ -z "$pid" ] || { echo "lock $pid $(cat "/proc/$pid/comm" 2>/dev/null)"; break; }
done
[ ! -e /run/reboot-required ] || echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
echo "systemd $(systemctl is-system-running 2>/dev/null)"
systemctl list-units --state=failed --no-legend --plain 2>/dev/null | awk '{print "failed",$1}'
echo "synchronised $(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
echo "virtual $(systemd-detect-virt -c 2>/dev/null)"
ss -Hltnp 2>/dev/null | awk '{n=$4;sub(/.*:/,"",n);p=$6;sub(/^users:\(\("/,"",p);sub(/".*/,"",p);print "port",n,p}' | sort -u
"#;

/// The whole script, for an account that may become root by sudo, with a password or without.
pub fn text(password: Option<&Secret>) -> String {
    let asks = quote(ASKS);
    let (test, by_sudo) = match password {
        None => (
            "sudo -n true".to_owned(),
            "sudo -n /bin/sh -c \"$asks\"".to_owned(),
        ),
        Some(password) => {
            // `printf` is the shell's own, so that the password stands in no list of processes.
            let give = format!("printf '%s\\n' {}", quote(password.reveal()));
            (
                format!("{give} | sudo -S -p '' true"),
                format!("{give} | sudo -S -p '' /bin/sh -c \"$asks\""),
            )
        }
    };
    format!(
        "LC_ALL=C; export LC_ALL; asks={asks}\n\
         echo \"now $(date +%s)\"\n\
         echo \"account $(id -u)\"\n\
         if [ \"$(id -u)\" = 0 ]; then /bin/sh -c \"$asks\"\n\
         elif ! command -v sudo >/dev/null; then echo 'sudo missing'; /bin/sh -c \"$asks\"\n\
         elif said=$({{ {test}; }} 2>&1 </dev/null); then echo 'sudo yes'; {by_sudo}\n\
         else echo \"sudo no $(printf '%s' \"$said\" | tail -n 1)\"; /bin/sh -c \"$asks\"\n\
         fi\necho end\n"
    )
}
