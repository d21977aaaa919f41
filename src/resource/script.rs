//! `script`: a file of the controller, copied to the node, run there and removed again.

use std::sync::Arc;

use super::command::words::split;
use super::command::{CHDIR, CREATES, REMOVES, begin, first_line, pattern};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Content, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use crate::value::Value;

/// Copies a file of the controller to the node, runs it there, and removes it again. It acts: a plan shows it and does not run it.
///
/// # Differs from Ansible
/// - vaults are always opened: `decrypt` is refused
///
/// # Returns
/// - `rc`: the status
/// - `stdout`, `stderr`: what it wrote; also as `stdout_lines` and `stderr_lines`
///
/// # Examples
/// ```yaml
/// - name: the first setup
///   script: setup.sh --quiet
///   args:
///     creates: /var/lib/setup.done
/// ```
pub static SCRIPT: Kind = Kind {
    name: "script",
    aliases: &["ansible.builtin.script", "ansible.legacy.script"],
    summary: "copies a script of the controller to the node and runs it",
    params: &[
        Param::new(
            "cmd",
            ParamType::Str,
            "The script, searched in `files` beside the playbook, and its arguments as a shell on the node reads them.",
        )
        .required(),
        CHDIR,
        CREATES,
        REMOVES,
        Param::new(
            "executable",
            ParamType::Str,
            "The program that runs it, instead of the one its first line names.",
        ),
    ],
    free_form: Some("cmd"),
    refused: &[("decrypt", "encrypted files are always decrypted; leave it out")],
    check: |_| Vec::new(),
    bind,
};

/// A script of the controller and how it is run.
struct Script {
    content: Content,
    script: String,
    title: String,
    creates: Option<String>,
    removes: Option<String>,
}

/// The script's name, and its arguments as they are written.
fn parts(line: &str) -> Result<(String, &str), String> {
    let line = line.trim();
    split(line)?;
    let mut open = None;
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = open.is_none() && !escaped && c.is_whitespace();
        match (open, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => open = Some(*c),
            (Some(quote), c) if quote == *c => open = None,
            _ => {}
        }
        ends
    });
    let (name, rest) = line.split_at(end.map_or(line.len(), |(at, _)| at));
    let name = split(name)?.into_iter().next().unwrap_or_default();
    Ok((name, rest.trim()))
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let place = args.value_place("cmd");
    let line = args.str("cmd").unwrap_or_default();
    let (name, arguments) = parts(line).map_err(|fault| Diagnostic::at(place, fault))?;
    if name.is_empty() {
        return Err(Diagnostic::at(place, "there is no script to run").into());
    }
    let source = Value::str(&name, place);
    let path = controller.find(&source, "files")?;
    if path.is_dir() {
        return Err(Diagnostic::at(place, format!("`{name}` is a folder, not a script")).into());
    }
    let content = controller.content(&path, &source)?;
    let called = path.file_name().map(|name| name.to_string_lossy());
    let called = quote(&called.unwrap_or_default());
    let folder = begin(args.str("chdir"), controller);
    let program = args
        .str("executable")
        .map_or(String::new(), |program| format!("{program} "));
    // `/run` may forbid programs; the folder of temporary files seldom does.
    let script = format!(
        "d=$(mktemp -d) || exit\ntrap 'rm -rf -- \"$d\"' EXIT\ntrap 'exit 143' HUP INT TERM\n\
         install -m 0700 -- \"$IN1\" \"$d\"/{called} || exit\n\
         {folder}{program}\"$d\"/{called} {arguments}\n"
    );
    Ok(Box::new(Script {
        content,
        script,
        title: format!("run {}", first_line(line)),
        creates: pattern(args, controller, "creates"),
        removes: pattern(args, controller, "removes"),
    }))
}

impl Resource for Script {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let patterns = [&self.creates, &self.removes];
        known.need(
            patterns
                .into_iter()
                .flatten()
                .map(|pattern| Question::Glob(Arc::from(pattern.as_str()))),
        )?;
        if let Some(pattern) = &self.creates
            && !known.glob(pattern)?.is_empty()
        {
            return Ok(Change::none(format!("skipped, since {pattern} exists")));
        }
        if let Some(pattern) = &self.removes
            && known.glob(pattern)?.is_empty()
        {
            return Ok(Change::none(format!(
                "skipped, since {pattern} does not exist"
            )));
        }
        let mut step = Step::new(self.title.clone(), self.script.clone())
            .input(self.content.clone())
            .touch(Touch::Everything)
            .cut();
        step.act = true;
        Ok(Change::new(Action::Run).step(step))
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_first_word_is_the_script_and_the_rest_stays_as_written() {
        assert_eq!(
            parts(r#" 'my script'.sh  "a  b" $HOME "#),
            Ok(("my script.sh".to_owned(), r#""a  b" $HOME"#))
        );
        assert_eq!(parts(r"a\ b c"), Ok(("a b".to_owned(), "c")));
        assert_eq!(parts("only"), Ok(("only".to_owned(), "")));
        assert!(parts("x 'open").is_err());
    }
}
