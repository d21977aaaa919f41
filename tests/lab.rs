//! The lab on this machine: real nodes, made, used, broken and removed without a trace.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

#[path = "lab/cuts.rs"]
mod cuts;
#[path = "lab/memory.rs"]
mod memory;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use hadeploy::lab::{Cut, Lab, NodeState, NodeStatus, Release, Wanted};

const NAME: &str = "t-lab";
const FOLDER: &str = "/var/lib/hadeploy/lab/t-lab";

/// Removes the lab also when the test fails.
struct Cleanup(Lab);

impl Drop for Cleanup {
    fn drop(&mut self) {
        let _ = self.0.down();
    }
}

/// What a lab changes on the machine, and must put back.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    forward: String,
    inotify: String,
    tables: Vec<String>,
    forward_rules: String,
    links: Vec<String>,
    mounts: Vec<String>,
    groups: Vec<PathBuf>,
    loops: String,
    processes: Vec<String>,
}

impl Traces {
    fn read() -> Self {
        let mine = |text: String, word: &str| -> Vec<String> {
            text.lines()
                .filter(|line| line.contains(word))
                .map(String::from)
                .collect()
        };
        let mut groups = Vec::new();
        for mount in fs::read_to_string("/proc/mounts").unwrap().lines() {
            let point = Path::new(mount.split(' ').nth(1).unwrap())
                .join("hadeploy-lab")
                .join(NAME);
            groups.extend(point.exists().then_some(point));
        }
        Self {
            forward: fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap(),
            inotify: fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").unwrap(),
            tables: mine(shell("nft list tables 2>/dev/null"), "hadeploy_lab_t_lab"),
            forward_rules: shell("iptables -S FORWARD 2>/dev/null"),
            links: mine(shell("ip -o link"), "hl-t-lab"),
            mounts: mine(fs::read_to_string("/proc/mounts").unwrap(), FOLDER),
            groups,
            loops: shell("losetup --list --noheadings --output BACK-FILE | grep /t-lab/"),
            // A killed process stays a moment as a zombie, which has no command line.
            processes: processes_naming(FOLDER),
        }
    }

    fn has_lab(&self) -> bool {
        !(self.tables.is_empty()
            && self.links.is_empty()
            && self.mounts.is_empty()
            && self.groups.is_empty()
            && self.loops.is_empty()
            && self.processes.is_empty())
    }
}

fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn processes_naming(what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(what)
            && entry.file_name().to_string_lossy() != std::process::id().to_string()
        {
            found.push(line);
        }
    }
    found
}

fn hadeploy(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hadeploy"))
        .args(args)
        .output()
        .unwrap()
}

fn is_root_on_debian() -> bool {
    let debian = fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    debian && shell("id -u").trim() == "0"
}

fn two() -> Wanted {
    Wanted {
        nodes: 2,
        ..Wanted::default()
    }
}

fn ssh(lab: &Lab, node: &str, command: &str) -> Output {
    Command::new("ssh")
        .args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "ConnectTimeout=5",
        ])
        .args([
            "-o",
            &format!("UserKnownHostsFile={}", lab.known_hosts().display()),
            "-i",
        ])
        .arg(lab.key())
        .args([&format!("root@{}", lab.address(node).unwrap()), command])
        .output()
        .unwrap()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what} did not happen"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

fn pid(lab: &Lab, node: usize) -> Option<u32> {
    lab.status().unwrap()[node].pid
}

fn supervisor() -> String {
    let note = fs::read_to_string(format!("{FOLDER}/n1/supervisor.pid")).unwrap();
    note.split(' ').next().unwrap().to_string()
}

/// One test, because its steps build on one lab.
#[test]
fn a_lab_lives_and_leaves_nothing() {
    if !is_root_on_debian() {
        println!("skipped: a lab needs root on Debian");
        return;
    }
    let lab = Lab::open(NAME).unwrap();
    lab.down().unwrap();
    let before = Traces::read();
    assert!(!before.has_lab(), "{before:?}");
    let _cleanup = Cleanup(lab.clone());

    lab.up(&two(), &|_| {}).unwrap();
    assert!(Traces::read().has_lab());
    logs_in_and_runs(&lab);
    refuses_other_settings(&lab);
    survives_kill_and_reboot(&lab);
    a_balancer_joins_and_stays(&lab);
    memory::is_limited(&lab);
    cuts::drop_packets_until_healed(&lab);

    lab.cut("n1", Cut::All).unwrap();
    lab.down().unwrap();
    assert_eq!(Traces::read(), before);
    assert!(!Path::new(FOLDER).exists());

    broken_labs_are_removed(&lab, &before);
    debian_13_with_a_small_disk(&lab);
    lab.down().unwrap();
    assert_eq!(Traces::read(), before);
}

