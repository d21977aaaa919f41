//! The crontab of an account. It is written by `crontab`, which refuses what cron could not read and tells cron of it.

use super::super::attributes::absent;
use super::super::body::{Body, text};
use super::table::headless;
use crate::change::{Action, Change, Content, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::fact::{Answer, Known, Missing, Question};

const PROGRAM: &str = "/usr/bin/crontab";

/// Whose crontab it is.
pub struct Spool {
    /// The account.
    pub user: String,
    /// Whether the old one is kept.
    pub backup: bool,
}

impl Spool {
    fn path(&self) -> String {
        format!("/var/spool/cron/crontabs/{}", self.user)
    }

    /// The crontab without the lines that `crontab` writes above it, none when there is no crontab; or why there cannot be one.
    pub fn read(&self, known: &Known) -> Result<Result<Option<String>, Box<Change>>, Missing> {
        let path = self.path();
        let account = (self.user != "root").then(|| Question::Account(self.user.as_str().into()));
        let asked = [
            Question::Path(PROGRAM.into()),
            Question::Text(path.as_str().into()),
        ];
        known.need(asked.into_iter().chain(account.clone()))?;
        if account.is_some() && known.account(&self.user)?.is_none() {
            return Ok(Err(Box::new(absent("user", &self.user))));
        }
        if known.path(PROGRAM)?.stat.is_none() {
            return Ok(Err(Box::new(
                Change::blocked("there is no cron on the node")
                    .help("install the package `cron` with `apt` before this task"),
            )));
        }
        Ok(match known.text(&path)? {
            Some(text) => utf8(text).map(|text| Some(headless(&text).to_owned())),
            None => Ok(None),
        })
    }

    /// The change that gives the account this crontab.
    pub fn write(&self, known: &Known, old: Option<&str>, new: &str) -> Change {
        let body = Body::new(new.as_bytes());
        let before = Body::new(old.unwrap_or_default().as_bytes());
        let shown = |body: &Body| {
            body.bytes()
                .filter(|_| known.wants_diff)
                .and_then(|bytes| text(bytes))
        };
        let user = quote(&self.user);
        let is = |wanted: &Body| Expect::Check {
            field: "crontab".to_owned(),
            script: format!(
                "found=$(crontab -u {user} -l 2>/dev/null | sha256sum)\n[ \"$found\" = '{}  -' ] || {{ printf %s 'another content'; exit 1; }}",
                wanted.sha256
            ),
        };
        let mut script = format!("crontab -u {user} \"$IN1\"");
        let mut change = Change::new(if old.is_some() {
            Action::Update
        } else {
            Action::Create
        });
        if self.backup && old.is_some() {
            let kept = format!(
                "/var/backups/crontab.{}.{}~",
                self.user,
                &before.sha256[..12]
            );
            script = format!(
                "cp -pT -- {} {} &&\n{script}",
                quote(&self.path()),
                quote(&kept)
            );
            change = change.result("backup_file", kept);
        }
        let path = self.path();
        let mut step = Step::new(format!("write the crontab of {}", self.user), script)
            .touch(Touch::Path(path.clone()))
            .before(is(&before))
            .verify(is(&body))
            .input(Content::Bytes(new.as_bytes().into()));
        step = step.predict(
            Question::Text(path.into()),
            Answer::Text(Some(new.as_bytes().into())),
        );
        change
            .field(Field::Text {
                field: "content".to_owned(),
                before_sha256: old.map(|_| before.sha256.to_string()),
                after_sha256: Some(body.sha256.to_string()),
                before: old.and_then(|_| shown(&before)),
                after: shown(&body),
            })
            .step(step)
    }
}

/// The text of a crontab; one that is not UTF-8 would not come back as it is.
pub fn utf8(bytes: &[u8]) -> Result<String, Box<Change>> {
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        Box::new(
            Change::failed("the crontab is not UTF-8").help("convert it by hand, with `iconv`"),
        )
    })
}
