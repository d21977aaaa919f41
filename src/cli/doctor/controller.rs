//! The checks of this machine: who else can read the keys, and what a run will need.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::cli::environment::Environment;
use crate::command::quote;

/// Open files that a run with so many hosts at once needs: its own, and some for each connection.
fn files_needed(forks: usize) -> u64 {
    256 + 8 * u64::try_from(forks).unwrap_or(u64::MAX / 8)
}

/// All that can be said of it; `keys` are key files that the inventory or the command line names.
pub fn findings(
    env: &Environment,
    keys: &[PathBuf],
    forks: usize,
    logs: Option<&Path>,
) -> Vec<Finding> {
    let home = env.home.clone().unwrap_or_default();
    let mut found = vec![
        keys_are_private(&home, keys),
        agent(env.agent.as_deref()),
        known_hosts(&home.join(".ssh/known_hosts")),
        folder("logs", logs.map(Path::to_owned).or_else(|| env.runs())),
    ];
    if let Some(runtime) = &env.runtime
        && !runtime.is_dir()
    {
        found.push(Finding::warn(
            "runtime folder",
            format!(
                "XDG_RUNTIME_DIR names `{}`, which is not there",
                runtime.display()
            ),
            "loginctl enable-linger \"$USER\", or unset XDG_RUNTIME_DIR",
        ));
    }
    found.push(open_files(
        &fs::read_to_string("/proc/self/limits").unwrap_or_default(),
        forks,
    ));
    found
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

fn shown(path: &Path) -> String {
    quote(&path.display().to_string())
}

fn keys_are_private(home: &Path, named: &[PathBuf]) -> Finding {
    if let Some(missing) = named.iter().find(|path| !path.is_file()) {
        return Finding::bad(
            "keys",
            format!(
                "`{}` is named as a key, and is not there",
                missing.display()
            ),
            format!("ssh-keygen -t ed25519 -f {}", shown(missing)),
        );
    }
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"];
    let mut keys: Vec<PathBuf> = usual
        .iter()
        .map(|name| home.join(".ssh").join(name))
        .collect();
    keys.retain(|path| path.is_file());
    keys.extend(named.iter().cloned());
    if let Some(open) = keys
        .iter()
        .find(|path| mode(path).is_some_and(|mode| mode & 0o077 != 0))
    {
        return Finding::bad(
            "keys",
            format!("others can read `{}`", open.display()),
            format!("chmod 600 {}", shown(open)),
        );
    }
    let folder = home.join(".ssh");
    if mode(&folder).is_some_and(|mode| mode & 0o022 != 0) {
        return Finding::bad(
            "keys",
            format!("others can write to `{}`", folder.display()),
            format!("chmod 700 {}", shown(&folder)),
        );
    }
    match keys.len() {
        0 => Finding::ok("keys", "no key files; an agent may have some"),
        1 => Finding::ok("keys", "one key file, for you alone"),
        many => Finding::ok("keys", format!("{many} key files, for you alone")),
    }
}

fn agent(socket: Option<&Path>) -> Finding {
    let Some(socket) = socket else {
        return Finding::ok("agent", "none");
    };
    match fs::metadata(socket).map(|meta| meta.file_type().is_socket()) {
        Ok(true) => Finding::ok("agent", format!("at {}", socket.display())),
        _ => Finding::warn(
            "agent",
            format!(
                "SSH_AUTH_SOCK names `{}`, where no agent is",
                socket.display()
            ),
            "eval \"$(ssh-agent)\" && ssh-add, or unset SSH_AUTH_SOCK",
        ),
    }
}

fn known_hosts(path: &Path) -> Finding {
    let Ok(text) = fs::read(path) else {
        return match path.exists() {
            true => Finding::bad(
                "known_hosts",
                format!("`{}` cannot be read", path.display()),
                format!("chmod u+rw {}", shown(path)),
            ),
            false => Finding::ok("known_hosts", "no host key is known yet"),
        };
    };
    if mode(path).is_some_and(|mode| mode & 0o022 != 0) {
        return Finding::bad(
            "known_hosts",
            format!("others can write to `{}`", path.display()),
            format!("chmod 600 {}", shown(path)),
        );
    }
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    Finding::ok("known_hosts", format!("{lines} lines"))
}

/// A folder that a run makes and writes to: the nearest that is there must take a file. The file has no name.
fn folder(check: &'static str, path: Option<PathBuf>) -> Finding {
    let Some(path) = path else {
        return Finding::warn(
            check,
            "there is no home, so no run is logged",
            "set HOME, or `log_dir` in hadeploy.yml",
        );
    };
    let there = path
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"));
    match tempfile::tempfile_in(there) {
        Ok(_) => Finding::ok(check, format!("go to {}", path.display())),
        Err(error) => Finding::bad(
            check,
            format!("nothing can be written to `{}`: {error}", there.display()),
            format!(
                "chown \"$USER\" {}, or set `log_dir` in hadeploy.yml",
                shown(there)
            ),
        ),
    }
}

fn open_files(limits: &str, forks: usize) -> Finding {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next());
    let needed = files_needed(forks);
    match limit {
        Some("unlimited") => Finding::ok("open files", "unlimited"),
        Some(limit) => match limit.parse::<u64>() {
            Ok(number) if number < needed => Finding::warn(
                "open files",
                format!("{number} at most; {forks} hosts at once need {needed}"),
                format!(
                    "ulimit -n {}, or fewer `--forks`",
                    needed.next_power_of_two()
                ),
            ),
            _ => Finding::ok("open files", format!("{limit} at most")),
        },
        None => Finding::warn("open files", "the limit is not known", "ulimit -n"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::{agent, keys_are_private, known_hosts, open_files};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_of_others_eyes_are_bad() {
        let home = tempfile::tempdir().expect("a folder");
        let ssh = home.path().join(".ssh");
        fs::create_dir(&ssh).expect("a folder");
        fs::set_permissions(&ssh, Permissions::from_mode(0o700)).expect("a mode");
        assert_eq!(
            keys_are_private(home.path(), &[]).said,
            "no key files; an agent may have some"
        );
        let key = ssh.join("id_ed25519");
        fs::write(&key, "").expect("a file");
        fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("a mode");
        assert_eq!(keys_are_private(home.path(), &[]).level, Level::Ok);
        fs::set_permissions(&key, Permissions::from_mode(0o640)).expect("a mode");
        let open = keys_are_private(home.path(), &[]);
        assert_eq!(open.level, Level::Bad);
        assert_eq!(open.cure, Some(format!("chmod 600 {}", key.display())));
        fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("a mode");
        fs::set_permissions(&ssh, Permissions::from_mode(0o777)).expect("a mode");
        assert_eq!(
            keys_are_private(home.path(), &[]).cure,
            Some(format!("chmod 700 {}", ssh.display()))
        );
        let missing = keys_are_private(home.path(), &[home.path().join("none")]);
        assert!(missing.said.ends_with("is not there"), "{missing:?}");
    }

    #[test]
    fn what_a_run_needs_of_this_machine() {
        let limits = "Limit                     Soft Limit           Hard Limit\nMax open files            256                  4096                 files\n";
        let few = open_files(limits, 50);
        assert_eq!(few.level, Level::Warn);
        assert_eq!(few.said, "256 at most; 50 hosts at once need 656");
        assert_eq!(
            few.cure.as_deref(),
            Some("ulimit -n 1024, or fewer `--forks`")
        );
        assert_eq!(open_files(limits, 0).level, Level::Ok);
        let folder = tempfile::tempdir().expect("a folder");
        let gone = folder.path().join("agent");
        assert_eq!(agent(Some(&gone)).level, Level::Warn);
        assert_eq!(agent(None).level, Level::Ok);
        let hosts = folder.path().join("known_hosts");
        assert_eq!(known_hosts(&hosts).said, "no host key is known yet");
        fs::write(&hosts, "a\nb\n").expect("a file");
        fs::set_permissions(&hosts, Permissions::from_mode(0o644)).expect("a mode");
        assert_eq!(known_hosts(&hosts).said, "2 lines");
        fs::set_permissions(&hosts, Permissions::from_mode(0o666)).expect("a mode");
        assert_eq!(known_hosts(&hosts).level, Level::Bad);
    }
}
