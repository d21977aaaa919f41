//! `iptables_rules`: what is let in, by IPv4 and IPv6 together, in a chain of its own beside everybody else's rules.
//!
//! Rules are loaded for the next start by a unit of our own rather than by the package iptables-persistent: that one loads a whole table, saves what
//! fail2ban wrote as if it were ours, and removes it at each reload. Ours loads this chain and touches nothing else.

mod family;
mod rule;
mod script;

use std::net::IpAddr;
use std::sync::Arc;

use self::family::{BOTH, Family, Policy, essence};
use self::rule::{Rule, unknown_keys};
use self::script::{FOLDER, Jump, LOAD, LOAD_TEXT, UNIT, UNIT_FILE, UNIT_TEXT};
use super::body::{sha256, text};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Field, Step, Touch};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, FirewallInfo, Known, Missing, Question, Rules};

/// Says what is let in, by IPv4 and IPv6 together, in a chain of its own beside everybody else's rules. A change cannot lock the run out: the
/// node takes it back unless a new connection confirms it.
///
/// # Needs
/// - the package `iptables`
///
/// # Returns
/// - `chain`: the chain
///
/// # Examples
/// ```yaml
/// - name: what is let in
///   iptables_rules:
///     rules:
///       - { name: ssh, ports: 22, limit: 10/minute }
///       - { name: web, ports: [80, 443] }
///       - { name: database, ports: 5432, from: 10.0.0.0/24 }
/// ```
pub static IPTABLES_RULES: Kind = Kind {
    name: "iptables_rules",
    aliases: &[],
    summary: "says what the packet filter lets in, for IPv4 and IPv6 together; a change of it cannot lock the run out",
    params: &[
        Param::new("rules", ParamType::Any, "A list of what is let in. Each has `name` (its comment) and any of `ports` (numbers and ranges), `proto` (tcp, which is the default with ports; udp, vrrp, esp, any …), `from` (addresses and networks of both families, or any), `interface`, `limit` (new connections of one address, such as 10/minute) with `burst` (5), and `comment` in place of the name."),
        Param::new("chain", ParamType::Str, "The chain that holds them. INPUT leads to it; chains of others stay as they are.").default("HADEPLOY-IN"),
        Param::new("policy", ParamType::Choice(&["drop", "reject", "return"]), "What happens to all else. `return` leaves it to the rules behind the chain.").default("drop"),
        Param::new("icmp", ParamType::Bool, "Whether ping is answered. What IP cannot do without is always let in, as are this machine itself and what belongs to a connection.").default("true"),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "`absent` removes the chain.").default("present"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    if args.str("state") != Some("absent") && !args.has("rules") {
        return vec![
            Diagnostic::at(&args.span, "`iptables_rules` needs `rules`")
                .help("only `state: absent` can do without them"),
        ];
    }
    let items = args.get("rules").and_then(|rules| rules.as_list());
    let maps = items.into_iter().flatten().filter_map(|item| item.as_map());
    maps.flat_map(unknown_keys).collect()
}

/// The chain as wanted.
struct Chain {
    name: String,
    /// None when it is to be absent.
    wanted: Option<Wanted>,
}

struct Wanted {
    declared: Vec<Rule>,
    policy: Policy,
    /// IPv4, IPv6.
    rules: [Vec<String>; 2],
}

fn bind(args: &Args, _controller: &dyn Controller) -> Bound {
    let name = args.str("chain").unwrap_or("HADEPLOY-IN").to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let builtin = [
        "INPUT", "OUTPUT", "FORWARD", "ACCEPT", "DROP", "REJECT", "RETURN", "QUEUE",
    ];
    if name.is_empty()
        || name.len() > 28
        || name.starts_with('-')
        || !name.chars().all(plain)
        || builtin.contains(&name.as_str())
    {
        return Err(Diagnostic::at(
            args.value_place("chain"),
            format!("`{name}` cannot be a chain of our own"),
        )
        .help("take up to 28 letters, digits, `-` and `_`, and no name of iptables itself")
        .into());
    }
    if args.str("state") == Some("absent") {
        return Ok(Box::new(Chain { name, wanted: None }));
    }
    let declared = match args.get("rules") {
        None => Vec::new(),
        Some(rules) => match rules.as_list() {
            Some(items) => items
                .iter()
                .map(Rule::read)
                .collect::<Result<Vec<_>, _>>()?,
            None => {
                return Err(Diagnostic::at(
                    &rules.span,
                    format!("`rules` is a list, not {}", rules.type_name()),
                )
                .into());
            }
        },
    };
    let policy = match args.str("policy") {
        Some("reject") => Policy::Reject,
        Some("return") => Policy::Return,
        _ => Policy::Drop,
    };
    let ping = args.bool("icmp", true);
    let rules = BOTH.map(|family| {
        let own = declared.iter().flat_map(|rule| rule.lines(family));
        let before = family.before(ping).into_iter();
        before.chain(own).chain(family.last(policy)).collect()
    });
    Ok(Box::new(Chain {
        name,
        wanted: Some(Wanted {
            declared,
            policy,
            rules,
        }),
    }))
}

impl Resource for Chain {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let files = self.files();
        let mut questions = vec![
            Question::Firewall(self.name.as_str().into()),
            Question::Unit(UNIT.into()),
        ];
        questions.extend(
            files
                .iter()
                .map(|(path, _)| Question::Digest(path.as_str().into())),
        );
        known.need(questions)?;
        let info = known.firewall(&self.name)?;
        if let Some(obstacle) = self.obstacle(info) {
            return Ok(obstacle);
        }
        let mut kept = known.unit(UNIT)?.enabled.starts_with("enabled");
        let mut left = false;
        for (path, content) in &files {
            let found = known.digest(path)?;
            kept &= found == Some(&sha256(content.as_bytes()));
            left |= found.is_some();
        }
        Ok(match &self.wanted {
            Some(wanted) => self.present(wanted, info, kept, known.wants_diff),
            None => self.absent(info, left),
        })
    }
}

