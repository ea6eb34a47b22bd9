//! Captures the lines that the EAL and the drivers print during a call.
//!
//! They print from C in many places, with `fprintf(stderr, …)` as well as through rte_log, and
//! getopt prints too. Only the file descriptors see all of it. So standard error and output are
//! redirected into memory while the call runs. If the process ends inside the call, the lines go to
//! where they would have gone without the capture.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// Held during a capture: there is one standard error, so there is one capture at a time.
static CAPTURING: Mutex<()> = Mutex::new(());

/// The streams that are redirected. Static, because [`spill`] runs at exit and in a signal handler.
static STREAMS: [Stream; 2] = [Stream::new(libc::STDERR_FILENO), Stream::new(libc::STDOUT_FILENO)];

struct Stream {
    /// The descriptor that is redirected.
    target: c_int,
    /// A descriptor of the file that `target` led to before; -1 while it is not redirected.
    before: AtomicI32,
    /// The descriptor of the memory that `target` leads to now; -1 while it is not redirected.
    memory: AtomicI32,
}

impl Stream {
    const fn new(target: c_int) -> Self {
        Self { target, before: AtomicI32::new(-1), memory: AtomicI32::new(-1) }
    }
}

/// Runs `call`. Returns its result, and the lines that the process wrote meanwhile: first those of
/// standard error, then those of standard output.
///
/// If the process exits, aborts or panics during `call`, the lines are written to the streams that
/// they were meant for. A process that is killed, by SIGSEGV too, loses them.
///
/// Lines that other threads write to the two descriptors are captured too. A capture inside another
/// one returns no lines: the outer one has them.
///
/// # Panics
///
/// When `call` does.
pub fn capture_output<T>(call: impl FnOnce() -> T) -> (T, Vec<String>) {
    let _one = match CAPTURING.try_lock() {
        Ok(guard) => guard,
        Err(std::sync::TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
        Err(std::sync::TryLockError::WouldBlock) => return (call(), Vec::new()),
    };
    spill_at_the_end();
    // SAFETY: fflush writes out the buffers of stdio; null stands for all streams.
    unsafe { libc::fflush(ptr::null_mut()) };
    // When no descriptor is left, the lines go to the terminal, as they would without a capture.
    let redirected: Vec<Redirected> =
        STREAMS.iter().filter_map(|stream| Redirected::new(stream).ok()).collect();
    let aborting = Aborting::watch();
    let result = call();
    drop(aborting);
    // SAFETY: as above.
    unsafe { libc::fflush(ptr::null_mut()) };
    let lines = redirected.into_iter().flat_map(Redirected::lines).collect();
    (result, lines)
}

/// A redirected stream. Dropping it undoes the redirection.
struct Redirected {
    stream: &'static Stream,
    before: OwnedFd,
    memory: File,
}

impl Redirected {
    fn new(stream: &'static Stream) -> io::Result<Self> {
        // SAFETY: the name is a zero-terminated string. The descriptor is new and belongs to nobody
        // else.
        let memory = unsafe {
            let fd = libc::memfd_create(c"dpdk-messages".as_ptr(), libc::MFD_CLOEXEC);
            File::from(owned(fd)?)
        };
        // SAFETY: fcntl has no precondition; the descriptor is new and belongs to nobody else.
        let before = unsafe { owned(libc::fcntl(stream.target, libc::F_DUPFD_CLOEXEC, 3))? };
        // SAFETY: both descriptors are open; the file that target led to stays open as `before`.
        if unsafe { libc::dup2(memory.as_raw_fd(), stream.target) } < 0 {
            return Err(io::Error::last_os_error());
        }
        stream.before.store(before.as_raw_fd(), Ordering::Release);
        stream.memory.store(memory.as_raw_fd(), Ordering::Release);
        Ok(Self { stream, before, memory })
    }

    fn lines(self) -> Vec<String> {
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        // Reads at offsets, because the descriptor's own position is at the end, where the writers
        // are.
        while let Ok(count @ 1..) = self.memory.read_at(&mut chunk, text.len() as u64) {
            text.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }
}

impl Drop for Redirected {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // No caller gets the lines any more, and the panic's own message is among them.
            return spill();
        }
        self.stream.memory.store(-1, Ordering::Release);
        self.stream.before.store(-1, Ordering::Release);
        // SAFETY: both are open; target leads into memory, which nobody else reads.
        unsafe { libc::dup2(self.before.as_raw_fd(), self.stream.target) };
    }
}

/// Takes over the descriptor that a system call returned.
///
/// # Safety
///
/// `fd` is negative, with errno set, or belongs to nobody else.
unsafe fn owned(fd: c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Has `exit` write the captured lines: the EAL's `--help` and rte_exit end the process inside the
/// call.
fn spill_at_the_end() {
    static ONCE: Once = Once::new();
    // SAFETY: spill may run at exit: it uses descriptors and nothing that has a destructor.
    ONCE.call_once(|| unsafe {
        libc::atexit(spill);
    });
}

/// Has `abort` write the captured lines, while it lives: rte_panic ends the process by it.
struct Aborting(libc::sighandler_t);

impl Aborting {
    fn watch() -> Self {
        let handler: extern "C" fn(c_int) = on_abort;
        // SAFETY: on_abort does nothing that a signal handler must not do. abort() ends the process
        // when it returns.
        Self(unsafe { libc::signal(libc::SIGABRT, handler as libc::sighandler_t) })
    }
}

impl Drop for Aborting {
    fn drop(&mut self) {
        // SAFETY: restores the handler of before, if signal() returned one.
        unsafe {
            if self.0 != libc::SIG_ERR {
                libc::signal(libc::SIGABRT, self.0);
            }
        }
    }
}

extern "C" fn on_abort(_signal: c_int) {
    spill();
}

/// Undoes the redirections and writes the captured lines. Calls nothing but what a signal handler
/// may call.
extern "C" fn spill() {
    for stream in &STREAMS {
        let (before, memory) =
            (stream.before.swap(-1, Ordering::AcqRel), stream.memory.swap(-1, Ordering::AcqRel));
        if before < 0 || memory < 0 {
            continue;
        }
        let mut chunk = [0_u8; 1024];
        let mut at = 0;
        // SAFETY: the descriptors are open as long as STREAMS names them, and chunk has the size
        // given.
        unsafe {
            libc::dup2(before, stream.target);
            loop {
                let count = libc::pread(memory, chunk.as_mut_ptr().cast::<c_void>(), chunk.len(), at);
                let Ok(len @ 1..) = usize::try_from(count) else { break };
                // A failure cannot be reported to anybody.
                libc::write(stream.target, chunk.as_ptr().cast::<c_void>(), len);
                at += count as libc::off_t;
            }
        }
    }
}
