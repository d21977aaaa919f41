//! One case: read, bound, diffed, compared, and held against the laws.

use std::io::Write;
use std::process::{Command, Stdio};

use hadeploy::change::{Action, Change};
use hadeploy::event::Mode;
use hadeploy::fact::{Answer, Known, Missing, Question};
use hadeploy::resource::{Args, Bound, Resource, kind};
use hadeploy::source::Span;
use hadeploy::template::Stop;
use hadeploy::value::Value as HaValue;
use serde_json::Value;

use super::answers::{answer, spell};
use super::compare::{compare, describe, only};
use super::controller::Files;

pub struct Case {
    text: Value,
}

const KEYS: [&str; 7] = ["task", "files", "mode", "user", "diff", "known", "expect"];
const EXPECT: [&str; 10] = [
    "fault", "asks", "action", "fields", "steps", "obstacle", "reason", "effect", "result", "again",
];

impl Case {
    pub fn parse(text: &str) -> Result<Case, String> {
        let text: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        only(&text, &KEYS)?;
        only(&text["expect"], &EXPECT)?;
        Ok(Case { text })
    }

    pub fn check(&self) -> Result<(), String> {
        let folder = self.files()?;
        let expect = &self.text["expect"];
        let resource = match (self.bind(folder.path())?, expect["fault"].as_str()) {
            (Err(fault), Some(part)) if fault.contains(part) => return Ok(()),
            (Err(fault), _) => return Err(format!("it does not bind: {fault}")),
            (Ok(_), Some(part)) => return Err(format!("it binds, where `{part}` was expected")),
            (Ok(resource), None) => resource,
        };
        let mut known = Known::default();
        known.wants_diff = self.text["diff"] == true;
        let (change, waves) = self.waves(&*resource, &mut known)?;
        laws(&change)?;
        compare(expect, &change, &waves)
            .map_err(|fault| format!("{fault}\n{}", describe(&change)))?;
        self.again(&*resource, known, &change)
    }

