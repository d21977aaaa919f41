//! What the way in depends on: a table of paths, and how a change of each takes effect.

/// A part of the way in: where it lies, and how a change of it takes effect.
pub struct Part {
    /// What its step is called: `reload ssh`.
    pub title: &'static str,
    /// A path belongs to it when it is one of these, lies below one, or begins with one and goes on (`sshd_config.bak`).
    pub roots: &'static [&'static str],
    /// What begins like a root and is no part of the way in.
    pub but: &'static [&'static str],
    /// What its effect may write, saved with the rest.
    pub also: &'static [&'static str],
    /// POSIX sh, run with `set -e` before the change: keeps below `$S` what `again` needs to know.
    pub save: &'static str,
    /// POSIX sh that checks the files and lets them take effect at once; `$PORT` is the port of sshd that the run came in by, where it is
    /// known. When it fails, the old files are put back. What it says on standard output people are told. Empty where every new
    /// connection reads the files.
    pub effect: &'static str,
    /// POSIX sh that lets the old files take effect again; never run while the node starts. `$S` is the folder of what was saved.
    pub again: &'static str,
}

/// The file that keeps sshd on the port by which the last run came in.
pub const KEPT: &str = "/etc/ssh/sshd_config.d/00-hadeploy-kept-port.conf";

/// sshd and what it reads.
pub static SSHD: Part = Part {
    title: "check the configuration of sshd and reload it",
    roots: &["/etc/ssh"],
    but: &[
        "/etc/ssh/ssh_config",
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/moduli",
    ],
    also: &[KEPT],
    save: "",
    effect: SSHD_EFFECT,
    again: "command -v sshd >/dev/null || exit 0\nsystemctl reset-failed ssh.socket ssh.service 2>/dev/null\nif systemctl is-active -q ssh.socket; then systemctl try-restart ssh.service; else systemctl reload-or-restart ssh.service; fi",
};

/// sshd takes the signal in its own time: the address of its program moves when it has executed itself again. Where a socket listens for it,
/// its own ports have no say and none is kept; it is started anew, and those who come meanwhile wait at the socket.
const SSHD_EFFECT: &str = r#"command -v sshd >/dev/null || exit 0
[ -d /run/sshd ] || mkdir -m 0755 /run/sshd
K=/etc/ssh/sshd_config.d/00-hadeploy-kept-port.conf
sshd -t || exit 1
systemctl is-active -q ssh.service || exit 0
if systemctl is-active -q ssh.socket; then systemctl reset-failed ssh.service 2>/dev/null; systemctl restart ssh.service; exit; fi
ports() { sshd -T | sed -n 's/^listenaddress .*:\([0-9][0-9]*\)$/\1/p' | sort -un; }
has() { for q in $PORT "$@"; do ports | grep -qx "$q" || return 1; done; }
keep() { printf '# Written by hadeploy: the port by which it came in. An apply that comes in by another takes it away.\n%s\n' "$1" >"$K" && chmod 0644 "$K"; }
if [ -n "$PORT" ]; then
rm -f "$K"
if ! has; then
new=$(ports | tr '\n' ' '); new=${new% }
if [ -d "${K%/*}" ]; then
keep "Port $PORT"
has $new || keep "$(printf 'Port %s\n' "$PORT" $new)"
has $new || { rm -f "$K"; keep "$(sshd -T | sed -n "s/^listenaddress \(.*\):[0-9]*\$/ListenAddress \1:$PORT/p" | sort -u)"; }
fi
if ! has $new; then
echo "sshd would listen on port $new only, and this run came in by $PORT: /etc/ssh/sshd_config includes no /etc/ssh/sshd_config.d/*.conf, where the old one could be kept. Write both (\`Port $PORT\` and \`Port ${new%% *}\`), apply, set \`ansible_port: ${new%% *}\`, then take the old one away" >&2
exit 1
fi
echo "sshd listens on port $new, and still on $PORT, by which this run came in ($K): see that the packet filter lets ${new%% *} in, set \`ansible_port: ${new%% *}\`, and the next apply takes $PORT away"
fi
fi
p=$(systemctl show -p MainPID --value ssh.service); m=; k=0
[ ! -r "/proc/$p/maps" ] || read -r m _ <"/proc/$p/maps"
systemctl reload ssh.service || exit 1
while [ "$k" -lt 20 ]; do n=; read -r n _ <"/proc/$p/maps" || break; [ "$n" = "$m" ] || break; k=$((k + 1)); sleep 0.1; done
command -v ss >/dev/null || exit 0
for q in $(ports); do
k=0
until ss -Hltnp "sport = :$q" | grep -q '"sshd'; do
k=$((k + 1))
[ "$k" -lt 20 ] || { echo "sshd does not listen on port $q" >&2; exit 1; }
sleep 0.1
done
done
for a in $(sshd -T | sed -n 's/^listenaddress //p'); do
w=$(ss -Hltnp | grep -F " $a " | grep -v '"sshd' | sed 's/.*users:(("\([^"]*\)".*/\1/' | head -n1)
[ -z "$w" ] || { echo "sshd does not listen on $a, which $w has" >&2; exit 1; }
done
:"#;

