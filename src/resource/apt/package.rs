//! `package`: the generic name of `apt`.

use super::{PARAMS, REFUSED, bind, check};
use crate::resource::{Kind, Param, ParamType};

/// The row of `package`.
///
/// ```yaml
/// - package: { name: [nginx, curl], state: present }
/// ```
///
/// It is `apt` with all its parameters: Ansible hands them through too.
pub static PACKAGE: Kind = Kind {
    name: "package",
    aliases: &["ansible.builtin.package", "ansible.legacy.package"],
    summary: "installs, upgrades and removes packages: by `apt`, with its parameters",
    params: &WITH_USE,
    free_form: None,
    refused: REFUSED,
    check,
    bind,
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
