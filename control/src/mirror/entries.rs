//! The mirrored entries of one table, by key.

use std::hash::BuildHasher as _;

use flowtracker_proto::change::EntryState;
use flowtracker_proto::key::FlowKey;
use hashbrown::hash_table::Entry as Slot;
use hashbrown::{DefaultHashBuilder, HashTable};

/// An entry, and which shard confirmed it last.
#[derive(Debug)]
pub(super) struct Mirrored {
    pub(super) shard: u32,
    /// The generation of the shard when it did.
    pub(super) generation: u32,
    pub(super) state: EntryState,
}

/// A hash table of entries. They lie in the table itself, because an allocation for each would cost
/// more than everything else that an event costs.
#[derive(Debug, Default)]
pub(super) struct Entries {
    table: HashTable<Mirrored>,
    hasher: DefaultHashBuilder,
}

impl Entries {
    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the place of `key`, taken or free.
    pub(super) fn slot(&mut self, key: &FlowKey) -> Slot<'_, Mirrored> {
        let hasher = &self.hasher;
        self.table.entry(hasher.hash_one(key), |e| e.state.key == *key, |e| hasher.hash_one(e.state.key))
    }

    /// Returns all entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &EntryState> {
        self.table.iter().map(|entry| &entry.state)
    }

    /// Looks at `step` buckets from `*from` on, removes the entries there that are `unwanted`, and
    /// passes them to `removed`. Returns whether buckets are left; `*from` is then the next one.
    ///
    /// A walk over the table misses entries when others are inserted between its steps.
    pub(super) fn remove_some(
        &mut self,
        from: &mut usize,
        step: usize,
        mut unwanted: impl FnMut(&Mirrored) -> bool,
        mut removed: impl FnMut(EntryState),
    ) -> bool {
        let buckets = self.table.num_buckets();
        let end = from.saturating_add(step).min(buckets);
        for bucket in *from..end {
            if let Ok(entry) = self.table.get_bucket_entry(bucket)
                && unwanted(entry.get())
            {
                removed(entry.remove().0.state);
            }
        }
        *from = end;
        end < buckets
    }
}
