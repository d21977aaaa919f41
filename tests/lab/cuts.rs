//! Nodes cut off from each other: what arrives, what does not, and for how long.

use std::thread;
use std::time::Duration;

use hadeploy::lab::{Cut, Lab, NodeState};

use super::{NAME, hadeploy, ssh, until};

/// Writes each number that a connection to port 7000 brings into /tmp/heard, until it ends.
const LISTENER: &str = r#"use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 7000, ReuseAddr => 1) or die;
my $c = $s->accept or die;
while (<$c>) { open my $f, ">", "/tmp/heard.new"; print $f $_; close $f; rename "/tmp/heard.new", "/tmp/heard" }"#;
/// Counts on one connection for ever.
const COUNTER: &str = r#"use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:7000") or die;
$s->autoflush(1);
for (my $i = 1; print $s "$i\n"; $i++) { select undef, undef, undef, 0.05 }"#;
/// Takes one datagram on port 7001 and prints it, unless none comes for long.
const TAKER: &str = r#"use IO::Socket::INET;
alarm 20;
my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => 7001) or die;
$s->recv(my $what, 100); print $what"#;

/// Starts a program in a node that goes on by itself.
fn start_perl(lab: &Lab, node: &str, script: &str, arg: &str) {
    run(
        lab,
        node,
        &format!("perl -e '{script}' {arg} </dev/null >/dev/null 2>&1 &"),
    );
}

