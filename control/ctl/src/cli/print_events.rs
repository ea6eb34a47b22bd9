//! Prints a stream of events.

use flowtracker_proto::v1::Event;
use tokio::sync::mpsc;

use super::Failure;
use super::follow::Follower;
use super::output::put;

/// Prints the events of `source` in the form that `render` appends. Events that arrive in one piece
/// are written in one piece, and flushed.
///
/// A thread of its own writes. A reader that has stopped blocks only that thread, and the
/// connection still answers the server's pings, because a slow client is not a dead one.
pub(super) async fn print(
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
                // If the writer has ended, its error is returned above.
                let _ = pieces.send(text).await;
            }
            Err(failure) => break failure,
        }
    };
    drop(pieces);
    writer.await.unwrap_or_else(|panicked| Err(panicked.into()))?;
    Err(failure)
}
