//! Child processes that do not outlive their test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What the package and the image set in the environment of the control service, for the memory that
/// a service holds that runs for long.
pub const GLIBC_TUNABLES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=1048576");

/// Time that a child gets to obey SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// Pause between two looks at an unfinished child.
const POLL: Duration = Duration::from_millis(10);

/// Returns the root of the workspace.
///
/// # Panics
/// When the crate is not a member folder of a workspace.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

/// Returns the path of one of the product's programs, built from the present sources. With
/// `FLOWTRACKER_BIN_DIR` it is the one in that folder, as it is.
///
/// nextest sets that variable: it builds the programs once per run (`.config/nextest.toml`).
/// Elsewhere the first call in a process builds them, by the same script.
///
/// # Panics
/// When they cannot be built, or the folder lacks the program.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match std::env::var_os("FLOWTRACKER_BIN_DIR") {
        Some(folder) => folder.into(),
        None => run(Command::new(workspace_root().join("tests/programs.sh")).stderr(Stdio::inherit()))
            .trim_end()
            .into(),
    });
    let path = folder.join(name);
    assert!(path.is_file(), "no {name} in {}, which FLOWTRACKER_BIN_DIR names", folder.display());
    path
}

/// Returns the CPU that this test's data plane may poll on. Tests that run side by side get
/// different ones from nextest (`.config/nextest.toml`).
#[must_use]
pub fn cpu() -> usize {
    // The slot is "none" outside a test group, and unset without nextest.
    std::env::var("NEXTEST_TEST_GROUP_SLOT").ok().and_then(|slot| slot.parse().ok()).unwrap_or(0) % 2
}

/// Returns the path of a program that `make deps` puts into `target/tools/bin`, or of the one of
/// that name on the PATH.
///
/// # Panics
/// When there is neither.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let own = workspace_root().join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(own)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: run `make deps`"))
}

/// One of the two output streams of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: results.
    Stdout,
    /// Standard error: logs.
    Stderr,
}

#[derive(Default)]
struct Captured {
    lines: Mutex<Vec<(Stream, String)>>,
    grown: Condvar,
}

impl Captured {
    fn lock(&self) -> MutexGuard<'_, Vec<(Stream, String)>> {
        // A reader that panicked leaves whole lines behind, which are still valid.
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A running child with captured output. Dropping it ends the process.
pub struct Running {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    captured: Arc<Captured>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts `command` with its three streams piped to the harness.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let captured = Arc::new(Captured::default());
        let stdin = child.stdin.take();
        let readers = vec![
            reader(child.stdout.take().expect("piped"), Stream::Stdout, &captured),
            reader(child.stderr.take().expect("piped"), Stream::Stderr, &captured),
        ];
        Self { name, child, stdin, captured, readers }
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line of `stream`, past or future, satisfies `wanted`, and returns it.
    ///
    /// # Panics
    /// When `limit` passes or the process ends first.
    pub fn wait_line(&mut self, stream: Stream, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_lines(stream, limit, |lines| {
            lines.iter().find(|line| wanted(line)).map(ToString::to_string)
        })
    }

