//! The way of a table's entries from its lcore to the checkpoint.
//!
//! The checkpoint's thread asks, and the lcore answers with every entry, in the slices that all dumps
//! share ([`crate::lcore::execute`]). It is apart from the mailbox, because the command desk, which
//! reads the replies there, works for one link at a time, and a checkpoint is written without a link
//! too.

use conntrack::tracker::Tracker;
use conntrack::{Entry, FlowKey, FlowTable, Key, Permissions, Profiles};
use crossbeam_channel::{Receiver, Sender, bounded};

/// Parts of an answer that may wait for the checkpoint's thread.
const PARTS: usize = 4096;

/// What all entries of a table have in common, as a shard has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableState {
    /// Whether the program is attached.
    pub attached: bool,
    /// The timer profiles.
    pub profiles: Profiles,
    /// The permissions.
    pub permissions: Permissions,
}

impl TableState {
    /// Reads the state of a tracker's table.
    #[must_use]
    pub fn of<T: FlowTable>(tracker: &Tracker<T>) -> Self {
        TableState {
            attached: tracker.attached(),
            profiles: *tracker.profiles(),
            permissions: tracker.permissions(),
        }
    }
}

/// Part of an answer. [`Part::End`] is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<K: Key = FlowKey> {
    /// An entry.
    Entry {
        /// When it was read, in nanoseconds since the clock's start.
        at_ns: u64,
        /// The entry.
        entry: Entry<K>,
    },
    /// There are no more entries, and this is the state of the table.
    End(TableState),
}

/// The checkpoint's end.
#[derive(Debug)]
pub struct SaveHandle<K: Key = FlowKey> {
    asks: Sender<()>,
    parts: Receiver<Part<K>>,
}

/// The lcore's end.
pub struct SaveEnd<K: Key = FlowKey> {
    asks: Receiver<()>,
    parts: Sender<Part<K>>,
}

/// Makes the way for one table of an lcore.
#[must_use]
pub fn saving<K: Key>() -> (SaveHandle<K>, SaveEnd<K>) {
    let (asks, asked) = bounded(1);
    let (answers, parts) = bounded(PARTS);
    (SaveHandle { asks, parts }, SaveEnd { asks: asked, parts: answers })
}

impl<K: Key> SaveHandle<K> {
    /// Asks for all entries. Returns `false` when the answer to the question before has not ended.
    pub fn ask(&self) -> bool {
        self.asks.try_send(()).is_ok()
    }

    /// Takes the next part of the answer, if it is there.
    #[must_use]
    pub fn part(&self) -> Option<Part<K>> {
        self.parts.try_recv().ok()
    }
}

impl<K: Key> SaveEnd<K> {
    /// Takes a question, if there is one.
    pub(super) fn take_ask(&self) -> bool {
        !self.asks.is_empty() && self.asks.try_recv().is_ok()
    }

    /// Returns `true` when there is room for another part.
    pub(super) fn has_room(&self) -> bool {
        self.parts.len() < PARTS
    }

    /// Sends a part. The caller has made sure of [`SaveEnd::has_room`], which stays true: this lcore
    /// is the only sender.
    pub(super) fn send(&self, part: Part<K>) {
        let sent = self.parts.try_send(part);
        debug_assert!(sent.is_ok(), "room was checked");
    }
}
