//! A thread that is kept from running, as if the scheduler ran others instead. It is stopped by
//! ptrace, without its cooperation.

use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A frozen thread of another process. It continues when this is dropped, which must happen on the
/// thread that froze it.
#[derive(Debug)]
pub struct Frozen(Pid);

impl Frozen {
    /// Freezes the thread wherever it is. A process id stands for the process's main thread.
    ///
    /// # Panics
    /// When the kernel does not allow it.
    #[must_use]
    pub fn anywhere(thread: u32) -> Self {
        let thread = Pid::from_raw(i32::try_from(thread).expect("thread ids are small"));
        ptrace::seize(thread, ptrace::Options::empty()).expect("the thread can be traced");
        let frozen = Self(thread);
        ptrace::interrupt(thread).expect("it is traced");
        let status = waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it is traced");
        assert!(matches!(status, WaitStatus::PtraceEvent(..) | WaitStatus::Stopped(..)), "{status:?}");
        frozen
    }

    /// Freezes the thread when it executes code of a library whose path holds `library`.
    ///
    /// # Panics
    /// When the thread is not found there within `limit`.
    #[must_use]
    pub fn inside(thread: u32, library: &str, limit: Duration) -> Self {
        let deadline = Instant::now() + limit;
        loop {
            let frozen = Self::anywhere(thread);
            if frozen.executes(library) {
                return frozen;
            }
            drop(frozen);
            assert!(Instant::now() < deadline, "{thread} was never seen inside {library}");
        }
    }

    fn executes(&self, library: &str) -> bool {
        let at = ptrace::getregs(self.0).expect("it is stopped").rip;
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.0)).expect("its memory map");
        let holds = |line: &str| {
            let (from, to) = line.split_once(' ')?.0.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            Some((number(from)?..number(to)?).contains(&at))
        };
        maps.lines().filter(|line| line.contains(library)).any(|line| holds(line).unwrap_or(false))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // It fails when the process has ended meanwhile, and nothing is left to do then.
        let _ = ptrace::detach(self.0, None);
    }
}
