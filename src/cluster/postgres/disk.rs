//! Disks that fill up. Nothing is deleted to make room: people are told what fills them.

use super::judge::Judge;

/// A slot that holds back more WAL than this is named.
const MUCH: u64 = 256 << 20;
/// So many WAL files wait for an archiver that does not archive.
const QUEUE: u64 = 16;

impl Judge<'_> {
    /// Members whose disk is nearly full, and why.
    pub fn complain_of_disks(&mut self) {
        for member in 0..self.look.seen.len() {
            let Some(seen) = self.look.known(member) else {
                continue;
            };
            // One that is to be cloned says so itself.
            if !seen.disk_nearly_full() || seen.online.is_none() {
                continue;
            }
            let name = self.look.name(member);
            let why = format!("the disk of {name} is nearly full: {}", seen.room());
            let causes = self.fills(member);
            let help = match causes.is_empty() {
                true => format!("find what fills it on {name}; delete nothing in pg_wal"),
                false => format!("{}; delete nothing in pg_wal", causes.join("; ")),
            };
            self.complain(why, help);
        }
    }

    /// What is known to take room there, and what to do about it.
    fn fills(&self, member: usize) -> Vec<String> {
        let look = self.look;
        let mut causes = Vec::new();
        let Some(seen) = look.known(member) else {
            return causes;
        };
        let name = look.name(member);
        if let Some(online) = &seen.online {
            for slot in online.slots.iter().filter(|slot| slot.held > MUCH) {
                causes.push(format!(
                    "the slot {} holds back {} MB of WAL: bring its standby back, or forget it",
                    slot.name,
                    slot.held >> 20
                ));
            }
            if online.ready > QUEUE {
                causes.push(format!(
                    "{} WAL files wait for the archiver of {name}: see why `archive_command` fails",
                    online.ready
                ));
            }
        }
        if !seen.set_aside.is_empty() {
            causes.push(format!(
                "data that were set aside on {name} can go when nobody needs them: {}",
                seen.set_aside.join(", ")
            ));
        }
        causes
    }
}
