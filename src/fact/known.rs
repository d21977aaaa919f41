//! What is known of one node, and what a step makes uncertain again.

use std::collections::HashMap;
use std::sync::Arc;

use super::debconf;
use super::postgres::{self, Ask};
use super::{
    AccountInfo, Answer, AptLists, CandidateInfo, FirewallInfo, GroupInfo, HttpReply, Listing,
    Missing, PackageInfo, PathInfo, Pem, PostgresReply, Question, TreeEntry, UnitInfo,
};
use crate::change::Touch;

/// The answers so far for one node.
#[derive(Debug, Clone, Default)]
pub struct Known {
    answers: HashMap<Question, Answer>,
    /// Whether a source of packages was touched, and no lists were fetched behind that. A plan reads the node as it was before.
    sources_touched: bool,
    /// Whether diffs of contents are wanted, so that old texts are worth a question.
    pub wants_diff: bool,
}

/// Folders whose files define systemd units.
const UNIT_FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/system",
];

/// Where apt reads its sources; their times are what [`AptLists::outdated`] is made of.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

impl Known {
    /// Nothing is known yet.
    pub fn new(wants_diff: bool) -> Known {
        Known {
            answers: HashMap::new(),
            sources_touched: false,
            wants_diff,
        }
    }

    /// Fails with those of `questions` that have no answer yet. A diff asks all its independent questions in one call
    /// before it uses an answer.
    pub fn need(&self, questions: impl IntoIterator<Item = Question>) -> Result<(), Missing> {
        let open = Missing::new(
            questions
                .into_iter()
                .filter(|question| !self.answers.contains_key(question)),
        );
        if open.is_empty() { Ok(()) } else { Err(open) }
    }

    /// Enters answers.
    pub fn learn(&mut self, answers: impl IntoIterator<Item = (Question, Answer)>) {
        let outdated = self.sources_touched;
        self.answers
            .extend(answers.into_iter().map(|(question, answer)| {
                let answer = match answer {
                    Answer::AptLists(lists) if outdated => {
                        Answer::AptLists(AptLists { outdated, ..lists })
                    }
                    other => other,
                };
                (question, answer)
            }));
    }

    /// Forgets one answer.
    pub fn forget(&mut self, question: &Question) {
        self.answers.remove(question);
    }

    fn get(&self, question: Question) -> Result<&Answer, Missing> {
        self.answers
            .get(&question)
            .ok_or_else(|| Missing::new([question]))
    }

    /// What stands at a path.
    pub fn path(&self, path: &str) -> Result<&PathInfo, Missing> {
        match self.get(Question::Path(path.into()))? {
            Answer::Path(info) => Ok(info),
            other => unreachable!("{other:?} answers a path"),
        }
    }

    /// SHA-256 of the file at a path.
    pub fn digest(&self, path: &str) -> Result<Option<&Arc<str>>, Missing> {
        match self.get(Question::Digest(path.into()))? {
            Answer::Digest(digest) => Ok(digest.as_ref()),
            other => unreachable!("{other:?} answers a digest"),
        }
    }

    /// The content of the file at a path.
    pub fn text(&self, path: &str) -> Result<Option<&Arc<[u8]>>, Missing> {
        match self.get(Question::Text(path.into()))? {
            Answer::Text(text) => Ok(text.as_ref()),
            other => unreachable!("{other:?} answers a text"),
        }
    }

    /// What is below a folder.
    pub fn tree(&self, path: &str) -> Result<Option<&Arc<Vec<TreeEntry>>>, Missing> {
        match self.get(Question::Tree(path.into()))? {
            Answer::Tree(tree) => Ok(tree.as_ref()),
            other => unreachable!("{other:?} answers a tree"),
        }
    }

    /// What is below a folder down to some level.
    pub fn listing(&self, key: &str) -> Result<Option<&Arc<Listing>>, Missing> {
        match self.get(Question::Listing(key.into()))? {
            Answer::Listing(listing) => Ok(listing.as_ref()),
            other => unreachable!("{other:?} answers a listing"),
        }
    }

    /// The paths matching a pattern.
    pub fn glob(&self, pattern: &str) -> Result<&[String], Missing> {
        match self.get(Question::Glob(pattern.into()))? {
            Answer::Glob(paths) => Ok(paths),
            other => unreachable!("{other:?} answers a pattern"),
        }
    }

    /// A package.
    pub fn package(&self, name: &str) -> Result<&PackageInfo, Missing> {
        match self.get(Question::Package(name.into()))? {
            Answer::Package(info) => Ok(info),
            other => unreachable!("{other:?} answers a package"),
        }
    }

    /// What apt would install.
    pub fn candidate(&self, name: &str) -> Result<&CandidateInfo, Missing> {
        match self.get(Question::Candidate(name.into()))? {
            Answer::Candidate(info) => Ok(info),
            other => unreachable!("{other:?} answers a candidate"),
        }
    }

    /// The age of the package lists.
    pub fn apt_lists(&self) -> Result<&AptLists, Missing> {
        match self.get(Question::AptLists)? {
            Answer::AptLists(lists) => Ok(lists),
            other => unreachable!("{other:?} answers the lists"),
        }
    }

