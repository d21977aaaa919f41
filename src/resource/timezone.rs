//! `timezone`: the time zone of the node, and what its hardware clock counts in.

use std::sync::Arc;

use super::place::{standing, temporary, was};
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};

/// Sets the time zone: the link /etc/localtime, and /etc/timezone where there is one. Programs that run already keep the zone they began with;
/// notify a handler that restarts those for which it matters, such as cron.
///
/// # Differs from Ansible
/// - the files are written as `timedatectl` writes them; it is only used for `hwclock`
/// - a zone that the node does not know is a failure before anything is written
///
/// # Needs
/// - the package `tzdata` on the node
///
/// # Examples
/// ```yaml
/// - name: times are those of Berlin
///   timezone: { name: Europe/Berlin }
///   notify: restart cron
/// - name: the hardware clock counts in UTC
///   timezone: { hwclock: UTC }
/// ```
pub static TIMEZONE: Kind = Kind {
    name: "timezone",
    aliases: &["community.general.timezone"],
    summary: "sets the time zone of the node",
    params: &[
        Param::new("name", ParamType::Str, "The zone, such as `Europe/Berlin` or `UTC`."),
        Param::new(
            "hwclock",
            ParamType::Choice(&["local", "UTC"]),
            "What the hardware clock counts in. Virtual machines mostly have none that could be set.",
        )
        .aliases(&["rtc"]),
    ],
    free_form: None,
    refused: &[],
    check: |args| {
        let mut faults = args.one_of_required(&["name", "hwclock"]);
        faults.extend(args.literal("name").and_then(|name| fault(name, args)));
        faults
    },
    bind: |args, _| bind(args),
};

const LOCALTIME: &str = "/etc/localtime";
const TIMEZONE_FILE: &str = "/etc/timezone";
const ADJTIME: &str = "/etc/adjtime";
const ZONES: &str = "/usr/share/zoneinfo";

/// What is wrong with the name of a zone.
fn fault(name: &str, args: &Args) -> Option<Diagnostic> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    (!name.split('/').all(part)).then(|| {
        Diagnostic::at(
            args.value_place("name"),
            format!("`{name}` cannot be the name of a time zone"),
        )
        .help("it is written as `timedatectl list-timezones` shows it, such as `Europe/Berlin`")
    })
}

fn bind(args: &Args) -> Bound {
    let name = args.str("name");
    if let Some(fault) = name.and_then(|name| fault(name, args)) {
        return Err(fault.into());
    }
    Ok(Box::new(Timezone {
        name: name.map(str::to_owned),
        local: args.str("hwclock").map(|word| word == "local"),
    }))
}

/// The zone and clock a node is to have.
struct Timezone {
    name: Option<String>,
    /// Whether the hardware clock counts in local time, if that is looked after.
    local: Option<bool>,
}

impl Resource for Timezone {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = Vec::new();
        if let Some(name) = &self.name {
            for path in [LOCALTIME, TIMEZONE_FILE] {
                questions.push(Question::Path(path.into()));
            }
            questions.push(Question::Text(TIMEZONE_FILE.into()));
            questions.push(Question::Path(zone(name).into()));
        }
        if self.local.is_some() {
            questions.extend([
                Question::Path(ADJTIME.into()),
                Question::Text(ADJTIME.into()),
            ]);
        }
        known.need(questions)?;
        let mut change = Change::new(Action::Update);
        if let Some(name) = &self.name {
            let stat = known.path(&zone(name))?.stat.as_ref();
            if stat.is_none_or(|stat| stat.target_kind != 'f') {
                return Ok(Change::blocked(format!("the node knows no time zone `{name}`")).help(
                    "install the package `tzdata` before this task, or correct the name: `timedatectl list-timezones` shows all",
                ));
            }
            change = self.zoned(known, name, change)?;
        }
        if let Some(local) = self.local {
            let text = known.text(ADJTIME)?.map(|text| text.to_vec());
            let text = String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned();
            let now = text.lines().nth(2) == Some("LOCAL");
            if now != local {
                change = change
                    .field(Field::value("hwclock", word(now), word(local)))
                    .step(clock(local));
            }
        }
        if change.steps.is_empty() {
            return Ok(Change::none("the zone is as wanted"));
        }
        Ok(change)
    }
}

fn word(local: bool) -> &'static str {
    if local { "local" } else { "UTC" }
}

fn zone(name: &str) -> String {
    format!("{ZONES}/{name}")
}

