//! The authors of a link: which program each number in its records stands for.

use std::sync::Arc;

use flowtracker_proto::change::{EntryState, Report};
use flowtracker_proto::link::{self, AuthorNumber, BadRecord};
use flowtracker_proto::v1::{self, Actor};
use hashbrown::HashMap;
use tonic::Status;

use crate::api::fault;

/// The authors that a data plane has introduced on one link. There are at most as many as numbers.
#[derive(Debug, Default)]
pub(super) struct Authors(HashMap<AuthorNumber, Arc<Actor>>);

impl Authors {
    /// Takes in an introduction. A number may be given to another author.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub(super) fn introduce(&mut self, authors: v1::Authors) -> Result<(), Status> {
        for v1::Author { number, actor } in authors.authors {
            let number = AuthorNumber::try_from(number).ok().filter(|number| *number != 0);
            let number = number.ok_or_else(|| fault::bad_field("authors.number", "must be in 1 to 65535"))?;
            let actor = actor.ok_or_else(|| fault::bad_field("authors.actor", "is missing"))?;
            self.0.insert(number, Arc::new(actor));
        }
        Ok(())
    }

    /// Reads a run of records: what each reports, and when.
    ///
    /// # Errors
    /// Returns an error when the run ends within a record, and gives one in place of a record that
    /// cannot be read.
    pub(super) fn reports<'a>(
        &'a self,
        records: &'a [u8],
    ) -> Result<impl ExactSizeIterator<Item = Result<(u64, Report), BadRecord>> + 'a, BadRecord> {
        let author = |number| self.0.get(&number).cloned();
        Ok(link::records(records)?.map(move |record| {
            let record = record?;
            Ok((record.time_ns, Report::of(&record, author)?))
        }))
    }

    /// Reads the entries of an answer.
    ///
    /// # Errors
    /// A record cannot be read, or is about something else than an entry that is there.
    pub(super) fn entries(&self, records: &[u8]) -> Result<Vec<EntryState>, BadRecord> {
        let entry = |(_, report)| match report {
            Report::Present(state) => Ok(state),
            _ => Err(BadRecord::NoEntry),
        };
        self.reports(records)?.map(|report| entry(report?)).collect()
    }
}
