//! repmgr's table, its daemons, the witness, and what former members left behind.

use super::act::Act;
use super::judge::Judge;
use super::look::Decision;
use super::observation::Node;
use super::picture::{State, slot};
use super::present::all;

impl Judge<'_> {
    /// The rows of repmgr's table on the primary.
    fn nodes(&self, primary: usize) -> &[Node] {
        self.look
            .online(primary)
            .and_then(|online| online.nodes.as_deref())
            .unwrap_or_default()
    }

    /// The primary's own row, and the table it stands in.
    pub fn primary_row(&self, primary: usize) -> Option<Decision> {
        if self.blind() {
            return None;
        }
        if self.look.online(primary)?.nodes.is_none() {
            return Some(Decision::act(primary, Act::EnsureRoles));
        }
        let right = self.row(primary, primary).is_some_and(|row| {
            row.kind == "primary" && row.active && row.id == self.look.site.ids[primary]
        });
        (!right).then(|| Decision::act(primary, Act::RegisterPrimary))
    }

    fn row(&self, primary: usize, member: usize) -> Option<&Node> {
        let name = self.look.name(member);
        self.nodes(primary).iter().find(|row| row.name == name)
    }

    fn right(&self, primary: usize, member: usize, kind: &str) -> bool {
        let ids = &self.look.site.ids;
        self.row(primary, member).is_some_and(|row| {
            row.kind == kind
                && row.active
                && row.id == ids[member]
                && row.upstream == Some(ids[primary])
        })
    }

    /// Standbys that stream and are not known as such.
    pub fn rows(&self, primary: usize) -> Option<Decision> {
        let member = self
            .picture
            .of(State::Streaming)
            .into_iter()
            .find(|member| !self.right(primary, *member, "standby"))?;
        Some(Decision::act(
            member,
            Act::RegisterStandby { upstream: primary },
        ))
    }

    /// The witness: a server of its own that is only there to be seen.
    pub fn witness(&mut self, primary: usize) -> Option<Decision> {
        let look = self.look;
        let spec = look.site.spec;
        let member = spec.data();
        if !spec.witness {
            return None;
        }
        let name = spec.name(member);
        match self.state(member) {
            State::Empty if look.known(member)?.remains => {
                Some(Decision::act(member, Act::SetAside))
            }
            State::Empty => Some(Decision::act(member, Act::CreateCluster)),
            State::StoppedWitness => Some(Decision::act(member, Act::RestartWitness)),
            State::Starting => Some(self.starting(member)),
            State::Witness if !look.wanted[member].accounts => {
                Some(Decision::act(member, Act::EnsureRoles))
            }
            State::Witness => {
                let copy = look.online(member)?.nodes.as_ref();
                let copied = copy.is_some_and(|rows| {
                    rows.iter()
                        .any(|row| row.id == look.site.ids[primary] && row.kind == "primary")
                });
                let right = copied && self.right(primary, member, "witness");
                (!right).then(|| Decision::act(member, Act::RegisterWitness { primary }))
            }
            State::Foreign | State::Broken if self.repairs() => {
                Some(Decision::act(member, Act::SetAside))
            }
            State::Foreign | State::Broken => {
                self.complain(
                    format!("{name} is to be the witness, and holds other data"),
                    format!("`repair` sets them aside; nothing is deleted on {name}"),
                );
                None
            }
            _ => None,
        }
    }

    /// The daemons, where there is a server and a row.
    pub fn repmgrd(&self) -> Option<Decision> {
        let look = self.look;
        let attached = [State::Primary, State::Streaming, State::Witness];
        let down = |member: &usize| {
            attached.contains(&self.state(*member))
                && look.known(*member).is_some_and(|seen| {
                    !seen.repmgrd.running || !seen.repmgrd.enabled || seen.repmgrd.stale
                })
        };
        let members: Vec<usize> = (0..look.seen.len()).filter(down).collect();
        (!members.is_empty()).then(|| all(members, &Act::StartRepmgrd))
    }

    /// Slots that no member will ever use, and rows of hosts that are no members.
    pub fn leftovers(&mut self, primary: usize) -> Option<Decision> {
        if self.blind() {
            return None;
        }
        let look = self.look;
        let strangers: Vec<String> = self
            .nodes(primary)
            .iter()
            .filter(|row| look.site.spec.member(&row.name).is_none())
            .map(|row| row.name.clone())
            .collect();
        let rows: Vec<String> = self
            .nodes(primary)
            .iter()
            .map(|row| row.slot.clone())
            .collect();
        for name in strangers {
            self.complain(
                format!("repmgr knows {name}, which is no member"),
                format!(
                    "put {name} back into the inventory, or say `hadeploy node forget {name}`: elections count it"
                ),
            );
        }
        let ours: Vec<String> = look.site.ids.iter().copied().map(slot).collect();
        for member in 0..look.site.spec.data() {
            let Some(online) = look.online(member) else {
                continue;
            };
            // On a standby, they are left from the time when it was the primary.
            let orphan = online.slots.iter().find(|slot| {
                let used =
                    member == primary && (ours.contains(&slot.name) || rows.contains(&slot.name));
                !slot.active && !used && slot.name.starts_with("repmgr_slot_")
            });
            if let Some(orphan) = orphan {
                let name = orphan.name.clone();
                return Some(Decision::act(member, Act::DropSlot { name }));
            }
        }
        None
    }
}
