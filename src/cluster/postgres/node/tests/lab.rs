//! The acts on a lab of three, without the engine: a cluster is made, its primary crashes, comes back, and is followed by another in order.

use std::io::Write;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

use super::*;
use crate::change::Content;

const LAB: &str = "pgacts";

struct Lab {
    program: String,
}

impl Lab {
    fn up(program: String, release: &str) -> Lab {
        let lab = Lab { program };
        lab.tool(&["up", "--name", LAB, "--nodes", "3", "--release", release]);
        lab
    }

    fn tool(&self, words: &[&str]) {
        let status = Command::new(&self.program).arg("lab").args(words).status();
        assert!(status.expect("a program").success(), "lab {words:?}");
    }

    /// Runs sh on a node as root; its output, and whether it succeeded.
    fn sh(&self, node: usize, script: &str) -> (bool, String) {
        let name = format!("n{}", node + 1);
        let mut child = Command::new(&self.program)
            .args(["lab", "exec", "--name", LAB, &name, "--", "sh", "-c"])
            .arg("cat > /run/act && sh /run/act 2>&1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(script.as_bytes()).expect("its input");
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success(), said)
    }

    fn must(&self, node: usize, script: &str) -> String {
        let (good, said) = self.sh(node, script);
        assert!(good, "n{}: {said}", node + 1);
        said
    }

    fn act(&self, site: &Site, node: usize, act: &Act) -> (bool, String) {
        use base64::Engine;
        let step = step(site, node, act);
        let mut script = String::from("export TAG=acts; in=$(mktemp -d)\n");
        for (index, input) in step.inputs.iter().enumerate() {
            if let Content::Bytes(bytes) = input {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                let number = index + 1;
                script.push_str(&format!(
                    "export IN{number}=$in/{number}; base64 -d > $IN{number} <<'END'\n{text}\nEND\n"
                ));
            }
        }
        script.push_str(&format!("(\n{}\n)\n", step.script));
        script.push_str("status=$?; rm -rf \"$in\"; exit $status\n");
        self.sh(node, &script)
    }

    fn does(&self, site: &Site, node: usize, act: &Act) {
        let (good, said) = self.act(site, node, act);
        assert!(good, "n{} {act:?}: {said}", node + 1);
    }

    fn ask(&self, node: usize, sql: &str) -> String {
        let ask = format!("cd /; runuser -u postgres -- timeout 5 psql -XAtq -c \"{sql}\"");
        self.sh(node, &ask).1
    }

    /// An authority and a certificate for each node.
    fn certify(&self, spec: &Spec) {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |command: &str| {
            let status = Command::new("sh")
                .args(["-ec", command])
                .current_dir(folder.path())
                .stderr(Stdio::null())
                .status();
            assert!(status.expect("sh").success(), "{command}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        make(&format!(
            "openssl req -x509 {key} -keyout ca.key -out ca.crt -days 9 -subj /CN=acts"
        ));
        for (node, member) in spec.members.iter().enumerate() {
            make(&format!(
                "openssl req {key} -keyout node.key -out csr -subj /CN={}; openssl x509 -req -in csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out node.crt",
                member.name
            ));
            let read =
                |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
            self.must(
                node,
                &format!(
                    "export DEBIAN_FRONTEND=noninteractive; dpkg -s ssl-cert >/dev/null 2>&1 || {{ apt-get -q update; apt-get -qy install ssl-cert; }} >/dev/null 2>&1
mkdir -p /etc/hadeploy/tls; cd /etc/hadeploy/tls; umask 027
cat > ca.crt <<'END'\n{}END\ncat > node.crt <<'END'\n{}END\ncat > node.key <<'END'\n{}END
chmod 644 ca.crt node.crt; chmod 755 . ..; chgrp ssl-cert node.key",
                    read("ca.crt"),
                    read("node.crt"),
                    read("node.key")
                ),
            );
        }
    }
}

/// `HADEPLOY_LAB_PROGRAM`: the program that has `lab`; `HADEPLOY_LAB_RELEASE`: 12 or 13. Needs root.
#[test]
#[ignore = "needs root, a lab of three and five minutes"]
fn a_cluster_is_made_loses_its_primary_and_gets_it_back() {
    let program = std::env::var("HADEPLOY_LAB_PROGRAM").expect("HADEPLOY_LAB_PROGRAM");
    let debian = std::env::var("HADEPLOY_LAB_RELEASE").unwrap_or_else(|_| "12".into());
    let lab = Lab::up(program, &debian);
    let addresses: Vec<String> = (0..3)
        .map(|node| lab.must(node, "hostname -I | cut -d' ' -f1"))
        .collect();
    let names = ["n1", "n2", "n3"];
    let members: Vec<(&str, &str)> = names
        .into_iter()
        .zip(addresses.iter().map(String::as_str))
        .collect();
    let spec = spec(&members);
    let site = site(&spec, if debian == "13" { 17 } else { 15 });
    lab.certify(&spec);
    let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";

    for node in 0..3 {
        lab.does(&site, node, &Act::Prepare);
    }
    for act in [
        Act::CreateCluster,
        Act::EnsureRoles,
        Act::RegisterPrimary,
        Act::StartRepmgrd,
    ] {
        lab.does(&site, 0, &act);
    }
    for node in [1, 2] {
        for act in [
            Act::Clone { from: 0 },
            Act::Start,
            Act::RegisterStandby { upstream: 0 },
            Act::StartRepmgrd,
        ] {
            lab.does(&site, node, &act);
        }
    }
    assert_eq!(lab.ask(0, streams), "2");

    // The primary crashes: another one takes over, and the guard holds the old one back.
    lab.must(
        0,
        "kill -9 $(head -1 /var/lib/postgresql/*/main/postmaster.pid)",
    );
    let start = Instant::now();
    let recovery = "SELECT pg_is_in_recovery()";
    while lab.ask(1, recovery) != "f" {
        assert!(start.elapsed() < Duration::from_secs(60), "no failover");
        sleep(Duration::from_millis(500));
    }
    let (good, said) = lab.sh(0, &format!("systemctl start {}", site.unit()));
    assert!(!good, "{said}");
    let (good, said) = lab.act(&site, 0, &Act::Start);
    assert!(!good, "{said}");
    lab.does(&site, 0, &Act::Rejoin { to: 1 });
    lab.does(&site, 0, &Act::StartRepmgrd);

    // And back, in order.
    for node in 0..3 {
        lab.does(&site, node, &Act::Pause);
    }
    lab.does(&site, 1, &Act::StopPrimary);
    lab.does(&site, 0, &Act::Promote);
    lab.does(&site, 2, &Act::Follow { to: 0 });
    lab.does(&site, 1, &Act::Rejoin { to: 0 });
    lab.does(&site, 1, &Act::StartRepmgrd);
    for node in 0..3 {
        lab.does(&site, node, &Act::Unpause);
    }
    assert_eq!(lab.ask(0, streams), "2");
    lab.tool(&["down", "--name", LAB]);
}
