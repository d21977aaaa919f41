//! A small server that speaks the part of DigitalOcean's API that is used, and fails on demand.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::schema;

/// The token that it takes.
pub const TOKEN: &str = "dop_v1_0123456789";
/// The load balancer that it has.
pub const ID: &str = "4de7ac8b-495b-4884-9a69-1050c6793cd6";

/// What goes wrong with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing does.
    None,
    /// The balancer works on earlier changes.
    Busy,
    /// The token may not do it.
    Rights,
    /// Too many requests.
    Limited,
    /// The server's own fault.
    Broken,
    /// The answer takes its time.
    Slow,
    /// It is done, and the connection ends without an answer.
    Cut,
    /// The answer is the one from before the last change.
    Stale,
}

/// What it is, and what it was asked.
pub struct State {
    pub droplets: BTreeSet<u64>,
    before: BTreeSet<u64>,
    pub tag: Option<String>,
    pub path: String,
    pub faults: VecDeque<Fault>,
    /// `GET /v2/…` and words of others, in order.
    pub log: Vec<String>,
    /// What was asked or answered and is not described.
    pub violations: Vec<String>,
}

/// The server; it ends with the program.
pub struct Server {
    pub state: Arc<Mutex<State>>,
    pub base: String,
}

impl Server {
    pub fn start(droplets: &[u64], tag: Option<&str>, faults: &[Fault]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            droplets: droplets.iter().copied().collect(),
            before: droplets.iter().copied().collect(),
            tag: tag.map(str::to_owned),
            path: "/".into(),
            faults: faults.iter().copied().collect(),
            log: Vec::new(),
            violations: Vec::new(),
        }));
        let api: Value = serde_yaml::from_str(include_str!("api.yaml")).unwrap();
        let shared = (state.clone(), Arc::new(api));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, api) = shared.clone();
                thread::spawn(move || serve(stream, &state, &api));
            }
        });
        Server { state, base }
    }
}

/// One connection: any number of requests.
fn serve(stream: TcpStream, state: &Mutex<State>, api: &Value) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((method, path, token, body)) = read(&mut reader) {
        let (status, answer, fault) = {
            let mut state = state.lock().unwrap();
            let fault = state.faults.pop_front().unwrap_or(Fault::None);
            let (status, answer) = state.answer(api, &method, &path, &token, &body, fault);
            (status, answer, fault)
        };
        match fault {
            Fault::Cut => return,
            Fault::Slow => thread::sleep(Duration::from_millis(1500)),
            _ => {}
        }
        let retry = if status == 429 {
            "Retry-After: 2\r\n"
        } else {
            ""
        };
        let text = if answer.is_null() {
            String::new()
        } else {
            answer.to_string()
        };
        let length = if status == 204 {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", text.len())
        };
        let sent = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{retry}{length}\r\n{text}"
        );
        if sent.is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, String, String)> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut token, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => token = value.trim_start_matches("Bearer ").to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, token, String::from_utf8(body).ok()?))
}

impl State {
    fn answer(
        &mut self,
        api: &Value,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
        fault: Fault,
    ) -> (u16, Value) {
        self.log.push(format!("{method} {path}"));
        let error = |id: &str, message: &str| json!({"id": id, "message": message});
        let Some(operation) = schema::operation(api, method, path) else {
            self.violations
                .push(format!("{method} {path} is not described"));
            return (404, error("not_found", "not described"));
        };
        let sent: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        match schema::body(&operation["requestBody"]) {
            Some(schema) => self.violations.extend(schema::faults(schema, &sent, path)),
            None if !body.is_empty() => self
                .violations
                .push(format!("{method} {path} takes no body")),
            None => {}
        }
        let (status, answer) = match fault {
            _ if token != TOKEN => (401, error("unauthorized", "Unable to authenticate you.")),
            Fault::Busy => (
                403,
                error(
                    "forbidden",
                    "Load Balancer can't be updated while it processes previous actions",
                ),
            ),
            Fault::Rights => (
                403,
                error(
                    "forbidden",
                    "You are not authorized to perform this operation",
                ),
            ),
            Fault::Limited => (429, error("too_many_requests", "API rate limit exceeded.")),
            Fault::Broken => (500, error("server_error", "Unexpected server-side error")),
            _ => self.act(method, path, &sent, fault),
        };
        let described = &operation["responses"][status.to_string()];
        if let Some(schema) = schema::body(described) {
            self.violations.extend(schema::faults(
                schema,
                &answer,
                &format!("{method} {path} {status}"),
            ));
        }
        (status, answer)
    }

