//! Runs hadeploy and exits with its status.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hadeploy::cli::lab::{self, LabArgs};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lab(LabArgs),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the last word to the user")]
async fn main() -> ExitCode {
    let Command::Lab(args) = Arguments::parse().command;
    match lab::run(args).await {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}
