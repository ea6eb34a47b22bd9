//! A table of a replay: when its entries were created, and how they are deleted in time.

use std::collections::HashMap;

use conntrack::table::{Counted, TableConfig};
use conntrack::tracker::Budget;
use conntrack::{Event, EventBody, LineTable, Now, Tracker, TrackerConfig};

use crate::export::TableEvent;
use crate::lcore::family::TableKey;
use crate::replay::ReplayError;
use crate::replay::clock::TICK_NS;
use crate::replay::pace::Pace;
use crate::start::config::Config;
use crate::start::options::{Switch, capacity_flag};

/// The work of one step. It has no bound, because no frame waits for its end.
const BUDGET: Budget = Budget { blocks: u32::MAX, pending: 0, resync: 0 };

/// Makes the tracker of a table.
pub(super) fn tracker<K: TableKey>(
    config: &Config,
    hasher: K::Hasher,
    now: Now,
) -> Result<Tracker<LineTable<Counted, K>>, ReplayError> {
    let refused = |error| ReplayError::Table(capacity_flag(K::FAMILY), error);
    let [entries] = config.shares(K::FAMILY, 1).unwrap_or_default()[..] else { unreachable!("one shard") };
    let mut table = LineTable::laid_out(TableConfig { entries, hasher }).map_err(refused)?;
    if config.options.verify_keys == Switch::On {
        table = table.verifying_keys();
    }
    // Aging buckets of one tick: every deadline up to the clock is looked at.
    let settings = TrackerConfig { bucket_shift: 0, ..config.tracker(K::FAMILY) };
    Tracker::new(table, settings, now).map_err(refused)
}

/// Numbers the creations in both tables, in one order.
#[derive(Debug, Default)]
pub(super) struct Births(u64);

/// An entry that was deleted.
#[derive(Debug)]
pub(super) struct Due {
    /// Its deadline, in ticks.
    pub(super) deadline: u64,
    /// The number of its creation.
    pub(super) birth: u64,
    /// The event.
    pub(super) event: TableEvent,
}

/// What a replay keeps beside the tracker of a table.
#[derive(Debug)]
pub(super) struct Table<K> {
    pub(super) pace: Pace,
    /// For each entry the number of its creation.
    births: HashMap<K, u64>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Table { pace: Pace::default(), births: HashMap::new() }
    }
}

impl<K: TableKey> Table<K>
where
    TableEvent: From<Event<K>>,
{
    /// Notes the creation of an entry at the tick `now`.
    pub(super) fn note(&mut self, event: &Event<K>, now: u64, births: &mut Births) {
        if let EventBody::Created(entry) = &event.body {
            self.births.insert(entry.key, births.0);
            births.0 += 1;
            self.pace.due_at(now + u64::from(entry.aging_ms));
        }
    }

    /// Deletes what has expired by the tick `now`, and adds it to `due`: each entry at its own
    /// deadline.
    pub(super) fn age(&mut self, now: u64, tracker: &mut Tracker<LineTable<Counted, K>>, due: &mut Vec<Due>) {
        let Table { pace, births } = self;
        pace.follow(now, tracker, |tracker, tick| {
            let now = Now::from_ms(tick);
            let mut sink = |event: &Event<K>| {
                if let EventBody::Deleted { entry, .. } = &event.body {
                    let late = now.tick.since(entry.last_used.plus(entry.aging_ms));
                    let deadline = tick - u64::from(late.unsigned_abs());
                    let birth = births.remove(&entry.key).unwrap_or_default();
                    let event = Event { at_ns: deadline * TICK_NS, ..*event }.into();
                    due.push(Due { deadline, birth, event });
                }
                true
            };
            while !tracker.caught_up(now) {
                tracker.advance(now, BUDGET, &mut sink);
            }
        });
    }
}
