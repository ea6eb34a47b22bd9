//! The bounds on what callers may take, as options set them.

use std::fmt;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};

/// Bounds on what callers may take.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// Connections that users may have open; at the bound, the oldest without a request gives way
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = number())]
    pub max_connections: usize,

    /// Calls that may run on one connection
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=MOST as i64))]
    pub max_streams: u32,

    /// Event streams that may be open
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = number())]
    pub max_watchers: usize,

    /// Lists of entries that may run on one data plane; at the bound, one that stalls gives way
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = number())]
    pub max_lists: usize,

    /// Data planes that may be attached
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = number())]
    pub max_dataplanes: usize,

    /// Entries that the tables of one data plane may hold together
    #[arg(long, value_name = "N", default_value_t = 1 << 27, value_parser = value_parser!(u64).range(1..))]
    pub max_entries: u64,

    /// Connections that may be open for metrics and health; at the bound, the oldest without a
    /// request gives way
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = number())]
    pub max_http_connections: usize,

    /// Time that a connection has for its first request, and a request for its message
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub max_handshake: Duration,
}

/// The highest number that a bound can be set to.
const MOST: u64 = 1 << 20;

fn number() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST)
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("must be 0.1 to 3600 seconds")
}

/// Prints the bounds as flags that can be pasted back.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            max_connections,
            max_streams,
            max_watchers,
            max_lists,
            max_dataplanes,
            max_entries,
            max_http_connections,
            max_handshake,
        } = self;
        write!(f, "--max-connections={max_connections} --max-streams={max_streams}")?;
        write!(f, " --max-watchers={max_watchers} --max-lists={max_lists}")?;
        write!(f, " --max-dataplanes={max_dataplanes} --max-entries={max_entries}")?;
        write!(f, " --max-http-connections={max_http_connections}")?;
        write!(f, " --max-handshake={}", max_handshake.as_secs_f64())
    }
}
