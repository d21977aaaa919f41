//! Content on its way to a node: its length, and its bytes without ever holding a file in memory.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::change::{Content, TarEntry};

/// Inputs above this many bytes lie on the node's disk, not in its memory.
const DISK_ABOVE: u64 = 256 * 1024;

/// Bytes it takes on the wire.
pub fn length(content: &Content) -> u64 {
    match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::File { len, .. } => *len,
        Content::Tar(entries) => entries.iter().map(entry_length).sum::<u64>() + 1024,
    }
}

/// Whether it is kept on disk until its step has run.
pub fn on_disk(content: &Content) -> bool {
    length(content) > DISK_ABOVE
}

/// Writes exactly [`length`] bytes.
///
/// # Errors
/// A file of the controller that changed its length meanwhile or cannot be read; the connection is of no use afterwards.
pub async fn send<W>(content: &Content, to: &mut W) -> io::Result<()>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    match content {
        Content::Bytes(bytes) => to.write_all(bytes).await,
        Content::File { path, len, .. } => send_file(path, *len, to).await,
        Content::Tar(entries) => {
            for entry in entries.iter() {
                send_entry(entry, to).await?;
            }
            to.write_all(&[0; 1024]).await
        }
    }
}

async fn send_file<W>(path: &std::path::Path, len: u64, to: &mut W) -> io::Result<()>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    let file = tokio::fs::File::open(path).await?;
    let sent = tokio::io::copy_buf(
        &mut tokio::io::BufReader::with_capacity(256 * 1024, file.take(len)),
        to,
    )
    .await?;
    if sent == len {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "`{}` became shorter while it was sent",
            path.display()
        )))
    }
}

fn padded(length: u64) -> u64 {
    length.div_ceil(512) * 512
}

fn entry_length(entry: &TarEntry) -> u64 {
    let long = if entry.name.len() > 100 {
        512 + padded(entry.name.len() as u64 + 1)
    } else {
        0
    };
    long + 512 + entry.file.as_ref().map_or(0, |(_, len)| padded(*len))
}

/// One entry in GNU format, long names as GNU tar writes them.
async fn send_entry<W>(entry: &TarEntry, to: &mut W) -> io::Result<()>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    if entry.name.len() > 100 {
        let length = entry.name.len() as u64 + 1;
        to.write_all(
            header("././@LongLink", 0o644, length, tar::EntryType::GNULongName).as_bytes(),
        )
        .await?;
        let mut name = entry.name.clone().into_bytes();
        name.resize(padded(length) as usize, 0);
        to.write_all(&name).await?;
    }
    let (kind, length) = match &entry.file {
        Some((_, length)) => (tar::EntryType::Regular, *length),
        None => (tar::EntryType::Directory, 0),
    };
    let short = entry.name.as_bytes();
    let short = String::from_utf8_lossy(&short[..short.len().min(100)]).into_owned();
    to.write_all(header(&short, entry.mode, length, kind).as_bytes())
        .await?;
    if let Some((path, length)) = &entry.file {
        send_file(path, *length, to).await?;
        let rest = (padded(*length) - length) as usize;
        to.write_all(&[0; 512][..rest]).await?;
    }
    Ok(())
}

fn header(name: &str, mode: u32, length: u64, kind: tar::EntryType) -> tar::Header {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut header = tar::Header::new_gnu();
    let bytes = name.as_bytes();
    let bytes = &bytes[..bytes.len().min(100)];
    header.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(length);
    header.set_mtime(now);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn gnu_tar_reads_the_stream_and_its_length_is_as_said() {
        let folder = tempfile::tempdir().expect("tempdir");
        let source = folder.path().join("source");
        std::fs::write(&source, vec![7; 700]).expect("file");
        let long = format!("d/{}", "ü".repeat(80));
        let content = Content::Tar(Arc::new(vec![
            TarEntry {
                name: "d".to_owned(),
                mode: 0o750,
                file: None,
            },
            TarEntry {
                name: long.clone(),
                mode: 0o640,
                file: Some((source, 700)),
            },
        ]));
        let mut bytes = Vec::new();
        send(&content, &mut bytes).await.expect("sent");
        assert_eq!(bytes.len() as u64, length(&content));
        let archive = folder.path().join("a.tar");
        std::fs::write(&archive, &bytes).expect("file");
        let status = std::process::Command::new("tar")
            .args([
                "-xf".as_ref(),
                archive.as_os_str(),
                "-C".as_ref(),
                folder.path().as_os_str(),
            ])
            .status()
            .expect("tar");
        assert!(status.success());
        assert_eq!(
            std::fs::read(folder.path().join(long))
                .expect("there")
                .len(),
            700
        );
    }
}
