//! What files say of hosts: the rules, the errors with their places, and that nothing panics.

mod agreement;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::machine::Unreadable;
use super::*;
use crate::transport::ssh::algorithms::Choice;
use crate::transport::ssh::options::{HostKeyChecking, HostKeyRule, SshOptions, Way};

/// Files in memory; a command succeeds when it begins with `true`.
#[derive(Default)]
struct Played {
    files: HashMap<PathBuf, String>,
    run: AtomicUsize,
}

impl Machine for Arc<Played> {
    fn read(&self, path: &Path, _guarded: bool) -> Result<String, Unreadable> {
        self.files.get(path).cloned().ok_or(Unreadable::Missing)
    }

    fn list(&self, pattern: &str) -> Vec<PathBuf> {
        let fits = |path: &&PathBuf| {
            super::super::known_hosts::wildcard_match(pattern, &path.display().to_string())
        };
        let mut found: Vec<PathBuf> = self.files.keys().filter(fits).cloned().collect();
        found.sort();
        found
    }

    fn run(&self, command: &str) -> io::Result<bool> {
        self.run.fetch_add(1, Ordering::Relaxed);
        Ok(command.starts_with("true"))
    }
}

fn who() -> Who {
    Who {
        user: "me".into(),
        uid: 7,
        home: Some("/h".into()),
        machine: "box.example".into(),
        variables: HashMap::from([("SOCK".to_string(), "/run/sock".to_string())]),
    }
}

/// With these files; the first is the user's.
fn config(files: &[(&str, &str)]) -> (SshConfig, Arc<Played>) {
    let played = Arc::new(Played {
        files: files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.to_string()))
            .collect(),
        ..Played::default()
    });
    let config = SshConfig {
        who: who(),
        user_file: Some("/h/.ssh/config".into()),
        machine_file: Some("/etc/ssh/ssh_config".into()),
        machine: Box::new(Arc::clone(&played)),
        usual: SshArguments::default(),
        read: Mutex::default(),
    };
    (config, played)
}

fn try_options(text: &str, host: &str) -> Result<SshOptions, ConfigError> {
    let (config, _) = config(&[("/h/.ssh/config", text)]);
    config.options(&Wanted {
        name: host,
        address: host,
        agent: Some("/run/usual".into()),
        ..Wanted::default()
    })
}

