//! An SSH key of the account's own.

use crate::change::{Change, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::fact::{AccountInfo, Known, Missing, Question};
use crate::resource::Args;

/// The key that is made when none is there.
pub(super) struct Key {
    kind: String,
    bits: Option<i64>,
    file: String,
    comment: Option<String>,
}

impl Key {
    pub(super) fn new(args: &Args) -> Key {
        let kind = args.str("ssh_key_type").unwrap_or("rsa").to_owned();
        Key {
            bits: args.int("ssh_key_bits"),
            file: args
                .str("ssh_key_file")
                .map_or(format!(".ssh/id_{kind}"), str::to_owned),
            comment: args.str("ssh_key_comment").map(str::to_owned),
            kind,
        }
    }

    /// Where it lies, as the node resolves it.
    fn path(&self, name: &str) -> String {
        match self.file.starts_with('/') {
            true => self.file.clone(),
            false => format!("~{name}/{}", self.file.trim_start_matches("~/")),
        }
    }

    pub(super) fn questions(&self, name: &str) -> [Question; 2] {
        let path = self.path(name);
        [
            Question::Path(path.as_str().into()),
            Question::Text(format!("{path}.pub").into()),
        ]
    }

    pub(super) fn diff(
        &self,
        change: Change,
        known: &Known,
        name: &str,
        end: &AccountInfo,
    ) -> Result<Change, Missing> {
        let mut path = self.path(name);
        let absolute = match self.file.starts_with('/') {
            true => self.file.clone(),
            false => format!(
                "{}/{}",
                end.home.trim_end_matches('/'),
                self.file.trim_start_matches("~/")
            ),
        };
        let mut change = change.result("ssh_key_file", absolute.as_str());
        let found = known.path(&path)?;
        let mut there = found.stat.is_some();
        if found.abs.starts_with('~') && known.path(&absolute)?.stat.is_some() {
            // The account is gone, its home stands.
            there = true;
            path.clone_from(&absolute);
        }
        if there {
            if let Some(public) = known.text(&format!("{path}.pub"))? {
                change =
                    change.result("ssh_public_key", String::from_utf8_lossy(public).trim_end());
            }
            return Ok(change);
        }
        let mut command =
            Command::new("ssh-keygen").args(["-q", "-N", "", "-t", self.kind.as_str()]);
        if let Some(bits) = self.bits {
            command = command.arg("-b").arg(bits.to_string());
        }
        let comment = match &self.comment {
            Some(comment) => quote(comment),
            None => format!("{}@\"$(uname -n)\"", quote(name)),
        };
        let script = format!(
            "command -v ssh-keygen >/dev/null || {{ echo 'ssh-keygen is not there; install the package openssh-client' >&2; exit 127; }}\n\
             file={file} owner={owner}\nfolder=${{file%/*}}\n\
             [ -d \"$folder\" ] || install -d -m 0700 -o \"$owner\" -g \"$(id -g -- \"$owner\")\" -- \"$folder\" || exit\n\
             {command} -C {comment} -f \"$file\" </dev/null || exit\n\
             chown -h -- \"$owner:\" \"$file\" \"$file.pub\"",
            file = quote(&absolute),
            owner = quote(name),
        );
        Ok(change
            .field(Field::value("ssh key", "absent", absolute.as_str()))
            .step(
                Step::new(format!("make an SSH key for {name}"), script)
                    .touch(Touch::Path(absolute.clone()))
                    .touch(Touch::Path(format!("{absolute}.pub")))
                    .touch(Touch::Path(path)),
            ))
    }
}
