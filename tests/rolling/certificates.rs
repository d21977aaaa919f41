//! The site's certificate authority: one for all nodes, kept when a node loses it, and never beside another.

use crate::platform::{NODES, Platform};
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![Case::new("certificates::one_authority", one_authority)]
}

/// What the web server shows is what lies on the node, for all its names, and the authority is as on every other node; gives its sum.
#[track_caller]
fn whole(platform: &Platform, name: &str) -> String {
    let node = platform.node(name);
    let address = platform.lab.address(name).unwrap();
    node.sh(&format!(
        "cd /etc/hadeploy/tls && openssl verify -purpose sslclient -CAfile ca.crt node.crt && openssl verify -purpose sslserver -CAfile ca.crt node.crt
        for name in {name} localhost www.example.com; do openssl verify -verify_hostname $name -CAfile ca.crt node.crt || exit; done
        for ip in {address} 127.0.0.1; do openssl verify -verify_ip $ip -CAfile ca.crt node.crt || exit; done"
    ));
    let shown = "openssl s_client -connect 127.0.0.1:443 -servername www.example.com -verify_return_error -CAfile /etc/hadeploy/tls/ca.crt </dev/null 2>/dev/null | openssl x509 -noout -fingerprint";
    let wanted = "openssl x509 -in /etc/hadeploy/tls/node.crt -noout -fingerprint";
    assert_eq!(node.sh(shown), node.sh(wanted), "{name}");
    let modes = node.sh("cd /etc/hadeploy; stat -c '%a %U:%G' ca ca/ca.key ca/ca.crt tls/node.key tls/ca.crt; cmp ca/ca.crt tls/ca.crt");
    assert_eq!(
        modes, "700 root:root\n600 root:root\n644 root:root\n640 root:ssl-cert\n644 root:root",
        "{name}"
    );
    node.sh("cd /etc/hadeploy/ca; cat ca.key ca.crt | sha256sum")
}

fn one_authority(world: &World) {
    let platform = world.platform();
    // What other cases have set is taken back first: here the certificates alone take nodes out.
    platform.roll_well(&platform.runs(), &[]);
    let sums = NODES.map(|name| whole(platform, name));
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");

    // The first node lost everything, the second its names: the authority stays, and both are taken out to be mended.
    let first = platform.node("n1");
    first.sh("rm -r /etc/hadeploy/ca /etc/hadeploy/tls");
    platform.node("n2").sh("cd /etc/hadeploy/tls; printf 'subjectAltName=DNS:other' >/run/e
        openssl x509 -req -in node.csr -days 800 -extfile /run/e -CA ca.crt -CAkey ../ca/ca.key -set_serial 7 -out node.crt 2>/dev/null");
    let key = platform.node("n3").sh("sed -n 2p /etc/hadeploy/ca/ca.key");
    let run = platform.roll_well(&platform.runs(), &[]);
    assert!(
        run.drained("n1") && run.drained("n2") && !run.drained("n3"),
        "{run}"
    );
    for name in NODES {
        assert_eq!(whole(platform, name), sums[0], "{name}\n{run}");
        let node = platform.node(name);
        let found = node.sh(&format!("grep -rlF '{key}' /run /tmp /var/log /var/lib /etc 2>/dev/null; journalctl --no-pager | grep -cF '{key}'; true"));
        assert_eq!(found, "/etc/hadeploy/ca/ca.key\n0", "{name}");
    }
    assert!(!run.text().contains(&key), "the key was shown:\n{run}");

    // A second authority is not taken, and none is made when the only key is lost.
    let third = platform.node("n3");
    third.sh("cp -a /etc/hadeploy/ca /root/ca; cd /etc/hadeploy/ca; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=x -keyout ca.key -out ca.crt 2>/dev/null");
    let run = platform.roll(&platform.runs(), &[], 3);
    run.drained_nobody();
    assert!(
        run.text().contains("different certificate authorities"),
        "{run}"
    );
    third.sh("rm -r /etc/hadeploy/ca");
    for name in ["n1", "n2"] {
        platform.node(name).sh("rm /etc/hadeploy/ca/ca.key");
    }
    let run = platform.roll(&platform.runs(), &[], 3);
    run.drained_nobody();
    assert!(run.text().contains("no node has the key"), "{run}");
    third.sh("mv /root/ca /etc/hadeploy/ca");
    let run = platform.roll_well(&platform.runs(), &[]);
    run.drained_nobody();
    for name in NODES {
        assert_eq!(whole(platform, name), sums[0], "{name}\n{run}");
    }
}
