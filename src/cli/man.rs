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
        .date(day())
        .render(&mut text)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    // There is no page for `help`.
    let own = format!(".TP\n{}(1)\n", escaped(&format!("{name}-help")));
    if let Some((head, rest)) = text.split_once(&own) {
        let tail = rest.split_once('\n').map_or("", |(_, tail)| tail);
        text = format!("{head}{tail}");
    }
    // What stands behind the options is for a terminal, where lines end as they are written.
    if let (Some(more), Some((head, rest))) =
        (command.get_after_help(), text.split_once(".SH EXTRA\n"))
    {
        let tail = rest.find("\n.SH ").map_or("", |at| &rest[at + 1..]);
        text = format!("{head}{}{tail}", sections(&more.to_string()));
    }
    Ok(ascii(&text.replace("\n.br\n\n.br\n", "\n.PP\n")))
}

/// Letters beyond ASCII by their numbers, which troff reads with every preprocessor and without.
fn ascii(text: &str) -> String {
    let letter = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => format!("\\[u{:04X}]", c as u32),
    };
    text.chars().map(letter).collect()
}

/// The day of the page: that of the commit that hadeploy was built from, else today.
fn day() -> String {
    let known = VERSION.trim_end_matches(')').rsplit(' ').next();
    match known.and_then(|day| day.parse::<jiff::civil::Date>().ok()) {
        Some(day) => day.to_string(),
        None => jiff::Zoned::now().date().to_string(),
    }
}

/// What stands behind the options of a subcommand's help, as sections of its page: examples line by line, the rest as running text.
fn sections(help: &str) -> String {
    let mut page = String::new();
    let mut at = "";
    for part in help.split("\n\n") {
        let (title, text) = match part.split_once(':') {
            Some(("Examples", rest)) => ("EXAMPLES", rest),
            Some(("Exit status", rest)) => ("EXIT STATUS", rest),
            _ => ("NOTES", part),
        };
        match at == title {
            true => page.push_str(".PP\n"),
            false => page.push_str(&format!(".SH {title}\n")),
        }
        at = title;
        let mut plain = true;
        for line in text.trim_start_matches('\n').lines() {
            // An example, or a line of a file.
            let flows = !line.starts_with("  ");
            if flows != plain {
                page.push_str(if flows { ".EE\n" } else { ".EX\n" });
                plain = flows;
            }
            page.push_str(&escaped(if flows { line.trim_start() } else { line }));
            page.push('\n');
        }
        if !plain {
            page.push_str(".EE\n");
        }
    }
    page
}

/// A line that troff takes as it is.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line,
    }
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
