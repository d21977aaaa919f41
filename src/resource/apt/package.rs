//! `package`: the generic name of `apt`.

use super::{PARAMS, REFUSED, bind, check};
use crate::resource::{Kind, Param, ParamType};

/// Brings packages to the wanted state. It is `apt` with all its parameters, as Ansible hands them through too: nodes are Debian.
///
/// # Differs from Ansible
/// - `use` can only be `auto` or `apt`
/// - what differs for `apt` differs here too
///
/// # Returns
/// - `cache_updated`: whether package lists were fetched
///
/// # Examples
/// ```yaml
/// - name: a web server, and what asks it
///   package: { name: [nginx, curl], state: present }
///
/// - name: no mail server
///   package: { name: postfix, state: absent }
/// ```
pub static PACKAGE: Kind = Kind {
    name: "package",
    aliases: &["ansible.builtin.package", "ansible.legacy.package"],
    summary: "installs, upgrades and removes packages: by `apt`, with its parameters",
    params: &WITH_USE,
    free_form: None,
    refused: &OF_ALL,
    check,
    bind,
};

/// Parameters of other package managers, which roles for several systems pass on to all; they may be omitted here.
const OF_OTHERS: [(&str, &str); 4] = [
    ("disable_gpg_check", NOT_APT),
    ("disablerepo", NOT_APT),
    ("enablerepo", NOT_APT),
    ("update_only", NOT_APT),
];
const NOT_APT: &str =
    "only other package managers have it; on Debian leave it out, or make it `omit`";

const OF_ALL: [(&str, &str); REFUSED.len() + OF_OTHERS.len()] = {
    let mut all = [("", ""); REFUSED.len() + OF_OTHERS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < REFUSED.len() {
            REFUSED[index]
        } else {
            OF_OTHERS[index - REFUSED.len()]
        };
        index += 1;
    }
    all
};

const USE: Param = Param::new(
    "use",
    ParamType::Choice(&["auto", "apt"]),
    "Accepted; nodes are Debian.",
)
.default("auto");

const WITH_USE: [Param; PARAMS.len() + 1] = {
    let mut all = [USE; PARAMS.len() + 1];
    let mut at = 0;
    while at < PARAMS.len() {
        all[at] = PARAMS[at];
        at += 1;
    }
    all
};
