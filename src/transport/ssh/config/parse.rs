//! From the text of files to their lines, with the files that they include.

use std::path::Path;
use std::sync::Arc;

use super::error::{ConfigError, Place};
use super::machine::{Machine, Unreadable};
use super::setting::{Line, line};
use super::tokens::{Who, tilde};

/// As deep as OpenSSH follows `Include`.
const DEEPEST: usize = 16;

/// The lines of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    pub(super) lines: Vec<Line>,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user's: what it includes lies in `~/.ssh` unless its path says otherwise.
    User,
    /// The machine's: what it includes lies in `/etc/ssh`.
    Machine,
}

/// What reading needs to know.
pub(super) struct Reader<'a> {
    pub(super) who: &'a Who,
    pub(super) machine: &'a dyn Machine,
    pub(super) owner: Owner,
}

impl Reader<'_> {
    /// Reads `path` and what it includes; `None` when there is no such file.
    pub(super) fn file(&self, path: &Path) -> Result<Option<File>, ConfigError> {
        self.read(path, &Place::Argument, 0)
    }

    fn read(&self, path: &Path, from: &Place, depth: usize) -> Result<Option<File>, ConfigError> {
        let shown = path.display();
        if depth > DEEPEST {
            return Err(from.error(format!(
                "`{shown}` is included {DEEPEST} files deep: do they include one another?"
            )));
        }
        let text = match self.machine.read(path, self.owner == Owner::User) {
            Ok(text) => text,
            Err(Unreadable::Missing) => return Ok(None),
            Err(Unreadable::Unsafe) => {
                let error = from.error(format!(
                    "others than its owner may write to `{shown}`, or it belongs to another account"
                ));
                return Err(error.help(format!("`chmod go-w '{shown}'`, as OpenSSH wants it too")));
            }
            Err(Unreadable::Failed(error)) => {
                return Err(from.error(format!("`{shown}` can't be read: {error}")));
            }
        };
        self.lines(&text, path, depth).map(Some)
    }

    /// The lines of `text`, which stands in `path`.
    pub(super) fn lines(&self, text: &str, path: &Path, depth: usize) -> Result<File, ConfigError> {
        let name: Arc<str> = path.display().to_string().into();
        let mut file = File::default();
        for (index, text) in text.split('\n').enumerate() {
            let place = Place::Line {
                file: Arc::clone(&name),
                line: index + 1,
            };
            let mut include = |words: &[String]| self.include(words, &place, depth);
            file.lines.extend(line(text, &place, &mut include)?);
        }
        Ok(file)
    }

    fn include(
        &self,
        words: &[String],
        place: &Place,
        depth: usize,
    ) -> Result<Vec<File>, ConfigError> {
        if words.is_empty() || words.iter().any(String::is_empty) {
            return Err(place.error("`Include` needs a value"));
        }
        let mut files = Vec::new();
        for word in words {
            let pattern = match (self.owner, word.starts_with(['/', '~'])) {
                (Owner::Machine, _) if word.starts_with('~') => {
                    return Err(place.error(format!(
                        "`{word}` is no path of the machine's own configuration: `~` is somebody's home"
                    )));
                }
                (_, true) => word.clone(),
                (Owner::User, false) => format!("~/.ssh/{word}"),
                (Owner::Machine, false) => format!("/etc/ssh/{word}"),
            };
            let pattern = tilde(&pattern, self.who).map_err(|error| place.error(error))?;
            for path in self.machine.list(&pattern) {
                files.extend(self.read(&path, place, depth + 1)?);
            }
        }
        Ok(files)
    }
}
