//! The commit that the project's files are of, where they are in a git repository.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use crate::process::Program;

/// A repository that is slower than this is not waited for.
const DEADLINE: Duration = Duration::from_secs(3);

/// The same, asked for beside what goes on meanwhile.
pub fn asked(file: Option<PathBuf>) -> watch::Receiver<Option<String>> {
    let (known, answer) = watch::channel(None);
    tokio::task::spawn_blocking(move || {
        if let Some(commit) = file.and_then(|file| of(&file)) {
            let _ = known.send(Some(commit));
        }
    });
    answer
}

/// The commit of the repository that `file` is in, with `-dirty` behind it where its files differ from that; none without one.
pub fn of(file: &Path) -> Option<String> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let git = |words: &[&str]| {
        let program = Program::new("git")
            .arg("-C")
            .arg(folder)
            .args(words.iter().copied())
            // What is asked must not touch the index of whoever works there.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .deadline(DEADLINE);
        let ran = program.run().ok().filter(|ran| ran.status == 0)?;
        String::from_utf8(ran.stdout).ok()
    };
    let head = git(&["rev-parse", "--verify", "HEAD"])?;
    let head = head.trim();
    if head.is_empty() || !head.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let clean = git(&["status", "--porcelain"]).is_some_and(|said| said.trim().is_empty());
    Some(match clean {
        true => head.to_owned(),
        false => format!("{head}-dirty"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_repository_has_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of(&folder.path().join("site.yml")), None);
    }

    #[test]
    fn a_commit_is_dirty_when_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let git = |words: &[&str]| {
            let ran = Program::new("git")
                .arg("-C")
                .arg(folder.path())
                .args(["-c", "user.name=t", "-c", "user.email=t@t"])
                .args(words.iter().copied())
                .run()
                .unwrap();
            assert_eq!(ran.status, 0, "{}", String::from_utf8_lossy(&ran.stderr));
        };
        let file = folder.path().join("site.yml");
        std::fs::write(&file, "a").unwrap();
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "one"]);
        let clean = of(&file).unwrap();
        assert_eq!(clean.len(), 40);
        std::fs::write(&file, "b").unwrap();
        assert_eq!(of(&file), Some(format!("{clean}-dirty")));
    }
}
