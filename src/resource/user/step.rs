//! The step that writes an account, with what it was decided on and what must be so behind it.

use super::write::Wanted;
use crate::change::{Expect, Step, Touch};
use crate::command::quote;
use crate::fact::{AccountInfo, Answer, Question};

impl Wanted {
    /// That the account is still what this was decided on; nothing when it was itself a prediction.
    pub(super) fn unmoved(&self, info: &AccountInfo) -> Option<Expect> {
        let (uid, gid) = info.uid.zip(info.gid)?;
        let line = format!("{uid}:{gid}:{}:{}:{}", info.comment, info.home, info.shell);
        Some(Expect::Check {
            field: "account".to_owned(),
            script: format!(
                "found=$(getent passwd -- {} | cut -d : -f 3-)\n[ \"$found\" = {} ] || {{ printf %s \"$found\"; exit 1; }}",
                quote(&self.name),
                quote(&line)
            ),
        })
    }

    /// The mode is what `useradd` would have given it.
    pub(super) fn home_script(&self, home: &str) -> String {
        let skeleton = self.skeleton.as_deref().unwrap_or("/etc/skel");
        let umask = self.umask.as_deref().unwrap_or("");
        format!(
            "home={home} mask={umask}\nif [ -z \"$mask\" ]; then\n\
             mode=$(sed -n 's/^[[:space:]]*HOME_MODE[[:space:]]*//p' /etc/login.defs 2>/dev/null | tail -n 1)\n\
             mask=$(sed -n 's/^[[:space:]]*UMASK[[:space:]]*//p' /etc/login.defs 2>/dev/null | tail -n 1)\nfi\n\
             (umask 022 && mkdir -p -- \"$home\") || exit\n\
             [ ! -d {skeleton} ] || cp -RT -- {skeleton} \"$home\" || exit\n\
             chown -R -h -- {name}: \"$home\" || exit\n\
             chmod \"${{mode:-$(printf %o $((0777 & ~0${{mask:-022}})))}}\" -- \"$home\"",
            home = quote(home),
            umask = quote(umask),
            skeleton = quote(skeleton),
            name = quote(&self.name),
        )
    }

    pub(super) fn step(&self, verb: &str, script: String, after: Option<AccountInfo>) -> Step {
        let name = quote(&self.name);
        let checks: Vec<Expect> = match &after {
            None => vec![("account", format!("! getent passwd -- {name}"))],
            Some(end) => {
                let entry = |column: usize, value: &str| {
                    let value = quote(value);
                    format!(
                        "found=$(getent passwd -- {name} | cut -d : -f {column})\n[ \"$found\" = {value} ] || {{ printf %s \"$found\"; exit 1; }}"
                    )
                };
                let mut checks = vec![
                    ("comment", entry(5, &end.comment)),
                    ("home", entry(6, &end.home)),
                ];
                if let Some(uid) = end.uid {
                    checks.push(("uid", entry(3, &uid.to_string())));
                }
                if self.shell.is_some() {
                    checks.push(("shell", entry(7, &end.shell)));
                }
                if let Some(groups) = self.groups.as_ref().filter(|groups| !groups.is_empty()) {
                    let wanted: Vec<String> = groups.iter().map(|group| quote(group)).collect();
                    checks.push((
                        "groups",
                        format!(
                            "found=$(id -nG -- {name})\nfor group in {}; do case \" $found \" in *\" $group \"*) ;; *) printf %s \"$found\"; exit 1 ;; esac; done",
                            wanted.join(" ")
                        ),
                    ));
                }
                checks.extend(self.aging.checks(&self.name));
                checks
            }
        }
        .into_iter()
        .map(|(field, script)| Expect::Check {
            field: field.to_owned(),
            script,
        })
        .collect();
        let home = after.as_ref().map(|end| Touch::Path(end.home.to_string()));
        let mut step = Step::new(format!("{verb} account {}", self.name), script)
            .touch(Touch::Account(self.name.clone()))
            .predict(
                Question::Account(self.name.as_str().into()),
                Answer::Account(after),
            );
        step.verify = checks;
        step.touches.extend(home);
        step
    }
}