    /// Waits until `wanted` returns a value for the lines of `stream` so far, which come without
    /// line ends, and returns it.
    ///
    /// # Panics
    /// When `limit` passes or the process ends first.
    pub fn wait_lines<T>(
        &mut self,
        stream: Stream,
        limit: Duration,
        wanted: impl Fn(&[&str]) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        loop {
            // The state of the child is read first. If it has ended, everything that it wrote is in
            // the lines once its readers are done.
            let ended = self.child.try_wait().expect("own child").is_some();
            if ended {
                self.join_readers();
            }
            let lines = self.captured.lock();
            if let Some(found) = wanted(&of_stream(&lines, stream)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if ended || left.is_zero() {
                let why = if ended { "ended" } else { "kept silent" };
                drop(lines);
                panic!("{} {why}; its output:\n{}", self.name, self.output());
            }
            // The waits are short, because the end of a process does not notify this condition.
            drop(self.captured.grown.wait_timeout(lines, left.min(10 * POLL)));
        }
    }

    /// Returns everything that `stream` has carried so far, with line ends.
    #[must_use]
    pub fn text(&self, stream: Stream) -> String {
        of_stream(&self.captured.lock(), stream).iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns both streams so far, for a failure message.
    #[must_use]
    pub fn output(&self) -> String {
        self.captured.lock().iter().map(|(stream, line)| format!("{stream:?}: {line}\n")).collect()
    }

    /// Writes to the process's standard input.
    ///
    /// # Panics
    /// When the process does not accept the text.
    pub fn write_stdin(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("the child reads");
    }

    /// Closes the process's standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("own child, not yet waited for");
    }

    /// Returns `false` when the process has ended.
    ///
    /// # Panics
    /// When the system does not report the state.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("own child").is_none()
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it does not within `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        match self.wait_until(Instant::now() + limit) {
            Some(status) => status,
            None => panic!("{} did not end within {limit:?}; its output:\n{}", self.name, self.output()),
        }
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    ///
    /// # Panics
    /// When it does not obey within ten seconds.
    pub fn terminate(&mut self) -> ExitStatus {
        if self.child.try_wait().expect("own child").is_none() {
            self.signal(Signal::TERM);
        }
        self.wait(GRACE)
    }

    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().expect("own child") {
                self.join_readers();
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(POLL);
        }
    }

    fn join_readers(&mut self) {
        for reader in self.readers.drain(..) {
            // A reader that panicked has only lost lines, which the waiting test will report.
            let _ = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            if self.wait_until(Instant::now() + GRACE).is_none() {
                // The value is being dropped, perhaps in a panic, so errors are ignored.
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        if std::thread::panicking() {
            // The test has failed, and the output of the process helps to find out why.
            let _ = write!(std::io::stderr(), "--- {}\n{}", self.name, self.output());
        }
    }
}

fn of_stream(lines: &[(Stream, String)], stream: Stream) -> Vec<&str> {
    lines.iter().filter(|(from, _)| *from == stream).map(|(_, line)| line.as_str()).collect()
}

fn reader(
    pipe: impl std::io::Read + Send + 'static,
    stream: Stream,
    captured: &Arc<Captured>,
) -> JoinHandle<()> {
    let captured = Arc::clone(captured);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            captured.lock().push((stream, String::from_utf8_lossy(&line).into_owned()));
            captured.grown.notify_all();
        }
    })
}

/// Runs `command` to its end and returns its standard output.
///
/// # Panics
/// When it cannot be started or does not exit with 0.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Calls `question` repeatedly until it returns a value.
///
/// # Panics
/// When it returns none within `limit`. `what` describes the awaited event in the message.
pub fn wait_for<T>(what: &str, limit: Duration, mut question: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        std::thread::sleep(5 * POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Running {
        Running::spawn(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn lines_are_kept_apart_by_stream() {
        let mut child = shell("echo one; echo two >&2; echo three");
        assert_eq!(child.wait_line(Stream::Stderr, LONG, |_| true), "two");
        assert!(child.wait(LONG).success());
        assert_eq!(child.text(Stream::Stdout), "one\nthree\n");
    }

    #[test]
    fn a_line_written_just_before_the_end_is_seen() {
        for _ in 0..20 {
            let mut child = shell("echo last");
            assert_eq!(child.wait_line(Stream::Stdout, LONG, |line| line == "last"), "last");
        }
    }

    #[test]
    #[should_panic(expected = "ended")]
    fn waiting_for_a_line_that_cannot_come_ends_with_the_process() {
        shell("echo other").wait_line(Stream::Stdout, LONG, |line| line == "wanted");
    }

    #[test]
    fn standard_input_reaches_the_child() {
        let mut child = shell("cat");
        child.write_stdin("hello\n");
        child.wait_line(Stream::Stdout, LONG, |line| line == "hello");
        child.close_stdin();
        assert!(child.wait(LONG).success());
    }

    #[test]
    fn terminate_gives_the_status_that_the_child_chose() {
        let mut child = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        child.wait_line(Stream::Stdout, LONG, |line| line == "ready");
        assert_eq!(child.terminate().code(), Some(7));
        let mut child = Running::spawn(Command::new("sleep").arg("600"));
        assert_eq!(child.terminate().signal(), Some(15));
    }

    #[test]
    fn dropping_ends_the_process() {
        let child = Running::spawn(Command::new("sleep").arg("600"));
        let folder = PathBuf::from(format!("/proc/{}", child.pid()));
        assert!(folder.exists());
        drop(child);
        assert!(!folder.exists());
    }
}
