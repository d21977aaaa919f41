//! The one question to a member, and what its answer means.

use std::collections::BTreeMap;

use super::observation::{
    Access, Daemon, Node, Peer, Redis, RedisFile, Sentinel, SentinelFile, View, Watching,
};
use super::spec::{SENTINEL_PORT, Spec, Tls};
use crate::cluster::Answer;
use crate::command::quote;

/// Prints what [`read`] reads. It changes nothing; each command in it ends within two seconds.
const QUESTION: &str = include_str!("question.sh");
/// How a daemon is reached: with or without TLS, by the wanted password or by the one in its file.
pub(super) const REACH: &str = include_str!("reach.sh");

/// The question to a member. It holds the password: its text goes to the node's shell, never into an argument.
pub fn question(spec: &Spec, member: usize) -> String {
    let settings: Vec<String> = spec.wanted(member).into_keys().collect();
    let mut text = format!(
        "PASSWORD={}\nSETTINGS={}\n",
        quote(&spec.password),
        quote(&settings.join(" "))
    );
    text.push_str(&words(spec, member));
    text.push_str(REACH);
    text.push_str(QUESTION);
    text
}

/// What scripts know of the cluster, as variables.
pub(super) fn words(spec: &Spec, member: usize) -> String {
    let tls = spec.tls.as_ref();
    let file = |pick: fn(&Tls) -> &String| tls.map_or("", |tls| pick(tls).as_str());
    let (port, tls_port) = ports(spec, SENTINEL_PORT);
    let address = &spec.members[member].address;
    let values = [
        ("NAME", spec.name.as_str()),
        ("ADDRESS", address),
        ("CA", file(|tls| &tls.ca)),
        ("CERTIFICATE", file(|tls| &tls.certificate)),
        ("KEY", file(|tls| &tls.key)),
        ("PORT", &port),
        ("TLS_PORT", &tls_port),
        ("BIND", &format!("{address} 127.0.0.1")),
    ];
    values
        .iter()
        .map(|(name, value)| format!("{name}={}\n", quote(value)))
        .collect()
}

/// `port` and `tls-port` for a daemon.
pub(super) fn ports(spec: &Spec, port: u16) -> (String, String) {
    match spec.tls {
        Some(_) => ("0".to_owned(), port.to_string()),
        None => (port.to_string(), "0".to_owned()),
    }
}

/// What a member's answer says.
pub fn read(spec: &Spec, answer: &Answer) -> View {
    let text = match answer {
        Answer::Said(text) => text.replace('\r', ""),
        Answer::Silent(why) => return View::Unknown(why.clone()),
    };
    let sections = Sections::of(&text);
    if !sections.has("end") {
        return View::Unknown("its answer broke off".to_owned());
    }
    let installed = |package: &str| {
        sections
            .heads("package")
            .find_map(|head| {
                head.strip_prefix(package)?
                    .trim()
                    .strip_prefix("installed ")
            })
            .map(str::to_owned)
    };
    let version = installed("redis-server ");
    let log = sections.body("log");
    let corrupt = |line: &&str| {
        let line = line.to_ascii_lowercase();
        [
            "bad file format",
            "wrong signature",
            "short read",
            "unexpected end of file",
        ]
        .iter()
        .any(|sign| line.contains(sign))
    };
    View::Known(Box::new(Node {
        installed: version.is_some() && installed("redis-sentinel ").is_some(),
        version: version.unwrap_or_default(),
        folder: sections.head("folder").starts_with("redis redis 27")
            || sections.head("folder").starts_with("redis redis 7"),
        readable: sections.head("readable") == "yes",
        redis_file: redis_file(&sections),
        sentinel_file: sentinel_file(&sections),
        kept: !sections.head("kept").is_empty(),
        corrupt: log.iter().any(corrupt),
        trouble: log.last().map_or(String::new(), |line| (*line).to_owned()),
        redis: daemon(spec, sections.head("redis"), |access| {
            redis(&sections, access)
        }),
        sentinel: daemon(spec, sections.head("sentinel"), |access| {
            sentinel(&sections, access)
        }),
    }))
}

fn daemon<T>(spec: &Spec, head: &str, said: impl FnOnce(Access) -> Option<T>) -> Daemon<T> {
    let mut words = head.split(' ');
    let (what, how, which) = (words.next(), words.next(), words.next());
    match what {
        Some("up") => {
            let transport = (how == Some("tls")) == spec.tls.is_some();
            let password = which == Some("wanted");
            said(Access {
                transport,
                password,
            })
            .map_or(Daemon::Hung, |said| Daemon::Up(Box::new(said)))
        }
        Some("down") => Daemon::Down,
        Some("locked") => Daemon::Locked,
        _ => Daemon::Hung,
    }
}

fn redis_file(sections: &Sections) -> RedisFile {
    let mut file = RedisFile {
        marked: sections.head("redis-file") == "marked",
        follows: None,
    };
    for line in sections.body("redis-file") {
        let mut words = line.split_whitespace();
        if matches!(words.next(), Some("replicaof" | "slaveof")) {
            file.follows = words.next().map(bare).filter(|address| address != "no");
        }
    }
    file
}

fn sentinel_file(sections: &Sections) -> SentinelFile {
    let mut file = SentinelFile {
        marked: sections.head("sentinel-file") == "marked",
        access: sections
            .head("sentinel-access")
            .split(' ')
            .all(|word| word == "same"),
        ..SentinelFile::default()
    };
    for line in sections.body("sentinel-file") {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["sentinel", "monitor", _, address, ..] => file.watches = Some(bare(address)),
            ["sentinel", "config-epoch", _, epoch] => file.epoch = epoch.parse().unwrap_or(0),
            ["sentinel", "announce-ip", address] => file.announces = Some(bare(address)),
            ["sentinel", "myid", id] => file.id = bare(id),
            _ => {}
        }
    }
    file
}

