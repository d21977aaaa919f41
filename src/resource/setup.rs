//! `setup`: gathers the facts again.

use globset::Glob;

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::{Diagnostic, list};
use crate::fact::{Known, Missing, Question, gather};

/// Gathers the facts of the node again, such as after a change of the network.
///
/// # Differs from Ansible
/// - all facts are read in one go; `gather_subset` is accepted and means nothing
/// - local facts are always read from `/etc/ansible/facts.d`: `fact_path` is refused
///
/// # Returns
/// - `ansible_facts`: the facts
///
/// # Examples
/// ```yaml
/// - name: the facts again
///   setup:
///     filter: ["ansible_default_ipv4"]
/// ```
pub static SETUP: Kind = Kind {
    name: "setup",
    aliases: &[
        "ansible.builtin.setup",
        "gather_facts",
        "ansible.builtin.gather_facts",
    ],
    summary: "gathers the facts of the node again",
    params: &[
        Param::new(
            "gather_subset",
            ParamType::List,
            "Accepted; all facts are read in one go, whichever are wanted.",
        )
        .default("all"),
        Param::new(
            "filter",
            ParamType::List,
            "Shell patterns; only facts whose names match one are in the result.",
        ),
        Param::new(
            "gather_timeout",
            ParamType::Int,
            "Accepted; the facts take milliseconds.",
        )
        .default("10"),
    ],
    free_form: None,
    refused: &[(
        "fact_path",
        "local facts are always read from `/etc/ansible/facts.d` of the node; put the files there",
    )],
    check,
    bind: |args, _| bind(args),
};

const SUBSETS: [&str; 24] = [
    "all",
    "min",
    "hardware",
    "network",
    "virtual",
    "distribution",
    "env",
    "date_time",
    "apparmor",
    "caps",
    "chroot",
    "cmdline",
    "devices",
    "dns",
    "fips",
    "interfaces",
    "local",
    "lsb",
    "mounts",
    "pkg_mgr",
    "platform",
    "python",
    "selinux",
    "service_mgr",
];

struct Setup {
    filter: Vec<globset::GlobMatcher>,
}

fn check(args: &Args) -> Vec<Diagnostic> {
    // Ansible also takes the name of a fact, for those that are gathered with it.
    let known = |subset: &&str| {
        let subset = subset.trim_start_matches('!');
        SUBSETS.contains(&subset) || gather::NAMES.contains(&subset)
    };
    args.list("gather_subset")
        .into_iter()
        .filter(|subset| !subset.contains("{{") && !known(subset))
        .map(|subset| {
            Diagnostic::at(
                args.value_place("gather_subset"),
                format!("there is no subset `{subset}` of facts"),
            )
            .help(format!(
                "it is one of {}, each also with a leading `!`",
                list(SUBSETS)
            ))
        })
        .collect()
}

fn bind(args: &Args) -> Bound {
    let mut filter = Vec::new();
    for pattern in args.list("filter") {
        let glob = Glob::new(pattern).map_err(|error| {
            Diagnostic::at(
                args.value_place("filter"),
                format!("`{pattern}` is not a pattern: {}", error.kind()),
            )
        })?;
        filter.push(glob.compile_matcher());
    }
    Ok(Box::new(Setup { filter }))
}

impl Resource for Setup {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Facts])?;
        let wanted = |name: &str| {
            self.filter.is_empty()
                || self
                    .filter
                    .iter()
                    .any(|glob| glob.is_match(name) || glob.is_match(gather::variable(name)))
        };
        let facts: serde_json::Map<String, serde_json::Value> = known
            .facts()?
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (gather::variable(name), value.clone()))
            .collect();
        Ok(Change::none(format!("{} facts", facts.len()))
            .result("ansible_facts", serde_json::Value::Object(facts)))
    }
}
