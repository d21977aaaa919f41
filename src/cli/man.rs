//! `hadeploy man`: manual pages, made from the help of the subcommands.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::command_table::{VERSION, command};
use super::{exit, say, usage};
use crate::diagnostic::{count, nearest};

/// Print the manual page of a subcommand, or write all pages into a folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// The words of the subcommand, such as `pg status`; none for hadeploy itself
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    words: Vec<String>,
    /// Write a page for each subcommand into DIR
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  hadeploy man --dir ~/.local/share/man/man1
  hadeploy man apply | man -l -";

/// Runs it; gives the exit status.
pub fn run(args: &ManArgs) -> u8 {
    let mut root = command();
    root.build();
    match &args.dir {
        Some(dir) => match write(&root, dir) {
            Ok(pages) => {
                say::out(&format!("{} in `{}`", count(pages, "page"), dir.display()));
                exit::DONE
            }
            Err(error) => usage(
                &format!("cannot write pages into `{}`: {error}", dir.display()),
                "name a folder that can be written",
            ),
        },
        None => print(&root, &args.words),
    }
}

fn print(root: &Command, words: &[String]) -> u8 {
    let mut at = root;
    for word in words {
        let Some(below) = at.find_subcommand(word) else {
            let names: Vec<&str> = shown(at).map(Command::get_name).collect();
            let help = match nearest(word, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`hadeploy --help` lists all".to_owned(),
            };
            return usage(&format!("there is no subcommand `{word}`"), &help);
        };
        at = below;
    }
    match page(at) {
        Ok(text) => {
            say::out(&text);
            exit::DONE
        }
        Err(error) => usage(
            &format!("cannot make the page: {error}"),
            "name a subcommand",
        ),
    }
}

/// Subcommands with pages of their own.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let below = command.get_subcommands();
    below.filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

fn page(command: &Command) -> std::io::Result<String> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    Man::new(command.clone().version(VERSION))
        .title(name)
        .manual("hadeploy")
        .source(format!("hadeploy {VERSION}"))
        .date("")
        .render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Writes the page of `command` and of all below it; gives their number.
fn write(command: &Command, dir: &std::path::Path) -> std::io::Result<usize> {
    fs::create_dir_all(dir)?;
    let name = command.get_display_name().unwrap_or(command.get_name());
    fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    let mut pages = 1;
    for below in shown(command) {
        pages += write(below, dir)?;
    }
    Ok(pages)
}
