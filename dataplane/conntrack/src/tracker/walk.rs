//! Enumerations of the table. The caller goes on with a cursor, slice by slice, between bursts.

use super::Tracker;
use super::program::Program;
use crate::entry::Entry;
use crate::key::FlowKey;
use crate::table::{FlowTable, Pos};

/// The place where an enumeration goes on. Entries never move, so a cursor is a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor(pub(super) u32);

/// One step of an enumeration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<K = FlowKey> {
    /// The next entry.
    Entry(Entry<K>),
    /// There is no entry in this slice. There may be more behind it.
    Pause,
    /// There are no more entries.
    End,
}

impl<T: FlowTable> Tracker<T> {
    /// Returns the next entry of an enumeration, visiting at most `positions` positions. The
    /// visited ones are subtracted from `positions`.
    ///
    /// An entry that is alive throughout an enumeration is met exactly once. Entries that have
    /// expired are not met.
    pub fn step(&self, cursor: &mut Cursor, positions: &mut u32) -> Step<T::Key> {
        if self.program != Program::Attached {
            return Step::End;
        }
        self.walk(cursor, positions, false)
    }

    /// Does what [`Tracker::step`] does, whether the program is attached or not, and with the
    /// entries that have expired if `with_dying` is set.
    pub(super) fn walk(&self, cursor: &mut Cursor, positions: &mut u32, with_dying: bool) -> Step<T::Key> {
        while *positions > 0 {
            if cursor.0 >= self.table.positions() {
                return Step::End;
            }
            *positions -= 1;
            let pos = Pos(cursor.0);
            cursor.0 += 1;
            if let Some(key) = self.table.key_at(pos)
                && (with_dying || !self.table.mark(pos).dying())
            {
                return Step::Entry(self.entry(pos, key));
            }
        }
        Step::Pause
    }
}
