//! Draining by the health page, against a node played in paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::balancer::{Controller, Hands, Reply};

/// A node with a balancer of two addresses before it. Its clock is tokio's, behind by a million seconds.
struct Node {
    start: Instant,
    /// When each flag was set.
    drain: Mutex<Option<f64>>,
    ready: Mutex<Option<f64>>,
    /// Seconds between probes and addresses that probe; until when.
    probes: (f64, Vec<&'static str>, f64),
    /// What nginx answers although it drains.
    deaf: bool,
    /// When each connection of a visitor ends.
    ends: Vec<f64>,
}

impl Node {
    fn new() -> Node {
        Node {
            start: Instant::now(),
            drain: Mutex::new(None),
            ready: Mutex::new(Some(-100.0)),
            probes: (2.0, vec!["10.0.0.1", "10.0.0.2"], f64::MAX),
            deaf: false,
            ends: Vec::new(),
        }
    }

    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn look(&self) -> String {
        let (now, drain, ready) = (
            self.now(),
            *self.drain.lock().unwrap(),
            *self.ready.lock().unwrap(),
        );
        let mut text = format!("now {:.3}\nlog\n", now + 1e6);
        if drain.is_some() {
            text.push_str("drain run-1\n");
        }
        if ready.is_some() {
            text.push_str("ready\n");
        }
        let (interval, addresses, until) = &self.probes;
        let mut at = -20.0;
        while at <= now {
            for address in addresses.iter().filter(|_| at < *until) {
                let out = drain.is_some_and(|since| at >= since) && !self.deaf;
                let unready = ready.is_none_or(|since| at < since);
                let status = if out || unready { 503 } else { 200 };
                text.push_str(&format!("probe {address} {status} {:.3}\n", at + 1e6));
            }
            at += interval;
        }
        for (n, _) in self.ends.iter().enumerate().filter(|(_, end)| **end > now) {
            text.push_str(&format!("tcp 0100000A:01BB 0900000A:{:04X}\n", 1000 + n));
        }
        // The probe's own connection is another one at each look.
        let port = 2000 + (now * 1000.0) as u64 % 50000;
        text.push_str(&format!("tcp 0100000A:0050 0100000A:{port:04X}\n"));
        text
    }
}

#[async_trait]
impl Hands for Node {
    async fn sh(&self, host: &str, script: &str) -> Result<Reply, String> {
        assert_eq!(host, "n1");
        let now = self.now();
        let text = if script.contains("mv -f .drain") {
            assert!(script.contains("run-1"));
            let since = *self.drain.lock().unwrap().get_or_insert(now);
            format!("{:.3}\n", since + 1e6)
        } else if script.contains("mv -f .ready") {
            let mut ready = self.ready.lock().unwrap();
            if self.drain.lock().unwrap().take().is_some() || ready.is_none() {
                *ready = Some(now);
            }
            format!("{:.3}\n", ready.unwrap() + 1e6)
        } else {
            self.look()
        };
        Ok(Reply {
            stdout: text.into_bytes(),
            ..Reply::default()
        })
    }
}

fn settings() -> Settings {
    Settings {
        health_log: "/var/log/nginx/healthz.log".into(),
        interval: Duration::from_secs(2),
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        ports: vec![443, 80],
        drain_timeout: Duration::from_secs(30),
        require_probes: true,
        reload: None,
    }
}

fn readiness(node: &Arc<Node>) -> Readiness {
    Readiness {
        settings: settings(),
        means: Means {
            hands: node.clone(),
            programs: Arc::new(Controller),
            tell: Arc::new(|_| {}),
            run: "run-1".into(),
        },
    }
}

fn member() -> Member {
    Member {
        host: "n1".into(),
        address: "10.0.0.1".into(),
        server: "n1".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_three_bad_answers_to_each_address_and_for_connections() {
    let node = Arc::new(Node {
        ends: vec![1.0, 20.0],
        ..Node::new()
    });
    let balancer = readiness(&node);
    assert_eq!(
        balancer.state(&member()).await.unwrap().service,
        Service::In
    );
    let drained = balancer.drain(&member()).await.unwrap();
    assert_eq!(drained.stayed, 0);
    assert!(
        drained.how.contains("10.0.0.1") && drained.how.contains("10.0.0.2"),
        "{}",
        drained.how
    );
    // Probes at 0, 2 and 4 s; connections until 20 s.
    assert!((20.0..21.0).contains(&node.now()), "{}", node.now());
    assert_eq!(
        balancer.state(&member()).await.unwrap().service,
        Service::Out
    );

    let before = node.now();
    balancer.drain(&member()).await.unwrap();
    assert!(
        node.now() - before < 1.0,
        "drained again, nothing is waited for"
    );

    balancer.enable(&member()).await.unwrap();
    assert!(
        (2.0..5.0).contains(&(node.now() - before)),
        "{}",
        node.now() - before
    );
    assert_eq!(
        balancer.state(&member()).await.unwrap().service,
        Service::In
    );
    let before = node.now();
    balancer.enable(&member()).await.unwrap();
    assert!(
        node.now() - before < 0.1,
        "enabled again, nothing is waited for"
    );
}

#[tokio::test(start_paused = true)]
async fn connections_that_stay_are_counted_at_the_timeout() {
    let node = Arc::new(Node {
        ends: vec![1000.0, 1000.0, 8.0],
        ..Node::new()
    });
    let drained = readiness(&node).drain(&member()).await.unwrap();
    assert_eq!(drained.stayed, 2);
    assert!((36.0..38.0).contains(&node.now()), "{}", node.now());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_nobody_asks_is_an_error_unless_that_is_allowed() {
    let node = Arc::new(Node {
        probes: (2.0, vec!["10.0.0.1"], -10.0),
        ..Node::new()
    });
    let mut balancer = readiness(&node);
    let state = balancer.state(&member()).await.unwrap().service;
    assert!(matches!(state, Service::Unknown(_)), "{state:?}");
    let error = balancer.drain(&member()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no balancer asks n1: no probe came in the last 6 s"
    );
    assert!(error.help().unwrap().contains("require_probes"));
    balancer.settings.require_probes = false;
    let drained = balancer.drain(&member()).await.unwrap();
    assert_eq!(drained.how, "no balancer asks the node");
    assert_eq!(
        balancer.state(&member()).await.unwrap().service,
        Service::Out
    );
}

#[tokio::test(start_paused = true)]
async fn probes_that_end_during_the_drain_are_an_error_too() {
    let node = Arc::new(Node {
        probes: (2.0, vec!["10.0.0.1"], 1.0),
        ..Node::new()
    });
    let error = readiness(&node).drain(&member()).await.unwrap_err();
    assert!(matches!(error, BalancerError::NotAsked { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_goes_on_answering_200_is_told_of() {
    let node = Arc::new(Node {
        deaf: true,
        ..Node::new()
    });
    let error = readiness(&node).drain(&member()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the balancer did not see within 46 s that n1 answers 503 (3 wanted in a row; \
         10.0.0.1 was last answered 200, 10.0.0.2 was last answered 200)"
    );
}

#[tokio::test(start_paused = true)]
async fn without_ready_a_node_is_down_and_enabling_makes_it_ready() {
    let node = Arc::new(Node {
        ready: Mutex::new(None),
        ..Node::new()
    });
    let balancer = readiness(&node);
    let state = balancer.state(&member()).await.unwrap().service;
    assert_eq!(
        state,
        Service::Down("/run/hadeploy/ready is missing".into())
    );
    balancer.enable(&member()).await.unwrap();
    assert_eq!(
        balancer.state(&member()).await.unwrap().service,
        Service::In
    );
}
