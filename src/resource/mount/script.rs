//! How things are mounted: by a fstab that is in place only when that went well.

use super::fstab::Entry;
use crate::command::quote;

/// POSIX sh that fails when the fstab in `$t` holds what the one in `$p` does not and what keeps a node from starting: a line that cannot be
/// read, or a device that is not there and has to be. A mount point that is missing systemd makes. Lines that cannot be read are kept from
/// findmnt, since that of Debian 13 comes to a bad end behind one; a device that is named by its path it only warns of.
pub const CHECK: &str = r#"look() { r=$(mktemp) || return; awk -v r="$r" '/^[ \t]*(#|$)/ { next } NF < 3 { print "this line cannot be read: " $0; next } { print >r }' "$1"
findmnt --verify --tab-file "$r" 2>&1 | awk -v f="$r" '
BEGIN { while ((getline l < f) > 0) { line[++n] = l; sub(/^[ \t]+/, "", l); split(l, w, /[ \t]+/); gsub(/\\040/, " ", w[2]); if ("," w[4] "," ~ /,(nofail|noauto),/) free[w[2]] = 1 } }
/parse error at line/ { sub(/^.*parse error at line /, ""); print "this line cannot be read: " line[$1 + 0]; next }
/^[^ \t0-9]/ { at = $0 }
(/\[E\]/ && !/required target/ || /\[W\] unreachable.*source: \/dev\//) && !(at in free) { sub(/^[ \t]*\[[EW]\] /, ""); print at ": " $0 }'
rm -f -- "$r"; }
w=$(look "$t"); [ -n "$w" ] || exit 0
o=; [ ! -e "$p" ] || o=$(look "$p")
n=$(printf '%s\n' "$w" | while IFS= read -r l; do printf '%s\n' "$o" | grep -Fqx -e "$l" || printf '%s\n' "$l"; done)
[ -n "$n" ] || exit 0
printf '%s\n' "$n" 'a node starts without what is not there when its options have nofail'; exit 1"#;

/// Makes the folder `$m` when it is missing, and takes it away again when what follows fails.
fn folder(path: &str) -> String {
    format!(
        "m={}\nmade=; [ -d \"$m\" ] || {{ mkdir -p -- \"$m\" || exit 1; made=1; }}\n\
         fail() {{ [ -z \"$made\" ] || rmdir -- \"$m\" 2>/dev/null; exit 1; }}\n",
        quote(path)
    )
}

/// What is done to what is mounted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Nothing is mounted there.
    Mount,
    /// Only options are others.
    Remount,
    /// Something else is to be there.
    Anew,
}

/// Mounts by the fstab that the shell word `tab` names.
pub fn mount(path: &str, tab: &str, how: How, old: &str) -> String {
    let body = match how {
        How::Mount => format!("mount -T {tab} \"$m\" || fail\n"),
        How::Remount => format!(
            "mount -T {tab} -o remount \"$m\" 2>/dev/null || {{ umount -- \"$m\" && mount -T {tab} \"$m\"; }} || {{ {old}; fail; }}\n"
        ),
        How::Anew => {
            format!("umount -- \"$m\" || fail\nmount -T {tab} \"$m\" || {{ {old}; fail; }}\n")
        }
    };
    format!("{}{body}", folder(path))
}

/// Mounts by options that are in no file of the node; the line is an input.
pub fn ephemeral(path: &str) -> String {
    format!("{}mount -T \"$IN1\" \"$m\" || fail\n", folder(path))
}

/// Mounts again; with options that are not in the fstab, there is no other way than that.
pub fn remounted(path: &str, tab: &str, opts: Option<&str>) -> String {
    let path = quote(path);
    match opts {
        Some(opts) => format!("mount -o {} -- {path}", quote(&format!("remount,{opts}"))),
        None => format!(
            "mount -T {tab} -o remount {path} 2>/dev/null || {{ umount -- {path} && mount -T {tab} {path}; }}"
        ),
    }
}

/// Succeeds when something is mounted there, or nothing is.
pub fn check(path: &str, mounted: bool) -> String {
    let path = quote(path);
    match mounted {
        true => format!("findmnt -rn -M {path} >/dev/null || {{ printf 'not mounted'; exit 1; }}"),
        false => format!("! findmnt -rn -M {path} >/dev/null || {{ printf mounted; exit 1; }}"),
    }
}

/// The program and the package that a file system needs beside the kernel.
pub fn helper(entry: &Entry) -> Option<(&'static str, &'static str)> {
    Some(match entry.fstype.as_str() {
        "nfs" | "nfs4" => ("/usr/sbin/mount.nfs", "nfs-common"),
        "cifs" | "smb3" => ("/usr/sbin/mount.cifs", "cifs-utils"),
        "glusterfs" => ("/usr/sbin/mount.glusterfs", "glusterfs-client"),
        _ => return None,
    })
}
