//! Completion in shells: `hadeploy completions SHELL` prints what a shell loads once; it then asks hadeploy itself, which knows hosts, groups, tags
//! and kinds of the project that the words name.

mod names;

use std::ffi::OsStr;

use clap::{Args, Command, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::command_table::command;
use super::environment::Environment;
use super::{exit, say, usage};

/// The variable by which a shell asks; its value is the shell's name.
const VARIABLE: &str = "HADEPLOY_COMPLETE";

/// Print what makes a shell complete hadeploy's words, hosts, groups and tags
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell: bash, zsh or fish
    #[arg(value_enum, hide_possible_values = true)]
    shell: Shell,
}

const EXAMPLES: &str = "Examples:
  hadeploy completions bash >~/.local/share/bash-completion/completions/hadeploy
  hadeploy completions zsh >/usr/local/share/zsh/site-functions/_hadeploy
  hadeploy completions fish >~/.config/fish/completions/hadeploy.fish";

/// The shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Runs it; gives the exit status.
pub fn run(args: &CompletionsArgs) -> u8 {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut text = Vec::new();
    match shell.write_registration(VARIABLE, "hadeploy", "hadeploy", "hadeploy", &mut text) {
        Ok(()) => {
            say::out(&String::from_utf8_lossy(&text));
            exit::DONE
        }
        Err(error) => usage(
            &format!("cannot write it: {error}"),
            "name bash, zsh or fish",
        ),
    }
}

/// Answers a shell that asks; none when none does.
pub fn answer(env: &Environment) -> Option<u8> {
    let words = std::iter::once("hadeploy".to_owned()).chain(env.words.iter().cloned());
    let asked = CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(words, Some(&env.folder));
    match asked {
        Ok(true) => Some(exit::DONE),
        Ok(false) => None,
        // A shell that asks wrongly has nobody to read why.
        Err(_) => Some(exit::REFUSED),
    }
}

/// Says of each argument of a known name what completes it, in all subcommands.
pub fn attach(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let Some(kind) = names::Kind::of(arg.get_id().as_str()) else {
            return arg;
        };
        arg.add(ArgValueCompleter::new(move |begun: &OsStr| {
            candidates(kind, begun)
        }))
    });
    command.mut_subcommands(attach)
}

/// What may stand where `begun` stands. Of a list with commas or a pattern with colons, its last part is completed.
fn candidates(kind: names::Kind, begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else {
        return Vec::new();
    };
    let divided: &[char] = match kind {
        names::Kind::Hosts => &[',', ':', '!', '&'],
        names::Kind::Tags => &[','],
        _ => &[],
    };
    let (before, part) = begun.split_at(begun.rfind(divided).map_or(0, |at| at + 1));
    let found = names::of(kind, &Environment::read(), part);
    found
        .into_iter()
        .filter(|name| name.starts_with(part))
        .map(|name| CompletionCandidate::new(format!("{before}{name}")))
        .collect()
}