fn run(lab: &Lab, node: &str, script: &str) -> String {
    let ran = lab.exec(node, &["sh", "-c", script]).unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

fn pings(lab: &Lab, from: &str, to: &str) -> bool {
    let address = lab.address(to).unwrap();
    let ran = run(
        lab,
        from,
        &format!("ping -c 2 -i 0.2 -W 1 {address} >/dev/null && echo ok"),
    );
    ran == "ok\n"
}

fn states(lab: &Lab) -> [NodeState; 3] {
    let nodes = lab.status().unwrap();
    [0, 1, 2].map(|node| nodes[node].state)
}

/// Runs `hadeploy lab` and expects success.
fn done(args: &[&str]) -> String {
    let ran = hadeploy(&[&["lab", "--name", NAME], args].concat());
    assert_eq!(ran.status.code(), Some(0), "{args:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

fn refused(args: &[&str]) -> String {
    let ran = hadeploy(&[&["lab", "--name", NAME], args].concat());
    assert_eq!(ran.status.code(), Some(1), "{args:?}: {ran:?}");
    String::from_utf8(ran.stderr).unwrap()
}

pub fn drop_packets_until_healed(lab: &Lab) {
    use NodeState::{Cut as Off, Up};
    assert_eq!(states(lab), [Up, Up, Up]);
    assert!(pings(lab, "n1", "n2") && pings(lab, "n1", "lb1"));

    an_open_connection_stands_still(lab);

    // From one node only; both are named.
    done(&["cut", "n1", "--from", "n2"]);
    assert!(!pings(lab, "n1", "n2") && !pings(lab, "n2", "n1"));
    assert!(pings(lab, "n1", "lb1") && pings(lab, "lb1", "n2"));
    assert_eq!(states(lab), [Off, Off, Up]);
    let told = done(&["status"]);
    assert!(told.contains("no packets to or from n2\n"), "{told}");
    // Cuts add up, and each is healed for itself.
    lab.cut("lb1", Cut::Nodes).unwrap();
    assert!(!pings(lab, "n1", "lb1"));
    done(&["heal", "n2"]);
    assert!(pings(lab, "n1", "n2") && !pings(lab, "n1", "lb1"));
    assert_eq!(states(lab), [Up, Up, Off]);
    done(&["heal"]);
    done(&["heal"]);
    assert_eq!(states(lab), [Up, Up, Up]);
    assert!(pings(lab, "n1", "lb1"));

    one_way_leaves_the_other_open(lab);
    a_cut_outlasts_the_power(lab);
    nobody_is_reached(lab);
    mistakes_are_named(lab);
    assert_eq!(states(lab), [Up, Up, Up]);
}

fn an_open_connection_stands_still(lab: &Lab) {
    start_perl(lab, "n2", LISTENER, "");
    until("the listener", || {
        !run(lab, "n2", "ss -Hltn sport = 7000").is_empty()
    });
    start_perl(lab, "n1", COUNTER, &lab.address("n2").unwrap().to_string());
    let heard = || -> u32 {
        let text = run(lab, "n2", "cat /tmp/heard");
        text.trim().parse().unwrap_or(0)
    };
    until("the first numbers", || heard() > 2);

    done(&["cut", "n1"]);
    done(&["cut", "n1"]);
    let last = heard();
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(heard(), last);
    let told = done(&["status", "--output", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told[0]["state"], "cut", "{told}");
    assert_eq!(told[0]["cuts"][1]["name"], "lb1", "{told}");
    assert_eq!(told[1]["state"], "up", "{told}");
    assert!(!pings(lab, "n1", "lb1") && !pings(lab, "lb1", "n1"));
    assert!(pings(lab, "n2", "lb1"));
    // This machine still reaches it, and it the world through this machine.
    assert!(ssh(lab, "n1", "true").status.success());
    assert_eq!(
        lab.exec("n1", &["apt-get", "-q", "update"]).unwrap().status,
        0
    );
    // Silently: nobody is told that the other is not there.
    let address = lab.address("n2").unwrap();
    let connect = format!("exec 3<>/dev/tcp/{address}/22");
    let tried = lab
        .exec("n1", &["timeout", "3", "bash", "-c", &connect])
        .unwrap();
    assert_eq!(tried.status, 124, "{tried:?}");

    done(&["heal", "n1"]);
    until("the rest of the numbers", || heard() > last + 2);
}

fn one_way_leaves_the_other_open(lab: &Lab) {
    done(&["cut", "n1", "--from", "n2", "--one-way"]);
    let told = done(&["status"]);
    assert!(told.contains("no packets to n2\n"), "{told}");
    assert!(told.contains("no packets from n1\n"), "{told}");
    assert!(!pings(lab, "n1", "n2") && !pings(lab, "n2", "n1"));
    // Also where the way was never asked for before.
    for node in ["n1", "n2"] {
        run(lab, node, "ip neighbour flush dev host0");
    }
    assert_eq!(arrives(lab, "n2", "n1"), "a word");
    assert_eq!(arrives(lab, "n1", "n2"), "");
    // The other way too is a cut of both ways.
    lab.cut("n2", Cut::To("n1")).unwrap();
    let told = done(&["status"]);
    assert!(told.contains("no packets to or from n2\n"), "{told}");
    lab.heal(Some("n1")).unwrap();
    assert!(pings(lab, "n2", "n1"));
}

/// Sends datagrams for two seconds, and gives what came of them.
fn arrives(lab: &Lab, from: &str, to: &str) -> String {
    let address = lab.address(to).unwrap();
    thread::scope(|scope| {
        let taken = scope.spawn(|| run(lab, to, &format!("timeout 4 perl -e '{TAKER}'")));
        for _ in 0..20 {
            run(
                lab,
                from,
                &format!("bash -c 'printf \"a word\" >/dev/udp/{address}/7001'"),
            );
            thread::sleep(Duration::from_millis(100));
        }
        taken.join().unwrap()
    })
}

fn a_cut_outlasts_the_power(lab: &Lab) {
    lab.cut("n2", Cut::From("n1")).unwrap();
    lab.kill("n2").unwrap();
    assert_eq!(states(lab)[1], NodeState::Down);
    assert!(refused(&["cut", "n2"]).contains("node `n2` is not running"));
    assert!(refused(&["cut", "n1", "--from", "n2"]).contains("lab start n2"));
    done(&["start", "n2"]);
    assert_eq!(states(lab)[1], NodeState::Cut);
    assert!(!pings(lab, "n1", "n2") && !pings(lab, "n2", "n1") && pings(lab, "n2", "lb1"));
    // One that is down is healed too.
    lab.kill("n2").unwrap();
    lab.heal(Some("n2")).unwrap();
    lab.start("n2", &|_| {}).unwrap();
    assert!(pings(lab, "n2", "n1"));
}

fn nobody_is_reached(lab: &Lab) {
    done(&["cut", "n2", "--all"]);
    let told = done(&["status"]);
    assert!(
        told.contains("no packets to or from n1 lb1 controller\n"),
        "{told}"
    );
    assert!(!ssh(lab, "n2", "true").status.success());
    assert!(!pings(lab, "n2", "n1"));
    assert!(ssh(lab, "n1", "true").status.success());
    // It comes up although nobody can log in.
    lab.kill("n2").unwrap();
    done(&["start", "n2"]);
    assert!(!ssh(lab, "n2", "true").status.success());
    assert_eq!(run(lab, "n2", "hostname"), "n2\n");
    done(&["heal", "n2"]);
    assert!(ssh(lab, "n2", "true").status.success());
    assert!(pings(lab, "n2", "n1"));
}

fn mistakes_are_named(lab: &Lab) {
    assert!(refused(&["cut", "n9"]).contains("has no node `n9`"));
    assert!(refused(&["cut", "n1", "--from", "n9"]).contains("has no node `n9`"));
    assert!(refused(&["cut", "n1", "--from", "n1"]).contains("cannot be cut off from itself"));
    assert!(refused(&["heal", "n9"]).contains("has no node `n9`"));
    for args in [
        ["cut", "n1", "--one-way"].as_slice(),
        &["cut", "n1", "--all", "--from", "n2"],
    ] {
        refused(args);
    }
    let other = Lab::open("t-none").unwrap();
    for error in [other.cut("n1", Cut::Nodes), other.heal(None)] {
        assert_eq!(error.unwrap_err().to_string(), "there is no lab `t-none`");
    }
    assert_eq!(states(lab), [NodeState::Up; 3]);
}
