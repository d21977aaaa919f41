//! HTTP requests that a node makes: by curl where it is, else in plain HTTP by the perl that every Debian has.
//!
//! What may be secret (headers, bodies, passwords, addresses) goes through files that only the acting account reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Args, Param, ParamType};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::value::Kind as ValueKind;

/// `headers`.
pub const HEADERS: Param = Param::new("headers", ParamType::Map, "Headers of the request.");
/// `timeout`.
pub const TIMEOUT: Param = Param::new(
    "timeout",
    ParamType::Int,
    "Seconds to wait for the connection, and for each next piece of the answer.",
);
/// `validate_certs`.
pub const VALIDATE_CERTS: Param = Param::new(
    "validate_certs",
    ParamType::Bool,
    "Whether the certificate of the other side is checked.",
)
.default("true");
/// `http_agent`.
pub const AGENT: Param = Param::new(
    "http_agent",
    ParamType::Str,
    "What the request says it comes from.",
)
.default("hadeploy");
/// `force_basic_auth`.
pub const BASIC: Param = Param::new(
    "force_basic_auth",
    ParamType::Bool,
    "Whether user and password are sent at once, rather than when they are asked for.",
)
.default("false");

/// The client for nodes without curl.
const CLIENT: &str = include_str!("http/client.pl");

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// As it is asked for: without user and password.
    pub text: String,
    /// Whether it is `https`.
    pub tls: bool,
    host: String,
    port: u16,
    /// Path and query.
    target: String,
    /// User and password that stood in it.
    login: Option<(String, String)>,
}

impl Url {
    /// Takes an address apart.
    pub fn parse(text: &str) -> Result<Url, String> {
        let whole = text.split('#').next().unwrap_or_default();
        let Some((scheme, rest)) = whole.split_once("://") else {
            return Err(format!("`{text}` is no address"));
        };
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(format!("`{scheme}` is neither http nor https")),
        };
        if whole.chars().any(|c| c.is_control() || c == ' ') {
            return Err("an address holds no spaces; write `%20`".to_owned());
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                (Some((decoded(user), decoded(password))), place)
            }
            None => (None, authority),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (
                host,
                port.parse().map_err(|_| format!("`{port}` is no port"))?,
            ),
            _ => (place, if tls { 443 } else { 80 }),
        };
        if host.is_empty() {
            return Err(format!("`{text}` names no host"));
        }
        Ok(Url {
            text: format!("{scheme}://{place}{path}"),
            tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            target: match path.starts_with('/') {
                true => path.to_owned(),
                false => format!("/{path}"),
            },
            login,
        })
    }

    /// The last part of its path; none where it ends with a slash.
    pub fn name(&self) -> Option<String> {
        let path = self.target.split('?').next().unwrap_or_default();
        let name = decoded(path.rsplit('/').next().unwrap_or_default());
        (!name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != "..")
            .then_some(name)
    }

    fn place(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            80 if !self.tls => host,
            443 if self.tls => host,
            port => format!("{host}:{port}"),
        }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// `GET`, `POST` …
    pub method: String,
    headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<String>,
    login: Option<(String, String)>,
    basic: bool,
    timeout: i64,
    insecure: bool,
    ca_path: Option<String>,
    socket: Option<String>,
    /// Whether a redirect is followed.
    pub follows: bool,
}

impl Request {
    /// Reads what the parameters of the kinds have in common; `user` and `password` are the names of theirs.
    pub fn bind(
        args: &Args,
        user: &str,
        password: &str,
        timeout: i64,
    ) -> Result<Request, Diagnostic> {
        let fault = |name: &str, message: String| Diagnostic::at(args.value_place(name), message);
        let url = Url::parse(args.str("url").unwrap_or_default())
            .map_err(|message| fault("url", message))?;
        let mut headers = Vec::new();
        let given = args.get("headers").and_then(|value| value.as_map());
        for (name, entry) in given.into_iter().flatten() {
            let text = match &entry.value.kind {
                ValueKind::Str(text) => text.to_string(),
                ValueKind::Null => String::new(),
                _ => entry.value.to_json().to_string(),
            };
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.is_empty() || !name.chars().all(token) || text.contains(['\r', '\n', '\0']) {
                return Err(fault("headers", format!("`{name}` is no header")));
            }
            headers.push((name.to_string(), text));
        }
        let login = args.str(user).map(|name| {
            (
                name.to_owned(),
                args.str(password).unwrap_or_default().to_owned(),
            )
        });
        let mut request = Request {
            login: login.or(url.login.clone()),
            url,
            method: "GET".to_owned(),
            headers,
            body: None,
            basic: args.bool("force_basic_auth", false),
            timeout: args.int("timeout").unwrap_or(timeout).max(1),
            insecure: !args.bool("validate_certs", true),
            ca_path: None,
            socket: None,
            follows: true,
        };
        request.header("User-Agent", args.str("http_agent").unwrap_or("hadeploy"));
        Ok(request)
    }

    /// Asks for what is at an address.
    pub fn of(url: Url, insecure: bool) -> Request {
        let mut request = Request {
            login: url.login.clone(),
            url,
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            basic: false,
            timeout: 10,
            insecure,
            ca_path: None,
            socket: None,
            follows: true,
        };
        request.header("User-Agent", "hadeploy");
        request
    }

