//! What is asked of a node, what is known of it, and what is still missing.
//!
//! A kind of question is one file here: a shell fragment that answers many keys at once, and a pure parser of its output.
//! Questions only read.

pub mod account;
pub mod apt;
pub mod debconf;
pub mod firewall;
pub mod gather;
pub mod http;
mod known;
pub mod path;
pub mod pem;
pub mod postgres;
pub mod probe;
pub mod unit;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

pub use account::{AccountInfo, Aging, GroupInfo};
pub use apt::{AptLists, CandidateInfo, PackageInfo};
pub use firewall::{FirewallInfo, Rules};
pub use http::HttpReply;
pub use known::Known;
pub use path::{Listing, PathInfo, Stat, TreeEntry};
pub use pem::Pem;
pub use postgres::PostgresReply;
pub use unit::UnitInfo;

/// A question to a node. Paths may begin with `~` or `~user`; the node resolves them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// What stands at a path; the last link is not followed.
    Path(Arc<str>),
    /// SHA-256 of the regular file at a path, links followed.
    Digest(Arc<str>),
    /// The content of the regular file at a path, links followed, up to [`path::TEXT_LIMIT`] bytes.
    Text(Arc<str>),
    /// Everything below a folder.
    Tree(Arc<str>),
    /// What lies below a folder down to some level, and the node's clock; `LEVELS PATH`, where 0 levels are all.
    Listing(Arc<str>),
    /// The paths that match a shell pattern (`creates`, `removes`).
    Glob(Arc<str>),
    /// Installed state of a Debian package.
    Package(Arc<str>),
    /// Which version apt would install, and who provides a virtual package.
    Candidate(Arc<str>),
    /// When the package lists were last fetched.
    AptLists,
    /// What `apt-get` would do for these words (`upgrade`, `dist-upgrade`, `autoremove`, `autoclean`).
    Simulation(Arc<str>),
    /// A user account with its groups, by name.
    Account(Arc<str>),
    /// A group with its members, by name.
    Group(Arc<str>),
    /// A systemd unit, by its full name (`nginx.service`).
    Unit(Arc<str>),
    /// What a script of the kind's own prints, up to [`probe::LIMIT`] bytes. The key's first line names it, the rest is POSIX sh that only
    /// reads; it sees nothing but its own text.
    Probe(Arc<str>),
    /// What an `http://` address answers the node.
    Http(Arc<str>),
    /// The packet filter of both families, as a chain stands in it.
    Firewall(Arc<str>),
    /// What `openssl` says of the key, request or certificate at a path.
    Pem(Arc<str>),
    /// What the node's PostgreSQL says, where it is the primary; the key is a [`postgres::Ask`].
    Postgres(Arc<str>),
    /// The gathered facts.
    Facts,
}

/// The answer to a question; the variant is the question's.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Question::Path`].
    Path(PathInfo),
    /// To [`Question::Digest`]: lower-case hex, none when no regular file is there.
    Digest(Option<Arc<str>>),
    /// To [`Question::Text`]: the bytes, none when no regular file is there.
    Text(Option<Arc<[u8]>>),
    /// To [`Question::Tree`]: none when no folder is there.
    Tree(Option<Arc<Vec<TreeEntry>>>),
    /// To [`Question::Listing`]: none when no folder is there.
    Listing(Option<Arc<Listing>>),
    /// To [`Question::Glob`]: the paths that exist.
    Glob(Arc<Vec<String>>),
    /// To [`Question::Package`].
    Package(PackageInfo),
    /// To [`Question::Candidate`].
    Candidate(CandidateInfo),
    /// To [`Question::AptLists`].
    AptLists(AptLists),
    /// To [`Question::Simulation`]: a line for each package that would be installed or removed, and each file deleted.
    Simulation(Arc<Vec<Arc<str>>>),
    /// To [`Question::Account`]: none when there is no such account.
    Account(Option<AccountInfo>),
    /// To [`Question::Group`]: none when there is no such group.
    Group(Option<GroupInfo>),
    /// To [`Question::Unit`].
    Unit(UnitInfo),
    /// To [`Question::Probe`]: what it printed.
    Probe(Arc<[u8]>),
    /// To [`Question::Http`]: none when nothing answered.
    Http(Option<HttpReply>),
    /// To [`Question::Firewall`].
    Firewall(FirewallInfo),
    /// To [`Question::Pem`].
    Pem(Pem),
    /// To [`Question::Postgres`].
    Postgres(PostgresReply),
    /// To [`Question::Facts`]: the value of `ansible_facts`.
    Facts(Arc<serde_json::Map<String, serde_json::Value>>),
}

