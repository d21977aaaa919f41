//! What a case's node answers, written tersely. Keys are `<question> <subject>`:
//!
//! ```yaml
//! path /etc/motd: f 0644 root root 12     # kind, mode, owner, group, size; `d 0755 root root`; numbers are made up
//! path /etc/link: l -> motd (f)           # a link with what stands behind it; its real path beside: `=> /etc/motd`
//! path /etc/none: absent                  # also `absent => /real/path`
//! path ~nobody/x: homeless
//! digest /etc/motd: of hello              # the digest of a text; or 64 hex digits; or null
//! text /etc/motd: "hello\n"               # null for none
//! tree /srv: { sub: d 0755 root root, sub/f: f 0644 root root }    # null for none
//! listing 1 /srv: { sub: d 0755 root root }    # levels and folder, as of 100 seconds behind the times of all
//! glob /srv/*: [/srv/x]
//! package nginx: 1.22.1-9                 # null; or { installed, version, held, config_files, half_way }
//! candidate nginx: 1.22.1-9               # null; or { version, providers, provided_by, versions }
//! lists: { age: 100 }    # also outdated: true
//! simulation upgrade: [Inst bash]
//! account web: { uid: 1000, gid: 1000, group: web, home: /home/web, shell: /bin/sh, groups: [] }   # null for none
//! group web: { gid: 1000, members: [] }   # null for none
//! unit nginx.service: { load: loaded, active: active, enabled: enabled }
//! probe fetch /etc/motd: "text"           # a kind's own script, called by its first line; what it prints
//! http http://127.0.0.1/x: { status: 200, body: text }     # null for none
//! firewall CHAIN: { v4: [rule], v4_input: [rule], v6: … }    # also version, error, legacy, flushed, from, port
//! pem /etc/x.key: { kind: key, text: "...", now: 0 }    # null for none; false without openssl
//! 'postgres {"role":"app"}': { conn_limit: 3 }    # null for none; `standby`, `silent: WHY`, `refused: WHY`, `text: TEXT`
//! facts: { ansible_distribution: Debian }
//! ```

use std::sync::Arc;

use hadeploy::fact::postgres::Ask;
use hadeploy::fact::{
    AccountInfo, Aging, Answer, AptLists, CandidateInfo, FirewallInfo, GroupInfo, HttpReply,
    Listing, PackageInfo, PathInfo, Pem, PostgresReply, Question, Rules, Stat, TreeEntry, UnitInfo,
};
use serde_json::Value;
use sha2::Digest;

/// The question that `words` spell.
pub fn question(words: &str) -> Result<Question, String> {
    let (kind, key) = words.split_once(' ').unwrap_or((words, ""));
    let key: Arc<str> = key.into();
    Ok(match kind {
        "path" => Question::Path(key),
        "digest" => Question::Digest(key),
        "text" => Question::Text(key),
        "tree" => Question::Tree(key),
        "listing" => Question::Listing(key),
        "glob" => Question::Glob(key),
        "package" => Question::Package(key),
        "candidate" => Question::Candidate(key),
        "lists" => Question::AptLists,
        "simulation" => Question::Simulation(key),
        "account" => Question::Account(key),
        "group" => Question::Group(key),
        "unit" => Question::Unit(key),
        "probe" => Question::Probe(key),
        "http" => Question::Http(key),
        "firewall" => Question::Firewall(key),
        "pem" => Question::Pem(key),
        "postgres" => Question::Postgres(key),
        "facts" => Question::Facts,
        _ => return Err(format!("`{words}` is no question")),
    })
}

/// A question as a case spells it.
pub fn spell(question: &Question) -> String {
    match question {
        Question::Path(key) => format!("path {key}"),
        Question::Digest(key) => format!("digest {key}"),
        Question::Text(key) => format!("text {key}"),
        Question::Tree(key) => format!("tree {key}"),
        Question::Listing(key) => format!("listing {key}"),
        Question::Glob(key) => format!("glob {key}"),
        Question::Package(key) => format!("package {key}"),
        Question::Candidate(key) => format!("candidate {key}"),
        Question::AptLists => "lists".to_owned(),
        Question::Simulation(key) => format!("simulation {key}"),
        Question::Account(key) => format!("account {key}"),
        Question::Group(key) => format!("group {key}"),
        Question::Unit(key) => format!("unit {key}"),
        Question::Probe(key) => format!("probe {}", key.lines().next().unwrap_or_default()),
        Question::Http(key) => format!("http {key}"),
        Question::Firewall(key) => format!("firewall {key}"),
        Question::Pem(key) => format!("pem {key}"),
        Question::Postgres(key) => format!("postgres {key}"),
        Question::Facts => "facts".to_owned(),
    }
}

