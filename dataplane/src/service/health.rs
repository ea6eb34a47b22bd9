//! `flowtracker-dataplane health`: do the lcores of a running data plane poll? For health checks of containers and
//! service managers. The question goes over DPDK's telemetry socket, so the answer is the same whether or not there is
//! a control service, and no lcore is asked.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};
use serde_json::Value;

use crate::start::config;

/// The socket, in the folder of the file prefix.
const SOCKET: &str = "dpdk_telemetry.v2";

/// Which lcores there are: the shards of the table are named by them.
const TABLE: &str = "/flowtracker/table";

/// What one lcore polls, and whether it does. One at a time: the answer about all would not fit with many.
const LCORES: &str = "/flowtracker/lcores";

/// DPDK gives an answer at most so many octets (MAX_OUTPUT_LEN).
const ANSWER_MAX: usize = 16 << 10;

/// Longest wait for the socket and for each message.
const PATIENCE: Duration = Duration::from_secs(2);

/// The command line.
#[derive(Parser, Debug)]
#[command(
    name = "flowtracker-dataplane health",
    about = "Says whether each lcore of a running data plane polls; exit status 0 when all do, else 1"
)]
pub struct Options {
    /// EAL's `--file-prefix` of that data plane [default: the only one that runs as this user]
    #[arg(long, value_name = "NAME")]
    pub file_prefix: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum HealthError {
    /// Nobody listens.
    NoneRuns(PathBuf),
    /// More than one listens: their prefixes.
    Several(Vec<String>),
    /// The socket, and what went wrong there.
    Socket(PathBuf, io::Error),
    /// Somebody listens and does not answer.
    Hangs(PathBuf, Duration),
    /// It speaks, but not as a data plane of flowtracker that runs.
    Answer(PathBuf, String),
}

impl fmt::Display for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneRuns(folder) => {
                write!(f, "no data plane runs: nobody listens below {}", folder.display())
            }
            Self::Several(prefixes) => {
                write!(f, "several data planes run: --file-prefix must name one of {}", prefixes.join(", "))
            }
            Self::Socket(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Hangs(path, patience) => {
                let path = path.display();
                write!(f, "{path}: no answer within {patience:?}: the process hangs or is stopped")
            }
            Self::Answer(path, answer) => {
                let path = path.display();
                write!(f, "{path} does not answer as a running data plane would: {answer}")
            }
        }
    }
}

impl std::error::Error for HealthError {}

/// Parses the command line, `args[0]` being the program's name.
///
/// # Errors
/// As clap has them, naming the flag; `--help` too comes as such.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, clap::Error> {
    Options::try_parse_from(args)
}

/// Asks, prints a line per lcore, and says whether all is well.
///
/// # Errors
/// When there is no answer.
pub fn run(options: &Options) -> Result<bool, HealthError> {
    let (text, well) = ask(&config::dpdk_runtime_folder(), options.file_prefix.as_deref(), PATIENCE)?;
    // Whoever closed our standard output still gets the exit status.
    let _ = io::Write::write_all(&mut io::stdout().lock(), text.as_bytes());
    Ok(well)
}

/// Asks the data plane of `prefix`, or the only one below `folder`. Waits for each message as long as `patience`.
fn ask(folder: &Path, prefix: Option<&str>, patience: Duration) -> Result<(String, bool), HealthError> {
    let (path, socket) = match prefix {
        Some(prefix) => {
            let path = folder.join(prefix).join(SOCKET);
            let socket = dial(&path, patience);
            (path, socket)
        }
        None => the_only_one(folder, patience)?,
    };
    let failed = |why: io::Error| match why.kind() {
        io::ErrorKind::WouldBlock => HealthError::Hangs(path.clone(), patience),
        _ => HealthError::Socket(path.clone(), why),
    };
    let socket = socket.map_err(failed)?;
    let table = question(&socket, TABLE).map_err(failed)?;
    let lcores = lcores(&table).ok_or_else(|| HealthError::Answer(path.clone(), table.clone()))?;
    let (mut text, mut well) = (String::new(), true);
    for lcore in lcores {
        let answer = question(&socket, &format!("{LCORES},{lcore}")).map_err(failed)?;
        let (line, polls) =
            describe(lcore, &answer).ok_or_else(|| HealthError::Answer(path.clone(), answer.clone()))?;
        text += &line;
        well &= polls;
    }
    Ok((text, well))
}

/// The socket that somebody listens on, and what came of dialling it. Those of processes that were killed lie about.
fn the_only_one(folder: &Path, patience: Duration) -> Result<(PathBuf, io::Result<OwnedFd>), HealthError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut alive: Vec<_> = entries
        .map(|entry| entry.path().join(SOCKET))
        .map(|path| (dial(&path, patience), path))
        .filter(|(dialled, _)| !dialled.as_ref().is_err_and(nobody_listens))
        .collect();
    match (alive.pop(), alive.is_empty()) {
        (Some((socket, path)), true) => Ok((path, socket)),
        (None, _) => Err(HealthError::NoneRuns(folder.to_owned())),
        (Some(last), false) => {
            alive.push(last);
            let name = |path: &Path| {
                path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
            };
            let mut prefixes: Vec<String> = alive.iter().map(|(_, path)| name(path)).collect();
            prefixes.sort();
            Err(HealthError::Several(prefixes))
        }
    }
}

fn nobody_listens(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Connects and takes the greeting. A DPDK program that greets somebody who has hung up is killed by SIGPIPE, unless it
/// ignores that signal, and this may be any DPDK program.
fn dial(path: &Path, patience: Duration) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(patience))?;
    set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    recv(&socket, &mut [0; 1024][..], RecvFlags::empty())?;
    Ok(socket)
}

/// Sends a question; gives the answer.
fn question(socket: &OwnedFd, request: &str) -> io::Result<String> {
    let mut message = vec![0; ANSWER_MAX];
    send(socket, request.as_bytes(), SendFlags::NOSIGNAL)?;
    let (length, _) = recv(socket, &mut message[..], RecvFlags::empty())?;
    message.truncate(length);
    Ok(String::from_utf8_lossy(&message).into_owned())
}

/// The lcores that own a shard. `None` when it is not the answer of a data plane that has some.
fn lcores(table: &str) -> Option<Vec<u32>> {
    let table: Value = serde_json::from_str(table).ok()?;
    let shards = table.get(TABLE)?.get("shards")?.as_object()?;
    let mut lcores = shards.keys().map(|lcore| lcore.parse().ok()).collect::<Option<Vec<u32>>>()?;
    lcores.sort_unstable();
    (!lcores.is_empty()).then_some(lcores)
}

/// A line about an lcore, and whether it polls.
fn describe(lcore: u32, answer: &str) -> Option<(String, bool)> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let state = answer.get(LCORES)?;
    let lanes: Vec<&str> = state.get("lanes")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let stalled = state.get("stalled")?.as_u64()? != 0;
    let what = if stalled { "stands still instead of polling" } else { "polls" };
    let lanes = if lanes.is_empty() { "nothing".to_owned() } else { lanes.join(" ") };
    Some((format!("lcore {lcore} {what} {lanes}\n"), !stalled))
}

#[cfg(test)]
mod tests;
