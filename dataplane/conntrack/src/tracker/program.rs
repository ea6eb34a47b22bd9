//! The table as a whole: changes of its profiles and permissions, and the P4 program, which may be
//! detached and attached.

use super::Tracker;
use crate::permission::Permissions;
use crate::table::{FlowTable, Pos};
use crate::timeout::Profiles;

/// The state of the P4 program on this shard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Frames are tracked.
    Attached,
    /// Detached. Entries from this position on may still be in the table.
    Purging(u32),
    /// Detached, and the table is empty.
    Detached,
}

/// A change of the table's attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableChange {
    /// All timer profiles, as many as before. Entries keep the aging that they have.
    pub profiles: Profiles,
    /// The permissions. They change only while the table is empty.
    pub permissions: Permissions,
}

/// Why a table cannot be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableRefusal {
    /// The permissions change only while the table is empty.
    NotEmpty,
    /// The entries have too many different aging values. Some entries with old values have to go
    /// first.
    TooManyAgings,
    /// The program is detached.
    Detached,
}

impl<T: FlowTable> Tracker<T> {
    /// Checks whether [`Tracker::change_table`] would succeed. If it would, and if permissions are
    /// to change, no entry is created until that call or [`Tracker::release`]. So a table of
    /// several shards changes in all of them or in none.
    ///
    /// # Errors
    /// Why the change is not possible.
    pub fn hold(&mut self, change: &TableChange) -> Result<(), TableRefusal> {
        if self.program != Program::Attached {
            return Err(TableRefusal::Detached);
        }
        let permissions = change.permissions != self.config.permissions;
        if permissions && !self.table.is_empty() {
            return Err(TableRefusal::NotEmpty);
        }
        self.classes.can_take(&change.profiles).map_err(|_| TableRefusal::TooManyAgings)?;
        self.held = permissions;
        Ok(())
    }

    /// Allows the creation of entries again.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Makes a change, whether it was held before or not.
    ///
    /// # Errors
    /// Why the change is not possible. Nothing was changed.
    pub fn change_table(&mut self, change: &TableChange) -> Result<(), TableRefusal> {
        self.hold(change)?;
        self.release();
        self.classes.set_profiles(change.profiles).map_err(|_| TableRefusal::TooManyAgings)?;
        self.config.permissions = change.permissions;
        Ok(())
    }

    /// Detaches the program. Frames pass untracked from now on. The entries count as gone, and
    /// [`Tracker::purge`] removes them.
    pub fn detach(&mut self) {
        if self.program == Program::Attached {
            self.program = Program::Purging(0);
            // Reports about entries that went before: that the table is empty says it all.
            self.backlog.clear();
        }
    }

    /// Goes on removing the entries of a detached table, visiting at most `positions` positions.
    /// Returns the number of removed entries that had not expired, and whether the table is empty.
    pub fn purge(&mut self, positions: u32) -> (u64, bool) {
        debug_assert!(self.between_batches(), "a batch is half probed");
        let Program::Purging(first) = self.program else { return (0, true) };
        let end = first.saturating_add(positions).min(self.table.positions());
        let mut gone = 0;
        for pos in (first..end).map(Pos) {
            if self.table.key_at(pos).is_some() {
                // An entry that had expired, and only waited for its report, was counted then.
                gone += u64::from(!self.table.mark(pos).dying());
                self.end(pos);
            }
        }
        self.counters.deleted += gone;
        let all = end == self.table.positions();
        self.program = if all { Program::Detached } else { Program::Purging(end) };
        (gone, all)
    }

    /// Attaches the program again, once a purge has ended.
    pub fn attach(&mut self) {
        debug_assert!(!matches!(self.program, Program::Purging(_)), "the purge has not ended");
        self.program = Program::Attached;
    }

    /// Returns true while the program is attached.
    #[must_use]
    pub fn attached(&self) -> bool {
        self.program == Program::Attached
    }
}
