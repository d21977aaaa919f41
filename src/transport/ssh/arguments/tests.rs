//! What is taken, what is refused, and in which words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::words::split;
use super::*;

fn parse(text: &str) -> Result<SshArguments, String> {
    SshArguments::parse(text, Path::new("/home/u")).map_err(|error| error.to_string())
}

fn applied(text: &str) -> SshOptions {
    let mut options = SshOptions::new("n1", "10.0.0.1", "root");
    options.known_hosts = vec!["/home/u/.ssh/known_hosts".into()];
    options.global_known_hosts = vec!["/etc/ssh/ssh_known_hosts".into()];
    parse(text).unwrap().apply(&mut options);
    options
}

#[test]
fn every_honoured_option_lands() {
    let options = applied(
        "-o StrictHostKeyChecking=accept-new -oUserKnownHostsFile=\"~/a b\" -o 'ConnectTimeout 1m30s' -o port=2222 -l deploy -i '~/.ssh/my key' -i/k2 \
         -o IdentitiesOnly=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=2 -o IdentityAgent=/run/agent -o HostKeyAlias=web",
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
    assert!(options.identities_only);
    assert_eq!(
        (options.keepalive_interval, options.keepalive_max),
        (Duration::from_secs(5), 2)
    );
    assert_eq!(options.agent, Some(PathBuf::from("/run/agent")));
    assert_eq!(options.known_name(), "web");
}

#[test]
fn what_is_not_said_stays() {
    let options = applied(
        "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=%r@%h:%p -o BatchMode=yes -o LogLevel=ERROR -qT -C",
    );
    assert_eq!(
        options.known_hosts,
        ["/home/u/.ssh/known_hosts"].map(PathBuf::from)
    );
    assert_eq!(
        options.global_known_hosts,
        ["/etc/ssh/ssh_known_hosts"].map(PathBuf::from)
    );
    assert_eq!(
        (options.port, options.connect_timeout),
        (22, Duration::from_secs(10))
    );
    assert_eq!(options.host_key_checking, HostKeyChecking::Yes);
}

#[test]
fn the_first_value_holds_and_none_is_none() {
    let options = applied(
        "-p 1 -p 2 -o GlobalKnownHostsFile=none -o UserKnownHostsFile=/dev/null -o IdentityAgent=none",
    );
    assert_eq!(options.port, 1);
    assert_eq!(options.known_hosts, [PathBuf::from("/dev/null")]);
    assert!(options.global_known_hosts.is_empty());
    assert_eq!(options.agent, None);
    let both = parse("-p 1").unwrap().or(parse("-p 2 -l x").unwrap());
    assert_eq!((both.port, both.user.as_deref()), (Some(1), Some("x")));
}

#[test]
fn what_is_not_taken_is_named() {
    let cases = [
        ("-J jump", "`-J` is not supported yet"),
        ("-F /dev/null", "`-F` is not supported yet"),
        ("-o ProxyJump=a", "`ProxyJump` is not supported yet"),
        (
            "-o proxycommand='nc %h %p'",
            "`ProxyCommand` is not supported yet",
        ),
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
        (
            "-o ConnectTimeout=0",
            "`0` is no value of `ConnectTimeout`: expected a time in seconds",
        ),
        ("-o Port", "`Port` needs a value"),
        ("-o", "`-o` needs a value"),
        ("-i ''", "`-i` needs a value"),
        ("-i ~/%h", "`%h in -i` is not supported yet"),
        ("host", "`host` is no ssh option"),
        ("-Z", "`-Z` is no ssh option"),
        ("-i 'open", "a quote is not closed"),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).unwrap_err(), message, "{text}");
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
        let _ = SshArguments::parse(&text, Path::new("/home/u"));
    }
}
