//! Draining behind a real HAProxy and before a real nginx: what clients get, which connections end, and what is said.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hadeploy::balancer::{
    Controller, Drained, Hands, LoadBalancer, Means, Member, Reply, Service, Spec,
};
use hadeploy::lab::Lab;
use hadeploy::source::Source;
use hadeploy::value::parse_yaml_one;

use crate::Case;
use crate::world::{Node, World};

/// nginx as a site is served by it: readiness, its log, and no more kept connections while the node drains.
const SITE: &str = r#"log_format healthz '$remote_addr $status $msec';
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    default_type text/plain;
    location = /healthz {
        access_log /var/log/nginx/healthz.log healthz;
        if (-f /run/hadeploy/drain) { return 503 "drain\n"; }
        if (!-f /run/hadeploy/ready) { return 503 "not ready\n"; }
        return 200 "ok\n";
    }
    location / {
        error_page 418 =200 @drain;
        if (-f /run/hadeploy/drain) { return 418; }
        return 200 "$hostname\n";
    }
    location @drain {
        keepalive_timeout 0;
        return 200 "$hostname\n";
    }
}
"#;

pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("balancers::readiness", readiness),
        crate::waiting("balancers::haproxy", haproxy),
        Case::new("balancers::on_debian_13", on_debian_13).beside(13),
    ]
}

/// Scripts by the console of the lab's nodes.
struct Console(Lab);

#[async_trait]
impl Hands for Console {
    async fn sh(&self, host: &str, script: &str) -> Result<Reply, String> {
        let (lab, host, script) = (self.0.clone(), host.to_owned(), script.to_owned());
        let ran = tokio::task::spawn_blocking(move || lab.exec(&host, &["sh", "-c", &script]));
        let ran = ran.await.unwrap().map_err(|error| error.to_string())?;
        Ok(Reply {
            status: ran.status,
            stdout: ran.stdout,
            stderr: ran.stderr,
        })
    }
}

