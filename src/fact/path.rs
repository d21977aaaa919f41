//! Questions about paths: what stands there, digests, texts, whole folders, shell patterns.
//!
//! Names that are not UTF-8 (link targets, entries of a folder, matches of a pattern) are read with U+FFFD in place of
//! the bytes that are none: they can be shown and counted, and a step that named one would miss it and say so.

mod ask;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(super) use ask::{
    digests_script, globs_script, listings_script, paths_script, texts_script, trees_script,
};
pub(super) use read::{
    parse_digests, parse_globs, parse_listings, parse_paths, parse_texts, parse_trees,
};

/// A text larger than this is not read: its answer is none, though a file is there.
pub const TEXT_LIMIT: u64 = 8 * 1024 * 1024;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathInfo {
    /// The absolute path, with `~` resolved; the path as asked when its `~user` does not exist.
    pub abs: Arc<str>,
    /// The path with every link resolved, also where its last parts do not exist.
    pub real: Arc<str>,
    /// What is there, links not followed; none when nothing is.
    pub stat: Option<Stat>,
}

/// Type, permissions and owner of one path, as `find -printf` gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Stat {
    /// `f` file, `d` folder, `l` link, `p` `s` `b` `c` others.
    pub kind: char,
    /// The same behind all links; `N` when they lead nowhere, `L` for a loop.
    pub target_kind: char,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner's number; none in a prediction.
    pub uid: Option<u32>,
    /// Group's number; none in a prediction.
    pub gid: Option<u32>,
    /// Owner's name, or its number when it has none.
    pub owner: Arc<str>,
    /// Group's name, or its number when it has none.
    pub group: Arc<str>,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: f64,
    /// Seconds since 1970.
    pub atime: f64,
    /// Seconds since 1970.
    pub ctime: f64,
    /// Inode number; zero in a prediction, whose times are not known either.
    pub inode: u64,
    /// Number of hard links.
    pub links: u64,
    /// Device number.
    pub device: u64,
    /// Where a link leads, as written in it.
    pub link: Option<Arc<str>>,
}

/// One path below a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEntry {
    /// Relative to the folder, without a leading `./`.
    pub name: Arc<str>,
    /// What it is.
    pub stat: Stat,
}

/// What lies below a folder, as of a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The node's clock, in seconds since 1970.
    pub now: f64,
    /// The folder, with `~` resolved.
    pub folder: Arc<str>,
    /// All that was found, in no order.
    pub entries: Vec<TreeEntry>,
}

impl PathInfo {
    /// Whether the path begins with the home of an account that does not exist.
    pub fn is_homeless(&self) -> bool {
        self.abs.starts_with('~')
    }
}
