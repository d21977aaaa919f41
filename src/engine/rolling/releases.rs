//! Which release each node runs, and which it ran before.

use std::sync::Arc;

use super::prepare::Prepared;
use crate::balancer::Hands;
use crate::command::quote;
use crate::engine::hands::RunHands;
use crate::engine::state::{Out, Run};

/// What a node says of its releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Releases {
    /// Where the link `current` leads; none when there is none.
    pub current: Option<String>,
    /// Where the link `previous` leads.
    pub previous: Option<String>,
    /// When `current` was made, in seconds since 1970.
    pub since: u64,
}

/// Asks one node.
pub(super) async fn of(hands: &RunHands, host: &str, path: &str) -> Result<Releases, String> {
    let path = quote(path.trim_end_matches('/'));
    let script = format!(
        "cd {path} 2>/dev/null || exit 0\nfor l in current previous; do t=$(readlink \"$l\") && printf '%s %s\\n' \"$l\" \"${{t##*/}}\"; done\nstat -c 'since %Y' current 2>/dev/null\n"
    );
    let reply = hands.sh(host, &script).await?;
    let text = String::from_utf8_lossy(&reply.stdout).into_owned();
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value.to_owned())
    };
    Ok(Releases {
        current: field("current"),
        previous: field("previous"),
        since: field("since")
            .and_then(|since| since.parse().ok())
            .unwrap_or(0),
    })
}

/// The release to go back to: the one that the node which was switched last ran before. So a rollout that stopped half way is undone,
/// and one that ended too.
pub(super) async fn before(run: &Arc<Run>, prepared: &Prepared) -> Result<String, String> {
    let hands = RunHands(run.clone());
    let mut newest: Option<(String, Releases)> = None;
    for node in &prepared.nodes {
        let alive = run
            .hosts
            .get(&node.name)
            .is_some_and(|host| host.out() == Out::Alive);
        if !alive {
            continue;
        }
        let releases = of(&hands, &node.name, &node.settings.release_path).await?;
        if newest
            .as_ref()
            .is_none_or(|(_, best)| releases.since > best.since)
        {
            newest = Some((node.name.to_string(), releases));
        }
    }
    let path = &prepared.first().settings.release_path;
    match newest {
        Some((
            _,
            Releases {
                previous: Some(previous),
                ..
            },
        )) => Ok(previous),
        Some((
            name,
            Releases {
                current: Some(current),
                ..
            },
        )) => Err(format!(
            "{name} has no release before `{current}`: `{path}/previous` is not there"
        )),
        _ => Err(format!("no node has a release in `{path}`")),
    }
}
