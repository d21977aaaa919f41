//! Who they are: host keys, their certificates, and what is learned.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use hadeploy::transport::TransportError;
use hadeploy::transport::ssh::{HostKeyChecking, SshOptions};

use crate::keys::sign;
use crate::sshd::{Sshd, check, client, keygen, server_folder, sshd};

fn public(sshd: &Sshd, name: &str) -> String {
    std::fs::read_to_string(sshd.path(name)).unwrap()
}

#[tokio::test]
async fn an_unknown_host_key_is_refused_with_its_fingerprint() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    options.known_hosts = vec![sshd.path("nothing"), sshd.path("nothing_either")];
    let error = check(options.clone(), &client()).await.unwrap_err();
    let listed = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(sshd.path("host.pub"))
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(listed.stdout)
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "the ssh-ed25519 host key of `[127.0.0.1]:{}` is unknown: {fingerprint}",
            sshd.port
        )
    );
    assert!(error.help().unwrap().contains("accept-new"));
    options.host_key_checking = HostKeyChecking::No;
    check(options, &client()).await.unwrap();
    assert!(!sshd.path("nothing").exists(), "nothing is learned");
}

#[tokio::test]
async fn accept_new_learns_and_then_insists() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    let file = sshd.path("fresh/known_hosts");
    options.known_hosts = vec![file.clone()];
    options.host_key_checking = HostKeyChecking::AcceptNew;
    options.learns_host_keys = false;
    check(options.clone(), &client()).await.unwrap();
    assert!(!file.exists(), "a look writes nothing");
    options.learns_host_keys = true;
    check(options.clone(), &client()).await.unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        std::fs::metadata(sshd.path("fresh"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    let learned = std::fs::read_to_string(&file).unwrap();
    let found = Command::new("ssh-keygen")
        .arg("-F")
        .arg(format!("[127.0.0.1]:{}", sshd.port))
        .arg("-f")
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        String::from_utf8(found.stdout)
            .unwrap()
            .contains("found: line 1"),
        "{learned}"
    );
    options.host_key_checking = HostKeyChecking::Yes;
    check(options, &client()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), learned);
}

#[tokio::test]
async fn the_machines_files_count_and_are_never_written() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    options.global_known_hosts = std::mem::take(&mut options.known_hosts);
    check(options.clone(), &client()).await.unwrap();
    std::fs::write(sshd.path("known_hosts"), "").unwrap();
    options.host_key_checking = HostKeyChecking::AcceptNew;
    check(options, &client()).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(sshd.path("known_hosts")).unwrap(),
        ""
    );
}

#[tokio::test]
async fn what_is_learned_starts_on_a_line_of_its_own() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    let file = sshd.path("cut");
    std::fs::write(&file, "# no line end").unwrap();
    options.known_hosts = vec![file.clone()];
    options.host_key_checking = HostKeyChecking::AcceptNew;
    let client = client();
    // The same client knows at once what it has learned.
    check(options.clone(), &client).await.unwrap();
    check(options, &client).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# no line end\n[127.0.0.1]:"), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[tokio::test]
async fn a_changed_host_key_is_refused_and_both_are_named() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    keygen(sshd.dir.path(), "old", &["-t", "ed25519"]);
    std::fs::write(
        sshd.path("known_hosts"),
        format!(
            "# a comment\n[127.0.0.1]:{} {}",
            sshd.port,
            public(&sshd, "old.pub")
        ),
    )
    .unwrap();
    for checking in [HostKeyChecking::Yes, HostKeyChecking::AcceptNew] {
        options.host_key_checking = checking;
        let error = check(options.clone(), &client()).await.unwrap_err();
        let TransportError::ChangedHostKey { known, offered, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!((known[0].line, known.len()), (2, 1));
        assert_ne!(&known[0].fingerprint, offered);
        assert!(error.help().unwrap().contains("ssh-keygen -R"), "{error}");
    }
    // OpenSSH's own way to forget it works on our name for the host.
    let name = format!("[127.0.0.1]:{}", sshd.port);
    assert!(
        Command::new("ssh-keygen")
            .args(["-q", "-R", &name, "-f"])
            .arg(sshd.path("known_hosts"))
            .status()
            .unwrap()
            .success()
    );
    check(options, &client()).await.unwrap();
}

