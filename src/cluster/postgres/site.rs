//! A spec, and what the nodes add to it: numbers and release. What acts are written with.

use std::collections::BTreeSet;

use super::observation::{Node, Seen};
use super::spec::Spec;

/// A spec, and what the nodes add to it.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    /// What the task wants.
    pub spec: &'a Spec,
    /// Each member's number in repmgr's table, in the order of the spec's members.
    pub ids: Vec<u32>,
    /// PostgreSQL's major release, the same on all.
    pub release: u32,
    /// What the servers drew by chance, all of it.
    pub random: String,
}

impl<'a> Site<'a> {
    /// With the numbers that members already have, by their names: they stay when the inventory changes. Free numbers for the others.
    pub fn new(spec: &'a Spec, seen: &[Seen]) -> Site<'a> {
        let rows: Vec<&Node> = rows(seen);
        let mut taken: BTreeSet<u32> = rows.iter().map(|row| row.id).collect();
        let mut ids: Vec<Option<u32>> = Vec::with_capacity(spec.members.len());
        for (member, seen) in spec.members.iter().zip(seen) {
            let registered = rows.iter().find(|row| row.name == *member.name);
            let own = seen
                .known()
                .and_then(|observation| observation.repmgr_id)
                .filter(|id| {
                    // A copied file: the number belongs to another.
                    !ids.contains(&Some(*id))
                        && !rows
                            .iter()
                            .any(|row| row.id == *id && row.name != *member.name)
                });
            let id = registered.map(|row| row.id).or(own);
            taken.extend(id);
            ids.push(id);
        }
        let mut free = (1..).filter(|id| !taken.contains(id));
        let ids = ids
            .into_iter()
            .map(|id| id.or_else(|| free.next()).unwrap_or_default())
            .collect();
        let release = seen
            .iter()
            .filter_map(Seen::known)
            .map(|observation| observation.release)
            .find(|release| *release > 0)
            .unwrap_or(0);
        let online = seen.iter().filter_map(Seen::known);
        let random = online
            .filter_map(|seen| seen.online.as_ref())
            .map(|online| online.random.as_str())
            .collect();
        Site {
            spec,
            ids,
            release,
            random,
        }
    }

    /// The unit of the server.
    pub fn unit(&self) -> String {
        format!("postgresql@{}-main.service", self.release)
    }

    /// The folder of the data.
    pub fn data(&self) -> String {
        format!("/var/lib/postgresql/{}/main", self.release)
    }

    /// The folder of the settings.
    pub fn etc(&self) -> String {
        format!("/etc/postgresql/{}/main", self.release)
    }

    /// The folder of the programs.
    pub fn bin(&self) -> String {
        format!("/usr/lib/postgresql/{}/bin", self.release)
    }
}

/// Rows of repmgr's table, those of the primary with the highest time line first.
fn rows(seen: &[Seen]) -> Vec<&Node> {
    let mut tables: Vec<_> = seen
        .iter()
        .filter_map(Seen::known)
        .filter_map(|observation| observation.online.as_ref())
        .filter_map(|online| Some((online.recovery, online.tli, online.nodes.as_ref()?)))
        .collect();
    tables.sort_by_key(|(recovery, tli, _)| (*recovery, std::cmp::Reverse(*tli)));
    tables.into_iter().flat_map(|(_, _, rows)| rows).collect()
}

/// Written by the start guard: another primary was there when this server wanted to start as one. Removed by a rejoin and by a clone.
pub const NEEDS_REJOIN: &str = "/var/lib/hadeploy/pg-needs-rejoin";
/// Written by [`super::Act::Fence`]: the guard refuses each start as primary while it lies there. Removed by a rejoin and by a clone.
pub const FENCED: &str = "/var/lib/hadeploy/pg-fenced";
/// Written by the start guard when it refused a start, with one line that says why; removed when it allows one.
pub const REFUSED: &str = "/var/lib/hadeploy/pg-start-refused";
/// Read and removed by the start guard: this one start as primary is ordered by [`super::Act::StartPrimary`].
pub const TOKEN: &str = "/var/lib/hadeploy/pg-start-token";
