//! Generated configurations, shown to `ssh -G` as well: both must say the same of each host.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::super::error::Place;
use super::super::jump::{Proxy, jumps};
use super::super::tokens::Tokens;
use super::super::{Query, Said, SshConfig, Who};
use crate::transport::ssh::arguments::SshArguments;
use crate::transport::ssh::options::{AddressFamily, HostKeyChecking, HostKeyRule};

/// So many files are made, each asked for two hosts.
const FILES: u64 = 200;

/// Draws that are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const HOSTS: &[&str] = &["web", "web1", "db.example", "10.0.0.7", "WEB2"];

/// A line that says something.
fn setting(draw: &mut Draw) -> String {
    let line: &[&str] = &[
        "Port 22{n}",
        "Port={n}",
        "port = {n}",
        "User u{n}",
        "User \"u {n}\"",
        "HostName h{n}.Example",
        "HostName %h.internal",
        "HostName 10.9.8.{n}",
        "IdentityFile /keys/{n}",
        "IdentityFile \"~/my keys/%r_%n\"",
        "IdentityFile none",
        "CertificateFile /certs/{n}-cert.pub",
        "IdentitiesOnly yes",
        "IdentitiesOnly no",
        "IdentityAgent none",
        "IdentityAgent /run/agent{n}",
        "ProxyJump jump{n}",
        "ProxyJump u@jump{n}:22{n},second",
        "ProxyJump none",
        "ProxyCommand nc -x p{n} %h %p # %r",
        "ProxyCommand none",
        "UserKnownHostsFile /kh{n} \"/k h\"",
        "UserKnownHostsFile ~/.ssh/kh_%k",
        "GlobalKnownHostsFile /gkh{n}",
        "StrictHostKeyChecking no",
        "StrictHostKeyChecking accept-new",
        "StrictHostKeyChecking yes",
        "HostKeyAlias alias{n}",
        "ServerAliveInterval {n}",
        "ServerAliveInterval 1m{n}s",
        "ServerAliveInterval none",
        "ServerAliveCountMax {n}",
        "ConnectTimeout {n}",
        "ConnectTimeout none",
        "ConnectTimeout 0",
        "ConnectTimeout 1H",
        "AddressFamily inet",
        "AddressFamily inet6",
        "BindAddress 127.0.0.{n}",
        "HashKnownHosts yes",
        "HashKnownHosts no",
        "ControlMaster auto",
        "ForwardAgent yes",
        "SendEnv LANG LC_*",
        "LogLevel ERROR",
        "VisualHostKey no",
        "IgnoreUnknown Use*,Zz?",
        "UseKeychain yes",
        "# a comment",
        "",
        "\tCompression yes  ",
    ];
    let number = draw.below(8) + 1;
    draw.one(line).replace("{n}", &number.to_string())
}

/// A line that begins a block.
fn block(draw: &mut Draw) -> String {
    let line: &[&str] = &[
        "Host web*",
        "Host web? !web1",
        "Host *.example 10.0.*",
        "Host !web *",
        "Host \"web\" db.example",
        "Host=web1",
        "Host *",
        "Match all",
        "Match host *.internal,web*",
        "Match host=web",
        "Match host h?.example user u*",
        "Match originalhost web,!web1",
        "Match !originalhost web1 localuser *",
        "Match user u1,u2",
        "Match !user u1",
        "Match exec \"test %h = web\"",
        "Match exec true !host web1",
        "Match !exec \"test %p = 22\"",
        "Match final",
        "Match final host *.example",
        "Match !final",
        "Match canonical all",
        "Match final all # a comment",
    ];
    draw.one(line).to_string()
}

/// A whole file; `included` are files it may include.
fn file(draw: &mut Draw, included: &[String]) -> String {
    let mut text = String::new();
    for _ in 0..draw.below(5) + 1 {
        if draw.below(4) > 0 {
            writeln!(text, "{}", block(draw)).unwrap();
        }
        for _ in 0..draw.below(6) {
            match included.is_empty() || draw.below(8) > 0 {
                true => writeln!(text, "  {}", setting(draw)).unwrap(),
                false => {
                    let file = &included[draw.below(included.len())];
                    writeln!(text, "  Include {file}").unwrap();
                }
            }
        }
    }
    text
}

