//! The labs of the cases, each brought up when first needed: three nodes of Debian 12, three more for cases that mostly wait, one of
//! Debian 13 with a small disk, and one of each release for the stories of the kinds.

use std::sync::OnceLock;

use hadeploy::lab::{Lab, Release, Wanted};

use crate::harness;
pub use crate::node::Node;
use crate::node::{is_kept, lab_name};

/// The size of the disk of the node with Debian 13.
pub const SMALL_DISK: u64 = 800 << 20;

/// All labs; those that were needed are up.
pub struct World {
    bookworm: OnceLock<Lab>,
    spare: OnceLock<Lab>,
    trixie: OnceLock<Lab>,
    kinds_12: OnceLock<Lab>,
    kinds_13: OnceLock<Lab>,
}

fn up(kind: &str, release: u8, wanted: &Wanted) -> Lab {
    let lab = Lab::open(&lab_name(kind, release)).unwrap();
    if !is_kept() {
        lab.down().unwrap();
    }
    lab.up(wanted, &|_| {}).unwrap();
    lab
}

fn three() -> Wanted {
    Wanted {
        nodes: 3,
        release: Some(Release::Bookworm),
        ..Wanted::default()
    }
}

fn small() -> Wanted {
    Wanted {
        nodes: 1,
        release: Some(Release::Trixie),
        disk: Some(SMALL_DISK),
        ..Wanted::default()
    }
}

fn one(release: Release) -> Wanted {
    Wanted {
        nodes: 1,
        release: Some(release),
        ..Wanted::default()
    }
}

impl World {
    /// The lab of a release; brought up at the first call.
    pub fn lab(&self, release: u8) -> &Lab {
        match release {
            13 => self.trixie.get_or_init(|| up("t", 13, &small())),
            _ => self.bookworm.get_or_init(|| up("t", 12, &three())),
        }
    }

    /// A node with Debian 12 in the lab of [`waiting`](crate::waiting) cases.
    pub fn spare(&self, name: &str) -> Node {
        Node {
            lab: self.spare.get_or_init(|| up("w", 12, &three())).clone(),
            name: name.to_owned(),
        }
    }

    /// A node with Debian 12.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab(12).clone(),
            name: name.to_owned(),
        }
    }

    /// The node of a release that the stories of the kinds have for themselves.
    pub fn for_kinds(&self, release: u8) -> Node {
        let lab = match release {
            13 => self
                .kinds_13
                .get_or_init(|| up("k", 13, &one(Release::Trixie))),
            _ => self
                .kinds_12
                .get_or_init(|| up("k", 12, &one(Release::Bookworm))),
        };
        Node {
            lab: lab.clone(),
            name: "n1".to_owned(),
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
            spare: OnceLock::new(),
            trixie: OnceLock::new(),
            kinds_12: OnceLock::new(),
            kinds_13: OnceLock::new(),
        }
    }

    fn down(&self) {
        let labs = [
            &self.bookworm,
            &self.spare,
            &self.trixie,
            &self.kinds_12,
            &self.kinds_13,
        ];
        for lab in labs.into_iter().filter_map(OnceLock::get) {
            if !is_kept() {
                lab.down().unwrap();
            }
        }
    }
}