    /// Adds a header, unless it is given.
    pub fn header(&mut self, name: &str, value: &str) {
        let given = |(other, _): &(String, String)| other.eq_ignore_ascii_case(name);
        if !self.headers.iter().any(given) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Whom to trust.
    pub fn trusting(mut self, ca_path: Option<&str>) -> Request {
        self.ca_path = ca_path.map(str::to_owned);
        self
    }

    /// The socket to go through.
    pub fn through(mut self, socket: Option<&str>) -> Request {
        self.socket = socket.map(str::to_owned);
        self
    }

    /// Whether nothing of it needs more than its address.
    pub fn is_plain(&self) -> bool {
        let own = |(name, _): &(String, String)| name == "User-Agent";
        self.login.is_none() && !self.insecure && self.headers.iter().all(own)
    }

    /// Seconds of patience.
    pub fn timeout(&self) -> i64 {
        self.timeout
    }

    /// Whether a body is sent, be it empty.
    fn sends(&self) -> bool {
        self.body.is_some() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")
    }

    /// The shell text that makes the request in the folder `$d`: the answer's head in `$d/head`, its body in `$d/out`, `STATUS REDIRECTS URL`
    /// in `$d/told`, an error's words in `$d/error`. Its status is in `$rc`.
    pub fn script(&self) -> String {
        let mut text = String::from(": >\"$d/head\"; : >\"$d/out\"; : >\"$d/told\"\n");
        let mut sends = "";
        if self.sends() {
            let body = self.body.as_deref().unwrap_or_default();
            text.push_str(&format!("printf %s {} >\"$d/body\" || exit\n", quote(body)));
            sends = " --data-binary @\"$d/body\"";
        }
        text.push_str(&format!(
            "if command -v curl >/dev/null; then\nprintf %s {} >\"$d/config\" || exit\n\
             curl -q -K \"$d/config\"{sends} -D \"$d/head\" -o \"$d/out\" \
             -w '%{{http_code}} %{{num_redirects}} %{{url_effective}}\\n' >\"$d/told\" 2>\"$d/error\"\nrc=$?\nelse\n",
            quote(&self.config())
        ));
        if self.url.tls {
            text.push_str(
                "echo 'https needs curl: install the package `curl`' >\"$d/error\"\nrc=1\nfi\n",
            );
            return text;
        }
        text.push_str(&format!(
            "printf %s {} >\"$d/request\" || exit\nperl - \"$d\" {} {} {} {} {} <<'END-OF-CLIENT' >\"$d/told\" 2>\"$d/error\"\n{CLIENT}END-OF-CLIENT\nrc=$?\nfi\n",
            quote(&self.head()),
            quote(&self.url.host),
            self.url.port,
            self.timeout,
            quote(self.socket.as_deref().unwrap_or_default()),
            if self.follows { "follow" } else { "stay" },
        ));
        text
    }

    /// The file of options for curl.
    fn config(&self) -> String {
        let mut lines = vec![
            "silent".to_owned(),
            "show-error".to_owned(),
            "globoff".to_owned(),
            option("proto", "=http,https"),
            option("url", &self.url.text),
            option("connect-timeout", &self.timeout.to_string()),
            option("speed-time", &self.timeout.to_string()),
            option("speed-limit", "1"),
        ];
        match self.method.as_str() {
            "HEAD" => lines.push("head".to_owned()),
            "GET" if !self.sends() => {}
            "POST" => {}
            method => lines.push(option("request", method)),
        }
        for (name, value) in &self.headers {
            let header = match value.as_str() {
                "" => format!("{name};"),
                value => format!("{name}: {value}"),
            };
            lines.push(option("header", &header));
        }
        if self.sends() {
            lines.push(option("header", "Expect:"));
        }
        if let Some((user, password)) = &self.login {
            lines.push(option("user", &format!("{user}:{password}")));
            lines.push(if self.basic { "basic" } else { "anyauth" }.to_owned());
        }
        if self.follows {
            lines.push("location".to_owned());
            lines.push(option("max-redirs", "10"));
        }
        if self.insecure {
            lines.push("insecure".to_owned());
        }
        if let Some(path) = &self.ca_path {
            lines.push(option("cacert", path));
        }
        if let Some(path) = &self.socket {
            lines.push(option("unix-socket", path));
        }
        lines.join("\n") + "\n"
    }

    /// The head of the request as the plain client sends it.
    fn head(&self) -> String {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.url.target)];
        let given = |name: &str| {
            let is = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
            self.headers.iter().find(is).is_some()
        };
        if !given("Host") {
            lines.push(format!("Host: {}", self.url.place()));
        }
        lines.push("Connection: close".to_owned());
        if !given("Accept") {
            lines.push("Accept: */*".to_owned());
        }
        if let Some((user, password)) = self.login.as_ref().filter(|_| !given("Authorization")) {
            let both = STANDARD.encode(format!("{user}:{password}"));
            lines.push(format!("Authorization: Basic {both}"));
        }
        if self.sends() {
            let length = self.body.as_deref().map_or(0, str::len);
            lines.push(format!("Content-Length: {length}"));
            if !given("Content-Type") {
                lines.push("Content-Type: application/x-www-form-urlencoded".to_owned());
            }
        }
        let own = ["connection", "content-length", "transfer-encoding"];
        for (name, value) in &self.headers {
            if !own.contains(&name.to_ascii_lowercase().as_str()) {
                lines.push(format!("{name}: {value}"));
            }
        }
        lines.join("\r\n") + "\r\n\r\n"
    }
}

/// What of an address may stand in logs: a query may hold a key.
pub fn shown(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// A line of curl's file of options.
fn option(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    let value = value.replace('\n', "\\n").replace('\r', "\\r");
    format!("{name} = \"{}\"", value.replace('\t', "\\t"))
}

#[cfg(test)]
mod tests;
