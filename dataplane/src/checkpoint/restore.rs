//! Puts the entries of a file into the tables, before the first packet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use conntrack::tracker::{NotRestored, TableChange};
use conntrack::{FlowTable, Now, Tracker};

use crate::checkpoint::format::Saved;
use crate::checkpoint::identity::Identity;
use crate::checkpoint::read::{Checkpoint, Refused};
use crate::lcore::family::TableKey;
use crate::lcore::saving::TableState;

/// How many entries came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Those that did.
    pub(crate) entries: u64,
    /// Those that no shard can take, because it is not known which one receives their frames.
    pub(crate) no_shard: u64,
    /// Those that have no room in their shard.
    pub(crate) no_room: u64,
}

impl std::ops::AddAssign for Restored {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.no_shard += other.no_shard;
        self.no_room += other.no_room;
    }
}

/// Opens the file of an earlier run. Returns none when there is none.
///
/// # Errors
/// Why it is refused.
pub(crate) fn open(path: &Path, identity: &Identity) -> Result<Option<Checkpoint<File>>, Refused> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(Refused::Foreign);
    }
    let checkpoint = Checkpoint::read(file, meta.len())?;
    identity.check(&checkpoint.description)?;
    Ok(Some(checkpoint))
}

/// Puts the entries of one table into its shards, which are empty. `owners` says for each port which
/// shard receives all of its frames. The table goes on with this state.
///
/// # Errors
/// When the file cannot be read any more.
pub(crate) fn restore<K: TableKey, T: FlowTable<Key = K>>(
    checkpoint: &mut Checkpoint<impl Read + Seek>,
    shards: &mut [&mut Tracker<T>],
    owners: &BTreeMap<u16, Option<usize>>,
    state: TableState,
    now: Now,
) -> Result<Restored, Refused> {
    for shard in shards.iter_mut() {
        set(shard, state);
    }
    if !state.attached {
        return Ok(Restored::default());
    }
    let mut restored = Restored::default();
    checkpoint.entries(|saved: Saved<K>| {
        let entry = saved.entry(now);
        let owner = owners.get(&(u16::from(entry.key.input_port()) - 1)).copied().flatten();
        match owner.and_then(|owner| shards.get_mut(owner)).map(|shard| shard.restore(&entry)) {
            Some(Ok(())) => restored.entries += 1,
            None => restored.no_shard += 1,
            Some(Err(NotRestored::Full | NotRestored::TooManyAgings)) => restored.no_room += 1,
            // A flow that two shards had has one entry now.
            Some(Err(NotRestored::Exists | NotRestored::Detached)) => restored.no_room += 1,
        }
    })?;
    Ok(restored)
}

/// Gives an empty shard this state.
fn set<T: FlowTable>(shard: &mut Tracker<T>, state: TableState) {
    let change = TableChange { profiles: state.profiles, permissions: state.permissions };
    let changed = shard.change_table(&change);
    debug_assert!(changed.is_ok(), "an empty table takes any change");
    if !state.attached {
        shard.detach();
        shard.purge(u32::MAX);
    }
}
