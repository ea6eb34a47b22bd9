//! Holds the log back until the start has succeeded, so that a start that fails prints one line,
//! the reason.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// The log's way to standard error.
///
/// It has a file descriptor of its own: the well-known one is redirected while DPDK's messages are
/// captured ([`dpdk::capture_output`]).
#[derive(Clone, Debug)]
pub struct StartLog(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    stderr: File,
    held: Option<Vec<u8>>,
}

impl StartLog {
    /// Makes a log, which holds its lines back if `hold` is set.
    ///
    /// # Errors
    /// When there is no file descriptor left.
    pub fn new(hold: bool) -> io::Result<Self> {
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Ok(Self(Arc::new(Mutex::new(Inner { stderr, held: hold.then(Vec::new) }))))
    }

    /// Writes the lines that were held back. Later ones are written at once.
    pub fn release(&self) {
        let mut inner = self.lock();
        if let Some(held) = inner.held.take() {
            // A log that cannot be written does not end the program.
            let _ = inner.stderr.write_all(&held);
        }
    }

    /// Forgets the lines that were held back. Later ones are written at once.
    pub fn discard(&self) {
        self.lock().held = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for StartLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        match &mut inner.held {
            Some(held) => held.write(line),
            None => inner.stderr.write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for StartLog {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