/// The units that start sshd: the daemon's own, and the socket that may listen in its place.
pub static SSH_UNITS: Part = Part {
    title: "restart sshd by its changed unit",
    roots: &[
        "/etc/systemd/system/ssh.service",
        "/etc/systemd/system/ssh.socket",
        "/etc/systemd/system/sshd.service",
        "/etc/default/ssh",
    ],
    but: &[],
    also: &[],
    save: "for u in ssh.socket ssh.service; do ! systemctl is-active -q $u || echo $u; done >\"$S/ssh-units\"",
    effect: SSH_UNITS_EFFECT,
    again: "systemctl daemon-reload; r=0\nsystemctl reset-failed ssh.socket ssh.service 2>/dev/null\nif grep -qx ssh.socket \"$S/ssh-units\"; then systemctl stop ssh.socket ssh.service; fi\nwhile read -r u; do systemctl restart $u || r=1; done <\"$S/ssh-units\"; (exit $r)",
};

/// systemd refuses to start a socket whose service runs; so that is stopped first, which ends no session. A socket that would listen on other ports
/// only is not even tried: unlike a daemon, it has no file of ours in which the old one could be kept.
/// What is started here again and again is no loop that systemd must end, so its count begins anew.
const SSH_UNITS_EFFECT: &str = r#"systemctl daemon-reload || exit 1
systemctl reset-failed ssh.socket ssh.service 2>/dev/null
runs() { systemctl is-active -q "$1"; }
runs ssh.socket || { ! runs ssh.service || systemctl restart ssh.service; exit; }
new=$(systemctl show -p Listen ssh.socket | sed -n 's/.*:\([0-9][0-9]*\) (Stream)$/\1/p' | sort -un)
if [ -n "$PORT" ] && ! printf '%s\n' "$new" | grep -qx "$PORT"; then
new=$(echo $new)
echo "ssh.socket would listen on port ${new:-none} only, and this run came in by $PORT: write both (\`ListenStream=$PORT\` and \`ListenStream=${new%% *}\`), apply, set \`ansible_port: ${new%% *}\`, then take the old one away" >&2
exit 1
fi
s=; ! runs ssh.service || s=ssh.service
systemctl stop ssh.socket ssh.service && systemctl start ssh.socket || exit 1
[ -z "$s" ] || systemctl start "$s""#;

