//! Questions about the packet filter: a chain of ours in the tables `filter` of both families, and what else works there.

use std::sync::Arc;

use super::{Answer, FactError, Question};
use crate::command::quote;

/// The packet filter, as a chain of ours stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirewallInfo {
    /// What `iptables -V` says; empty when there is no iptables.
    pub version: Arc<str>,
    /// Why the rules cannot be read; empty when they can.
    pub error: Arc<str>,
    /// Whether the other front end of the kernel, `iptables-legacy`, has rules too.
    pub legacy: bool,
    /// Whether `nftables.service` is enabled with a configuration that flushes all rules.
    pub flushed: bool,
    /// The connection this is asked through: the address it comes from and the port it goes to, where the node knows it.
    pub way_in: Option<(Arc<str>, u16)>,
    /// IPv4.
    pub v4: Rules,
    /// IPv6.
    pub v6: Rules,
}

/// One family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The chain's rules as `iptables-save` prints them, without `-A CHAIN`; none when there is no such chain.
    pub chain: Option<Arc<Vec<Arc<str>>>>,
    /// The rules of `INPUT`, likewise.
    pub input: Arc<Vec<Arc<str>>>,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

/// Everything for all chains at once. `iptables-legacy-save` is asked only where the kernel has its tables: it would load them. Who came in through
/// sudo has lost `SSH_CONNECTION`; sudo itself still has it.
pub(super) fn chains_script(keys: &[&str]) -> String {
    let mut script = String::from(
        r#"if command -v iptables-save >/dev/null && command -v ip6tables-save >/dev/null; then printf 'version %s\n' "$(iptables -V 2>&1)"
for f in ip ip6; do printf 'family %s\n' "$f"; w=$("${f}tables-save" -t filter 2>&1) || printf 'error %s\n' "$(printf %s "$w" | tail -n1)"
printf '%s\n' "$w" | grep -e '^:' -e '^-A '; done
for f in ip ip6; do [ ! -s /proc/net/${f}_tables_names ] || ! "${f}tables-legacy-save" 2>/dev/null | grep -q '^-A ' || echo legacy; done
else echo absent; fi
case $(systemctl is-enabled nftables.service 2>/dev/null) in enabled*) ! grep -q '^[[:space:]]*flush[[:space:]]*ruleset' /etc/nftables.conf || echo flushed;; esac
s=$SSH_CONNECTION; [ -n "$s" ] || s=$(tr '\0' '\n' </proc/$PPID/environ 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p'); [ -z "$s" ] || printf 'way %s\n' "$s"
"#,
    );
    script.push_str(&format!(
        "printf 'chains %s\\n' {}\n",
        quote(&keys.join(" "))
    ));
    script
}

pub(super) fn parse_chains(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    if !text.lines().any(|line| line.starts_with("chains ")) {
        return Err(FactError {
            subject: "the packet filter",
            reason: "it ends too early".to_owned(),
        });
    }
    Ok(keys
        .iter()
        .map(|key| {
            (
                Question::Firewall((*key).into()),
                Answer::Firewall(chain(key, &text)),
            )
        })
        .collect())
}

fn chain(name: &str, text: &str) -> FirewallInfo {
    let mut info = FirewallInfo::default();
    let mut family = "";
    let (mut rules, mut inputs) = ([None, None], [Vec::new(), Vec::new()]);
    for line in text.lines() {
        let at = usize::from(family == "ip6");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "version" => info.version = rest.into(),
            "family" => family = rest,
            "error" => info.error = rest.into(),
            "legacy" => info.legacy = true,
            "flushed" => info.flushed = true,
            "way" => {
                let mut words = rest.split(' ');
                let from = words.next().map(Arc::from);
                let port = words.nth(2).and_then(|port| port.parse().ok());
                info.way_in = from.zip(port);
            }
            "-A" => {
                let (chain, rule) = rest.split_once(' ').unwrap_or((rest, ""));
                if chain == "INPUT" {
                    inputs[at].push(Arc::from(rule));
                } else if chain == name {
                    rules[at].get_or_insert_with(Vec::new).push(Arc::from(rule));
                }
            }
            _ if word.strip_prefix(':') == Some(name) => {
                rules[at].get_or_insert_with(Vec::new);
            }
            _ => {}
        }
    }
    let [rules4, rules6] = rules;
    let [input4, input6] = inputs;
    let family = |chain: Option<Vec<Arc<str>>>, input: Vec<Arc<str>>| Rules {
        chain: chain.map(Arc::new),
        input: Arc::new(input),
    };
    info.v4 = family(rules4, input4);
    info.v6 = family(rules6, input6);
    info
}
