//! The oracle of the event stream: folds the events of a watcher into the table that they describe,
//! and refuses streams that break the promise.
//!
//! *No loss without a notice, and no drift*: within an epoch the numbers of events are dense,
//! unless a GAP gives the range that is missing; a fresh snapshot replaces the events that a GAP
//! skipped; no entry is deleted that was not created.

use std::collections::{HashMap, VecDeque};

use super::event::{Event, Key, Kind, State};

/// Number of events kept to be shown when a law is broken.
const REMEMBERED: usize = 16;

/// Entries by data plane.
pub type Tables = HashMap<String, HashMap<Key, State>>;

/// The position of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A snapshot is expected or in progress; its epoch and cut once they are known.
    Snapshot(Option<(u64, u64)>),
    /// The snapshot is complete; events follow.
    Live,
}

/// The amount that a stream has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events with numbers.
    pub events: u64,
    /// Snapshots completed.
    pub snapshots: u64,
    /// GAPs.
    pub gaps: u64,
    /// Entries that a resync found gone.
    pub resynced: u64,
}

/// The state of one watcher, folded from the events that it has read. A default one belongs to a
/// stream that starts with a snapshot.
#[derive(Clone, Debug)]
pub struct Fold {
    tables: Tables,
    phase: Phase,
    /// Epoch and number of the last event considered.
    last: Option<(u64, u64)>,
    /// The next snapshot must be of a later epoch: nothing else explains the missing numbers.
    renewed: bool,
    /// The stream is filtered.
    filtered: bool,
    tally: Tally,
    gaps: Vec<(u64, u64)>,
    remembered: VecDeque<Event>,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            tables: Tables::new(),
            phase: Phase::Snapshot(None),
            last: None,
            renewed: false,
            filtered: false,
            tally: Tally::default(),
            gaps: Vec::new(),
            remembered: VecDeque::new(),
        }
    }
}

impl Fold {
    /// Makes the fold of a stream that starts at the present end of the log; its first event gives
    /// the position.
    #[must_use]
    pub fn of_present() -> Self {
        Self { phase: Phase::Live, ..Self::default() }
    }

    /// Makes it the fold of a filtered stream, which may skip numbers.
    #[must_use]
    pub fn filtered(mut self) -> Self {
        self.filtered = true;
        self
    }

    /// Takes the stream's next event.
    ///
    /// # Errors
    /// Names the law that the event breaks, and the events before it.
    pub fn take(&mut self, event: &Event) -> Result<(), String> {
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(event.clone());
        self.judge(event).map_err(|law| {
            let before: String = self.remembered.iter().map(|event| format!("\n  {event:?}")).collect();
            format!("{law}\n(position {:?}, {:?}; the last events:{before})", self.last, self.phase)
        })
    }

    fn judge(&mut self, event: &Event) -> Result<(), String> {
        if let Kind::Gap(from, to) = event.kind {
            return self.gap(event, from, to);
        }
        match self.phase {
            Phase::Snapshot(cut) => self.snapshot(event, cut),
            Phase::Live => self.live(event),
        }
    }

    /// Clears the table. The watcher has to start from a snapshot again, without a GAP: the service
    /// that it knew has gone, or the events after its cursor have.
    pub fn start_over(&mut self) {
        self.tables.clear();
        self.phase = Phase::Snapshot(None);
    }

    /// Returns the epoch and number up to which the fold equals the table; `None` while a snapshot
    /// is in progress.
    #[must_use]
    pub fn position(&self) -> Option<(u64, u64)> {
        self.last.filter(|_| self.phase == Phase::Live)
    }

    /// Returns the entries.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Returns the amount that the stream has carried.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns the GAPs: first and last number of each, 0 where it is not known.
    #[must_use]
    pub fn gaps(&self) -> &[(u64, u64)] {
        &self.gaps
    }

    fn gap(&mut self, event: &Event, from: u64, to: u64) -> Result<(), String> {
        let live = self.phase == Phase::Live;
        if let (true, Some((epoch, last))) = (live, self.last) {
            // What a filter held back may lie in between.
            let follows = from == last + 1 || self.filtered && from > last;
            if from != 0 && !follows {
                return Err(format!("the GAP starts at {from}, but {last} was the last event"));
            }
            if from != 0 && to != 0 && event.epoch == epoch && to < from {
                return Err(format!("the GAP ends at {to}, before it starts"));
            }
        }
        if to != 0 && event.seq != to {
            return Err(format!("the GAP has number {}, but ends at {to}", event.seq));
        }
        self.renewed = live && from == 0;
        self.tally.gaps += 1;
        self.gaps.push((from, to));
        self.start_over();
        if to != 0 {
            self.phase = Phase::Snapshot(Some((event.epoch, to)));
        }
        Ok(())
    }

