//! A saved plan while it is applied: each change is looked up before it is written.

use std::collections::HashMap;

use super::compare::{self, Difference};
use super::{NOBODY, Plan, Salt, TaskPlan, UnitPlan};

/// What an apply has promised to do, and nothing else.
#[derive(Debug)]
pub struct Promise {
    salt: Salt,
    hosts: HashMap<String, Tasks>,
}

#[derive(Debug)]
struct Tasks {
    /// By their places; a handler may come more than once.
    at: HashMap<String, Vec<TaskPlan>>,
    /// Whether something of the host could not be foretold: then tasks may come that the plan does not have.
    open: bool,
}

impl Promise {
    /// Of this plan.
    pub fn new(plan: &Plan) -> Promise {
        let hosts = plan.hosts.iter().map(|(host, tasks)| {
            let mut at: HashMap<String, Vec<TaskPlan>> = HashMap::new();
            for task in tasks {
                at.entry(task.place.clone()).or_default().push(task.clone());
            }
            let open = tasks.iter().any(TaskPlan::is_open);
            (host.clone(), Tasks { at, open })
        });
        Promise {
            salt: plan.salt.clone(),
            hosts: hosts.collect(),
        }
    }

    /// Under which values are hashed.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether a change may be made: that of the task at `place`, or of the item `number` of its loop.
    ///
    /// # Errors
    /// How it is otherwise than planned.
    pub fn check(
        &self,
        host: &str,
        place: &str,
        number: usize,
        now: &UnitPlan,
    ) -> Result<(), Vec<Difference>> {
        let Some(tasks) = self.hosts.get(host) else {
            return Err(vec![Difference::unplanned(now)]);
        };
        let Some(planned) = tasks.at.get(place) else {
            return match tasks.open {
                true => Ok(()),
                false => Err(vec![Difference::unplanned(now)]),
            };
        };
        let mut found = Vec::new();
        for task in planned {
            match allowed(task, number, now) {
                Ok(()) => return Ok(()),
                Err(differences) => found = differences,
            }
        }
        Err(found)
    }

    /// How the cluster of the task at `place` is led otherwise than when the plan was made; none where it had no primary then. No task before it
    /// may have moved it, so this holds also where something else is open.
    pub fn led_otherwise(&self, place: &str, now: &str) -> Option<Difference> {
        let mut tasks = self
            .hosts
            .values()
            .flat_map(|tasks| tasks.at.get(place).into_iter().flatten());
        let planned = tasks.find_map(|task| task.leads.as_deref())?;
        (planned != NOBODY && planned != now).then(|| Difference::leads(planned, now))
    }

    /// Which servers of the cluster of the task at `place` stand otherwise than when the plan was made: each member, and how its server was found
    /// where it does not run. No task before it may have stopped one.
    pub fn stands_otherwise<'a>(
        &self,
        place: &str,
        now: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Vec<Difference> {
        let planned = |host: &str| {
            let task = self.hosts.get(host)?.at.get(place)?.first()?;
            task.leads.as_ref().map(|_| task.down.as_deref())
        };
        let moved = now.into_iter().filter_map(|(host, down)| {
            let difference = Difference::stands(planned(host)?, down)?;
            Some(Difference {
                field: format!("{host} {}", difference.field),
                ..difference
            })
        });
        moved.collect()
    }

    /// Whether the task at `place` may do anything at all on any host. A cluster is moved as a whole, step by step.
    pub fn allows_any(&self, place: &str) -> bool {
        let mut tasks = self
            .hosts
            .values()
            .flat_map(|tasks| tasks.at.get(place).into_iter().flatten());
        tasks.any(|task| matches!(task.status.as_str(), "changed" | "unknown") || task.is_open())
    }
}

impl TaskPlan {
    /// Whether it may come otherwise in an apply, as the plan itself says.
    fn is_open(&self) -> bool {
        self.status == "unknown" || self.behind.is_some()
    }
}

fn allowed(task: &TaskPlan, number: usize, now: &UnitPlan) -> Result<(), Vec<Difference>> {
    if task.status == "unknown" && task.units.len() < 2 {
        return Ok(());
    }
    let loose = task.behind.is_some();
    let Some(unit) = task.units.get(number) else {
        return match loose {
            true => Ok(()),
            false => Err(vec![Difference::unplanned(now)]),
        };
    };
    if unit.status == "unknown" {
        return Ok(());
    }
    let differences = match loose {
        true => compare::wanted_otherwise(unit, now),
        false => compare::differences(unit, now),
    };
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}
