//! DigitalOcean load balancers: the node's health page first, then its droplet leaves the balancer.

mod api;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::http::Method;
use super::readiness::Readiness;
use super::{BalancerError, Drained, LoadBalancer, Means, Member, MemberState, Service};
pub(super) use api::Api;
use api::{Balancer, Check};

/// How often the balancer is asked whether a change shows.
const POLL: Duration = Duration::from_secs(3);
/// How long the balancer may take to begin asking a droplet it got.
const BEGINS: Duration = Duration::from_secs(60);

/// One load balancer.
pub(super) struct DigitalOcean {
    pub id: String,
    pub api: Api,
    /// How long a change may take to show.
    pub patience: Duration,
    /// Whether the node's health page is used.
    pub flags: bool,
    pub node: Readiness,
}

impl DigitalOcean {
    fn means(&self) -> &Means {
        &self.node.means
    }

    async fn get(&self) -> Result<Balancer, BalancerError> {
        let path = format!("/v2/load_balancers/{}", self.id);
        let text = self
            .api
            .send(Method::Get, &path, None, self.means())
            .await?;
        Balancer::parse(&text).map_err(|why| BalancerError::misread(self.name(), why))
    }

    /// The health page as this balancer asks for it; nothing when it checks something else, or the user does not want it.
    fn page(&self, balancer: &Balancer) -> Option<Readiness> {
        let Check { path, .. } = &balancer.check;
        if !self.flags
            || !path
                .as_deref()
                .is_some_and(|path| path.starts_with("/healthz"))
        {
            return None;
        }
        let mut settings = self.node.settings.clone();
        settings.interval = balancer.check.interval;
        settings.unhealthy_threshold = balancer.check.unhealthy;
        settings.healthy_threshold = balancer.check.healthy;
        Some(Readiness {
            settings,
            means: self.means().clone(),
        })
    }

    /// Puts the droplet in or takes it out, unless it is so already, and waits until the balancer says so and is done.
    async fn set(
        &self,
        balancer: Balancer,
        member: &Member,
        within: bool,
    ) -> Result<(), BalancerError> {
        let droplet = droplet(member)?;
        let mut balancer = balancer;
        if balancer.droplets.contains(&droplet) != within {
            let method = if within { Method::Post } else { Method::Delete };
            let (path, body) = match &balancer.tag {
                Some(tag) => (
                    format!("/v2/tags/{tag}/resources"),
                    json!({"resources": [{"resource_id": member.server, "resource_type": "droplet"}]}),
                ),
                None => (
                    format!("/v2/load_balancers/{}/droplets", self.id),
                    json!({"droplet_ids": [droplet]}),
                ),
            };
            self.api
                .send(method, &path, Some(body), self.means())
                .await?;
            balancer = self.get().await?;
        }
        let start = Instant::now();
        let wanted = if within { "has" } else { "has no more" };
        loop {
            if balancer.status == "active" && balancer.droplets.contains(&droplet) == within {
                return Ok(());
            }
            if start.elapsed() >= self.patience {
                return Err(BalancerError::NotSeen {
                    who: self.name(),
                    what: format!("it {wanted} droplet {droplet} (it is {})", balancer.status),
                    waited: start.elapsed(),
                });
            }
            self.means().tell(&format!(
                "{}: waiting until the load balancer {wanted} droplet {droplet}",
                member.host
            ));
            sleep(POLL).await;
            balancer = self.get().await?;
        }
    }
}

fn droplet(member: &Member) -> Result<u64, BalancerError> {
    member.server.parse().map_err(|_| {
        let why = format!(
            "`{}` is no droplet's id: it must be a number",
            member.server
        );
        BalancerError::misread(&member.host, why)
    })
}

fn known(droplets: &BTreeSet<u64>) -> String {
    let ids: Vec<String> = droplets.iter().map(u64::to_string).collect();
    match ids.is_empty() {
        true => "it has no droplets".into(),
        false => format!("its droplets are {}", ids.join(", ")),
    }
}

#[async_trait]
impl LoadBalancer for DigitalOcean {
    fn name(&self) -> String {
        format!("load balancer {}", self.id)
    }

    /// A droplet that is not in the balancer may be one that an interrupted run took out; that it exists is asked for.
    async fn state(&self, member: &Member) -> Result<MemberState, BalancerError> {
        let droplet = droplet(member)?;
        let balancer = self.get().await?;
        if !balancer.droplets.contains(&droplet) {
            let path = format!("/v2/droplets/{droplet}");
            let found = self.api.exists(&path, self.means()).await?;
            if !found {
                return Err(BalancerError::UnknownMember {
                    who: self.name(),
                    server: member.server.clone(),
                    known: known(&balancer.droplets),
                });
            }
            return Ok(MemberState {
                service: Service::Out,
                sessions: None,
            });
        }
        match self.page(&balancer) {
            Some(page) => page.state_of(&member.host).await,
            None => Ok(MemberState {
                service: match balancer.status.as_str() {
                    "active" => Service::In,
                    status => Service::Unknown(format!("the load balancer is {status}")),
                },
                sessions: None,
            }),
        }
    }

    async fn drain(&self, member: &Member) -> Result<Drained, BalancerError> {
        droplet(member)?;
        let balancer = self.get().await?;
        let within = balancer.droplets.contains(&droplet(member)?);
        let page = self.page(&balancer);
        let mut drained = Drained {
            stayed: 0,
            how: String::new(),
        };
        match &page {
            Some(page) if within => {
                drained = page.drain_host(&member.host).await?;
                drained.how.push_str(", and ");
            }
            // Out already: nobody probes it, and only what is left is waited for.
            Some(page) => {
                page.mark_drain(&member.host).await?;
                page.reload(&member.host).await?;
                let deadline = Instant::now() + page.settings.drain_timeout;
                drained.stayed = page.wait_connections(&member.host, deadline).await?;
            }
            None => {}
        }
        self.set(balancer, member, false).await?;
        drained.how.push_str(&format!(
            "droplet {} has left {}",
            member.server,
            self.name()
        ));
        Ok(drained)
    }

    async fn enable(&self, member: &Member) -> Result<(), BalancerError> {
        let balancer = self.get().await?;
        let page = self.page(&balancer);
        if let Some(page) = &page {
            page.mark_ready(&member.host).await?;
        }
        self.set(balancer, member, true).await?;
        match &page {
            Some(page) => page.enable_host(&member.host, BEGINS).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
