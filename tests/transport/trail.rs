//! What is told of the way to a host, where it ends well and where it breaks off.

use hadeploy::transport::ssh::trail::{Answer, Carrier, Leg, Milestone, Trust};
use hadeploy::transport::ssh::{HostKeyChecking, SshOptions, SshTransport};

use crate::sshd::{client, keygen, sshd};

/// The one leg of a connection without jump hosts, and what came of it.
async fn told(options: SshOptions) -> (Leg, Result<(), String>) {
    let (mut trail, connected) = SshTransport::connect_told(options, &client()).await;
    assert_eq!(trail.legs.len(), 1);
    let result = connected.map(drop).map_err(|error| error.to_string());
    (trail.legs.remove(0), result)
}

fn milestones(leg: &Leg) -> Vec<&Milestone> {
    leg.stages.iter().map(|stage| &stage.what).collect()
}

#[tokio::test]
async fn the_whole_way_is_told() {
    let Some(sshd) = sshd() else { return };
    keygen(sshd.dir.path(), "other", &["-t", "ed25519"]);
    let mut options = sshd.options();
    options
        .identity_files
        .insert(0, sshd.dir.path().join("other"));
    let (leg, result) = told(options).await;
    result.unwrap();
    assert_eq!(leg.to, format!("root@127.0.0.1:{}", sshd.port));
    assert_eq!(leg.by, Carrier::Tcp);
    assert!(leg.is_whole());
    let [connected, keys, host_key, other, id, inside] = milestones(&leg)[..] else {
        panic!("{leg:?}")
    };
    let at = format!("127.0.0.1:{}", sshd.port);
    assert_eq!(*connected, Milestone::Connected { at });
    // The host key is judged before the exchange is done, and told so.
    let (Milestone::HostKey { trust, .. }, Milestone::KeysExchanged { cipher, .. }) =
        (keys, host_key)
    else {
        panic!("{leg:?}")
    };
    assert!(matches!(trust, Trust::Known(place) if place.line == 1));
    assert!(cipher.contains("aes256-gcm"), "{cipher}");
    let offered = |name: &str, answer| Milestone::Offered {
        key: sshd.path(name).display().to_string(),
        answer,
    };
    assert_eq!(*other, offered("other", Answer::Refused));
    assert_eq!(*id, offered("id", Answer::Accepted));
    assert_eq!(*inside, Milestone::LoggedIn);
    let times: Vec<_> = leg.stages.iter().map(|stage| stage.after).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn a_way_that_breaks_off_is_told_as_far_as_it_went() {
    let Some(sshd) = sshd() else { return };
    let mut nowhere = sshd.options();
    nowhere.port = 1;
    let (leg, result) = told(nowhere).await;
    assert!(result.is_err());
    let at = "127.0.0.1:1".to_owned();
    let reason = "connection refused".to_owned();
    assert_eq!(milestones(&leg), [&Milestone::NoAnswer { at, reason }]);

    let mut stranger = sshd.options();
    stranger.known_hosts.clear();
    let (leg, result) = told(stranger.clone()).await;
    assert!(result.unwrap_err().contains("is unknown"));
    assert!(matches!(
        milestones(&leg)[..],
        [Milestone::Connected { .. }]
    ));

    stranger.host_key_checking = HostKeyChecking::No;
    stranger.identity_files.clear();
    stranger.agent = Some(sshd.path("no-agent"));
    let (leg, result) = told(stranger).await;
    assert!(result.unwrap_err().contains("is not let in"));
    let told: Vec<String> = milestones(&leg)[1..]
        .iter()
        .map(|m| m.to_string())
        .collect();
    assert!(told[0].ends_with("not checked"), "{told:?}");
    assert!(told[2].ends_with("not offered: no answer"), "{told:?}");
    assert!(!leg.is_whole());
}
