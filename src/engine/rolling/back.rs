//! All nodes get the release back that they had before.

use std::sync::Arc;

use super::prepare::{Prepared, prepare};
use super::{End, Way, beside, releases};
use crate::engine::state::Run;
use crate::event::Event;
use crate::playbook::Scheduled;

/// The rolling update again, with the release that the nodes had before.
pub(super) async fn go(run: &Arc<Run>, plays: &[Arc<Scheduled>], prepared: Prepared) -> End {
    let release = match releases::before(run, &prepared).await {
        Ok(release) => release,
        Err(why) => return End::refused(why),
    };
    run.say(Event::Warning {
        host: None,
        message: format!("going back to the release `{release}`"),
    });
    run.say(Event::Release {
        release: release.clone(),
    });
    let variable = prepared.release_variable();
    let side = beside::with_release(run, &variable, &release).await;
    // What the play says of the release, such as what a healthy node answers, is of this one.
    let end = match prepare(&side, plays) {
        Ok(prepared) => {
            let run = side.clone();
            let way = Way {
                run,
                plays,
                prepared,
            };
            way.go().await
        }
        Err(faults) => {
            for fault in faults {
                run.say(Event::Diagnostic(Box::new(fault)));
            }
            End::refused("the rolling update is not well described")
        }
    };
    beside::settle(&side, run).await;
    end
}
