//! `flowtracker-control`: argv → [`Config`] → serve → exit status.
#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::process::ExitCode;

use control::config::{Config, write_manual};
use control::door::descriptors;
use control::server;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let config = Config::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    if config.man {
        return match write_manual(&mut std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let chosen = std::env::var("FLOWTRACKER_LOG").ok().filter(|filter| !filter.is_empty());
    // The HTTP/2 library warns of every connection that breaks its rules; the service sums them up.
    let quiet = |filter: String| if filter.contains("h2") { filter } else { filter + ",h2=error" };
    let filter = chosen.and_then(|filter| EnvFilter::try_new(quiet(filter)).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(quiet("info".to_owned())));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    descriptors::raise(&config.limits);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let shutdown = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        // What log rotation sends. The audit log follows its file, and files that have changed are read
        // again, without it.
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move { while hangup.recv().await.is_some() {} });
        server::serve(config, shutdown).await.map_err(Into::into)
    });
    // Connections of clients that do not read must not keep the process.
    runtime.shutdown_background();
    served
}
