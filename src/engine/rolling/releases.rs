//! Which release each node runs, and which it ran before.

use std::sync::Arc;

use super::prepare::Prepared;
use crate::balancer::Hands;
use crate::command::quote;
use crate::engine::hands::RunHands;
use crate::engine::state::{Out, Run};
use crate::resource::release;

/// What a node says of its releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Releases {
    /// Where the link `current` leads; none when there is none.
    pub current: Option<String>,
    /// Where the link `previous` leads.
    pub previous: Option<String>,
    /// When `current` was made, in seconds since 1970.
    pub since: u64,
    /// The release that a way back was to bring, when that has not come to its end.
    pub back: Option<String>,
}

/// The note of a way back, in the folder of the releases: to which release, and from which. It is written before the node is worked on,
/// and removed once every node is well again, so a way back that failed or was killed is known by it.
const BACK: &str = ".going-back";

/// Asks one node.
pub(super) async fn of(hands: &RunHands, host: &str, path: &str) -> Result<Releases, String> {
    let path = quote(path.trim_end_matches('/'));
    let script = format!(
        "cd {path} 2>/dev/null || exit 0\nfor l in current previous; do t=$(readlink \"$l\") && printf '%s %s\\n' \"$l\" \"${{t##*/}}\"; done\nstat -c 'since %Y' current 2>/dev/null\n[ -f {BACK} ] && printf 'back %s\\n' \"$(cat {BACK})\"\n"
    );
    let reply = hands.sh(host, &script).await?;
    Ok(Releases::parse(&String::from_utf8_lossy(&reply.stdout)))
}

impl Releases {
    fn parse(text: &str) -> Releases {
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(key, value)| *key == name && !value.is_empty())
                .map(|(_, value)| value.to_owned())
        };
        let current = field("current");
        let back = field("back").and_then(|note| {
            let (to, from) = note.split_once(' ')?;
            // Whoever went elsewhere since has nothing to do with it any more.
            let holds = [to, from].contains(&current.as_deref()?);
            holds.then(|| to.to_owned())
        });
        Releases {
            current,
            previous: field("previous"),
            since: field("since")
                .and_then(|since| since.parse().ok())
                .unwrap_or(0),
            back,
        }
    }
}

/// Notes on a node that a way back is to bring it `release`; with none, that it goes forward. A node that cannot take the note says so
/// when it is worked on.
pub(super) async fn note(hands: &RunHands, host: &str, path: &str, release: Option<&str>) {
    let mut script = format!(
        "cd {} 2>/dev/null || exit 0\n",
        quote(path.trim_end_matches('/'))
    );
    match release {
        Some(release) => script.push_str(&format!(
            "f=$(readlink current); printf '%s %s\\n' {} \"${{f##*/}}\" >{BACK}.new && mv -f {BACK}.new {BACK}\n",
            quote(release)
        )),
        None => script.push_str(&format!("rm -f {BACK} {BACK}.new\n")),
    }
    let _ = hands.sh(host, &script).await;
}

/// After every node has come to its end: no way back is open, and `previous` leads further back than what runs.
pub(super) async fn settle(hands: &RunHands, host: &str, path: &str) {
    note(hands, host, path, None).await;
    let _ = hands
        .sh(host, &release::settle(path.trim_end_matches('/')))
        .await;
}

/// The release to go back to, as the nodes say that answer.
pub(super) async fn before(run: &Arc<Run>, prepared: &Prepared) -> Result<String, String> {
    let hands = RunHands(run.clone());
    let mut nodes = Vec::new();
    for node in &prepared.nodes {
        let alive = run
            .hosts
            .get(&node.name)
            .is_some_and(|host| host.out() == Out::Alive);
        if alive {
            let releases = of(&hands, &node.name, &node.settings.release_path).await?;
            nodes.push((node.name.to_string(), releases));
        }
    }
    choose(&nodes, &prepared.first().settings.release_path)
}

/// A way back that did not come to its end goes on. Else it is the release that the node which was switched last ran before, so a rollout that
/// stopped half way is undone, and one that ended too; but where that node itself has gone back to what others still have to go back to,
/// they follow it.
fn choose(nodes: &[(String, Releases)], path: &str) -> Result<String, String> {
    let newest = |wanted: &dyn Fn(&Releases) -> bool| {
        let mut found: Option<&(String, Releases)> = None;
        for node in nodes.iter().filter(|(_, releases)| wanted(releases)) {
            if found.is_none_or(|(_, best)| node.1.since > best.since) {
                found = Some(node);
            }
        }
        found
    };
    let open = newest(&|it| it.back.is_some());
    if let Some(release) = open.and_then(|(_, releases)| releases.back.clone()) {
        return Ok(release);
    }
    let Some((name, last)) = newest(&|it| it.current.is_some()) else {
        return Err(format!("no node has a release in `{path}`"));
    };
    let led_to = |it: &Releases| it.previous == last.current;
    if nodes.iter().any(|(_, releases)| led_to(releases)) {
        return Ok(last.current.clone().unwrap_or_default());
    }
    // A node that came later than the others knows of no release before.
    let knows = |it: &Releases| it.current == last.current && it.previous.is_some();
    let previous = last.previous.clone();
    let previous = previous.or_else(|| newest(&knows)?.1.previous.clone());
    previous.ok_or_else(|| {
        let current = last.current.as_deref().unwrap_or_default();
        format!("{name} has no release before `{current}`: `{path}/previous` is not there")
    })
}

#[cfg(test)]
mod tests;
