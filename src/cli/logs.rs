//! What hadeploy itself does, for `-vvv` and HADEPLOY_LOG: log lines on standard error.

use std::io;

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use crate::report::LogWriter;

/// Starts the log where it is wanted; `bars` step aside for its lines.
///
/// # Errors
/// The filter of the environment cannot be read, in a sentence.
pub fn start(verbosity: u8, env: &Environment, bars: Option<MultiProgress>) -> Result<(), String> {
    let filter = match &env.log_filter {
        Some(filter) => EnvFilter::try_new(filter)
            .map_err(|error| format!("HADEPLOY_LOG cannot be read and is left out: {error}"))?,
        None if verbosity >= 3 => EnvFilter::new(preset(verbosity)),
        None => return Ok(()),
    };
    // Fails only where a log has been started before, which then goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(env.tells && !env.colourless)
        .with_writer(LogWriter::new(bars, Box::new(io::stderr())))
        .try_init();
    Ok(())
}

/// The SSH library tells every packet; that is left to the fourth `-v`.
fn preset(verbosity: u8) -> &'static str {
    match verbosity {
        3 => "warn,hadeploy=debug",
        _ => "debug",
    }
}
