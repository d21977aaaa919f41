//! `hadeploy lab`: real Debian nodes on this machine.

use clap::{Args, Subcommand, ValueEnum};

use super::say;
use crate::lab::{Cut, Lab, LabError, Memory, NodeState, NodeStatus, Release, Wanted, Way};

/// Make and use real Debian nodes on this machine
#[derive(Debug, Args)]
pub struct LabArgs {
    /// The lab's name; labs of different names live side by side
    #[arg(long, global = true, default_value = "lab")]
    name: String,
    #[command(subcommand)]
    command: LabCommand,
}

/// What to do with the lab.
#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Make the lab, let it grow, or start what is down; returns when all nodes answer SSH
    Up {
        /// How many nodes: n1 to nN
        #[arg(long, value_name = "N")]
        nodes: u16,
        /// With a load balancer before them: lb1, in the group `lb`
        #[arg(long)]
        balancer: bool,
        /// The nodes' Debian release, 12 unless the lab exists
        #[arg(long, value_name = "12|13")]
        release: Option<Release>,
        /// The size of each node's disk, like 2G; unlimited if not given
        #[arg(long, value_name = "SIZE", value_parser = size)]
        disk: Option<u64>,
        /// Each node's memory, like 512M; 1G if not given. A process that wants more is killed in its node. The balancer
        /// never gets more than 512M
        #[arg(long, value_name = "SIZE", value_parser = size)]
        memory: Option<u64>,
    },
    /// List the nodes: up, down or cut, their memory in use and its limit, and what is cut
    Status {
        /// How to write it
        #[arg(long, value_enum, default_value_t = StatusOutput::Human)]
        output: StatusOutput,
    },
    /// Print the absolute path of the inventory for -i
    Inventory,
    /// Run a command in a node by its console, and return its status
    Exec {
        /// The node, like n1
        node: String,
        /// The command with its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Power a node off at once; its disk stays
    Kill {
        /// The node, like n1
        node: String,
    },
    /// Boot a node that is down, and wait until it answers SSH
    Start {
        /// The node, like n1
        node: String,
    },
    /// Put a bare node in the place of another: same name and address, an empty disk, new host keys
    Renew {
        /// The node, like n1
        node: String,
    },
    /// Drop all packets between a node and the other nodes, silently, open connections included
    ///
    /// This machine still reaches the node. Several cuts add up, outlast `kill` and `start`, and end with `heal` or
    /// `down`; a cut that is there already is none.
    Cut {
        /// The node, like n1
        node: String,
        /// Cut it off only from this node; both are then shown as cut
        #[arg(long, value_name = "OTHER")]
        from: Option<String>,
        /// Drop only the packets that NODE sends to OTHER; those from OTHER to NODE still arrive
        #[arg(long, requires = "from")]
        one_way: bool,
        /// Cut it off also from this machine, and so from the rest of the world; `lab exec` still works
        #[arg(long, conflicts_with = "from")]
        all: bool,
    },
    /// End all cuts that were made for a node or between it and another; without a node, all cuts of the lab
    Heal {
        /// The node, like n1
        node: Option<String>,
    },
    /// Remove the lab and everything it left on this machine; downloaded packages are kept
    Down,
}

/// The forms of `lab status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusOutput {
    /// A table
    Human,
    /// One JSON list
    Json,
}

/// Runs `hadeploy lab`; gives the exit status.
///
/// # Errors
/// The lab could not do it; every such error is exit status 1, its help already attached.
pub async fn run(args: LabArgs) -> anyhow::Result<i32> {
    tokio::task::spawn_blocking(move || run_blocking(&args)).await?
}

fn run_blocking(args: &LabArgs) -> anyhow::Result<i32> {
    match execute(args) {
        Ok(status) => Ok(status),
        Err(error) => match error.help() {
            Some(help) => Err(anyhow::anyhow!("{error}\nhelp: {help}")),
            None => Err(error.into()),
        },
    }
}

fn execute(args: &LabArgs) -> Result<i32, LabError> {
    let lab = Lab::open(&args.name)?;
    let say = |line: &str| say::err(line);
    match &args.command {
        LabCommand::Up {
            nodes,
            balancer,
            release,
            disk,
            memory,
        } => {
            let wanted = Wanted {
                nodes: *nodes,
                balancer: *balancer,
                release: *release,
                disk: *disk,
                memory: *memory,
            };
            print_table(&lab.up(&wanted, &say)?);
        }
        LabCommand::Status {
            output: StatusOutput::Human,
        } => print_table(&lab.status()?),
        LabCommand::Status {
            output: StatusOutput::Json,
        } => {
            say::out(&serde_json::to_string(&lab.status()?).unwrap_or_default());
        }
        LabCommand::Inventory => say::out(&lab.inventory()?.display().to_string()),
        LabCommand::Exec { node, command } => return lab.console(node, command),
        LabCommand::Kill { node } => lab.kill(node)?,
        LabCommand::Start { node } => lab.start(node, &say)?,
        LabCommand::Renew { node } => lab.renew(node, &say)?,
        LabCommand::Cut {
            node,
            from,
            one_way,
            all,
        } => {
            let cut = match (from, *one_way, *all) {
                (Some(other), true, _) => Cut::To(other),
                (Some(other), false, _) => Cut::From(other),
                (None, _, true) => Cut::All,
                (None, _, false) => Cut::Nodes,
            };
            lab.cut(node, cut)?;
        }
        LabCommand::Heal { node } => lab.heal(node.as_deref())?,
        LabCommand::Down => {
            if !lab.down()? {
                say::err(&format!("there was no lab `{}`", args.name));
            }
        }
    }
    Ok(0)
}

fn print_table(nodes: &[NodeStatus]) {
    for node in nodes {
        let state = match node.state {
            NodeState::Up => "up",
            NodeState::Down => "down",
            NodeState::Cut => "cut",
        };
        let line = format!(
            "{:<6} {:<16} Debian {}  {state:<5} {:<14} {}",
            node.name,
            node.address,
            node.release,
            node.memory.map(shown).unwrap_or_default(),
            dropped(node)
        );
        say::out(line.trim_end());
    }
}

/// Memory in use and its limit, in MiB.
fn shown(memory: Memory) -> String {
    format!("{}M of {}M", memory.used >> 20, memory.limit >> 20)
}

/// Between whom and the node packets are dropped, in words; empty when nobody.
fn dropped(node: &NodeStatus) -> String {
    let ways = [
        (Way::Both, "to or from"),
        (Way::To, "to"),
        (Way::From, "from"),
    ];
    let mut parts = Vec::new();
    for (way, words) in ways {
        let cuts = node.cuts.iter().filter(|cut| cut.way == way);
        let names: Vec<&str> = cuts.map(|cut| cut.name.as_str()).collect();
        if !names.is_empty() {
            parts.push(format!("{words} {}", names.join(" ")));
        }
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("no packets {}", parts.join(", ")),
    }
}

fn size(text: &str) -> Result<u64, LabError> {
    let bad = || LabError::BadSize(text.into());
    let (digits, unit) = text.split_at(
        text.trim_end_matches(|c: char| c.is_ascii_alphabetic())
            .len(),
    );
    let factor: u64 = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return Err(bad()),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    number
        .checked_mul(factor)
        .filter(|bytes| *bytes >= 64 << 20)
        .ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("2G").unwrap(), 2 << 30);
        assert_eq!(size("512M").unwrap(), 512 << 20);
        for bad in ["", "G", "2T", "1.5G", "-1G", "1M", "99999999999G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