/// The answer that `value` spells.
pub fn answer(question: &Question, value: &Value) -> Result<Answer, String> {
    Ok(match question {
        Question::Path(key) => Answer::Path(path(key, text(value)?)?),
        Question::Digest(_) => Answer::Digest(digest(value)?),
        Question::Text(_) => Answer::Text(value.as_str().map(|text| text.as_bytes().into())),
        Question::Tree(_) => Answer::Tree(entries(value)?.map(Arc::new)),
        Question::Listing(key) => Answer::Listing(entries(value)?.map(|entries| {
            Arc::new(Listing {
                now: 1_700_000_100.0,
                folder: key.split_once(' ').map_or("", |(_, folder)| folder).into(),
                entries,
            })
        })),
        Question::Glob(_) => Answer::Glob(Arc::new(
            words(value).iter().map(|word| word.to_string()).collect(),
        )),
        Question::Package(_) => Answer::Package(PackageInfo {
            installed: value.is_string() || flag(value, "installed"),
            version: value.as_str().map(Arc::from).or(string(value, "version")),
            held: flag(value, "held"),
            config_files: flag(value, "config_files"),
            half_way: flag(value, "half_way"),
            automatic: flag(value, "automatic"),
        }),
        Question::Candidate(_) => Answer::Candidate(CandidateInfo {
            version: value.as_str().map(Arc::from).or(string(value, "version")),
            providers: words(&value["providers"]),
            provided_by: words(&value["provided_by"]),
            versions: match value.as_str() {
                Some(version) => vec![version.into()],
                None => words(&value["versions"]),
            },
        }),
        Question::AptLists => Answer::AptLists(AptLists {
            age: value["age"].as_u64(),
            outdated: flag(value, "outdated"),
        }),
        Question::Simulation(_) => Answer::Simulation(Arc::new(words(value))),
        Question::Account(_) => Answer::Account(value.is_object().then(|| account(value))),
        Question::Group(_) => Answer::Group(value.is_object().then(|| GroupInfo {
            gid: number(value, "gid"),
            members: words(&value["members"]),
        })),
        Question::Unit(_) => Answer::Unit(UnitInfo {
            load: string(value, "load").unwrap_or("loaded".into()),
            active: string(value, "active").unwrap_or("inactive".into()),
            sub: string(value, "sub").unwrap_or("dead".into()),
            enabled: string(value, "enabled").unwrap_or_default(),
            needs_reload: flag(value, "needs_reload"),
            service_type: string(value, "service_type").unwrap_or("simple".into()),
            remain_after_exit: flag(value, "remain_after_exit"),
            result: string(value, "result").unwrap_or("success".into()),
        }),
        Question::Probe(_) => Answer::Probe(text(value)?.as_bytes().into()),
        Question::Http(_) => Answer::Http(value.is_object().then(|| HttpReply {
            status: number(value, "status").unwrap_or(200) as u16,
            body: string(value, "body").unwrap_or_default(),
        })),
        Question::Firewall(_) => Answer::Firewall(FirewallInfo {
            version: string(value, "version").unwrap_or("iptables v1.8.9 (nf_tables)".into()),
            error: string(value, "error").unwrap_or_default(),
            legacy: flag(value, "legacy"),
            flushed: flag(value, "flushed"),
            way_in: string(value, "from")
                .zip(value["port"].as_u64().and_then(|port| port.try_into().ok())),
            v4: rules(value, "v4"),
            v6: rules(value, "v6"),
        }),
        Question::Pem(_) => Answer::Pem(Pem {
            openssl: *value != false,
            kind: string(value, "kind").unwrap_or_default(),
            text: string(value, "text").unwrap_or_default(),
            now: value["now"].as_i64().unwrap_or_default(),
        }),
        Question::Postgres(key) => Answer::Postgres(postgres(key, value)?),
        Question::Facts => Answer::Facts(Arc::new(
            value.as_object().ok_or("facts are a mapping")?.clone(),
        )),
    })
}

fn postgres(key: &str, value: &Value) -> Result<PostgresReply, String> {
    let text = |error: serde_json::Error| error.to_string();
    let ask: Ask = serde_json::from_str(key).map_err(text)?;
    let found = |value| ask.found(value).map(PostgresReply::Found).map_err(text);
    match value
        .as_str()
        .map(|words| words.split_once(": ").unwrap_or((words, "")))
    {
        Some(("standby", _)) => Ok(PostgresReply::Standby),
        Some(("silent", why)) => Ok(PostgresReply::Silent(why.into())),
        Some(("refused", why)) => Ok(PostgresReply::Refused(why.into())),
        Some(("text", time)) => found(time.into()),
        Some(_) => Err(format!("`{value}` is no answer of PostgreSQL")),
        None => found(value.clone()),
    }
}

