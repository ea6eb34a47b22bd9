//! Packets that the probe left: those of unknown flows, which become entries (add-on-miss, P4TC's
//! `ct_flow_miss`), and those of entries about which something is still to be reported.

use super::Tracker;
use crate::entry::ActorId;
use crate::event::EventSink;
use crate::packet::Outcome;
use crate::permission::Permissions;
use crate::table::{FlowTable, HashOf, Pos};
use crate::timeout::Now;

impl<T: FlowTable> Tracker<T> {
    /// Commits a packet that was not a hit when its batch was probed. Returns its outcome.
    ///
    /// The key is looked up again, because a packet before it in the batch may have created the
    /// entry.
    pub(super) fn commit_packet(
        &mut self,
        now: Now,
        key: &T::Key,
        hash: HashOf<T>,
        len: u32,
        sink: &mut impl EventSink<T::Key>,
    ) -> Outcome {
        if self.held || !self.config.permissions.allows(Permissions::DATA_CREATE) {
            return match self.table.lookup_with_hash(key, hash) {
                Some(pos) => self.commit_known(now, pos, key, hash, len, sink),
                None => Outcome::MissDenied,
            };
        }
        let before = self.table.len();
        let Ok(pos) = self.table.add_with_hash(key, hash) else {
            return Outcome::MissFull;
        };
        if self.table.len() == before {
            return self.commit_known(now, pos, key, hash, len, sink);
        }
        self.learn(now, pos, key, len, sink);
        Outcome::MissCreated
    }

    /// Makes an entry of the packet whose key was just added at `pos`.
    fn learn(&mut self, now: Now, pos: Pos, key: &T::Key, len: u32, sink: &mut impl EventSink<T::Key>) {
        let profile = self.config.learn_profile;
        let class = self.classes.of_profile(profile);
        let permissions = self.config.permissions.of_entry();
        self.write_new(now, pos, ActorId::DATA_PATH, permissions, profile);
        self.account(pos, len);
        self.begin(now, pos, class);
        self.report_created(now, pos, key, sink);
    }

    /// Commits a packet whose entry exists after all: a packet before it in the batch has made it,
    /// or the entry's CREATED has not been taken yet. The entry may be that of another key with the
    /// same fingerprint.
    ///
    /// Or the entry has expired and its DELETED has not been taken. Then that entry ends and a new
    /// one starts, and both are reported in this order. When the reports of the old entry find no
    /// room, the packet counts as `miss_full`.
    #[cold]
    fn commit_known(
        &mut self,
        now: Now,
        pos: Pos,
        key: &T::Key,
        hash: HashOf<T>,
        len: u32,
        sink: &mut impl EventSink<T::Key>,
    ) -> Outcome {
        if !self.table.mark(pos).dying() {
            self.table.set_stamp(pos, now.stamp);
            self.account(pos, len);
            return Outcome::Hit;
        }
        if !self.report(pos, now, sink) && !self.end_into_backlog(pos, now) {
            return Outcome::MissFull;
        }
        self.commit_packet(now, key, hash, len, sink)
    }

    /// Counts a packet of the entry at `pos`.
    #[inline(always)]
    fn account(&mut self, pos: Pos, len: u32) {
        if self.config.accounting
            && let Some(counts) = self.table.counts_mut(pos)
        {
            counts.count(len);
        }
    }
}
