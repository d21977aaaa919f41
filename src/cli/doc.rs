//! `hadeploy doc`: what kinds of tasks there are, and what each takes, needs, gives, and does otherwise than Ansible.

mod page;

use clap::Args;
use serde_json::{Value as Json, json};

use self::page::Page;
use super::environment::Environment;
use super::load::ended;
use super::options::{Output, OutputArgs};
use super::words::{TOPICS, Topic, topic};
use super::{exit, say, usage};
use crate::diagnostic::nearest;
use crate::event::Event;
use crate::playbook::modules;
use crate::report;
use crate::resource::doc::{Doc, GROUPS, OTHERS};
use crate::resource::{KINDS, Kind, Param, ParamType, kind};

/// Show what a kind of task takes, needs and gives; without a name, list all kinds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DocArgs {
    /// A kind, such as `apt`, or one of play, task, block, loop_control, rolling, health, inventory, settings
    #[arg(value_name = "KIND")]
    names: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy doc
  hadeploy doc template
  hadeploy doc rolling health
  hadeploy doc apt --output json";

/// What each task gives, whatever its kind.
const ALWAYS: &str =
    "beside `changed`, `failed`, `skipped`, `msg` and, in a loop, `results`, which each task gives";

/// Something that there is a page about.
#[derive(Clone, Copy)]
enum Subject {
    Kind(&'static Kind),
    Topic(&'static Topic),
}

/// Runs it; gives the exit status.
pub fn run(args: &DocArgs, env: &Environment) -> u8 {
    let mut subjects = Vec::new();
    for name in &args.names {
        match find(name) {
            Some(subject) => subjects.push(subject),
            None => return refuse(name),
        }
    }
    match args.output.output {
        Output::Human => {
            let mut page = Page::new(env.columns, env.shows && !env.colourless);
            if subjects.is_empty() {
                list(&mut page);
            }
            for (number, subject) in subjects.iter().enumerate() {
                if number > 0 {
                    page.rule();
                }
                match subject {
                    Subject::Kind(kind) => about_kind(&mut page, kind),
                    Subject::Topic(topic) => about_topic(&mut page, topic),
                }
            }
            say::out(&page.text());
        }
        Output::Json => {
            let all = || {
                let kinds = KINDS.iter().map(|kind| Subject::Kind(kind));
                kinds.chain(TOPICS.iter().map(Subject::Topic)).collect()
            };
            let told: Vec<Subject> = match subjects.is_empty() {
                true => all(),
                false => subjects,
            };
            for subject in told {
                let line = match subject {
                    Subject::Kind(kind) => kind_json(kind),
                    Subject::Topic(topic) => topic_json(topic),
                };
                say::out(&line.to_string());
            }
            let end = Event::RunFinished(ended(exit::DONE, "shown".to_owned()));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    exit::DONE
}

fn find(name: &str) -> Option<Subject> {
    let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
    let known = kind(name).or_else(|| kind(short)).map(Subject::Kind);
    known.or_else(|| topic(name).map(Subject::Topic))
}

/// What is no kind: a module of Ansible's that is not there, or a slip.
fn refuse(name: &str) -> u8 {
    if let Some(instead) = modules::refused_module(name) {
        return usage(
            &format!("hadeploy does not have the module `{name}`"),
            instead,
        );
    }
    let names = KINDS
        .iter()
        .flat_map(|kind| kind.aliases.iter().copied().chain([kind.name]))
        .chain(TOPICS.iter().map(|topic| topic.name));
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`? `hadeploy doc` lists all"),
        None => "`hadeploy doc` lists all".to_owned(),
    };
    usage(&format!("there is no kind of task `{name}`"), &help)
}

fn list(page: &mut Page) {
    let headings = GROUPS.iter().map(|(heading, _)| *heading);
    for heading in headings.chain([OTHERS]) {
        let kinds: Vec<&&Kind> = KINDS
            .iter()
            .filter(|kind| kind.group() == heading)
            .collect();
        if !kinds.is_empty() {
            page.heading(heading);
            kinds
                .iter()
                .for_each(|kind| page.row(kind.name, kind.summary));
        }
    }
    page.heading("Words around tasks");
    TOPICS
        .iter()
        .for_each(|topic| page.row(topic.name, topic.summary));
    page.gap();
    page.line("`hadeploy doc NAME` tells more.");
}

fn about_kind(page: &mut Page, kind: &Kind) {
    let doc = kind.doc();
    page.title(kind.name, kind.summary);
    doc.intro.iter().for_each(|text| page.paragraph(text));
    page.heading("Parameters");
    for param in kind.params {
        let mut facts = vec![type_of(param.ty)];
        if param.required {
            facts.push("needed".to_owned());
        }
        if !param.default.is_empty() {
            facts.push(format!("default {}", param.default));
        }
        if Some(param.name) == kind.free_form {
            facts.push("also as text right behind the kind".to_owned());
        }
        if !param.aliases.is_empty() {
            facts.push(format!("also called {}", param.aliases.join(", ")));
        }
        page.entry(shown_name(param), &facts.join("; "), param.doc);
    }
    refused(page, kind.refused);
    bullets(page, "Differs from Ansible", &doc.differs);
    bullets(page, "Needs", &doc.needs);
    page.heading("Returns");
    doc.returns.iter().for_each(|item| page.bullet(item));
    page.bullet(ALWAYS);
    examples(page, &doc);
    if !kind.aliases.is_empty() {
        page.heading("Also called");
        page.paragraph(&kind.aliases.join(", "));
    }
}

fn refused(page: &mut Page, refused: &[(&str, &str)]) {
    if !refused.is_empty() {
        page.heading("Ansible has these, hadeploy has not");
        refused
            .iter()
            .for_each(|(name, instead)| page.row(name, instead));
    }
}

fn bullets(page: &mut Page, heading: &str, items: &[String]) {
    if !items.is_empty() {
        page.heading(heading);
        items.iter().for_each(|item| page.bullet(item));
    }
}

fn examples(page: &mut Page, doc: &Doc) {
    page.heading("Examples");
    for (number, example) in doc.examples.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        page.code(example);
    }
}

fn about_topic(page: &mut Page, topic: &Topic) {
    page.title(topic.name, topic.summary);
    page.heading("Keys");
    for word in topic.words {
        page.entry(word.name, &word.shape.told(), word.doc);
    }
    refused(page, topic.refused);
    page.heading("Example");
    page.code(topic.example);
}

/// `*` stands for any name.
fn shown_name(param: &Param) -> &'static str {
    match param.name {
        Param::OPEN => "any name",
        name => name,
    }
}

/// The type in words, for people.
fn type_of(ty: ParamType) -> String {
    let text = match ty {
        ParamType::Str => "text",
        ParamType::Path => "a path of the node",
        ParamType::Source => "a path of the controller",
        ParamType::Bool => "true or false",
        ParamType::Int => "a whole number",
        ParamType::Float => "a number",
        ParamType::Mode => "permissions",
        ParamType::List => "a list",
        ParamType::Map => "a mapping",
        ParamType::Any => "any value",
        ParamType::Expression => "an expression or a list",
        ParamType::Choice(words) => {
            let words: Vec<String> = words
                .iter()
                .map(|word| word.escape_debug().to_string())
                .collect();
            return words.join(", ");
        }
    };
    text.to_owned()
}

/// The type as one word, for programs.
fn type_word(ty: ParamType) -> &'static str {
    match ty {
        ParamType::Str => "text",
        ParamType::Path => "path",
        ParamType::Source => "source",
        ParamType::Bool => "bool",
        ParamType::Int => "int",
        ParamType::Float => "float",
        ParamType::Mode => "mode",
        ParamType::List => "list",
        ParamType::Map => "map",
        ParamType::Any => "any",
        ParamType::Expression => "expression",
        ParamType::Choice(_) => "choice",
    }
}

fn kind_json(kind: &Kind) -> Json {
    let doc = kind.doc();
    let params: Vec<Json> = kind.params.iter().map(param_json).collect();
    json!({
        "v": 1,
        "event": "kind",
        "kind": kind.name,
        "aliases": kind.aliases,
        "group": kind.group(),
        "summary": kind.summary,
        "about": doc.intro,
        "parameters": params,
        "free_form": kind.free_form,
        "refused": instead(kind.refused),
        "differs": doc.differs,
        "needs": doc.needs,
        "returns": doc.returns,
        "examples": doc.examples,
    })
}

fn param_json(param: &Param) -> Json {
    let mut told = json!({
        "name": param.name,
        "aliases": param.aliases,
        "type": type_word(param.ty),
        "required": param.required,
        "default": (!param.default.is_empty()).then_some(param.default),
        "doc": param.doc,
    });
    if let ParamType::Choice(words) = param.ty {
        told["choices"] = json!(words);
    }
    told
}

fn topic_json(topic: &Topic) -> Json {
    let words: Vec<Json> = topic
        .words
        .iter()
        .map(|word| json!({ "name": word.name, "type": word.shape.told(), "doc": word.doc }))
        .collect();
    json!({
        "v": 1,
        "event": "keys",
        "of": topic.name,
        "summary": topic.summary,
        "keys": words,
        "refused": instead(topic.refused),
        "example": topic.example,
    })
}

fn instead(refused: &[(&str, &str)]) -> Json {
    let pairs = refused.iter();
    pairs
        .map(|(name, instead)| ((*name).to_owned(), Json::from(*instead)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
