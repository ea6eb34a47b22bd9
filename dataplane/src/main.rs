//! `flowtracker-dataplane`: arguments in, exit status out.
#![forbid(unsafe_code)]

use std::io::IsTerminal as _;
use std::process::ExitCode;

use dataplane::cli::Action;
use dataplane::{cli, doctor, lifecycle};
use tracing_subscriber::EnvFilter;

/// Bad flags.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("FLOWTRACKER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let mut args = std::env::args_os().collect();
    let action = cli::take_action(&mut args);
    let line = match cli::parse(args) {
        Ok(line) => line,
        Err(error) => {
            // Help and version are results and go to stdout; errors to stderr.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match action {
        Action::Run => lifecycle::run(&line),
        Action::Doctor => match doctor::run(&line) {
            Ok(healthy) => return if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE },
            Err(error) => Err(error.into()),
        },
    };
    match outcome {
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