impl Timezone {
    fn zoned(&self, known: &Known, name: &str, mut change: Change) -> Result<Change, Missing> {
        let info = known.path(LOCALTIME)?;
        let stat = info.stat.as_ref();
        let leads = stat.and_then(|stat| stat.link.as_deref());
        // Debian writes it absolute; systemd relative.
        let now = leads.and_then(|link| {
            link.trim_start_matches("..")
                .strip_prefix("/usr/share/zoneinfo/")
        });
        if let Some(stat) = stat.filter(|stat| !matches!(stat.kind, 'f' | 'l')) {
            let found = super::place::state(Some(stat));
            return Ok(Change::failed(format!(
                "`{LOCALTIME}` is a {found}, not a link"
            )));
        }
        if now != Some(name) {
            let before = match (now, stat) {
                (Some(now), _) => now,
                (None, Some(_)) => "unknown",
                (None, None) => "",
            };
            change = change
                .field(Field::value("name", before, name))
                .step(link(name, info));
        }
        if known.path(TIMEZONE_FILE)?.stat.is_none() {
            return Ok(change);
        }
        let text = known.text(TIMEZONE_FILE)?;
        let text = text.map(|text| String::from_utf8_lossy(text).trim().to_owned());
        let kept = text.unwrap_or_default();
        if kept != name {
            if change.fields.is_empty() {
                change = change.field(Field::value("name", kept, name));
            }
            let path = Question::Path(TIMEZONE_FILE.into());
            let old = known.path(TIMEZONE_FILE)?.clone();
            let new: Arc<[u8]> = format!("{name}\n").into_bytes().into();
            let script = format!(
                "{}printf '%s\\n' {} >\"$t\" && chmod 0644 \"$t\" && mv -fT -- \"$t\" {TIMEZONE_FILE} && trap - EXIT",
                temporary(TIMEZONE_FILE),
                quote(name)
            );
            change = change.step(
                Step::new(format!("write {TIMEZONE_FILE}"), script)
                    .touch(Touch::Path(TIMEZONE_FILE.to_owned()))
                    .predict(path, Answer::Path(old))
                    .predict(Question::Text(TIMEZONE_FILE.into()), Answer::Text(Some(new)))
                    .verify(Expect::Check {
                        field: "name".to_owned(),
                        script: format!(
                            "found=$(cat {TIMEZONE_FILE})\n[ \"$found\" = {} ] || {{ printf %s \"$found\"; exit 1; }}",
                            quote(name)
                        ),
                    }),
            );
        }
        Ok(change)
    }
}

/// Puts the link in place by a rename: who reads the time meanwhile finds the old zone or the new.
fn link(name: &str, info: &PathInfo) -> Step {
    let target = zone(name);
    let mut stat = Stat {
        kind: 'l',
        target_kind: 'f',
        mode: 0o777,
        uid: Some(0),
        gid: Some(0),
        owner: "root".into(),
        group: "root".into(),
        size: target.len() as u64,
        mtime: 0.0,
        atime: 0.0,
        ctime: 0.0,
        inode: 0,
        links: 1,
        device: 0,
        link: Some(target.as_str().into()),
    };
    let script = format!(
        "{}ln -s -- {} \"$t\" && mv -fT -- \"$t\" {LOCALTIME} && trap - EXIT",
        temporary(LOCALTIME),
        quote(&target)
    );
    let verify = standing(LOCALTIME, &stat, None);
    stat.size = 0;
    let made = PathInfo {
        abs: info.abs.clone(),
        real: target.as_str().into(),
        stat: Some(stat),
    };
    Step::new(format!("set the time zone to {name}"), script)
        .touch(Touch::Path(LOCALTIME.to_owned()))
        .before(was(LOCALTIME, info.stat.as_ref(), None))
        .predict(Question::Path(LOCALTIME.into()), Answer::Path(made))
        .verify(verify)
}

/// `timedatectl` tells the kernel too.
fn clock(local: bool) -> Step {
    let (word, number) = (word(local), u8::from(local));
    let script = format!("timedatectl set-local-rtc {number}");
    // What it writes: three lines, or none for UTC.
    let check = format!(
        "found=$(sed -n 3p {ADJTIME} 2>/dev/null)\n[ \"${{found:-UTC}}\" = {} ] || {{ printf %s \"$found\"; exit 1; }}",
        if local { "LOCAL" } else { "UTC" }
    );
    let text: Arc<[u8]> = format!("0.0 0 0\n0\n{}\n", if local { "LOCAL" } else { "UTC" })
        .into_bytes()
        .into();
    let path = PathInfo {
        abs: ADJTIME.into(),
        real: ADJTIME.into(),
        stat: None,
    };
    Step::new(format!("have the hardware clock count in {word}"), script)
        .touch(Touch::Path(ADJTIME.to_owned()))
        .predict(Question::Path(ADJTIME.into()), Answer::Path(path))
        .predict(Question::Text(ADJTIME.into()), Answer::Text(Some(text)))
        .verify(Expect::Check {
            field: "hwclock".to_owned(),
            script: check,
        })
}