#[tokio::test]
async fn the_key_type_that_is_known_is_asked_for() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "host_rsa", &["-t", "rsa", "-b", "2048"]);
    keygen(dir.path(), "host_ec", &["-t", "ecdsa"]);
    let sshd = Sshd::start(
        dir,
        "HostKey DIR/host\nHostKey DIR/host_rsa\nHostKey DIR/host_ec",
    );
    for name in ["host_rsa.pub", "host_ec.pub", "host.pub"] {
        let options = sshd.options();
        std::fs::write(
            sshd.path("known_hosts"),
            format!("[127.0.0.1]:{} {}", sshd.port, public(&sshd, name)),
        )
        .unwrap();
        check(options, &client())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // A server that has only another type is no acquaintance: nothing is learned from it.
    keygen(sshd.dir.path(), "other", &["-t", "ecdsa", "-b", "384"]);
    let mut options = sshd.options();
    options.host_key_checking = HostKeyChecking::AcceptNew;
    std::fs::write(
        sshd.path("known_hosts"),
        format!("[127.0.0.1]:{} {}", sshd.port, public(&sshd, "other.pub")),
    )
    .unwrap();
    let error = check(options, &client()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("(known for it: ecdsa-sha2-nistp384)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_revoked_key_is_refused_whatever_else_is_said() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    sshd.know_host_key(&format!("@revoked * {}", public(&sshd, "host.pub")));
    for checking in [
        HostKeyChecking::Yes,
        HostKeyChecking::AcceptNew,
        HostKeyChecking::No,
    ] {
        options.host_key_checking = checking;
        let error = check(options.clone(), &client()).await.unwrap_err();
        let TransportError::RevokedHostKey { place, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(place.line, 1);
    }
}

#[tokio::test]
async fn host_certificates_are_checked_in_full() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "ca", &["-t", "ed25519"]);
    keygen(dir.path(), "stranger", &["-t", "ed25519"]);
    let cases: [(&[&str], &str, Option<&str>); 7] = [
        (&["-h", "-n", "127.0.0.1"], "ca", None),
        (&["-h"], "ca", None),
        (
            &["-h", "-n", "127.0.*"],
            "ca",
            Some("does not hold: it is for 127.0.*"),
        ),
        (
            &["-h", "-n", "elsewhere"],
            "ca",
            Some("does not hold: it is for elsewhere"),
        ),
        (
            &["-h", "-n", "127.0.0.1", "-V", "20200101:20200201"],
            "ca",
            Some("does not hold: it has expired"),
        ),
        (
            &["-h", "-n", "127.0.0.1", "-V", "20900101:20910101"],
            "ca",
            Some("does not hold: it is not valid yet"),
        ),
        (&["-h", "-n", "127.0.0.1"], "stranger", Some("is unknown: ")),
    ];
    let mut dir = dir;
    for (arguments, authority, fault) in cases {
        sign(dir.path(), "host.pub", arguments);
        let sshd = Sshd::start(dir, "HostCertificate DIR/host-cert.pub");
        let options = sshd.options();
        let line = format!(
            "@cert-authority [127.0.0.1]:* {}",
            public(&sshd, &format!("{authority}.pub"))
        );
        std::fs::write(sshd.path("known_hosts"), line).unwrap();
        let result = check(options.clone(), &client()).await;
        match fault {
            None => result.unwrap_or_else(|error| panic!("{arguments:?}: {error}")),
            Some(text) => assert!(
                result.as_ref().unwrap_err().to_string().contains(text),
                "{arguments:?}: {result:?}"
            ),
        }
        agrees_with_ssh(&sshd, fault.is_none());
        dir = sshd.into_dir();
    }
}

/// OpenSSH's client comes to the same end.
fn agrees_with_ssh(sshd: &Sshd, expected: bool) {
    let output = Command::new("ssh")
        .args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "GlobalKnownHostsFile=none",
            "-o",
            "UpdateHostKeys=no",
        ])
        .arg("-o")
        .arg(format!(
            "UserKnownHostsFile={}",
            sshd.path("known_hosts").display()
        ))
        .arg("-i")
        .arg(sshd.path("id"))
        .args(["-p", &sshd.port.to_string(), "root@127.0.0.1", "true"])
        .output()
        .unwrap();
    assert_eq!(
        output.status.success(),
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn a_revoked_authority_speaks_for_nobody() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "ca", &["-t", "ed25519"]);
    sign(dir.path(), "host.pub", &["-h", "-n", "127.0.0.1"]);
    let sshd = Sshd::start(dir, "HostCertificate DIR/host-cert.pub");
    let ca = public(&sshd, "ca.pub");
    let options = sshd.options();
    std::fs::write(
        sshd.path("known_hosts"),
        format!("@cert-authority * {ca}@revoked * {ca}"),
    )
    .unwrap();
    let error = check(options, &client()).await.unwrap_err();
    assert!(
        matches!(error, TransportError::RevokedHostKey { .. }),
        "{error}"
    );
    agrees_with_ssh(&sshd, false);
}

