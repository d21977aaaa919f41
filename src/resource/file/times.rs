//! Times of a path, and `state: touch`.

use std::sync::Arc;

use super::super::folders::no_folder;
use super::super::place::{is_certain, is_folder, parent, standing, was};
use super::super::{Args, Param};
use super::File;
use crate::change::{Action, Change, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question, Stat};

/// A wanted time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Preserve,
    Now,
    /// Seconds since 1970.
    At(i64),
}

/// The wanted times of access and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    access: Time,
    modification: Time,
}

impl Times {
    /// Reads the parameters; `now` stands for what is not given when `touched`.
    pub fn bind(args: &Args, touched: bool) -> Result<Times, Diagnostic> {
        Ok(Times {
            access: time(args, "access_time", "access_time_format", touched)?,
            modification: time(
                args,
                "modification_time",
                "modification_time_format",
                touched,
            )?,
        })
    }

    /// Adds the step that sets the times of `stat`, if they differ. `now` always differs.
    pub fn settle(
        &self,
        mut change: Change,
        key: &Arc<str>,
        info: &PathInfo,
        stat: &Stat,
    ) -> Change {
        let link = if stat.kind == 'l' { " -h" } else { "" };
        let path = quote(&info.abs);
        let mut commands = Vec::new();
        let mut new = stat.clone();
        for (name, option, time, found) in [
            ("access_time", "-a", self.access, &mut new.atime),
            ("modification_time", "-m", self.modification, &mut new.mtime),
        ] {
            match time {
                Time::Preserve => continue,
                Time::At(at) if at == found.floor() as i64 => continue,
                Time::At(at) => {
                    change = change.field(Field::value(name, spell(*found as i64), spell(at)));
                    commands.push(format!("touch -c{link} {option} -d @{at} -- {path}"));
                    *found = at as f64;
                }
                Time::Now => {
                    change = change.field(Field::value(name, spell(*found as i64), "now"));
                    commands.push(format!("touch -c{link} {option} -- {path}"));
                }
            }
        }
        if commands.is_empty() {
            return change;
        }
        let mut step = Step::new(format!("set times of {key}"), commands.join(" &&\n"))
            .touch(Touch::Path(key.to_string()))
            .before(was(&info.abs, Some(stat), None))
            .verify(standing(&info.abs, stat, None));
        if is_certain(&new) && !self.is_now() {
            let info = PathInfo {
                stat: Some(new),
                ..info.clone()
            };
            step = step.predict(Question::Path(key.clone()), Answer::Path(info));
        }
        change.step(step)
    }

    /// Whether no time is ever set.
    pub fn are_preserved(&self) -> bool {
        self.access == Time::Preserve && self.modification == Time::Preserve
    }

    fn is_now(&self) -> bool {
        self.access == Time::Now || self.modification == Time::Now
    }
}

fn time(
    args: &Args,
    name: &'static str,
    format: &'static str,
    touched: bool,
) -> Result<Time, Diagnostic> {
    let Some(text) = args.str(name) else {
        return Ok(if touched { Time::Now } else { Time::Preserve });
    };
    match text {
        "preserve" => return Ok(Time::Preserve),
        "now" => return Ok(Time::Now),
        _ => {}
    }
    let default = || {
        let params: &[Param] = args.kind.params;
        let param = params.iter().find(|param| param.name == format);
        param.map_or("", |param| param.default)
    };
    let format = args.str(format).unwrap_or_else(default);
    let wrong = |error: jiff::Error| {
        Diagnostic::at(
            args.value_place(name),
            format!("`{text}` is not a time written as `{format}`"),
        )
        .label(error.to_string())
        .help("write `preserve`, `now`, or a time such as `202601312359.59`")
    };
    let parsed = jiff::fmt::strtime::parse(format, text).map_err(wrong)?;
    let zoned = parsed
        .to_datetime()
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(wrong)?;
    Ok(Time::At(zoned.timestamp().as_second()))
}

fn spell(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

impl File {
    /// Makes an empty file, or sets the times of what is there.
    pub(super) fn touch(&self, known: &Known) -> Result<Change, Missing> {
        let (key, info) = self.meant(known)?;
        if let Some(stat) = &info.stat {
            return self.settle(known, &key, info, stat, Change::none("it is as wanted"));
        }
        let folder = match parent(&key).map(|folder| Ok((folder, known.path(folder)?))) {
            Some(Ok((folder, info))) if !is_folder(info) => return Ok(no_folder(folder)),
            Some(Err(missing)) => return Err(missing),
            Some(Ok((_, info))) => info.stat.as_ref(),
            None => None,
        };
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let new = resolved.fresh('f', folder);
        let path = quote(&info.abs);
        let mut commands = vec![format!("touch -- {path}")];
        commands.extend(resolved.commands(&path, &resolved.plain('f', folder)));
        let mut step = Step::new(format!("make {key}"), commands.join(" &&\n"))
            .touch(Touch::Path(key.to_string()))
            .before(was(&info.abs, None, None))
            .verify(standing(&info.abs, &new, None));
        let empty = super::super::body::sha256(&[]);
        if is_certain(&new) {
            let info = PathInfo {
                stat: Some(new.clone()),
                ..info.clone()
            };
            step = step.predict(Question::Path(key.clone()), Answer::Path(info));
        }
        step = step
            .predict(Question::Digest(key.clone()), Answer::Digest(Some(empty)))
            .predict(Question::Text(key.clone()), Answer::Text(Some([].into())));
        let mut change = Change::new(Action::Create)
            .field(Field::value("state", "absent", "file"))
            .step(step);
        change.fields.extend(resolved.given(Some(&new)));
        // A time that is given is set behind it; `now` is what a new file has.
        let given = Times {
            access: self.times.access.given(),
            modification: self.times.modification.given(),
        };
        change = given.settle(change, &key, info, &new);
        Ok(self.result(change, info, Some(&new)))
    }
}

impl Time {
    fn given(self) -> Time {
        match self {
            Time::Now => Time::Preserve,
            time => time,
        }
    }
}
