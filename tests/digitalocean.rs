//! The DigitalOcean balancer over real HTTP, against a small server that checks every request and its own answers with the API's
//! description.
#![cfg(feature = "cloud")]

#[path = "digitalocean/schema.rs"]
mod schema;
#[path = "digitalocean/server.rs"]
mod server;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use hadeploy::balancer::{
    BalancerError, Controller, Hands, LoadBalancer, Means, Member, Reply, Service, Spec,
};
use hadeploy::source::Source;
use hadeploy::value::parse_yaml_one;
use server::{Fault, ID, Server, State, TOKEN};

/// A node that is probed each second by one address; what is done with its flags goes into the server's log.
struct Node {
    start: Instant,
    state: Arc<Mutex<State>>,
    drained: Mutex<Option<f64>>,
}

#[async_trait]
impl Hands for Node {
    async fn sh(&self, _: &str, script: &str) -> Result<Reply, String> {
        let now = self.start.elapsed().as_secs_f64() + 1000.0;
        let mut drained = self.drained.lock().unwrap();
        let text = if script.contains("mv -f .drain") {
            self.state.lock().unwrap().log.push("drain flag".into());
            format!("{:.3}", drained.get_or_insert(now))
        } else if script.contains("mv -f .ready") {
            self.state.lock().unwrap().log.push("ready flag".into());
            drained.take();
            format!("{:.3}", now - 100.0)
        } else {
            let mut text = format!("now {now:.3}\nlog\nready\n");
            for second in 0..20 {
                let at = now - f64::from(second);
                let status = if drained.is_some_and(|since| at >= since) {
                    503
                } else {
                    200
                };
                text.push_str(&format!("probe 10.0.0.9 {status} {at:.3}\n"));
            }
            text
        };
        Ok(Reply {
            stdout: text.into_bytes(),
            ..Reply::default()
        })
    }
}

fn balancer(server: &Server, more: &str, token: &str) -> (Box<dyn LoadBalancer>, Member) {
    let yaml = format!(
        "digitalocean: {{load_balancer: {ID}, droplet: 7, token: {token}, api: '{}', {more}}}",
        server.base
    );
    let spec = Spec::read(&parse_yaml_one(&Source::new("play.yml", yaml)).unwrap()).unwrap();
    let means = Means {
        hands: Arc::new(Node {
            start: Instant::now(),
            state: server.state.clone(),
            drained: Mutex::new(None),
        }),
        programs: Arc::new(Controller),
        tell: Arc::new(|_| {}),
        run: "run-1".into(),
    };
    (spec.build(means).unwrap(), spec.member("n1", "10.0.0.1"))
}

/// What the server was asked since the last time; everything as described.
fn asked(server: &Server) -> Vec<String> {
    let mut state = server.state.lock().unwrap();
    assert_eq!(state.violations, Vec::<String>::new());
    let log = std::mem::take(&mut state.log);
    let short = |line: String| line.replace(&format!("/v2/load_balancers/{ID}"), "LB");
    log.into_iter().map(short).collect()
}

#[tokio::test]
async fn a_droplet_leaves_and_comes_back_by_its_id() {
    let server = Server::start(&[7, 8], None, &[]);
    let (balancer, member) = balancer(&server, "readiness: false", TOKEN);
    assert_eq!(balancer.state(&member).await.unwrap().service, Service::In);
    asked(&server);
    balancer.drain(&member).await.unwrap();
    assert_eq!(asked(&server), ["GET LB", "DELETE LB/droplets", "GET LB"]);
    assert_eq!(server.state.lock().unwrap().droplets, [8].into());
    assert_eq!(balancer.state(&member).await.unwrap().service, Service::Out);
    asked(&server);
    balancer.drain(&member).await.unwrap();
    assert_eq!(asked(&server), ["GET LB"], "out already");
    balancer.enable(&member).await.unwrap();
    assert_eq!(asked(&server), ["GET LB", "POST LB/droplets", "GET LB"]);
    balancer.enable(&member).await.unwrap();
    assert_eq!(asked(&server), ["GET LB"], "in already");
    assert_eq!(server.state.lock().unwrap().droplets, [7, 8].into());
}

#[tokio::test]
async fn by_a_tag_the_droplet_loses_and_gets_it() {
    let server = Server::start(&[7, 8], Some("web"), &[]);
    let (balancer, member) = balancer(&server, "readiness: false", TOKEN);
    balancer.drain(&member).await.unwrap();
    balancer.enable(&member).await.unwrap();
    let log = asked(&server);
    assert_eq!(log[1], "DELETE /v2/tags/web/resources");
    assert_eq!(log[4], "POST /v2/tags/web/resources");
    assert_eq!(server.state.lock().unwrap().droplets, [7, 8].into());
}

