//! The Debian releases that a node can be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Debian release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// Debian 12, bookworm.
    #[serde(rename = "12")]
    Bookworm,
    /// Debian 13, trixie.
    #[serde(rename = "13")]
    Trixie,
}

impl Release {
    /// The suite's name in an archive.
    pub fn codename(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// The release's number.
    pub fn number(self) -> &'static str {
        match self {
            Self::Bookworm => "12",
            Self::Trixie => "13",
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "12" | "bookworm" => Ok(Self::Bookworm),
            "13" | "trixie" => Ok(Self::Trixie),
            _ => Err("the lab knows Debian 12 and 13".into()),
        }
    }
}
