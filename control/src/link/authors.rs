//! The authors of a link: which program each number in its records stands for.

use std::sync::Arc;

use flowtracker_proto::change::{EntryState, Report};
use flowtracker_proto::link::{self, AuthorNumber, BadRecord};
use flowtracker_proto::v1::{self, Actor};
use flowtracker_proto::{limits, text};
use hashbrown::HashMap;
use tonic::{Code, Status};

use crate::api::fault;

/// How many numbers there are.
const NUMBERS: u64 = 1 << AuthorNumber::BITS;

/// The authors that a data plane has introduced on one link. There are at most as many as numbers,
/// and each has a short name.
///
/// A data plane gives a number to another author only when that one writes, and each write is
/// reported. So the introductions are bounded by the numbers and the reports, and with them the
/// authors that the retained events name.
#[derive(Debug, Default)]
pub(super) struct Authors {
    by_number: HashMap<AuthorNumber, Arc<Actor>>,
    introduced: u64,
    reported: u64,
}

impl Authors {
    /// Takes in that these records were received.
    pub(super) fn count_reports(&mut self, records: &[u8]) {
        self.reported += (records.len() / link::LEN) as u64;
    }

    /// Takes in an introduction. A number may be given to another author.
    ///
    /// # Errors
    /// Names the field that is wrong, or there were too many introductions.
    pub(super) fn introduce(&mut self, authors: v1::Authors) -> Result<(), Status> {
        self.introduced += authors.authors.len() as u64;
        if self.introduced > self.reported + NUMBERS {
            let message = "it introduces more authors than it reports writes";
            return Err(fault::refusal(Code::ResourceExhausted, "TOO_MANY_AUTHORS", message));
        }
        for v1::Author { number, actor } in authors.authors {
            let number = AuthorNumber::try_from(number).ok().filter(|number| *number != 0);
            let number = number.ok_or_else(|| fault::bad_field("authors.number", "must be in 1 to 65535"))?;
            let actor = actor.ok_or_else(|| fault::bad_field("authors.actor", "is missing"))?;
            for (field, value, most) in [
                ("authors.actor.process", &actor.process, limits::PROCESS),
                ("authors.actor.identity", &actor.identity, limits::IDENTITY),
            ] {
                if value.len() > most {
                    return Err(fault::bad_field(field, format!("must have at most {most} bytes")));
                }
            }
            let [process, identity] =
                [&actor.process, &actor.identity].map(|name| text::printable(name).into_owned());
            let actor = Actor { process, identity, ..actor };
            // Entries and events that name the same author share one copy of it.
            if self.by_number.get(&number).is_none_or(|known| **known != actor) {
                self.by_number.insert(number, Arc::new(actor));
            }
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
        let author = |number| self.by_number.get(&number).cloned();
        Ok(link::records(records)?.map(move |record| {
            let record = record?;
            Ok((record.time_ns, Report::of(&record, author)?))
        }))
    }

    /// Reads the entries of an answer.
    ///
    /// # Errors
    /// A record cannot be read, or is about something else than an entry that is there.
    pub(super) fn entries(&self, records: &[u8]) -> Result<Vec<EntryState>, Status> {
        let entry = |(_, report)| match report {
            Report::Present(state) => Ok(state),
            _ => Err(BadRecord::NoEntry),
        };
        let all = self.reports(records).and_then(|all| all.map(|report| entry(report?)).collect());
        all.map_err(|why| fault::bad_field("reply.records", why.to_string()))
    }
}