#[tokio::test]
async fn a_closed_port_and_a_name_without_address_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut options = SshOptions::new("node", "127.0.0.1", "root");
    options.port = closed;
    let error = check(options, &client()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`127.0.0.1` port {closed} can't be connected: connection refused")
    );
    let options = SshOptions::new("node", "no-such-host.invalid", "root");
    let error = check(options, &client()).await.unwrap_err();
    assert!(
        matches!(error, TransportError::Unresolved { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with("no address is known for `no-such-host.invalid`: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = SshOptions::new("node", "127.0.0.1", "root");
    options.port = silent.local_addr().unwrap().port();
    options.connect_timeout = Duration::from_millis(500);
    let start = Instant::now();
    let error = check(options, &client()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from `127.0.0.1` within 0.5 s during the key exchange"
    );
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_hangs_up_at_once_is_asked_once_more() {
    let Some(sshd) = sshd() else { return };
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = sshd.options();
    let server = options.port;
    options.port = relay.local_addr().unwrap().port();
    std::fs::write(
        sshd.path("known_hosts"),
        format!("127.0.0.1 {}", public(&sshd, "host.pub")),
    )
    .unwrap();
    let relaying = tokio::spawn(async move {
        drop(relay.accept().await.unwrap());
        let (mut near, _) = relay.accept().await.unwrap();
        let mut far = tokio::net::TcpStream::connect(("127.0.0.1", server))
            .await
            .unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    check(options, &client()).await.unwrap();
    relaying.abort();
}

#[tokio::test]
async fn an_alias_stands_for_address_and_port() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    options.host_key_alias = Some("Web".to_owned());
    let key = std::fs::read_to_string(sshd.path("host.pub")).unwrap();
    std::fs::write(sshd.path("known_hosts"), format!("web {key}")).unwrap();
    check(options.clone(), &client()).await.unwrap();
    // What is learned stands under the alias too, hashed where that is wanted.
    std::fs::write(sshd.path("known_hosts"), "").unwrap();
    options.host_key_checking = HostKeyChecking::AcceptNew;
    options.hash_known_hosts = true;
    check(options.clone(), &client()).await.unwrap();
    let text = std::fs::read_to_string(sshd.path("known_hosts")).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    let found = Command::new("ssh-keygen")
        .args(["-F", "web", "-f"])
        .arg(sshd.path("known_hosts"))
        .output()
        .unwrap();
    assert!(found.status.success());
    options.host_key_checking = HostKeyChecking::Yes;
    check(options, &client()).await.unwrap();
}
