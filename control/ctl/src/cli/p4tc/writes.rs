//! Writes several entries in order, until one is refused.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::Entry;

use super::message::Echo;
use super::{Error, Tc, body};
use crate::render::Done;

/// Calls `write` for each of `entries`, and echoes it as `done`.
pub(super) async fn each(
    tc: &Tc,
    table: &'static TableDescription,
    entries: Vec<body::Entry>,
    done: Done,
    write: impl AsyncFnMut(body::Entry) -> Result<Option<Entry>, Error>,
) -> Result<(), Error> {
    let mut echo = Echo::new(&tc.flags, table);
    let written = all(entries, done, write, &mut echo).await;
    // The writes before an error are echoed too.
    echo.end()?;
    written
}

async fn all(
    entries: Vec<body::Entry>,
    done: Done,
    mut write: impl AsyncFnMut(body::Entry) -> Result<Option<Entry>, Error>,
    echo: &mut Echo<'_>,
) -> Result<(), Error> {
    let named = entries.len();
    for (written, entry) in entries.into_iter().enumerate() {
        let entry = write(entry).await.map_err(|error| error.after(written, named))?;
        echo.entry(&entry.unwrap_or_default(), done)?;
    }
    Ok(())
}
