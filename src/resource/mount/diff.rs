//! What is missing of a mount: its line, and what the kernel has there.

use std::sync::Arc;

use super::super::Resource;
use super::super::attributes::homeless;
use super::super::body::Body;
use super::super::edit::{self, Found};
use super::super::write::Target;
use super::script::{self, How};
use super::{FSTAB, Mount, State, fstab, mounts};
use crate::change::{Action, Change, Content, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::fact::{Answer, Known, Missing, Question};
use crate::secret::MASK;

impl Resource for Mount {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = vec![
            Question::Path(self.path.clone()),
            Question::Probe(mounts::PROBE.into()),
        ];
        let helper = script::helper(&self.entry).filter(|_| {
            matches!(
                self.state,
                State::Mounted | State::Ephemeral | State::Remounted
            )
        });
        questions.extend(helper.map(|(program, _)| Question::Path(program.into())));
        if self.uses_fstab() {
            questions.extend(edit::questions(&self.target));
        }
        known.need(questions)?;
        let info = known.path(&self.path)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        if let Some((program, package)) = helper
            && known.path(program)?.stat.is_none()
        {
            return Ok(Change::blocked(format!(
                "`{}` is mounted by `{program}`, which the node has not",
                self.entry.fstype
            ))
            .help(format!(
                "install the package `{package}` with an `apt` task before this one"
            )));
        }
        if let Some(stat) = info.stat.as_ref().filter(|stat| stat.target_kind != 'd')
            && self.state.needs_source()
            && stat.target_kind != 'f'
        {
            return Ok(Change::blocked(format!(
                "`{}` is no folder to mount at",
                self.path
            )));
        }
        let table = String::from_utf8_lossy(known.probe(mounts::PROBE)?).into_owned();
        let real = info.real.clone();
        let mut look = Look {
            mount: self,
            known,
            table,
            real,
        };
        let change = match self.state {
            State::Present => look.line(true, None)?,
            State::AbsentFromFstab => look.line(false, None)?,
            State::Mounted => look.mounted()?,
            State::Absent => look.absent()?,
            State::Unmounted => look.unmounted(Change::new(Action::Delete)),
            State::Remounted => look.remounted(),
            State::Ephemeral => look.ephemeral(),
        };
        Ok(self.told(change))
    }
}

impl Mount {
    fn uses_fstab(&self) -> bool {
        !matches!(
            self.state,
            State::Unmounted | State::Ephemeral | State::Remounted
        )
    }

    /// Whether another host may have to be ready first.
    fn is_remote(&self) -> bool {
        script::helper(&self.entry).is_some()
            || self.entry.src.contains(":/")
            || self.entry.src.starts_with("//")
            || self.entry.opts.split(',').any(|opt| opt == "_netdev")
    }

    fn told(&self, mut change: Change) -> Change {
        if change.obstacle.is_some() {
            return change;
        }
        if change.steps.is_empty() {
            change.action = Action::None;
            change.reason = "it is as wanted".to_owned();
        }
        if self.hides {
            for field in &mut change.fields {
                if let Field::Text { before, after, .. } = field {
                    (*before, *after) = (None, None);
                }
            }
        }
        let backup = change.result.get("backup_file").cloned();
        change.result.clear();
        if let Some(backup) = backup {
            change = change.result("backup_file", backup);
        }
        change = change.result("name", &*self.path);
        if self.state != State::Ephemeral {
            change = change.result("fstab", &*self.target.dest);
        }
        if !self.state.needs_source() {
            return change;
        }
        let opts = match self.hides {
            true => MASK,
            false => &self.entry.opts,
        };
        change
            .result("src", self.entry.src.as_str())
            .result("fstype", self.entry.fstype.as_str())
            .result("opts", opts)
            .result("dump", self.entry.dump.as_str())
            .result("passno", self.entry.passno.as_str())
    }
}

/// A mount with what is known of it.
struct Look<'a> {
    mount: &'a Mount,
    known: &'a Known,
    /// What is mounted on the node.
    table: String,
    /// The mount point, links followed.
    real: Arc<str>,
}

