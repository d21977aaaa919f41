//! The counts of a host, in events.

use serde::Serialize;

use crate::event::Tally;

#[derive(Serialize)]
pub(super) struct Counts {
    ok: u32,
    changed: u32,
    skipped: u32,
    failed: u32,
    rescued: u32,
    ignored: u32,
    unknown: u32,
    unreachable: u32,
    round_trips: u32,
    streams: u32,
}

pub(super) fn counts(tally: &Tally) -> Counts {
    Counts {
        ok: tally.ok,
        changed: tally.changed,
        skipped: tally.skipped,
        failed: tally.failed,
        rescued: tally.rescued,
        ignored: tally.ignored,
        unknown: tally.unknown,
        unreachable: tally.unreachable,
        round_trips: tally.round_trips,
        streams: tally.streams,
    }
}
