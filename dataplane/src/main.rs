//! `flowtracker-dataplane`: arguments in, exit status out.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use dataplane::{cli, lifecycle};
use tracing_subscriber::EnvFilter;

/// Bad flags.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("FLOWTRACKER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).with_target(false).init();
    let line = match cli::parse(std::env::args_os()) {
        Ok(line) => line,
        Err(error) => {
            // Help and version are results and go to stdout; errors to stderr.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match lifecycle::run(&line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(lifecycle::StartError::Flag(error)) => {
            tracing::error!("{error}");
            ExitCode::from(USAGE)
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