impl Chain {
    /// The files that keep it for the next start. Those that all chains share stay while there is another.
    fn files(&self) -> Vec<(String, String)> {
        let table = |at: usize| match &self.wanted {
            Some(wanted) => script::table(&self.name, &wanted.rules[at]),
            None => String::new(),
        };
        let mut files = vec![
            (script::file(&self.name, Family::V4), table(0)),
            (script::file(&self.name, Family::V6), table(1)),
        ];
        if self.wanted.is_some() {
            files.push((LOAD.to_owned(), LOAD_TEXT.to_owned()));
            files.push((UNIT_FILE.to_owned(), UNIT_TEXT.to_owned()));
        }
        files
    }

    /// Why the packet filter cannot be managed.
    fn obstacle(&self, info: &FirewallInfo) -> Option<Change> {
        if info.version.is_empty() {
            if self.wanted.is_none() {
                return Some(Change::none("there is no iptables"));
            }
            return Some(
                Change::blocked("there is no iptables on the node")
                    .help("install the Debian package `iptables` before this task"),
            );
        }
        if !info.error.is_empty() {
            return Some(
                Change::failed(format!("the packet filter cannot be read: {}", info.error))
                    .help("only root may: set `become: true` on the task or the play"),
            );
        }
        if !info.version.contains("nf_tables") {
            return Some(
                Change::blocked(format!("`iptables` on the node is the old front end ({})", info.version))
                    .help("choose Debian's own: `update-alternatives --set iptables /usr/sbin/iptables-nft`, and the same for ip6tables"),
            );
        }
        if info.legacy {
            return Some(
                Change::blocked("two packet filters work at once: `iptables-legacy` has rules too")
                    .help("look at `iptables-legacy-save` and `ip6tables-legacy-save`, and remove those rules, or what makes them"),
            );
        }
        if info.flushed && self.wanted.is_some() {
            return Some(
                Change::blocked("nftables.service is enabled, and /etc/nftables.conf flushes all rules")
                    .help("disable it with `systemd_service: {name: nftables, enabled: false}`, or take `flush ruleset` out of the file"),
            );
        }
        None
    }

    fn present(&self, wanted: &Wanted, info: &FirewallInfo, kept: bool, diff: bool) -> Change {
        let found = [&info.v4, &info.v6];
        let jumps = found.map(|rules| Jump::of(&self.name, rules));
        let mut change = Change::none("");
        let mut effective = false;
        for (at, family) in BOTH.into_iter().enumerate() {
            if !is_same(found[at], &wanted.rules[at]) {
                change
                    .fields
                    .push(rules_field(family, found[at], &wanted.rules[at], diff));
                effective = true;
            }
            if jumps[at] != Jump::Right {
                let before = if found[at]
                    .input
                    .iter()
                    .any(|rule| **rule == *format!("-j {}", self.name))
                {
                    "misplaced"
                } else {
                    "absent"
                };
                change.fields.push(Field::value(
                    format!("{} jump", family.name()),
                    before,
                    "present",
                ));
                effective = true;
            }
        }
        if !kept {
            change
                .fields
                .push(Field::value("at boot", "other rules", "these rules"));
        }
        let count = wanted.rules.iter().map(Vec::len).sum::<usize>();
        change = change.result("chain", self.name.as_str());
        if !effective && kept {
            return change.reason(format!("{} has its {count} rules", self.name));
        }
        let tables = [0, 1].map(|at| script::table(&self.name, &wanted.rules[at]));
        let keep = script::keep(&self.name, &tables);
        change.action = Action::Update;
        if !effective {
            return change.step(self.kept(
                Step::new("keep the packet filter for the next start", keep),
                wanted,
            ));
        }
        if found.iter().all(|rules| rules.chain.is_none()) {
            change.action = Action::Create;
        }
        if let Some(words) = self.shuts_out(wanted, info) {
            change = change.warning(words);
        }
        let step = Step::new(
            "load the packet filter",
            script::load(&self.name, &tables, jumps),
        )
        .guard(script::guard(&self.name, keep));
        let mut new = info.clone();
        for (at, rules) in [&mut new.v4, &mut new.v6].into_iter().enumerate() {
            rules.chain = Some(Arc::new(
                wanted.rules[at]
                    .iter()
                    .map(|rule| Arc::from(rule.as_str()))
                    .collect(),
            ));
            rules.input = Arc::new(moved(&self.name, &rules.input, jumps[at]));
        }
        let step = step.touch(Touch::Firewall).predict(
            Question::Firewall(self.name.as_str().into()),
            Answer::Firewall(new),
        );
        change.step(self.kept(step, wanted))
    }