fn options(text: &str, host: &str) -> SshOptions {
    try_options(text, host).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// The error as people see it.
fn refusal(text: &str) -> String {
    let error = try_options(text, "web").unwrap_err();
    format!("{}: {error}", error.at().unwrap_or_default())
}

#[test]
fn the_first_value_of_a_fitting_block_holds() {
    let text = "Port 1\nHost web* !web3\n  Port 2\n  User a\nHost *\n  User b\n  IdentityFile ~/.ssh/one\n  IdentityFile /two_%h\n  IdentityFile ~/.ssh/one\n";
    let web1 = options(text, "web1");
    assert_eq!(web1.describe(), "a@web1:1");
    assert_eq!(
        web1.configured_identities,
        ["/h/.ssh/one", "/two_web1"].map(PathBuf::from)
    );
    assert!(web1.default_identities.is_empty());
    assert_eq!(options(text, "web3").describe(), "b@web3:1");
    // Letter case counts for `Host`.
    assert_eq!(options(text, "Web1").describe(), "b@web1:1");
}

#[test]
fn names_jump_hosts_and_programs() {
    let text = "Host web\n HostName %h.example.com\n ProxyJump u@gate\n HostKeyAlias w\nHost gate\n HostName 10.0.0.1\n Port 2222\n ProxyJump outer:1\n User gatekeeper\n IdentityFile /gate_key\n\
        Host cmd\n ProxyCommand nc -X 5 %h %p # %r is %n\nHost plain\n ProxyCommand none\nHost *\n ProxyCommand late\n";
    let web = options(text, "web");
    assert_eq!(web.address, "web.example.com");
    assert_eq!((web.known_name().as_str(), web.known_port()), ("w", 22));
    let Way::Jump(gate) = &web.way else { panic!() };
    assert_eq!(gate.describe(), "u@10.0.0.1:2222");
    assert_eq!(gate.configured_identities, [PathBuf::from("/gate_key")]);
    let Way::Jump(outer) = &gate.way else {
        panic!()
    };
    assert_eq!(outer.describe(), "me@outer:1");
    assert!(matches!(&outer.way, Way::Command(command) if command == "late"));
    let command = options(text, "cmd").way;
    assert!(matches!(command, Way::Command(command) if command == "nc -X 5 cmd 22 # me is cmd"));
    assert!(matches!(options(text, "plain").way, Way::Direct));
}

#[test]
fn jump_hosts_in_a_circle_are_named() {
    let error = try_options("Host *\n  ProxyJump gate\n", "web").unwrap_err();
    assert_eq!(error.at().as_deref(), Some("/h/.ssh/config:2"));
    assert_eq!(
        error.to_string(),
        "the jump hosts lead round in a circle: me@web:22 through me@gate:22 through me@gate:22"
    );
    assert!(error.help.unwrap().contains("ProxyJump none"));
    options(
        "Host gate\n ProxyJump none\nHost *\n ProxyJump gate\n",
        "web",
    );
}

#[test]
fn match_looks_at_what_is_known_so_far() {
    let text = "Host web\n HostName real.example\nMatch host real.example user me\n Port 1\nMatch originalhost web !user root,me\n Port 2\nMatch localuser m? exec \"true %h %p\"\n User x\n\
        Match host *.example final\n IdentityFile /last\nMatch tagged t*\n HostKeyAlias tagged\nMatch !final all\n CertificateFile /c\nMatch all\n Tag tt\n";
    let web = options(text, "web");
    assert_eq!(web.describe(), "x@real.example:1");
    assert_eq!(web.configured_identities, [PathBuf::from("/last")]);
    assert_eq!(web.certificates, [PathBuf::from("/c")]);
    // The tag is set by the last line, and seen in the final pass.
    assert_eq!(web.host_key_alias.as_deref(), Some("tagged"));
}

#[test]
fn programs_run_only_where_they_decide() {
    let text = "Match host other exec true\n Port 1\nHost no\n Include inner\n";
    let (config, played) = config(&[
        ("/h/.ssh/config", text),
        ("/h/.ssh/inner", "Match exec true\n Port 2\n"),
    ]);
    let options = config.options(&Wanted {
        address: "web",
        ..Wanted::default()
    });
    assert_eq!(options.unwrap().port, 22);
    assert_eq!(played.run.load(Ordering::Relaxed), 0);
}

#[test]
fn included_files_count_where_the_line_does() {
    let (config, _) = config(&[
        (
            "/h/.ssh/config",
            "Include conf.d/*\nHost a\n Include /x/inner\nHost *\n Port 9\n",
        ),
        ("/h/.ssh/conf.d/10", "Host a\n User ten\n"),
        ("/h/.ssh/conf.d/20", "User twenty\n"),
        ("/x/inner", "Port 1\nHost b\n Port 2\n"),
        ("/etc/ssh/ssh_config", "Include more\nPort 7\n"),
        ("/etc/ssh/more", "HostKeyAlias etc\n"),
    ]);
    let described = |host| {
        let options = config.options(&Wanted {
            address: host,
            ..Wanted::default()
        });
        let options = options.unwrap();
        assert_eq!(options.host_key_alias.as_deref(), Some("etc"));
        options.describe()
    };
    assert_eq!(described("a"), "ten@a:1");
    // A `Host` in a file that is included where nothing counts does not make it count.
    assert_eq!(described("b"), "twenty@b:9");
}

#[test]
fn what_the_inventory_says_goes_before() {
    let (config, _) = config(&[(
        "/h/.ssh/config",
        "User file\nPort 1\nStrictHostKeyChecking no\nIdentityFile /file\n",
    )]);
    let ask = |arguments: &str, usual| {
        let wanted = Wanted {
            name: "n",
            address: "web",
            user: Some("inv"),
            identity_file: Some("/named".into()),
            arguments: SshArguments::parse(arguments).unwrap(),
            host_keys: HostKeyRule {
                usual,
                ..HostKeyRule::default()
            },
            ..Wanted::default()
        };
        config.options(&wanted).unwrap()
    };
    let options = ask("-l arg -p 2 -i /arg", None);
    assert_eq!(options.describe(), "inv@web:2");
    assert_eq!(
        options.identity_files,
        ["/named", "/arg"].map(PathBuf::from)
    );
    assert_eq!(options.configured_identities, [PathBuf::from("/file")]);
    assert_eq!(options.host_key_checking, HostKeyChecking::No);
    let accept_new = Some(HostKeyChecking::AcceptNew);
    assert_eq!(
        ask("", accept_new).host_key_checking,
        HostKeyChecking::AcceptNew
    );
    let strict = ask("-o StrictHostKeyChecking=yes", accept_new);
    assert_eq!(strict.host_key_checking, HostKeyChecking::Yes);
    assert_eq!(ask("-F none", None).describe(), "inv@web:22");
}

#[test]
fn what_is_said_of_host_keys_goes_before_arguments() {
    let (config, _) = config(&[("/h/.ssh/config", "Host web\nProxyJump gate\n")]);
    let wanted = |only_look| Wanted {
        address: "web",
        arguments: SshArguments::parse("-o StrictHostKeyChecking=yes").unwrap(),
        host_keys: HostKeyRule {
            always: Some(HostKeyChecking::AcceptNew),
            usual: Some(HostKeyChecking::No),
            only_look,
        },
        ..Wanted::default()
    };
    for only_look in [false, true] {
        let options = config.options(&wanted(only_look)).unwrap();
        let Way::Jump(gate) = &options.way else {
            panic!("{options:?}")
        };
        for options in [&options, gate] {
            assert_eq!(options.host_key_checking, HostKeyChecking::AcceptNew);
            assert_eq!(options.learns_host_keys, !only_look);
        }
    }
}

#[test]
fn agents_and_times() {
    let agent = |line: &str| {
        let agent = options(line, "web").agent;
        agent.map(|path| path.display().to_string())
    };
    assert_eq!(agent("IdentityAgent none"), None);
    assert_eq!(
        agent("IdentityAgent SSH_AUTH_SOCK").as_deref(),
        Some("/run/usual")
    );
    assert_eq!(agent("IdentityAgent $SOCK").as_deref(), Some("/run/sock"));
    assert_eq!(
        agent("IdentityAgent ${SOCK}.2").as_deref(),
        Some("/run/sock.2")
    );
    assert_eq!(agent("IdentityAgent ~/a").as_deref(), Some("/h/a"));
    let options = options(
        "ConnectTimeout none\nServerAliveInterval 1m\nServerAliveCountMax 0",
        "web",
    );
    assert_eq!(options.connect_timeout.as_secs(), 120);
    assert_eq!(
        (options.keepalive_interval.as_secs(), options.keepalive_max),
        (60, 0)
    );
}

#[test]
fn methods_are_taken_away_and_never_added() {
    let text = "Ciphers aes256-ctr,3des-cbc\nMACs -hmac-sha2-512*\nKexAlgorithms +diffie-hellman-group1-sha1\nHostKeyAlgorithms ssh-ed25519\nHostKeyAlgorithms +ssh-rsa\nPubkeyAcceptedAlgorithms +ssh-rsa\n";
    let algorithms = options(text, "web").algorithms;
    assert_eq!(algorithms.ciphers, Choice::read("aes256-ctr,3des-cbc"));
    assert_eq!(algorithms.macs, Choice::read("-hmac-sha2-512*"));
    assert_eq!(algorithms.kex, None);
    assert_eq!(algorithms.host_keys, Choice::read("ssh-ed25519"));
}

#[test]
fn errors_name_the_line() {
    let cases = [
        (
            "\nPort x",
            "/h/.ssh/config:2: `x` is no value of `Port`: expected a number from 1 to 65535",
        ),
        (
            "Host web\n RequiredRSASize 4096",
            "/h/.ssh/config:2: `RequiredRSASize` is not supported",
        ),
        (
            "Ciphers 3des-cbc",
            "/h/.ssh/config:1: `Ciphers` leaves nothing that hadeploy can do",
        ),
        (
            "Prot 1",
            "/h/.ssh/config:1: `Prot` is no ssh option; did you mean `Port`",
        ),
        (
            "Host no\n Zzz 1",
            "/h/.ssh/config:2: `Zzz` is no ssh option",
        ),
        ("Port", "/h/.ssh/config:1: `Port` needs a value"),
        (
            "User a b",
            "/h/.ssh/config:1: `User` has one value, and `b` is a second one",
        ),
        ("User \"a", "/h/.ssh/config:1: a quote is not closed"),
        (
            "HostName %p",
            "/h/.ssh/config:1: `%p` stands for nothing in `HostName`; known are %%, %h",
        ),
        ("Match", "/h/.ssh/config:1: `Match` needs a value"),
        (
            "Match all host a",
            "/h/.ssh/config:1: `all` stands alone in a `Match`, or behind `final` or `canonical`",
        ),
        (
            "Match localnetwork 10.0.0.0/8",
            "/h/.ssh/config:1: `Match localnetwork` is not supported",
        ),
        (
            "Match hots a",
            "/h/.ssh/config:1: `hots` is no condition of `Match`: known are all, canonical, exec, final, host, localuser, originalhost, tagged and user",
        ),
        (
            "Include config",
            "/h/.ssh/config:1: `/h/.ssh/config` is included 16 files deep: do they include one another?",
        ),
        (
            "IdentityFile ~you/k",
            ": the home folder of another account, `~you`, is not looked up; write its path",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(refusal(text), wanted, "{text}");
    }
    // What does not count for the host, or is said to be ignored, is no error.
    options("Host other\n RequiredRSASize 4096\n", "web");
    options(
        "IgnoreUnknown Use*\nUseKeychain yes\nRevokedHostKeys none\nRevokedHostKeys /x\n",
        "web",
    );
}

/// Lines that are nearly right.
fn lines() -> impl Strategy<Value = String> {
    let keyword = prop::sample::select(vec![
        "Host",
        "Match",
        "Include",
        "Port",
        "User",
        "HostName",
        "IdentityFile",
        "ProxyJump",
        "ProxyCommand",
        "UserKnownHostsFile",
        "ConnectTimeout",
        "StrictHostKeyChecking",
        "IgnoreUnknown",
        "Tag",
        "IdentityAgent",
        "Ciphers",
        "Zzz",
    ]);
    let value = "[ =\"'#]{0,2}(host|final|all|exec|user|none|yes|config|[a-b*?!,@:%hnprC\\[\\]${}~/\"' \\\\0-9=ä]{0,8}){0,3}";
    (keyword, value).prop_map(|(keyword, value)| format!("{keyword} {value}\n"))
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(
        lines in prop::collection::vec(lines(), 0..12),
        noise in prop::collection::vec(any::<char>(), 0..40),
        at in any::<prop::sample::Index>(),
    ) {
        let mut text: Vec<char> = lines.concat().chars().collect();
        let at = at.index(text.len() + 1);
        text.splice(at..at, noise);
        let text: String = text.into_iter().collect();
        let _ = try_options(&text, "a");
    }
}
