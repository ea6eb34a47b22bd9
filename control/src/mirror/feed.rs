//! The feed: a snapshot, then the events that follow it, without a seam.
//!
//! A [`Feed`] is a cursor into the event log. Its reader asks for one [`Item`] after the other and
//! sets the pace. A slow reader delays nobody, and holds at most a copy of the mirror, which may be
//! taken away from it. When that happens, or when the log has moved past the cursor, the feed gives
//! an [`Item::Gap`] and goes on from a fresh snapshot. What the items are turned into and where
//! they are sent is the reader's business: a feed knows no transport.
//!
//! # What a reader may rely on
//!
//! A reader that empties its state at a gap, sets entries at [`Item::Entries`] and follows the
//! events has exactly the wanted part of the mirror at every [`Item::Synced`] and
//! [`Item::Progress`]. The entries of a snapshot come between the start or a gap and the next
//! `Synced`, and no event comes in between. Counts and times are as of an entry's last event or of
//! the snapshot, because the mirror refreshes them silently.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::mirror::hub::{Hub, WatcherCount, Window};
use crate::mirror::log::{Lost, Run};
use crate::mirror::predicate::{Predicate, Wanted};
use crate::mirror::snapshot::Copy;
use flowtracker_proto::change::EntryState;

/// Entries of a snapshot per item, at most.
const BATCH: usize = 256;
/// Entries of a snapshot that are looked at in one go, at most: a filter may want few of them.
const LOOK: usize = 4096;
/// How long a reader waits for an item before it gets an [`Item::Progress`].
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Where a feed starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With what happens from now on.
    Now,
    /// With the present entries.
    Snapshot,
    /// After the event `seq` of `epoch`.
    After {
        /// The epoch in which the event was numbered.
        epoch: u64,
        /// Its number.
        seq: u64,
    },
}

/// Why a feed cannot start after an event, and what the log holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum CannotResume {
    /// The event was numbered in another epoch.
    #[error("epoch {asked} is gone, the present one is {}", held.epoch)]
    EpochGone { asked: u64, held: Window },
    /// No event has this number yet.
    #[error("event {seq} is not there yet, the last is {}", held.last_seq)]
    SeqInFuture { seq: u64, held: Window },
    /// What follows the event is no longer retained.
    #[error("what follows event {seq} is gone, the oldest is {}", held.oldest_seq)]
    SeqTooOld { seq: u64, held: Window },
}

/// What a feed gives next. Where an item holds numbers, they are those of events.
#[derive(Debug)]
pub enum Item {
    /// Events that follow each other, and which of them are wanted.
    Events(Arc<Run>, Wanted),
    /// Entries of a snapshot, at least one, all of one data plane.
    Entries {
        /// The last event that the snapshot contains.
        cut: u64,
        /// The data plane that holds the entries.
        dataplane: Arc<str>,
        /// No more than `BATCH` of them.
        entries: Vec<EntryState>,
    },
    /// The snapshot is complete; what follows are events after this one.
    Synced(u64),
    /// Nothing was wanted for a while; everything up to this event has been considered.
    Progress(u64),
    /// Events are lost to this reader. A snapshot follows, which contains them.
    Gap {
        /// The first event lost.
        from: u64,
        /// The last event lost, which is the cut of the snapshot.
        to: u64,
    },
}

/// A reader's place in the stream of events, and what it wants of it.
#[derive(Debug)]
pub struct Feed {
    hub: Arc<Hub>,
    predicate: Predicate,
    /// Number of the last event considered.
    cursor: u64,
    /// The snapshot that is being given out.
    snapshot: Option<Reading>,
    news: watch::Receiver<u64>,
    /// When an [`Item::Progress`] is due; set while the reader waits for an item.
    progress_due: Option<Instant>,
    _count: WatcherCount,
}

impl Feed {
    /// Starts a feed of what `predicate` wants.
    ///
    /// # Errors
    ///
    /// The feed cannot start after the event that `origin` names.
    pub async fn start(hub: Arc<Hub>, predicate: Predicate, origin: Origin) -> Result<Self, CannotResume> {
        let news = hub.subscribe();
        let mut snapshot = None;
        let cursor = match origin {
            Origin::Now => hub.window(0).last_seq,
            Origin::Snapshot => snapshot.insert(Reading::new(hub.snapshot().await)).copy.cut(),
            Origin::After { epoch, seq } => resume(epoch, seq, hub.window(seq))?,
        };
        let count = hub.count_watcher();
        Ok(Self { hub, predicate, cursor, snapshot, news, progress_due: None, _count: count })
    }

