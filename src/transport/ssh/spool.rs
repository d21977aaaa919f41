//! A pipe that never makes its writer wait: what the reader has not taken yet lies in memory, and beyond a bound in a file.
//!
//! One unread channel would stop the whole connection, so every channel is drained at once, whatever its reader does.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

/// Unread bytes kept in memory, for each stream.
const MEMORY: usize = 2 << 20;
/// Unread bytes kept at all: a reader so far behind will not come back.
const LIMIT: u64 = 8 << 30;

/// The two ends of a new spool.
pub(crate) fn spool() -> (SpoolWriter, SpoolReader) {
    let shared = Arc::new(Mutex::new(State::default()));
    (SpoolWriter(Arc::clone(&shared)), SpoolReader(shared))
}

/// Dropping it is the end of the stream.
pub(crate) struct SpoolWriter(Arc<Mutex<State>>);

/// Dropping it means that the rest is thrown away.
pub(crate) struct SpoolReader(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Read before what is in the file.
    memory: VecDeque<Bytes>,
    in_memory: usize,
    file: Option<Spill>,
    failed: Option<io::Error>,
    ended: bool,
    abandoned: bool,
    reader: Option<Waker>,
}

struct Spill {
    file: File,
    read: u64,
    written: u64,
}

impl SpoolWriter {
    /// Takes `data` over. A full disk is reported to the reader.
    pub(crate) fn push(&self, data: Bytes) {
        let mut state = lock(&self.0);
        if state.abandoned || state.failed.is_some() || data.is_empty() {
            return;
        }
        if state.file.is_none() && state.in_memory + data.len() <= MEMORY {
            state.in_memory += data.len();
            state.memory.push_back(data);
        } else if let Err(error) = state.spill(&data) {
            state.failed = Some(error);
        }
        state.wake();
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.ended = true;
        state.wake();
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.abandoned = true;
        state.memory.clear();
        state.file = None;
    }
}

impl AsyncRead for SpoolReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = lock(&self.0);
        if let Some(chunk) = state.memory.front_mut() {
            let take = chunk.len().min(buf.remaining());
            buf.put_slice(&chunk[..take]);
            chunk.advance(take);
            if chunk.is_empty() {
                state.memory.pop_front();
            }
            state.in_memory -= take;
            return Poll::Ready(Ok(()));
        }
        if state.file.is_some() {
            return Poll::Ready(state.unspill(buf));
        }
        if let Some(error) = state.failed.take() {
            return Poll::Ready(Err(error));
        }
        if state.ended {
            return Poll::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl State {
    fn spill(&mut self, data: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(Spill {
                file: tempfile::tempfile()?,
                read: 0,
                written: 0,
            });
        }
        let spill = self.file.as_mut().expect("it was made just above");
        if spill.written + data.len() as u64 > LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "too much output waits to be read",
            ));
        }
        spill.file.write_all_at(data, spill.written)?;
        spill.written += data.len() as u64;
        Ok(())
    }

    /// Reads from the file; once that is used up, it is given back and memory serves again.
    fn unspill(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        let Some(spill) = self.file.as_mut() else {
            return Ok(());
        };
        let left = usize::try_from(spill.written - spill.read).unwrap_or(usize::MAX);
        let take = left.min(buf.remaining()).min(256 << 10);
        let count = spill
            .file
            .read_at(buf.initialize_unfilled_to(take), spill.read)?;
        if count == 0 && take > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file with waiting output was cut",
            ));
        }
        buf.advance(count);
        spill.read += count as u64;
        if spill.read == spill.written {
            self.file = None;
        }
        Ok(())
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn numbered(from: u32, to: u32) -> Vec<u8> {
        (from..to).flat_map(u32::to_be_bytes).collect()
    }

    #[tokio::test]
    async fn what_goes_over_the_bound_comes_back_in_order() {
        let (writer, mut reader) = spool();
        let all = numbered(0, 3_000_000);
        let (first, second) = all.split_at(8 << 20);
        for chunk in first.chunks(30_000) {
            writer.push(Bytes::copy_from_slice(chunk));
        }
        assert!(lock(&writer.0).in_memory <= MEMORY);
        assert!(lock(&writer.0).file.is_some());
        let mut read = vec![0; 6 << 20];
        reader.read_exact(&mut read).await.unwrap();
        for chunk in second.chunks(30_000) {
            writer.push(Bytes::copy_from_slice(chunk));
        }
        drop(writer);
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == all);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (writer, mut reader) = spool();
        let reading = tokio::spawn(async move {
            let mut text = String::new();
            reader.read_to_string(&mut text).await.unwrap();
            text
        });
        tokio::task::yield_now().await;
        writer.push(Bytes::from_static(b"one "));
        tokio::task::yield_now().await;
        writer.push(Bytes::from_static(b"two"));
        drop(writer);
        assert_eq!(reading.await.unwrap(), "one two");
    }

    #[test]
    fn nothing_is_kept_for_a_reader_that_left() {
        let (writer, reader) = spool();
        drop(reader);
        writer.push(Bytes::from(vec![0; MEMORY + 1]));
        assert!(lock(&writer.0).memory.is_empty());
        assert!(lock(&writer.0).file.is_none());
    }
}
