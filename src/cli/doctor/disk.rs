//! The room on a node's disks.

use super::finding::{Finding, Level};
use super::node::{lines, size};

/// A file system: where it is mounted, how much it holds, and how much is free.
type Disk = (String, u64, u64);

fn read(line: &&str) -> Option<Disk> {
    let mut words = line.split(' ');
    Some((
        words.next()?.to_owned(),
        words.next()?.parse().ok()?,
        words.next()?.parse().ok()?,
    ))
}

/// Per cent that are free.
fn share((_, all, free): &Disk) -> u64 {
    free * 100 / (*all).max(1)
}

/// How it is. Where packages and data go, little room is little whatever the share; what only holds kernels or passing files is small by
/// nature.
fn level(disk: &Disk) -> Level {
    let (place, _, free) = disk;
    let grows = ["/", "/var"].contains(&&**place);
    match (share(disk), *free) {
        (0..5, _) => Level::Bad,
        (_, 0..204_800) if grows => Level::Bad,
        (5..10, _) => Level::Warn,
        (_, 204_800..1_048_576) if grows => Level::Warn,
        _ => Level::Ok,
    }
}

/// The disk that is worst off.
pub fn disks(text: &str) -> Finding {
    let inodes = lines(text, "inodes");
    let scarce = inodes.iter().filter_map(read).find(|disk| share(disk) < 5);
    if let Some((place, _, free)) = scarce {
        let cure = format!("find {place} -xdev -type d -size +1M");
        let said = format!("only {free} files more fit on {place}");
        return Finding::bad("disk", said, cure);
    }
    let disks = lines(text, "disk");
    let worst = disks.iter().filter_map(read);
    let worst = worst.max_by_key(|disk| (level(disk), 100 - share(disk).min(100)));
    let Some(disk) = worst else {
        return Finding::warn("disk", "it does not tell", "df -h");
    };
    let (place, all, free) = &disk;
    let said = format!("{} of {} free at {place}", size(*free), size(*all));
    let first = match &**place {
        "/boot" => "apt-get autoremove --purge; ",
        "/" | "/var" => "apt-get clean; ",
        _ => "",
    };
    let cure = format!("{first}du -xh --max-depth=2 {place} | sort -h | tail");
    match level(&disk) {
        Level::Ok => Finding::ok("disk", said),
        Level::Warn => Finding::warn("disk", said, cure),
        Level::Bad => Finding::bad("disk", said, cure),
    }
}