    /// Returns the number of the last event considered. Before the first item it is the event that
    /// the feed follows.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Returns the next item, as soon as there is one. A call that is dropped loses nothing.
    pub async fn next(&mut self) -> Item {
        let progress_due = *self.progress_due.get_or_insert_with(|| Instant::now() + PROGRESS_EVERY);
        let item = self.find(progress_due).await;
        self.progress_due = None;
        item
    }

    async fn find(&mut self, progress_due: Instant) -> Item {
        loop {
            let item = match &mut self.snapshot {
                Some(snapshot) => match snapshot.slice(&self.predicate) {
                    Slice::Entries(dataplane, entries) => {
                        let cut = self.cursor;
                        (!entries.is_empty()).then_some(Item::Entries { cut, dataplane, entries })
                    }
                    Slice::End => {
                        self.snapshot = None;
                        Some(Item::Synced(self.cursor))
                    }
                    Slice::TakenAway => Some(self.start_over().await),
                },
                None => {
                    self.news.mark_unchanged();
                    match self.hub.run_after(self.cursor) {
                        Ok(Some(run)) => {
                            self.cursor = run.last_seq();
                            let wanted = self.predicate.pick(&run);
                            wanted
                                .map(|wanted| Item::Events(run, wanted))
                                .or_else(|| self.progress(progress_due))
                        }
                        Ok(None) => {
                            tokio::select! {
                                // The other end is in the hub, which the feed holds.
                                _ = self.news.changed() => continue,
                                () = sleep_until(progress_due) => self.progress(progress_due),
                            }
                        }
                        Err(Lost) => Some(self.start_over().await),
                    }
                }
            };
            match item {
                Some(item) => return item,
                // Much that nobody wants is no reason to hold the thread.
                None => yield_now().await,
            }
        }
    }

    /// Returns an [`Item::Progress`] if it is due.
    fn progress(&self, due: Instant) -> Option<Item> {
        (Instant::now() >= due).then_some(Item::Progress(self.cursor))
    }

    /// What follows the cursor is lost: goes on from a fresh snapshot.
    async fn start_over(&mut self) -> Item {
        let copy = self.hub.snapshot().await;
        self.hub.count_gap();
        let (from, to) = (self.cursor + 1, copy.cut());
        self.cursor = to;
        self.snapshot = Some(Reading::new(copy));
        Item::Gap { from, to }
    }
}

/// Returns `seq` when a feed can go on after it. `held` is the window as seen from `seq`.
fn resume(asked: u64, seq: u64, held: Window) -> Result<u64, CannotResume> {
    if asked != held.epoch {
        Err(CannotResume::EpochGone { asked, held })
    } else if seq > held.last_seq {
        Err(CannotResume::SeqInFuture { seq, held })
    } else if !held.holds {
        Err(CannotResume::SeqTooOld { seq, held })
    } else {
        Ok(seq)
    }
}

/// How far a copy of the mirror has been given out.
#[derive(Debug)]
struct Reading {
    copy: Arc<Copy>,
    part: usize,
    entry: usize,
}

/// What comes next of a copy.
enum Slice {
    /// Entries of a data plane; none where no entry that was looked at is wanted.
    Entries(Arc<str>, Vec<EntryState>),
    /// That was all.
    End,
    /// The rest is no longer there.
    TakenAway,
}

impl Reading {
    fn new(copy: Arc<Copy>) -> Self {
        Self { copy, part: 0, entry: 0 }
    }

    fn slice(&mut self, predicate: &Predicate) -> Slice {
        let Some(parts) = self.copy.parts() else { return Slice::TakenAway };
        let Some((dataplane, entries)) = parts.get(self.part) else { return Slice::End };
        let rest = entries.get(self.entry..).unwrap_or_default();
        if rest.is_empty() || !predicate.of_dataplane(dataplane) {
            (self.part, self.entry) = (self.part + 1, 0);
            return Slice::Entries(dataplane.clone(), Vec::new());
        }
        let looked_at = rest.iter().take(LOOK).inspect(|_| self.entry += 1);
        let wanted = looked_at.filter(|entry| predicate.wants_entry(entry)).take(BATCH).cloned().collect();
        Slice::Entries(dataplane.clone(), wanted)
    }
}

#[cfg(test)]
mod tests;
