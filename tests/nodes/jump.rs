//! Nodes behind jump hosts, as an ssh configuration says it: one that only the jump host can reach, chains, programs, certificates
//! and agents.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Case;
use crate::run::Site;
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("jump::hidden_node", hidden_node),
        Case::new("jump::chain_and_program", chain_and_program),
        Case::new("jump::cut_at_the_gate", cut_at_the_gate),
        Case::new("jump::what_is_wrong_is_named", what_is_wrong_is_named),
        Case::new("jump::doctor_tells_each_hop", doctor_tells_each_hop),
        Case::new("jump::certificates_and_an_agent", certificates_and_an_agent),
    ]
}

const PLAY: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: write\n      copy: {content: through the gate, dest: /srv/jump}\n";

/// The network between the nodes, which the controller has no way to.
fn hide(world: &World) {
    for (name, number) in [("n1", 1), ("n2", 2), ("n3", 3)] {
        let node = world.node(name);
        node.sh(&format!(
            "device=$(ip -o -4 address show scope global | awk '{{print $2; exit}}')
             ip address replace 10.99.0.{number}/24 dev $device
             grep -q hidden /etc/hosts || printf '10.99.0.2 hidden\\n10.99.0.3 middle\\n' >>/etc/hosts",
        ));
    }
    // From here the node is not to be reached: sshd answers only what comes from the hidden network.
    world.node("n2").sh(
        "mkdir -p /etc/ssh/sshd_config.d; printf 'ListenAddress 10.99.0.2\\n' >/etc/ssh/sshd_config.d/hidden.conf; systemctl reset-failed ssh; systemctl restart ssh",
    );
}

fn unhide(world: &World) {
    world
        .node("n2")
        .sh("rm -f /etc/ssh/sshd_config.d/hidden.conf; systemctl reset-failed ssh; systemctl restart ssh");
}

/// Runs `act` while n2 is hidden behind n1.
fn behind(world: &World, act: impl FnOnce()) {
    hide(world);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    unhide(world);
    if let Err(why) = done {
        std::panic::resume_unwind(why);
    }
}

/// The lines that all hosts of these configurations share.
fn common(world: &World) -> String {
    let lab = world.lab(12);
    format!(
        "Host gate\n  HostName {}\n  ProxyJump none\nHost hidden\n  HostKeyAlias {}\nHost middle\n  HostKeyAlias {}\nHost *\n  User root\n  IdentityFile {}\n  UserKnownHostsFile {}\n",
        world.node("n1").address(),
        world.node("n2").address(),
        world.node("n3").address(),
        lab.key().display(),
        lab.known_hosts().display()
    )
}

/// A project whose one host is known by an ssh configuration alone.
fn site(world: &World, host: &str, play: &str, config: &str) -> Site {
    let mut site = Site::with(world.lab(12), play);
    site.inventory(&format!("all:\n  hosts:\n    {host}:\n"));
    site.write(".home/.ssh/config", config);
    site
}

fn arrived(node: &Node) {
    assert_eq!(node.sh("cat /srv/jump; rm /srv/jump"), "through the gate");
}

fn hidden_node(world: &World) {
    let node = world.node("n2");
    behind(world, || {
        let config = format!("Host hidden\n  ProxyJump gate\n{}", common(world));
        let site = site(world, "hidden", PLAY, &config);
        site.apply();
        let again = site.apply();
        assert_eq!(again.events.last().unwrap()["hosts"]["hidden"]["ok"], 1);
        arrived(&node);
        // The same by arguments of the inventory, and a file that is not the usual one.
        let mut other = self::site(world, "hidden", PLAY, "Host *\n  User nobody-here\n");
        other.write("ssh_config", common(world));
        other.inventory(&format!(
            "all:\n  hosts:\n    far:\n      ansible_host: hidden\n      ansible_ssh_common_args: -F {} -J gate\n",
            other.path("ssh_config").display()
        ));
        other.apply();
        arrived(&node);
    });
}

