//! Reads ahead of standard output, so that a reader that stops (`ctl list | less`) holds up neither
//! the listing nor the service, which has a few places for lists.
//!
//! Text waits in memory up to [`MEMORY`], then in a temporary file that has no name (in `TMPDIR`,
//! or /tmp), up to [`FILE`]. Where the file is full or cannot be written, the reading ahead pauses
//! until the output has caught up.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Failure, output};

/// Most bytes that wait in memory.
const MEMORY: usize = 8 << 20;
/// Most bytes that wait in the file.
const FILE: u64 = 4 << 30;
/// Bytes that are read from the file at once.
const PIECE: u64 = 1 << 20;

/// The waiting text, and the thread that writes it.
pub(super) struct Spool {
    shared: Arc<Shared>,
    writer: JoinHandle<Result<(), Failure>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Wakes the writer.
    more: Condvar,
    /// Wakes the reader, when there is room again or the writer has ended.
    room: Notify,
}

/// Text in the order in which it is written: first what is in memory, then what is in the file.
#[derive(Default)]
struct Waiting {
    memory: VecDeque<Vec<u8>>,
    in_memory: usize,
    file: Option<File>,
    /// The extent of the file that has not been written out.
    from: u64,
    to: u64,
    /// False once the file has failed.
    no_file: bool,
    /// No more text comes.
    complete: bool,
    /// The writer has ended.
    closed: bool,
}

/// What the writer has to do next.
enum Next {
    Text(Vec<u8>),
    File(u64),
    End,
}

impl Waiting {
    /// Takes `text`, or gives it back where there is no room.
    fn take(&mut self, text: Vec<u8>) -> Result<(), Vec<u8>> {
        let spilled = self.from < self.to;
        if !spilled && (self.in_memory == 0 || self.in_memory + text.len() <= MEMORY) {
            self.in_memory += text.len();
            self.memory.push_back(text);
            return Ok(());
        }
        if self.no_file || self.to + text.len() as u64 > FILE {
            return Err(text);
        }
        match self.spill(&text) {
            Ok(()) => Ok(()),
            Err(why) => {
                tracing::debug!("no reading ahead: {why}");
                self.no_file = true;
                Err(text)
            }
        }
    }

    fn spill(&mut self, text: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(text, self.to)?;
        self.to += text.len() as u64;
        Ok(())
    }

    fn next(&mut self) -> Option<Next> {
        if let Some(text) = self.memory.pop_front() {
            self.in_memory -= text.len();
            return Some(Next::Text(text));
        }
        match self.to - self.from {
            0 if self.complete => Some(Next::End),
            0 => None,
            left => Some(Next::File(left.min(PIECE))),
        }
    }

    /// Reads the next `length` bytes of the file, and empties it after the last.
    fn read(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut text = vec![0; length as usize];
        file.read_exact_at(&mut text, self.from)?;
        self.from += length;
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
            file.set_len(0)?;
        }
        Ok(text)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes text as it comes, until it is complete.
    fn write(&self, put: impl Fn(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        loop {
            let text = {
                let mut waiting = self.lock();
                loop {
                    match waiting.next() {
                        Some(Next::End) => return Ok(()),
                        Some(Next::Text(text)) => break text,
                        Some(Next::File(length)) => break waiting.read(length).map_err(Failure::Output)?,
                        None => waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                    }
                }
            };
            self.room.notify_one();
            put(&text)?;
        }
    }
}

impl Spool {
    /// Starts the thread that writes to standard output.
    pub(super) fn start() -> Self {
        Self::with(output::put_bytes)
    }

    fn with(put: impl Fn(&[u8]) -> Result<(), Failure> + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let writer = tokio::task::spawn_blocking({
            let shared = shared.clone();
            move || {
                let end = shared.write(put);
                shared.lock().closed = true;
                shared.room.notify_one();
                end
            }
        });
        Self { shared, writer }
    }

    /// Takes text, at once unless all room is taken. Returns false when nobody reads any more.
    pub(super) async fn put(&self, text: &str) -> bool {
        let mut text = output::safe(text).into_owned().into_bytes();
        if text.is_empty() {
            return true;
        }
        loop {
            {
                let mut waiting = self.shared.lock();
                if waiting.closed {
                    return false;
                }
                match waiting.take(text) {
                    Ok(()) => {
                        self.shared.more.notify_one();
                        return true;
                    }
                    Err(back) => text = back,
                }
            }
            self.shared.room.notified().await;
        }
    }

    /// Waits until everything is written.
    pub(super) async fn end(self) -> Result<(), Failure> {
        self.shared.lock().complete = true;
        self.shared.more.notify_one();
        self.writer.await.unwrap_or_else(|panicked| Err(panicked.into()))
    }
}

#[cfg(test)]
mod tests;
