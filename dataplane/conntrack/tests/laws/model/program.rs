//! Changes of the table, and the life of the program.

use conntrack::tracker::{TableChange, TableRefusal};
use conntrack::{FlowTable, Permissions, Profiles};

use super::Trial;
use super::ops::Change;

/// The P4 program's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Program {
    Attached,
    /// Entries and positions that the purge has still before it.
    Purging(u32, u32),
    Detached,
}

impl<T: FlowTable> Trial<T> {
    /// The change in the engine's words, and whether it is possible.
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
        assert_eq!(self.tracker.hold(&asked), possible);
        if possible.is_ok() {
            self.held = asked.permissions.bits() != self.attrs.permissions;
        }
    }

    pub(super) fn change(&mut self, change: &Change) {
        let (asked, possible) = self.asked(change);
        assert_eq!(self.tracker.change_table(&asked), possible);
        if possible.is_ok() {
            self.held = false;
            self.attrs.permissions = asked.permissions.bits();
            self.attrs.agings = asked.profiles.values().iter().map(|ms| u64::from(*ms)).collect();
        }
    }

    pub(super) fn release(&mut self) {
        self.tracker.release();
        self.held = false;
    }

    /// Everything counts as gone at once. Whoever listens is told so as a whole,
    /// which is not the engine's to do.
    pub(super) fn detach(&mut self) {
        self.tracker.detach();
        if self.program == Program::Attached {
            let table = self.tracker.table();
            self.program = Program::Purging(self.lives.len() as u32, table.positions());
            self.lives.clear();
            self.replaced.clear();
            self.listener.known.clear();
        }
    }

    pub(super) fn purge(&mut self, positions: u32) {
        let (gone, all) = self.tracker.purge(positions);
        match self.program {
            Program::Purging(entries, before_it) => {
                let entries = entries.checked_sub(gone as u32).expect("only what was there can go");
                let before_it = before_it.saturating_sub(positions);
                assert_eq!(all, before_it == 0);
                assert!(!all || entries == 0, "{entries} entries were left");
                self.program = if all { Program::Detached } else { Program::Purging(entries, before_it) };
                self.removed += gone;
            }
            Program::Attached | Program::Detached => assert_eq!((gone, all), (0, true)),
        }
    }

    pub(super) fn attach(&mut self) {
        while matches!(self.program, Program::Purging(..)) {
            self.purge(7);
        }
        self.tracker.attach();
        self.program = Program::Attached;
        assert!(self.tracker.table().is_empty() || !self.lives.is_empty());
    }
}
