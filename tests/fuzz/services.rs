//! What balancers, databases and programs of others answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hadeploy::balancer::{Hands, LoadBalancer, Means, Member, Programs, Reply, Spec};
use hadeploy::cluster::postgres::{self, PostgresCluster};
use hadeploy::cluster::redis::{self, Redis};
use hadeploy::cluster::{self, Answer, Cluster, Goal, Lost, NodeReport, Sight};
use hadeploy::report::{Junit, Plain, Replayed, ReportOptions, Reporter, line, replay};
use hadeploy::resource::KINDS;
use hadeploy::source::Source;
use hadeploy::value::parse_yaml_one;

use crate::targets::read::{file, text};

/// What stands between the answers of several members, or to several questions.
const BETWEEN: &str = "\n=====\n";

/// Everything that is asked says this.
struct Said(Vec<u8>);

#[async_trait]
impl Hands for Said {
    async fn sh(&self, _: &str, script: &str) -> Result<Reply, String> {
        // When a flag was set is a number, or else nothing goes on.
        let flag = script.contains("mv -f .");
        let stdout = match flag {
            true => b"1000.0\n".to_vec(),
            false => self.0.clone(),
        };
        Ok(Reply {
            stdout,
            ..Reply::default()
        })
    }
}

#[async_trait]
impl Programs for Said {
    async fn run(&self, _: &[String], _: &[u8], _: Duration) -> Result<Reply, String> {
        self.sh("", "").await
    }
}

fn balancer(yaml: &str, said: &[u8]) -> (Box<dyn LoadBalancer>, Member) {
    let value = parse_yaml_one(&Source::new("play.yml", yaml)).expect("YAML");
    let spec = Spec::read(&value).expect("a balancer");
    let means = Means {
        hands: Arc::new(Said(said.to_vec())),
        programs: Arc::new(Said(said.to_vec())),
        tell: Arc::new(|words| assert!(!words.is_empty())),
        run: "run-1".into(),
    };
    let built = spec.build(means).expect("built with everything");
    (built, spec.member("n1", "10.0.0.1"))
}

/// Out and in again, in a time that nobody waits for.
fn out_and_in(yaml: &str, said: &[u8]) -> bool {
    let (balancer, member) = balancer(yaml, said);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let state = balancer.state(&member).await;
        let drained = balancer.drain(&member).await;
        let enabled = balancer.enable(&member).await;
        for error in [drained.err(), enabled.err()].into_iter().flatten() {
            assert!(!error.to_string().is_empty());
        }
        state.is_ok()
    })
}

/// The first text is the statistics, the second the states of servers.
pub fn haproxy(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let (first, second) = text.split_once(BETWEEN).unwrap_or((&text, ""));
    let mut said = String::new();
    for answer in [first, second] {
        said.push_str(&format!("{}\n{answer}", answer.len()));
    }
    // As it came, when it claims its own lengths.
    let said = match text.starts_with(|c: char| c.is_ascii_digit()) {
        true => text.into_bytes(),
        false => said.into_bytes(),
    };
    out_and_in(
        "haproxy: {hosts: lb1, backend: app, enable_timeout: 2s, drain_timeout: 2s}",
        &said,
    )
}

pub fn balancer_command(bytes: &[u8]) -> bool {
    out_and_in(
        "command: {state: s, drain: d, enable: e, timeout: 2s, drain_timeout: 2s, readiness: false}",
        bytes,
    )
}

/// Flags, probes and connections of a node.
pub fn readiness(bytes: &[u8]) -> bool {
    out_and_in("readiness: {drain_timeout: 2s}", bytes)
}