/// The table. Each is guarded when a task changes it as files.
pub static PARTS: &[&Part] = &[
    &SSHD,
    &SSH_UNITS,
    // Files that are no rules, and those whose mode sudo does not like, it passes over: they take no right away by themselves.
    &Part {
        title: "check the rules of sudo",
        roots: &["/etc/sudoers", "/etc/sudo.conf"],
        but: &[],
        also: &[],
        save: "",
        effect: r#"command -v visudo >/dev/null || exit 0
w=$(visudo -c 2>&1) && exit 0
printf '%s\n' "$w" | grep -v -e ': parsed OK$' -e 'bad permissions' -e 'should be mode' -e '^ *^' >&2 || exit 0
exit 1"#,
        again: "",
    },
    &Part {
        title: "",
        roots: &[
            "/etc/pam.d",
            "/etc/pam.conf",
            "/etc/security",
            "/etc/nsswitch.conf",
            "/etc/environment",
            "/etc/nologin",
            "/run/nologin",
            "/etc/hosts.allow",
            "/etc/hosts.deny",
        ],
        but: &[],
        also: &[],
        save: "",
        effect: "",
        again: "",
    },
    &ACCOUNTS,
    &Part {
        title: "bring the changed network files into effect",
        roots: &["/etc/systemd/network", "/etc/systemd/networkd.conf"],
        but: &[],
        also: &[],
        save: "",
        effect: "! systemctl is-active -q systemd-networkd.service || networkctl reload",
        again: "! systemctl is-active -q systemd-networkd.service || networkctl reload",
    },
    &Part {
        title: "bring the changed network files into effect",
        roots: &["/etc/network"],
        but: &["/etc/networks"],
        also: &[],
        save: "",
        effect: "command -v ifquery >/dev/null || exit 0\nifquery --list >/dev/null || exit 1\n! systemctl is-active -q networking.service || systemctl restart networking.service",
        again: "! systemctl is-active -q networking.service && ! systemctl is-failed -q networking.service || systemctl restart networking.service",
    },
    &Part {
        title: "bring the changed network files into effect",
        roots: &["/etc/netplan"],
        but: &[],
        also: &[],
        save: "",
        effect: "command -v netplan >/dev/null || exit 0\nnetplan generate || exit 1\nif [ -S /run/udev/control ]; then netplan apply; else networkctl reload; fi",
        again: "command -v netplan >/dev/null || exit 0\nnetplan generate; if [ -S /run/udev/control ]; then netplan apply; else networkctl reload; fi",
    },
];

/// Accounts: whoever changes the login user's, or a group that it may need, changes these files.
pub static ACCOUNTS: Part = Part {
    title: "",
    roots: &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"],
    but: &[
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/group-",
        "/etc/gshadow-",
    ],
    // The copies that passwd's programs make.
    also: &[
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/group-",
        "/etc/gshadow-",
    ],
    save: "",
    effect: "",
    again: "",
};

/// Units without which nobody comes in. One that is only reloaded keeps what it has.
pub const UNITS: &[&str] = &[
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "networking.service",
    "systemd-networkd.service",
    "NetworkManager.service",
];

/// Packages without which nobody comes in by SSH.
pub const PACKAGES: &[&str] = &["openssh-server", "libpam-runtime", "passwd", "login"];

/// Packages without which who logged in does not become root.
pub const SUDO_PACKAGES: &[&str] = &["sudo", "sudo-ldap"];

/// Kernel settings of interfaces that may cut them off, by the end of their name.
pub const KERNEL: &[&str] = &["/rp_filter", "/disable_ipv6", "/arp_ignore"];

/// In the login user's home: what sshd and the login shell read before a command is run.
pub const HOME: &[&str] = &[".ssh", ".bashrc", ".bash_profile", ".profile", ".zshenv"];

/// In `.ssh`: what only matters on the way out.
pub const OUTWARD: &[&str] = &["known_hosts", "config", "id_"];

impl Part {
    /// The paths to be saved before `touched` is changed; none when it does not belong here.
    pub fn saved(&self, touched: &str) -> Vec<String> {
        let touched = touched.trim_end_matches('/');
        if self.but.iter().any(|other| touched.starts_with(other)) {
            return Vec::new();
        }
        if self.roots.iter().any(|root| touched.starts_with(root)) {
            return vec![touched.to_owned()];
        }
        let is_above = |root: &&&str| {
            root.strip_prefix(touched)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.roots
            .iter()
            .filter(is_above)
            .map(|root| (*root).to_owned())
            .collect()
    }
}