fn entries(value: &Value) -> Result<Option<Vec<TreeEntry>>, String> {
    let Some(entries) = value.as_object() else {
        return Ok(None);
    };
    let mut tree = Vec::new();
    for (name, value) in entries {
        tree.push(TreeEntry {
            name: name.as_str().into(),
            stat: path(name, text(value)?)?.stat.ok_or("an absent entry")?,
        });
    }
    Ok(Some(tree))
}

fn rules(value: &Value, family: &str) -> Rules {
    let input = format!("{family}_input");
    Rules {
        chain: value[family]
            .is_array()
            .then(|| Arc::new(words(&value[family]))),
        input: Arc::new(words(&value[input.as_str()])),
    }
}

fn account(value: &Value) -> AccountInfo {
    AccountInfo {
        uid: number(value, "uid"),
        gid: number(value, "gid"),
        group: string(value, "group").unwrap_or_default(),
        comment: string(value, "comment").unwrap_or_default(),
        home: string(value, "home").unwrap_or_default(),
        home_exists: value["home_exists"].as_bool().unwrap_or(true),
        shell: string(value, "shell").unwrap_or("/bin/sh".into()),
        groups: words(&value["groups"]),
        password: string(value, "password"),
        expires: value["expires"].as_i64(),
        aging: Aging {
            min: number(value, "min"),
            max: number(value, "max"),
            warn: number(value, "warn"),
            inactive: number(value, "inactive"),
        },
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or(format!("`{value}` is no text"))
}

fn string(value: &Value, key: &str) -> Option<Arc<str>> {
    value[key].as_str().map(Arc::from)
}

fn number(value: &Value, key: &str) -> Option<u32> {
    value[key].as_u64().and_then(|n| n.try_into().ok())
}

fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn words(value: &Value) -> Vec<Arc<str>> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(Arc::from)
        .collect()
}

fn digest(value: &Value) -> Result<Option<Arc<str>>, String> {
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    Ok(Some(match text.strip_prefix("of ") {
        Some(text) => sha256(text.as_bytes()).into(),
        None => text.into(),
    }))
}

pub fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn path(key: &str, words: &str) -> Result<PathInfo, String> {
    let (words, real) = match words.split_once(" => ") {
        Some((words, real)) => (words, real),
        None => (words, key),
    };
    let abs = match key.strip_prefix('~') {
        Some(rest) if words != "homeless" => match rest.strip_prefix('/') {
            Some(rest) => format!("/root/{rest}"),
            None if rest.is_empty() => "/root".to_owned(),
            None => format!("/home/{rest}"),
        },
        _ => key.to_owned(),
    };
    let real = if real == key {
        abs.clone()
    } else {
        real.to_owned()
    };
    Ok(PathInfo {
        abs: abs.into(),
        real: real.into(),
        stat: match words {
            "absent" | "homeless" => None,
            words => Some(stat(words)?),
        },
    })
}

fn stat(words: &str) -> Result<Stat, String> {
    let mut rest = words.split_whitespace();
    let kind = rest
        .next()
        .and_then(|word| word.chars().next())
        .ok_or("a kind is missing")?;
    let mut stat = Stat {
        kind,
        target_kind: kind,
        mode: 0o777,
        uid: Some(0),
        gid: Some(0),
        owner: "root".into(),
        group: "root".into(),
        size: 0,
        mtime: 1_700_000_000.0,
        atime: 1_700_000_000.0,
        ctime: 1_700_000_000.0,
        inode: 1,
        links: 1,
        device: 1,
        link: None,
    };
    if kind == 'l' {
        let (_, target) = words.split_once("-> ").ok_or("a link needs `-> TARGET`")?;
        let (target, behind) = target.split_once(" (").unwrap_or((target, "f)"));
        stat.link = Some(target.into());
        stat.target_kind = behind.chars().next().unwrap_or('f');
        return Ok(stat);
    }
    let mode = rest.next().ok_or("a mode is missing")?;
    stat.mode = u32::from_str_radix(mode, 8).map_err(|_| format!("`{mode}` is no mode"))?;
    let mut owner = |name: &mut Arc<str>| {
        if let Some(word) = rest.next() {
            *name = word.into();
        }
        let id = match &**name {
            "root" => 0,
            name => name.parse().unwrap_or(1000),
        };
        Some(id)
    };
    stat.uid = owner(&mut stat.owner);
    stat.gid = owner(&mut stat.group);
    if let Some(size) = rest.next() {
        stat.size = size.parse().map_err(|_| format!("`{size}` is no size"))?;
    }
    Ok(stat)
}
