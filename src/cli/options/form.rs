//! `--output`: its form is read as two things, what standard output holds and whether it is JUnit's report, so that only a run need know of reports.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum};

use super::Output;

/// The words of `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines for people
    Human,
    /// One event a line
    Json,
    /// JUnit's XML, with the lines for people on standard error
    Junit,
}

/// The option's name among the words that were given.
pub const OPTION: &str = "output";

/// Whether a report in JUnit's XML is wanted on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Junit(pub bool);

fn given(matches: &ArgMatches) -> Form {
    let form = matches.try_get_one::<Form>(OPTION).ok().flatten();
    form.copied().unwrap_or(Form::Human)
}

impl FromArgMatches for Output {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Output, Error> {
        Ok(match given(matches) {
            Form::Json => Output::Json,
            Form::Human | Form::Junit => Output::Human,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Output::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Output {
    fn augment_args(command: Command) -> Command {
        command.arg(
            Arg::new(OPTION)
                .long(OPTION)
                .value_name("FORM")
                .value_parser(clap::value_parser!(Form))
                .hide_possible_values(true)
                .help("Write for people (human), one line of JSON for each thing (json), or of a run JUnit's report (junit)"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Output::augment_args(command)
    }
}

impl FromArgMatches for Junit {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Junit, Error> {
        Ok(Junit(given(matches) == Form::Junit))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Junit::from_arg_matches(matches)?;
        Ok(())
    }
}

/// It has no option of its own.
impl Args for Junit {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}
