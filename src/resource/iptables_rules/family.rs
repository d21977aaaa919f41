//! The two families, what IP itself always needs in each, and rules compared by what they do.

use super::rule::number;

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `iptables`
    V4,
    /// `ip6tables`
    V6,
}

/// Both.
pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

/// What a packet that no rule lets in comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It is dropped.
    Drop,
    /// It is dropped and its sender told.
    Reject,
    /// The rules behind the chain decide.
    Return,
}

impl Family {
    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Family::V4 => "iptables",
            Family::V6 => "ip6tables",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    /// The end of its file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Family::V4 => "v4",
            Family::V6 => "v6",
        }
    }

    /// The rules before those of the user: this machine itself, what belongs to something begun, and what IP cannot do without.
    pub fn before(self, ping: bool) -> Vec<String> {
        let mut rules = vec![
            "-i lo -j ACCEPT".to_owned(),
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".to_owned(),
        ];
        let types = |types: &[u8]| -> Vec<String> {
            let (proto, module, option) = match self {
                Family::V4 => ("icmp", "icmp", "icmp-type"),
                Family::V6 => ("ipv6-icmp", "icmp6", "icmpv6-type"),
            };
            types
                .iter()
                .map(|kind| format!("-p {proto} -m {module} --{option} {kind} -j ACCEPT"))
                .collect()
        };
        match self {
            // Unreachable (path MTU), time exceeded, parameter problem.
            Family::V4 => rules.extend(types(&[3, 11, 12])),
            Family::V6 => {
                // The same, and: routers, neighbours, multicast listeners, and answers of DHCP, which conntrack does not know.
                rules.extend(types(&[1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 143]));
                rules.push("-s fe80::/10 -p udp -m udp --dport 546 -j ACCEPT".to_owned());
            }
        }
        rules.push("-m conntrack --ctstate INVALID -j DROP".to_owned());
        if ping {
            rules.extend(types(match self {
                Family::V4 => &[8],
                Family::V6 => &[128],
            }));
        }
        rules
    }

    /// The last rule.
    pub fn last(self, policy: Policy) -> Option<String> {
        match (policy, self) {
            (Policy::Return, _) => None,
            (Policy::Drop, _) => Some("-j DROP".to_owned()),
            (Policy::Reject, Family::V4) => {
                Some("-j REJECT --reject-with icmp-port-unreachable".to_owned())
            }
            (Policy::Reject, Family::V6) => {
                Some("-j REJECT --reject-with icmp6-port-unreachable".to_owned())
            }
        }
    }
}

/// A rule by what it does: words without quotes, rates by the day, protocols by their numbers, states and names in one order.
pub fn essence(rule: &str) -> Vec<String> {
    let mut words = words(rule);
    // Printed by itself where the rate is printed in another unit than it was given in.
    if let Some(at) = words
        .iter()
        .position(|word| word == "--hashlimit-htable-expire")
    {
        words.drain(at..(at + 2).min(words.len()));
    }
    for at in 1..words.len() {
        let (before, rest) = words.split_at_mut(at);
        let (option, word) = (before[at - 1].as_str(), &mut rest[0]);
        match option {
            "-p" => {
                if let Some(number) = number(word) {
                    *word = number;
                }
            }
            "--hashlimit-upto" => {
                if let Some(rate) = rate(word) {
                    *word = rate;
                }
            }
            "--ctstate" => {
                let mut states: Vec<&str> = word.split(',').collect();
                states.sort_unstable();
                *word = states.join(",");
            }
            _ => {}
        }
    }
    words
}

/// So many a day.
fn rate(word: &str) -> Option<String> {
    let (count, unit) = word.split_once('/')?;
    let count: u64 = count.parse().ok()?;
    let times = match unit.as_bytes().first()? {
        b's' => 86_400,
        b'm' => 1440,
        b'h' => 24,
        _ => 1,
    };
    Some(format!("{}/day", count * times))
}

fn words(rule: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut letters = rule.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            ' ' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_the_same_when_they_do_the_same() {
        let same = |one: &str, other: &str| assert_eq!(essence(one), essence(other));
        same("-p vrrp -j ACCEPT", "-p 112 -j ACCEPT");
        same(
            "-m hashlimit --hashlimit-upto 60/min",
            "-m hashlimit --hashlimit-upto 1/sec --hashlimit-htable-expire 60000",
        );
        same(
            "-m comment --comment ssh -j ACCEPT",
            "-m comment --comment \"ssh\" -j ACCEPT",
        );
        same(
            "-m conntrack --ctstate RELATED,ESTABLISHED",
            "-m conntrack --ctstate ESTABLISHED,RELATED",
        );
        assert_ne!(
            essence("-p tcp -m tcp --dport 22 -j ACCEPT"),
            essence("-p tcp -m tcp --dport 23 -j ACCEPT")
        );
        assert_ne!(
            essence("-m comment --comment \"a b\""),
            essence("-m comment --comment a b")
        );
    }
}
