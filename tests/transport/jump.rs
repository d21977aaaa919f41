//! Connections over jump hosts and programs: real servers, one behind another.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hadeploy::transport::ssh::trail::{Carrier, Milestone};
use hadeploy::transport::ssh::{SshClient, SshOptions, SshTransport, Way};
use hadeploy::transport::{Transport, TransportError};

use crate::sshd::{Sshd, check, client, run, sshd, sshd_with};

/// The options of `behind`, gone over `gate`.
fn over(gate: &SshOptions, behind: &Sshd) -> SshOptions {
    let mut options = behind.options();
    options.way = Way::Jump(Arc::new(gate.clone()));
    options
}

/// How many logins a server has seen.
fn logins(sshd: &Sshd) -> usize {
    let log = std::fs::read_to_string(sshd.path("log")).unwrap();
    log.matches("Accepted publickey").count()
}

/// The processes that serve the connections of a server.
fn sessions(sshd: &Sshd) -> Vec<String> {
    let pid = sshd.pid();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().map(str::to_owned).collect()
}

fn signal(name: &str, processes: &[String]) {
    let mut kill = std::process::Command::new("kill");
    let done = kill.arg(name).args(processes).status().unwrap();
    assert!(done.success());
}

#[tokio::test]
async fn one_and_two_jump_hosts() {
    let (Some(outer), Some(gate), Some(behind)) = (sshd(), sshd(), sshd()) else {
        return;
    };
    let options = over(&gate.options(), &behind);
    check(options.clone(), &client()).await.unwrap();
    assert_eq!((logins(&gate), logins(&behind)), (1, 1));

    let chained = over(&over(&outer.options(), &gate), &behind);
    let (trail, connected) = SshTransport::connect_told(chained, &client()).await;
    let transport = connected.unwrap();
    assert_eq!(transport.describe(), behind.options().describe());
    assert_eq!(run(&transport, "echo hello").await.text(), "hello\n");
    transport.close().await;
    let ways: Vec<_> = trail
        .legs
        .iter()
        .map(|leg| (leg.to.clone(), leg.by.clone()))
        .collect();
    let place = |sshd: &Sshd| sshd.options().describe();
    assert_eq!(
        ways,
        [
            (place(&outer), Carrier::Tcp),
            (place(&gate), Carrier::Jump(place(&outer))),
            (place(&behind), Carrier::Jump(place(&gate))),
        ]
    );
    assert!(trail.legs.iter().all(|leg| leg.is_whole()));
    assert_eq!(logins(&outer), 1);
}

#[tokio::test]
async fn hosts_behind_one_gate_share_it() {
    let (Some(gate), Some(behind)) = (sshd(), sshd()) else {
        return;
    };
    let client = client();
    let options = over(&gate.options(), &behind);
    let connect = || SshTransport::connect_told(options.clone(), &client);
    let (one, two, three) = tokio::join!(connect(), connect(), connect());
    assert_eq!((logins(&gate), logins(&behind)), (1, 3));
    let mut shared = 0;
    for (trail, connected) in [&one, &two, &three] {
        assert!(connected.is_ok());
        shared += usize::from(trail.legs[0].stages[0].what == Milestone::Shared);
    }
    assert_eq!(shared, 2);
    // With the last one behind it the connection to the gate ends.
    for (_, connected) in [one, two, three] {
        connected.unwrap().close().await;
    }
    let start = std::time::Instant::now();
    while !sessions(&gate).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "it stays open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    check(options, &client).await.unwrap();
    assert_eq!(logins(&gate), 2);
}

#[tokio::test]
async fn much_goes_through_while_much_comes() {
    let (Some(gate), Some(behind)) = (sshd(), sshd()) else {
        return;
    };
    let client = client();
    let options = over(&gate.options(), &behind);
    let transport = SshTransport::connect(options, &client).await.unwrap();
    let (zeros, echo) = tokio::join!(
        run(&transport, "head -c 20000000 /dev/zero"),
        run(&transport, "echo quick")
    );
    assert_eq!((zeros.stdout.len(), echo.text()), (20_000_000, "quick\n"));
    transport.close().await;
}

#[tokio::test]
async fn a_gate_that_is_cut_or_frozen_is_connected_anew() {
    let (Some(gate), Some(behind)) = (sshd(), sshd()) else {
        return;
    };
    let client = client();
    let mut options = over(&gate.options(), &behind);
    options.connect_timeout = Duration::from_secs(6);
    let first = SshTransport::connect(options.clone(), &client)
        .await
        .unwrap();
    signal("-KILL", &sessions(&gate));
    // The cut is noticed on the connection behind the gate.
    let start = std::time::Instant::now();
    while first.start("true").await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "it goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let second = SshTransport::connect(options.clone(), &client)
        .await
        .unwrap();
    assert_eq!(logins(&gate), 2);

    let frozen = sessions(&gate);
    signal("-STOP", &frozen);
    let third = SshTransport::connect(options, &client).await;
    signal("-CONT", &frozen);
    let third = third.unwrap();
    assert_eq!(run(&third, "echo hello").await.text(), "hello\n");
    assert_eq!(logins(&gate), 3);
    third.close().await;
    second.close().await;
}

