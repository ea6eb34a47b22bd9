//! The state of the service behind one lock: the mirror and the event log.
//!
//! The lock is held for bounded work: applying some reports, one step of a sweep, copying a run of
//! events. Only a snapshot takes it for a whole table, to copy it. Encoding and sending happen
//! outside of it.

use std::collections::TryReserveError;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use flowtracker_proto::change::Report;
use flowtracker_proto::link::BadRecord;
use flowtracker_proto::v1::{DataplaneStats, Hello, LogStats};
use tokio::sync::watch;

use crate::mirror::dataplane::{BadReport, DataplaneState};
use crate::mirror::log::{EventLog, Lost, Run};
use crate::mirror::registry::{Admission, Registry};
use crate::mirror::snapshot::{Copies, Copy};

#[derive(Debug)]
struct State {
    registry: Registry,
    log: EventLog,
}

/// The mirror, the log, and the means to wait for their changes.
#[derive(Debug)]
pub struct Hub {
    epoch: u64,
    state: Mutex<State>,
    last_seq: watch::Sender<u64>,
    attached: watch::Sender<usize>,
    next_link: AtomicU64,
    watchers: AtomicU64,
    gaps: AtomicU64,
    copies: Copies,
}

/// What the log holds, as seen from a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The run of the service that numbered the events.
    pub epoch: u64,
    /// Number of the oldest event retained, 0 when there is none.
    pub oldest_seq: u64,
    /// Number of the last event, 0 when there was none.
    pub last_seq: u64,
    /// True when what follows the cursor is retained.
    pub holds: bool,
}

/// A watcher that is counted until this is dropped.
#[derive(Debug)]
pub struct WatcherCount(Arc<Hub>);

impl Drop for WatcherCount {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the wall clock, Unix nanoseconds.
pub fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl Hub {
    /// Creates an empty state for the run `epoch` that retains `retain` events.
    ///
    /// # Errors
    /// There is no memory for that many events.
    pub fn new(epoch: u64, retain: usize) -> Result<Self, TryReserveError> {
        let log = EventLog::new(epoch, retain)?;
        Ok(Self {
            epoch,
            state: Mutex::new(State { registry: Registry::default(), log }),
            last_seq: watch::Sender::new(0),
            attached: watch::Sender::new(0),
            next_link: AtomicU64::new(1),
            watchers: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            copies: Copies::default(),
        })
    }

    /// Returns the run of the service that numbers the events.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns a receiver that wakes when events were added. Its value is the number of the last
    /// one.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.last_seq.subscribe()
    }

    /// Returns a receiver that wakes when a data plane attaches or detaches. Its value is the
    /// number of attached ones.
    pub fn subscribe_attached(&self) -> watch::Receiver<usize> {
        self.attached.subscribe()
    }

    /// Records that a link came up, unless `most` other data planes are attached; of those that are
    /// away, the one that has been so for longest gives its place. The number returned identifies
    /// the link in later calls; `None` means that there was no place.
    pub async fn attach(&self, hello: &Hello, most: usize, wall_ns: u64) -> Option<u64> {
        let link = self.next_link.fetch_add(1, Ordering::Relaxed);
        loop {
            let admission = self.step(|state| {
                let admission = state.registry.attach(hello, link, most, wall_ns);
                self.publish_attached(state);
                admission
            });
            match admission {
                Admission::Attached => return Some(link),
                Admission::AfterRemoval => self.expire_detached(Instant::now(), wall_ns).await,
                Admission::Full => return None,
            }
        }
    }

    /// Records that a link went down.
    pub fn detach(&self, name: &str, link: u64, now: Instant, wall_ns: u64) {
        self.step(|state| {
            state.registry.detach(name, link, now, wall_ns);
            self.publish_attached(state);
        });
    }

    /// Applies what a shard reports, in order, each with its time.
    ///
    /// # Errors
    /// The first report that no sound data plane makes; those before it have been applied.
    pub async fn apply(
        &self,
        name: &str,
        link: u64,
        shard: u32,
        reports: impl IntoIterator<Item = Result<(u64, Report), BadRecord>>,
    ) -> Result<(), BadReport> {
        let mut reports = reports.into_iter();
        self.in_steps(|state| state.registry.apply_some(&mut state.log, name, link, shard, &mut reports))
            .await
    }

