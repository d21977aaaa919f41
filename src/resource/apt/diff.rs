//! What `apt` finds to do: installs, removals, upgrades, each behind what is known of dpkg and apt.

use super::choose::ago;
use super::script::{self, Options};
use super::services;
use super::wanted::{self, Wanted};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::diagnostic::count;
use crate::fact::apt::MARKS;
use crate::fact::{Answer, AptLists, Known, Missing, PackageInfo, Question};
use crate::resource::Resource;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum State {
    Present,
    Latest,
    Absent,
}

/// The wanted state of packages.
pub(super) struct Apt {
    pub(super) wanted: Vec<Wanted>,
    pub(super) state: State,
    /// The age in seconds up to which lists are fresh; none when they are not to be fetched.
    pub(super) fetch: Option<u64>,
    pub(super) retries: u64,
    pub(super) purge: bool,
    /// `upgrade` or `dist-upgrade`.
    pub(super) upgrade: Option<&'static str>,
    /// `autoremove`, `autoclean`: cleaning up as a task of its own.
    pub(super) tidy: Vec<&'static str>,
    pub(super) clean: bool,
    pub(super) only_upgrade: bool,
    pub(super) change_held: bool,
    pub(super) release: Option<String>,
    /// Options of `apt-get` for installs.
    pub(super) flags: Vec<String>,
    pub(super) options: Options,
}

const ARCHIVES: &str = "/var/cache/apt/archives/*.deb";

impl Resource for Apt {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.questions())?;
        let stale = match self.fetch {
            Some(valid) => {
                let lists = known.apt_lists()?;
                let old = |age| age > valid || valid == 0;
                lists.outdated || lists.age.is_none_or(old)
            }
            None => false,
        };
        let mut change = match self.state {
            State::Absent => self.remove(known)?,
            _ => self.install(known, stale)?,
        };
        if change.obstacle.is_some() {
            return Ok(change);
        }
        if let Some(what) = self.upgrade {
            change = self.would(change, known, what, stale)?;
        }
        for what in &self.tidy {
            change = self.would(change, known, what, false)?;
        }
        if self.clean && !known.glob(ARCHIVES)?.is_empty() {
            change
                .fields
                .push(Field::value("downloaded packages", "some", "none"));
            change.steps.push(
                self.step("delete downloaded packages", &["clean".to_owned()])
                    .touch(Touch::Path("/var/cache/apt/archives".to_owned())),
            );
        }
        let alone = self.wanted.is_empty() && self.upgrade.is_none();
        let installs = self.state != State::Absent && !change.steps.is_empty();
        let newest = self.state == State::Latest && !self.wanted.is_empty();
        let fetched = stale && (alone || installs || newest);
        if fetched {
            change.steps.insert(0, self.fetch_step());
            if alone {
                let age = known.apt_lists()?.age;
                change.fields.insert(
                    0,
                    Field::value("package lists", age.map_or(String::new(), ago), "fetched"),
                );
            }
        }
        change.action = match (change.steps.is_empty(), self.state) {
            (true, _) => Action::None,
            (false, State::Absent) if alone => Action::Update,
            (false, State::Absent) => Action::Delete,
            (false, _) if change.action == Action::Create => Action::Create,
            (false, _) => Action::Update,
        };
        if change.action != Action::None {
            change.reason.clear();
        }
        let effects: Vec<_> = change.fields.iter().filter_map(services::effect).collect();
        for effect in effects {
            change = change.and_effect(effect);
        }
        Ok(change.result("cache_updated", fetched))
    }
}

