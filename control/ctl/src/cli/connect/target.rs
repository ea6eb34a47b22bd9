//! The address of the service, and how long `ctl` waits for it.

use std::time::Duration;

use tonic::codegen::http::Uri;

use crate::cli::Failure;

/// Environment variable that names the server.
const SERVER_VARIABLE: &str = "FLOWTRACKER_SERVER";
/// Environment variable that bounds the wait for the server.
const TIMEOUT_VARIABLE: &str = "FLOWTRACKER_TIMEOUT";
/// Address of the service where no other is given.
const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";
/// The bound where no other is given.
const DEFAULT_TIMEOUT: &str = "5s";
/// Longest timeout.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// Where the service is, and how long to wait for it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct Target {
    /// Control service: http://HOST:PORT or unix:PATH
    #[arg(long, global = true, value_name = "URI", env = SERVER_VARIABLE, default_value = DEFAULT_SERVER)]
    pub(in crate::cli) server: String,

    /// Give up when connecting, or an answer, takes longer: seconds, or a number with a unit (500ms,
    /// 5s, 1m)
    ///
    /// What grows with the table takes as long as it needs: list, flush, purge, top's listings; and
    /// so does watch.
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        env = TIMEOUT_VARIABLE,
        default_value = DEFAULT_TIMEOUT,
        value_parser = timeout
    )]
    pub(in crate::cli) timeout: Duration,
}

/// The part of an address that is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Host, without brackets around an IPv6 address, and port.
    Tcp(String, u16),
    /// Path of a unix socket.
    Unix(String),
}

impl Target {
    /// Makes a target of what the options and the environment say; what is not given, or empty, has
    /// its default.
    pub(in crate::cli) fn new(server: Option<String>, within: Option<Duration>) -> Result<Self, String> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = server.or_else(|| variable(SERVER_VARIABLE));
        let within = match within {
            Some(within) => within,
            None => timeout(&variable(TIMEOUT_VARIABLE).unwrap_or_default())
                .map_err(|why| format!("{TIMEOUT_VARIABLE}: {why}"))?,
        };
        Ok(Self { server: server.unwrap_or_default(), timeout: within }.or_default())
    }

    /// Returns the same, with the default address where it is empty: an empty variable counts as
    /// unset.
    pub(in crate::cli) fn or_default(mut self) -> Self {
        if self.server.is_empty() {
            DEFAULT_SERVER.clone_into(&mut self.server);
        }
        self
    }

    /// Reads the address.
    pub(super) fn address(&self) -> Result<Address, Failure> {
        let server = &self.server;
        let wrong = |why: &str| Failure::Usage(format!("--server {server}: {why}"));
        let shape = || wrong("must be http://HOST:PORT or unix:PATH");
        if let Some(path) = server.strip_prefix("unix:") {
            // gRPC's name syntax has both unix:PATH and unix:///PATH.
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            return if path.is_empty() { Err(shape()) } else { Ok(Address::Unix(path.to_owned())) };
        }
        if !server.starts_with("http://") {
            return Err(shape());
        }
        let uri: Uri = server.parse().map_err(|why| wrong(&format!("{why}")))?;
        let authority = uri.authority().ok_or_else(shape)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let place = authority.as_str();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let after = place.strip_prefix(authority.host()).unwrap_or_default();
        let port = match after.strip_prefix(':') {
            None => 80,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|port| *port != 0 && digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| wrong(&format!("the port must be 1 to {}", u16::MAX)))?,
        };
        if host.is_empty() { Err(shape()) } else { Ok(Address::Tcp(host.to_owned(), port)) }
    }
}

/// Reads a timeout: seconds, or a number with a unit. An empty text is the default.
pub(in crate::cli) fn timeout(text: &str) -> Result<Duration, String> {
    let text = if text.is_empty() { DEFAULT_TIMEOUT } else { text };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_each = match &text[number.len()..] {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong(text)),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| plain).ok_or_else(|| wrong(text))? * seconds_each;
    let read = Duration::try_from_secs_f64(seconds).ok();
    read.filter(|read| (Duration::from_millis(1)..=MOST).contains(read)).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("{text:?} is not a duration from 1ms to 24h, such as 5s")
}

#[cfg(test)]
mod tests;