/// What goes wrong, said of the right host.
async fn fails(options: SshOptions) -> TransportError {
    check(options, &client()).await.unwrap_err()
}

#[tokio::test]
async fn errors_say_at_which_hop() {
    let (Some(gate), Some(shut), Some(behind)) =
        (sshd(), sshd_with("AllowTcpForwarding no"), sshd())
    else {
        return;
    };
    let gate_at = gate.options().describe();
    let on_the_way = format!(
        "on the way to `{}`, at the jump host `{gate_at}`: ",
        behind.options().describe()
    );

    let mut stranger = gate.options();
    stranger.known_hosts.clear();
    let error = fails(over(&stranger, &behind)).await;
    assert!(error.to_string().starts_with(&on_the_way), "{error}");
    assert!(
        error.to_string().contains("host key of `[127.0.0.1]:"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("accept-new"));
    // It is the last jump host that is named, over however many.
    let error = fails(over(&over(&stranger, &shut), &behind)).await;
    assert!(error.to_string().starts_with(&on_the_way), "{error}");

    let mut nobody = gate.options();
    nobody.identity_files.clear();
    let error = fails(over(&nobody, &behind)).await;
    assert!(error.to_string().starts_with(&on_the_way), "{error}");
    assert!(error.to_string().contains("is not let in"), "{error}");

    // Each host key is checked by itself: the gate's says nothing of the host behind it.
    let mut unknown = over(&gate.options(), &behind);
    unknown.known_hosts.clear();
    let error = fails(unknown).await;
    assert!(
        matches!(error, TransportError::UnknownHostKey { .. }),
        "{error}"
    );

    let error = fails(over(&shut.options(), &behind)).await;
    assert_eq!(
        error.to_string(),
        format!(
            "the jump host `{}` can't connect to `127.0.0.1` port {}: it forbids that",
            shut.options().describe(),
            behind.port
        )
    );
    let mut nothing = over(&gate.options(), &behind);
    nothing.port = 1;
    let error = fails(nothing).await;
    assert_eq!(
        error.to_string(),
        format!(
            "the jump host `{gate_at}` can't connect to `127.0.0.1` port 1: nothing answers it there"
        )
    );
    assert!(
        error
            .help()
            .unwrap()
            .contains(&format!("ssh ssh://{gate_at} ssh-keyscan -p 1"))
    );
}

/// The options of `sshd` over a program.
fn by_program(sshd: &Sshd, command: String) -> SshOptions {
    let mut options = sshd.options();
    options.way = Way::Command(command);
    options
}

#[tokio::test]
async fn programs_carry_connections() {
    let (Some(gate), Some(behind)) = (sshd(), sshd()) else {
        return;
    };
    let path = |name: &str| -> PathBuf { gate.path(name) };
    gate.know_host_key("");
    let by_ssh = format!(
        "ssh -F none -o IdentitiesOnly=yes -o BatchMode=yes -i {} -o UserKnownHostsFile={} -p {} -W '[127.0.0.1]:{}' root@127.0.0.1",
        path("id").display(),
        path("known_hosts").display(),
        gate.port,
        behind.port
    );
    check(by_program(&behind, by_ssh), &client()).await.unwrap();
    assert_eq!(logins(&gate), 1);

    let plain = format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3 & cat >&3'",
        behind.port
    );
    let (trail, connected) =
        SshTransport::connect_told(by_program(&behind, plain.clone()), &client()).await;
    connected.unwrap().close().await;
    assert_eq!(trail.legs[0].by, Carrier::Command(plain));
}

#[tokio::test]
async fn a_program_that_fails_is_quoted() {
    let Some(sshd) = sshd() else { return };
    let error = fails(by_program(
        &sshd,
        "sh -c 'echo one >&2; echo no way out >&2; exit 3'".to_owned(),
    ))
    .await;
    assert!(
        error
            .to_string()
            .ends_with("during the key exchange; the `ProxyCommand` says: no way out"),
        "{error}"
    );
    let error = fails(by_program(&sshd, "/no/such/program".to_owned())).await;
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn a_program_ends_with_its_connection() {
    let Some(sshd) = sshd() else { return };
    let note = sshd.path("pid");
    let command = format!(
        "bash -c 'echo $$ >{}; exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3 & exec cat >&3'",
        note.display(),
        sshd.port
    );
    let client: SshClient = client();
    let transport = SshTransport::connect(by_program(&sshd, command), &client).await;
    let pid = std::fs::read_to_string(&note).unwrap();
    let process = PathBuf::from(format!("/proc/{}", pid.trim()));
    assert!(process.exists());
    transport.unwrap().close().await;
    let start = std::time::Instant::now();
    while process.exists() {
        assert!(start.elapsed() < Duration::from_secs(10), "it stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