impl Apt {
    /// What is asked at first; candidates of what turns out to be missing follow.
    fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = self
            .wanted
            .iter()
            .map(|wanted| Question::Package(wanted.name.as_str().into()))
            .collect();
        if self.state == State::Latest {
            questions.extend(self.wanted.iter().map(|wanted| self.candidate(wanted)));
        }
        if self.fetch.is_some() {
            questions.push(Question::AptLists);
        }
        questions.extend(
            self.upgrade
                .into_iter()
                .chain(self.tidy.iter().copied())
                .map(|what| Question::Simulation(what.into())),
        );
        if self.clean {
            questions.push(Question::Glob(ARCHIVES.into()));
        }
        questions
    }

    fn candidate(&self, wanted: &Wanted) -> Question {
        Question::Candidate(self.candidate_key(wanted).into())
    }

    pub(super) fn candidate_key(&self, wanted: &Wanted) -> String {
        match &self.release {
            Some(release) => format!("{}/{release}", wanted.name),
            None => wanted.name.clone(),
        }
    }

    fn step(&self, title: &str, words: &[String]) -> Step {
        Step::new(title, script::run(&self.options, words))
    }

    /// Of what apt knows only the candidates move; nothing is installed yet.
    fn fetch_step(&self) -> Step {
        Step::new(
            "fetch the package lists",
            script::update(&self.options, self.retries),
        )
        .touch(Touch::PackageLists)
        .predict(
            Question::AptLists,
            Answer::AptLists(AptLists {
                age: Some(0),
                outdated: false,
            }),
        )
    }

    fn install(&self, known: &Known, stale: bool) -> Result<Change, Missing> {
        let mut open = Vec::new();
        for wanted in &self.wanted {
            let info = known.package(&wanted.name)?;
            if self.only_upgrade && !info.installed {
                continue;
            }
            let fits = info.installed && !info.half_way && wanted.fits(info);
            if !fits || self.state == State::Latest {
                open.push((wanted, info));
            }
        }
        known.need(open.iter().map(|(wanted, _)| self.candidate(wanted)).chain(
            (!open.is_empty() && self.state == State::Present).then_some(Question::AptLists),
        ))?;
        let mut change = Change::none(match self.wanted.len() {
            0 => "nothing to do".to_owned(),
            number => format!("{} as wanted", count(number, "package")),
        });
        let mut words = vec!["install".to_owned()];
        words.extend(self.flags.iter().cloned());
        let mut step = Step::new("", "");
        let mut names = Vec::new();
        for (wanted, info) in open {
            let choice = match self.choose(known, wanted, info, stale)? {
                Ok(Some(choice)) => choice,
                Ok(None) => continue,
                Err(obstacle) => return Ok(*obstacle),
            };
            let before = info.version.as_deref().unwrap_or("");
            let after = choice.version.as_deref().unwrap_or("present");
            change.fields.push(Field::value(
                &choice.name,
                if info.half_way {
                    "half installed"
                } else {
                    before
                },
                after,
            ));
            if !info.installed {
                change.action = Action::Create;
            }
            words.push(match &choice.pinned {
                Some(pinned) => format!("{}={pinned}", choice.name),
                None => choice.name.clone(),
            });
            let check = script::installed(&choice.name, choice.pinned.as_deref());
            let behind = PackageInfo {
                installed: true,
                version: choice.version.as_deref().map(Into::into),
                ..PackageInfo::ABSENT
            };
            step = leaving(step, &choice.name, check, behind);
            names.push(choice.name);
        }
        change = self.mark(change, known, &names)?;
        if names.is_empty() {
            return Ok(change);
        }
        step.title = format!("install {}", names.join(", "));
        step.script = script::run(&self.options, &words);
        Ok(change.step(step.touch(Touch::Everything)))
    }

    /// What is wanted and came along with something else is wanted for its own sake now, so that no `autoremove` takes it. What is installed
    /// anew, or upgraded by name, apt marks itself.
    fn mark(&self, mut change: Change, known: &Known, named: &[String]) -> Result<Change, Missing> {
        let mut step = Step::new("", "");
        let mut names = Vec::new();
        for wanted in &self.wanted {
            let info = known.package(&wanted.name)?;
            if !info.installed || !info.automatic || named.contains(&wanted.name) {
                continue;
            }
            let version = info.version.as_deref().unwrap_or("present");
            let before = format!("{version}, automatically installed");
            change
                .fields
                .push(Field::value(&wanted.name, before, version));
            let behind = PackageInfo {
                automatic: false,
                ..info.clone()
            };
            step = leaving(step, &wanted.name, script::manual(&wanted.name), behind);
            names.push(wanted.name.clone());
        }
        if names.is_empty() {
            return Ok(change);
        }
        step.title = format!("mark {} as manually installed", names.join(", "));
        step.script = script::mark_manual(&names);
        Ok(change.step(step.touch(Touch::Path(MARKS.to_owned()))))
    }

    fn remove(&self, known: &Known) -> Result<Change, Missing> {
        let mut change = Change::none("not installed");
        let mut words = vec![if self.purge { "purge" } else { "remove" }.to_owned()];
        words.extend(self.flags.iter().cloned());
        let mut step = Step::new("", "").touch(Touch::Everything);
        let mut names = Vec::new();
        for wanted in &self.wanted {
            let info = known.package(&wanted.name)?;
            let there = info.installed || info.half_way || (self.purge && info.config_files);
            if !there {
                continue;
            }
            let before = match &info.version {
                Some(version) => version.to_string(),
                None if info.config_files => "configuration files".to_owned(),
                None => "half installed".to_owned(),
            };
            change.fields.push(Field::value(&wanted.name, before, ""));
            words.push(wanted.name.clone());
            let behind = PackageInfo {
                config_files: !self.purge,
                ..PackageInfo::ABSENT
            };
            step = leaving(step, &wanted.name, script::removed(&wanted.name), behind);
            names.push(wanted.name.as_str());
        }
        if names.is_empty() {
            return Ok(change);
        }
        step.title = format!("remove {}", names.join(", "));
        step.script = script::run(&self.options, &words);
        Ok(change.step(step))
    }

    /// `upgrade`, `autoremove` and `autoclean`, by what apt says it would do.
    fn would(
        &self,
        mut change: Change,
        known: &Known,
        what: &str,
        stale: bool,
    ) -> Result<Change, Missing> {
        let lines = known.simulation(what)?;
        if lines.is_empty() && !stale {
            return Ok(change);
        }
        for line in lines {
            change.fields.push(wanted::simulated(line));
        }
        let mut words = vec![what.to_owned()];
        if what != "autoclean" {
            words.extend(
                self.flags
                    .iter()
                    .filter(|flag| *flag != "--only-upgrade")
                    .cloned(),
            );
        }
        let none = Answer::Simulation(std::sync::Arc::new(Vec::new()));
        Ok(change.step(
            self.step(what, &words)
                .touch(Touch::Everything)
                .predict(Question::Simulation(what.into()), none),
        ))
    }
}

/// A step that leaves a package so, which `check` proves.
fn leaving(step: Step, name: &str, check: String, behind: PackageInfo) -> Step {
    step.verify(Expect::Check {
        field: name.to_owned(),
        script: check,
    })
    .predict(Question::Package(name.into()), Answer::Package(behind))
}
