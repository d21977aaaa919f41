//! Ends of acts that are read by their kind, and files that steps bring to the controller.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::verdict::UnitEnd;
use crate::change::{ActOutput, Interpreted, LocalFile, Reading};
use crate::event::{Failure, Status};

impl UnitEnd {
    /// Enters what an act's end means. `None` when it is a command's end, to be told as such.
    pub(super) fn acted(&mut self, reading: &Reading, output: &ActOutput) -> Option<()> {
        let Interpreted {
            changed,
            message,
            help,
            result,
        } = reading.read(output)?;
        self.rc = Some(output.rc);
        self.result.extend(result);
        self.msg = message;
        self.status = if changed { Status::Changed } else { Status::Ok };
        if output.rc != 0 {
            let mut failure = Failure::new(self.msg.clone());
            failure.rc = self.rc;
            failure.help = help;
            self.status = Status::Failed;
            self.failure = Some(failure);
            self.changed = changed;
        }
        Some(())
    }

    /// Writes the file its change has brought to the controller.
    pub(super) fn keep(&mut self, file: &LocalFile) {
        if let Err(error) = write(file) {
            let path = file.path.display();
            let failure = Failure::new(format!("`{path}` cannot be written here: {error}"))
                .help("the file of the node was read; look at the folder on this machine");
            *self = UnitEnd::failed(failure);
        }
    }
}

/// Beside the target, then renamed: whoever reads it meanwhile has the old one or the new.
fn write(file: &LocalFile) -> io::Result<()> {
    let folder = match file.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    // Its mode is the umask's to say, as for every file a user makes.
    let mut beside = tempfile::Builder::new()
        .prefix(".hadeploy-")
        .make_in(folder, |path| {
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(path)
        })?;
    beside.write_all(&file.bytes)?;
    beside.as_file().sync_all()?;
    beside
        .into_temp_path()
        .persist(&file.path)
        .map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n1/etc/motd");
        for text in ["old", "new"] {
            let file = LocalFile {
                path: path.clone(),
                bytes: text.as_bytes().into(),
            };
            write(&file).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let taken = LocalFile {
            path: path.parent().unwrap().to_owned(),
            bytes: b"x".as_slice().into(),
        };
        assert!(write(&taken).is_err());
        let left: Vec<_> = fs::read_dir(folder.path().join("n1/etc"))
            .unwrap()
            .chain(fs::read_dir(folder.path().join("n1")).unwrap())
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["motd", "etc"]);
    }
}
