//! The words of a body.

use flowtracker_proto::key::parse_number;
use flowtracker_proto::table::{NotFound, TableDescription};

use super::{Error, say};

/// Words, read in order.
pub(super) struct Words<'a>(pub(super) &'a [String]);

impl<'a> Words<'a> {
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.0.first().map(String::as_str)
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Returns the word after `name`.
    pub(super) fn value(&mut self, name: &str) -> Result<&'a str, Error> {
        self.next().map_or_else(|| say(format!("\"{name}\" has no value")), Ok)
    }

    /// Returns the word after `name`, parsed by `read`.
    pub(super) fn number<T>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        read(self.value(name)?).or_else(|why| say(format!("{name}: {why}")))
    }

    /// Skips ids, which may precede everything else.
    pub(super) fn skip_ids(&mut self, table: &TableDescription) -> Result<(), Error> {
        while let Some(name @ ("pipeid" | "tblid")) = self.peek() {
            self.next();
            self.id(table, name)?;
        }
        Ok(())
    }

    /// Checks the id after `name`, which must be that of the path's pipeline or table.
    pub(super) fn id(&mut self, table: &TableDescription, name: &str) -> Result<(), Error> {
        let id: u32 = self.number(name, parse_number)?;
        match name {
            "pipeid" if id != table.pipeline_id => Err(NotFound::Pipeline.into()),
            "tblid" if id != table.id => Err(NotFound::Table.into()),
            _ => Ok(()),
        }
    }
}
