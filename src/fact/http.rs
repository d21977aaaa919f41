//! Questions to web servers, put by the node itself: what an `http://` address answers.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, FactError, Question};
use crate::command::quote;

/// A reply longer than this is cut.
pub const REPLY_LIMIT: usize = 64 * 1024;

/// Seconds that a question waits for its reply.
pub const PATIENCE: u64 = 2;

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpReply {
    /// 200, 404 …
    pub status: u16,
    /// The text behind the head; bytes that are not UTF-8 as U+FFFD.
    pub body: Arc<str>,
}

/// An `http://` address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Name or address, without brackets.
    pub host: String,
    /// 80 when it is not given.
    pub port: u16,
    /// With its slash and query.
    pub path: String,
    /// What stands for host and port in it.
    authority: String,
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

impl Url {
    /// Reads `http://HOST[:PORT][/PATH]`; none for anything else.
    pub fn parse(text: &str) -> Option<Url> {
        let rest = text.strip_prefix("http://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':')?),
                };
                (host, port)
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return None;
        }
        if path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        Some(Url {
            host: host.to_owned(),
            port: port.map_or(Some(80), |port| port.parse().ok())?,
            path: match path {
                "" => "/".to_owned(),
                path if path.starts_with('?') => format!("/{path}"),
                path => path.to_owned(),
            },
            authority: authority.to_owned(),
        })
    }

    /// The shell text that prints the whole reply, head and body, or nothing when there is none within so many seconds. `host` is
    /// asked for where it is not the address's own. Nodes have no `curl`; bash opens the connection.
    pub fn fetch(&self, host: Option<&str>, seconds: u64) -> String {
        let plain = |text: &str| text.replace('\\', "\\\\").replace('%', "%%");
        let request = format!(
            "GET {} HTTP/1.0\\r\\nHost: {}\\r\\nConnection: close\\r\\n\\r\\n",
            plain(&self.path),
            plain(host.unwrap_or(&self.authority)),
        );
        let script = format!(
            "exec 3<>/dev/tcp/{}/{} && printf {} >&3 && head -c {REPLY_LIMIT} <&3",
            self.host,
            self.port,
            quote(&request)
        );
        format!("timeout {seconds} bash -c {} 2>/dev/null", quote(&script))
    }
}

/// Prints a line of base64 for each address, empty when nothing answered.
pub(super) fn http_script(keys: &[&str]) -> String {
    keys.iter()
        .map(|key| match Url::parse(key) {
            Some(url) => format!("{} | base64 -w0; echo\n", url.fetch(None, PATIENCE)),
            None => "echo\n".to_owned(),
        })
        .collect()
}

pub(super) fn parse_http(keys: &[&str], body: &[u8]) -> Result<Vec<(Question, Answer)>, FactError> {
    let error = |reason: &str| FactError {
        subject: "web servers",
        reason: reason.to_owned(),
    };
    let mut lines = body.split(|byte| *byte == b'\n');
    keys.iter()
        .map(|key| {
            let line = lines.next().ok_or_else(|| error("a line is missing"))?;
            let raw = STANDARD
                .decode(line)
                .map_err(|_| error("it is no base64"))?;
            Ok((Question::Http((*key).into()), Answer::Http(reply(&raw))))
        })
        .collect()
}

/// Splits head and body; none for what is no HTTP.
fn reply(raw: &[u8]) -> Option<HttpReply> {
    let text = String::from_utf8_lossy(raw);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .or_else(|| text.split_once("\n\n"))?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/"))?;
    Some(HttpReply {
        status: words.next()?.parse().ok()?,
        body: body.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = Url::parse("http://127.0.0.1:8080/a?b=%20c").expect("an address");
        assert_eq!(
            (&*url.host, url.port, &*url.path),
            ("127.0.0.1", 8080, "/a?b=%20c")
        );
        let url = Url::parse("http://[::1]:81").expect("an address");
        assert_eq!((&*url.host, url.port, &*url.path), ("::1", 81, "/"));
        assert_eq!(Url::parse("http://localhost").map(|url| url.port), Some(80));
        for wrong in [
            "https://x/",
            "http://",
            "http://a b/",
            "http://a/ b",
            "http://$(id)/",
            "http://x:y/",
            "x",
        ] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
    }

    /// What nginx 1.22 and 1.26 answer.
    #[test]
    fn replies_are_read() {
        let raw = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 16\r\nConnection: close\r\n\r\n0123456789abcdef";
        let reply = reply(raw).expect("a reply");
        assert_eq!((reply.status, &*reply.body), (200, "0123456789abcdef"));
        assert_eq!(super::reply(b"SSH-2.0-OpenSSH_9.2p1\r\n"), None);
        assert_eq!(super::reply(b""), None);
    }

    #[test]
    fn a_server_is_asked_as_a_node_asks_it() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                request.push(byte[0]);
            }
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\n\r\n50%\n")
                .expect("written");
            String::from_utf8_lossy(&request).into_owned()
        });
        let url = format!("http://127.0.0.1:{port}/it's?x=100%25");
        // Nothing listens on the port of the second any more.
        let keys = [url.as_str(), "http://127.0.0.1:1/"];
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(http_script(&keys))
            .output()
            .expect("sh");
        let answers = parse_http(&keys, &output.stdout).expect("readable");
        let wanted = HttpReply {
            status: 404,
            body: "50%\n".into(),
        };
        assert_eq!(answers[0].1, Answer::Http(Some(wanted)));
        assert_eq!(answers[1].1, Answer::Http(None));
        let request = server.join().expect("served");
        assert_eq!(
            request,
            format!(
                "GET /it's?x=100%25 HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
            )
        );
    }
}
