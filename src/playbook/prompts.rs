//! `vars_prompt`: variables of a play that somebody is asked for.

use std::sync::Arc;

use super::Play;
use super::parse::Reader;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// The keys of a question.
const KEYS: &[&str] = &["name", "prompt", "private", "default", "confirm", "unsafe"];

/// One variable that somebody is asked for.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The variable.
    pub name: Arc<str>,
    /// The question.
    pub question: String,
    /// Whether what is typed is secret, and not shown; yes unless said otherwise.
    pub private: bool,
    /// What it is when nothing is typed, or nobody can be asked.
    pub default: Option<Value>,
    /// Whether it is asked for twice.
    pub confirm: bool,
    /// Where it stands.
    pub span: Span,
}

/// Who answers.
pub trait Answers: Send + Sync {
    /// What was typed; none when nobody can be asked.
    ///
    /// # Errors
    /// A sentence about what went wrong.
    fn answer(&self, prompt: &Prompt) -> Result<Option<String>, String>;
}

/// Nobody answers.
pub struct Nobody;

impl Answers for Nobody {
    fn answer(&self, _prompt: &Prompt) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// Everything is answered with nothing: for looking at files, which asks nobody.
pub struct Blank;

impl Answers for Blank {
    fn answer(&self, _prompt: &Prompt) -> Result<Option<String>, String> {
        Ok(Some(String::new()))
    }
}

impl Reader {
    pub(super) fn prompts(&mut self, value: &Value) -> Vec<Prompt> {
        let items = match &value.kind {
            Kind::Null => return Vec::new(),
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        items
            .iter()
            .filter_map(|item| match item.as_map() {
                Some(map) => self.prompt(map, item),
                None => {
                    self.wrong("vars_prompt", "a list of mappings", item);
                    None
                }
            })
            .collect()
    }

    fn prompt(&mut self, map: &Map, value: &Value) -> Option<Prompt> {
        let mut prompt = Prompt {
            name: "".into(),
            question: String::new(),
            private: true,
            default: None,
            confirm: false,
            span: value.span.clone(),
        };
        for (key, entry) in map {
            let value = &entry.value;
            match key.as_ref() {
                "name" => {
                    if let Some(name) = self.literal(value, "name") {
                        if !crate::name::is_identifier(&name) {
                            let message = format!("`{name}` cannot be the name of a variable");
                            self.fault(Diagnostic::at(&value.span, message));
                        }
                        prompt.name = name;
                        prompt.span = value.span.clone();
                    }
                }
                "prompt" => {
                    prompt.question = self.literal(value, "prompt").map_or(String::new(), |text| {
                        text.trim().trim_end_matches(':').to_owned()
                    });
                }
                "private" => prompt.private = self.switch("private", value).unwrap_or(true),
                "confirm" => prompt.confirm = self.switch("confirm", value).unwrap_or(false),
                "default" if value.is_null() => {}
                "default" => prompt.default = Some(value.clone()),
                // Answers are never templates here.
                "unsafe" => {
                    self.switch("unsafe", value);
                }
                "encrypt" | "salt" | "salt_size" => self.fault(
                    Diagnostic::at(
                        &entry.key,
                        format!("hadeploy does not have `{key}` of `vars_prompt`"),
                    )
                    .help("ask for the hash itself; `mkpasswd --method=sha-512` makes one"),
                ),
                other => self.fault(
                    Diagnostic::at(
                        &entry.key,
                        format!("unknown key `{other}` of `vars_prompt`"),
                    )
                    .nearest(other, KEYS.iter().copied()),
                ),
            }
        }
        if !map.contains_key("name") {
            self.fault(
                Diagnostic::at(&value.span, "a question of `vars_prompt` has no `name`")
                    .help("name the variable that the answer is for"),
            );
            return None;
        }
        if prompt.question.is_empty() {
            prompt.question = prompt.name.to_string();
        }
        Some(prompt)
    }
}

/// Asks what the command line does not say. An answer is stronger than the play's `vars`, and weaker than its `vars_files`.
pub(super) fn ask<'p>(
    plays: impl Iterator<Item = &'p mut Play>,
    extra: &Map,
    answers: &dyn Answers,
    faults: &mut Vec<Diagnostic>,
) {
    let mut known: Vec<(Arc<str>, String, Value)> = Vec::new();
    for play in plays {
        for prompt in &play.prompts {
            if extra.contains_key(&prompt.name) {
                continue;
            }
            let same = known
                .iter()
                .find(|(name, question, _)| *name == prompt.name && *question == prompt.question);
            let value = match same {
                Some((.., value)) => value.clone(),
                None => {
                    let value = answer(prompt, answers).unwrap_or_else(|fault| {
                        faults.push(*fault);
                        Value::str("", &prompt.span)
                    });
                    known.push((prompt.name.clone(), prompt.question.clone(), value.clone()));
                    value
                }
            };
            let key = prompt.span.clone();
            play.vars.insert(prompt.name.clone(), Entry { key, value });
        }
    }
}

fn answer(prompt: &Prompt, answers: &dyn Answers) -> Result<Value, Box<Diagnostic>> {
    let name = &prompt.name;
    let said = answers.answer(prompt);
    let said = said.map_err(|why| Box::new(Diagnostic::at(&prompt.span, why)))?;
    match (said, &prompt.default) {
        (Some(text), Some(default)) if text.is_empty() => Ok(default.clone()),
        (Some(text), _) => Ok(Value::str(&literally(&text), &prompt.span)),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Box::new(
            Diagnostic::at(
                &prompt.span,
                format!("nobody can be asked for `{name}`: there is no terminal"),
            )
            .help(format!(
                "give it with `-e {name}=…` or `-e @FILE`, or write a `default`"
            )),
        )),
    }
}

/// What is typed is no template, whatever stands in it.
fn literally(text: &str) -> String {
    if !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return text.to_owned();
    }
    format!("{{{{ {} }}}}", serde_json::Value::from(text))
}
