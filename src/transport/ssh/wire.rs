//! What carries the bytes of a connection: TCP, a channel of a jump host's connection, or a program.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use russh::ChannelStream;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial::QuickStream;
use super::hops::Hop;
use super::program::ProgramStream;

/// One of the three.
pub(crate) enum Wire {
    Tcp(QuickStream),
    Hop(HopStream),
    Program(ProgramStream),
}

/// A channel of a jump host's connection, which stays open as long as somebody is behind it.
pub(crate) struct HopStream {
    pub(crate) stream: ChannelStream<Msg>,
    pub(crate) _hop: Arc<Hop>,
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Hop(hop) => Pin::new(&mut hop.stream).poll_read(cx, buf),
            Self::Program(program) => Pin::new(program).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Hop(hop) => Pin::new(&mut hop.stream).poll_write(cx, buf),
            Self::Program(program) => Pin::new(program).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Hop(hop) => Pin::new(&mut hop.stream).poll_flush(cx),
            Self::Program(program) => Pin::new(program).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Hop(hop) => {
                // A connection that is gone already can't be shut down; reporting that would hide why it is gone.
                let _ = ready!(Pin::new(&mut hop.stream).poll_shutdown(cx));
                Poll::Ready(Ok(()))
            }
            Self::Program(program) => Pin::new(program).poll_shutdown(cx),
        }
    }
}
