//! Real programs, told in JSON.

use std::sync::Arc;

use super::*;
use crate::balancer::{Controller, Hands, LoadBalancer, Means, Reply, Spec};
use crate::source::Source;
use crate::value::parse_yaml_one;

struct NoHands;

#[async_trait]
impl Hands for NoHands {
    async fn sh(&self, _: &str, _: &str) -> Result<Reply, String> {
        Err("no host may be touched".into())
    }
}

fn balancer(state: &str, drain: &str, enable: &str) -> (Box<dyn LoadBalancer>, Member) {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let yaml = format!(
        "command: {{readiness: false, timeout: 2, server: 'web 1', state: {}, drain: {}, enable: {}}}",
        quoted(state),
        quoted(drain),
        quoted(enable)
    );
    let value = parse_yaml_one(&Source::new("play.yml", yaml)).unwrap();
    let spec = Spec::read(&value).unwrap();
    let means = Means {
        hands: Arc::new(NoHands),
        programs: Arc::new(Controller),
        tell: Arc::new(|_| {}),
        run: "run-1".into(),
    };
    (spec.build(means).unwrap(), spec.member("n1", "10.0.0.1"))
}

#[tokio::test]
async fn programs_get_the_member_and_their_answers_count() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (out, log) = (at("out"), at("log"));
    let state = format!(
        "if [ -e '{out}' ]; then echo '{{\"state\": \"out\"}}'; else echo '{{\"state\": \"in_service\", \"sessions\": 4}}'; fi"
    );
    let drain = format!("cat >> '{log}'; touch '{out}'; echo '{{\"sessions\": 2}}'");
    let enable = format!("cat >> '{log}'; rm -f '{out}'");
    let (balancer, member) = balancer(&state, &drain, &enable);
    let first = balancer.state(&member).await.unwrap();
    assert_eq!((first.service, first.sessions), (Service::In, Some(4)));
    assert_eq!(balancer.drain(&member).await.unwrap().stayed, 2);
    assert_eq!(balancer.state(&member).await.unwrap().service, Service::Out);
    balancer.enable(&member).await.unwrap();
    assert_eq!(balancer.state(&member).await.unwrap().service, Service::In);
    let told = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        told,
        "{\"action\":\"drain\",\"host\":\"n1\",\"address\":\"10.0.0.1\",\"server\":\"web 1\",\"run_id\":\"run-1\"}\n\
         {\"action\":\"enable\",\"host\":\"n1\",\"address\":\"10.0.0.1\",\"server\":\"web 1\",\"run_id\":\"run-1\"}\n"
    );
}

#[tokio::test]
async fn what_a_program_gets_wrong_is_said() {
    let cases = [
        (
            "echo no route >&2; exit 3",
            "the state command refused: no route",
        ),
        ("exit 3", "the state command refused: status 3"),
        (
            "echo in_service",
            "the state command: it wrote no JSON: expected value at line 1 column 1",
        ),
        (
            "echo '[]'",
            "the state command: it wrote JSON that is no object",
        ),
        (
            "true",
            "the state command: `state` must be in_service, draining, out, down or unknown, not null",
        ),
        (
            "echo '{\"state\": \"up\"}'",
            "the state command: `state` must be in_service, draining, out, down or unknown, not \"up\"",
        ),
        (
            "echo '{\"state\": \"out\", \"sessions\": -1}'",
            "the state command: `sessions` must be a number from 0, not -1",
        ),
        (
            "exec sleep 30",
            "the state command cannot be reached: `sh` ended",
        ),
    ];
    for (state, expected) in cases {
        let (balancer, member) = balancer(state, "true", "true");
        let error = balancer.state(&member).await.unwrap_err().to_string();
        let expected = match expected.split_once("`sh`") {
            Some((start, _)) => start,
            None => expected,
        };
        assert!(error.starts_with(expected), "{state}: {error}");
    }
}

#[tokio::test]
async fn a_drain_that_did_nothing_and_an_enable_without_effect_are_errors() {
    let (in_service, member) = balancer("echo '{\"state\": \"in_service\"}'", "true", "true");
    let error = in_service.drain(&member).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the drain command refused: web 1 is still in service"
    );
    let (out, member) = balancer("echo '{\"state\": \"out\"}'", "true", "true");
    let error = out.enable(&member).await.unwrap_err();
    assert!(matches!(error, BalancerError::NotSeen { .. }), "{error}");
}
