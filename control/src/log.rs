//! The event log: the last events by sequence number, in compact form.
//!
//! The log knows nothing of its readers. A reader holds the number of the last
//! event that it considered and asks for what follows; when that has left the
//! retained window, the reader is told so and starts over. So a slow reader
//! costs nothing here and delays nobody.

use std::collections::VecDeque;
use std::sync::Arc;

use flowtracker_proto::v1::{Actor, DeleteReason};

use crate::registry::EntryState;

/// One change, as retained. Converted to the API's form only when it is sent.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// When it happened, wall clock, Unix nanoseconds.
    pub time_ns: u64,
    /// The data plane where it happened.
    pub dataplane: Arc<str>,
    /// What happened.
    pub change: Change,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Change {
    /// An entry came into being.
    Created(Arc<EntryState>),
    /// An entry was rewritten.
    Updated(Arc<EntryState>),
    /// An entry is gone.
    Deleted {
        /// Its last known state.
        entry: Arc<EntryState>,
        /// Why it went.
        reason: DeleteReason,
        /// Who deleted it; `None` where the reason alone says it.
        by: Option<Arc<Actor>>,
    },
    /// A flush has ended on all shards.
    Flushed {
        /// Entries deleted.
        deleted: u64,
        /// Entries left for want of permission.
        failed: u64,
    },
    /// The program was detached: the data plane's table is empty.
    Purged,
    /// The program was attached again.
    Loaded,
}

/// The reader's place has left the retained window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// Retained events of one run of the service.
#[derive(Debug)]
pub struct EventLog {
    epoch: u64,
    last_seq: u64,
    retain: usize,
    records: VecDeque<LogRecord>,
}

impl EventLog {
    /// An empty log for the run `epoch` that keeps the last `retain` events.
    pub fn new(epoch: u64, retain: usize) -> Self {
        Self { epoch, last_seq: 0, retain: retain.max(1), records: VecDeque::new() }
    }

    /// The run of the service that numbers these events.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Number of the last event, 0 when there was none.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Number of the oldest event retained, 0 when there is none.
    pub fn oldest_seq(&self) -> u64 {
        if self.records.is_empty() { 0 } else { self.last_seq + 1 - self.records.len() as u64 }
    }

    /// Appends an event and gives it the next number.
    pub fn push(&mut self, record: LogRecord) {
        if self.records.len() == self.retain {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.last_seq += 1;
    }

    /// True when what follows `cursor` is still retained (or yet to come).
    pub fn holds_after(&self, cursor: u64) -> bool {
        cursor <= self.last_seq && cursor + self.records.len() as u64 >= self.last_seq
    }

    /// Copies up to `max` events that follow `cursor` to `out`. The first of
    /// them has number `cursor + 1`.
    pub fn read(&self, cursor: u64, max: usize, out: &mut Vec<LogRecord>) -> Result<(), Lost> {
        if !self.holds_after(cursor) {
            return Err(Lost);
        }
        let behind = usize::try_from(self.last_seq - cursor).map_err(|_| Lost)?;
        let from = self.records.len() - behind;
        out.extend(self.records.range(from..).take(max).cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(retain: usize, events: u64) -> EventLog {
        let mut log = EventLog::new(7, retain);
        for time_ns in 1..=events {
            log.push(LogRecord { time_ns, dataplane: "dp".into(), change: Change::Loaded });
        }
        log
    }

    /// Against the obvious model: event n exists when it is one of the last `retain`.
    #[test]
    fn reads_what_the_window_holds_and_nothing_else() {
        for retain in 1..6 {
            for events in 0..12_u64 {
                let log = log_of(retain, events);
                let oldest = if events == 0 { 0 } else { events.saturating_sub(retain as u64) + 1 };
                assert_eq!((log.last_seq(), log.oldest_seq()), (events, oldest));
                for cursor in 0..15_u64 {
                    for max in 1..4 {
                        let mut out = Vec::new();
                        let got = log.read(cursor, max, &mut out);
                        let held = cursor <= events && (cursor == events || cursor + 1 >= oldest);
                        assert_eq!(got.is_ok(), held);
                        let want: Vec<_> =
                            if held { (cursor + 1..=events).take(max).collect() } else { vec![] };
                        assert_eq!(out.iter().map(|r| r.time_ns).collect::<Vec<_>>(), want);
                    }
                }
            }
        }
    }
}
