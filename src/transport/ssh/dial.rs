//! From a host's name to a connected socket, within a deadline.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::guard::Story;
use super::options::{AddressFamily, SshOptions};
use super::trail::Milestone;
use crate::transport::error::TransportError;

/// The time there is for connecting, over all its parts.
pub(crate) struct Deadline {
    host: String,
    at: Instant,
    after: Duration,
}

impl Deadline {
    pub(crate) fn new(options: &SshOptions) -> Self {
        let after = options.connect_timeout;
        Self {
            host: options.address.clone(),
            at: Instant::now() + after,
            after,
        }
    }

    /// Waits for `work`, called `what` in the error, until the time is over.
    pub(crate) async fn limit<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, TransportError> {
        tokio::time::timeout_at(self.at, work)
            .await
            .map_err(|_| self.over(what))
    }

    /// Time that the user took must not be held against the server.
    pub(crate) fn extend(&mut self, by: Duration) {
        self.at += by;
    }

    pub(crate) fn over(&self, what: &'static str) -> TransportError {
        TransportError::Timeout {
            host: self.host.clone(),
            what,
            after: self.after,
        }
    }

    pub(crate) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// Connects to the first address that answers.
pub(crate) async fn dial(
    options: &SshOptions,
    deadline: &Deadline,
    story: &Story,
) -> Result<QuickStream, TransportError> {
    let addresses = resolve(options, deadline, story).await?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        let remaining = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.left() / remaining;
        match tokio::time::timeout(share, connect(*address, options.bind_address)).await {
            Ok(Ok(stream)) => {
                story.note(Milestone::Connected {
                    at: address.to_string(),
                });
                return Ok(QuickStream::new(stream));
            }
            Ok(Err(error)) => {
                let reason = reason(&error);
                story.note(Milestone::NoAnswer {
                    at: address.to_string(),
                    reason: reason.clone(),
                });
                last = Some(TransportError::Refused {
                    host: options.address.clone(),
                    port: options.port,
                    reason,
                });
            }
            Err(_) => {
                story.note(Milestone::NoAnswer {
                    at: address.to_string(),
                    reason: format!("nothing within {:.1} s", share.as_secs_f64()),
                });
                last = Some(deadline.over("the connection"));
            }
        }
    }
    Err(last.unwrap_or_else(|| {
        unresolved(options, "it has no address of the family that is asked for")
    }))
}

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(from) = from else {
        return TcpStream::connect(to).await;
    };
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(from, 0)).map_err(|error| {
        io::Error::other(format!("`{from}` is no address to connect from: {error}"))
    })?;
    socket.connect(to).await
}

async fn resolve(
    options: &SshOptions,
    deadline: &Deadline,
    story: &Story,
) -> Result<Vec<SocketAddr>, TransportError> {
    if let Ok(address) = options.address.parse() {
        return Ok(vec![SocketAddr::new(address, options.port)]);
    }
    let looked_up = deadline
        .limit(
            "the look-up of its name",
            tokio::net::lookup_host((options.address.as_str(), options.port)),
        )
        .await?;
    match looked_up {
        Ok(addresses) => {
            let wanted = |address: &SocketAddr| match options.address_family {
                AddressFamily::Any => true,
                AddressFamily::V4 => address.is_ipv4(),
                AddressFamily::V6 => address.is_ipv6(),
            };
            let addresses: Vec<SocketAddr> = addresses.filter(wanted).collect();
            story.note(Milestone::Resolved {
                name: options.address.clone(),
                addresses: addresses.iter().map(SocketAddr::ip).collect(),
            });
            Ok(addresses)
        }
        Err(error) => {
            let text = error.to_string();
            Err(unresolved(
                options,
                text.strip_prefix("failed to lookup address information: ")
                    .unwrap_or(&text),
            ))
        }
    }
}

fn unresolved(options: &SshOptions, reason: &str) -> TransportError {
    TransportError::Unresolved {
        name: options.host.clone(),
        host: options.address.clone(),
        reason: reason.to_string(),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_string(),
        io::ErrorKind::HostUnreachable => "no route to host".to_string(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_string(),
        _ => error.to_string(),
    }
}

/// A TCP stream that neither side delays: no Nagle, and acknowledgements at once. sshd keeps Nagle on until a session is open, so a
/// delayed acknowledgement of ours would cost 40 ms; the kernel forgets the wish, so it is repeated after each read.
pub(crate) struct QuickStream(TcpStream);

impl QuickStream {
    fn new(stream: TcpStream) -> Self {
        let socket = SockRef::from(&stream);
        // Without these the connection is slower or a dead peer is noticed later; it works all the same.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_quickack(true);
        let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)));
        Self(stream)
    }
}

impl AsyncRead for QuickStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.0).poll_read(cx, buf));
        let _ = SockRef::from(&self.0).set_tcp_quickack(true);
        Poll::Ready(result)
    }
}

impl AsyncWrite for QuickStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket that is gone already can't be shut down; reporting that would hide why it is gone.
        let _ = ready!(Pin::new(&mut self.0).poll_shutdown(cx));
        Poll::Ready(Ok(()))
    }
}