fn logs_in_and_runs(lab: &Lab) {
    for node in ["n1", "n2"] {
        let output = ssh(lab, node, "hostname");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            node,
            "{output:?}"
        );
    }
    let ids = ["n1", "n2"].map(|node| {
        ssh(
            lab,
            node,
            "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub",
        )
        .stdout
    });
    assert_ne!(ids[0], ids[1]);

    let path = hadeploy(&["lab", "inventory", "--name", NAME]);
    let path = String::from_utf8(path.stdout).unwrap();
    assert_eq!(path, format!("{FOLDER}/inventory.yml\n"));
    let inventory = fs::read_to_string(path.trim()).unwrap();
    assert!(
        inventory.contains("ansible_ssh_private_key_file: /var/lib"),
        "{inventory}"
    );

    let echoed = shell(&format!(
        "echo given | {} lab exec --name {NAME} n2 -- sh -c 'cat; hostname; exit 7'; echo $?",
        env!("CARGO_BIN_EXE_hadeploy")
    ));
    assert_eq!(echoed, "given\nn2\n7\n");
    assert_eq!(
        lab.exec("n1", &["systemctl", "is-system-running", "--wait"])
            .unwrap()
            .stdout,
        b"running\n"
    );
    // Names and the archive are reached through the machine.
    assert_eq!(
        lab.exec("n1", &["apt-get", "-q", "update"]).unwrap().status,
        0
    );
}

