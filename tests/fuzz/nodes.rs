//! What nodes print, beside the answers to questions as a whole.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hadeploy::cluster;
use hadeploy::engine::{parse_answers, parse_kept};
use hadeploy::fact::{Answer, Missing, Question, parse};
use hadeploy::node::{
    Connector, LaunchEnd, Node, Privilege, Shell, guard, lease, parse_launch_end, unlock,
};
use hadeploy::rollout::{Round, Streak};
use hadeploy::scram::Verifier;
use hadeploy::transport::fake::{FakeCommand, FakeEnd, FakeTransport};
use hadeploy::transport::{Transport, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// Answers that come in base64, where broken bytes alone would seldom get far, and those of sessions and of the packet filter.
pub fn encoded_facts(bytes: &[u8]) -> bool {
    const MORE: [&str; 6] = [
        r#"{"role":"app"}"#,
        r#"{"database":"app"}"#,
        r#"{"extension":"pg_trgm"}"#,
        r#"{"db":"app","acl":{"kind":"table","schema":"public","names":["a","b"]}}"#,
        r#"{"members":"readers"}"#,
        r#"{"salt":"app"}"#,
    ];
    let asked = Missing::new(
        [
            Question::Probe("p\n:".into()),
            Question::Http("http://127.0.0.1/".into()),
            Question::Firewall("APP".into()),
            Question::Simulation("upgrade".into()),
        ]
        .into_iter()
        .chain(MORE.map(|key| Question::Postgres(key.into()))),
    );
    let encoded = STANDARD.encode(bytes);
    let mut said = Vec::new();
    let mut say = |name: &str, parts: &[&[u8]]| {
        said.extend_from_slice(format!("\n@n0nce {name}\n").as_bytes());
        said.extend_from_slice(&parts.concat());
    };
    say("probe", &[encoded.as_bytes(), b"\0"]);
    say("http", &[encoded.as_bytes(), b"\n"]);
    say("firewall", &[bytes, b"\nchains APP\n"]);
    say("simulation", &[bytes]);
    say("postgres", &[bytes]);
    say("end", &[]);
    let right = parse(&asked, "n0nce", &said).is_ok();
    // A key without a clock before it is an error of the whole.
    let mut said = Vec::new();
    for (name, text) in [("pem", encoded.as_str()), ("end", "")] {
        said.extend_from_slice(format!("\n@n0nce {name}\n{text}\n").as_bytes());
    }
    let asked = Missing::new([Question::Pem("/etc/x.pem".into())]);
    for (_, answer) in parse(&asked, "n0nce", &said).unwrap_or_default() {
        if let Answer::Pem(pem) = answer {
            pem.public_key();
            pem.key_type();
            pem.subject();
            pem.issuer();
            pem.validity();
            pem.extension("X509v3 Subject Alternative Name");
        }
    }
    right
}

/// Notes that lie on nodes, and short answers of their shells: leases, handlers owed, changes under guard, rounds of health.
pub fn node_notes(bytes: &[u8]) -> bool {
    let owed = lease::parse_owed(bytes);
    let held = unlock::parse_look(bytes);
    if let Some(held) = &held {
        held.lives();
    }
    let round = Round::parse(bytes);
    let mut streak = Streak::default();
    streak.take(round.clone());
    streak.take(round.clone());
    let claim = lease::parse_claim(bytes);
    let left = guard::parse_left(bytes);
    lease::parse_serves(bytes);
    claim.is_some()
        || !owed.is_empty()
        || held.is_some()
        || unlock::parse_free(bytes).is_some()
        || guard::parse(bytes).is_some()
        || !left.is_empty()
        || round.trouble.is_none()
}

/// Short answers to what the engine asks a node outside its facts: how a script ended, what clusters are like, which port was kept.
/// Their mark is `M1`.
pub fn node_answers(bytes: &[u8]) -> bool {
    let answers = parse_answers(bytes, 3, "M1");
    assert_eq!(answers.len(), 3);
    let answered = answers
        .iter()
        .any(|answer| matches!(answer, cluster::Answer::Said(_)));
    let began = match parse_launch_end(bytes) {
        LaunchEnd::Vanished(words) => words != String::from_utf8_lossy(bytes),
        LaunchEnd::Ended(_) | LaunchEnd::NotStarted(_) | LaunchEnd::NeverBegan => true,
    };
    answered || began || parse_kept(bytes).is_some()
}

/// Passwords as a server stores them.
pub fn verifier(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some(read) = Verifier::read(&text) else {
        return false;
    };
    assert!(Verifier::read(&read.text()).is_some_and(|again| again == read));
    true
}

/// A node that says these bytes to the first command, with its mark for `MARK`, and the second half of them to the next.
struct Said(Arc<[u8]>);

#[async_trait]
impl Connector for Said {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(transport(&self.0)))
    }
}

fn transport(bytes: &Arc<[u8]>) -> FakeTransport {
    let bytes = bytes.clone();
    FakeTransport::new("n1", move |command| say(command, bytes.clone()))
}

async fn say(command: FakeCommand, bytes: Arc<[u8]>) -> FakeEnd {
    let FakeCommand {
        line,
        mut stdin,
        mut stdout,
        mut stderr,
        ..
    } = command;
    let mark = mark(&line);
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'M').collect();
    let mut said = parts[0].to_vec();
    for part in &parts[1..] {
        match part.strip_prefix(b"ARK") {
            Some(rest) => {
                said.extend_from_slice(mark.as_bytes());
                said.extend_from_slice(rest);
            }
            None => {
                said.push(b'M');
                said.extend_from_slice(part);
            }
        }
    }
    // Whoever stops listening breaks the pipe.
    let _ = stdout.write_all(&said).await;
    let _ = stderr.write_all(&said).await;
    drop((stdout, stderr));
    let _ = stdin.read_to_end(&mut Vec::new()).await;
    FakeEnd::status(0)
}

/// The mark of a shell, or of a command.
fn mark(line: &str) -> String {
    let found = match line.split_once("MARK=") {
        Some((_, rest)) => rest,
        None => line
            .split_once("begun")
            .and_then(|(_, rest)| rest.split_once(' '))
            .map_or("", |(_, rest)| rest),
    };
    let end = found.find(|c: char| !c.is_ascii_hexdigit() && c != '-');
    found[..end.unwrap_or(found.len())].to_owned()
}

/// Time that nobody waits for.
fn play<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(what)
}

/// The long-lived shell: its greeting, its answers, and what scripts say while they run.
pub fn shell(bytes: &[u8]) -> bool {
    play(async {
        let transport = transport(&bytes.into());
        let started = Shell::start(&transport, &Privilege::Login, "/run/hadeploy").await;
        let Ok(mut shell) = started else {
            return false;
        };
        let heard = Arc::new(Mutex::new(0));
        let counts = heard.clone();
        shell.listen(Some(Arc::new(move |_| *counts.lock().expect("whole") += 1)));
        let mut answered = false;
        for _ in 0..3 {
            let reply = shell.run(":", &[], Duration::from_secs(5)).await;
            answered |= reply.is_ok();
        }
        answered
    })
}

/// A command whose output is told line by line.
pub fn visit(bytes: &[u8]) -> bool {
    play(async {
        let connector = Box::new(Said(bytes.into()));
        let node = Node::connect(connector, Privilege::Login, true, "root", "r1").await;
        let Ok(mut node) = node else {
            return false;
        };
        let Ok(visit) = node.visit("ls").await else {
            return false;
        };
        let stop = CancellationToken::new();
        visit.hear(|_, line| drop(line), stop).await.is_ok()
    })
}
