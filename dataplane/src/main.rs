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

/// Tables in large pages.
#[global_allocator]
static ALLOCATOR: dpdk::memory::LargePages = dpdk::memory::LargePages;

/// Bad flags, ours or the EAL's.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match log() {
        Ok(log) => run(&log),
        // Without a descriptor to spare there is nothing to log to.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Sets up the log. Whoever chose a level sees the start as it goes.
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
            // It only fails by an option that is not acceptable.
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
            // A result. If nobody reads it, nobody needs to be told.
            let _ = help_or_version.print();
            return ExitCode::SUCCESS;
        }
        Ok(Ok(true)) => return ExitCode::SUCCESS,
        // What is wrong has been printed.
        Ok(Ok(false)) => return ExitCode::FAILURE,
        Ok(Err((problem, true))) => (problem, ExitCode::from(USAGE)),
        Ok(Err((problem, false))) => (problem, ExitCode::FAILURE),
    };
    log.discard();
    // Arguments and file names may hold line breaks. Not by the log, which may be told to be silent.
    let _ = writeln!(io::stderr(), "flowtracker-dataplane: {}", problem.replace(['\n', '\r'], " "));
    status
}
