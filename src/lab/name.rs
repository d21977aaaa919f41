//! The name of a lab, and every name on the machine that follows from it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::error::LabError;

/// Where all labs keep their files.
pub const ROOT: &str = "/var/lib/hadeploy/lab";
/// All bridges of labs begin like this.
pub const BRIDGE_PREFIX: &str = "hl-";

/// The checked name of a lab.
///
/// Bridge, firewall table, control group and folder follow from the name alone, so that a lab can be
/// removed when nothing but its name is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabName(String);

impl LabName {
    /// The lab's folder.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(ROOT).join(&self.0)
    }

    /// The lab's bridge: at most 15 bytes, as the kernel wants it.
    pub fn bridge(&self) -> String {
        let whole = format!("{BRIDGE_PREFIX}{}", self.0);
        if whole.len() <= 15 {
            return whole;
        }
        let hash = blake3::hash(self.0.as_bytes()).to_hex();
        format!("{BRIDGE_PREFIX}{}_{}", &self.0[..6], &hash[..5])
    }

    /// The lab's nftables table; names have no `_` of their own, so no two labs share one.
    pub fn table(&self) -> String {
        format!("hadeploy_lab_{}", self.0.replace('-', "_"))
    }

    /// The comment on rules that had to go into a chain of the host.
    pub fn comment(&self) -> String {
        format!("hadeploy-lab:{}", self.0)
    }

    /// The lock of the commands that change this lab.
    pub fn lock(&self) -> PathBuf {
        PathBuf::from(ROOT).join(format!(".{}.lock", self.0))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabName {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let fits = text.len() <= 30
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(LabError::BadName(text.into()))
        }
    }
}

impl fmt::Display for LabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["lab", "t-lab", "a1"] {
            assert_eq!(good.parse::<LabName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "1a",
            "A",
            "a_b",
            "a/b",
            ".base",
            "a".repeat(31).as_str(),
        ] {
            assert!(bad.parse::<LabName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bridges_are_short_and_differ() {
        let one: LabName = "a-rather-long-name-one".parse().unwrap();
        let two: LabName = "a-rather-long-name-two".parse().unwrap();
        assert!(one.bridge().len() <= 15);
        assert_ne!(one.bridge(), two.bridge());
        assert_eq!("lab".parse::<LabName>().unwrap().bridge(), "hl-lab");
    }
}
