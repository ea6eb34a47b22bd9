//! The command line of `flowtracker-control`, typed.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{CommandFactory as _, Parser};

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

    /// TCP address for metrics and health over HTTP, or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9464")]
    pub http: HttpAddr,

    /// Events kept so that watchers can catch up and resume
    #[arg(long, value_name = "N", default_value_t = 1_048_576, value_parser = retain)]
    pub retain: usize,

    /// Print the manual page instead
    #[arg(long, hide = true)]
    pub man: bool,
}

/// The effective configuration: flags that can be pasted back.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--listen={}", self.listen)?;
        if let Some(path) = &self.unix {
            write!(f, " --unix={}", path.display())?;
        }
        write!(f, " --http={} --retain={}", self.http, self.retain)
    }
}

/// Where metrics and health are served; `None` is `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpAddr(pub Option<SocketAddr>);

impl FromStr for HttpAddr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|addr| Self(Some(addr))).map_err(|_| "must be ADDR:PORT, or off")
    }
}

impl fmt::Display for HttpAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(addr) => addr.fmt(f),
            None => f.write_str("off"),
        }
    }
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