/// A balancer as a user describes it, and one of its members, with a runtime to wait in.
struct Rig {
    balancer: Box<dyn LoadBalancer>,
    member: Member,
    told: Arc<Mutex<Vec<String>>>,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    fn new(node: &Node, yaml: &str) -> Rig {
        let value = parse_yaml_one(&Source::new("play.yml", yaml)).unwrap();
        let spec = Spec::read(&value).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let words = told.clone();
        let means = Means {
            hands: Arc::new(Console(node.lab.clone())),
            programs: Arc::new(Controller),
            tell: Arc::new(move |text| words.lock().unwrap().push(text.to_owned())),
            run: "run-1".into(),
        };
        Rig {
            balancer: spec.build(means).unwrap(),
            member: spec.member(&node.name, &node.address()),
            told,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    fn service(&self) -> Service {
        let state = self.runtime.block_on(self.balancer.state(&self.member));
        state.unwrap().service
    }

    #[track_caller]
    fn is(&self, wanted: &Service) {
        let start = Instant::now();
        while self.service() != *wanted {
            let found = self.service();
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{wanted:?} was wanted: {found:?}"
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    #[track_caller]
    fn drain(&self) -> (Drained, Duration) {
        let start = Instant::now();
        let drained = self.runtime.block_on(self.balancer.drain(&self.member));
        (
            drained.unwrap_or_else(|error| panic!("{error}")),
            start.elapsed(),
        )
    }

    #[track_caller]
    fn enable(&self) {
        let enabled = self.runtime.block_on(self.balancer.enable(&self.member));
        enabled.unwrap_or_else(|error| panic!("{error}"));
    }

    fn error(&self) -> String {
        let state = self.runtime.block_on(self.balancer.state(&self.member));
        state.unwrap_err().to_string()
    }
}

/// A client that keeps its connection open between requests.
struct Visitor(TcpStream);

impl Visitor {
    fn new(address: &str, port: u16) -> Visitor {
        let stream = TcpStream::connect((address, port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        Visitor(stream)
    }

    /// Asks for the page; status and body with whether the server closes behind it.
    fn ask(&mut self) -> Result<(u16, String, bool), std::io::Error> {
        self.0.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let mut text = String::new();
        let mut bytes = [0; 4096];
        loop {
            let count = self.0.read(&mut bytes)?;
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
            let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
            if body.is_some_and(|body| body.ends_with('\n')) || count == 0 {
                break;
            }
        }
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let closes = head.to_ascii_lowercase().contains("connection: close");
        Ok((status.unwrap_or(0), body.trim().to_owned(), closes))
    }

    /// Whether the other end has closed.
    fn is_over(&mut self) -> bool {
        self.0
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        matches!(self.0.read(&mut [0; 16]), Ok(0))
    }
}

/// Visitors that come one after another, each for one page.
struct Stream {
    stop: Arc<AtomicBool>,
    worker: JoinHandle<Vec<(Instant, u16, String)>>,
}

impl Stream {
    fn start(address: String, port: u16) -> Stream {
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let worker = thread::spawn(move || {
            let mut answers = Vec::new();
            while !until.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let (status, body, _) = Visitor::new(&address, port).ask().unwrap_or_default();
                answers.push((asked, status, body));
                thread::sleep(Duration::from_millis(10));
            }
            answers
        });
        Stream { stop, worker }
    }

    fn end(self) -> Vec<(Instant, u16, String)> {
        self.stop.store(true, Ordering::Relaxed);
        self.worker.join().unwrap()
    }
}

fn install(node: &Node, packages: &str) {
    node.sh(&format!(
        "dpkg -s {packages} >/dev/null 2>&1 || {{ apt-get update -q; DEBIAN_FRONTEND=noninteractive apt-get install -qy {packages}; }} >/tmp/apt.log 2>&1"
    ));
}

fn web(node: &Node) {
    install(node, "nginx");
    node.sh(&format!(
        "cat > /etc/nginx/sites-available/default <<'END'\n{SITE}END\n\
         rm -rf /run/hadeploy/drain; mkdir -p /run/hadeploy; touch /run/hadeploy/ready; : > /var/log/nginx/healthz.log; systemctl restart nginx"
    ));
}

/// HAProxy for pages at 8080, and for connections at 8081.
fn proxy(node: &Node, members: &[(&str, String)]) {
    install(node, "haproxy");
    let servers: String = members
        .iter()
        .map(|(name, address)| {
            format!("    server {name} {address}:80 check inter 500ms fall 2 rise 2\n")
        })
        .collect();
    let backend = |name: &str, port: u16, mode: &str| {
        format!(
            "frontend in-{name}\n    mode {mode}\n    bind :{port}\n    default_backend {name}\n\
             backend {name}\n    mode {mode}\n    balance roundrobin\n    option httpchk GET /healthz\n{servers}\n"
        )
    };
    let config = format!(
        "global\n    stats socket /run/haproxy/admin.sock mode 660 level admin\n    user haproxy\n    group haproxy\n\
         defaults\n    timeout connect 2s\n    timeout client 60s\n    timeout server 60s\n\n{}\n{}",
        backend("app", 8080, "http"),
        backend("raw", 8081, "tcp")
    );
    node.sh(&format!(
        "cat > /etc/haproxy/haproxy.cfg <<'END'\n{config}\nEND\nsystemctl restart haproxy"
    ));
    node.wait_for("[ -S /run/haproxy/admin.sock ]");
}

/// Takes away what [`platform`] brought.
pub fn remove(nodes: &[&Node]) {
    for node in nodes {
        node.sh("DEBIAN_FRONTEND=noninteractive apt-get purge -qy 'nginx*' haproxy >/tmp/apt.log 2>&1 || true; rm -rf /var/log/nginx /run/hadeploy/drain /run/hadeploy/ready");
    }
}

/// A balancer before two web servers.
pub fn platform(world: &World) -> [Node; 3] {
    let nodes = ["n1", "n2", "n3"].map(|name| world.spare(name));
    let [lb, a, b] = &nodes;
    web(a);
    web(b);
    proxy(lb, &[("n2", a.address()), ("n3", b.address())]);
    nodes
}

fn readiness(world: &World) {
    let [lb, node, _] = &platform(world);
    let base = "readiness: {interval: 500ms, unhealthy_threshold: 2, healthy_threshold: 2, drain_timeout: ";
    let rig = Rig::new(node, &format!("{base} 15s}}"));
    rig.is(&Service::In);

    // A visitor goes after three seconds: so long the drain waits, and no longer.
    let mut visitor = Visitor::new(&node.address(), 80);
    assert_eq!(visitor.ask().unwrap().0, 200);
    let goes = thread::spawn(move || {
        thread::sleep(Duration::from_secs(3));
        drop(visitor);
    });
    let (drained, took) = rig.drain();
    assert_eq!(drained.stayed, 0, "{drained:?}");
    assert!(
        drained.how.contains(&format!("{} ", lb.address())),
        "{drained:?}"
    );
    assert!((3.0..8.0).contains(&took.as_secs_f32()), "{took:?}");
    goes.join().unwrap();
    assert_eq!(rig.service(), Service::Out);
    assert_eq!(node.sh("cat /run/hadeploy/drain"), "run-1");
    // HAProxy is not told anything, and has seen it by itself.
    let status = |node: &Node| {
        lb.sh(&format!(
            "perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => q(/run/haproxy/admin.sock)); print $s qq(show stat\\n); print <$s>' | \
             awk -F, '$1 == \"app\" && $2 == \"{}\" {{ print $18 }}'",
            node.name
        ))
    };
    assert!(status(node).starts_with("DOWN"), "{}", status(node));
    let (_, again) = rig.drain();
    assert!(again < Duration::from_secs(3), "drained again: {again:?}");
    rig.enable();
    assert!(status(node).starts_with("UP"), "{}", status(node));
    rig.is(&Service::In);
    rig.enable();

    // One that stays is counted.
    let rig = Rig::new(node, &format!("{base} 2s}}"));
    let mut visitor = Visitor::new(&node.address(), 80);
    visitor.ask().unwrap();
    let (drained, _) = rig.drain();
    assert_eq!(
        drained.stayed,
        1,
        "{drained:?} {:?}",
        rig.told.lock().unwrap()
    );
    let (_, body, closes) = visitor.ask().unwrap();
    assert!(
        body == "n2" && closes && visitor.is_over(),
        "a drained node closes behind its answer"
    );
    rig.enable();

    // With a reload idle connections end at once.
    let rig = Rig::new(node, &format!("{base} 15s, reload: nginx}}"));
    let mut visitor = Visitor::new(&node.address(), 80);
    visitor.ask().unwrap();
    let (drained, took) = rig.drain();
    assert_eq!(drained.stayed, 0, "{drained:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(visitor.is_over());
    rig.enable();

    // Nobody asks any more.
    lb.sh("systemctl stop haproxy");
    let rig = Rig::new(node, &format!("{base} 2s}}"));
    thread::sleep(Duration::from_secs(2));
    assert!(matches!(rig.service(), Service::Unknown(_)));
    let error = rig
        .runtime
        .block_on(rig.balancer.drain(&rig.member))
        .unwrap_err();
    assert!(
        error.to_string().starts_with("no balancer asks n2"),
        "{error}"
    );
    let rig = Rig::new(node, &format!("{base} 2s, require_probes: false}}"));
    rig.drain();
    rig.enable();
}

fn haproxy(world: &World) {
    let nodes = platform(world);
    let [lb, node, _] = &nodes;
    let yaml = "haproxy: {hosts: [n1], backend: [app, raw], drain_timeout: 20s}";
    let rig = Rig::new(node, yaml);
    rig.is(&Service::In);

    // One visitor with a connection through to the node, which HAProxy cannot see into.
    let mut inside = loop {
        let mut visitor = Visitor::new(&lb.address(), 8081);
        if visitor.ask().unwrap().1 == "n2" {
            break visitor;
        }
    };
    let stream = Stream::start(lb.address(), 8080);
    thread::sleep(Duration::from_millis(300));
    let asks = thread::spawn(move || {
        thread::sleep(Duration::from_secs(3));
        let answer = inside.ask().unwrap();
        (answer, inside.is_over())
    });
    let (drained, took) = rig.drain();
    let end = Instant::now();
    assert_eq!(
        drained.stayed,
        0,
        "{drained:?} {:?}",
        rig.told.lock().unwrap()
    );
    assert!((3.0..12.0).contains(&took.as_secs_f32()), "{took:?}");
    assert_eq!(asks.join().unwrap(), ((200, "n2".into(), true), true));
    assert_eq!(rig.service(), Service::Out);
    // Repeated, and with the page down HAProxy still says that it drains.
    let (drained, took) = rig.drain();
    assert!(
        took < Duration::from_secs(4) && drained.stayed == 0,
        "{took:?} {drained:?}"
    );
    assert_eq!(rig.service(), Service::Out);
    rig.enable();
    let back = Instant::now();
    assert_eq!(rig.service(), Service::In);
    rig.enable();
    thread::sleep(Duration::from_millis(500));
    let answers = stream.end();
    let lost: Vec<_> = answers
        .iter()
        .filter(|(_, status, _)| *status != 200)
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
    let of = |from: Instant, to: Option<Instant>| {
        let at = |asked: &Instant| *asked > from && to.is_none_or(|to| *asked < to);
        let mut names: Vec<&str> = answers
            .iter()
            .filter(|(t, ..)| at(t))
            .map(|(.., n)| n.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    assert_eq!(of(back, None), ["n2", "n3"]);
    let quiet = back - Duration::from_secs(1);
    if end < quiet {
        assert_eq!(of(end, Some(quiet)), ["n3"]);
    }

    // A connection that stays.
    let mut stays = loop {
        let mut visitor = Visitor::new(&lb.address(), 8081);
        if visitor.ask().unwrap().1 == "n2" {
            break visitor;
        }
    };
    let short = Rig::new(
        node,
        "haproxy: {hosts: [n1], backend: [app, raw], drain_timeout: 2s}",
    );
    assert_eq!(short.drain().0.stayed, 1);
    assert_eq!(short.service(), Service::Draining);
    assert!(stays.ask().unwrap().2);
    short.enable();

    // What it does not know, and an HAProxy that is not there.
    let unknown = Rig::new(node, "haproxy: {hosts: [n1], backend: app, server: n22}");
    assert_eq!(
        unknown.error(),
        "HAProxy on n1 knows no `app/n22`: its servers are `n2` and `n3`; did you mean `n2`?"
    );
    let unknown = Rig::new(node, "haproxy: {hosts: [n1], backend: apps}");
    assert!(
        unknown
            .error()
            .contains("its backends with servers are `app` and `raw`"),
        "{}",
        unknown.error()
    );
    let two = Rig::new(node, "haproxy: {hosts: [n1, n3], backend: app}");
    assert!(
        two.error()
            .starts_with("HAProxy on n3 cannot be reached: /run/haproxy/admin.sock: "),
        "{}",
        two.error()
    );
    lb.sh("sed -i 's/level admin/level user/' /etc/haproxy/haproxy.cfg; systemctl restart haproxy");
    let user = rig
        .runtime
        .block_on(rig.balancer.drain(&rig.member))
        .unwrap_err();
    assert!(user.to_string().contains("Permission denied"), "{user}");
    remove(&nodes.iter().collect::<Vec<_>>());
}

/// Both on one node.
fn on_debian_13(world: &World) {
    let node = world.first(13);
    web(&node);
    proxy(&node, &[("n1", "127.0.0.1".into())]);
    let rig = Rig::new(
        &node,
        "haproxy: {hosts: [n1], backend: [app, raw], drain_timeout: 10s}",
    );
    rig.is(&Service::In);
    let mut visitor = Visitor::new(&node.address(), 8081);
    assert_eq!(visitor.ask().unwrap().1, "n1");
    let goes = thread::spawn(move || {
        thread::sleep(Duration::from_secs(2));
        visitor.ask().unwrap()
    });
    let (drained, took) = rig.drain();
    assert_eq!(
        drained.stayed,
        0,
        "{drained:?} {:?}",
        rig.told.lock().unwrap()
    );
    assert!(took >= Duration::from_secs(2) && goes.join().unwrap().2);
    assert_eq!(rig.service(), Service::Out);
    rig.enable();
    let page = Rig::new(
        &node,
        "readiness: {interval: 500ms, unhealthy_threshold: 2, healthy_threshold: 2, drain_timeout: 5s}",
    );
    page.is(&Service::In);
    assert_eq!(page.drain().0.stayed, 0);
    page.enable();
    remove(&[&node]);
}
