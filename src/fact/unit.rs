//! Questions about systemd units.

use std::sync::Arc;

use super::{Answer, FactError, Question};
use crate::command::quote;

/// A systemd unit, from `systemctl show`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitInfo {
    /// `loaded`, `not-found`, `masked`, `bad-setting` …
    pub load: Arc<str>,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: Arc<str>,
    /// `running`, `exited`, `dead` …
    pub sub: Arc<str>,
    /// `enabled`, `disabled`, `static`, `masked` … empty for a unit without a file.
    pub enabled: Arc<str>,
    /// Whether its files changed since systemd read them.
    pub needs_reload: bool,
    /// `simple`, `oneshot` …
    pub service_type: Arc<str>,
    /// Whether a oneshot counts as active after its end.
    pub remain_after_exit: bool,
    /// `success`, `exit-code` … of the last run.
    pub result: Arc<str>,
}

/// The key that asks whether any file of a unit changed since systemd last read them all.
pub const ANY: &str = "*";

/// The full name of a unit: without a suffix it is a service.
pub fn full_name(name: &str) -> String {
    const SUFFIXES: [&str; 11] = [
        ".service",
        ".socket",
        ".timer",
        ".target",
        ".mount",
        ".automount",
        ".path",
        ".slice",
        ".swap",
        ".device",
        ".scope",
    ];
    if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        name.to_owned()
    } else {
        format!("{name}.service")
    }
}

/// Whether systemd could have a unit of that name: others make a bulk question fail, or stand for several units.
pub fn well_formed(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":_.\\@-".contains(c);
    name.len() < 256 && !name.starts_with(['.', '-', '@']) && name.chars().all(allowed)
}

fn is_template(name: &str) -> bool {
    name.contains("@.")
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

const PROPERTIES: &str =
    "LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Type,RemainAfterExit,Result";

/// One `systemctl show` for all. It prints a record a unit, in the order asked, with an empty line between; a template name
/// would end it with an error, so templates are asked apart.
pub(super) fn units_script(keys: &[&str]) -> String {
    let mut script = String::new();
    let plain = plain(keys);
    if !plain.is_empty() {
        script.push_str(&format!("systemctl show -p {PROPERTIES} --"));
        for key in &plain {
            script.push(' ');
            script.push_str(&quote(key));
        }
        script.push_str(" 2>&1\n");
    }
    for key in keys
        .iter()
        .filter(|key| is_template(key) && well_formed(key))
    {
        script.push_str(&format!(
            "printf '\\n@template\\n'\nif systemctl cat -- {key} >/dev/null 2>&1; then \
             printf 'LoadState=loaded\\nUnitFileState=%s\\n' \"$(systemctl is-enabled -- {key} 2>/dev/null)\"; \
             else echo LoadState=not-found; fi\n",
            key = quote(key)
        ));
    }
    if keys.contains(&ANY) {
        script.push_str(CHANGED);
    }
    script
}

/// Asking each unit whether it needs a reload takes ten times as long, and does not see links below `.wants`, nor /etc/fstab.
/// Until it is reloaded for the first time, systemd has no time of that: it read its files when it began.
const CHANGED: &str = r#"since=$(systemctl show -p UnitsLoadTimestamp --value --timestamp=us+utc)
[ -n "$since" ] || since=$(systemctl show -p UnitsLoadStartTimestamp --value --timestamp=us+utc)
printf '\n@any\n'
if [ -n "$since" ] && [ -z "$(find /etc/fstab /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system -newerct "$since" -print -quit 2>/dev/null)" ]
then echo NeedDaemonReload=no; else echo NeedDaemonReload=yes; fi
"#;

fn plain<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    keys.iter()
        .copied()
        .filter(|key| well_formed(key) && !is_template(key))
        .collect()
}

pub(super) fn parse_units(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut plain_records = Vec::new();
    let mut templates = Vec::new();
    let mut any = None;
    for record in text.split("\n\n").map(str::trim).filter(|r| !r.is_empty()) {
        match record.split_once('\n') {
            Some(("@template", rest)) => templates.push(rest),
            Some(("@any", rest)) => any = Some(rest),
            _ => plain_records.push(record),
        }
    }
    let asked = plain(keys);
    if plain_records.len() != asked.len() || plain_records.iter().any(|r| !r.contains("LoadState="))
    {
        return Err(FactError {
            subject: "units",
            reason: format!(
                "`systemctl show` said: {}",
                plain_records
                    .iter()
                    .find(|record| !record.contains("LoadState="))
                    .unwrap_or(&"too little")
            ),
        });
    }
    let mut plain_records = plain_records.into_iter();
    let mut templates = templates.into_iter();
    Ok(keys
        .iter()
        .map(|key| {
            let record = if *key == ANY {
                any
            } else if !well_formed(key) {
                None
            } else if is_template(key) {
                templates.next()
            } else {
                plain_records.next()
            };
            (
                Question::Unit((*key).into()),
                Answer::Unit(unit(record.unwrap_or("LoadState=not-found"))),
            )
        })
        .collect())
}