    fn act(&mut self, method: &str, path: &str, sent: &Value, fault: Fault) -> (u16, Value) {
        let missing = (
            404,
            json!({"id": "not_found", "message": "The resource you requested could not be found."}),
        );
        let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
        let ids: Vec<u64> = match parts.as_slice() {
            ["load_balancers", ID] => return (200, self.balancer(fault == Fault::Stale)),
            ["droplets", "404"] => return missing,
            ["droplets", id] => return (200, droplet(id.parse().unwrap())),
            // A balancer that goes by a tag takes no droplets.
            ["load_balancers", ID, "droplets"] if self.tag.is_some() => {
                return (
                    422,
                    json!({"id": "unprocessable_entity", "message": "it goes by a tag"}),
                );
            }
            ["load_balancers", ID, "droplets"] => {
                let ids = sent["droplet_ids"].as_array().into_iter().flatten();
                ids.filter_map(Value::as_u64).collect()
            }
            ["tags", tag, "resources"] if self.tag.as_deref() == Some(*tag) => {
                let list = sent["resources"].as_array().into_iter().flatten();
                list.filter_map(|one| one["resource_id"].as_str()?.parse().ok())
                    .collect()
            }
            _ => return missing,
        };
        self.before = self.droplets.clone();
        for id in ids {
            match method {
                "POST" => drop(self.droplets.insert(id)),
                _ => drop(self.droplets.remove(&id)),
            }
        }
        (204, Value::Null)
    }

    fn balancer(&self, stale: bool) -> Value {
        let droplets = if stale { &self.before } else { &self.droplets };
        json!({"load_balancer": {
            "id": ID, "name": "web", "ip": "104.131.186.241", "size_unit": 1, "status": "active",
            "created_at": "2026-11-01T00:00:00Z", "algorithm": "round_robin",
            "forwarding_rules": [{"entry_protocol": "tcp", "entry_port": 443, "target_protocol": "tcp", "target_port": 443, "tls_passthrough": false}],
            "health_check": {"protocol": "http", "port": 80, "path": self.path, "check_interval_seconds": 3,
                "response_timeout_seconds": 3, "healthy_threshold": 2, "unhealthy_threshold": 2},
            "sticky_sessions": {"type": "none"},
            "tag": self.tag.clone().unwrap_or_default(), "droplet_ids": droplets,
        }})
    }
}

fn droplet(id: u64) -> Value {
    json!({"droplet": {
        "id": id, "name": "n1", "memory": 1024, "vcpus": 1, "disk": 25, "locked": false, "status": "active",
        "created_at": "2026-11-01T00:00:00Z", "features": [], "backup_ids": [], "next_backup_window": null,
        "snapshot_ids": [], "volume_ids": [], "tags": [], "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
        "image": {}, "size_slug": "s-1vcpu-1gb",
        "size": {"slug": "s-1vcpu-1gb", "memory": 1024, "vcpus": 1, "disk": 25, "transfer": 1, "price_monthly": 6,
            "price_hourly": 0.01, "regions": ["fra1"], "available": true, "description": "Basic"},
        "networks": {"v4": [], "v6": []},
        "region": {"name": "Frankfurt 1", "slug": "fra1", "features": [], "available": true, "sizes": []},
    }})
}
