//! What a reader of a feed wants: a data plane, a table, and a filter over entries and events.

use std::ops::RangeInclusive;

use flowtracker_proto::change::{Change, Changed, EntryState};
use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::show;
use flowtracker_proto::table::Family;

use crate::mirror::log::Run;

/// `cmd` of the events about entries.
const CREATED: u8 = 1;
const UPDATED: u8 = 2;
const DELETED: u8 = 3;

/// Decides which events and entries a reader gets, before anything is encoded or queued for it.
#[derive(Debug)]
pub struct Predicate {
    /// Name of a data plane; all when empty.
    dataplane: String,
    /// The family of a table; `None` for all.
    family: Option<Family>,
    filter: Program,
    /// The values of `cmd` that an entry of a snapshot is tried with. It has none of its own, and
    /// is wanted when some event about it would be, so that nothing is deleted or updated later
    /// that the snapshot kept back.
    tried: RangeInclusive<u8>,
}

/// Which events of a run are wanted: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// Those whose index in the run holds true.
    These(Vec<bool>),
}

impl Predicate {
    /// Wants what `dataplane` (any when empty) reports of the table of `family` (any when `None`),
    /// as far as `filter` matches it.
    pub fn new(dataplane: String, family: Option<Family>, filter: Program) -> Self {
        let tried = CREATED..=if filter.asks_cmd() { DELETED } else { CREATED };
        Self { dataplane, family, filter, tried }
    }

    /// Returns which events of `run` are wanted; `None` when none is.
    pub fn pick(&self, run: &Run) -> Option<Wanted> {
        if self.everything() {
            return Some(Wanted::All);
        }
        let wanted: Vec<bool> = run.events().map(|(_, record)| self.wants(record)).collect();
        wanted.iter().any(|wanted| *wanted).then_some(Wanted::These(wanted))
    }

    /// Returns whether anything that `dataplane` reports can be wanted.
    pub fn of_dataplane(&self, dataplane: &str) -> bool {
        self.dataplane.is_empty() || *dataplane == *self.dataplane
    }

    /// Returns whether an entry of a snapshot is wanted. Its data plane has been checked.
    pub fn wants_entry(&self, entry: &EntryState) -> bool {
        self.of_table(entry.key.family()) && self.tried.clone().any(|cmd| self.passes(entry, cmd))
    }

    fn everything(&self) -> bool {
        self.dataplane.is_empty() && self.family.is_none() && self.filter.is_all()
    }

    fn wants(&self, record: &Changed) -> bool {
        self.of_dataplane(&record.dataplane)
            && self.of_table(record.change.family())
            && match &record.change {
                Change::Created(entry) => self.passes(entry, CREATED),
                Change::Updated(entry) => self.passes(entry, UPDATED),
                Change::Deleted { entry, .. } => self.passes(entry, DELETED),
                Change::Flushed { .. } | Change::Purged(_) | Change::Loaded(_) => true,
            }
    }

    fn of_table(&self, family: Family) -> bool {
        self.family.is_none_or(|wanted| wanted == family)
    }

    fn passes(&self, entry: &EntryState, cmd: u8) -> bool {
        self.filter.matches(&facts(entry, cmd))
    }
}

/// What a filter may ask about an event. The idle time has no meaning in a stream.
fn facts(entry: &EntryState, cmd: u8) -> Facts {
    Facts { family: entry.key.family(), key: entry.key.widen(), prio: show::PRIORITY, idle_ms: 0, cmd }
}

#[cfg(test)]
mod tests;
