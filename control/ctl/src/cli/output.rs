//! Standard output, one flushed piece per result; and the end on SIGINT.

use std::future::Future;
use std::io::{ErrorKind, Write};

use flowtracker_proto::v1::Event;
use tokio::sync::mpsc;

use super::Failure;
use super::follow::Follower;

/// Writes `text` and flushes it.
pub(super) fn put(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|why| match why.kind() {
        ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Output(why),
    })
}

/// Prints what comes from `source`, in the form that `render` appends: what came
/// in one piece is written in one piece, and flushed.
///
/// A thread of its own writes. A reader who has stopped holds that thread, while
/// the connection still answers the server's pings: slow is not dead.
pub(super) async fn follow(
    mut source: Follower,
    mut render: impl FnMut(&mut String, &Event) + Send,
) -> Result<(), Failure> {
    let (pieces, mut written) = mpsc::channel::<String>(1);
    let mut writer = tokio::task::spawn_blocking(move || {
        while let Some(text) = written.blocking_recv() {
            put(&text)?;
        }
        Ok(())
    });
    let mut size = 0;
    let failure = loop {
        let events = tokio::select! {
            end = &mut writer => return end.unwrap_or_else(|panicked| Err(panicked.into())),
            events = source.next() => events,
        };
        match events {
            Ok(events) => {
                let mut text = String::with_capacity(size);
                events.iter().for_each(|event| render(&mut text, event));
                size = text.len();
                // A writer that has ended says why above.
                let _ = pieces.send(text).await;
            }
            Err(failure) => break failure,
        }
    };
    drop(pieces);
    writer.await.unwrap_or_else(|panicked| Err(panicked.into()))?;
    Err(failure)
}

/// Writes a line to standard error; there is nobody to tell when that fails.
pub(super) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Runs `work` until it ends or SIGINT comes, which is a good end. The work has
/// a thread of its own, so that a reader who has stopped cannot keep the
/// signal from being noticed.
pub(super) async fn until_interrupted(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let work = tokio::spawn(work);
    tokio::select! {
        end = work => end.unwrap_or_else(|panicked| Err(panicked.into())),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