fn bare(word: &str) -> String {
    word.trim_matches('"').to_owned()
}

/// None when the answer broke off: the daemon is there and cannot be judged.
fn redis(sections: &Sections, access: Access) -> Option<Redis> {
    if !sections.has("info") || !sections.has("told") {
        return None;
    }
    let info: BTreeMap<&str, &str> = sections
        .body("info")
        .iter()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let get = |name: &str| info.get(name).copied().unwrap_or_default();
    let number = |name: &str| get(name).parse().unwrap_or(0);
    let primary = match get("role") {
        "master" => true,
        "slave" => false,
        _ => return None,
    };
    let followers = (0..)
        .map_while(|at| info.get(format!("slave{at}").as_str()))
        .filter_map(|line| follower(line))
        .collect();
    Some(Redis {
        access,
        masterauth: sections.head("masterauth") == "same",
        primary,
        follows: (!primary).then(|| get("master_host").to_owned()),
        link: get("master_link_status") == "up",
        syncing: get("master_sync_in_progress") == "1",
        loading: get("loading") == "1",
        offset: if primary {
            number("master_repl_offset")
        } else {
            number("slave_repl_offset")
        },
        keys: get("db0")
            .split(',')
            .find_map(|part| part.strip_prefix("keys=")?.parse().ok())
            .unwrap_or_else(|| u64::from(info.keys().any(|name| name.starts_with("db")))),
        followers,
        unsaved: get("rdb_last_bgsave_status") == "err" || get("aof_last_write_status") == "err",
        settings: pairs(&sections.body("settings")),
    })
}

/// `ip=10.0.0.2,port=6379,state=online,offset=1,lag=0`, if it is online.
fn follower(line: &str) -> Option<(String, u64)> {
    let part = |name: &str| line.split(',').find_map(|part| part.strip_prefix(name));
    (part("state=")? == "online")
        .then_some((part("ip=")?.to_owned(), part("offset=")?.parse().ok()?))
}

fn sentinel(sections: &Sections, access: Access) -> Option<Sentinel> {
    if !sections.has("master") || !sections.has("tilt") {
        return None;
    }
    let master = pairs(&sections.body("master"));
    let quorum = sections
        .body("quorum")
        .iter()
        .any(|line| line.starts_with("OK"));
    // Order of words: port, tls-port, requirepass, auth-pass, …
    let password = sections.head("sentinel-access").split(' ').nth(3) == Some("same");
    let watch = master.get("ip").map(|address| Watching {
        address: address.clone(),
        flags: flags(&master),
        epoch: master
            .get("config-epoch")
            .and_then(|epoch| epoch.parse().ok())
            .unwrap_or(0),
        settings: ["quorum", "down-after-milliseconds", "failover-timeout"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), master.get(name)?.clone())))
            .collect(),
        password,
        quorum,
        replicas: peers(&sections.body("replicas")),
        sentinels: peers(&sections.body("sentinels")),
    });
    Some(Sentinel {
        access,
        id: sections
            .body("myid")
            .first()
            .map_or(String::new(), |id| (*id).to_owned()),
        tilt: sections.body("tilt").contains(&"sentinel_tilt:1"),
        watch,
    })
}

fn flags(entry: &BTreeMap<String, String>) -> Vec<String> {
    entry.get("flags").map_or(Vec::new(), |flags| {
        flags.split(',').map(str::to_owned).collect()
    })
}

/// Lines of names and values by turns.
fn pairs(lines: &[&str]) -> BTreeMap<String, String> {
    lines
        .chunks_exact(2)
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

/// Several lists of names and values, each beginning with `name`.
fn peers(lines: &[&str]) -> Vec<Peer> {
    let mut entries: Vec<Vec<&str>> = Vec::new();
    for pair in lines.chunks_exact(2) {
        if pair[0] == "name" {
            entries.push(Vec::new());
        }
        if let Some(entry) = entries.last_mut() {
            entry.extend(pair);
        }
    }
    entries
        .iter()
        .map(|entry| {
            let entry = pairs(entry);
            let get = |name: &str| entry.get(name).cloned().unwrap_or_default();
            Peer {
                address: get("ip"),
                port: get("port").parse().unwrap_or(0),
                id: get("runid"),
                down: flags(&entry)
                    .iter()
                    .any(|flag| flag.ends_with("_down") || flag == "disconnected"),
                priority: get("slave-priority").parse().unwrap_or(100),
            }
        })
        .collect()
}

/// An answer cut at its `@@` lines.
struct Sections<'a> {
    list: Vec<(&'a str, &'a str, Vec<&'a str>)>,
}

impl<'a> Sections<'a> {
    fn of(text: &'a str) -> Sections<'a> {
        let mut list: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("@@") {
                let (name, rest) = head.split_once(' ').unwrap_or((head, ""));
                list.push((name, rest.trim(), Vec::new()));
            } else if let Some((_, _, body)) = list.last_mut() {
                body.push(line);
            }
        }
        Sections { list }
    }

    fn has(&self, name: &str) -> bool {
        self.list.iter().any(|(found, ..)| *found == name)
    }

    fn heads(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.list
            .iter()
            .filter(move |(found, ..)| *found == name)
            .map(|(_, head, _)| *head)
    }

    fn head(&self, name: &str) -> &'a str {
        self.heads(name).next().unwrap_or_default()
    }

    fn body(&self, name: &str) -> Vec<&'a str> {
        self.list
            .iter()
            .find(|(found, ..)| *found == name)
            .map_or(Vec::new(), |(.., body)| body.clone())
    }
}

#[cfg(test)]
mod tests;
