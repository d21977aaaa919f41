//! Whether an archive is unpacked: what its note says, and what stands there now.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::Resource;
use super::super::attributes::homeless;
use super::super::http::shown;
use super::super::place::{is_folder, state, with_stat};
use super::{Format, Source, Unarchive};
use crate::change::{ActOutput, Action, Change, Expect, Field, Interpreted, Reading, Step, Touch};
use crate::fact::{Answer, Known, Missing, PathInfo, Question};

/// What a note says.
#[derive(Default)]
struct Note<'a> {
    /// The archive's sum and what else decided.
    of: Option<&'a str>,
    /// Files that are not as they were unpacked.
    fields: Vec<Field>,
    names: Vec<&'a str>,
    format: Option<Format>,
    tools: Vec<&'a str>,
    /// Whether `tar` itself finds no difference.
    same: bool,
}

impl Resource for Unarchive {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let info = known.path(&self.dest)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        if let Some(path) = &self.creates
            && known.path(path)?.stat.is_some()
        {
            return Ok(self.told(Change::none(format!("`{path}` is there")), info));
        }
        if !is_folder(info) {
            let found = state(info.stat.as_ref());
            return Ok(Change::blocked(match found {
                "absent" => format!("the folder `{}` does not exist", self.dest),
                found => format!("`{}` is a {found}, not a folder", self.dest),
            })
            .help("make it with a `file` task before this one"));
        }
        if let Err(change) = self.attributes.resolve(known)? {
            return Ok(change);
        }
        let (src, sum) = match &self.source {
            Source::Web(request) => return self.fetched(known, info, request),
            Source::Sent { sha256, .. } => (None, sha256.clone()),
            Source::Node(path) => {
                let src = known.path(path)?;
                if let Some(change) = homeless(src) {
                    return Ok(change);
                }
                let Some(sum) = known.digest(path)? else {
                    return Ok(Change::blocked(format!("no file `{path}` is on the node"))
                        .help("with `remote_src`, `src` is a path of the node"));
                };
                (Some(src), sum.clone())
            }
        };
        let question: Arc<str> = format!(
            "unarchive {} {}\n{}",
            info.abs,
            self.src,
            self.question(&info.abs, src.map(|src| &*src.real))
        )
        .into();
        known.need([Question::Probe(question.clone())])?;
        let said = String::from_utf8_lossy(known.probe(&question)?).into_owned();
        let note = read_note(&said);
        let format = match &self.source {
            Source::Sent { format, .. } => Some(*format),
            _ => note.format,
        };
        let want = format!("{sum} {}", self.options());
        let holds = note.of == Some(&*want) && note.fields.is_empty();
        let told = |change: Change| {
            let change = self.told(change, info);
            match format {
                Some(format) => change.result("handler", format.handler()),
                None => change,
            }
        };
        if holds || note.same {
            let mut change = told(Change::none("it is unpacked"));
            if self.list {
                change = change.result("files", note.names.to_vec());
            }
            return Ok(change);
        }
        if let Some((tool, package)) = format.and_then(Format::tool)
            && !note.tools.contains(&tool)
        {
            return Ok(Change::blocked(format!(
                "`{}` needs `{tool}`, which the node has not",
                self.src
            ))
            .help(format!(
                "install the package `{package}` with an `apt` task before this one"
            )));
        }
        let mut change = Change::new(match note.of {
            Some(_) => Action::Update,
            None => Action::Create,
        });
        change.fields = note.fields;
        if note.of != Some(&*want) {
            let before = note.of.unwrap_or_default();
            let short = |text: &str| text.chars().take(12).collect::<String>();
            let field = match note.of.is_some_and(|of| of.starts_with(&*sum)) {
                true => Field::value("options", "others", "as given"),
                false => Field::value("archive", short(before), short(&sum)),
            };
            change.fields.insert(0, field);
        }
        let mut step = self.step(info, src, Some(&sum));
        step = step.verify(Expect::Check {
            field: "note".to_owned(),
            script: format!(
                "{}\n[ \"$(cat \"$note\")\" = '{want}' ] || {{ cat \"$note\"; false; }}",
                self.noted(&info.abs)
            ),
        });
        if !self.list {
            let kept = said
                .split_inclusive('\0')
                .filter(|line| line.starts_with("kind ") || line.starts_with("tool "));
            let answer = kept.collect::<String>() + &format!("note {want}\0");
            step = step.predict(
                Question::Probe(question),
                Answer::Probe(answer.into_bytes().into()),
            );
            step = step.predict(
                Question::Path(self.dest.clone()),
                Answer::Path(info.clone()),
            );
        }
        Ok(told(
            change.step(step).reading(Reading::new(read).foreseen()),
        ))
    }
}