    /// What is known of the files behind a step that keeps the rules.
    fn kept(&self, step: Step, _wanted: &Wanted) -> Step {
        let mut step = step
            .touch(Touch::Path(FOLDER.to_owned()))
            .touch(Touch::Path(UNIT_FILE.to_owned()))
            .touch(Touch::Unit(UNIT.to_owned()));
        for (path, content) in self.files() {
            let digest = Answer::Digest(Some(sha256(content.as_bytes())));
            step = step.predict(Question::Digest(path.as_str().into()), digest);
        }
        step.predict(
            Question::Unit(UNIT.into()),
            Answer::Unit(crate::fact::UnitInfo {
                load: "loaded".into(),
                active: "inactive".into(),
                sub: "dead".into(),
                enabled: "enabled".into(),
                needs_reload: false,
                service_type: "oneshot".into(),
                remain_after_exit: true,
                result: "success".into(),
            }),
        )
    }

    fn absent(&self, info: &FirewallInfo, left: bool) -> Change {
        let jump = format!("-j {}", self.name);
        let is_there = [&info.v4, &info.v6]
            .into_iter()
            .any(|rules| rules.chain.is_some() || rules.input.iter().any(|rule| **rule == *jump));
        let change = Change::none("").result("chain", self.name.as_str());
        if !is_there && !left {
            return change.reason(format!("there is no {}", self.name));
        }
        let forget = script::forget(&self.name);
        let mut change = change.field(Field::value("state", "present", "absent"));
        change.action = Action::Delete;
        let mut step = if is_there {
            Step::new(
                "remove the packet filter's chain",
                script::unload(&self.name),
            )
            .guard(script::guard(&self.name, forget))
        } else {
            Step::new("forget the packet filter's chain", forget)
        };
        let mut new = info.clone();
        for rules in [&mut new.v4, &mut new.v6] {
            rules.chain = None;
            let others = rules.input.iter().filter(|rule| ***rule != *jump);
            rules.input = Arc::new(others.cloned().collect());
        }
        step = step
            .touch(Touch::Firewall)
            .touch(Touch::Path(FOLDER.to_owned()))
            .touch(Touch::Path(UNIT_FILE.to_owned()))
            .touch(Touch::Unit(UNIT.to_owned()))
            .predict(
                Question::Firewall(self.name.as_str().into()),
                Answer::Firewall(new),
            );
        for (path, _) in self.files() {
            step = step.predict(Question::Digest(path.as_str().into()), Answer::Digest(None));
        }
        change.step(step)
    }

    /// Said when no rule lets in the connection that asks.
    fn shuts_out(&self, wanted: &Wanted, info: &FirewallInfo) -> Option<String> {
        let (from, port) = info.way_in.as_ref()?;
        let address: IpAddr = from.parse().ok()?;
        let open = wanted.policy == Policy::Return
            || wanted
                .declared
                .iter()
                .any(|rule| rule.admits(address, *port));
        (!open).then(|| {
            format!(
                "no rule of {} lets in the connection of this run (from {address} to port {port}); unless a rule before it does, the node puts its old rules back by itself",
                self.name
            )
        })
    }
}

/// Whether the chain does what is wanted.
fn is_same(found: &Rules, wanted: &[String]) -> bool {
    found.chain.as_ref().is_some_and(|chain| {
        chain.len() == wanted.len()
            && chain
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| essence(found) == essence(wanted))
    })
}

fn rules_field(family: Family, found: &Rules, wanted: &[String], diff: bool) -> Field {
    let lines =
        |rules: &[&str]| -> String { rules.iter().map(|rule| format!("{rule}\n")).collect() };
    let before = found
        .chain
        .as_ref()
        .map(|chain| lines(&chain.iter().map(|rule| &**rule).collect::<Vec<_>>()));
    let after = lines(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    Field::Text {
        field: format!("{} rules", family.name()),
        before_sha256: before
            .as_ref()
            .map(|before| sha256(before.as_bytes()).to_string()),
        after_sha256: Some(sha256(after.as_bytes()).to_string()),
        before: before
            .filter(|_| diff)
            .and_then(|before| text(before.as_bytes())),
        after: text(after.as_bytes()).filter(|_| diff),
    }
}

/// The rules of `INPUT` with the jump in its place.
fn moved(chain: &str, input: &[Arc<str>], jump: Jump) -> Vec<Arc<str>> {
    let own = format!("-j {chain}");
    let mut rules = input.to_vec();
    if jump == Jump::Right {
        return rules;
    }
    rules.retain(|rule| **rule != *own);
    let at = match jump {
        Jump::Before(number) => number - 1,
        _ => rules.len(),
    };
    rules.insert(at.min(rules.len()), own.into());
    rules
}
