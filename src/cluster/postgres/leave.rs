//! A member that is about to stop for a while.

use std::time::Duration;

use super::judge::{Judge, LAG};
use super::look::Decision;
use super::picture::State;

/// How long a standby that lies behind is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

impl Judge<'_> {
    /// Why a member cannot stop now: without it, commits would find nobody to wait for, or a primary would have no standby that is up to date.
    pub fn without(&self, leaving: usize, primary: usize) -> Option<Decision> {
        let look = self.look;
        let spec = look.site.spec;
        if spec.is_witness(leaving) {
            return None;
        }
        let name = look.name(leaving);
        let mut standbys = self.picture.of(State::Streaming);
        standbys.retain(|member| *member != leaving);
        if standbys.is_empty() && leaving == primary {
            return Some(Decision::refuse(
                format!("nobody can take over from {name}: without it there is no database"),
                "bring a standby up first, or apply to that host alone when the database may stop",
            ));
        }
        // One of them is the primary then.
        let left = standbys.len() - usize::from(leaving == primary);
        let wanted = spec.quorum() as usize;
        if left < wanted {
            return Some(Decision::refuse(
                format!(
                    "commits wait for {wanted} of the standbys, and without {name} only {left} would stream"
                ),
                "bring the other standbys up first",
            ));
        }
        let late: Vec<usize> = standbys
            .into_iter()
            .filter(|member| self.lag(*member, primary) > LAG)
            .collect();
        if late.is_empty() {
            return None;
        }
        let late = self.names(&late);
        Some(match look.waited < PATIENCE {
            true => Decision::wait(format!("{late} to catch up")),
            false => Decision::refuse(
                format!(
                    "{late} lies behind {}: {name} is not taken from the cluster now",
                    look.name(primary)
                ),
                "look at its disk, its network and its long queries",
            ),
        })
    }
}