fn unit(record: &str) -> UnitInfo {
    let property = |name: &str| -> Arc<str> {
        record
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or("")
            .into()
    };
    let or = |value: Arc<str>, default: &str| -> Arc<str> {
        if value.is_empty() {
            default.into()
        } else {
            value
        }
    };
    UnitInfo {
        load: or(property("LoadState"), "loaded"),
        active: or(property("ActiveState"), "inactive"),
        sub: or(property("SubState"), "dead"),
        enabled: property("UnitFileState"),
        needs_reload: &*property("NeedDaemonReload") == "yes",
        service_type: property("Type"),
        remain_after_exit: &*property("RemainAfterExit") == "yes",
        result: property("Result"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(keys: &[&str], body: &str) -> Vec<UnitInfo> {
        parse_units(keys, body.as_bytes())
            .expect("it is readable")
            .into_iter()
            .map(|(_, answer)| match answer {
                Answer::Unit(info) => info,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// As Debian 12 and 13 print it, the second name an alias of `systemd-logind.service`.
    const SHOWN: &str = "Type=notify\nRemainAfterExit=no\nResult=success\nLoadState=loaded\nActiveState=active\nSubState=running\n\
        UnitFileState=static\nNeedDaemonReload=yes\n\nType=notify-reload\nRemainAfterExit=no\nResult=success\nLoadState=loaded\n\
        ActiveState=active\nSubState=running\nUnitFileState=alias\nNeedDaemonReload=no\n\nResult=success\nLoadState=not-found\n\
        ActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\n";

    #[test]
    fn records_are_told_apart_by_their_order() {
        let keys = [
            "dbus.service",
            "dbus-org.freedesktop.login1.service",
            "no.timer",
        ];
        let infos = units(&keys, SHOWN);
        assert_eq!(&*infos[0].service_type, "notify");
        assert!(infos[0].needs_reload && !infos[1].needs_reload);
        assert_eq!(&*infos[1].enabled, "alias");
        assert_eq!(&*infos[2].load, "not-found");
        assert_eq!(&*infos[2].enabled, "");
    }

    #[test]
    fn templates_and_impossible_names_do_not_spoil_the_others() {
        let keys = ["*", "a b.service", "dbus.service", "getty@.service"];
        let script = units_script(&keys);
        assert!(
            script.starts_with("systemctl show -p LoadState,"),
            "{script}"
        );
        assert!(script.contains("-- dbus.service 2>&1\n"), "{script}");
        let body = "LoadState=loaded\nActiveState=active\n\n@template\nLoadState=loaded\nUnitFileState=disabled\n\n@any\nNeedDaemonReload=yes\n";
        let infos = units(&keys, body);
        assert!(infos[0].needs_reload);
        assert_eq!(&*infos[1].load, "not-found");
        assert_eq!(&*infos[2].active, "active");
        assert_eq!(&*infos[3].enabled, "disabled");
    }

    #[test]
    fn after_a_boot_systemd_has_read_its_files_when_it_began() {
        let reloaded = "UnitsLoadTimestamp) echo 'Mon 2001-01-01 00:00:00.000001 UTC' ;;";
        let began = "UnitsLoadStartTimestamp) echo 'Sun 2198-12-30 00:00:00.000001 UTC' ;;";
        for (known, wanted) in [
            (began.to_owned(), "no"),
            (format!("{reloaded} {began}"), "yes"),
            (String::new(), "yes"),
        ] {
            let script = format!(
                "systemctl() {{ case $3 in {known} esac; }}\nfind() {{ case $* in *2001*) echo new ;; esac; }}\n{CHANGED}"
            );
            let ran = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            let last = said.lines().last();
            assert_eq!(
                last,
                Some(&*format!("NeedDaemonReload={wanted}")),
                "{known}"
            );
        }
    }

    #[test]
    fn a_silent_systemd_is_an_error() {
        let said = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus\n";
        let error = parse_units(&["dbus.service"], said.as_bytes()).expect_err("no record");
        assert!(
            error.to_string().contains("System has not been booted"),
            "{error}"
        );
    }

    #[test]
    fn a_name_without_a_suffix_is_a_service() {
        assert_eq!(full_name("nginx"), "nginx.service");
        assert_eq!(full_name("apt-daily.timer"), "apt-daily.timer");
        assert_eq!(full_name("redis-server@6380"), "redis-server@6380.service");
        assert_eq!(full_name("php8.2-fpm"), "php8.2-fpm.service");
    }
}
