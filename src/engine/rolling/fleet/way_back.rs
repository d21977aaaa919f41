//! Which releases the nodes had before, and the way back to them.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Fleet, Node};
use crate::engine::rolling::prepare::gate_again;
use crate::engine::rolling::{beside, releases};
use crate::engine::state::lock;
use crate::playbook::Scheduled;
use crate::rollout::Report;

impl Fleet {
    /// Keeps in mind which release each node runs before it is touched.
    pub(in crate::engine::rolling) async fn remember_releases(&self) {
        for node in &self.nodes {
            let asked = releases::of(&self.hands, &node.name, &node.settings.release_path).await;
            *lock(&node.before) = asked.unwrap_or_default();
        }
    }

    /// Every node has come to its end: what their notes say of a way back is over.
    pub(in crate::engine::rolling) async fn settle_releases(&self) {
        let settle = |node: &Node| {
            let (hands, name) = (self.hands.clone(), node.name.clone());
            let path = node.settings.release_path.clone();
            async move { releases::settle(&hands, &name, &path).await }
        };
        join_all(self.nodes.iter().map(settle)).await;
    }

    /// Before nodes get another release: whether that is a way back, which the next `rollback` would go on with.
    pub(super) async fn note_releases(&self, indices: &[usize]) {
        let back = self.goes_back();
        for &index in indices {
            let node = &self.nodes[index];
            let release = node.release.as_deref().filter(|_| back);
            let path = &node.settings.release_path;
            releases::note(&self.hands, &node.name, path, release).await;
        }
    }

    /// Whether this is a `rollback`.
    fn goes_back(&self) -> bool {
        let rolling = self.run.settings.rolling.as_ref();
        rolling.is_some_and(|rolling| rolling.back)
    }

    /// The plays again, with the release each of these nodes had before.
    pub(super) async fn restore(&self, plays: &[Arc<Scheduled>], indices: &[usize]) -> Vec<Report> {
        let mut reports = Vec::new();
        for &index in indices {
            let node = &self.nodes[index];
            let Some(release) = self.earlier(node).await else {
                reports.push(Report::Failed(format!(
                    "it had no release in `{}` before",
                    node.settings.release_path
                )));
                continue;
            };
            // Who goes back by itself on the way to an older one still goes to that.
            if !self.goes_back() {
                let path = &node.settings.release_path;
                releases::note(&self.hands, &node.name, path, Some(&release)).await;
            }
            let names = [node.name.clone()];
            let side = beside::run(&self.run, &names, self.run.events.clone(), |_, project| {
                beside::set(project, &node.settings.release_variable, &release);
            });
            if let Some(gate) = gate_again(&side, plays, &node.name) {
                *lock(&node.gate) = gate;
            }
            beside::lend(&self.run, &side).await;
            reports.append(&mut self.update(&side, plays, &[index]).await);
            beside::settle(&side, &self.run).await;
        }
        reports
    }

    /// The release to go back to: what ran before this rollout. Where that is the one it brings, an earlier rollout that stopped has switched to
    /// it already, and it is the one before.
    async fn earlier(&self, node: &Node) -> Option<String> {
        let now = releases::of(&self.hands, &node.name, &node.settings.release_path).await;
        let before = lock(&node.before).clone();
        let switched = match &node.release {
            Some(release) => before.current.as_deref() == Some(release),
            None => now.as_ref().is_ok_and(|now| now.current == before.current),
        };
        match now {
            Ok(now) if switched => now.previous.or(before.current),
            _ => before.current,
        }
    }
}
