//! Linear order at cuts: how far each host of a play has come, and waiting for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::place::Place;
use super::state::lock;

/// How far the hosts of one play have come.
pub struct Progress {
    places: Mutex<HashMap<Arc<str>, Place>>,
    /// What the first host decided for all, at its places.
    answers: Mutex<HashMap<Place, bool>>,
    changed: Notify,
}

impl Progress {
    /// All at the beginning.
    pub fn new(hosts: impl IntoIterator<Item = Arc<str>>) -> Progress {
        Progress {
            places: Mutex::new(hosts.into_iter().map(|host| (host, Place::at(0))).collect()),
            answers: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The first host has decided for all.
    pub fn answer(&self, place: &Place, answer: bool) {
        lock(&self.answers).insert(place.clone(), answer);
    }

    /// What the first host decided at a place, once it has.
    pub fn answered(&self, place: &Place) -> Option<bool> {
        lock(&self.answers).get(place).copied()
    }

    /// A host has done everything before `place`.
    pub fn reach(&self, host: &str, place: &Place) {
        let mut places = lock(&self.places);
        let moved = match places.get_mut(host) {
            Some(now) if *now < *place => {
                *now = place.clone();
                true
            }
            _ => false,
        };
        drop(places);
        if moved {
            self.changed.notify_waiters();
        }
    }

    /// Whether a host has left a place behind, or was never to come there.
    pub fn is_past(&self, host: &str, place: &Place) -> bool {
        lock(&self.places).get(host).is_none_or(|at| at > place)
    }

    /// Whether every other host has done everything before `place`.
    pub fn all_at(&self, host: &str, place: &Place) -> bool {
        self.behind(host, place).is_none()
    }

    /// A host that has not yet come to `place`, the first by name.
    pub fn behind(&self, host: &str, place: &Place) -> Option<Arc<str>> {
        lock(&self.places)
            .iter()
            .filter(|(other, at)| ***other != *host && *at < place)
            .map(|(other, _)| other.clone())
            .min()
    }

    /// Waits until every other host has come to `place`.
    pub async fn wait(&self, host: &str, place: &Place) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.all_at(host, place) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_slowest_host_holds_the_others_back_until_it_is_there_or_out() {
        let progress = Arc::new(Progress::new(["a".into(), "b".into(), "c".into()]));
        progress.reach("a", &Place::at(3));
        progress.reach("b", &Place::at(2));
        assert_eq!(progress.behind("a", &Place::at(2)).as_deref(), Some("c"));
        let waiting = tokio::spawn({
            let progress = progress.clone();
            async move { progress.wait("a", &Place::at(2)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        progress.reach("c", &Place::end());
        waiting.await.expect("released");
        assert!(!progress.all_at("a", &Place::at(3)));
    }
}