    fn snapshot(&mut self, event: &Event, cut: Option<(u64, u64)>) -> Result<(), String> {
        let here = (event.epoch, event.seq);
        match (cut, self.last) {
            (Some(cut), _) if cut != here => {
                return Err(format!("the cut is {cut:?}, the event has {here:?}"));
            }
            (None, Some((epoch, _))) if here.0 < epoch => return Err(format!("epoch {epoch} comes back")),
            (None, Some((epoch, last))) if here.0 == epoch && here.1 < last => {
                return Err(format!("the cut {} is behind {last}", here.1));
            }
            (None, Some((epoch, _))) if here.0 == epoch && self.renewed => {
                return Err("a hole without a beginning in an epoch that goes on".to_owned());
            }
            _ => self.phase = Phase::Snapshot(Some(here)),
        }
        match &event.kind {
            Kind::Created((key, state)) => match self.table(&event.dataplane).insert(*key, *state) {
                None => Ok(()),
                Some(_) => Err("the snapshot has an entry twice".to_owned()),
            },
            Kind::Synced => {
                (self.phase, self.last, self.renewed) = (Phase::Live, Some(here), false);
                self.tally.snapshots += 1;
                Ok(())
            }
            _ => Err("something else within a snapshot".to_owned()),
        }
    }

    fn live(&mut self, event: &Event) -> Result<(), String> {
        let numbered = !matches!(event.kind, Kind::Synced | Kind::Progress);
        let before = event.seq.saturating_sub(u64::from(numbered));
        let (epoch, last) = self.last.unwrap_or((event.epoch, before));
        if event.epoch != epoch {
            return Err(format!("epoch {epoch} went over into another without a notice"));
        }
        let due = last + u64::from(numbered);
        if event.seq != due && !(self.filtered && event.seq > due) {
            return Err(format!("number {due} was due"));
        }
        self.last = Some((epoch, event.seq));
        self.tally.events += u64::from(numbered);
        match &event.kind {
            Kind::Created((key, state)) => match self.table(&event.dataplane).insert(*key, *state) {
                None => Ok(()),
                Some(_) => Err("CREATED of an entry that is there".to_owned()),
            },
            Kind::Updated((key, state)) => match self.table(&event.dataplane).get_mut(key) {
                Some(known) if known.created_ns == state.created_ns => {
                    *known = *state;
                    Ok(())
                }
                known => Err(format!("UPDATED of an entry that is not there, but {known:?}")),
            },
            Kind::Deleted((key, state), resync) => {
                self.tally.resynced += u64::from(*resync);
                match self.table(&event.dataplane).remove(key) {
                    Some(known) if known.created_ns == state.created_ns => Ok(()),
                    known => Err(format!("DELETED of an entry that is not there, but {known:?}")),
                }
            }
            Kind::Purged(ipv6) => {
                self.table(&event.dataplane).retain(|key, _| key.is_ipv6() != *ipv6);
                Ok(())
            }
            Kind::Flushed | Kind::Loaded | Kind::Progress => Ok(()),
            Kind::Synced => Err("SYNCED without a snapshot".to_owned()),
            Kind::Gap(..) => Err("a GAP is judged elsewhere".to_owned()),
        }
    }

    fn table(&mut self, dataplane: &str) -> &mut HashMap<Key, State> {
        if !self.tables.contains_key(dataplane) {
            self.tables.insert(dataplane.to_owned(), HashMap::new());
        }
        self.tables.get_mut(dataplane).expect("it is there now")
    }
}

/// Returns the differences of two tables, shortened; `None` when they are equal.
#[must_use]
pub fn difference(one: &HashMap<Key, State>, other: &HashMap<Key, State>) -> Option<String> {
    const SHOWN: usize = 5;
    if one == other {
        return None;
    }
    let lacks = |there: &HashMap<Key, State>, here: &HashMap<Key, State>| {
        let mut missing: Vec<_> =
            there.iter().filter(|(key, time)| here.get(key) != Some(time)).map(|(k, t)| (*k, *t)).collect();
        missing.sort_unstable();
        (missing.len(), missing.into_iter().take(SHOWN).collect::<Vec<_>>())
    };
    let (left, right) = (lacks(one, other), lacks(other, one));
    Some(format!(
        "{} and {} entries; only in the first {}: {:?}; only in the second {}: {:?}",
        one.len(),
        other.len(),
        left.0,
        left.1,
        right.0,
        right.1
    ))
}

#[cfg(test)]
mod tests;
