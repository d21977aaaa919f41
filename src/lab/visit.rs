//! A node's web server as seen from outside: what a browser or a load balancer gets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting, and each read, may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// More of an answer is not read, in bytes.
const LONGEST: u64 = 1 << 20;

/// What a web server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status, such as 200.
    pub status: u16,
    /// What came behind the headers, up to 1 MiB.
    pub body: String,
}

/// Asks a web server for one page over plain HTTP.
///
/// # Errors
/// Nothing answered in time, or not with HTTP.
pub fn visit(address: SocketAddr, path: &str) -> io::Result<Page> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP 1.0: the answer ends with the connection, and is never in chunks.
    let host = address.ip();
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

fn parse(answer: &str) -> Option<Page> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    words.next()?.strip_prefix("HTTP/")?;
    Some(Page {
        status: words.next()?.parse().ok()?,
        body: body.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answered_with(answer: &'static str) -> (io::Result<Page>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 200];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let page = visit(address, "/healthz");
        (page, server.join().unwrap())
    }

    #[test]
    fn status_and_body() {
        let (page, asked) =
            answered_with("HTTP/1.1 503 Service Unavailable\r\nServer: x\r\n\r\nno\r\n\r\nreally");
        let page = page.unwrap();
        assert_eq!((page.status, page.body.as_str()), (503, "no\r\n\r\nreally"));
        assert!(asked.starts_with("GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n"));
    }

    #[test]
    fn something_else_is_no_page() {
        for answer in ["SSH-2.0-OpenSSH\r\n\r\n", "", "HTTP/1.1 yes\r\n\r\n"] {
            let error = answered_with(answer).0.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{answer}");
        }
    }
}