    /// Removes the entries of a data plane whose `link` has reported too many: what is left of an
    /// interrupted resync must not keep the next link from its own.
    pub async fn forfeit(&self, name: &str, link: u64, wall_ns: u64) {
        let gone: Result<(), Infallible> =
            self.in_steps(|state| Ok(state.registry.forfeit_some(&mut state.log, name, link, wall_ns))).await;
        let Ok(()) = gone;
    }

    /// Removes the entries in tables that the data plane of `link` no longer runs: no resync
    /// reports these as gone.
    pub async fn remove_foreign(&self, name: &str, link: u64, wall_ns: u64) {
        let remove =
            |state: &mut State| Ok(state.registry.remove_foreign_some(&mut state.log, name, link, wall_ns));
        let removed: Result<(), Infallible> = self.in_steps(remove).await;
        let Ok(()) = removed;
    }

    /// Removes data planes that were away for too long at `now`.
    pub async fn expire_detached(&self, now: Instant, wall_ns: u64) {
        let expired: Result<(), Infallible> =
            self.in_steps(|state| Ok(state.registry.expire_some(&mut state.log, now, wall_ns))).await;
        let Ok(()) = expired;
    }

    /// Returns the run of events that follows `cursor`; `None` when there is none yet.
    ///
    /// # Errors
    /// What follows `cursor` is no longer retained.
    pub fn run_after(&self, cursor: u64) -> Result<Option<Arc<Run>>, Lost> {
        self.lock().log.run_after(cursor)
    }

    /// Returns a copy of all entries at one moment, which is not before this call.
    pub async fn snapshot(&self) -> Arc<Copy> {
        let last_seq = || self.lock().log.last_seq();
        let make = || {
            let state = self.lock();
            (state.log.last_seq(), state.registry.snapshot())
        };
        self.copies.take(last_seq, make).await
    }

    /// Takes copies back that nobody has read from for a while. Returns how many were taken away
    /// from readers since the last call, for this reason or to make room.
    pub fn take_back_copies(&self) -> u64 {
        self.copies.take_back()
    }

    /// Returns what the log holds, and whether a reader could go on after `cursor`.
    pub fn window(&self, cursor: u64) -> Window {
        let state = self.lock();
        Window {
            epoch: self.epoch,
            oldest_seq: state.log.oldest_seq(),
            last_seq: state.log.last_seq(),
            holds: state.log.holds_after(cursor),
        }
    }

    /// Returns all data planes that are or were attached, by name.
    pub fn dataplanes(&self) -> Vec<DataplaneState> {
        self.lock().registry.dataplanes()
    }

    /// Returns whether `name` is or was attached.
    pub fn knows(&self, name: &str) -> bool {
        self.lock().registry.knows(name)
    }

    /// Keeps the last counters that `name` gave.
    pub fn keep_stats(&self, name: &str, stats: Arc<DataplaneStats>) {
        self.lock().registry.keep_stats(name, stats);
    }

    /// Returns the counters of the log and its watchers.
    pub fn log_stats(&self) -> LogStats {
        let window = self.window(0);
        LogStats {
            epoch: self.epoch,
            last_seq: window.last_seq,
            oldest_seq: window.oldest_seq,
            watchers: self.watchers.load(Ordering::Relaxed),
            gaps: self.gaps.load(Ordering::Relaxed),
        }
    }

    /// Counts one more watcher until the returned value is dropped.
    pub fn count_watcher(self: &Arc<Self>) -> WatcherCount {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        WatcherCount(self.clone())
    }

    /// Counts one more GAP.
    pub fn count_gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// Repeats a step until it returns false. Each step holds the lock anew, and what it logs is
    /// visible to readers before the next one. Other tasks of the thread come in between.
    async fn in_steps<E>(&self, mut step: impl FnMut(&mut State) -> Result<bool, E>) -> Result<(), E> {
        while self.step(&mut step)? {
            // Without a pause this thread would take the lock again before those that wait for it.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Does one step under the lock, and drops afterwards what has become useless in it.
    fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let done = step(&mut state);
        self.publish_seq(&state);
        let trash = state.registry.take_trash();
        drop(state);
        drop(trash);
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug of one request; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_seq(&self, state: &State) {
        let last = state.log.last_seq();
        self.last_seq.send_if_modified(|seq| std::mem::replace(seq, last) != last);
    }

    fn publish_attached(&self, state: &State) {
        let count = state.registry.attached();
        self.attached.send_if_modified(|n| std::mem::replace(n, count) != count);
    }
}