    /// What apt would do.
    pub fn simulation(&self, what: &str) -> Result<&[Arc<str>], Missing> {
        match self.get(Question::Simulation(what.into()))? {
            Answer::Simulation(lines) => Ok(lines),
            other => unreachable!("{other:?} answers a simulation"),
        }
    }

    /// An account.
    pub fn account(&self, name: &str) -> Result<Option<&AccountInfo>, Missing> {
        match self.get(Question::Account(name.into()))? {
            Answer::Account(account) => Ok(account.as_ref()),
            other => unreachable!("{other:?} answers an account"),
        }
    }

    /// A group.
    pub fn group(&self, name: &str) -> Result<Option<&GroupInfo>, Missing> {
        match self.get(Question::Group(name.into()))? {
            Answer::Group(group) => Ok(group.as_ref()),
            other => unreachable!("{other:?} answers a group"),
        }
    }

    /// A unit.
    pub fn unit(&self, name: &str) -> Result<&UnitInfo, Missing> {
        match self.get(Question::Unit(name.into()))? {
            Answer::Unit(unit) => Ok(unit),
            other => unreachable!("{other:?} answers a unit"),
        }
    }

    /// What a script of the kind's own printed.
    pub fn probe(&self, key: &str) -> Result<&Arc<[u8]>, Missing> {
        match self.get(Question::Probe(key.into()))? {
            Answer::Probe(output) => Ok(output),
            other => unreachable!("{other:?} answers a probe"),
        }
    }

    /// What an address answers.
    pub fn http(&self, url: &str) -> Result<Option<&HttpReply>, Missing> {
        match self.get(Question::Http(url.into()))? {
            Answer::Http(reply) => Ok(reply.as_ref()),
            other => unreachable!("{other:?} answers an address"),
        }
    }

    /// The packet filter as a chain of ours stands in it.
    pub fn firewall(&self, chain: &str) -> Result<&FirewallInfo, Missing> {
        match self.get(Question::Firewall(chain.into()))? {
            Answer::Firewall(info) => Ok(info),
            other => unreachable!("{other:?} answers a chain"),
        }
    }

    /// What a key or certificate is.
    pub fn pem(&self, path: &str) -> Result<&Pem, Missing> {
        match self.get(Question::Pem(path.into()))? {
            Answer::Pem(pem) => Ok(pem),
            other => unreachable!("{other:?} answers a key"),
        }
    }

    /// What the node's PostgreSQL answers.
    pub fn postgres(&self, ask: &Ask) -> Result<&PostgresReply, Missing> {
        match self.get(ask.question())? {
            Answer::Postgres(reply) => Ok(reply),
            other => unreachable!("{other:?} answers PostgreSQL"),
        }
    }

    /// The gathered facts.
    pub fn facts(&self) -> Result<&Arc<serde_json::Map<String, serde_json::Value>>, Missing> {
        match self.get(Question::Facts)? {
            Answer::Facts(facts) => Ok(facts),
            other => unreachable!("{other:?} answers the facts"),
        }
    }

    /// Forgets what `touch` makes uncertain. Gathered facts stay: they are frozen until `setup` runs again.
    pub fn touch(&mut self, touch: &Touch) {
        match touch {
            Touch::Everything => {
                self.sources_touched = false;
                self.answers
                    .retain(|question, _| matches!(question, Question::Facts));
            }
            Touch::Path(path) => self.touch_path(path, false),
            Touch::NewFolder(path) => self.touch_path(path, true),
            Touch::Account(name) => self.touch_account(name),
            Touch::Group(name) => {
                self.answers
                    .retain(|question, answer| match (question, answer) {
                        (Question::Group(key), _) => **key != **name,
                        (Question::Probe(_), _) => false,
                        (_, Answer::Account(Some(account))) => {
                            // A number may be the new group's.
                            account.group.parse::<u32>().is_err()
                                && *account.group != **name
                                && !account.groups.iter().any(|group| **group == **name)
                        }
                        _ => true,
                    })
            }
            Touch::Unit(_) => self.forget_units(),
            Touch::Postgres(touched) => self.answers.retain(|question, _| {
                !matches!(question, Question::Postgres(asked) if postgres::moves(touched, asked))
            }),
            Touch::Firewall => self
                .answers
                .retain(|question, _| !matches!(question, Question::Firewall(_))),
            Touch::Debconf(name) => {
                let others: Vec<(Question, Answer)> = self
                    .answers
                    .iter()
                    .filter(|(question, _)| matches!(question, Question::Probe(key) if debconf::is_apart(key, name)))
                    .map(|(question, answer)| (question.clone(), answer.clone()))
                    .collect();
                self.touch_path(debconf::STORE, false);
                self.answers.extend(others);
            }
            Touch::PackageLists => {
                self.sources_touched = false;
                self.forget_lists();
            }
        }
    }

    fn forget_lists(&mut self) {
        self.answers.retain(|question, _| {
            !matches!(
                question,
                Question::Candidate(_)
                    | Question::AptLists
                    | Question::Simulation(_)
                    | Question::Probe(_)
            )
        });
    }