/// A server on this machine that answers every request with the present input.
struct Api {
    address: String,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Api {
    fn start() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its number");
        let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
        let says = answer.clone();
        std::thread::spawn(move || {
            for visitor in listener.incoming() {
                let mut visitor = visitor.expect("a visitor");
                let mut asked = Vec::new();
                let mut piece = [0; 1024];
                while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                    match visitor.read(&mut piece) {
                        Ok(length @ 1..) => asked.extend_from_slice(&piece[..length]),
                        _ => break,
                    }
                }
                let body = says.lock().expect("whole").clone();
                // All others are asked for again after a pause.
                let (status, more) = match body.first() {
                    Some(b'4') => (404, String::new()),
                    Some(b'9') => (429, format!("Retry-After: {}\r\n", first_word(&body))),
                    _ => (200, String::new()),
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = visitor.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Api {
            address: format!("http://{address}"),
            answer,
        }
    }
}

/// A number that begins with 9, so that nobody waits so long.
fn first_word(body: &[u8]) -> String {
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit());
    digits.map(|byte| char::from(*byte)).collect()
}

pub fn digitalocean(bytes: &[u8]) -> bool {
    static API: LazyLock<Api> = LazyLock::new(Api::start);
    // Its client reads all certificates that the machine trusts: one is enough.
    static ASKED: LazyLock<(Box<dyn LoadBalancer>, Member)> = LazyLock::new(|| {
        let yaml = format!(
            "digitalocean: {{load_balancer: abc, droplet: 7, token: t, api: '{}', api_timeout: 1s, readiness: false}}",
            API.address
        );
        balancer(&yaml, b"")
    });
    *API.answer.lock().expect("whole") = bytes.to_vec();
    let (balancer, member) = &*ASKED;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match runtime.block_on(balancer.state(member)) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn members() -> Vec<cluster::Member> {
    (1..=3)
        .map(|number| cluster::Member {
            name: format!("n{number}").into(),
            address: format!("10.77.6.1{number}"),
        })
        .collect()
}

/// Everything that is made of the answers of three members; who says nothing is silent.
fn cluster(cluster: &dyn Cluster, bytes: &[u8]) -> bool {
    let text = text(bytes);
    let mut said = text.split(BETWEEN);
    let answers: Vec<Answer> = cluster
        .members()
        .iter()
        .map(|_| match said.next() {
            Some(said) if !said.is_empty() => Answer::Said(said.to_owned()),
            _ => Answer::Silent("it does not answer".to_owned()),
        })
        .collect();
    let report = cluster.report(&answers);
    cluster.result(&answers);
    let lost = Lost {
        name: "n3".to_owned(),
        few: true,
        ..Lost::default()
    };
    let goals = [
        Goal::Look,
        Goal::Switchover(None),
        Goal::Switchover(Some("n2".to_owned())),
        Goal::Rejoin("n3".to_owned()),
        Goal::Repair,
        Goal::Forget(lost),
        Goal::Leave("n1".to_owned()),
    ];
    // Each takes its time.
    if let Ok(cluster) = cluster.toward(&goals[bytes.len() % goals.len()]) {
        for (waited, broken) in [(0, false), (3600, false), (5, true)] {
            cluster.next(&Sight {
                answers: &answers,
                waited: Duration::from_secs(waited),
                made: &[],
                broken,
            });
        }
        if let Err(refusal) = cluster.path(&answers) {
            assert!(!refusal.why.is_empty());
        }
        cluster.known_at("n2", &answers);
    }
    report.members.iter().any(|member| member.role != "unknown")
}

pub fn postgres_cluster(bytes: &[u8]) -> bool {
    let role = |name: &str, kind| postgres::Role {
        name: name.to_owned(),
        password: "secret".to_owned(),
        kind,
    };
    let cluster_of = PostgresCluster::new(postgres::Spec {
        members: members(),
        witness: false,
        port: 5432,
        settings: [("max_connections".to_owned(), "200".to_owned())].into(),
        synchronous: postgres::Synchronous::Auto,
        roles: vec![
            role("repmgr", postgres::RoleKind::Repmgr),
            role("app", postgres::RoleKind::Login),
        ],
        databases: vec![postgres::Database {
            name: "app".to_owned(),
            owner: "app".to_owned(),
        }],
        tls: postgres::Tls {
            ca: "/ca".into(),
            cert: "/cert".into(),
            key: "/key".into(),
        },
        clients: vec!["10.77.6.11".to_owned()],
        detection: Duration::from_secs(30),
        goal: postgres::Goal::Converge,
    });
    cluster(&cluster_of, bytes)
}

pub fn redis_cluster(bytes: &[u8]) -> bool {
    let cluster_of = Redis::new(redis::Spec {
        members: members(),
        name: "mymaster".to_owned(),
        password: "secret".to_owned(),
        tls: None,
        settings: [("maxmemory".to_owned(), "100mb".to_owned())].into(),
        watch: redis::Watch::of(3),
        goal: redis::Goal::Converge,
    });
    cluster(&cluster_of, bytes)
}

pub fn node_report(bytes: &[u8]) -> bool {
    match NodeReport::parse("n1", &text(bytes)) {
        Ok(report) => {
            report.is_well();
            true
        }
        Err(why) => {
            assert!(!why.is_empty());
            false
        }
    }
}

/// The log of a run, as `hadeploy log` shows it.
pub fn run_log(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let options = ReportOptions {
        verbosity: 1,
        diff: true,
        ..ReportOptions::default()
    };
    let mut plain = Plain::new(options, Box::new(std::io::sink()));
    let mut junit = Junit::new(Box::new(std::io::sink()));
    let name = |name: &str| {
        let found = KINDS.iter().find(|kind| kind.name == name);
        found.map_or("", |kind| kind.name)
    };
    let mut some = false;
    for written in text.lines() {
        if let Replayed::Event(event) = replay(written, &name) {
            some = true;
            plain.event(&event);
            junit.event(&event);
            let again = line(&event, None).map(|line| replay(&line, &name));
            assert!(!matches!(again, Some(Replayed::Damaged)), "{written}");
        }
    }
    plain.finish();
    junit.finish();
    hadeploy::cli::runs::Logged::read(&file("20261120t101530-3f9a2c.jsonl", bytes)).result();
    some
}

/// Private keys, public keys, or what was sealed for a key, told apart by how they begin.
#[cfg(feature = "age")]
pub fn age(bytes: &[u8]) -> bool {
    use hadeploy::secret::{Masker, Secret, passphrase};
    use hadeploy::vault::{AgeKey, Keyring, PasswordSource, Recipients, is_age};

    /// It knows the passphrase.
    struct Knows;
    impl PasswordSource for Knows {
        fn password(&self) -> Result<Secret, String> {
            Ok(Secret::new("x"))
        }
    }
    const KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const OF_IT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let ring = |key: &[u8]| {
        let key = AgeKey::new(file("keys.txt", key), Arc::new(Knows));
        Keyring::with_age(Vec::new(), vec![key], Masker::default())
    };
    if is_age(bytes) {
        return match ring(KEY.as_bytes()).open_age(bytes) {
            Ok(_) => true,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        };
    }
    if bytes
        .windows(5)
        .any(|word| word == b"-KEY-" || word == b"-----")
    {
        // What a key asks for is done: some thousand rounds are refused, some hundred are slow.
        let rounds = std::str::from_utf8(bytes).ok().and_then(passphrase::rounds);
        if rounds.is_some_and(|rounds| (50..=10_000).contains(&rounds)) {
            return false;
        }
        static SEALED: LazyLock<String> = LazyLock::new(|| {
            let read = Recipients::read(&[OF_IT.to_owned()], &[]);
            let sealed = read.ok().and_then(|it| it.seal(b"content").ok());
            sealed.expect("sealed for a key")
        });
        return ring(bytes).open_age(SEALED.as_bytes()).is_ok();
    }
    Recipients::read(&[], &[file("team.txt", bytes)]).is_ok()
}

/// Built without age.
#[cfg(not(feature = "age"))]
pub fn age(bytes: &[u8]) -> bool {
    hadeploy::vault::is_age(bytes)
}