/// The questions a diff still needs answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    questions: BTreeSet<Question>,
}

impl Missing {
    /// These questions.
    pub fn new(questions: impl IntoIterator<Item = Question>) -> Missing {
        Missing {
            questions: questions.into_iter().collect(),
        }
    }

    /// Adds another diff's questions.
    pub fn merge(&mut self, other: Missing) {
        self.questions.extend(other.questions);
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// The questions, sorted: questions of one kind stand together.
    pub fn questions(&self) -> &BTreeSet<Question> {
        &self.questions
    }
}

/// An answer that could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the node's answer to a question about {subject} could not be read: {reason}")]
pub struct FactError {
    /// `packages`, `units` …
    pub subject: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A shell fragment with the section it prints; one a kind of question.
struct Section {
    name: &'static str,
    script: String,
}

/// The shell text that answers all `questions` on standard output, in sections that begin with a line `@NONCE NAME`.
/// Read only; run by `/bin/sh` as root or as the login user.
pub fn script(questions: &Missing, nonce: &str) -> String {
    let mut sections = sections(questions);
    let mark = |name: &str| format!("printf '\\n@{nonce} {name}\\n'\n");
    let last = sections.pop_if(|section| section.name == "unit" && questions.questions().len() > 1);
    let mut text = String::new();
    for section in sections {
        text.push_str(&mark(section.name));
        text.push_str(&section.script);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    if let Some(units) = last {
        // systemd takes its time to answer: it is asked beside everything else, and its answer waits in the pipe.
        let asked = units.script.trim_end();
        let mark = mark("unit");
        text = format!("{{\n{asked}\n}} | {{\n{{\n:\n{text}}} </dev/null\n{mark}cat\n}}\n");
    }
    text.push_str(&mark("end"));
    text
}

/// The answers in what [`script`] printed. Every question gets an answer, or it is an error.
pub fn parse(
    questions: &Missing,
    nonce: &str,
    output: &[u8],
) -> Result<Vec<(Question, Answer)>, FactError> {
    let sections = split(nonce, output)?;
    let mut answers = Vec::new();
    for (name, body) in sections {
        match name {
            "path" => answers.extend(path::parse_paths(&keys(questions, "path"), body)?),
            "digest" => answers.extend(path::parse_digests(&keys(questions, "digest"), body)?),
            "text" => answers.extend(path::parse_texts(&keys(questions, "text"), body)?),
            "tree" => answers.extend(path::parse_trees(&keys(questions, "tree"), body)?),
            "listing" => answers.extend(path::parse_listings(&keys(questions, "listing"), body)?),
            "glob" => answers.extend(path::parse_globs(&keys(questions, "glob"), body)?),
            "package" => answers.extend(apt::parse_packages(&keys(questions, "package"), body)?),
            "candidate" => {
                answers.extend(apt::parse_candidates(&keys(questions, "candidate"), body)?);
            }
            "lists" => answers.push((
                Question::AptLists,
                Answer::AptLists(apt::parse_lists(body)?),
            )),
            "simulation" => {
                answers.extend(apt::parse_simulations(
                    &keys(questions, "simulation"),
                    body,
                )?);
            }
            "account" => {
                answers.extend(account::parse_accounts(&keys(questions, "account"), body)?);
            }
            "group" => answers.extend(account::parse_groups(&keys(questions, "group"), body)?),
            "unit" => answers.extend(unit::parse_units(&keys(questions, "unit"), body)?),
            "probe" => answers.extend(probe::parse_probes(&keys(questions, "probe"), body)?),
            "pem" => answers.extend(pem::parse_pems(&keys(questions, "pem"), body)?),
            "postgres" => {
                answers.extend(postgres::parse_postgres(
                    &keys(questions, "postgres"),
                    body,
                )?);
            }
            "http" => answers.extend(http::parse_http(&keys(questions, "http"), body)?),
            "firewall" => {
                answers.extend(firewall::parse_chains(&keys(questions, "firewall"), body)?);
            }
            "facts" => answers.push((Question::Facts, Answer::Facts(gather::parse(body)?))),
            _ => {}
        }
    }
    let answered: HashSet<&Question> = answers.iter().map(|(question, _)| question).collect();
    for question in questions.questions() {
        if !answered.contains(question) {
            return Err(FactError {
                subject: subject(question).0,
                reason: format!("{question:?} was not answered"),
            });
        }
    }
    Ok(answers)
}

/// The section a question belongs to, and its key.
fn subject(question: &Question) -> (&'static str, &str) {
    match question {
        Question::Path(key) => ("path", key),
        Question::Digest(key) => ("digest", key),
        Question::Text(key) => ("text", key),
        Question::Tree(key) => ("tree", key),
        Question::Listing(key) => ("listing", key),
        Question::Glob(key) => ("glob", key),
        Question::Package(key) => ("package", key),
        Question::Candidate(key) => ("candidate", key),
        Question::AptLists => ("lists", ""),
        Question::Simulation(key) => ("simulation", key),
        Question::Account(key) => ("account", key),
        Question::Group(key) => ("group", key),
        Question::Unit(key) => ("unit", key),
        Question::Probe(key) => ("probe", key),
        Question::Http(key) => ("http", key),
        Question::Firewall(key) => ("firewall", key),
        Question::Pem(key) => ("pem", key),
        Question::Postgres(key) => ("postgres", key),
        Question::Facts => ("facts", ""),
    }
}

fn keys<'a>(questions: &'a Missing, name: &str) -> Vec<&'a str> {
    questions
        .questions
        .iter()
        .map(subject)
        .filter(|(section, _)| *section == name)
        .map(|(_, key)| key)
        .collect()
}

fn sections(questions: &Missing) -> Vec<Section> {
    type Builder = fn(&[&str]) -> String;
    let builders: [(&'static str, Builder); 19] = [
        ("facts", |_| gather::script()),
        ("path", path::paths_script),
        ("digest", path::digests_script),
        ("text", path::texts_script),
        ("tree", path::trees_script),
        ("listing", path::listings_script),
        ("glob", path::globs_script),
        ("package", apt::packages_script),
        ("candidate", apt::candidates_script),
        ("lists", |_| apt::lists_script()),
        ("simulation", apt::simulations_script),
        ("account", account::accounts_script),
        ("group", account::groups_script),
        ("probe", probe::probes_script),
        ("http", http::http_script),
        ("firewall", firewall::chains_script),
        ("pem", pem::pems_script),
        ("postgres", postgres::postgres_script),
        ("unit", unit::units_script),
    ];
    builders
        .into_iter()
        .filter_map(|(name, build)| {
            let keys = keys(questions, name);
            (!keys.is_empty()).then(|| Section {
                name,
                script: build(&keys),
            })
        })
        .collect()
}

/// Splits into `(name, body)`; a body ends before the newline that begins the next header.
fn split<'a>(nonce: &str, output: &'a [u8]) -> Result<Vec<(&'a str, &'a [u8])>, FactError> {
    let marker = format!("\n@{nonce} ").into_bytes();
    let mut found = Vec::new();
    let mut rest = output;
    let mut open: Option<&str> = None;
    while let Some(at) = find(rest, &marker) {
        if let Some(name) = open {
            found.push((name, &rest[..at]));
        }
        let head = &rest[at + marker.len()..];
        let end = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        let name = std::str::from_utf8(&head[..end]).unwrap_or("");
        rest = head.get(end + 1..).unwrap_or(&[]);
        if name == "end" {
            return Ok(found);
        }
        open = Some(name);
    }
    Err(FactError {
        subject: "the node",
        reason: "it ends before its last section".to_owned(),
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_asked_beside_the_rest_answer_behind_it() {
        let questions = Missing::new([
            Question::Unit("a.service".into()),
            Question::Path("/".into()),
        ]);
        // systemd says it at once; what is asked first takes longer.
        let slow = "systemctl() { printf 'LoadState=loaded\\nActiveState=active\\n'; }\nxargs() { sleep 0.1; command xargs \"$@\"; }\n";
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("{slow}{}", script(&questions, "n")))
            .output()
            .unwrap();
        let sections = split("n", &output.stdout).unwrap();
        let names: Vec<&str> = sections.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["path", "unit"]);
        assert_eq!(
            sections[1].1.trim_ascii(),
            b"LoadState=loaded\nActiveState=active"
        );
    }
}
