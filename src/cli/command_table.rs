//! The command line as it is parsed, completed and printed as manual pages: what the subcommands declare, with their examples and what completes.

use clap::{Command, CommandFactory};

use super::{Arguments, complete};

/// The version, with the commit and its day where the build knew them.
pub const VERSION: &str = env!("HADEPLOY_VERSION");

/// Examples of subcommands that have no other help behind their options.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "validate",
        &[
            "validate playbooks/site.yml -i inventory.yml",
            "validate site.yml --list-tasks --tags web",
        ],
    ),
    ("demo", &["demo", "demo --release 13 --down"]),
    ("node", &["node forget n3 --yes", "node replace n3"]),
    ("pg", &["pg status", "pg switchover --to n2"]),
    (
        "pg status",
        &["pg status", "pg status --watch 5 -i inventory.yml"],
    ),
    (
        "pg switchover",
        &["pg switchover", "pg switchover --to n2 -i inventory.yml"],
    ),
    (
        "pg rejoin",
        &["pg rejoin n3", "pg rejoin n3 --yes -i inventory.yml"],
    ),
    (
        "pg repair",
        &["pg repair", "pg repair --yes -i inventory.yml"],
    ),
    ("redis", &["redis status", "redis failover"]),
    (
        "redis status",
        &["redis status", "redis status --output json"],
    ),
    (
        "redis failover",
        &["redis failover", "redis failover --yes -i inventory.yml"],
    ),
    (
        "vault encrypt",
        &["vault encrypt group_vars/all/secrets.yml"],
    ),
    (
        "vault decrypt",
        &["vault decrypt group_vars/all/secrets.yml --output -"],
    ),
    ("vault view", &["vault view group_vars/all/secrets.yml"]),
    ("vault edit", &["vault edit group_vars/all/secrets.yml"]),
    (
        "vault create",
        &["vault create group_vars/prod/secrets.yml"],
    ),
    (
        "vault encrypt-string",
        &["vault encrypt-string --stdin-name db_password"],
    ),
    (
        "vault rekey",
        &["vault rekey --new-vault-id prod@prompt group_vars/prod/secrets.yml"],
    ),
    ("vault diff", &["vault diff group_vars/all/secrets.yml"]),
    (
        "lab",
        &[
            "lab up --nodes 3",
            "lab exec n1 -- systemctl status",
            "lab down",
        ],
    ),
    (
        "lab up",
        &[
            "lab up --nodes 3 --balancer",
            "lab up --name small --nodes 1 --disk 2G --release 13",
        ],
    ),
    ("lab status", &["lab status", "lab status --output json"]),
    ("lab inventory", &["lab inventory"]),
    ("lab exec", &["lab exec n1 -- journalctl -n 20"]),
    ("lab kill", &["lab kill n1"]),
    ("lab start", &["lab start n1"]),
    ("lab renew", &["lab renew n1"]),
    ("lab cut", &["lab cut n1", "lab cut n1 --from n2 --one-way"]),
    ("lab heal", &["lab heal n1", "lab heal"]),
    ("lab down", &["lab down --name small"]),
];

/// All subcommands with their options.
pub fn command() -> Command {
    let mut command = Arguments::command();
    for (path, examples) in EXAMPLES {
        command = at(command, &path.split(' ').collect::<Vec<_>>(), &|command| {
            command.after_help(shown(examples))
        });
    }
    complete::attach(command)
}

fn shown(examples: &[&str]) -> String {
    let lines = examples.iter().map(|line| format!("\n  hadeploy {line}"));
    format!("Examples:{}", lines.collect::<String>())
}

/// Changes the subcommand below `command` that the words lead to.
fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [first, rest @ ..] => command.mut_subcommand(first, |below| at(below, rest, change)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::command;

    /// Every subcommand that is shown, each with its words.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        let below = command.get_subcommands();
        for below in below.filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            all(below, format!("{path} {}", below.get_name()).trim(), found);
        }
    }

    fn commands() -> Vec<(String, Command)> {
        let mut root = command();
        root.build();
        let mut found = Vec::new();
        all(&root, "", &mut found);
        found
    }

    #[test]
    fn help_is_narrow_and_each_subcommand_has_an_example() {
        let mut faults = Vec::new();
        for (path, command) in commands() {
            let help = command
                .clone()
                .term_width(80)
                .render_long_help()
                .to_string();
            for line in help.lines().filter(|line| line.chars().count() > 80) {
                faults.push(format!("`hadeploy {path} --help` is wide: {line}"));
            }
            if !help.contains(&format!("\n  hadeploy {path}")) {
                faults.push(format!("`hadeploy {path} --help` has no example"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// What an example says can be typed.
    #[test]
    fn examples_are_right() {
        let mut faults = Vec::new();
        for (path, shown) in commands() {
            let help = shown.clone().render_long_help().to_string();
            let examples = help
                .lines()
                .filter_map(|line| line.strip_prefix("  hadeploy "));
            for example in examples {
                let line = example
                    .split([';', '|', '<', '>'])
                    .next()
                    .unwrap_or(example);
                let words = line.split_whitespace().map(|word| word.trim_matches('\''));
                let parsed = command().try_get_matches_from(["hadeploy"].into_iter().chain(words));
                if let Err(error) = parsed {
                    faults.push(format!("hadeploy {path}: `hadeploy {example}`: {error}"));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