    fn files(&self) -> Result<tempfile::TempDir, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for (name, text) in self.text["files"].as_object().into_iter().flatten() {
            let path = folder.path().join(name);
            let parent = path.parent().ok_or("a file without a folder")?;
            std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
            let text = text.as_str().ok_or("a file's content is text")?;
            std::fs::write(path, text).map_err(|error| error.to_string())?;
        }
        Ok(folder)
    }

    /// The resource, or the first diagnostic's words with its label and help.
    fn bind(&self, root: &std::path::Path) -> Result<Result<Box<dyn Resource>, String>, String> {
        let (name, arguments) = self.text["task"]
            .as_object()
            .and_then(|task| task.iter().next())
            .ok_or("`task` is a mapping of one kind")?;
        let kind = kind(name).ok_or_else(|| format!("no kind is called `{name}`"))?;
        let span = Span::synthetic("case");
        let mut arguments = HaValue::from_json(arguments, &span);
        if let (Some(text), Some(parameter)) = (arguments.as_str(), kind.free_form) {
            let json = serde_json::json!({ parameter: text });
            arguments = HaValue::from_json(&json, &span);
        }
        let empty = hadeploy::value::Map::new();
        let map = arguments.as_map().unwrap_or(&empty);
        let words = |faults: Vec<hadeploy::diagnostic::Diagnostic>| -> String {
            faults
                .iter()
                .map(|fault| {
                    format!(
                        "{} ({})",
                        fault.message,
                        fault.help.as_deref().unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
                .join("; ")
        };
        let mut args = match Args::new(kind, &span, map) {
            Ok(args) => args,
            Err(faults) => return Ok(Err(words(faults))),
        };
        let mut faults = args.coerce(|_| true);
        faults.retain(|fault| fault.is_error());
        faults.extend((kind.check)(&args).into_iter().filter(|f| f.is_error()));
        if !faults.is_empty() {
            return Ok(Err(words(faults)));
        }
        let controller = Files {
            root: root.to_owned(),
            mode: match self.text["mode"].as_str() {
                Some("plan") => Mode::Plan,
                _ => Mode::Apply,
            },
            user: self.text["user"].as_str().unwrap_or("root").to_owned(),
        };
        let bound: Bound = (kind.bind)(&args, &controller);
        Ok(match bound {
            Ok(resource) => Ok(resource),
            Err(Stop::Fault(fault)) => Err(words(vec![*fault])),
            Err(Stop::After(name)) => Err(format!("after `{name}`")),
        })
    }

    fn waves(
        &self,
        resource: &dyn Resource,
        known: &mut Known,
    ) -> Result<(Change, Vec<Vec<String>>), String> {
        let mut waves = Vec::new();
        loop {
            match resource.diff(known) {
                Ok(change) => return Ok((change, waves)),
                Err(missing) => {
                    let asked: Vec<String> = missing.questions().iter().map(spell).collect();
                    if waves.len() == 2 {
                        return Err(format!("a third wave asks {asked:?}"));
                    }
                    self.learn(known, &missing)?;
                    waves.push(asked);
                }
            }
        }
    }

    fn learn(&self, known: &mut Known, missing: &Missing) -> Result<(), String> {
        if missing.is_empty() {
            return Err("it asks nothing".to_owned());
        }
        for asked in missing.questions() {
            let value = self.known(asked)?;
            let answer = answer(asked, &value).map_err(|fault| format!("{asked:?}: {fault}"))?;
            known.learn([(asked.clone(), answer)]);
        }
        Ok(())
    }

    /// What it comes to when the node's texts, and what its probes print, are these; for the rest of them the node says what the case
    /// knows. Nothing when it asks what the case does not know.
    pub fn answered(&self, said: &[Vec<u8>]) -> Option<Change> {
        let folder = self.files().ok()?;
        let resource = self.bind(folder.path()).ok()?.ok()?;
        let keys = self.text["known"].as_object();
        let is_text = |key: &&String| key.starts_with("text ") || key.starts_with("probe ");
        let keys: Vec<&String> = keys
            .into_iter()
            .flat_map(|it| it.keys())
            .filter(is_text)
            .collect();
        let mut known = Known::default();
        known.wants_diff = true;
        for _ in 0..4 {
            let missing = match resource.diff(&known) {
                Ok(change) => return Some(change),
                Err(missing) => missing,
            };
            for asked in missing.questions() {
                let at = keys.iter().position(|key| **key == spell(asked));
                let said = at.and_then(|at| said.get(at));
                let answer = match (asked, said) {
                    (Question::Probe(_), Some(said)) => Answer::Probe(said.as_slice().into()),
                    (Question::Text(_), Some(said)) => Answer::Text(Some(said.as_slice().into())),
                    _ => answer(asked, &self.known(asked).ok()?).ok()?,
                };
                known.learn([(asked.clone(), answer)]);
            }
        }
        None
    }

    /// The case's answer. The digest of a text that is given need not be, nor `/`.
    fn known(&self, asked: &Question) -> Result<Value, String> {
        let known = &self.text["known"];
        if let Some(value) = known.get(spell(asked)) {
            return Ok(value.clone());
        }
        match asked {
            Question::Digest(key) => {
                if let Some(text) = known.get(format!("text {key}")) {
                    return Ok(text
                        .as_str()
                        .map_or(Value::Null, |text| format!("of {text}").into()));
                }
            }
            Question::Path(key) if &**key == "/" => return Ok("d 0755 root root".into()),
            _ => {}
        }
        Err(format!("`{}` is asked and not known", spell(asked)))
    }

    fn again(
        &self,
        resource: &dyn Resource,
        mut known: Known,
        change: &Change,
    ) -> Result<(), String> {
        for step in &change.steps {
            for touch in &step.touches {
                known.touch(touch);
            }
            known.learn(step.predicts.iter().cloned());
        }
        if change.obstacle.is_some() {
            return Ok(());
        }
        let wanted = self.text["expect"]["again"].as_str().unwrap_or("none");
        match resource.diff(&known) {
            Ok(second) if second.action.word() != wanted => Err(format!(
                "diffed again from its predictions it would {}: {}",
                second.action.word(),
                describe(&second)
            )),
            _ => Ok(()),
        }
    }
}

/// What holds for every change.
pub fn laws(change: &Change) -> Result<(), String> {
    if (change.action == Action::None) != change.steps.is_empty() {
        return Err(format!(
            "the action is {} with {} steps",
            change.action.word(),
            change.steps.len()
        ));
    }
    if change.obstacle.is_some() && !change.steps.is_empty() {
        return Err("it has an obstacle and steps".to_owned());
    }
    for step in &change.steps {
        shell(&step.script).map_err(|fault| format!("the script of `{}`: {fault}", step.title))?;
        let mut known = Known::default();
        known.learn(step.predicts.iter().cloned());
        for touch in &step.touches {
            known.touch(touch);
        }
        for (question, answer) in &step.predicts {
            if known.need([question.clone()]).is_ok() && *question != Question::Facts {
                return Err(format!(
                    "`{}` predicts {answer:?} for a question that it does not touch",
                    step.title
                ));
            }
        }
    }
    Ok(())
}

fn shell(script: &str) -> Result<(), String> {
    let mut child = Command::new("/bin/sh")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    stdin
        .write_all(script.as_bytes())
        .map_err(|error| error.to_string())?;
    drop(stdin);
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n{script}",
        String::from_utf8_lossy(&output.stderr)
    ))
}
