//! Messages of P4TC, as text or as parts of one JSON document.

use flowtracker_proto::table::TableDescription;
use flowtracker_proto::v1::Entry;

use super::flags::Flags;
use super::{Error, is_published};
use crate::cli::output;
use crate::render::{Done, json, tc};

/// Prints messages as they come; with JSON it prints one document at the end.
pub(super) struct Printer<'a> {
    flags: &'a Flags,
    table: &'static TableDescription,
    pieces: Vec<json::Piece>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(flags: &'a Flags, table: &'static TableDescription) -> Self {
        Self { flags, table, pieces: Vec::new() }
    }

    /// Prints a message of up to 16 entries.
    pub(super) fn entries(&mut self, entries: &[Entry], done: Option<Done>) -> Result<(), Error> {
        Ok(output::put(&self.text(entries, done))?)
    }

    /// Returns the text of a message of up to 16 entries. It is empty with JSON.
    pub(super) fn text(&mut self, entries: &[Entry], done: Option<Done>) -> String {
        let mut text = String::new();
        if self.flags.json {
            self.pieces.extend(json::message(self.table, entries, done));
        } else {
            tc::pipeline(&mut text, self.table, done);
            entries.iter().for_each(|entry| tc::entry(&mut text, self.table, entry, self.flags.details));
        }
        text
    }

    /// Prints what remains, at the end of the command.
    pub(super) fn end(self) -> Result<(), Error> {
        if !self.flags.json {
            return Ok(());
        }
        Ok(output::put(&json::document(&self.pieces, self.flags.pretty))?)
    }
}

/// The events of a write, printed with `-echo`.
pub(super) struct Echo<'a>(Option<Printer<'a>>);

impl<'a> Echo<'a> {
    pub(super) fn new(flags: &'a Flags, table: &'static TableDescription) -> Self {
        Self(flags.echo.then(|| Printer::new(flags, table)))
    }

    /// Prints the event of one entry, if it has one.
    pub(super) fn entry(&mut self, entry: &Entry, done: Done) -> Result<(), Error> {
        match &mut self.0 {
            Some(printer) if is_published(entry) => printer.entries(std::slice::from_ref(entry), Some(done)),
            _ => Ok(()),
        }
    }

    /// Prints the event of a flush.
    pub(super) fn flushed(&mut self, deleted: u64) -> Result<(), Error> {
        let Some(printer) = &mut self.0 else { return Ok(()) };
        if printer.flags.json {
            printer.pieces.extend(json::flushed(printer.table, deleted));
            return Ok(());
        }
        let mut text = String::new();
        tc::flushed(&mut text, printer.table, deleted);
        Ok(output::put(&text)?)
    }

    /// Ends the echo; it prints nothing if there was no event.
    pub(super) fn end(self) -> Result<(), Error> {
        self.0.filter(|printer| !printer.pieces.is_empty()).map_or(Ok(()), Printer::end)
    }
}
