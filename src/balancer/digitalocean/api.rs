//! The API: requests that are tried again where that can help, and the parts of answers that matter.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::balancer::http::{Answer, Http, Method, Request};
use crate::balancer::{BalancerError, Means};
use crate::secret::Secret;

/// How often a request is sent when the network or the server fails.
const ATTEMPTS: u32 = 5;
/// The longest pause between two of them.
const LONGEST: Duration = Duration::from_secs(16);

/// Where it is, who asks, and how long to go on.
pub(in crate::balancer) struct Api {
    pub base: String,
    pub token: Secret,
    pub http: Box<dyn Http>,
    /// How long a busy balancer and limits of requests are borne.
    pub patience: Duration,
}

/// No interval in seconds and no threshold is above this: the API's own limits are 300 and 10.
const MOST: u32 = 3600;

/// What an answer means for the request.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Done,
    Missing,
    /// The balancer works on earlier changes: again later.
    Busy,
    /// Too many requests: again after so long.
    Limited(Option<u64>),
    /// The server's own fault: again, a few times.
    Fault,
    Refused,
}

impl Api {
    /// The body of a good answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        means: &Means,
    ) -> Result<String, BalancerError> {
        let answer = self.answer(method, path, body, means).await?;
        match meaning(&answer) {
            Meaning::Done => Ok(answer.body),
            _ => Err(self.refused(method, path, &answer)),
        }
    }

    /// Whether there is such a thing.
    pub(super) async fn exists(&self, path: &str, means: &Means) -> Result<bool, BalancerError> {
        let answer = self.answer(Method::Get, path, None, means).await?;
        match meaning(&answer) {
            Meaning::Done => Ok(true),
            Meaning::Missing => Ok(false),
            _ => Err(self.refused(Method::Get, path, &answer)),
        }
    }

    /// Sends until there is an answer that will not be another one soon. All requests may be repeated.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        means: &Means,
    ) -> Result<Answer, BalancerError> {
        let start = Instant::now();
        let mut failures = 0;
        let mut pause = Duration::from_secs(1);
        loop {
            let sent = self.http.send(Request {
                method,
                url: format!("{}{path}", self.base.trim_end_matches('/')),
                token: &self.token,
                body: body.as_ref().map(Value::to_string),
            });
            let (why, wait) = match sent.await {
                Err(why) => {
                    failures += 1;
                    if failures >= ATTEMPTS {
                        return Err(BalancerError::unreachable(&self.base, why));
                    }
                    (why, pause)
                }
                Ok(answer) => match meaning(&answer) {
                    Meaning::Done | Meaning::Missing | Meaning::Refused => return Ok(answer),
                    Meaning::Fault => {
                        failures += 1;
                        if failures >= ATTEMPTS {
                            return Err(self.refused(method, path, &answer));
                        }
                        (words(&answer), pause)
                    }
                    Meaning::Busy => (words(&answer), pause),
                    Meaning::Limited(after) => {
                        (words(&answer), after.map_or(pause, Duration::from_secs))
                    }
                },
            };
            if start.elapsed().saturating_add(wait) > self.patience {
                let why = format!("{why} (for {} s)", start.elapsed().as_secs());
                return Err(BalancerError::refused(format!("{} {path}", self.base), why));
            }
            means.tell(&format!("the API: {why}; again in {} s", wait.as_secs()));
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn refused(&self, method: Method, path: &str, answer: &Answer) -> BalancerError {
        let method = format!("{method:?}").to_uppercase();
        BalancerError::refused(format!("{method} {}{path}", self.base), words(answer))
    }
}

fn meaning(answer: &Answer) -> Meaning {
    match answer.status {
        200..=299 => Meaning::Done,
        404 => Meaning::Missing,
        429 => Meaning::Limited(answer.retry_after),
        500..=599 => Meaning::Fault,
        // A missing right and a busy balancer have one status; only the words differ.
        403 => {
            let words = message(answer).unwrap_or_default().to_lowercase();
            let busy =
                words.contains("previous action") || words.contains("can't be updated while");
            if busy {
                Meaning::Busy
            } else {
                Meaning::Refused
            }
        }
        _ => Meaning::Refused,
    }
}

fn message(answer: &Answer) -> Option<String> {
    let value: Value = serde_json::from_str(&answer.body).ok()?;
    Some(value.get("message")?.as_str()?.to_owned())
}

fn words(answer: &Answer) -> String {
    match message(answer) {
        Some(message) => format!("{} {message}", answer.status),
        None => format!("status {}", answer.status),
    }
}

/// How the balancer finds out whether a droplet is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// The page it asks for; none when it only connects.
    pub path: Option<String>,
    pub interval: Duration,
    pub unhealthy: u32,
    pub healthy: u32,
}

/// What is read of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Balancer {
    /// new, active or errored.
    pub status: String,
    /// All droplets, whether they came by id or by tag.
    pub droplets: BTreeSet<u64>,
    /// The tag that it goes by.
    pub tag: Option<String>,
    pub check: Check,
}

impl Balancer {
    /// Reads the answer to a GET. What the API leaves out has the API's defaults.
    pub(super) fn parse(text: &str) -> Result<Balancer, String> {
        let answer: Value = serde_json::from_str(text)
            .map_err(|error| format!("its answer is no JSON: {error}"))?;
        let balancer = answer
            .get("load_balancer")
            .and_then(Value::as_object)
            .ok_or("its answer has no `load_balancer`")?;
        let droplets = match balancer.get("droplet_ids") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(ids) => ids
                .as_array()
                .and_then(|ids| ids.iter().map(Value::as_u64).collect::<Option<_>>())
                .ok_or("its `droplet_ids` are no list of numbers")?,
        };
        let status = balancer
            .get("status")
            .and_then(Value::as_str)
            .ok_or("its answer has no `status`")?;
        let check = balancer.get("health_check").unwrap_or(&Value::Null);
        let number = |name: &str, default: u32| match check.get(name).and_then(Value::as_u64) {
            None => Ok(default),
            Some(number) => u32::try_from(number)
                .ok()
                .filter(|number| (1..=MOST).contains(number))
                .ok_or(format!("its `{name}` cannot be {number}")),
        };
        let is_tcp = check.get("protocol").and_then(Value::as_str) == Some("tcp");
        let path = check.get("path").and_then(Value::as_str).unwrap_or("/");
        let tag = balancer.get("tag").and_then(Value::as_str);
        Ok(Balancer {
            status: status.to_owned(),
            droplets,
            tag: tag.filter(|tag| !tag.is_empty()).map(str::to_owned),
            check: Check {
                path: (!is_tcp).then(|| path.to_owned()),
                interval: Duration::from_secs(number("check_interval_seconds", 10)?.into()),
                unhealthy: number("unhealthy_threshold", 3)?,
                healthy: number("healthy_threshold", 5)?,
            },
        })
    }
}
