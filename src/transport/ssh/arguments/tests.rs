//! What is taken, what is refused, and in which words.

use std::path::PathBuf;
use std::time::Duration;

use super::words::split;
use super::*;
use crate::transport::ssh::config::{SshConfig, Wanted, Who};
use crate::transport::ssh::options::{AddressFamily, HostKeyChecking, SshOptions, Way};

fn parse(text: &str) -> Result<SshArguments, String> {
    SshArguments::parse(text).map_err(|error| error.to_string())
}

fn applied(text: &str) -> SshOptions {
    let who = Who {
        user: "me".into(),
        home: Some("/home/u".into()),
        ..Who::default()
    };
    let wanted = Wanted {
        name: "n1",
        address: "10.0.0.1",
        arguments: parse(text).unwrap(),
        agent: Some("/run/usual".into()),
        ..Wanted::default()
    };
    SshConfig::new(who, None, None).options(&wanted).unwrap()
}

#[test]
fn every_followed_option_lands() {
    let options = applied(
        "-o StrictHostKeyChecking=accept-new -oUserKnownHostsFile=\"~/a b\" -o 'ConnectTimeout 1m30s' -o port=2222 -l deploy -i '~/.ssh/my key' -i/k2 \
         -o IdentitiesOnly=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=2 -o IdentityAgent=/run/agent -o HostKeyAlias=web -4 -b 10.0.0.9 \
         -o CertificateFile=/c -o HashKnownHosts=yes -o 'ProxyCommand=nc %h %p'",
    );
    assert_eq!(options.host_key_checking, HostKeyChecking::AcceptNew);
    // OpenSSH splits the value once more.
    assert_eq!(options.known_hosts, ["/home/u/a", "b"].map(PathBuf::from));
    assert_eq!(options.connect_timeout, Duration::from_secs(90));
    assert_eq!((options.port, options.user.as_str()), (2222, "deploy"));
    assert_eq!(
        options.identity_files,
        ["/home/u/.ssh/my key", "/k2"].map(PathBuf::from)
    );
    assert!(options.identities_only && options.hash_known_hosts);
    assert_eq!(
        (options.keepalive_interval, options.keepalive_max),
        (Duration::from_secs(5), 2)
    );
    assert_eq!(options.agent, Some(PathBuf::from("/run/agent")));
    assert_eq!(
        (options.known_name().as_str(), options.known_port()),
        ("web", 22)
    );
    assert_eq!(options.address_family, AddressFamily::V4);
    assert_eq!(options.bind_address, "10.0.0.9".parse().ok());
    assert_eq!(options.certificates, [PathBuf::from("/c")]);
    assert!(matches!(options.way, Way::Command(command) if command == "nc 10.0.0.1 2222"));
}

#[test]
fn a_chain_of_jump_hosts_is_gone_in_order() {
    let options = applied("-J one,u@two:2222 -p 1 -l x");
    let Way::Jump(two) = options.way else {
        panic!("{:?}", options.way)
    };
    assert_eq!(two.describe(), "u@two:2222");
    let Way::Jump(one) = &two.way else {
        panic!("{:?}", two.way)
    };
    // Neither the port nor the login name of the host is the jump host's.
    assert_eq!(one.describe(), "me@one:22");
    assert!(matches!(one.way, Way::Direct));
}

#[test]
fn what_is_not_said_stays() {
    let options = applied(
        "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=%r@%h:%p -o BatchMode=yes -o LogLevel=ERROR -qT -C",
    );
    assert_eq!(
        options.known_hosts,
        ["/home/u/.ssh/known_hosts", "/home/u/.ssh/known_hosts2"].map(PathBuf::from)
    );
    assert_eq!(
        options.global_known_hosts,
        ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from)
    );
    assert_eq!(options.describe(), "me@10.0.0.1:22");
    assert_eq!(options.connect_timeout, Duration::from_secs(10));
    assert_eq!(options.host_key_checking, HostKeyChecking::Yes);
    assert_eq!(options.agent, Some(PathBuf::from("/run/usual")));
    assert_eq!(options.default_identities.len(), 3);
    assert!(matches!(options.way, Way::Direct));
}

#[test]
fn the_first_value_holds_and_none_is_none() {
    let options = applied(
        "-p 1 -p 2 -o GlobalKnownHostsFile=none -o UserKnownHostsFile=/dev/null -o IdentityAgent=none -o ProxyJump=none -J a -o IdentityFile=none",
    );
    assert_eq!(options.port, 1);
    assert_eq!(options.known_hosts, [PathBuf::from("/dev/null")]);
    assert!(options.global_known_hosts.is_empty());
    assert_eq!(options.agent, None);
    assert!(matches!(options.way, Way::Direct));
    assert!(options.identity_files.is_empty() && options.default_identities.is_empty());
    let both = parse("-p 1")
        .unwrap()
        .or(parse("-p 2 -l x -F none").unwrap());
    assert_eq!(both.lines.len(), 3);
    assert_eq!(both.config, ConfigChoice::None);
}

#[test]
fn what_is_not_taken_is_named() {
    let cases = [
        (
            "-o StrictHostKeyCheking=no",
            "`StrictHostKeyCheking` is no ssh option; did you mean `StrictHostKeyChecking`",
        ),
        ("-o Zzz=1", "`Zzz` is no ssh option"),
        (
            "-o StrictHostKeyChecking=maybe",
            "`maybe` is no value of `StrictHostKeyChecking`: expected yes, accept-new or no",
        ),
        (
            "-p 0",
            "`0` is no value of `-p`: expected a number from 1 to 65535",
        ),
        (
            "-o ConnectTimeout=soon",
            "`soon` is no value of `ConnectTimeout`: expected a time in seconds",
        ),
        ("-o Port", "`Port` needs a value"),
        ("-o", "`-o` needs a value"),
        ("-i ''", "`-i` needs a value"),
        (
            "-i ~/%C",
            "`%C` stands for nothing in `-i`; known are %%, %L, %d, %h, %i, %k, %l, %n, %p, %r, %u",
        ),
        (
            "-J a:b",
            "`a:b` names no jump host: expected [user@]host[:port], several with commas between, or none",
        ),
        ("-o RevokedHostKeys=x", "`RevokedHostKeys` is not supported"),
        (
            "-o Host=x",
            "`Host` belongs into a file, which `-F FILE` names",
        ),
        ("-L 80:a:80", "`-L` is not supported"),
        ("host", "`host` is no ssh option"),
        ("-Z", "`-Z` is no ssh option"),
        ("-i 'open", "a quote is not closed"),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).unwrap_err(), message, "{text}");
    }
    // A value that asks for nothing is none to complain of.
    for text in ["-o KnownHostsCommand=none", "-o PubkeyAuthentication=yes"] {
        parse(text).unwrap();
    }
}

#[test]
fn words_are_split_as_a_shell_does() {
    let text = r#"a  'b c' "d \"e\" \n" f\ g 'h'"i" '' "#;
    assert_eq!(
        split(text).unwrap(),
        ["a", "b c", "d \"e\" \\n", "f g", "hi", ""]
    );
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "[-a-zA-Z=%~'\" \\\\.0-9ä]{0,40}") {
        let _ = SshArguments::parse(&text);
    }
}
