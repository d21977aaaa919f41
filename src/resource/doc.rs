//! What the doc comment of a kind says, and in which group people look for the kind. The comments come from the sources by the build script.

#[cfg(test)]
mod cut;
#[cfg(test)]
mod tests;

use super::Kind;

include!(concat!(env!("OUT_DIR"), "/kinds.rs"));

/// A doc comment, by its headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doc {
    /// What the kind is for: paragraphs.
    pub intro: Vec<String>,
    /// What Ansible does otherwise.
    pub differs: Vec<String>,
    /// What must be there, such as Debian packages on the node.
    pub needs: Vec<String>,
    /// What `register` gets, beside what each task gives.
    pub returns: Vec<String>,
    /// Lists of tasks, in YAML.
    pub examples: Vec<String>,
}

impl Kind {
    /// Its doc comment.
    pub fn doc(&self) -> Doc {
        let comment = COMMENTS.iter().find(|(name, _)| *name == self.name);
        comment.map_or_else(Doc::default, |(_, text)| parse(text).0)
    }

    /// The heading of [`GROUPS`] that it stands under.
    pub fn group(&self) -> &'static str {
        let group = GROUPS.iter().find(|(_, kinds)| kinds.contains(&self.name));
        group.map_or(OTHERS, |(heading, _)| heading)
    }
}

/// The heading for kinds of no group.
pub const OTHERS: &str = "Others";

/// The kinds by what they are about, in the order they are shown in.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "Files",
        &[
            "archive",
            "assemble",
            "blockinfile",
            "capabilities",
            "config_tree",
            "copy",
            "fetch",
            "file",
            "find",
            "get_url",
            "ini_file",
            "lineinfile",
            "replace",
            "slurp",
            "stat",
            "synchronize",
            "tempfile",
            "template",
            "unarchive",
        ],
    ),
    (
        "Packages and releases",
        &[
            "apt",
            "apt_repository",
            "deb822_repository",
            "debconf",
            "dpkg_selections",
            "git",
            "package",
            "package_facts",
            "pip",
            "release",
        ],
    ),
    (
        "Accounts and ways in",
        &[
            "authorized_key",
            "getent",
            "group",
            "htpasswd",
            "iptables_rules",
            "known_hosts",
            "pam_limits",
            "sudoers",
            "user",
        ],
    ),
    (
        "Services and the system",
        &[
            "alternatives",
            "cron",
            "cronvar",
            "hostname",
            "locale_gen",
            "modprobe",
            "mount",
            "reboot",
            "service",
            "service_facts",
            "sysctl",
            "systemd_service",
            "timezone",
        ],
    ),
    (
        "Commands and requests",
        &[
            "command",
            "pause",
            "ping",
            "raw",
            "script",
            "shell",
            "uri",
            "wait_for",
            "wait_for_connection",
        ],
    ),
    (
        "Databases",
        &[
            "postgres_cluster",
            "postgresql_db",
            "postgresql_ext",
            "postgresql_privs",
            "postgresql_user",
            "redis_cluster",
        ],
    ),
    (
        "Certificates",
        &["openssl_csr", "openssl_privatekey", "x509_certificate"],
    ),
    (
        "Variables and words",
        &[
            "assert",
            "debug",
            "fail",
            "set_fact",
            "setup",
            "validate_argument_spec",
        ],
    ),
];

/// The headings of a comment, in order.
const HEADINGS: [&str; 4] = ["Differs from Ansible", "Needs", "Returns", "Examples"];

/// Takes a comment apart; what has not the shape that the rule wants is told beside it.
fn parse(comment: &str) -> (Doc, Vec<String>) {
    let mut doc = Doc::default();
    let mut faults = Vec::new();
    let mut sections: Vec<(usize, Vec<&str>)> = vec![(0, Vec::new())];
    let mut fenced = false;
    for line in comment.lines() {
        fenced ^= line.starts_with("```");
        match line.strip_prefix("# ").filter(|_| !fenced) {
            None => {
                if let Some((_, lines)) = sections.last_mut() {
                    lines.push(line);
                }
            }
            Some(heading) => match HEADINGS.iter().position(|known| *known == heading) {
                Some(at) => sections.push((at + 1, Vec::new())),
                None => faults.push(format!("`# {heading}` is none of its headings")),
            },
        }
    }
    if !sections.is_sorted_by(|one, other| one.0 < other.0) {
        faults.push("its headings are not in order".to_owned());
    }
    for (at, lines) in sections {
        match at {
            0 => doc.intro = paragraphs(&lines),
            1 => doc.differs = items(&lines, &mut faults),
            2 => doc.needs = items(&lines, &mut faults),
            3 => doc.returns = items(&lines, &mut faults),
            _ => doc.examples = blocks(&lines, &mut faults),
        }
    }
    (doc, faults)
}

fn paragraphs(lines: &[&str]) -> Vec<String> {
    lines
        .split(|line| line.trim().is_empty())
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join(" "))
        .collect()
}

/// Items that begin with `- `; lines that are indented go on with the one before.
fn items(lines: &[&str], faults: &mut Vec<String>) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(text), _) => items.push(text.trim().to_owned()),
            (None, Some(item)) if line.starts_with("  ") => {
                item.push(' ');
                item.push_str(line.trim());
            }
            _ => faults.push(format!("`{line}` belongs to no item of a list")),
        }
    }
    items
}

/// What stands between fences of `yaml`.
fn blocks(lines: &[&str], faults: &mut Vec<String>) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in lines {
        match (&mut open, *line) {
            (None, "```yaml") => open = Some(String::new()),
            (None, line) if line.trim().is_empty() => {}
            (None, line) => faults.push(format!("`{line}` stands outside of ```yaml")),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    if open.is_some() {
        faults.push("an example has no end".to_owned());
    }
    blocks
}
