//! Which doors there are, as options open them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::door::gate::Serves;

/// Sockets that callers come in by.
#[derive(Clone, Debug, Args)]
pub struct Doors {
    /// TCP address to listen on, or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:50051")]
    pub listen: Address,

    /// Unix socket to listen on as well
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,

    /// TCP address to listen on for callers who may only read
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen_read: Option<SocketAddr>,

    /// Unix socket to listen on for callers who may only read
    #[arg(long, value_name = "PATH")]
    pub unix_read: Option<PathBuf>,

    /// TCP address to listen on for data planes; they are let in nowhere else then
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen_link: Option<SocketAddr>,

    /// Unix socket to listen on for data planes; they are let in nowhere else then
    #[arg(long, value_name = "PATH")]
    pub unix_link: Option<PathBuf>,

    /// Access mode of the unix sockets, octal with a leading zero
    #[arg(long, value_name = "MODE", default_value = "0660")]
    pub unix_mode: Mode,

    /// Group that the unix sockets belong to, by name or number
    #[arg(long, value_name = "GROUP")]
    pub unix_group: Option<String>,

    /// Open doors beyond this host without `--client-ca`: whoever reaches them may do anything
    #[arg(long)]
    pub insecure: bool,
}

impl Doors {
    /// Returns the TCP doors: option, address, and whom each serves.
    pub fn tcp(&self) -> impl Iterator<Item = (&'static str, SocketAddr, Serves)> {
        let doors = [
            ("listen", self.listen.0, self.users()),
            ("listen-read", self.listen_read, Serves::Readers),
            ("listen-link", self.listen_link, Serves::Links),
        ];
        doors.into_iter().filter_map(|(option, address, serves)| Some((option, address?, serves)))
    }

    /// Returns the unix doors: option, path, and whom each serves.
    pub fn unix(&self) -> impl Iterator<Item = (&'static str, &PathBuf, Serves)> {
        let doors = [
            ("unix", &self.unix, self.users()),
            ("unix-read", &self.unix_read, Serves::Readers),
            ("unix-link", &self.unix_link, Serves::Links),
        ];
        doors.into_iter().filter_map(|(option, path, serves)| Some((option, path.as_ref()?, serves)))
    }

    /// Returns the doors that others than this host reach.
    pub fn exposed(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let beyond = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
        self.tcp().map(|(option, address, _)| (option, address)).filter(move |(_, address)| beyond(address))
    }

    fn users(&self) -> Serves {
        let apart = self.listen_link.is_some() || self.unix_link.is_some();
        if apart { Serves::Users } else { Serves::All }
    }
}

/// Prints the doors as flags that can be pasted back.
impl fmt::Display for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--listen={}", self.listen)?;
        for (option, address, _) in self.tcp().filter(|(option, ..)| *option != "listen") {
            write!(f, " --{option}={address}")?;
        }
        for (option, path, _) in self.unix() {
            write!(f, " --{option}={}", path.display())?;
        }
        if self.unix().next().is_some() {
            write!(f, " --unix-mode={}", self.unix_mode)?;
        }
        if let Some(group) = &self.unix_group {
            write!(f, " --unix-group={group}")?;
        }
        f.write_str(if self.insecure { " --insecure" } else { "" })
    }
}

/// A TCP address; `None` is `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub Option<SocketAddr>);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|addr| Self(Some(addr))).map_err(|_| "must be ADDR:PORT, or off")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(addr) => addr.fmt(f),
            None => f.write_str("off"),
        }
    }
}

/// Access mode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The zero tells octal digits from a decimal number, which is what a number in a TOML file is.
        let mode = text.strip_prefix('0').and_then(|digits| u32::from_str_radix(digits, 8).ok());
        mode.filter(|mode| *mode <= 0o777).map(Self).ok_or("must be octal, such as 0660; in a file in quotes")
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0{:o}", self.0)
    }
}
