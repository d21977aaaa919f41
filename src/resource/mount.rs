//! `mount`: what is mounted where, now and at each start of the node.

mod diff;
mod fstab;
mod mounts;
mod script;

use std::sync::Arc;

use self::fstab::Entry;
use super::attributes::Attributes;
use super::copy::BACKUP;
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;

pub use script::CHECK;

/// Keeps a line of /etc/fstab, and what is mounted at its mount point. All other lines stay as they are, to the byte. With `state: mounted`, the new
/// fstab is in place only when the mount by it went well. A new line that would keep the node from starting is refused: a device that is not
/// there needs `nofail` or `noauto` in `opts`. systemd reads the fstab again behind each change.
///
/// # Differs from Ansible
/// - `absent` unmounts also what is in no fstab, and leaves a mount point that is not empty
/// - `ephemeral` changes nothing where the same is mounted already; Ansible mounts it again each time
/// - two lines of one mount point become one
///
/// # Needs
/// - `nfs-common` or `cifs-utils` on the node for file systems of the network
///
/// # Returns
/// - `name`: the mount point
/// - `src`, `fstype`, `opts`, `dump`, `passno`: what the line has
/// - `fstab`: the file
/// - `backup_file`: where the old file is kept
///
/// # Examples
/// ```yaml
/// - name: data on a disk of its own
///   mount:
///     path: /srv/data
///     src: "UUID=0a3407de-014b-458b-b5c1-848e92a327a3"
///     fstype: ext4
///     opts: "noatime,nofail"
///     passno: 2
///     state: mounted
/// - name: a file system in memory
///   mount:
///     path: /srv/cache
///     src: tmpfs
///     fstype: tmpfs
///     opts: "size=64m,mode=0755"
///     state: mounted
/// - name: a folder seen at another place
///   mount:
///     path: /srv/www/files
///     src: /srv/files
///     fstype: none
///     opts: bind
///     state: mounted
/// - name: not any more
///   mount: { path: /mnt/old, state: absent }
/// ```
pub static MOUNT: Kind = Kind {
    name: "mount",
    aliases: &["ansible.posix.mount"],
    summary: "mounts file systems, now and at each start",
    params: &[
        Param::new("path", ParamType::Str, "The mount point, an absolute path; `none` for swap.").required().aliases(&["name"]),
        Param::new("src", ParamType::Str, "What is mounted: a device, `UUID=…`, `LABEL=…`, a folder with `opts: bind`, `HOST:/PATH`."),
        Param::new("fstype", ParamType::Str, "The file system: `ext4`, `xfs`, `tmpfs`, `nfs`; `none` with `opts: bind`."),
        Param::new("opts", ParamType::Str, "Options, with commas.").default("defaults"),
        Param::new("opts_no_log", ParamType::Bool, "Whether `opts` are hidden, since a password is in them; then no diff of the fstab is shown.").default("false"),
        Param::new("dump", ParamType::Str, "For `dump`, which nobody has any more.").default("0"),
        Param::new("passno", ParamType::Str, "When it is checked at boot: 1 for the root, 2 for others, 0 for never.").default("0"),
        Param::new(
            "state",
            ParamType::Choice(&["absent", "absent_from_fstab", "ephemeral", "mounted", "present", "remounted", "unmounted"]),
            "`mounted`: in the fstab and mounted. `present`: in the fstab; nothing is mounted or unmounted. `absent`: in neither, and an empty mount point goes. `absent_from_fstab`: only that. `unmounted`: the fstab stays. `remounted`: mounted once more, each time. `ephemeral`: mounted, and the fstab stays.",
        )
        .required(),
        Param::new("boot", ParamType::Bool, "Whether it is mounted at boot; false adds `noauto` to `opts`.").default("true"),
        Param::new("fstab", ParamType::Path, "Another file than /etc/fstab, which no boot reads."),
        BACKUP,
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

const FSTAB: &str = "/etc/fstab";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    AbsentFromFstab,
    Ephemeral,
    Mounted,
    Present,
    Remounted,
    Unmounted,
}

impl State {
    fn read(word: &str) -> State {
        match word {
            "absent" => State::Absent,
            "absent_from_fstab" => State::AbsentFromFstab,
            "ephemeral" => State::Ephemeral,
            "mounted" => State::Mounted,
            "remounted" => State::Remounted,
            "unmounted" => State::Unmounted,
            _ => State::Present,
        }
    }

    /// Whether it says what is to be mounted.
    fn needs_source(self) -> bool {
        matches!(self, State::Ephemeral | State::Mounted | State::Present)
    }
}

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let state = args.literal("state").map(State::read);
    for name in ["src", "fstype"] {
        if state.is_some_and(State::needs_source) && !args.has(name) {
            let word = args.literal("state").unwrap_or_default();
            faults.push(Diagnostic::at(
                &args.span,
                format!("`mount` needs `{name}` with `state: {word}`"),
            ));
        }
    }
    for name in ["path", "src", "fstype", "opts", "dump", "passno"] {
        let Some(text) = args.literal(name) else {
            continue;
        };
        let place = args.value_place(name);
        if text.is_empty() || text.contains(['\n', '\0']) {
            let message = format!("`{name}` is one line with something in it");
            faults.push(Diagnostic::at(place, message));
        } else if name == "opts" && text.contains(char::is_whitespace) {
            faults.push(
                Diagnostic::at(place, "`opts` are separated by commas, without blanks")
                    .help("a blank ends them in the fstab"),
            );
        } else if ["dump", "passno"].contains(&name) && text.parse::<u8>().is_err() {
            faults.push(Diagnostic::at(
                place,
                format!("`{name}` is a small number, not `{text}`"),
            ));
        }
    }
    if let Some(path) = args.literal("path") {
        let fixed = matches!(
            state,
            Some(State::Absent | State::Unmounted | State::Ephemeral)
        );
        if fixed && super::file::absent::is_system(path) {
            let place = args.value_place("path");
            faults.push(
                Diagnostic::at(place, format!("`{path}` cannot be unmounted or covered"))
                    .help("the system is in it"),
            );
        }
        let swap = path == "none" && matches!(state, Some(State::Present | State::AbsentFromFstab));
        if !path.starts_with(['/', '~']) && !swap {
            let place = args.value_place("path");
            faults.push(
                Diagnostic::at(place, format!("`{path}` is no mount point"))
                    .help("write an absolute path; `none` is for swap with `state: present`"),
            );
        }
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let state = State::read(args.str("state").unwrap_or_default());
    let path = trimmed(args.str("path").unwrap_or_default());
    let tab = args.str("fstab").unwrap_or(FSTAB);
    let given = args.str("opts");
    let mut opts = given.unwrap_or("defaults").to_owned();
    if !args.bool("boot", true)
        && state != State::Ephemeral
        && !opts.split(',').any(|opt| opt == "noauto")
    {
        opts.push_str(",noauto");
    }
    let text = |name: &str, default: &str| args.str(name).unwrap_or(default).to_owned();
    Ok(Box::new(Mount {
        target: Target {
            dest: tab.into(),
            attributes: Attributes::of_nobody(controller),
            follow: true,
            force: true,
            backup: args.bool("backup", false),
            validate: None,
            folders: None,
        },
        path: path.into(),
        opts: given.map(str::to_owned),
        has_source: args.has("src"),
        entry: Entry {
            src: trimmed(&text("src", "")).to_owned(),
            path: path.to_owned(),
            fstype: text("fstype", ""),
            opts,
            dump: text("dump", "0"),
            passno: text("passno", "0"),
        },
        state,
        hides: args.bool("opts_no_log", false),
    }))
}

/// A mount point, and what it is to be.
struct Mount {
    /// The fstab.
    target: Target,
    path: Arc<str>,
    entry: Entry,
    /// As they were given.
    opts: Option<String>,
    has_source: bool,
    state: State,
    hides: bool,
}

impl Mount {
    /// The check of a new fstab, and the mount by it.
    fn validate(&self, mount: &str) -> Validate {
        let check = format!(
            "t=$1 p={}\n( {CHECK} ) || exit 1\n{mount}",
            crate::command::quote(&self.target.dest)
        );
        let shown = match mount.is_empty() {
            true => "findmnt --verify",
            false => "findmnt --verify and mount",
        };
        Validate::by_shell(shown, &check)
    }
}
