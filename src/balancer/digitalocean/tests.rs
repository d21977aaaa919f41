//! What is tried again, for how long, and what is not; against an API played in paused time. The real client is tested in
//! `tests/digitalocean.rs`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::balancer::http::{Answer, Http, Request};
use crate::balancer::{Controller, Hands, Reply};
use crate::secret::Secret;

struct NoHands;

#[async_trait]
impl Hands for NoHands {
    async fn sh(&self, _: &str, _: &str) -> Result<Reply, String> {
        Err("no host may be touched".into())
    }
}

/// Answers in turn; the last one again and again.
struct Script(Arc<Mutex<VecDeque<Result<Answer, String>>>>);

#[async_trait]
impl Http for Script {
    async fn send(&self, _: Request<'_>) -> Result<Answer, String> {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().expect("there is one"),
        }
    }
}

fn answer(status: u16, body: &str) -> Result<Answer, String> {
    Ok(Answer {
        status,
        retry_after: None,
        body: body.into(),
    })
}

fn balancer(status: &str, droplets: &str) -> Result<Answer, String> {
    answer(
        200,
        &format!(
            "{{\"load_balancer\": {{\"status\": \"{status}\", \"droplet_ids\": {droplets}}}}}"
        ),
    )
}

const BUSY: &str = r#"{"id": "forbidden", "message": "Load Balancer can't be updated while it processes previous actions"}"#;
const RIGHTS: &str =
    r#"{"id": "forbidden", "message": "You are not authorized to perform this operation"}"#;

/// Takes droplet 7 out against the answers; how it ended, and after how many seconds.
async fn drain(answers: Vec<Result<Answer, String>>) -> (Result<Drained, BalancerError>, u64) {
    let balancer = DigitalOcean {
        id: "lb".into(),
        api: Api {
            base: "https://api.test".into(),
            token: Secret::new("t"),
            http: Box::new(Script(Arc::new(Mutex::new(answers.into())))),
            patience: Duration::from_secs(300),
        },
        patience: Duration::from_secs(60),
        flags: false,
        node: Readiness {
            settings: crate::balancer::spec::default_settings(),
            means: Means {
                hands: Arc::new(NoHands),
                programs: Arc::new(Controller),
                tell: Arc::new(|_| {}),
                run: "run-1".into(),
            },
        },
    };
    let member = Member {
        host: "n1".into(),
        address: "10.0.0.1".into(),
        server: "7".into(),
    };
    let start = Instant::now();
    let end = balancer.drain(&member).await;
    (end, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_busy_balancer_is_waited_for_with_longer_pauses() {
    let mut answers = vec![balancer("active", "[7, 8]")];
    answers.extend(vec![answer(403, BUSY); 6]);
    answers.extend([
        answer(204, ""),
        balancer("active", "[7, 8]"),
        balancer("new", "[8]"),
        balancer("active", "[8]"),
    ]);
    let (end, seconds) = drain(answers).await;
    assert_eq!(end.unwrap().how, "droplet 7 has left load balancer lb");
    // 1 + 2 + 4 + 8 + 16 + 16, and twice until it showed.
    assert_eq!(seconds, 53);
}

#[tokio::test(start_paused = true)]
async fn what_no_time_mends_ends_at_once_and_the_rest_at_its_bound() {
    let seen = || balancer("active", "[7]");
    let cases = [
        (
            answer(403, RIGHTS),
            "refused: 403 You are not authorized",
            0..1,
        ),
        (answer(401, "{}"), "refused: status 401", 0..1),
        (answer(302, "moved"), "refused: status 302", 0..1),
        (answer(403, "<html>"), "refused: status 403", 0..1),
        (answer(404, "{}"), "refused: status 404", 0..1),
        (answer(500, "{}"), "refused: status 500", 15..16),
        (
            Err("connection reset".into()),
            "cannot be reached: connection reset",
            15..16,
        ),
        (
            answer(403, BUSY),
            "processes previous actions (for ",
            280..301,
        ),
        (answer(429, "{}"), "status 429 (for ", 280..301),
    ];
    for (fault, words, bound) in cases {
        let (end, seconds) = drain(vec![seen(), fault]).await;
        let error = end.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(bound.contains(&seconds), "{error}: {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_limit_names_is_waited() {
    let limited = Ok(Answer {
        status: 429,
        retry_after: Some(42),
        body: String::new(),
    });
    let (end, seconds) = drain(vec![limited, balancer("active", "[8]")]).await;
    assert!(end.is_ok());
    assert_eq!(seconds, 42);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_never_shows_is_an_error() {
    let (end, seconds) = drain(vec![
        balancer("active", "[7]"),
        answer(204, ""),
        balancer("active", "[7]"),
    ])
    .await;
    assert_eq!(
        end.unwrap_err().to_string(),
        "load balancer lb did not see within 60 s that it has no more droplet 7 (it is active)"
    );
    assert_eq!(seconds, 60);
}

#[test]
fn answers_that_are_no_balancers_are_refused() {
    let good = r#"{"load_balancer": {"status": "active", "tag": "web", "droplet_ids": [1],
        "health_check": {"protocol": "https", "path": "/healthz", "check_interval_seconds": 5, "unhealthy_threshold": 2}}}"#;
    let balancer = Balancer::parse(good).unwrap();
    assert_eq!(balancer.tag.as_deref(), Some("web"));
    let check = balancer.check;
    assert_eq!(
        (check.interval.as_secs(), check.unhealthy, check.healthy),
        (5, 2, 5)
    );
    assert_eq!(check.path.as_deref(), Some("/healthz"));
    let tcp = r#"{"load_balancer": {"status": "active", "tag": "", "health_check": {"protocol": "tcp"}}}"#;
    let balancer = Balancer::parse(tcp).unwrap();
    assert_eq!((balancer.tag, balancer.check.path), (None, None));
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"load_balancer": {}}"#,
        r#"{"load_balancer": {"status": "active", "droplet_ids": ["1"]}}"#,
        r#"{"load_balancer": {"status": "active", "health_check": {"unhealthy_threshold": 4294967295}}}"#,
        r#"{"load_balancer": {"status": "active", "health_check": {"check_interval_seconds": 0}}}"#,
    ] {
        assert!(Balancer::parse(bad).is_err(), "{bad}");
    }
}
