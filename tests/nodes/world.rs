//! The lab of the cases: three nodes of Debian 12, and one of Debian 13 with a small disk, each brought up when first needed.

use std::sync::OnceLock;

use hadeploy::lab::{Lab, Release, Wanted};

use crate::harness;
pub use crate::node::Node;
use crate::node::{is_kept, lab_name};

/// The size of the disk of the node with Debian 13.
pub const SMALL_DISK: u64 = 400 << 20;

/// All labs; those that were needed are up.
pub struct World {
    bookworm: OnceLock<Lab>,
    trixie: OnceLock<Lab>,
}

impl World {
    /// The lab of a release; brought up at the first call.
    pub fn lab(&self, release: u8) -> &Lab {
        let (slot, wanted) = match release {
            13 => {
                let wanted = Wanted {
                    nodes: 1,
                    release: Some(Release::Trixie),
                    disk: Some(SMALL_DISK),
                    ..Wanted::default()
                };
                (&self.trixie, wanted)
            }
            _ => {
                let wanted = Wanted {
                    nodes: 3,
                    release: Some(Release::Bookworm),
                    ..Wanted::default()
                };
                (&self.bookworm, wanted)
            }
        };
        slot.get_or_init(|| {
            let lab = Lab::open(&lab_name("t", release)).unwrap();
            if !is_kept() {
                lab.down().unwrap();
            }
            lab.up(&wanted, &|_| {}).unwrap();
            lab
        })
    }

    /// A node with Debian 12.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab(12).clone(),
            name: name.to_owned(),
        }
    }

    /// The first node of a release.
    pub fn first(&self, release: u8) -> Node {
        Node {
            lab: self.lab(release).clone(),
            name: "n1".to_owned(),
        }
    }
}

impl harness::World for World {
    fn new() -> World {
        World {
            bookworm: OnceLock::new(),
            trixie: OnceLock::new(),
        }
    }

    fn down(&self) {
        for lab in [&self.bookworm, &self.trixie]
            .into_iter()
            .filter_map(OnceLock::get)
        {
            if !is_kept() {
                lab.down().unwrap();
            }
        }
    }
}
