//! Standard output, flushed after each result, and the end on SIGINT.

use std::borrow::Cow;
use std::future::Future;
use std::io::{ErrorKind, Write};

use super::Failure;
use crate::render::printable;

/// Writes `text` and flushes it. All text for standard output passes [`safe`] first.
pub(super) fn put(text: &str) -> Result<(), Failure> {
    put_bytes(safe(text).as_bytes())
}

/// Returns text that no terminal obeys.
pub(super) fn safe(text: &str) -> Cow<'_, str> {
    printable::lines(text)
}

/// Writes what [`safe`] has returned and flushes it.
pub(super) fn put_bytes(text: &[u8]) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(|why| match why.kind() {
        ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Output(why),
    })
}

/// Writes a line to standard error. Errors are ignored: they cannot be reported anywhere.
pub(super) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable::one_line(message));
}

/// Runs `work` until it ends or SIGINT arrives, which counts as success. The work has a thread of
/// its own, so that a reader that has stopped cannot delay the signal.
pub(super) async fn until_interrupted(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let work = tokio::spawn(work);
    tokio::select! {
        end = work => end.unwrap_or_else(|panicked| Err(panicked.into())),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
