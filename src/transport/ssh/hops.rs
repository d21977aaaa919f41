//! Connections to jump hosts, each shared by all hosts behind it: a fleet behind one gate knocks there once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Error};
use tokio::time::Instant;

use super::dial::Deadline;
use super::guard::{Guard, Story};
use super::options::SshOptions;
use super::trail::{Leg, Milestone, Stage};
use super::{SshClient, log_in_at_hop};
use crate::transport::error::TransportError;

/// A connection to a jump host. It ends when nobody is behind it any more.
pub(crate) struct Hop {
    handle: Handle<Guard>,
    host: String,
    story: Arc<Story>,
    /// How it was reached, itself last.
    legs: Vec<Leg>,
}

/// The connections to jump hosts that are open, by all that there is to know of them.
#[derive(Default)]
pub(crate) struct Hops {
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// One connection at a time is made to a jump host; who comes meanwhile waits for it.
#[derive(Default)]
struct Place(tokio::sync::Mutex<Last>);

#[derive(Default)]
struct Last {
    hop: Weak<Hop>,
    /// When the last attempt failed, and why: who waited for it has its answer.
    failed: Option<(Instant, TransportError, Vec<Leg>)>,
}

/// A jump host that was reached.
pub(crate) struct Reached {
    pub(crate) hop: Arc<Hop>,
    /// It was open before, and may be dead by now.
    pub(crate) shared: bool,
}

impl Hops {
    /// The connection to `options`, made now if there is none; how it was reached is added to `legs`.
    pub(crate) async fn reach(
        &self,
        options: &Arc<SshOptions>,
        client: &SshClient,
        legs: &mut Vec<Leg>,
    ) -> Result<Reached, TransportError> {
        let came = Instant::now();
        let place = self.place(options);
        let mut last = place.0.lock().await;
        if let Some(hop) = last.hop.upgrade().filter(|hop| !hop.handle.is_closed()) {
            legs.extend(hop.legs.iter().map(|leg| Leg {
                stages: vec![Stage {
                    what: Milestone::Shared,
                    after: Duration::ZERO,
                }],
                ..leg.clone()
            }));
            return Ok(Reached { hop, shared: true });
        }
        if let Some((when, error, way)) = &last.failed
            && *when > came
        {
            legs.extend(way.iter().cloned());
            return Err(error.clone());
        }
        let mut way = Vec::new();
        let connected = log_in_at_hop(options, client, &mut way).await;
        legs.extend(way.iter().cloned());
        match connected {
            Ok((handle, story)) => {
                let hop = Arc::new(Hop {
                    handle,
                    host: options.describe(),
                    story,
                    legs: way,
                });
                last.hop = Arc::downgrade(&hop);
                last.failed = None;
                Ok(Reached { hop, shared: false })
            }
            Err(error) => {
                last.failed = Some((Instant::now(), error.clone(), way));
                Err(error)
            }
        }
    }

    /// Gives nobody `hop` any more: it does not answer. Who is behind it finds out by itself.
    pub(crate) async fn forget(&self, options: &Arc<SshOptions>, hop: &Arc<Hop>) {
        let place = self.place(options);
        let mut last = place.0.lock().await;
        if last.hop.ptr_eq(&Arc::downgrade(hop)) {
            last.hop = Weak::new();
        }
    }

    fn place(&self, options: &SshOptions) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(format!("{options:?}")).or_default();
        Arc::clone(place)
    }
}

impl Hop {
    /// A channel to the host of `options`, as the jump host sees it.
    pub(crate) async fn channel(
        &self,
        options: &SshOptions,
        deadline: &Deadline,
        within: Duration,
    ) -> Result<Channel<Msg>, TransportError> {
        let (host, port) = (options.address.clone(), options.port);
        // Nobody knows a better originator: the channel begins in this program.
        let opening =
            self.handle
                .channel_open_direct_tcpip(host.clone(), u32::from(port), "127.0.0.1", 0);
        let opened = tokio::time::timeout(within, opening)
            .await
            .map_err(|_| deadline.over("the connection through the jump host"))?;
        opened.map_err(|error| {
            let reason = match error {
                Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
                    "it forbids that".to_string()
                }
                Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed) => {
                    "nothing answers it there".to_string()
                }
                Error::ChannelOpenFailure(reason) => format!("{reason:?}"),
                _ => {
                    let lost = TransportError::Lost {
                        host: self.host.clone(),
                        reason: self.story.end(),
                    };
                    return lost.at_hop(options.describe(), self.host.clone());
                }
            };
            TransportError::NoForward {
                host,
                port,
                hop: self.host.clone(),
                reason,
            }
        })
    }
}
