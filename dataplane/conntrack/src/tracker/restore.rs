//! Puts back the entries that an earlier run of the data plane had.
//!
//! Nothing is reported: the entries are older than any listener's link, and the resync of a link
//! reports them.

use super::Tracker;
use super::program::Program;
use crate::classes::STATIC;
use crate::entry::{Cold, Counts, Entry, Mark};
use crate::table::FlowTable;

/// Why an entry was not put back. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRestored {
    /// The shard holds its maximum number of entries.
    Full,
    /// The table has an entry with this key, or with its fingerprint.
    Exists,
    /// The entries have too many different aging values.
    TooManyAgings,
    /// The program is detached.
    Detached,
}

impl<T: FlowTable> Tracker<T> {
    /// Puts an entry back as it was. [`Entry::used_at`] makes its stamp that of this run's clock.
    ///
    /// The rules for writes do not apply: they were kept when the entry was written, and the table
    /// may have been changed since.
    ///
    /// # Errors
    /// Why the entry cannot be put back.
    pub fn restore(&mut self, entry: &Entry<T::Key>) -> Result<(), NotRestored> {
        debug_assert!(self.between_batches(), "a batch is half probed");
        if self.program != Program::Attached {
            return Err(NotRestored::Detached);
        }
        let hash = self.table.hash(&entry.key);
        if self.table.lookup_with_hash(&entry.key, hash).is_some() {
            return Err(NotRestored::Exists);
        }
        let class = self.classes.of_aging(entry.aging_ms).map_err(|_| NotRestored::TooManyAgings)?;
        let pos = self.table.add_with_hash(&entry.key, hash).map_err(|_| NotRestored::Full)?;
        let mut cold = Cold::new(entry.created_ms, entry.creator, entry.permissions, entry.profile);
        cold.update(entry.updater, entry.permissions, entry.profile);
        cold.set_rounds(entry.rounds);
        *self.table.cold_mut(pos) = cold;
        if let Some(counts) = self.table.counts_mut(pos) {
            *counts = Counts { packets: entry.packets, bytes: entry.bytes };
        }
        self.table.set_stamp(pos, entry.last_used);
        self.table.set_mark(pos, Mark::new(class));
        self.classes.join(class);
        if class != STATIC {
            self.wheel.schedule(Self::block_of(pos), entry.last_used.plus(entry.aging_ms));
        }
        Ok(())
    }
}
