//! A filter as an lcore applies it: a program that the control service has compiled, run on the
//! engine's entries.

use conntrack::{Entry, Now};
use flowtracker_proto::filter::{BadFilter, Facts, Program};
use flowtracker_proto::{show, v1};

use crate::lcore::family::TableKey;

/// Selects the entries of a dump or a flush.
#[derive(Clone, Copy, Debug)]
pub struct Filter(Program);

impl Filter {
    /// Selects every entry.
    pub const ALL: Filter = Filter(Program::ALL);

    /// Converts a filter of the link. None selects every entry.
    ///
    /// # Errors
    /// When its program is not sound.
    pub fn from_proto(filter: Option<&v1::Filter>) -> Result<Self, BadFilter> {
        Program::from_proto(filter).map(Filter)
    }

    /// Returns `true` when the entry, as it is at `now`, is selected.
    #[inline]
    #[must_use]
    pub fn matches<K: TableKey>(&self, entry: &Entry<K>, now: Now) -> bool {
        self.0.is_all() || self.0.matches(&facts(entry, now))
    }
}

/// Returns what a filter may ask about an entry.
fn facts<K: TableKey>(entry: &Entry<K>, now: Now) -> Facts {
    Facts {
        family: K::FAMILY,
        key: entry.key.wide(),
        prio: show::PRIORITY,
        idle_ms: entry.idle_ms(now.tick),
        cmd: 0,
    }
}

#[cfg(test)]
mod tests;
