//! Patterns of what is left out, as rsync reads them.

use globset::{GlobBuilder, GlobMatcher};

/// One `--exclude`.
#[derive(Debug, Clone)]
pub struct Exclude {
    glob: GlobMatcher,
    /// Whether it begins at the top of what is sent.
    anchored: bool,
    /// Whether it is matched against a path rather than a name.
    deep: bool,
    /// Whether only folders are meant.
    folders: bool,
}

impl Exclude {
    /// Reads a pattern; the error is the reason why it is none.
    pub fn read(pattern: &str) -> Result<Exclude, String> {
        let bare = pattern.strip_prefix('/').unwrap_or(pattern);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.is_empty() {
            return Err("it is empty".to_owned());
        }
        let glob = GlobBuilder::new(bare)
            .literal_separator(true)
            .build()
            .map_err(|error| error.kind().to_string())?;
        Ok(Exclude {
            glob: glob.compile_matcher(),
            anchored: pattern.starts_with('/'),
            deep: bare.contains('/') || bare.contains("**"),
            folders: pattern.ends_with('/'),
        })
    }

    /// Whether it leaves out the entry of that path below the top of what is sent.
    pub fn takes(&self, path: &str, folder: bool) -> bool {
        if self.folders && !folder {
            return false;
        }
        if self.anchored {
            return self.glob.is_match(path);
        }
        if !self.deep {
            return self.glob.is_match(path.rsplit('/').next().unwrap_or(path));
        }
        let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        std::iter::once(path)
            .chain(ends)
            .any(|end| self.glob.is_match(end))
    }
}

/// Whether the entry, or a folder it lies in, is left out.
pub fn is_excluded(excludes: &[Exclude], path: &str, folder: bool) -> bool {
    let above = path.match_indices('/').map(|(at, _)| (&path[..at], true));
    above
        .chain([(path, folder)])
        .any(|(path, folder)| excludes.iter().any(|exclude| exclude.takes(path, folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_to_rsync() {
        for (pattern, path, folder, taken) in [
            (".git", "a/.git", true, true),
            (".git", "a/.gitignore", false, false),
            ("*.o", "a/b.o", false, true),
            ("/a", "a", true, true),
            ("/a", "b/a", true, false),
            ("a/", "a", false, false),
            ("b/c", "a/b/c", false, true),
            ("b/c", "a/xb/c", false, false),
            ("b/*", "a/b/c", false, true),
            ("/b/*", "b/c/d", false, false),
            ("a/**", "a/b/c", false, true),
            ("x[0-9]", "d/x5", false, true),
        ] {
            let exclude = Exclude::read(pattern).unwrap();
            assert_eq!(exclude.takes(path, folder), taken, "{pattern} {path}");
        }
        let excludes = [Exclude::read("tmp/").unwrap()];
        assert!(is_excluded(&excludes, "a/tmp/x/y", false));
        assert!(!is_excluded(&excludes, "a/tmp", false));
        assert!(Exclude::read("/").is_err());
    }
}