/// What `ssh -G` says, or that it takes none of it.
fn asked(file: &Path, words: &[String], host: &str) -> Option<HashMap<String, Vec<String>>> {
    let output = Command::new("ssh")
        .args(["-G", "-F"])
        .arg(file)
        .args(words)
        .arg(host)
        .output()
        .unwrap();
    if !output.status.success() {
        return None;
    }
    let mut said: HashMap<String, Vec<String>> = HashMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        said.entry(key.to_string())
            .or_default()
            .push(value.to_string());
    }
    Some(said)
}

/// What we say, under the names and in the words of `ssh -G`; what is not said is left out. Of the paths it expands only those of the
/// user's known_hosts files.
fn ours(said: &Said, host: &str, asked: &str, who: &Who) -> HashMap<&'static str, Vec<String>> {
    let user = said.user.as_deref().unwrap_or(&who.user);
    let tokens = Tokens {
        who,
        original: asked,
        host,
        port: said.port.unwrap_or(22),
        user,
        alias: said.host_key_alias.as_deref(),
    };
    let flag = |flag| String::from(if flag { "yes" } else { "no" });
    let paths = |paths: &Vec<String>| vec![paths.join(" ")];
    let expanded = |path: &String| tokens.path(path).unwrap().display().to_string();
    let mut all: HashMap<&'static str, Vec<String>> = HashMap::new();
    all.insert("hostname", vec![host.to_string()]);
    all.insert("user", vec![user.to_string()]);
    all.insert("port", vec![said.port.unwrap_or(22).to_string()]);
    let keys: Vec<String> = said
        .identity_files
        .iter()
        .map(|key| key.path.clone())
        .collect();
    if !keys.is_empty() {
        all.insert("identityfile", keys);
    }
    if !said.certificate_files.is_empty() {
        all.insert("certificatefile", said.certificate_files.clone());
    }
    all.insert(
        "identitiesonly",
        vec![flag(said.identities_only == Some(true))],
    );
    if let Some(agent) = &said.identity_agent {
        all.insert("identityagent", vec![agent.clone()]);
    }
    if let Some(files) = &said.user_known_hosts {
        let files: Vec<String> = files.iter().map(expanded).collect();
        all.insert("userknownhostsfile", paths(&files));
    }
    if let Some(files) = &said.global_known_hosts {
        all.insert("globalknownhostsfile", paths(files));
    }
    if let Some(checking) = said.host_key_checking {
        let word = match checking {
            HostKeyChecking::Yes => "true",
            HostKeyChecking::AcceptNew => "accept-new",
            HostKeyChecking::No => "false",
        };
        all.insert("stricthostkeychecking", vec![word.to_string()]);
    }
    if let Some(alias) = &said.host_key_alias {
        all.insert("hostkeyalias", vec![alias.clone()]);
    }
    if let Some(time) = said.keepalive_interval {
        let seconds = time.map_or(0, |time| time.as_secs());
        all.insert("serveraliveinterval", vec![seconds.to_string()]);
    }
    if let Some(count) = said.keepalive_max {
        all.insert("serveralivecountmax", vec![count.to_string()]);
    }
    if let Some(time) = said.connect_timeout {
        let word = time.map_or("none".to_string(), |time| time.as_secs().to_string());
        all.insert("connecttimeout", vec![word]);
    }
    let family = match said.address_family.unwrap_or_default() {
        AddressFamily::Any => "any",
        AddressFamily::V4 => "inet",
        AddressFamily::V6 => "inet6",
    };
    all.insert("addressfamily", vec![family.to_string()]);
    if let Some(address) = said.bind_address {
        all.insert("bindaddress", vec![address.to_string()]);
    }
    all.insert(
        "hashknownhosts",
        vec![flag(said.hash_known_hosts == Some(true))],
    );
    all
}

