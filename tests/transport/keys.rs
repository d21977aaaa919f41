//! Who we are: keys, certificates and the agent.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hadeploy::transport::TransportError;
use hadeploy::transport::ssh::SshClient;

use crate::sshd::{Answers, Sshd, check, client, keygen, server_folder, sshd, sshd_with};

/// Lets `key` in as well.
fn authorize(sshd: &Sshd, key: &str) {
    let public = std::fs::read_to_string(sshd.path(&format!("{key}.pub"))).unwrap();
    let file = sshd.path("authorized_keys");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, before + &public).unwrap();
}

#[tokio::test]
async fn keys_of_every_kind_and_format_get_in() {
    let Some(sshd) = sshd() else { return };
    let kinds: [(&str, &[&str]); 6] = [
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("rsa_pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
        ("rsa_pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p256_pkcs8", &["-t", "ecdsa", "-b", "256", "-m", "PKCS8"]),
    ];
    for (name, arguments) in kinds {
        keygen(sshd.dir.path(), name, arguments);
        authorize(&sshd, name);
        let mut options = sshd.options();
        options.identity_files = vec![sshd.path(name)];
        check(options, &client())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once_for_all_hosts() {
    let Some(sshd) = sshd() else { return };
    for (name, format) in [("locked", "RFC4716"), ("locked_pkcs8", "PKCS8")] {
        keygen(
            sshd.dir.path(),
            name,
            &["-t", "ecdsa", "-N", "open sesame", "-m", format],
        );
        authorize(&sshd, name);
        let answers = Arc::new(Answers {
            answers: vec!["wrong", "open sesame"],
            ..Answers::default()
        });
        let client = SshClient::new(answers.clone());
        let mut options = sshd.options();
        options.identity_files = vec![sshd.path(name)];
        let (one, two, three) = tokio::join!(
            check(options.clone(), &client),
            check(options.clone(), &client),
            check(options, &client)
        );
        one.and(two)
            .and(three)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            answers.asked.lock().unwrap().len(),
            2,
            "one wrong answer, one right one"
        );
    }
}

#[tokio::test]
async fn a_passphrase_that_takes_hours_is_not_tried() {
    let Some(sshd) = sshd() else { return };
    let key = include_str!("../fuzz/corpus/age/openssh_key_with_endless_rounds");
    std::fs::write(sshd.path("endless"), key).unwrap();
    let mut options = sshd.options();
    options.identity_files = vec![sshd.path("endless")];
    let asked = Arc::new(Answers {
        answers: vec!["x"],
        ..Answers::default()
    });
    let error = check(options, &SshClient::new(asked.clone()))
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("would take 4294967295 rounds"), "{said}");
    assert!(asked.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_encrypted_key_stays_closed_without_its_passphrase() {
    let Some(sshd) = sshd() else { return };
    keygen(
        sshd.dir.path(),
        "locked",
        &["-t", "ed25519", "-N", "open sesame"],
    );
    let mut options = sshd.options();
    options.identity_files = vec![sshd.path("locked")];
    let wrong = Arc::new(Answers {
        answers: vec!["a", "b", "c", "open sesame"],
        ..Answers::default()
    });
    let error = check(options.clone(), &SshClient::new(wrong.clone()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is encrypted: the passphrase was wrong three times"),
        "{error}"
    );
    assert_eq!(wrong.asked.lock().unwrap().len(), 3);
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is encrypted: no passphrase was given for it"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("ssh-add"));
    // With a key that fits beside it nobody is asked.
    options.identity_files.push(sshd.path("id"));
    let unasked = Arc::new(Answers::default());
    check(options, &SshClient::new(unasked.clone()))
        .await
        .unwrap();
    assert!(unasked.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_named() {
    let Some(sshd) = sshd() else { return };
    keygen(sshd.dir.path(), "other", &["-t", "ed25519"]);
    let mut options = sshd.options();
    options.identity_files = vec![sshd.path("other")];
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`root` is not let in at `127.0.0.1`; tried {}",
            sshd.path("other").display()
        )
    );
    options.identity_files.clear();
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("tried nothing: there is no key to try"),
        "{error}"
    );
    // The second of two keys is tried on the same connection.
    options.identity_files = vec![sshd.path("other"), sshd.path("id")];
    check(options, &client()).await.unwrap();
}

#[tokio::test]
async fn too_many_keys_are_told_apart_from_a_lost_connection() {
    let Some(sshd) = sshd_with("MaxAuthTries 2") else {
        return;
    };
    let mut options = sshd.options();
    options.identity_files = ["a", "b", "c"]
        .map(|name| {
            keygen(sshd.dir.path(), name, &["-t", "ed25519"]);
            sshd.path(name)
        })
        .to_vec();
    let error = check(options, &client()).await.unwrap_err();
    assert!(
        matches!(error, TransportError::Authentication { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("then the server closed the connection"),
        "{error}"
    );
}

#[tokio::test]
async fn key_files_that_are_none_are_named() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    options.identity_files = vec![sshd.path("missing")];
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("missing` can't be used: there is no such file"),
        "{error}"
    );
    std::fs::write(sshd.path("noise"), "no key at all\n").unwrap();
    options.identity_files = vec![sshd.path("noise")];
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("noise` can't be used: it is no private key"),
        "{error}"
    );
    // The keys nobody named may be missing.
    options.identity_files.clear();
    options.default_identities = vec![sshd.path("missing"), sshd.path("noise"), sshd.path("id")];
    check(options, &client()).await.unwrap();
}

#[tokio::test]
async fn user_certificates_get_in() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "ca", &["-t", "ed25519"]);
    std::fs::write(dir.path().join("authorized_keys"), "").unwrap();
    let sshd = Sshd::start(dir, "TrustedUserCAKeys DIR/ca.pub");
    for (name, arguments) in [
        ("user_ed", &["-t", "ed25519"][..]),
        ("user_rsa", &["-t", "rsa", "-b", "2048"]),
        ("user_ec", &["-t", "ecdsa"]),
    ] {
        keygen(sshd.dir.path(), name, arguments);
        let mut options = sshd.options();
        options.identity_files = vec![sshd.path(name)];
        let bare = check(options.clone(), &client()).await.unwrap_err();
        assert!(
            matches!(bare, TransportError::Authentication { .. }),
            "{bare}"
        );
        sign(sshd.dir.path(), &format!("{name}.pub"), &["-n", "root"]);
        check(options, &client())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// Signs a public key with the authority `ca` of this folder.
pub fn sign(dir: &Path, public: &str, arguments: &[&str]) {
    let output = Command::new("ssh-keygen")
        .arg("-q")
        .arg("-s")
        .arg(dir.join("ca"))
        .args(["-I", "test"])
        .args(arguments)
        .arg(dir.join(public))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A real ssh-agent, ended when dropped.
struct Agent(Child, std::path::PathBuf);

impl Agent {
    fn start(dir: &Path) -> Self {
        let socket = dir.join("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(child, socket)
    }

    fn add(&self, key: &Path) {
        let output = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.1)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_agent_signs() {
    let Some(sshd) = sshd() else { return };
    let agent = Agent::start(sshd.dir.path());
    keygen(sshd.dir.path(), "rsa", &["-t", "rsa", "-b", "2048"]);
    keygen(sshd.dir.path(), "other", &["-t", "ed25519"]);
    agent.add(&sshd.path("other"));
    agent.add(&sshd.path("rsa"));
    authorize(&sshd, "rsa");
    let mut options = sshd.options();
    options.agent = Some(agent.1.clone());
    options.identity_files.clear();
    check(options.clone(), &client()).await.unwrap();
    // A public key file names a key of the agent.
    options.identity_files = vec![sshd.path("rsa.pub")];
    options.identities_only = true;
    check(options.clone(), &client()).await.unwrap();
    options.identity_files = vec![sshd.path("other.pub")];
    let error = check(options.clone(), &client()).await.unwrap_err();
    assert!(
        error.to_string().ends_with("tried the agent's key other"),
        "{error}"
    );
    options.agent = Some(sshd.path("nowhere"));
    let error = check(options, &client()).await.unwrap_err();
    assert!(error.to_string().contains("nowhere (no answer)"), "{error}");
}

#[tokio::test]
async fn the_agent_spares_the_passphrase() {
    let Some(sshd) = sshd() else { return };
    let agent = Agent::start(sshd.dir.path());
    keygen(sshd.dir.path(), "locked", &["-t", "ed25519"]);
    agent.add(&sshd.path("locked"));
    let locked = Command::new("ssh-keygen")
        .args(["-q", "-p", "-N", "open sesame", "-f"])
        .arg(sshd.path("locked"))
        .status()
        .unwrap();
    assert!(locked.success());
    authorize(&sshd, "locked");
    let mut options = sshd.options();
    options.agent = Some(agent.1.clone());
    options.identity_files = vec![sshd.path("locked")];
    let unasked = Arc::new(Answers::default());
    check(options, &SshClient::new(unasked.clone()))
        .await
        .unwrap();
    assert!(unasked.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_agent_holds_certificates() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "ca", &["-t", "ed25519"]);
    keygen(dir.path(), "rsa", &["-t", "rsa", "-b", "2048"]);
    sign(dir.path(), "rsa.pub", &["-n", "root"]);
    std::fs::write(dir.path().join("authorized_keys"), "").unwrap();
    let sshd = Sshd::start(dir, "TrustedUserCAKeys DIR/ca.pub");
    let agent = Agent::start(sshd.dir.path());
    agent.add(&sshd.path("rsa"));
    let mut options = sshd.options();
    options.agent = Some(agent.1.clone());
    options.identity_files.clear();
    check(options, &client()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_its_own_file_goes_with_any_key() {
    let Some(dir) = server_folder() else { return };
    keygen(dir.path(), "ca", &["-t", "ed25519"]);
    for (name, arguments) in [
        ("ed", &["-t", "ed25519"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ] {
        keygen(dir.path(), name, arguments);
        sign(dir.path(), &format!("{name}.pub"), &["-n", "root"]);
        let beside = dir.path().join(format!("{name}-cert.pub"));
        std::fs::rename(beside, dir.path().join(format!("elsewhere_{name}"))).unwrap();
    }
    std::fs::write(dir.path().join("authorized_keys"), "").unwrap();
    let sshd = Sshd::start(dir, "TrustedUserCAKeys DIR/ca.pub");
    for name in ["ed", "rsa"] {
        let mut options = sshd.options();
        options.identity_files = vec![sshd.path(name)];
        options.certificates = vec![
            sshd.path("nowhere"),
            sshd.path(&format!("elsewhere_{name}")),
        ];
        check(options.clone(), &client()).await.unwrap();

        // The agent knows nothing of the certificate, and of the key only its public half is here.
        let agent = Agent::start(sshd.dir.path());
        agent.add(&sshd.path(name));
        std::fs::remove_file(sshd.path(name)).unwrap();
        options.agent = Some(agent.1.clone());
        options.identities_only = true;
        check(options.clone(), &client()).await.unwrap();

        options.agent = None;
        let error = check(options, &client()).await.unwrap_err().to_string();
        assert!(error.contains("only its public half is here"), "{error}");
        assert!(error.contains("nowhere (there is no such file)"), "{error}");
        std::fs::remove_file(&agent.1).unwrap();
    }
}

#[tokio::test]
async fn keys_of_a_configuration_may_be_missing() {
    let Some(sshd) = sshd() else { return };
    std::fs::write(sshd.path("noise"), "no key at all\n").unwrap();
    let mut options = sshd.options();
    options.identity_files.clear();
    options.configured_identities = ["missing", "noise", "id"]
        .map(|name| sshd.path(name))
        .to_vec();
    check(options.clone(), &client()).await.unwrap();
    options.configured_identities.pop();
    // Keys that nobody named are for those who named none.
    options.default_identities = vec![sshd.path("id")];
    let error = check(options, &client()).await.unwrap_err().to_string();
    assert!(
        error.contains("missing (there is no such file)") && error.contains("it is no private key"),
        "{error}"
    );
}
