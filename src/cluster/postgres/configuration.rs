//! Accounts, files and settings, each where it does no harm first.

use super::act::Act;
use super::judge::{CATCH_UP, Judge};
use super::look::Decision;
use super::picture::State;
use super::present::all;
use super::spec::COUNTERS;

/// How a setting that standbys must not fall short of is to move.
#[derive(Debug, Default)]
struct Moves {
    /// Name and wanted value.
    raised: Vec<(&'static str, u64)>,
    /// Name and wanted value.
    lowered: Vec<(&'static str, u64)>,
}

impl Judge<'_> {
    /// Accounts, files and settings.
    pub fn configuration(&mut self, primary: usize) -> Option<Decision> {
        let look = self.look;
        if !look.wanted[primary].accounts && !self.blind() {
            return Some(Decision::act(primary, Act::EnsureRoles));
        }
        let moves = self.moves(primary);
        if let (Some((up, _)), Some((down, _))) = (moves.raised.first(), moves.lowered.first()) {
            self.complain(
                format!("{up} is to be raised and {down} to be lowered: neither the primary nor a standby can go first"),
                format!("leave {down} as it is, apply, and lower it then"),
            );
            return None;
        }
        if let Some(decision) = self.write(primary, &moves) {
            return Some(decision);
        }
        if let Some(decision) = self.reset() {
            return Some(decision);
        }
        // What is lowered must be in force on the primary before a standby may have it: it restarts where it stands.
        let pending = look
            .online(primary)
            .is_some_and(|online| !online.pending_restart.is_empty());
        if pending && !moves.lowered.is_empty() && !self.blind() {
            return Some(self.restart_in_place(primary));
        }
        self.rejected();
        None
    }

    /// Files: those that nobody reads yet everywhere at once, then one running server at a time, the primary last.
    fn write(&self, primary: usize, moves: &Moves) -> Option<Decision> {
        let look = self.look;
        let mut quiet = Vec::new();
        let mut loud = Vec::new();
        for member in 0..look.seen.len() {
            let held = match member == primary {
                true => !self.standbys_hold(primary, moves),
                false if look.site.spec.is_witness(member) => false,
                false => !moves.lowered.is_empty() || self.still_needs(member),
            };
            let untouchable = [State::Gone, State::Foreign, State::Starting];
            if held || untouchable.contains(&self.state(member)) {
                continue;
            }
            match look.files(member) {
                Some(Act::WriteFiles { reload: true }) => loud.push(member),
                Some(_) => quiet.push(member),
                None => {}
            }
        }
        if quiet.is_empty()
            && loud.is_empty()
            && moves.lowered.is_empty()
            && let Some(late) = self.late()
            && look.waited < CATCH_UP
        {
            let name = look.name(late);
            return Some(Decision::wait(format!("{name} to see what was lowered")));
        }
        if !quiet.is_empty() {
            return Some(all(quiet, &Act::WriteFiles { reload: false }));
        }
        loud.sort_by_key(|member| *member == primary);
        let first = *loud.first()?;
        Some(Decision::act(first, Act::WriteFiles { reload: true }))
    }

    /// Whether a standby has not seen yet that the primary runs with less: it would not start with the files that are wanted.
    pub fn still_needs(&self, member: usize) -> bool {
        let look = self.look;
        let wanted = &look.wanted[member].settings;
        look.known(member)
            .filter(|seen| seen.standby_signal)
            .and_then(|seen| seen.control.as_ref())
            .is_some_and(|control| {
                control.counters.iter().any(|(name, needed)| {
                    wanted
                        .get(name)
                        .and_then(|wanted| wanted.parse::<u64>().ok())
                        .is_some_and(|wanted| wanted < *needed)
                })
            })
    }

    /// A standby that streams and will see it at once.
    fn late(&self) -> Option<usize> {
        let mut streaming = self.picture.of(State::Streaming).into_iter();
        streaming.find(|member| self.still_needs(*member) && self.look.files(*member).is_some())
    }

    /// The counters that differ between what the primary runs with and what is wanted.
    fn moves(&self, primary: usize) -> Moves {
        let look = self.look;
        let mut moves = Moves::default();
        for name in COUNTERS {
            let wanted = look.wanted[primary].settings.get(name);
            let found = look
                .online(primary)
                .and_then(|online| online.settings.get(name));
            let (Some(wanted), Some(found)) = (wanted, found) else {
                continue;
            };
            let (Ok(wanted), Ok(found)) = (wanted.parse::<u64>(), found.raw.parse::<u64>()) else {
                continue;
            };
            match wanted.cmp(&found) {
                std::cmp::Ordering::Greater => moves.raised.push((name, wanted)),
                std::cmp::Ordering::Less => moves.lowered.push((name, wanted)),
                std::cmp::Ordering::Equal => {}
            }
        }
        moves
    }

    /// Whether the primary runs with more than is wanted of what standbys must not fall short of.
    pub fn lowers(&self, primary: usize) -> bool {
        !self.moves(primary).lowered.is_empty()
    }

    /// Whether every standby runs with what is to be raised, or will when it starts.
    fn standbys_hold(&self, primary: usize, moves: &Moves) -> bool {
        let look = self.look;
        (0..look.site.spec.data())
            .filter(|member| *member != primary)
            .all(|member| {
                moves.raised.is_empty()
                    || match look.online(member) {
                        Some(online) => moves.raised.iter().all(|(name, wanted)| {
                            online
                                .settings
                                .get(*name)
                                .and_then(|found| found.raw.parse::<u64>().ok())
                                .is_none_or(|found| found >= *wanted)
                        }),
                        None => {
                            self.state(member) != State::Unknown && look.files(member).is_none()
                        }
                    }
            })
    }

    /// Settings of ours that somebody set by ALTER SYSTEM, which would win over the files.
    fn reset(&self) -> Option<Decision> {
        let look = self.look;
        (0..look.seen.len()).find_map(|member| {
            let online = look.online(member)?;
            let ours = &look.wanted[member].settings;
            let names: Vec<String> = online
                .auto
                .iter()
                .filter(|name| ours.contains_key(*name))
                .cloned()
                .collect();
            (!names.is_empty()).then(|| Decision::act(member, Act::ResetSettings { names }))
        })
    }

    /// Faults that the servers see in their files.
    fn rejected(&mut self) {
        for member in 0..self.look.seen.len() {
            let errors = self
                .look
                .online(member)
                .map(|online| online.config_errors.join("; "));
            if let Some(errors) = errors.filter(|errors| !errors.is_empty()) {
                let name = self.look.name(member);
                self.complain(
                    format!("the server of {name} does not accept its configuration: {errors}"),
                    "set what it does not accept right in the task's settings, or in the file it names",
                );
            }
        }
    }
}
