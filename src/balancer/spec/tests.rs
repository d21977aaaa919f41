//! What may be written, and what is said of the rest.

use std::sync::Arc;

use super::*;
use crate::source::Source;
use crate::value::parse_yaml_one;

fn value(yaml: &str) -> Value {
    let source: Arc<Source> = Source::new("play.yml", yaml);
    parse_yaml_one(&source).expect("it is YAML")
}

/// Each fault in one line, with label and help.
fn faults(faults: &[Diagnostic]) -> String {
    let lines = faults.iter().map(|fault| {
        let label = fault.label.as_deref().unwrap_or("-");
        format!("{} [{label}]", fault.one_line())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_is_readiness_with_its_defaults() {
    let spec = Spec::read(&value("")).unwrap();
    assert_eq!(
        spec.settings,
        Settings {
            health_log: "/var/log/nginx/healthz.log".into(),
            interval: Duration::from_secs(2),
            unhealthy_threshold: 3,
            healthy_threshold: 3,
            ports: vec![443, 80],
            drain_timeout: Duration::from_secs(30),
            require_probes: true,
            reload: None,
        }
    );
    assert!(matches!(spec.kind, SpecKind::Readiness));
    assert_eq!(spec.member("n1", "10.0.0.1").server, "n1");
    assert!(Spec::read(&value("readiness")).is_ok());
}

#[test]
fn every_provider_reads_what_it_takes() {
    let spec = Spec::read(&value(
        "haproxy: {hosts: [lb1, lb2], backend: 'app, api', server: web-1, ports: [8080], drain_timeout: 2m}",
    ))
    .unwrap();
    assert_eq!(spec.hosts(), ["lb1", "lb2"]);
    assert_eq!(spec.member("n1", "10.0.0.1").server, "web-1");
    assert_eq!(spec.settings.drain_timeout, Duration::from_secs(120));
    assert!(
        spec.flags
            && matches!(&spec.kind, SpecKind::Haproxy { backends, .. } if *backends == ["app", "api"])
    );

    let spec = Spec::read(&value(
        "digitalocean: {load_balancer: 4de7-ac8b, droplet: 3164444, token: dop_v1_secret, readiness: no}",
    ))
    .unwrap();
    assert_eq!(spec.member("n1", "10.0.0.1").server, "3164444");
    assert_eq!(spec.secrets()[0].reveal(), "dop_v1_secret");
    assert!(!spec.flags && !format!("{spec:?}").contains("dop_v1_secret"));

    let spec = Spec::read(&value(
        "command: {state: [a, b], drain: 'x | y', enable: [c]}",
    ))
    .unwrap();
    assert!(matches!(&spec.kind, SpecKind::Command { state, drain, .. }
        if *state == ["a", "b"] && *drain == ["sh", "-c", "x | y"]));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        (
            "haproxi: {}",
            "play.yml:1:1: unknown balancer `haproxi` [did you mean `haproxy`?]",
        ),
        ("[a]", "play.yml:1:1: `balancer` takes one provider [-]"),
        (
            "haproxy: [a]",
            "play.yml:1:10: `haproxy` takes a mapping of parameters, not a list [-]",
        ),
        (
            "haproxy:\n  host: lb1\n",
            "play.yml:2:3: unknown parameter `host` for balancer `haproxy` [did you mean `hosts`?]\n\
             play.yml:1:1: balancer `haproxy` needs `hosts` [-]\n\
             play.yml:1:1: balancer `haproxy` needs `backend` [-]",
        ),
        (
            "readiness: {interval: soon, ports: [0], require_probes: 7, healthy_threshold: 0}",
            "play.yml:1:23: `interval` must be a time like `30s`, or seconds, not `soon` [-]\n\
             play.yml:1:79: `healthy_threshold` must be a whole number from 1, not `0` [-]",
        ),
        (
            "haproxy: {hosts: -x, backend: 'a;b', server: 'n1 state maint', socket: run}",
            "`socket` must be an absolute path, not `run`",
        ),
        (
            "haproxy: {hosts: -x, backend: 'a;b', server: 'n1 state maint'}",
            "`server` must hold letters, digits, `-`, `_`, `.` and `:` only, not `n1 state maint`",
        ),
        (
            "digitalocean: {load_balancer: ../x, droplet: web1, token: [s3cret], api: 'http://x'}",
            "`load_balancer` must be an id of letters, digits and `-`, not `../x`",
        ),
        (
            "digitalocean: {load_balancer: x, droplet: web1, token: [s3cret]}",
            "`token` must be text, not a list",
        ),
        (
            "digitalocean: {load_balancer: x, droplet: 1, token: a, api: 'http://example.org'}",
            "`api` must begin with `https://`, not `http://example.org`",
        ),
        (
            "digitalocean: {load_balancer: x, droplet: 1, token: 'a b'}",
            "`token` must hold no spaces and line ends, not text",
        ),
    ];
    for (yaml, expected) in cases {
        let found = faults(&Spec::read(&value(yaml)).expect_err(yaml));
        for line in expected.lines() {
            assert!(found.contains(line), "{yaml}\nwanted {line}\nfound {found}");
        }
    }
}

#[test]
fn before_templates_are_rendered_only_what_is_sure_is_a_fault() {
    let good = "haproxy: {hosts: \"{{ groups['lb'] }}\", backend: [app, '{{ b }}'], server: '{{ name }}', drain_timeout: '{{ t }}'}";
    assert_eq!(faults(&Spec::check(&value(good))), "");
    assert_eq!(faults(&Spec::check(&value("'{{ balancer }}'"))), "");
    let bad = faults(&Spec::check(&value(
        "haproxy: {hosts: '{{ h }}', sockett: /x, drain_timeout: x}",
    )));
    assert!(
        bad.contains("`sockett`")
            && bad.contains("needs `backend`")
            && bad.contains("`drain_timeout` must"),
        "{bad}"
    );
    assert!(
        Spec::read(&value(good)).is_err(),
        "rendered values hold no templates"
    );
}

#[test]
fn every_default_is_legal_and_every_shared_name_is_known() {
    for provider in PROVIDERS {
        for name in provider.shared {
            assert!(
                provider.param(name).is_some(),
                "{} shares `{name}`",
                provider.name
            );
        }
        let map = Map::new();
        let span = crate::source::Span::synthetic("test");
        let mut reader = Reader::new(provider, &map, &span, true);
        reader.faults.clear();
        let _ = spec(provider, &mut reader);
        assert_eq!(faults(&reader.faults), "", "{}", provider.name);
    }
}
