//! `flowtracker-dataplane`: arguments in, exit status out.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use dataplane::service::health;
use dataplane::start::cli::Action;
use dataplane::start::start_log::StartLog;
use dataplane::start::{cli, lifecycle, manual};
use dataplane::{doctor, replay};
use tracing_subscriber::EnvFilter;

/// Puts the tables into large pages.
#[global_allocator]
static ALLOCATOR: dpdk::memory::LargePages = dpdk::memory::LargePages;

/// Exit status when a flag is not acceptable, of this program or of the EAL.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match log() {
        Ok(log) => run(&log),
        // No file descriptor is left, so there is nothing to log to.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Sets up the log. With a level in the environment, the log of the start is not held back.
fn log() -> io::Result<StartLog> {
    let chosen = std::env::var("FLOWTRACKER_LOG").ok().filter(|filter| !filter.is_empty());
    let chosen = chosen.and_then(|filter| EnvFilter::try_new(filter).ok());
    let log = StartLog::new(chosen.is_none())?;
    let filter = chosen.unwrap_or_else(|| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(log.clone()).init();
    Ok(log)
}

fn run(log: &StartLog) -> ExitCode {
    let mut args = std::env::args_os().collect();
    let action = cli::take_action(&mut args);
    let outcome = match action {
        Action::Run => cli::parse(args).map(|line| {
            let run = lifecycle::run(&line, || log.release());
            run.map(|()| true).map_err(|error| (error.to_string(), error.is_usage()))
        }),
        Action::Doctor => {
            // It fails only when an option is not acceptable.
            cli::parse(args).map(|line| doctor::run(&line).map_err(|error| (error.to_string(), true)))
        }
        Action::Replay => cli::parse_replay(args).map(|line| {
            let run = replay::run(&line, || log.release());
            run.map(|()| true).map_err(|error| (error.to_string(), error.is_usage()))
        }),
        Action::Health => health::parse(args)
            .map(|options| health::run(&options).map_err(|error| (error.to_string(), false))),
        Action::Manual => {
            let written = manual::write(&mut io::stdout().lock());
            Ok(written.map(|()| true).map_err(|error| (format!("--man: {error}"), false)))
        }
    };
    let (problem, status) = match outcome {
        Err(error) if error.use_stderr() => (cli::one_line(&error), ExitCode::from(USAGE)),
        Err(help_or_version) => {
            // Nothing is left to do when standard output is closed.
            let _ = help_or_version.print();
            return ExitCode::SUCCESS;
        }
        Ok(Ok(true)) => return ExitCode::SUCCESS,
        // The reason has been printed.
        Ok(Ok(false)) => return ExitCode::FAILURE,
        Ok(Err((problem, true))) => (problem, ExitCode::from(USAGE)),
        Ok(Err((problem, false))) => (problem, ExitCode::FAILURE),
    };
    log.discard();
    // Not by the log, which may be silenced. Arguments and file names may hold line breaks.
    let _ = writeln!(io::stderr(), "flowtracker-dataplane: {}", problem.replace(['\n', '\r'], " "));
    status
}