fn chain_and_program(world: &World) {
    let node = world.node("n2");
    behind(world, || {
        let chained = format!("Host hidden\n  ProxyJump gate,middle\n{}", common(world));
        site(world, "hidden", PLAY, &chained).apply();
        arrived(&node);
        // Each jump host may have one of its own.
        let nested = format!(
            "Host hidden\n  ProxyJump middle\nHost middle\n  ProxyJump gate\n{}",
            common(world)
        );
        site(world, "hidden", PLAY, &nested).apply();
        arrived(&node);
        let program = site(world, "hidden", PLAY, "");
        let config = program.path(".home/.ssh/config");
        program.write(
            ".home/.ssh/config",
            format!(
                "Host hidden\n  ProxyCommand ssh -F {} -o BatchMode=yes -W '[%h]:%p' gate\n{}",
                config.display(),
                common(world)
            ),
        );
        program.apply();
        arrived(&node);
    });
}

fn cut_at_the_gate(world: &World) {
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: slow\n      shell: echo began >>/srv/began; sleep 4; echo done >>/srv/began\n";
    let (gate, node) = (world.node("n1"), world.node("n2"));
    behind(world, || {
        node.sh("rm -f /srv/began");
        let config = format!("Host hidden\n  ProxyJump gate\n{}", common(world));
        let site = site(world, "hidden", play, &config);
        let run = site.start(&["apply"]);
        node.wait_for("test -e /srv/began");
        gate.sh("for p in /proc/[0-9]*; do
                words=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null)
                case $words in 'sshd: root'*|'sshd-session: root'*) kill -9 ${p#/proc/};; esac
            done");
        let run = run.wait();
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(node.sh("cat /srv/began"), "began\ndone");
    });
}

fn what_is_wrong_is_named(world: &World) {
    behind(world, || {
        let gate = world.node("n1").address();
        // The gate's key is not known.
        let stranger = format!(
            "Host gate\n  UserKnownHostsFile /dev/null\nHost hidden\n  ProxyJump gate\n{}",
            common(world)
        );
        let run = site(world, "hidden", PLAY, &stranger).expect(&["apply"], 1);
        run.says(&[&format!("at the jump host `root@{gate}:22`"), "is unknown"]);
        // The gate knows no such name.
        let nowhere = format!("Host *\n  ProxyJump gate\n{}", common(world));
        let nowhere = format!("Host gate\n  ProxyJump none\n{nowhere}");
        let run = site(world, "nowhere", PLAY, &nowhere).expect(&["apply"], 1);
        run.says(&[&format!(
            "the jump host `root@{gate}:22` can't connect to `nowhere`"
        )]);
        // A line that is not followed, before anything is connected.
        let refused = format!("Host hidden\n  RemoteCommand uptime\n{}", common(world));
        let run = site(world, "hidden", PLAY, &refused).expect(&["apply"], 1);
        run.says(&["`RemoteCommand` is not supported", "config"]);
        assert!(run.named("host_unreachable").is_empty(), "{run}");
    });
}

fn doctor_tells_each_hop(world: &World) {
    behind(world, || {
        let gate = world.node("n1").address();
        let config = format!("Host hidden\n  ProxyJump gate\n{}", common(world));
        let site = site(world, "hidden", PLAY, &config);
        let found = |words: &[&str]| -> Vec<[String; 3]> {
            let run = site.expect_bare(words, 0);
            let checks = run.named("check");
            let way = checks.iter().filter(|line| line["host"] == "hidden");
            way.take(5)
                .map(|line| {
                    ["level", "check", "said"].map(|key| line[key].as_str().unwrap().into())
                })
                .collect()
        };
        let key = world.lab(12).key().display().to_string();
        let wanted = [
            [
                "ok",
                "jump host",
                &format!("root@{gate}:22 lets us through"),
            ],
            ["ok", "name", "hidden"],
            ["ok", "tcp", "it answers the jump host"],
            ["ok", "host key", "it is the known one"],
            ["ok", "login", &format!("as root, by {key}")],
        ];
        assert_eq!(found(&["doctor"]), wanted);
        // Keys that nobody knows are told of and not learned, whatever the configuration says.
        let fresh = site.path("fresh");
        let stranger = format!(
            "Host *\n  StrictHostKeyChecking yes\n  UserKnownHostsFile {}\n{config}",
            fresh.display()
        );
        site.write(".home/.ssh/config", stranger);
        let found = found(&["doctor", "--host-key-checking", "accept-new"]);
        for (at, check) in [(0, "jump host"), (3, "host key")] {
            let [level, name, said] = &found[at];
            assert_eq!([level, name], ["warn", check], "{found:?}");
            assert!(
                said.contains(" is unknown; the first run learns it"),
                "{said}"
            );
        }
        assert!(!fresh.exists());
    });
}

