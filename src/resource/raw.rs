//! `raw`: a line of shell, as `shell` runs it.

use super::command::line_of_shell;
use super::{Kind, Param, ParamType};

/// Runs a line of shell. Nodes need no Python here, so it is `shell` with fewer parameters: the line runs in the task's place, as root or as
/// `become_user` like that of every other task, detached from the connection, with `environment`, and a plan shows it without running it.
/// `shell` has `creates` and `removes`, so that a line that has done its work is not run again.
///
/// # Differs from Ansible
/// - the line is run by `/bin/sh` where there is no `executable`, not by the account's login shell
/// - `environment` works with and without `become`
///
/// # Returns
/// - `stdout`, `stderr`: what it said; `stdout_lines` and `stderr_lines` as lists
/// - `rc`: its exit status
/// - `cmd`: the line
///
/// # Examples
/// ```yaml
/// - name: which kernel
///   raw: uname -r
///   register: kernel
///   changed_when: false
/// - name: with another shell
///   raw: echo {a,b}.txt
///   args: { executable: /bin/bash }
/// ```
pub static RAW: Kind = Kind {
    name: "raw",
    aliases: &["ansible.builtin.raw", "ansible.legacy.raw"],
    summary: "runs a line of shell; `shell` has more parameters",
    params: &[
        Param::new(
            "cmd",
            ParamType::Str,
            "The line to run, written behind the name.",
        )
        .aliases(&["free_form"]),
        Param::new(
            "executable",
            ParamType::Path,
            "The shell to use instead of `/bin/sh`.",
        ),
    ],
    free_form: Some("cmd"),
    refused: &[
        ("creates", "use `shell`, which has it"),
        ("removes", "use `shell`, which has it"),
        ("chdir", "use `shell`, which has it"),
        ("stdin", "use `shell`, which has it"),
    ],
    check: |args| args.one_of_required(&["cmd"]),
    bind: line_of_shell,
};
