//! `flowtracker-dataplane health`: do the lcores of a running data plane poll? For health checks of containers and
//! service managers. The question goes over DPDK's telemetry socket, so the answer is the same whether or not there is
//! a control service, and no lcore is asked.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
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

use crate::config;

/// The socket, in the folder of the file prefix.
const SOCKET: &str = "dpdk_telemetry.v2";

/// The question: what each lcore polls, and whether it does.
const REQUEST: &str = "/flowtracker/lcores";

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
    /// Somebody else's prefix, or several.
    Several(Vec<String>),
    /// The socket, and what went wrong there.
    Socket(PathBuf, io::Error),
    /// Somebody listens and does not answer.
    Hangs(PathBuf),
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
            Self::Hangs(path) => {
                write!(
                    f,
                    "{}: no answer within {} s: the process hangs or is stopped",
                    path.display(),
                    PATIENCE.as_secs()
                )
            }
            Self::Answer(path, answer) => {
                write!(
                    f,
                    "{} does not answer {REQUEST} as a running data plane would: {answer}",
                    path.display()
                )
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
    let (text, well) = ask(&config::dpdk_runtime_folder(), options.file_prefix.as_deref())?;
    // Whoever closed our standard output still gets the exit status.
    let _ = io::Write::write_all(&mut io::stdout().lock(), text.as_bytes());
    Ok(well)
}

/// Asks the data plane of `prefix`, or the only one below `folder`.
fn ask(folder: &Path, prefix: Option<&str>) -> Result<(String, bool), HealthError> {
    let (path, socket) = match prefix {
        Some(prefix) => {
            let path = folder.join(prefix).join(SOCKET);
            let socket = dial(&path);
            (path, socket)
        }
        None => the_only_one(folder)?,
    };
    let answer = socket.and_then(|socket| question(&socket));
    let answer = answer.map_err(|why| match why.kind() {
        io::ErrorKind::WouldBlock => HealthError::Hangs(path.clone()),
        _ => HealthError::Socket(path.clone(), why),
    })?;
    describe(&answer).ok_or(HealthError::Answer(path, answer))
}

/// The socket that somebody listens on, and what came of dialling it. Those of processes that were killed lie about.
fn the_only_one(folder: &Path) -> Result<(PathBuf, io::Result<OwnedFd>), HealthError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut alive: Vec<_> = entries
        .map(|entry| entry.path().join(SOCKET))
        .map(|path| (dial(&path), path))
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
fn dial(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    recv(&socket, &mut [0; 1024][..], RecvFlags::empty())?;
    Ok(socket)
}

/// Sends the question; gives the answer.
fn question(socket: &OwnedFd) -> io::Result<String> {
    let mut message = vec![0; ANSWER_MAX];
    send(socket, REQUEST.as_bytes(), SendFlags::NOSIGNAL)?;
    let (length, _) = recv(socket, &mut message[..], RecvFlags::empty())?;
    message.truncate(length);
    Ok(String::from_utf8_lossy(&message).into_owned())
}

/// A line per lcore, and whether all poll. `None` when it is not the answer of a data plane that has lcores.
fn describe(answer: &str) -> Option<(String, bool)> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let mut lcores = Vec::new();
    for (lcore, state) in answer.get(REQUEST)?.as_object()? {
        let lanes: Vec<&str> = state["lanes"].as_array()?.iter().filter_map(Value::as_str).collect();
        lcores.push((lcore.parse::<u32>().ok()?, state["stalled"].as_u64()? != 0, lanes.join(" ")));
    }
    if lcores.is_empty() {
        return None;
    }
    lcores.sort_unstable();
    let mut text = String::new();
    for (lcore, stalled, lanes) in &lcores {
        let what = if *stalled { "stands still instead of polling" } else { "polls" };
        let _ = writeln!(text, "lcore {lcore} {what} {}", if lanes.is_empty() { "nothing" } else { lanes });
    }
    Some((text, lcores.iter().all(|(_, stalled, _)| !stalled)))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::net::{accept, bind, listen};

    use super::*;

    const WELL: &str = r#"{"/flowtracker/lcores": {"10": {"stalled": 0, "lanes": []}, "2": {"stalled": 0, "lanes": ["port0/0", "port1/0"]}}}"#;

    #[test]
    fn an_answer_is_a_line_per_lcore_and_one_that_stands_still_spoils_it() {
        let well = "lcore 2 polls port0/0 port1/0\nlcore 10 polls nothing\n".to_owned();
        assert_eq!(describe(WELL), Some((well, true)));
        let (text, well) =
            describe(&WELL.replace(r#""stalled": 0, "lanes": []"#, r#""stalled": 1, "lanes": []"#))
                .expect("an answer");
        assert_eq!(text.lines().last(), Some("lcore 10 stands still instead of polling nothing"));
        assert!(!well);
    }

    #[test]
    fn what_is_not_an_answer_of_a_running_data_plane_is_none() {
        // The last two: starting or stopping, and another DPDK program.
        for text in ["", "{", "{}", r#"{"/flowtracker/lcores": {}}"#, r#"{"/flowtracker/lcores": null}"#] {
            assert_eq!(describe(text), None, "{text}");
        }
        assert_eq!(describe(r#"{"/flowtracker/lcores": {"1": {"lanes": []}}}"#), None, "stalled is missing");
    }

    /// Listens as DPDK does, and answers one client.
    fn data_plane(folder: &Path, prefix: &str) -> thread::JoinHandle<String> {
        let folder = folder.join(prefix);
        fs::create_dir(&folder).expect("made");
        let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .expect("a socket");
        bind(&listener, &SocketAddrUnix::new(folder.join(SOCKET)).expect("an address")).expect("bound");
        listen(&listener, 10).expect("listens");
        thread::spawn(move || {
            let client = accept(&listener).expect("a client");
            send(&client, br#"{"version": "DPDK 22.11.11"}"#, SendFlags::empty()).expect("greeted");
            let mut request = [0; 100];
            let (length, _) = recv(&client, &mut request[..], RecvFlags::empty()).unwrap_or_default();
            let _ = send(&client, WELL.as_bytes(), SendFlags::NOSIGNAL);
            String::from_utf8_lossy(&request[..length]).into_owned()
        })
    }

    #[test]
    fn the_only_data_plane_needs_no_name_and_of_several_one_must_be_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(ask(folder.path(), None), Err(HealthError::NoneRuns(_))));
        // One that was killed: its socket is there, and nobody listens.
        let dead = data_plane(folder.path(), "dead");
        assert!(ask(folder.path(), Some("dead")).expect("an answer").1);
        dead.join().expect("answered");
        assert!(matches!(ask(folder.path(), None), Err(HealthError::NoneRuns(_))));
        assert!(matches!(ask(folder.path(), Some("dead")), Err(HealthError::Socket(..))));

        let one = data_plane(folder.path(), "one");
        assert!(ask(folder.path(), None).expect("an answer").1);
        assert_eq!(one.join().expect("answered"), REQUEST);

        let both = ["three", "two"].map(|prefix| data_plane(folder.path(), prefix));
        match ask(folder.path(), None) {
            Err(HealthError::Several(prefixes)) => assert_eq!(prefixes, ["three", "two"]),
            other => panic!("{other:?}"),
        }
        // They have been dialled, and nobody asked.
        for data_plane in both {
            assert_eq!(data_plane.join().expect("ended"), "");
        }
    }
}
