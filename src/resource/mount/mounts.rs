//! What is mounted on a node, as the kernel says it.

use super::fstab::plain;

/// The question's name and script.
pub const PROBE: &str = "mounts\ncat /proc/self/mountinfo";

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The folder of its file system that is seen; `/` unless it is bound from somewhere.
    pub root: String,
    /// Where.
    pub path: String,
    /// By which file system.
    pub fstype: String,
    /// What.
    pub src: String,
}

fn read(line: &str) -> Option<Mounted> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(3);
    let mut tail = tail.split(' ');
    Some(Mounted {
        root: plain(head.next()?),
        path: plain(head.next()?),
        fstype: plain(tail.next()?),
        src: plain(tail.next()?),
    })
}

/// What is seen at a path: the last that was mounted there.
pub fn at(text: &str, path: &str) -> Option<Mounted> {
    let mut mounts = text.lines().filter_map(read);
    mounts.rfind(|mounted| mounted.path == path)
}

/// As it will read behind a mount.
pub fn with(text: &str, mounted: &Mounted) -> String {
    let word = |word: &str| word.replace('\\', "\\134").replace(' ', "\\040");
    format!(
        "{text}0 0 0:0 {} {} rw - {} {} rw\n",
        word(&mounted.root),
        word(&mounted.path),
        word(&mounted.fstype),
        word(&mounted.src)
    )
}

/// As it will read when nothing is mounted there any more.
pub fn without(text: &str, path: &str) -> String {
    let stays = |line: &&str| read(line).is_none_or(|mounted| mounted.path != path);
    text.split_inclusive('\n').filter(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
        40 21 0:35 / /srv/a\\040b rw,nosuid shared:9 master:1 - tmpfs tmpfs rw,size=1024k\n\
        41 21 8:1 /srv/x /mnt rw - ext4 /dev/sda1 rw\n";

    #[test]
    fn mounts_are_found() {
        let found = at(TEXT, "/srv/a b").expect("a mount");
        assert_eq!(
            (&*found.fstype, &*found.src, &*found.root),
            ("tmpfs", "tmpfs", "/")
        );
        assert_eq!(at(TEXT, "/mnt").expect("a mount").root, "/srv/x");
        assert_eq!(at(TEXT, "/srv"), None);
        let gone = without(TEXT, "/srv/a b");
        assert_eq!(at(&gone, "/srv/a b"), None);
        assert_eq!(at(&with(&gone, &found), "/srv/a b"), Some(found));
    }
}
