//! `tempfile`: a file or folder with a name of its own.

use serde_json::Map;

use super::command::words::tilde;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{ActOutput, Action, Change, Interpreted, Reading, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Makes a file or folder under a name that nobody has yet, for its owner only. It stays until a task removes it. What becomes of it is known
/// only when it is made: in a plan, tasks that read its `path` are known after this one.
///
/// # Returns
/// - `path`: where it is
/// - `state`: `file` or `directory`
/// - `mode`: its permissions
/// - `owner`: the account that it belongs to
/// - `group`: the group
/// - `uid`: the account's number
/// - `gid`: the group's number
/// - `size`: its size in bytes
///
/// # Examples
/// ```yaml
/// - name: a folder to build in
///   tempfile: { state: directory, suffix: .build }
///   register: built
/// - name: it goes again
///   file: { path: "{{ built.path }}", state: absent }
///   when: built.path is defined
/// ```
pub static TEMPFILE: Kind = Kind {
    name: "tempfile",
    aliases: &["ansible.builtin.tempfile", "ansible.legacy.tempfile"],
    summary: "makes a file or folder with a name of its own; `register` gets its path",
    params: &[
        Param::new(
            "path",
            ParamType::Path,
            "The folder it is made in; else `$TMPDIR` or `/tmp`.",
        ),
        Param::new("prefix", ParamType::Str, "How its name begins.").default("ansible."),
        Param::new("suffix", ParamType::Str, "How its name ends."),
        Param::new(
            "state",
            ParamType::Choice(&["directory", "file"]),
            "What it is.",
        )
        .default("file"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| bind(args),
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let named = |name: &&str| {
        args.literal(name)
            .is_some_and(|text| text.contains(['/', '\n', '\0']))
    };
    let faults = ["prefix", "suffix"].into_iter().filter(named).map(|name| {
        Diagnostic::at(
            args.value_place(name),
            format!("`{name}` is a part of a name, without a slash"),
        )
        .help("`path` names the folder")
    });
    faults.collect()
}

/// What is made.
struct Temporary {
    folder: Option<String>,
    prefix: String,
    suffix: String,
    is_folder: bool,
}

fn bind(args: &Args) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    Ok(Box::new(Temporary {
        folder: args
            .str("path")
            .map(|path| path.trim_end_matches('/').to_owned()),
        prefix: args.str("prefix").unwrap_or("ansible.").to_owned(),
        suffix: args.str("suffix").unwrap_or_default().to_owned(),
        is_folder: args.str("state") == Some("directory"),
    }))
}

impl Resource for Temporary {
    fn diff(&self, _: &Known) -> Result<Change, Missing> {
        let folder = match self.folder.as_deref() {
            Some("") => "d=/\n".to_owned(),
            Some(folder) => format!("d={}\n", tilde(folder)),
            None => "d=${TMPDIR:-/tmp}\n".to_owned(),
        };
        let script = format!(
            "{folder}p=$(mktemp {}--suffix={} -- \"${{d%/}}/\"{}XXXXXXXX) || exit\n\
             stat -c 'path %n\nmode %a\nowner %U\ngroup %G\nuid %u\ngid %g\nsize %s' -- \"$p\"",
            if self.is_folder { "-d " } else { "" },
            quote(&self.suffix),
            quote(&self.prefix),
        );
        let what = if self.is_folder { "folder" } else { "file" };
        // Nobody asks for a name before it is made; what lists the folder is asked again.
        let place = self.folder.as_deref().unwrap_or("/tmp");
        let mut step = Step::new(format!("make a temporary {what}"), script)
            .touch(Touch::Path(format!("{place}/{}XXXXXXXX", self.prefix)));
        step.act = true;
        let state = if self.is_folder { "directory" } else { "file" };
        Ok(Change::new(Action::Create)
            .step(step)
            .reading(Reading::new(read).foreseen())
            .result("state", state))
    }
}

/// What the script printed; none when nothing was made.
fn read(output: &ActOutput) -> Option<Interpreted> {
    if output.rc != 0 {
        return None;
    }
    let text = String::from_utf8_lossy(output.stdout);
    let mut result = Map::new();
    for line in text.lines() {
        let (key, value) = line.split_once(' ')?;
        let value = match key {
            "uid" | "gid" | "size" => value.parse::<u64>().ok()?.into(),
            "mode" => format!("{value:0>4}").into(),
            _ => value.into(),
        };
        result.insert(key.to_owned(), value);
    }
    let path = result.get("path")?.as_str()?.to_owned();
    Some(Interpreted {
        changed: true,
        message: format!("made {path}"),
        help: None,
        result,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_told() {
        let output = ActOutput {
            rc: 0,
            stdout: b"path /tmp/a b\nmode 600\nowner web\ngroup web\nuid 1000\ngid 1000\nsize 0\n",
            stderr: b"",
        };
        let read = read(&output).expect("it is read");
        assert!(read.changed);
        assert_eq!(read.result["path"], "/tmp/a b");
        assert_eq!(read.result["mode"], "0600");
        assert_eq!(read.result["uid"], 1000);
        assert!(super::read(&ActOutput { rc: 1, ..output }).is_none());
    }
}
