//! The user's own programs on the controller, told in JSON what to do.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::readiness::Readiness;
use super::{BalancerError, Drained, LoadBalancer, Member, MemberState, Service};

/// How often `state` is asked while waiting.
const POLL: Duration = Duration::from_secs(1);

/// Three programs.
pub(super) struct Command {
    pub state: Vec<String>,
    pub drain: Vec<String>,
    pub enable: Vec<String>,
    pub timeout: Duration,
    /// Whether the node's flags are set too.
    pub flags: bool,
    pub node: Readiness,
}

impl Command {
    /// Runs the program of an action; its JSON, or null when it wrote nothing.
    async fn run(
        &self,
        action: &str,
        words: &[String],
        member: &Member,
    ) -> Result<Value, BalancerError> {
        let who = format!("the {action} command");
        let told = json!({
            "action": action,
            "host": member.host,
            "address": member.address,
            "server": member.server,
            "run_id": self.node.means.run,
        });
        let input = format!("{told}\n");
        let reply = self
            .node
            .means
            .programs
            .run(words, input.as_bytes(), self.timeout)
            .await
            .map_err(|why| BalancerError::unreachable(&who, why))?;
        if reply.status != 0 {
            return Err(BalancerError::refused(&who, reply.complaint()));
        }
        let text = reply.text();
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| BalancerError::misread(&who, format!("it wrote no JSON: {error}")))?;
        match value.is_object() {
            true => Ok(value),
            false => Err(BalancerError::misread(
                who,
                "it wrote JSON that is no object",
            )),
        }
    }
}

/// How many sessions an answer names.
fn sessions(action: &str, answer: &Value) -> Result<Option<u64>, BalancerError> {
    match answer.get("sessions") {
        None | Some(Value::Null) => Ok(None),
        Some(number) => number.as_u64().map(Some).ok_or_else(|| {
            let why = format!("`sessions` must be a number from 0, not {number}");
            BalancerError::misread(format!("the {action} command"), why)
        }),
    }
}

fn state(answer: &Value) -> Result<MemberState, BalancerError> {
    let why = || match answer.get("why").and_then(Value::as_str) {
        Some(why) => why.to_owned(),
        None => "the state command says so".to_owned(),
    };
    let service = match answer.get("state").and_then(Value::as_str) {
        Some("in_service") => Service::In,
        Some("draining") => Service::Draining,
        Some("out") => Service::Out,
        Some("down") => Service::Down(why()),
        Some("unknown") => Service::Unknown(why()),
        _ => {
            let why = format!(
                "`state` must be in_service, draining, out, down or unknown, not {}",
                answer.get("state").unwrap_or(&Value::Null)
            );
            return Err(BalancerError::misread("the state command", why));
        }
    };
    Ok(MemberState {
        service,
        sessions: sessions("state", answer)?,
    })
}

#[async_trait]
impl LoadBalancer for Command {
    fn name(&self) -> String {
        "command".into()
    }

    async fn state(&self, member: &Member) -> Result<MemberState, BalancerError> {
        state(&self.run("state", &self.state, member).await?)
    }

    async fn drain(&self, member: &Member) -> Result<Drained, BalancerError> {
        let answer = self.run("drain", &self.drain, member).await?;
        let mut stayed = sessions("drain", &answer)?.unwrap_or(0);
        let now = self.state(member).await?;
        match &now.service {
            Service::In => {
                let why = format!("{} is still in service", member.server);
                return Err(BalancerError::refused("the drain command", why));
            }
            Service::Unknown(why) => return Err(BalancerError::misread("the state command", why)),
            Service::Draining | Service::Out | Service::Down(_) => {}
        }
        if self.flags {
            self.node.mark_drain(&member.host).await?;
            self.node.reload(&member.host).await?;
            let deadline = Instant::now() + self.node.settings.drain_timeout;
            let left = self.node.wait_connections(&member.host, deadline).await?;
            stayed = stayed.max(left);
        }
        Ok(Drained {
            stayed,
            how: "the drain command ended well, and state says so".into(),
        })
    }

    async fn enable(&self, member: &Member) -> Result<(), BalancerError> {
        if self.flags {
            self.node.mark_ready(&member.host).await?;
        }
        self.run("enable", &self.enable, member).await?;
        let start = Instant::now();
        loop {
            let now = self.state(member).await?;
            if now.service == Service::In {
                return Ok(());
            }
            if start.elapsed() >= self.timeout {
                return Err(BalancerError::NotSeen {
                    who: "the state command".into(),
                    what: format!("{} is in service: {:?}", member.server, now.service),
                    waited: start.elapsed(),
                });
            }
            sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests;