/// The proxy as `ssh -G` says it.
fn theirs(said: &HashMap<String, Vec<String>>) -> Option<Proxy> {
    let line = |key| said.get(key).map(|lines: &Vec<String>| lines[0].as_str());
    match (line("proxyjump"), line("proxycommand")) {
        (Some(text), _) => Some(jumps(text, &Place::Argument).unwrap()),
        (None, Some(command)) => Some(Proxy::Command(command.to_string())),
        (None, None) => None,
    }
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "who runs it is told that nothing was compared"
)]
fn generated_configurations_say_the_same_to_ssh() {
    if Command::new("ssh").arg("-V").output().is_err() {
        eprintln!("skipped: there is no ssh to compare with");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    // ssh asks the account's entry, not the environment.
    let name = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8_lossy(&name.stdout).trim().to_string();
    let entry = Command::new("getent")
        .args(["passwd", &user])
        .output()
        .unwrap();
    let entry = String::from_utf8_lossy(&entry.stdout).into_owned();
    let who = Who {
        user,
        uid: std::fs::metadata(dir.path()).unwrap().uid(),
        home: entry.split(':').nth(5).map(Into::into),
        machine: "box".to_string(),
        variables: HashMap::new(),
    };
    let mut draw = Draw(0x5eed_0001);
    let mut refused = 0;
    let mut differ = String::new();
    for number in 0..FILES {
        let inner = dir.path().join(format!("inner{number}"));
        std::fs::write(&inner, file(&mut draw, &[])).unwrap();
        let included = [
            inner.display().to_string(),
            format!("{}/inner{number}*", dir.path().display()),
            format!("{}/nobody", dir.path().display()),
        ];
        let text = file(&mut draw, &included);
        std::fs::write(&path, &text).unwrap();
        let inner = std::fs::read_to_string(&inner).unwrap();
        for _ in 0..2 {
            let host = draw.one(HOSTS);
            let words: &[&str] = match draw.below(4) {
                0 => &["-p", "77", "-o", "User=arg"],
                1 => &["-l", "u1", "-o", "IdentityFile=/arg/key"],
                _ => &[],
            };
            let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
            let arguments = format!("{} -F {}", words.join(" "), path.display());
            let arguments = SshArguments::parse(&arguments).unwrap();
            let config = SshConfig::new(who.clone(), None, None);
            let found = config.said(&Query {
                host,
                user: None,
                port: None,
                arguments: &arguments,
                host_keys: HostKeyRule::default(),
            });
            let shown = format!("{host} {words:?}\n{text}\n--- included:\n{inner}");
            let Some(ssh) = asked(&path, &words, host) else {
                refused += 1;
                if found.is_ok() {
                    writeln!(differ, "only ssh refuses it: {shown}").unwrap();
                }
                continue;
            };
            let (said, name) = match found {
                Ok(found) => found,
                Err(error) => {
                    writeln!(differ, "only we refuse it, {error}: {shown}").unwrap();
                    continue;
                }
            };
            for (key, value) in ours(&said, &name, host, &who) {
                if ssh.get(key) != Some(&value) {
                    let theirs = ssh.get(key);
                    writeln!(differ, "{key}: {value:?}, ssh {theirs:?}: {shown}").unwrap();
                }
            }
            let proxy = said
                .proxy
                .clone()
                .filter(|proxy| !matches!(proxy, Proxy::None | Proxy::NoJump));
            if theirs(&ssh) != proxy {
                writeln!(differ, "{proxy:?}, ssh {:?}: {shown}", theirs(&ssh)).unwrap();
            }
        }
    }
    assert!(differ.is_empty(), "{differ}");
    // An unknown keyword without its `IgnoreUnknown` is refused by both, and no more than that is.
    assert!((1..FILES).contains(&refused), "{refused}");
}