impl Look<'_> {
    fn is_mounted(&self) -> bool {
        mounts::at(&self.table, &self.real).is_some()
    }

    /// The change of the fstab; with `mounts`, the mount by it is part of its check.
    fn line(&self, present: bool, mounts: Option<&str>) -> Result<Change, Missing> {
        let target = &self.mount.target;
        let old = match edit::read(target, self.known)? {
            Found::Text(old) => Some(String::from_utf8_lossy(&old).into_owned()),
            Found::Not(change) => return Ok(*change),
            Found::Absent => None,
        };
        let text = old.as_deref().unwrap_or_default();
        let src = self
            .mount
            .has_source
            .then_some(self.mount.entry.src.as_str());
        let new = match present {
            true => fstab::with(text, &self.mount.entry),
            false => fstab::without(text, &self.mount.path, src),
        };
        if new == text {
            return Ok(Change::none(""));
        }
        let target = Target {
            validate: Some(self.mount.validate(mounts.unwrap_or_default())),
            ..target.clone()
        };
        let mut change = target.diff(self.known, &Body::new(new.into_bytes()))?;
        if change.obstacle.is_none() && &*target.dest == FSTAB {
            // Else systemd could end what was mounted anew by what it read before.
            let reload = Step::new(
                "have systemd read the fstab again",
                "systemctl daemon-reload",
            );
            change = change.step(reload.touch(Touch::Unit("local-fs.target".to_owned())));
        }
        Ok(change)
    }

    fn mounted(&mut self) -> Result<Change, Missing> {
        let mount = self.mount;
        let tab = quote(&mount.target.dest);
        let found = self.is_mounted();
        let old = edit::read(&mount.target, self.known)?;
        let before = match &old {
            Found::Text(old) => {
                let text = String::from_utf8_lossy(old);
                fstab::find(&text, &mount.path, Some(&mount.entry.src))
            }
            _ => None,
        };
        let how = match (found, &before) {
            (false, _) => How::Mount,
            (true, Some(before))
                if (&before.src, &before.fstype) != (&mount.entry.src, &mount.entry.fstype) =>
            {
                How::Anew
            }
            (true, _) => How::Remount,
        };
        // What was there before is there again when the new one cannot be.
        let back = match before.is_some() {
            true => format!("mount -T {tab} \"$m\" 2>/dev/null"),
            false => ":".to_owned(),
        };
        let mut change = self.line(true, Some(&script::mount(&self.real, "\"$t\"", how, &back)))?;
        if change.obstacle.is_some() || (found && change.steps.is_empty()) {
            return Ok(change);
        }
        match change.steps.first_mut() {
            Some(step) => {
                step.title = format!("write {} and mount {}", mount.target.dest, mount.path);
                *step = self.mounting(step.clone());
            }
            None => {
                change = Change::new(Action::Update);
                let script = script::mount(&self.real, &tab, How::Mount, ":");
                let step = Step::new(format!("mount {}", mount.path), script);
                change = change.step(self.mounting(step));
            }
        }
        if !found {
            change = change.field(Field::value("state", "unmounted", "mounted"));
        }
        Ok(change)
    }

    /// What a step that mounts touches, and what is known behind it.
    fn mounting(&self, step: Step) -> Step {
        let entry = &self.mount.entry;
        let mounted = mounts::Mounted {
            root: "/".to_owned(),
            path: self.real.to_string(),
            fstype: entry.fstype.clone(),
            src: entry.src.clone(),
        };
        let table = mounts::with(&self.table, &mounted);
        let step = self.moving(step, table).verify(Expect::Check {
            field: "state".to_owned(),
            script: script::check(&self.real, true),
        });
        match self.mount.is_remote() {
            true => step.cut(),
            false => step,
        }
    }

    /// All below the mount point is another. The mount point itself is not told: nobody knows its owner and mode before.
    fn moving(&self, step: Step, table: String) -> Step {
        step.touch(Touch::Path(self.real.to_string()))
            .touch(Touch::Path(self.mount.path.to_string()))
            .predict(
                Question::Probe(mounts::PROBE.into()),
                Answer::Probe(table.into_bytes().into()),
            )
    }

    fn unmounted(&self, change: Change) -> Change {
        if !self.is_mounted() {
            return change;
        }
        let path = &self.mount.path;
        let step = Step::new(
            format!("unmount {path}"),
            format!("umount -- {}", quote(&self.real)),
        );
        let step = self
            .moving(step, mounts::without(&self.table, &self.real))
            .verify(Expect::Check {
                field: "state".to_owned(),
                script: script::check(&self.real, false),
            });
        change
            .field(Field::value("state", "mounted", "unmounted"))
            .step(step)
    }

    /// First it is unmounted: as long as that cannot be, its line stays.
    fn absent(&self) -> Result<Change, Missing> {
        let mut line = self.line(false, None)?;
        if line.obstacle.is_some() {
            return Ok(line);
        }
        let mut change = self.unmounted(Change::new(Action::Delete));
        if line.steps.is_empty() && change.steps.is_empty() {
            return Ok(Change::none(""));
        }
        change.fields.append(&mut line.fields);
        change.steps.append(&mut line.steps);
        change.result = line.result;
        if self.known.path(&self.mount.path)?.stat.is_some() {
            let script = format!("rmdir -- {} 2>/dev/null || :", quote(&self.real));
            let step = Step::new(format!("remove {} if it is empty", self.mount.path), script);
            change = change.step(
                step.touch(Touch::Path(self.real.to_string()))
                    .touch(Touch::Path(self.mount.path.to_string()))
                    .predict(
                        Question::Probe(mounts::PROBE.into()),
                        Answer::Probe(mounts::without(&self.table, &self.real).into_bytes().into()),
                    ),
            );
        }
        Ok(change)
    }

    fn remounted(&self) -> Change {
        let mount = self.mount;
        if !self.is_mounted() {
            return Change::blocked(format!("nothing is mounted at `{}`", mount.path))
                .help("`state: mounted` mounts it");
        }
        let opts = mount.opts.as_deref().filter(|opts| *opts != "defaults");
        let script = script::remounted(&self.real, &quote(&mount.target.dest), opts);
        let step = Step::new(format!("mount {} again", mount.path), script);
        let step = self.moving(step, self.table.clone()).verify(Expect::Check {
            field: "state".to_owned(),
            script: script::check(&self.real, true),
        });
        let step = match mount.is_remote() {
            true => step.cut(),
            false => step,
        };
        Change::new(Action::Run).step(step).reason("mounted again")
    }

    fn ephemeral(&self) -> Change {
        let mount = self.mount;
        let entry = &mount.entry;
        if let Some(found) = mounts::at(&self.table, &self.real) {
            let bound = entry
                .opts
                .split(',')
                .any(|opt| matches!(opt, "bind" | "rbind"));
            let same = match bound {
                // The folder as its own file system names it, which may itself be mounted somewhere.
                true => {
                    let root = found.root.trim_end_matches('/');
                    entry.src.ends_with(root) || root.ends_with(&*entry.src)
                }
                false => found.src == entry.src || entry.src.contains('='),
            };
            if same {
                return Change::none("");
            }
            return Change::failed(format!(
                "`{}` is mounted at `{}`, not `{}`",
                found.src, mount.path, entry.src
            ))
            .help("unmount it first with `state: unmounted`, or choose another `path`");
        }
        let line = fstab::Entry {
            path: self.real.to_string(),
            ..entry.clone()
        };
        // Options may hold a password: they are in no argument of `mount`.
        let step = Step::new(
            format!("mount {}", mount.path),
            script::ephemeral(&self.real),
        )
        .input(Content::Bytes(line.line().into_bytes().into()));
        Change::new(Action::Create)
            .field(Field::value("state", "unmounted", "mounted"))
            .step(self.mounting(step))
    }
}
