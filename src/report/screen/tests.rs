//! The screen, as it is shown.

use super::*;
use crate::cluster::node::Route;
use crate::cluster::{MemberReport, Quorum};

fn node(name: &str) -> NodeReport {
    let units = "nginx app@1 app@2 postgresql@15-main repmgrd pgbouncer hadeploy-pgroute redis-server redis-sentinel fail2ban ssh";
    let services = units.split(' ').map(|unit| Service {
        unit: unit.to_owned(),
        state: "active".to_owned(),
    });
    NodeReport {
        host: name.to_owned(),
        services: services.collect(),
        ready: Some(true),
        pgbouncer: Some(Pooler {
            target: "10.0.0.11".to_owned(),
            node: Some("n1".to_owned()),
            ..Pooler::default()
        }),
        pgroute: Some(Route {
            verdict: "route".to_owned(),
            target: "10.0.0.11".to_owned(),
            age_s: 1,
        }),
        memory_pss_mb: Some(212),
        memory_mb: Some(967),
        disk_free_mb: Some(18_433),
        ..NodeReport::default()
    }
}

fn cluster() -> Report {
    let member = |name: &str, role: &str, state: &str, lag| MemberReport {
        name: name.to_owned(),
        role: role.to_owned(),
        state: state.to_owned(),
        lag_bytes: lag,
        details: vec![("repmgrd".to_owned(), "watches".to_owned())],
    };
    Report {
        cluster: "postgres".to_owned(),
        healthy: true,
        summary: "healthy".to_owned(),
        next_loss:
            "of the primary: another takes over after 30 s and more; no acknowledged write is lost"
                .to_owned(),
        quorum: Some(Quorum {
            needed: 1,
            there: 2,
            text: "commits wait for 1 standby, 2 stream".to_owned(),
        }),
        members: vec![
            member("n1", "primary", "running", None),
            member("n2", "standby", "streaming", Some(0)),
            member("n3", "standby", "streaming", Some(270)),
        ],
    }
}

fn shown(screen: &mut Screen, nodes: &[NodeReport], clusters: &[Report]) -> String {
    nodes.iter().for_each(|node| screen.node(node));
    clusters.iter().for_each(|cluster| screen.cluster(cluster));
    let lines = screen.lines("1.2 s", 80, Palette::new(false));
    let text = lines.join("\n");
    for line in text.lines() {
        assert!(text::columns(line) <= 80, "{line}");
    }
    text
}

#[test]
fn a_platform_that_is_well() {
    let nodes = [node("n1"), node("n2"), node("n3")];
    let text = shown(&mut Screen::default(), &nodes, &[cluster()]);
    assert_eq!(
        text,
        "\
nodes: all 3 well, each under 1 GB of memory                               1.2 s
  node  visitors  services   memory          disk free  pooler
  n1    ready     11 active  212 of 967 MiB  18.0 GiB   → n1, route
  n2    ready     11 active  212 of 967 MiB  18.0 GiB   → n1, route
  n3    ready     11 active  212 of 967 MiB  18.0 GiB   → n1, route
  n1 n2 n3: nginx app@1 app@2 postgresql repmgrd pgbouncer hadeploy-pgroute
    redis-server redis-sentinel fail2ban ssh
postgres: healthy
  n1  primary  running                  repmgrd watches
  n2  standby  streaming  no lag        repmgrd watches
  n3  standby  streaming  270 B behind  repmgrd watches
  quorum: commits wait for 1 standby, 2 stream
  next failure: of the primary: another takes over after 30 s and more; no
    acknowledged write is lost"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let mut nodes = [node("n1"), node("n2"), node("n3")];
    nodes[0].services[0].state = "failed".to_owned();
    nodes[0].services.push(Service {
        unit: "certbot".to_owned(),
        state: "failed".to_owned(),
    });
    nodes[0].memory_pss_mb = Some(1100);
    nodes[1].drained = true;
    nodes[1].ready = Some(false);
    nodes[1].disk_free_mb = Some(12);
    let pooler = nodes[1].pgbouncer.as_mut().unwrap();
    (pooler.paused, pooler.waiting) = (true, 3);
    nodes[2] = NodeReport::silent("n3", "no answer within 8 s".to_owned(), 12_400);
    let text = shown(&mut Screen::default(), &nodes, &[]);
    assert_eq!(
        text,
        "\
nodes: n3 unreachable, look at n1, n2, 1 GB of memory or more on n1        1.2 s
  node  visitors  services          memory           disk free  pooler
  n1    ready     10 active, 2 not  1100 of 967 MiB  18.0 GiB   → n1, route
        nginx failed, certbot failed
  n2    drained   11 active         212 of 967 MiB   12 MiB!    → n1, route
        pooler paused, 3 clients waiting at the pooler
  n3    unreachable for 12.4 s: no answer within 8 s
  n1: app@1 app@2 postgresql repmgrd pgbouncer hadeploy-pgroute redis-server
    redis-sentinel fail2ban ssh
  n2: nginx app@1 app@2 postgresql repmgrd pgbouncer hadeploy-pgroute
    redis-server redis-sentinel fail2ban ssh"
    );
}

#[test]
fn what_changed_is_marked_once() {
    let mut screen = Screen::default();
    let mut nodes = [node("n1"), node("n2")];
    let mut report = cluster();
    assert!(!shown(&mut screen, &nodes, &[report.clone()]).contains('*'));
    nodes[1].services[0].state = "failed".to_owned();
    nodes[0].memory_pss_mb = Some(300);
    report.members[1].role = "primary".to_owned();
    report.members[2].lag_bytes = Some(9);
    let text = shown(&mut screen, &nodes, &[report.clone()]);
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(marked.len(), 2, "{text}");
    assert!(
        marked[0].starts_with("* n2") && marked[1].starts_with("* n2  primary"),
        "{text}"
    );
    assert!(!shown(&mut screen, &nodes, &[report]).contains('*'));
}

#[test]
fn nothing_that_a_node_says_moves_the_cursor() {
    let nodes = [NodeReport::silent("n1", "\u{1b}[2Jgone\n".to_owned(), 0)];
    let text = shown(&mut Screen::default(), &nodes, &[]);
    assert!(
        text.contains("  n1    unreachable: \\x1b[2Jgone\\n"),
        "{text}"
    );
}
