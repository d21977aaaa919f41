//! What lookups have of this machine: its environment, and its shell.

use std::path::Path;
use std::time::Duration;

use super::environment::Environment;
use crate::process::Program;
use crate::template::Outside;

/// How long a line of shell may run.
const DEADLINE: Duration = Duration::from_secs(300);

impl Environment {
    /// The environment and the shell, handed down to templates.
    pub fn outside(&self) -> Outside {
        Outside {
            variables: self.variables.0.clone(),
            shell: Box::new(shell),
        }
    }
}

/// Runs a line of shell in a folder; its errors do not repeat the line, which may hold a secret.
fn shell(line: &str, folder: &Path) -> Result<Vec<u8>, String> {
    let ran = Program::new("/bin/sh")
        .args(["-c", "cd -- \"$0\" && eval \"$1\""])
        .arg(folder)
        .arg(line)
        .deadline(DEADLINE)
        .run()
        .map_err(|_| {
            format!(
                "the command did not end within {} s, or there is no shell",
                DEADLINE.as_secs()
            )
        })?;
    if ran.status == 0 {
        return Ok(ran.stdout);
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(match last {
        Some(last) => format!("the command ended with status {}: {last}", ran.status),
        None => format!("the command ended with status {}", ran.status),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_shell_runs_in_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("its path");
        let said = shell("pwd; echo 'a  b' | tr a c", &path).expect("it runs");
        let text = format!("{}\nc  b\n", path.display());
        assert_eq!(String::from_utf8_lossy(&said), text);
        let failed = shell("echo no >&2; exit 3", &path);
        assert_eq!(
            failed,
            Err("the command ended with status 3: no".to_owned())
        );
    }
}