impl Unarchive {
    fn questions(&self) -> Vec<Question> {
        let mut questions = vec![Question::Path(self.dest.clone())];
        questions.extend(self.creates.clone().map(Question::Path));
        questions.extend(self.attributes.questions());
        match &self.source {
            Source::Sent { .. } => {}
            Source::Node(path) => {
                questions.push(Question::Path(path.clone()));
                questions.push(Question::Digest(path.clone()));
            }
            Source::Web(_) => questions.push(Question::Path(CURL.into())),
        }
        questions
    }

    /// What is at an address is known only when it has come.
    fn fetched(
        &self,
        known: &Known,
        info: &PathInfo,
        request: &super::Request,
    ) -> Result<Change, Missing> {
        let curl = known.path(CURL)?.stat.is_some();
        if !curl && request.url.tls && !request.is_plain() {
            return Ok(Change::blocked(
                "passwords and unchecked certificates need curl, which the node has not",
            )
            .help("install the package `curl` with an `apt` task before this one"));
        }
        let change = Change::new(Action::Update).step(self.step(info, None, None));
        Ok(self.told(change.reading(Reading::new(read)), info))
    }

    fn step(&self, info: &PathInfo, src: Option<&PathInfo>, sum: Option<&str>) -> Step {
        let script = self.script(&info.abs, src.map(|src| &*src.real), sum);
        let mut step = Step::new(
            format!("unpack {} to {}", shown(&self.src), self.dest),
            script,
        )
        .touch(Touch::Path(self.dest.to_string()))
        .before(Expect::Path {
            path: info.real.to_string(),
            kind: Some('d'),
            mode: None,
            owner: None,
            group: None,
            sha256: None,
            target: None,
        });
        if let Source::Sent { content, .. } = &self.source {
            step = step.input(content.clone());
        }
        step.act = true;
        step
    }

    fn told(&self, change: Change, info: &PathInfo) -> Change {
        let change = match &info.stat {
            Some(stat) => with_stat(change, stat, state(Some(stat))),
            None => change,
        };
        change.result("dest", &*info.abs).result("src", &*self.src)
    }
}

const CURL: &str = "/usr/bin/curl";

/// What the question printed.
fn read_note(said: &str) -> Note<'_> {
    let mut note = Note::default();
    let mut files: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for record in said.split_terminator('\0') {
        let (word, rest) = record.split_once(' ').unwrap_or((record, ""));
        match word {
            "kind" => note.format = Format::named(rest),
            "tool" => note.tools.push(rest),
            "note" => note.of = Some(rest),
            "same" => note.same = true,
            "name" => note.names.push(rest),
            "was" | "is" => {
                let mut parts = rest.split('\t');
                let meta = parts.next().unwrap_or_default();
                let name = parts.next().unwrap_or_default();
                let both = files.entry(name.trim_start_matches("./")).or_default();
                match word {
                    "was" => both.0.push(meta),
                    _ => both.1.push(meta),
                }
            }
            _ => {}
        }
    }
    note.fields = files
        .into_iter()
        .map(|(name, (was, is))| difference(name, &was, &is))
        .collect();
    note
}

fn standing<'a>(records: &[&'a str]) -> Option<&'a str> {
    records.iter().find(|text| text.contains(' ')).copied()
}

/// How a file differs from what was unpacked. A file has two records: what it is, and the sum of its content.
fn difference(name: &str, was: &[&str], is: &[&str]) -> Field {
    match (standing(was), standing(is)) {
        (Some(_), None) if is.is_empty() => Field::value(name, "absent", "unpacked"),
        (Some(was), Some(is)) if was.as_bytes()[0] == is.as_bytes()[0] && was != is => {
            Field::value(name, is, was)
        }
        _ => Field::value(name, "altered", "unpacked"),
    }
}

/// What the script printed; none when it was ended before it could.
fn read(output: &ActOutput) -> Option<Interpreted> {
    let text = String::from_utf8_lossy(output.stdout);
    let mut read = Interpreted::default();
    let mut files = Vec::new();
    let mut result = Map::new();
    for line in text.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "changed" => read.changed = value == "1",
            "error" => read.message = value.to_owned(),
            "kind" => {
                let format = Format::named(value)?;
                result.insert("handler".to_owned(), format.handler().into());
            }
            "file" => files.push(Value::from(value)),
            _ => {}
        }
    }
    if output.rc != 0 && read.message.is_empty() {
        return None;
    }
    if !files.is_empty() {
        result.insert("files".to_owned(), Value::Array(files));
    }
    if read.changed {
        let extract = serde_json::json!({"rc": output.rc, "out": "", "err": String::from_utf8_lossy(output.stderr)});
        result.insert("extract_results".to_owned(), extract);
    }
    read.result = result;
    Some(read)
}
