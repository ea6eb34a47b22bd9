//! Changes of the table, and the life of the program.

use conntrack::tracker::{TableChange, TableRefusal};
use conntrack::{FlowTable, Permissions, Profiles};

use super::super::keys::TestKey;
use super::Trial;
use super::ops::Change;

/// The P4 program's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Program {
    Attached,
    /// The table is being purged, and this much is left.
    Purging(Left),
    Detached,
}

/// What is left in a table that is being purged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Left {
    /// The number of entries that had not expired.
    pub(super) alive: u32,
    /// The number of all other entries.
    dying: u32,
    positions: u32,
}

impl Left {
    pub(super) fn entries(self) -> u32 {
        self.alive + self.dying
    }
}

impl<K: TestKey, T: FlowTable<Key = K>> Trial<T> {
    /// Returns the change in the engine's types, and whether it is possible.
    fn asked(&self, change: &Change) -> (TableChange, Result<(), TableRefusal>) {
        let agings = change.agings.as_ref().unwrap_or(&self.attrs.agings);
        let permissions = change.permissions.unwrap_or(self.attrs.permissions);
        let possible = if self.program != Program::Attached {
            Err(TableRefusal::Detached)
        } else if permissions != self.attrs.permissions && !self.lives.is_empty() {
            Err(TableRefusal::NotEmpty)
        } else {
            Ok(())
        };
        let asked = TableChange {
            profiles: Profiles::new(agings).expect("distinct and in range"),
            permissions: Permissions::new(permissions).expect("14 bits"),
        };
        (asked, possible)
    }

    pub(super) fn hold(&mut self, change: &Change) {
        let (asked, possible) = self.asked(change);
        assert_eq!(self.shard.tracker.hold(&asked), possible);
        if possible.is_ok() {
            self.held = asked.permissions.bits() != self.attrs.permissions;
        }
    }

    pub(super) fn change(&mut self, change: &Change) {
        let (asked, possible) = self.asked(change);
        assert_eq!(self.shard.tracker.change_table(&asked), possible);
        if possible.is_ok() {
            self.held = false;
            self.attrs.permissions = asked.permissions.bits();
            self.attrs.agings = asked.profiles.values().iter().map(|ms| u64::from(*ms)).collect();
        }
    }

    pub(super) fn release(&mut self) {
        self.shard.tracker.release();
        self.held = false;
    }

    /// All entries count as gone at once. A listener receives this as one event, which the engine
    /// does not report.
    pub(super) fn detach(&mut self) {
        self.shard.tracker.detach();
        if self.program == Program::Attached {
            let dying = self.lives.values().filter(|life| life.dying).count() as u32;
            let alive = self.lives.len() as u32 - dying;
            let positions = self.shard.tracker.table().positions();
            self.program = Program::Purging(Left { alive, dying, positions });
            self.lives.clear();
            self.replaced.clear();
            self.listener.known.clear();
        }
    }

    pub(super) fn purge(&mut self, positions: u32) {
        let before = self.shard.tracker.table().len();
        let (gone, all) = self.shard.tracker.purge(positions);
        let taken = before - self.shard.tracker.table().len();
        let gone = u32::try_from(gone).expect("a small table");
        match self.program {
            Program::Purging(left) => {
                // Entries that had expired were counted at that time.
                let expired = taken.checked_sub(gone).expect("what counts as removed is taken out");
                let left = Left {
                    alive: left.alive.checked_sub(gone).expect("only what was there can go"),
                    dying: left.dying.checked_sub(expired).expect("an entry goes once"),
                    positions: left.positions.saturating_sub(positions),
                };
                assert_eq!(all, left.positions == 0);
                assert!(!all || left.entries() == 0, "{left:?}");
                self.program = if all { Program::Detached } else { Program::Purging(left) };
                self.removed += u64::from(gone);
            }
            Program::Attached | Program::Detached => assert_eq!((gone, taken, all), (0, 0, true)),
        }
    }

    pub(super) fn attach(&mut self) {
        while matches!(self.program, Program::Purging(..)) {
            self.purge(7);
        }
        self.shard.tracker.attach();
        self.program = Program::Attached;
        assert!(self.shard.tracker.table().is_empty() || !self.lives.is_empty());
    }
}
