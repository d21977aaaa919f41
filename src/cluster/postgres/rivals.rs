//! Two primaries: the loser is stopped, and people decide about its commits.

use super::act::Act;
use super::judge::Judge;
use super::look::Decision;

impl Judge<'_> {
    /// Several servers take writes.
    pub fn rivals(&self) -> Decision {
        let look = self.look;
        let primary = self.picture.primary.unwrap_or_default();
        let tli = |member: usize| look.online(member).map_or(0, |online| online.tli);
        let unknown = self.picture.unknown(look.site.spec.data());
        // One at a time: after each, all is looked at anew.
        for rival in self.picture.rivals.iter().copied() {
            let clear = tli(primary) > tli(rival);
            if clear || unknown.is_empty() {
                return Decision::act(rival, Act::Fence);
            }
        }
        Decision::refuse(
            format!(
                "{} and {} are primaries on the same time line, and what {} holds is not known",
                look.name(primary),
                self.names(&self.picture.rivals),
                self.names(&unknown)
            ),
            format!(
                "bring {} back: then the one that fewer members follow is stopped",
                self.names(&unknown)
            ),
        )
    }
}