/// Runs ssh-keygen, which must succeed.
fn keygen(arguments: &[&str], folder: &Path) {
    let done = Command::new("ssh-keygen")
        .arg("-q")
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(done.unwrap().success(), "{arguments:?}");
}

/// A real ssh-agent, ended when dropped.
struct Agent(Child);

impl Agent {
    fn start(socket: &Path, key: &Path) -> Agent {
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(socket)
            .stdout(Stdio::null())
            .spawn();
        let agent = Agent(child.unwrap());
        let start = Instant::now();
        while UnixStream::connect(socket).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10));
            thread::sleep(Duration::from_millis(5));
        }
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", socket)
            .status();
        assert!(added.unwrap().success());
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn certificates_and_an_agent(world: &World) {
    let node = world.node("n2");
    let site = site(world, "n2", PLAY, "");
    let folder = site.path("keys");
    fs::create_dir_all(&folder).unwrap();
    keygen(&["-t", "ed25519", "-N", "", "-f", "ca"], &folder);
    keygen(&["-t", "ed25519", "-N", "", "-f", "user"], &folder);
    keygen(&["-s", "ca", "-I", "me", "-n", "root", "user.pub"], &folder);
    let host_key = node.sh("cat /etc/ssh/ssh_host_ed25519_key.pub");
    fs::write(folder.join("host.pub"), host_key).unwrap();
    let address = node.address();
    keygen(
        &["-s", "ca", "-h", "-I", "node", "-n", &address, "host.pub"],
        &folder,
    );
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (ca, certificate) = (read("ca.pub"), read("host-cert.pub"));
    let act = || {
        node.sh(&format!(
        "cat >/etc/ssh/jump_ca.pub <<'END'\n{ca}END\ncat >/etc/ssh/jump_host-cert.pub <<'END'\n{certificate}END\n\
         printf 'TrustedUserCAKeys /etc/ssh/jump_ca.pub\\nHostCertificate /etc/ssh/jump_host-cert.pub\\n' >/etc/ssh/sshd_config.d/jump.conf\n\
         mv /root/.ssh/authorized_keys /root/.ssh/kept; systemctl reset-failed ssh; systemctl restart ssh"
        ));
        site.write("known_hosts", format!("@cert-authority {address} {ca}"));
        let lines = |key: &str, more: &str| {
            format!(
                "Host n2\n  HostName {address}\n  User root\n  IdentityFile {key}\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n{more}",
                site.path("known_hosts").display()
            )
        };
        let user: PathBuf = folder.join("user");
        // The certificate beside its key.
        site.write(".home/.ssh/config", lines(&user.display().to_string(), ""));
        site.apply();
        arrived(&node);
        // A key that only an agent holds, and a certificate elsewhere.
        let socket = site.path("agent");
        fs::rename(folder.join("user-cert.pub"), folder.join("elsewhere")).unwrap();
        let _agent = Agent::start(&socket, &user);
        fs::remove_file(&user).unwrap();
        let more = format!(
            "  IdentitiesOnly yes\n  IdentityAgent {}\n  CertificateFile {}\n",
            socket.display(),
            folder.join("elsewhere").display()
        );
        site.write(
            ".home/.ssh/config",
            lines(&user.display().to_string(), &more),
        );
        // It is known for this run alone: the agent has the bare key only.
        site.apply();
        arrived(&node);
        // Without the authority the host is a stranger; revoked, it stays out whatever else is said.
        site.write("known_hosts", "");
        site.expect(&["apply"], 1).says(&["is unknown"]);
        site.write(
            "known_hosts",
            format!("@cert-authority * {ca}@revoked * {ca}"),
        );
        site.expect(&["apply"], 1).says(&["revoked"]);
    };
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    node.sh("mv /root/.ssh/kept /root/.ssh/authorized_keys; rm -f /etc/ssh/sshd_config.d/jump.conf /etc/ssh/jump_*; systemctl reset-failed ssh; systemctl restart ssh");
    if let Err(why) = done {
        std::panic::resume_unwind(why);
    }
}
