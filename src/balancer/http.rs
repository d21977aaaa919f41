//! HTTP as the providers' APIs need it: small JSON bodies, each request once.

use std::time::Duration;

use async_trait::async_trait;

use crate::secret::Secret;

/// How long one request may take, from connecting to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// One request; it authenticates with the token.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "cloud"),
    expect(dead_code, reason = "only a client reads it")
)]
pub(super) struct Request<'a> {
    pub method: Method,
    pub url: String,
    pub token: &'a Secret,
    pub body: Option<String>,
}

/// One answer, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    /// The header Retry-After in seconds, where it is a number.
    pub retry_after: Option<u64>,
    pub body: String,
}

/// Sends requests.
#[async_trait]
pub(super) trait Http: Send + Sync {
    /// An error when there was no whole answer.
    async fn send(&self, request: Request<'_>) -> Result<Answer, String>;
}

/// HTTP over TLS, or without for tests. Redirects are not followed: the token goes nowhere else.
#[cfg(feature = "cloud")]
pub(super) fn client(base: &str) -> Result<Box<dyn Http>, String> {
    // Another part of the program may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hadeploy/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    if base.starts_with("http://127.0.0.1") {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| chain(&error))?;
    Ok(Box::new(Client(client)))
}

/// Built without it.
#[cfg(not(feature = "cloud"))]
pub(super) fn client(_base: &str) -> Result<Box<dyn Http>, String> {
    let _ = PATIENCE;
    Err("this hadeploy was built without the feature `cloud`".into())
}

#[cfg(feature = "cloud")]
struct Client(reqwest::Client);

#[cfg(feature = "cloud")]
#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request<'_>) -> Result<Answer, String> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = self
            .0
            .request(method, &request.url)
            .bearer_auth(request.token.reveal())
            .header("Accept", "application/json");
        if let Some(body) = request.body {
            sent = sent.header("Content-Type", "application/json").body(body);
        }
        let answer = sent.send().await.map_err(|error| chain(&error))?;
        let status = answer.status().as_u16();
        let header = answer.headers().get("retry-after");
        let retry_after = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = answer.text().await.map_err(|error| chain(&error))?;
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }
}

/// An error with its causes; the first one alone says only that something failed.
#[cfg(feature = "cloud")]
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
