//! One primary runs: everything else is brought to it, in an order in which nothing is ever lost.

use super::act::Act;
use super::judge::Judge;
use super::look::Decision;
use super::spec::Goal;

impl Judge<'_> {
    /// One member takes writes.
    pub fn present(&mut self, primary: usize) -> Decision {
        if self.look.broken {
            return self.let_go();
        }
        self.complain_of_unknown();
        // An order may be what makes room.
        if matches!(self.goal(), Goal::Converge | Goal::Repair) {
            self.complain_of_disks();
        }
        let work = self.mend(primary);
        if work.is_none()
            && self.complaints.is_empty()
            && let Some(decision) = self.planned(primary)
        {
            match decision {
                Decision::Refuse(refusal) => self.complaints.push(refusal),
                decision => return decision,
            }
        }
        // Clients wait behind a paused pooler: nothing goes before them.
        let paused = self.look.poolers(true);
        if !paused.is_empty() {
            return all(paused, &Act::ResumePooler);
        }
        if let Some(work) = work {
            return work;
        }
        if let Some(unpause) = self.unpause() {
            return unpause;
        }
        // Whoever matters for a member that leaves was looked at already.
        let leaves = matches!(self.goal(), Goal::Leave { .. });
        if !leaves && let Some(wait) = self.behind(primary) {
            return wait;
        }
        self.verdict()
    }

    /// Behind a chain that broke, clients go on and repmgrd judges again; all else is left to the next run.
    fn let_go(&mut self) -> Decision {
        let paused = self.look.poolers(true);
        match paused.is_empty() {
            false => all(paused, &Act::ResumePooler),
            true => self.unpause().unwrap_or(Decision::Settled),
        }
    }

    /// What has to be done that leaves the primary where it is.
    fn mend(&mut self, primary: usize) -> Option<Decision> {
        // An order to change roles does not change the configuration on the way.
        let converge = matches!(self.goal(), Goal::Converge | Goal::Repair);
        if converge && let Some(decision) = self.prepare() {
            return Some(decision);
        }
        if let Some(decision) = self.primary_row(primary) {
            return Some(decision);
        }
        if converge && let Some(decision) = self.configuration(primary) {
            return Some(decision);
        }
        self.standbys(primary)
            .or_else(|| self.witness(primary))
            .or_else(|| self.repmgrd())
            .or_else(|| self.restarts(primary))
            .or_else(|| self.leftovers(primary))
    }

    /// Packages, on all members at once: nothing runs yet where they are missing.
    pub fn prepare(&self) -> Option<Decision> {
        let look = self.look;
        let lacks = |member: &usize| {
            look.known(*member).is_some_and(|seen| {
                look.wanted[*member]
                    .packages
                    .iter()
                    .any(|package| !seen.packages.contains_key(package))
            })
        };
        let members: Vec<usize> = (0..look.seen.len()).filter(lacks).collect();
        (!members.is_empty()).then(|| all(members, &Act::Prepare))
    }

    /// repmgrd judges again, wherever that can be altered.
    pub fn unpause(&self) -> Option<Decision> {
        let look = self.look;
        let paused = |member: &usize| {
            look.known(*member)
                .is_some_and(|seen| seen.online.is_some() && seen.repmgrd.paused)
        };
        let members: Vec<usize> = (0..look.seen.len()).filter(paused).collect();
        (!members.is_empty()).then(|| all(members, &Act::Unpause))
    }
}

/// One act on several members.
pub fn all(members: Vec<usize>, act: &Act) -> Decision {
    let acts = members.into_iter().map(|member| (member, act.clone()));
    Decision::Act(acts.collect())
}