#[tokio::test]
async fn the_health_page_goes_first_and_comes_back_first() {
    let server = Server::start(&[7, 8], None, &[]);
    server.state.lock().unwrap().path = "/healthz".into();
    let (balancer, member) = balancer(&server, "drain_timeout: 2", TOKEN);
    assert_eq!(balancer.state(&member).await.unwrap().service, Service::In);
    asked(&server);
    let start = Instant::now();
    let drained = balancer.drain(&member).await.unwrap();
    // Twice three seconds, as the balancer's own settings say.
    assert!((6.0..10.0).contains(&start.elapsed().as_secs_f64()));
    assert!(
        drained.how.starts_with("its probes got 503: 10.0.0.9 "),
        "{}",
        drained.how
    );
    assert_eq!(
        asked(&server),
        ["GET LB", "drain flag", "DELETE LB/droplets", "GET LB"]
    );
    balancer.enable(&member).await.unwrap();
    assert_eq!(
        asked(&server),
        [
            "GET LB",
            "ready flag",
            "POST LB/droplets",
            "GET LB",
            "ready flag"
        ]
    );
}

#[tokio::test]
async fn faults_that_pass_are_borne() {
    use Fault::{Broken, Busy, Cut, Limited, None, Slow, Stale};
    let cases: [(&[Fault], &[&str]); 7] = [
        (
            &[None, Busy],
            &[
                "GET LB",
                "DELETE LB/droplets",
                "DELETE LB/droplets",
                "GET LB",
            ],
        ),
        (
            &[Limited],
            &["GET LB", "GET LB", "DELETE LB/droplets", "GET LB"],
        ),
        (
            &[None, Broken],
            &[
                "GET LB",
                "DELETE LB/droplets",
                "DELETE LB/droplets",
                "GET LB",
            ],
        ),
        (
            &[Broken],
            &["GET LB", "GET LB", "DELETE LB/droplets", "GET LB"],
        ),
        (
            &[None, Slow, Slow],
            &["GET LB", "DELETE LB/droplets", "GET LB"],
        ),
        (
            &[None, Cut],
            &[
                "GET LB",
                "DELETE LB/droplets",
                "DELETE LB/droplets",
                "GET LB",
            ],
        ),
        (
            &[None, None, Stale],
            &["GET LB", "DELETE LB/droplets", "GET LB", "GET LB"],
        ),
    ];
    let mut running = Vec::new();
    for (faults, expected) in cases {
        running.push(tokio::spawn(async move {
            let server = Server::start(&[7, 8], Option::None, faults);
            let (balancer, member) = balancer(&server, "readiness: false", TOKEN);
            let end = balancer.drain(&member).await;
            assert!(end.is_ok(), "{faults:?}: {end:?}");
            assert_eq!(asked(&server), expected, "{faults:?}");
            assert_eq!(server.state.lock().unwrap().droplets, [8].into());
        }));
    }
    for one in running {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn what_will_not_pass_is_an_error_at_once() {
    let server = Server::start(&[7, 8], None, &[Fault::None, Fault::Rights]);
    let (held, member) = balancer(&server, "readiness: false", TOKEN);
    let error = held.drain(&member).await.unwrap_err();
    assert!(matches!(error, BalancerError::Refused { .. }));
    assert!(
        error
            .to_string()
            .ends_with("403 You are not authorized to perform this operation"),
        "{error}"
    );
    assert_eq!(asked(&server), ["GET LB", "DELETE LB/droplets"]);

    let (wrong, member) = balancer(&server, "readiness: false", "other");
    let error = wrong.state(&member).await.unwrap_err().to_string();
    assert!(
        error.ends_with("401 Unable to authenticate you.") && !error.contains("other"),
        "{error}"
    );
    asked(&server);

    let stranger = Member {
        server: "404".into(),
        ..member
    };
    let error = held.state(&stranger).await.unwrap_err().to_string();
    assert!(
        error.contains("knows no `404`: its droplets are 7, 8"),
        "{error}"
    );
    assert_eq!(asked(&server), ["GET LB", "GET /v2/droplets/404"]);
}

#[test]
fn the_schema_refuses_what_is_not_described() {
    let api: serde_json::Value =
        serde_yaml::from_str(include_str!("digitalocean/api.yaml")).unwrap();
    let path = "/v2/load_balancers/x/droplets";
    let operation = schema::operation(&api, "DELETE", path).unwrap();
    let schema = schema::body(&operation["requestBody"]).unwrap();
    let refused = |body: serde_json::Value| !schema::faults(schema, &body, "body").is_empty();
    assert!(!refused(serde_json::json!({"droplet_ids": [7]})));
    assert!(refused(serde_json::json!({"droplet_ids": ["7"]})));
    assert!(refused(serde_json::json!({"droplets": [7]})));
    assert!(schema::operation(&api, "PUT", "/v2/load_balancers/x").is_none());
}
