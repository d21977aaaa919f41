//! Runs hadeploy and exits with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hadeploy::cli::main())
}
