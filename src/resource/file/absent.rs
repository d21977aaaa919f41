//! `state: absent`.

use std::sync::Arc;

use super::super::place::{state, was};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::Command;
use crate::fact::{Answer, PathInfo, Question};

/// Folders without which a node is lost.
const SYSTEM: [&str; 19] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/var",
    "/var/lib",
];

/// Whether the path is one of the system's own folders, however it is written.
pub fn is_system(path: &str) -> bool {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    path.starts_with('/') && SYSTEM.contains(&format!("/{}", parts.join("/")).as_str())
}

/// Removes what stands there, a folder with all below it; a link is not followed.
pub fn remove(path: &Arc<str>, info: &PathInfo) -> Change {
    let done = |change: Change| change.result("path", &*info.abs).result("state", "absent");
    let Some(stat) = &info.stat else {
        return done(Change::none("nothing is there"));
    };
    // A link to such a folder may go.
    if stat.kind == 'd' && (is_system(&info.abs) || is_system(&info.real)) {
        return Change::failed(format!("`{}` cannot be removed", info.abs))
            .help("the system is in it");
    }
    let mut command = Command::new("rm");
    command = command.arg(if stat.kind == 'd' { "-rf" } else { "-f" });
    let script = command.arg("--").arg(&*info.abs).to_string();
    let gone = PathInfo {
        stat: None,
        real: match stat.kind {
            'l' => info.abs.clone(),
            _ => info.real.clone(),
        },
        ..info.clone()
    };
    let step = Step::new(format!("remove {path}"), script)
        .touch(Touch::Path(path.to_string()))
        .before(was(&info.abs, Some(stat), None))
        .verify(Expect::absent(&*info.abs))
        .predict(Question::Path(path.clone()), Answer::Path(gone))
        .predict(Question::Digest(path.clone()), Answer::Digest(None));
    done(
        Change::new(Action::Delete)
            .field(Field::value("state", state(Some(stat)), "absent"))
            .step(step),
    )
}

#[cfg(test)]
mod tests {
    use super::is_system;

    #[test]
    fn the_system_is_known_however_it_is_written() {
        for path in ["/", "//", "/etc", "/etc/", "/srv/../etc", "/./usr/."] {
            assert!(is_system(path), "{path}");
        }
        for path in ["/etc/x", "/srv", "~", "/var/lib/app"] {
            assert!(!is_system(path), "{path}");
        }
    }
}
