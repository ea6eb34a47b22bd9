//! The command line of `flowtracker-control`, typed.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{CommandFactory, Parser};

/// Control service of flowtracker: data planes report to it, users watch and write through it.
#[derive(Clone, Debug, Parser)]
#[command(name = "flowtracker-control", version)]
pub struct Config {
    /// TCP address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,

    /// Unix socket to listen on as well
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,

    /// Events kept so that watchers can catch up and resume
    #[arg(long, value_name = "N", default_value_t = 1_048_576, value_parser = retain)]
    pub retain: usize,

    /// Print the manual page instead
    #[arg(long, hide = true)]
    pub man: bool,
}

/// Writes the manual page, made from the same definitions as the flags.
pub fn write_manual(out: &mut dyn Write) -> io::Result<()> {
    clap_mangen::Man::new(Config::command()).section("8").render(out)?;
    out.write_all(include_bytes!("manual.roff"))
}

fn retain(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 event must be kept".to_owned()),
        Ok(n) => Ok(n),
        Err(e) => Err(format!("{e}")),
    }
}
