//! `flowtracker-dataplane health`: do the lcores of a running data plane poll? For health checks of
//! containers and service managers. The question goes over DPDK's telemetry socket, so it needs no
//! control service and no lcore has to answer.

use std::ffi::OsString;
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

/// DPDK's telemetry socket, in the folder of the file prefix.
const SOCKET: &str = "dpdk_telemetry.v2";

/// The question which lcores there are: its answer names the table's shards by them.
const TABLE: &str = "/flowtracker/table";

/// The question what one lcore polls, and whether it does. The answer about all lcores might not
/// fit one message.
const LCORES: &str = "/flowtracker/lcores";

/// The most octets of one of DPDK's answers (MAX_OUTPUT_LEN).
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
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// No data plane listens below this folder.
    #[error("no data plane runs: nobody listens below {}", .0.display())]
    NoneRuns(PathBuf),
    /// More than one listens: these are their prefixes.
    #[error("several data planes run: --file-prefix must name one of {}", .0.join(", "))]
    Several(Vec<String>),
    /// An operation on this socket failed.
    #[error("{path}: {1}", path = .0.display())]
    Socket(PathBuf, io::Error),
    /// A process listens, and has not answered for this time.
    #[error("{path}: no answer within {1:?}: the process hangs or is stopped", path = .0.display())]
    Hangs(PathBuf, Duration),
    /// A process answers, but not as a running data plane does.
    #[error("{path} does not answer as a running data plane would: {1}", path = .0.display())]
    Answer(PathBuf, String),
}

/// Parses the command line. `args[0]` is the program's name.
///
/// # Errors
/// Those of clap, which name the flag. `--help` is among them.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, clap::Error> {
    Options::try_parse_from(args)
}

/// Asks, prints a line per lcore, and returns whether all of them poll.
///
/// # Errors
/// When there is no answer.
pub fn run(options: &Options) -> Result<bool, HealthError> {
    let (text, well) = ask(&config::dpdk_runtime_folder(), options.file_prefix.as_deref(), PATIENCE)?;
    // When standard output is closed, the exit status still tells.
    let _ = io::Write::write_all(&mut io::stdout().lock(), text.as_bytes());
    Ok(well)
}

/// Asks the data plane of `prefix`, or the only one below `folder`. Waits no longer than `patience`
/// for each message.
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

/// Finds the only socket on which a process listens, and returns it with the outcome of dialling
/// it. Sockets of processes that were killed are passed over.
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

/// Connects and receives the greeting. The greeting has to be received: a DPDK program that sends
/// it to a closed socket is killed by SIGPIPE unless it ignores that signal, and this may be any
/// DPDK program.
fn dial(path: &Path, patience: Duration) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(patience))?;
    set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    recv(&socket, &mut [0; 1024][..], RecvFlags::empty())?;
    Ok(socket)
}

/// Sends a question and returns the answer.
fn question(socket: &OwnedFd, request: &str) -> io::Result<String> {
    let mut message = vec![0; ANSWER_MAX];
    send(socket, request.as_bytes(), SendFlags::NOSIGNAL)?;
    let (length, _) = recv(socket, &mut message[..], RecvFlags::empty())?;
    message.truncate(length);
    Ok(String::from_utf8_lossy(&message).into_owned())
}

/// Reads the lcores that own a shard. Returns `None` when the answer has none.
fn lcores(table: &str) -> Option<Vec<u32>> {
    let table: Value = serde_json::from_str(table).ok()?;
    let shards = table.get(TABLE)?.get("shards")?.as_object()?;
    let mut lcores = shards.keys().map(|lcore| lcore.parse().ok()).collect::<Option<Vec<u32>>>()?;
    lcores.sort_unstable();
    (!lcores.is_empty()).then_some(lcores)
}

/// Reads an answer about an lcore. Returns a line about it, and whether it polls.
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