fn refuses_other_settings(lab: &Lab) {
    let start = Instant::now();
    lab.up(&two(), &|_| {}).unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
    for args in [
        ["--nodes", "1", "--release", "12"],
        ["--nodes", "2", "--release", "13"],
    ] {
        let output = hadeploy(&[&["lab", "up", "--name", NAME], &args[..]].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains(&format!(
                "help: remove it with `hadeploy lab down --name {NAME}`"
            )),
            "{error}"
        );
    }
    let output = hadeploy(&["lab", "kill", "--name", NAME, "n9"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lab.status().unwrap().len(), 2);
}

fn survives_kill_and_reboot(lab: &Lab) {
    lab.exec("n1", &["sh", "-c", "echo kept >/root/mark; sync"])
        .unwrap();
    lab.kill("n1").unwrap();
    assert_eq!(lab.status().unwrap()[0].state, NodeState::Down);
    assert_eq!(lab.status().unwrap()[1].state, NodeState::Up);
    assert_ne!(ssh(lab, "n1", "true").status.code(), Some(0));
    lab.start("n1", &|_| {}).unwrap();
    assert_eq!(ssh(lab, "n1", "cat /root/mark").stdout, b"kept\n");

    let first = pid(lab, 0).unwrap();
    ssh(lab, "n1", "reboot");
    until("the reboot", || pid(lab, 0).is_some_and(|now| now != first));
    until("the login after it", || {
        ssh(lab, "n1", "true").status.success()
    });

    ssh(lab, "n1", "poweroff");
    until("the power off", || pid(lab, 0).is_none());
    thread::sleep(Duration::from_millis(500));
    assert_eq!(pid(lab, 0), None, "only a reboot brings a node back");
    assert_eq!(lab.up(&two(), &|_| {}).unwrap()[0].state, NodeState::Up);
}

fn a_balancer_joins_and_stays(lab: &Lab) {
    let names = |nodes: Vec<NodeStatus>| -> Vec<String> {
        nodes.into_iter().map(|node| node.name).collect()
    };
    assert_eq!(names(lab.status().unwrap()), ["n1", "n2"]);
    let up = hadeploy(&["lab", "up", "--name", NAME, "--nodes", "2", "--balancer"]);
    assert_eq!(up.status.code(), Some(0), "{up:?}");
    let grown = lab.up(&two(), &|_| {}).unwrap();
    assert_eq!(names(grown), ["n1", "n2", "lb1"]);
    let hosts = |pattern: &str| {
        let inventory = format!("{FOLDER}/inventory.yml");
        let listed = hadeploy(&["hosts", pattern, "-i", &inventory, "--output", "json"]);
        assert_eq!(listed.status.code(), Some(0), "{listed:?}");
        String::from_utf8(listed.stdout).unwrap()
    };
    for (pattern, found) in [("nodes", [true, true, false]), ("db", [true, false, false])] {
        let listed = hosts(pattern);
        let names = ["\"n1\"", "\"n2\"", "\"lb1\""];
        assert_eq!(names.map(|name| listed.contains(name)), found, "{listed}");
    }
    assert!(hosts("lb").contains("\"lb1\""));
    assert_eq!(ssh(lab, "lb1", "hostname").stdout, b"lb1\n");
}

fn broken_labs_are_removed(lab: &Lab, before: &Traces) {
    // The supervisor dies, the node lives on: `up` puts it under a new one.
    lab.up(
        &Wanted {
            nodes: 1,
            release: Some(Release::Bookworm),
            ..Wanted::default()
        },
        &|_| {},
    )
    .unwrap();
    shell(&format!("kill -9 {}", supervisor()));
    until("the end of the supervisor", || {
        !Path::new(&format!("/proc/{}/cmdline", supervisor())).exists()
    });
    lab.up(&two(), &|_| {}).unwrap();
    assert!(Path::new(&format!("/proc/{}", supervisor())).exists());
    assert!(ssh(lab, "n2", "true").status.success());

    // All notes are lost: the name alone leads to what is left.
    lab.cut("n2", Cut::All).unwrap();
    shell(&format!(
        "kill -9 {}; rm {FOLDER}/lab.json {FOLDER}/n1/*.pid {FOLDER}/n2/*.pid",
        supervisor()
    ));
    assert!(lab.status().is_err());
    lab.down().unwrap();
    assert_eq!(&Traces::read(), before);

    // The command that makes or removes the lab dies on the way, at several moments.
    for delay in [20, 60, 120, 250, 400] {
        cut_short(&["up", "--nodes", "2"], delay);
        if delay % 40 == 0 {
            assert_eq!(
                lab.up(&two(), &|_| {}).unwrap().len(),
                2,
                "up after a crash at {delay} ms"
            );
            assert!(ssh(lab, "n2", "true").status.success());
            cut_short(&["cut", "n1"], delay / 20);
            lab.cut("n2", Cut::Nodes).unwrap();
            cut_short(&["heal"], delay / 20);
        }
        cut_short(&["down"], delay / 2);
        lab.down().unwrap();
        assert_eq!(&Traces::read(), before, "after a crash at {delay} ms");
    }
}

fn cut_short(command: &[&str], delay: u64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hadeploy"))
        .args([&["lab", "--name", NAME], command].concat())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(delay));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn debian_13_with_a_small_disk(lab: &Lab) {
    let wanted = Wanted {
        nodes: 1,
        release: Some(Release::Trixie),
        disk: Some(200 << 20),
        ..Wanted::default()
    };
    lab.up(&wanted, &|_| {}).unwrap();
    let ran = lab
        .exec("n1", &["dd", "if=/dev/zero", "of=/full", "bs=1M"])
        .unwrap();
    assert!(
        String::from_utf8_lossy(&ran.stderr).contains("No space left on device"),
        "{ran:?}"
    );
    // All files of a node are on one device, those of its disk and those below.
    let ran = lab
        .exec("n1", &["stat", "-c", "%d", "/", "/full", "/bin/sh"])
        .unwrap();
    let devices = String::from_utf8_lossy(&ran.stdout);
    let devices: HashSet<&str> = devices.lines().collect();
    assert_eq!(devices.len(), 1, "{ran:?}");
    lab.kill("n1").unwrap();
    lab.exec("n1", &["true"]).unwrap_err();
    lab.start("n1", &|_| {}).unwrap();
    let first = pid(lab, 0).unwrap();
    ssh(lab, "n1", "rm /full; reboot");
    until("the reboot", || pid(lab, 0).is_some_and(|now| now != first));
    until("the login after it", || {
        ssh(lab, "n1", "grep VERSION=.13 /etc/os-release")
            .status
            .success()
    });

    let other = Lab::open("t-lab-two").unwrap();
    let _cleanup = Cleanup(other.clone());
    other
        .up(
            &Wanted {
                nodes: 1,
                ..Wanted::default()
            },
            &|_| {},
        )
        .unwrap();
    assert_ne!(other.address("n1").unwrap(), lab.address("n1").unwrap());
    lab.down().unwrap();
    // The shared settings stay while one lab is left.
    assert_eq!(
        other
            .exec("n1", &["apt-get", "-q", "update"])
            .unwrap()
            .status,
        0
    );
}
