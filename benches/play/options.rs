//! The benchmark's own command line.

use std::path::PathBuf;

use clap::Parser;

/// Times hadeploy, the hand-written limit and, where `HADEPLOY_BENCH_VENV` names a virtual environment, its peers
#[derive(Debug, Parser)]
#[command(name = "play")]
pub struct Options {
    /// Exit with status 1 when a budget is not met
    #[arg(long)]
    pub check: bool,
    /// Leave the lab `bench` up at the end, and use the one that is there
    #[arg(long)]
    pub keep: bool,
    /// How many rounds of hadeploy, limit and `ssh node true`
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// How many of these rounds the peers take part in; each may take minutes
    #[arg(long, default_value_t = 1)]
    pub peer_rounds: u32,
    /// The nodes' Debian release
    #[arg(long, default_value = "12", value_parser = ["12", "13"])]
    pub release: String,
    /// Settings to measure, all if not given
    #[arg(long, value_delimiter = ',', value_parser = ["one", "three", "far", "fleet"])]
    pub only: Vec<String>,
    /// The virtual environment with ansible-core, mitogen or pyinfra
    #[arg(long, env = "HADEPLOY_BENCH_VENV")]
    pub venv: Option<PathBuf>,
    /// Given by `cargo bench`; without it (as in `cargo test --benches`) nothing is measured
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// Whether that setting is to be measured.
    pub fn wants(&self, setting: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == setting)
    }
}
