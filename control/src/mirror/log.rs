//! The event log: the last events by sequence number, in compact form.
//!
//! The log knows nothing of its readers. A reader holds the number of the last event that it
//! considered and asks for what follows. When that has left the retained window, the reader is told
//! that it is lost and starts over. So a slow reader costs nothing here and delays nobody.
//!
//! What follows a number is given out as a *run*. The latest runs are kept, so that readers at the
//! same place get the same run and the same bytes: an event is encoded once, however many readers
//! there are.

use std::collections::{TryReserveError, VecDeque};
use std::sync::{Arc, OnceLock};

use flowtracker_proto::change::Changed;
use flowtracker_proto::show::{Encoded, Encoder};

/// Events per run, at most.
pub const RUN: usize = 256;
/// Runs kept for other readers.
const RUNS: usize = 32;

/// Events that follow each other, and their bytes once a reader has asked for them.
#[derive(Debug)]
pub struct Run {
    epoch: u64,
    first_seq: u64,
    records: Vec<Changed>,
    encoded: OnceLock<Encoded>,
}

impl Run {
    /// Returns the number of the last event in it.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64 - 1
    }

    /// Returns the events with their numbers.
    pub fn events(&self) -> impl Iterator<Item = (u64, &Changed)> {
        (self.first_seq..).zip(&self.records)
    }

    /// Returns the events in wire form. The first call encodes them for all readers.
    pub fn encoded(&self) -> &Encoded {
        self.encoded.get_or_init(|| {
            let mut encoder = Encoder::new(self.epoch, self.records.len());
            self.events().for_each(|(seq, record)| encoder.event(seq, record));
            encoder.finish()
        })
    }
}

/// What follows the reader's number is no longer retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The retained events of one epoch, which is one life of the service.
#[derive(Debug)]
pub struct EventLog {
    epoch: u64,
    last_seq: u64,
    retain: usize,
    records: VecDeque<Changed>,
    /// The latest runs, in the order in which they were first asked for.
    runs: VecDeque<Arc<Run>>,
}

impl EventLog {
    /// Creates an empty log for `epoch` that keeps the last `retain` events.
    ///
    /// # Errors
    /// There is no memory for that many events. Memory that is not used yet is only reserved.
    pub fn new(epoch: u64, retain: usize) -> Result<Self, TryReserveError> {
        let retain = retain.max(1);
        let mut records = VecDeque::new();
        records.try_reserve_exact(retain)?;
        Ok(Self { epoch, last_seq: 0, retain, records, runs: VecDeque::with_capacity(RUNS) })
    }

    /// Returns the run of the service that numbers these events.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the number of the last event; 0 when there was none.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Returns the number of the oldest event retained; 0 when there is none.
    pub fn oldest_seq(&self) -> u64 {
        if self.records.is_empty() { 0 } else { self.last_seq + 1 - self.records.len() as u64 }
    }

    /// Appends an event and gives it the next number.
    pub fn push(&mut self, record: Changed) {
        if self.records.len() == self.retain {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.last_seq += 1;
    }

    /// Returns whether what follows `cursor` is still retained, or yet to come.
    pub fn holds_after(&self, cursor: u64) -> bool {
        cursor <= self.last_seq && cursor + self.records.len() as u64 >= self.last_seq
    }

    /// Returns the run that follows `cursor`; `None` when nothing does yet.
    ///
    /// # Errors
    /// What follows `cursor` is no longer retained.
    pub fn run_after(&mut self, cursor: u64) -> Result<Option<Arc<Run>>, Lost> {
        if !self.holds_after(cursor) {
            return Err(Lost);
        }
        let behind = usize::try_from(self.last_seq - cursor).map_err(|_| Lost)?;
        if behind == 0 {
            return Ok(None);
        }
        let first_seq = cursor + 1;
        if let Some(run) = self.runs.iter().rev().find(|run| run.first_seq == first_seq) {
            return Ok(Some(run.clone()));
        }
        // This run ends where a kept one begins, so that the reader joins the others there.
        let joins = |run: &&Arc<Run>| run.first_seq > first_seq && run.first_seq < first_seq + RUN as u64;
        let room = self.runs.iter().filter(joins).map(|run| (run.first_seq - first_seq) as usize).min();
        let from = self.records.len() - behind;
        let records: Vec<_> = self.records.range(from..).take(room.unwrap_or(RUN)).cloned().collect();
        let run = Arc::new(Run { epoch: self.epoch, first_seq, records, encoded: OnceLock::new() });
        if self.runs.len() == RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(run.clone());
        Ok(Some(run))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::RngExt as _;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    use super::*;
    use flowtracker_proto::change::Change;
    use flowtracker_proto::table::Family;

    /// A log in which each event's time is its number.
    fn log_of(retain: usize, events: u64) -> EventLog {
        let mut log = EventLog::new(7, retain).expect("room");
        for time_ns in 1..=events {
            log.push(Changed { time_ns, dataplane: "dp".into(), change: Change::Loaded(Family::Ipv4) });
        }
        log
    }

    fn numbers(run: &Run) -> Vec<u64> {
        run.events()
            .map(|(seq, record)| {
                assert_eq!(seq, record.time_ns);
                seq
            })
            .collect()
    }

    /// Compares the log with a model: event n exists when it is one of the last `retain`.
    #[test]
    fn reads_what_the_window_holds_and_nothing_else() {
        for retain in 1..6 {
            for events in 0..12_u64 {
                let mut log = log_of(retain, events);
                let oldest = if events == 0 { 0 } else { events.saturating_sub(retain as u64) + 1 };
                assert_eq!((log.last_seq(), log.oldest_seq()), (events, oldest));
                for cursor in 0..15_u64 {
                    let got = log.run_after(cursor);
                    let held = cursor <= events && (cursor == events || cursor + 1 >= oldest);
                    assert_eq!(got.is_ok(), held);
                    if held {
                        // A longer run may have been cut short by one that was asked for before it.
                        let want: Vec<_> = (cursor + 1..=events).collect();
                        let got = got.ok().flatten().map(|run| numbers(&run)).unwrap_or_default();
                        assert_eq!(got, want[..got.len()]);
                        assert_eq!(got.is_empty(), want.is_empty());
                    }
                }
            }
        }
    }

    /// Readers at random places of a growing log: each gets every number once and in order, no run
    /// is longer than [`RUN`], and readers at the same place get the same run.
    #[test]
    fn readers_meet_in_the_same_runs() {
        let mut log = log_of(5_000, 0);
        let mut cursors = [0_u64; 5];
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut roll = |sides: u64| random.random_range(0..sides);
        for _ in 0..20_000 {
            for _ in 0..roll(3) * roll(40) {
                let time_ns = log.last_seq() + 1;
                log.push(Changed { time_ns, dataplane: "dp".into(), change: Change::Loaded(Family::Ipv4) });
            }
            let reader = roll(5) as usize;
            match log.run_after(cursors[reader]) {
                Err(Lost) => cursors[reader] = log.last_seq(),
                Ok(None) => assert_eq!(cursors[reader], log.last_seq()),
                Ok(Some(run)) => {
                    let got = numbers(&run);
                    assert_eq!(got[0], cursors[reader] + 1);
                    assert!(got.len() <= RUN);
                    let again = log.run_after(cursors[reader]).expect("held").expect("there");
                    assert!(Arc::ptr_eq(&run, &again));
                    cursors[reader] = run.last_seq();
                }
            }
        }
    }

    #[test]
    fn a_window_that_no_machine_holds_is_an_error() {
        assert!(EventLog::new(7, usize::MAX / 1024).is_err());
    }
}
