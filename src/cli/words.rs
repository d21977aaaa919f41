//! The words of plays, tasks, inventories and settings, each with the shape of its value and what it means: for `hadeploy doc` and `hadeploy schema`.
//! Which words there are is said by those who read them; a test holds these tables to theirs.

mod files;
mod play;
mod task;
#[cfg(test)]
mod tests;

use crate::inventory::connection;
use crate::playbook::keywords;

/// One word.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// How it is written.
    pub name: &'static str,
    /// What its value may be.
    pub shape: Shape,
    /// What it means, one or two sentences.
    pub doc: &'static str,
}

/// What the value of a word may be. Where a template may stand in its place is said of each.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text or a number; perhaps a template.
    Text,
    /// Text that is no template.
    Literal,
    /// The name of a variable.
    Name,
    /// True or false; perhaps a template.
    Flag,
    /// True or false, written out.
    Switch,
    /// Seconds, perhaps with a fraction; perhaps a template.
    Number,
    /// A whole number; perhaps a template.
    Count,
    /// Seconds, or text such as `90s`, `5m` and `1d`.
    Duration,
    /// An expression, true or false, or a list of these.
    Conditions,
    /// Text or a list of texts.
    Texts,
    /// Text or a list, of texts and of lists of texts.
    Choices,
    /// A mapping of variables.
    Vars,
    /// A mapping, or a list of mappings; perhaps a template.
    Maps,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A mapping with these words; perhaps a template.
    Words(&'static [Word]),
    /// A list of mappings with these words.
    List(&'static [Word]),
    /// A list of tasks.
    Tasks,
    /// A list, or a template.
    Items,
    /// A mapping or a template.
    Mapping,
    /// Anything.
    Any,
}

impl Shape {
    /// In words, for people.
    pub fn told(self) -> String {
        match self {
            Shape::Text | Shape::Literal => "text".to_owned(),
            Shape::Name => "a name of a variable".to_owned(),
            Shape::Flag | Shape::Switch => "true or false".to_owned(),
            Shape::Number => "seconds".to_owned(),
            Shape::Count => "a whole number".to_owned(),
            Shape::Duration => "a duration".to_owned(),
            Shape::Conditions => "an expression or a list".to_owned(),
            Shape::Texts | Shape::Choices => "text or a list".to_owned(),
            Shape::Vars | Shape::Words(_) | Shape::Mapping | Shape::Maps => "a mapping".to_owned(),
            Shape::Choice(words) => words.join(", "),
            Shape::List(_) | Shape::Items => "a list".to_owned(),
            Shape::Tasks => "a list of tasks".to_owned(),
            Shape::Any => "any value".to_owned(),
        }
    }
}

/// What a page of `hadeploy doc` is about beside kinds.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The words, in the order they are shown in.
    pub words: &'static [Word],
    /// What Ansible has there and this has not, each with what to do instead.
    pub refused: &'static [(&'static str, &'static str)],
    /// A piece of YAML.
    pub example: &'static str,
}

/// All of them.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "play",
        summary: "the keys of a play",
        words: play::PLAY,
        refused: keywords::PLAY_REFUSED,
        example: "- name: web servers\n  hosts: web\n  become: true\n  serial: [1, \"50%\"]\n  tasks:\n    - apt: { name: nginx }\n",
    },
    Topic {
        name: "task",
        summary: "the keys of a task, beside its kind",
        words: task::TASK,
        refused: keywords::TASK_REFUSED,
        example: "- name: the site is there\n  uri: { url: \"http://{{ item }}/health\" }\n  loop: \"{{ groups['web'] }}\"\n  register: answer\n  until: answer is succeeded\n  retries: 5\n  delay: 2\n",
    },
    Topic {
        name: "block",
        summary: "tasks that are tried together, and what is done when one fails",
        words: task::BLOCK,
        refused: &[],
        example: "- name: the new schema\n  block:\n    - command: /srv/app/migrate\n  rescue:\n    - command: /srv/app/migrate --back\n  always:\n    - debug: { msg: done }\n",
    },
    Topic {
        name: "loop_control",
        summary: "how a loop is gone through",
        words: task::LOOP_CONTROL,
        refused: &[],
        example: "- debug: { msg: \"{{ number }}: {{ name }}\" }\n  loop: [a, b]\n  loop_control: { loop_var: name, index_var: number }\n",
    },
    Topic {
        name: "rolling",
        summary: "how a play goes over its hosts while they serve",
        words: play::ROLLING,
        refused: &[],
        example: "- hosts: web\n  rolling:\n    batch: 1\n    health:\n      units: [nginx]\n      http: [\"http://127.0.0.1/readyz\"]\n  tasks: []\n",
    },
    Topic {
        name: "health",
        summary: "when a node is healthy, in `rolling`",
        words: play::HEALTH,
        refused: &[],
        example: "- hosts: web\n  rolling:\n    health:\n      ports: [443]\n      checks: 3\n      interval: 2s\n  tasks: []\n",
    },
    Topic {
        name: "inventory",
        summary: "variables that say how a host is reached",
        words: files::CONNECTION,
        refused: connection::REFUSED,
        example: "all:\n  vars: { ansible_user: debian }\n  children:\n    web:\n      hosts:\n        n1: { ansible_host: 203.0.113.11 }\n",
    },
    Topic {
        name: "settings",
        summary: "what hadeploy.yml may hold",
        words: files::SETTINGS,
        refused: &[],
        example: "inventory: inventory.yml\nforks: 20\nlock_timeout: 5m\n",
    },
];

/// The words of an import of a playbook.
pub const IMPORT_PLAYBOOK: &[Word] = play::IMPORT_PLAYBOOK;
/// The words of a task.
pub const TASK: &[Word] = task::TASK;
/// The words of a block.
pub const BLOCK: &[Word] = task::BLOCK;
/// The words of a play.
pub const PLAY: &[Word] = play::PLAY;
/// Variables of connections.
pub const CONNECTION: &[Word] = files::CONNECTION;
/// The words of hadeploy.yml.
pub const SETTINGS: &[Word] = files::SETTINGS;

/// The page of that name.
pub fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

/// A row.
const fn word(name: &'static str, shape: Shape, doc: &'static str) -> Word {
    Word { name, shape, doc }
}