    /// What a server answers depends on its unit, and what a script looks at nobody knows.
    fn forget_units(&mut self) {
        self.answers.retain(|question, _| {
            !matches!(
                question,
                Question::Unit(_) | Question::Http(_) | Question::Postgres(_) | Question::Probe(_)
            )
        });
    }

    /// An account brings its own group, and its home brings paths. Homes of other accounts stay as they are, so that many accounts are
    /// made in one script.
    fn touch_account(&mut self, name: &str) {
        let mut homes = vec![format!("~{name}"), format!("/home/{name}")];
        if let Some(Answer::Account(Some(account))) =
            self.answers.get(&Question::Account(name.into()))
        {
            homes.push(account.home.to_string());
        }
        self.answers.retain(|question, answer| match question {
            Question::Account(key) => **key != *name,
            Question::Group(key) => {
                let member =
                    |group: &GroupInfo| group.members.iter().any(|member| **member == *name);
                **key != *name && !matches!(answer, Answer::Group(Some(group)) if member(group))
            }
            Question::Listing(_) => false,
            Question::Path(key)
            | Question::Digest(key)
            | Question::Text(key)
            | Question::Pem(key)
            | Question::Tree(key)
            | Question::Glob(key) => !homes.iter().any(|home| below(key, home)),
            Question::Probe(_) => false,
            _ => true,
        });
    }

    fn touch_path(&mut self, path: &str, stays_empty: bool) {
        let real = match self.answers.get(&Question::Path(path.into())) {
            Some(Answer::Path(info)) => info.real.clone(),
            _ => path.into(),
        };
        let reals: HashMap<Arc<str>, Arc<str>> = self
            .answers
            .iter()
            .filter_map(|(question, answer)| match (question, answer) {
                (Question::Path(key), Answer::Path(info)) => Some((key.clone(), info.real.clone())),
                _ => None,
            })
            .collect();
        let hit = |key: &Arc<str>| {
            let own = reals.get(key);
            below(key, path)
                || below(key, &real)
                || own.is_some_and(|own| below(own, path) || below(own, &real))
        };
        let still_absent = |key: &Arc<str>, answer: &Answer| {
            let absent = match answer {
                Answer::Path(info) => info.stat.is_none(),
                Answer::Digest(sum) => sum.is_none(),
                Answer::Text(text) => text.is_none(),
                _ => false,
            };
            stays_empty
                && absent
                && **key != *path
                && reals.get(key).is_some_and(|own| *own != real)
        };
        self.answers.retain(|question, answer| match question {
            Question::Path(key) => !hit(key) || still_absent(key, answer),
            Question::Digest(key) | Question::Text(key) | Question::Pem(key) => {
                // Without its path's answer nobody knows where the key leads.
                reals.contains_key(key) && (!hit(key) || still_absent(key, answer))
            }
            Question::Tree(key) => {
                reals.contains_key(key) && !hit(key) && !below(path, key) && !below(&real, key)
            }
            // Nobody knows what a script looks at.
            Question::Glob(_) | Question::Listing(_) | Question::Probe(_) => false,
            _ => true,
        });
        if UNIT_FOLDERS
            .iter()
            .any(|folder| below(path, folder) || below(&real, folder))
        {
            self.forget_units();
        }
        let touches = |place: &str| below(path, place) || below(&real, place);
        if touches("/etc/apt") {
            self.forget_lists();
        }
        self.sources_touched |= SOURCES.iter().any(|place| touches(place));
        let selections = touches("/var/lib/dpkg/status");
        if selections || touches(super::apt::MARKS) {
            let of_packages = |question: &Question| matches!(question, Question::Package(_));
            self.answers.retain(|question, _| !of_packages(question));
        }
        if selections {
            self.forget_lists();
        }
    }
}

/// Whether `path` is `folder` or lies below it.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn young() -> (Question, Answer) {
        let lists = AptLists {
            age: Some(9),
            outdated: false,
        };
        (Question::AptLists, Answer::AptLists(lists))
    }

    #[test]
    fn a_touched_source_outdates_lists_until_they_are_fetched() {
        let outdated = |touches: &[Touch]| {
            let mut known = Known::new(false);
            known.learn([young()]);
            touches.iter().for_each(|touch| known.touch(touch));
            // A plan asks again, and the node knows of no change.
            known.learn([young()]);
            known.apt_lists().expect("learnt").outdated
        };
        let path = |path: &str| Touch::Path(path.to_owned());
        let source = path("/etc/apt/sources.list.d/mine.list");
        assert!(outdated(std::slice::from_ref(&source)));
        assert!(outdated(&[path("/etc/apt/sources.list")]));
        assert!(outdated(&[source.clone(), path("/var/lib/dpkg/status")]));
        assert!(!outdated(&[path("/etc/apt/keyrings/mine.asc")]));
        assert!(!outdated(&[path("/etc/apt/preferences.d/mine")]));
        assert!(!outdated(&[source.clone(), Touch::PackageLists]));
        // What a command did, only the node knows.
        assert!(!outdated(&[source, Touch::Everything]));
    }
}
