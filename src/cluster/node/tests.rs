//! What nodes said, read.

use super::*;

const DEBIAN12: &str = include_str!("debian12.txt");
const DEBIAN13: &str = include_str!("debian13.txt");
const BALANCER12: &str = include_str!("balancer12.txt");

fn units(node: &NodeReport) -> Vec<String> {
    let word = |service: &Service| match service.is_active() {
        true => service.unit.clone(),
        false => format!("{} {}", service.unit, service.state),
    };
    node.services.iter().map(word).collect()
}

#[test]
fn a_node_that_is_well() {
    let node = NodeReport::parse("n1", DEBIAN12).unwrap();
    assert_eq!(
        units(&node).join(" "),
        "nginx app@1 app@2 app-worker app-job.timer postgresql@15-main repmgrd pgbouncer \
         hadeploy-pgroute redis-server redis-sentinel fail2ban ssh"
    );
    assert_eq!((node.ready, node.drained), (Some(true), false));
    assert_eq!(
        node.pgbouncer,
        Some(Pooler {
            target: "10.77.1.11".to_owned(),
            ..Pooler::default()
        })
    );
    assert_eq!(
        node.pgroute,
        Some(Route {
            verdict: "route".to_owned(),
            target: "10.77.1.11".to_owned(),
            age_s: 1
        })
    );
    assert_eq!(node.memory_pss_mb, Some(215_973 / 1024));
    // A container does not know how much memory is its own.
    assert_eq!(node.memory_mb, None);
    assert_eq!(node.disk_free_mb, Some(47_285_168 / 1024));
    assert!(node.is_well());
}

#[test]
fn a_node_of_debian_13_whose_web_server_failed() {
    let node = NodeReport::parse("n1", DEBIAN13).unwrap();
    assert_eq!(
        units(&node).join(" "),
        "nginx failed postgresql@17-main pgbouncer redis-server redis-sentinel inactive fail2ban ssh"
    );
    assert_eq!(node.ready, Some(true));
    assert!(!node.is_well());
}

#[test]
fn a_node_without_visitors_of_its_own() {
    let node = NodeReport::parse("lb1", BALANCER12).unwrap();
    assert_eq!(units(&node).join(" "), "haproxy fail2ban ssh");
    assert_eq!(node.ready, None);
    assert_eq!(node.pgbouncer, None);
    assert_eq!(node.pgroute, None);
    assert!(node.is_well());
}

#[test]
fn what_is_wrong_is_seen() {
    let wrong = |before: &str, after: &str| {
        assert!(DEBIAN12.contains(before), "{before}");
        let node = NodeReport::parse("n1", &DEBIAN12.replace(before, after)).unwrap();
        assert!(!node.is_well(), "{after}");
        node
    };
    let node = wrong("ready yes no", "ready yes yes");
    assert_eq!((node.ready, node.drained), (Some(false), true));
    let node = wrong("ready yes no", "ready no no");
    assert_eq!((node.ready, node.drained), (Some(false), false));
    assert!(wrong("|2|0|0\n", "|2|1|0\n").pgbouncer.unwrap().paused);
    assert!(wrong("|2|0|0\n", "|2|0|1\n").pgbouncer.unwrap().disabled);
    let node = wrong("verdict=route", "verdict=minority");
    assert_eq!(node.pgroute.unwrap().verdict, "minority");
    let node = wrong(
        "ready yes no",
        "failed certbot.service loaded failed failed Renews certificates\nready yes no",
    );
    assert_eq!(units(&node).last().unwrap(), "certbot failed");
    // Enabled, and does not run.
    let nginx = "unit Id=nginx.service\nunit LoadState=loaded\nunit ActiveState=";
    let node = wrong(&format!("{nginx}active"), &format!("{nginx}inactive"));
    assert_eq!(units(&node)[0], "nginx inactive");
    let node = wrong(&format!("{nginx}active"), &format!("{nginx}failed"));
    assert_eq!(units(&node)[0], "nginx failed");
}

#[test]
fn a_pooler_that_does_not_answer_is_not_well() {
    let lines = DEBIAN12.lines().filter(|line| !line.starts_with("pool "));
    let text: Vec<&str> = lines.collect();
    let node = NodeReport::parse("n1", &text.join("\n")).unwrap();
    assert_eq!(node.pgbouncer, None);
    assert!(!node.is_well());
}

#[test]
fn clients_of_all_accounts_count() {
    let text = DEBIAN12.replace("pool appdb|app|0|0|", "pool appdb|app|7|3|");
    let pooler = NodeReport::parse("n1", &text).unwrap().pgbouncer.unwrap();
    assert_eq!((pooler.clients, pooler.waiting), (10, 3));
}

#[test]
fn half_an_answer_is_none() {
    let half = &DEBIAN12[..DEBIAN12.len() - 9];
    assert!(NodeReport::parse("n1", half).is_err());
    assert!(NodeReport::parse("n1", "").is_err());
}

#[test]
fn a_server_knows_its_memory() {
    let text = DEBIAN12.replace("end yes", "total 1012384\nend yes");
    let node = NodeReport::parse("n1", &text).unwrap();
    assert_eq!(node.memory_mb, Some(988));
}

#[test]
fn the_question_is_sh() {
    let checked = std::process::Command::new("/bin/sh")
        .args(["-n", "-c", &question()])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}
