//! `replay`: tracks the frames of a capture instead of ports, on the capture's own time, and prints
//! the events as lines of JSON.
//!
//! The tracker is the one that lcores run, on a clock that only packets move. Before each packet
//! the clock passes every deadline up to the packet's time; the time between deadlines costs
//! nothing (`pace.rs`). The engine deletes an entry within an aging bucket of its deadline, in the
//! order of its table. A replay sorts what a step of the clock has deleted, by deadline and in a tie
//! by creation, so that its output depends on nothing but the capture and the options.

pub mod capture;
mod clock;
mod pace;

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use conntrack::table::{TableConfig, TableConfigError};
use conntrack::tracker::Budget;
use conntrack::{
    Event, EventBody, FlowKey, FlowTable as _, Frames, LineTable, Now, Shard, Tracker, TrackerConfig,
};
use flowtracker_proto::change::{Changed, Report};
use flowtracker_proto::show;
use tracing::info;

use crate::export::encode;
use crate::lcore::clock::Wall;
use crate::lcore::stats::outcomes_text;
use crate::start::cli::ReplayLine;
use crate::start::config::{Config, ConfigError};
use crate::start::options::shell_word;
use capture::{CaptureError, Packet, Reader};
use clock::{CaptureClock, STEP, TICK_NS};
use pace::Pace;

/// The port that all frames enter by: port0.
const INPUT_PORT: u8 = 1;
/// The epoch of every replay.
const EPOCH: u64 = 1;
/// The hash functions' secret. It is the same in every run, because the output has to be.
const SECRET: [u8; 32] = *b"flowtracker replay: not a secret";

/// The work of one step. It has no bound, because no frame waits for its end.
const BUDGET: Budget = Budget { blocks: u32::MAX, pending: 0, resync: 0 };

/// Why a replay did not start, or not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An option is not acceptable.
    #[error(transparent)]
    Flag(#[from] ConfigError),
    /// The table cannot be made.
    #[error("--capacity: {0}")]
    Table(TableConfigError),
    /// The capture cannot be read, or not to its end.
    #[error("{}: {error}", .path.display())]
    Capture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: CaptureError,
    },
    /// The events cannot be written.
    #[error("the events cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl ReplayError {
    /// Returns `true` if other flags are needed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, ReplayError::Flag(_))
    }
}

/// Replays a capture to standard output. `started` is called once events may come.
///
/// # Errors
/// When it cannot start, the capture cannot be read to its end, or the output cannot be written. A
/// reader that closes the output early is no error.
pub fn run(line: &ReplayLine, started: impl FnOnce()) -> Result<(), ReplayError> {
    let config = Config { secret: SECRET, ..Config::new(&line.line)? };
    let unreadable = |error| ReplayError::Capture { path: line.capture.clone(), error };
    let mut capture = Reader::open(&line.capture).map_err(unreadable)?;
    let drain = if line.drain { " --drain" } else { "" };
    info!(
        "effective configuration: replay {}{drain} {}",
        shell_word(&line.capture.to_string_lossy()),
        config.of_replay()
    );
    let mut replay = Replay::new(&config, io::stdout().lock())?;
    started();
    let outcome = replay.play(&mut capture, line.drain, unreadable);
    match outcome {
        Err(ReplayError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => {
            replay.report();
            outcome
        }
    }
}

/// A packet as a burst of its own.
impl Frames for Packet<'_> {
    fn len(&self) -> usize {
        1
    }
    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        std::iter::once((self.octets, self.length)).skip(from)
    }
}

/// A replay under way.
struct Replay<W> {
    shard: Shard<LineTable>,
    clock: CaptureClock,
    pace: Pace,
    /// The latest time that a packet had, Unix nanoseconds.
    latest_ns: u64,
    /// For each entry of the table its creation number.
    births: HashMap<FlowKey, u64>,
    /// Entries created so far.
    born: u64,
    /// What a step of the clock has deleted: the deadline in ticks, the creation number and the
    /// event.
    due: Vec<(u64, u64, Event)>,
    events: EventWriter<W>,
}

impl<W: Write> Replay<W> {
    fn new(config: &Config, out: W) -> Result<Self, ReplayError> {
        let clock = CaptureClock::default();
        let hasher = config.hasher();
        let table = LineTable::new(TableConfig { entries: config.options.capacity, hasher })
            .map_err(ReplayError::Table)?;
        // Aging buckets of one tick: every deadline up to the clock is looked at.
        let tracker = TrackerConfig { bucket_shift: 0, ..config.tracker };
        let tracker = Tracker::new(table, tracker, clock.now(0)).map_err(ReplayError::Table)?;
        Ok(Replay {
            shard: Shard::new(config.parser(), tracker),
            clock,
            pace: Pace::default(),
            latest_ns: 0,
            births: HashMap::new(),
            born: 0,
            due: Vec::new(),
            events: EventWriter { out, dataplane: config.id().into(), seq: 0 },
        })
    }

    /// Plays a capture to its end.
    fn play(
        &mut self,
        capture: &mut Reader<impl Read>,
        drain: bool,
        unreadable: impl Fn(CaptureError) -> ReplayError,
    ) -> Result<(), ReplayError> {
        while let Some(packet) = capture.next_packet().map_err(&unreadable)? {
            self.packet(&packet)?;
        }
        while drain && !self.shard.tracker.table().is_empty() {
            self.step(u64::MAX)?;
        }
        Ok(())
    }

    /// Passes the time up to a packet, then tracks the packet.
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        // Captures of several queues are not always in order, but the clock does not go back. For a
        // packet whose time nobody knows it stands still.
        self.latest_ns = self.latest_ns.max(packet.time_ns.unwrap_or_default());
        self.run_until(self.latest_ns / TICK_NS)?;
        let now = self.clock.now(self.latest_ns % TICK_NS);
        let mut created = None;
        let mut sink = |event: &Event| {
            created = Some(*event);
            true
        };
        self.shard.burst(now, INPUT_PORT, packet, &mut sink, |_, _| {});
        let Some(event) = created else { return Ok(()) };
        if let EventBody::Created(entry) = &event.body {
            self.births.insert(entry.key, self.born);
            self.born += 1;
            self.pace.due_at(self.clock.ticks + u64::from(entry.aging_ms));
        }
        self.events.write(&event, &self.clock)
    }

    /// Moves the clock to `unix_ms`, and deletes what expires meanwhile.
    fn run_until(&mut self, unix_ms: u64) -> io::Result<()> {
        while self.clock.unix_ms() < unix_ms {
            if self.shard.tracker.table().is_empty() {
                self.clock.skip_to(unix_ms);
            } else {
                self.step(unix_ms - self.clock.unix_ms())?;
            }
        }
        Ok(())
    }

    /// Moves the clock by at most this number of ticks, and deletes what has expired then. Reports
    /// each entry at its own deadline.
    fn step(&mut self, ticks: u64) -> io::Result<()> {
        let quiet = self.pace.quiet().saturating_sub(self.clock.ticks);
        self.clock.advance(ticks.min(quiet.saturating_add(STEP)));
        let Self { shard, clock, pace, births, due, events, .. } = self;
        pace.follow(clock.ticks, &mut shard.tracker, |tracker, tick| {
            let now = Now::from_ms(tick);
            let mut sink = |event: &Event| {
                if let EventBody::Deleted { entry, .. } = &event.body {
                    let late = now.tick.since(entry.last_used.plus(entry.aging_ms));
                    let deadline = tick - u64::from(late.unsigned_abs());
                    let birth = births.remove(&entry.key).unwrap_or_default();
                    due.push((deadline, birth, Event { at_ns: deadline * TICK_NS, ..*event }));
                }
                true
            };
            while !tracker.caught_up(now) {
                tracker.advance(now, BUDGET, &mut sink);
            }
        });
        due.sort_unstable_by_key(|(deadline, birth, _)| (*deadline, *birth));
        due.drain(..).try_for_each(|(.., event)| events.write(&event, clock))
    }

    /// Logs what was tracked, by outcome.
    fn report(&self) {
        let counters = self.shard.counters();
        info!(
            "replay: received {} frames, printed {} events; {} entries; {}",
            counters.rx,
            self.events.seq,
            self.shard.tracker.table().len(),
            outcomes_text(&counters)
        );
    }
}

/// Prints events as `ctl watch -o json` does: one per line, in proto3 JSON.
struct EventWriter<W> {
    out: W,
    dataplane: Arc<str>,
    seq: u64,
}

impl<W: Write> EventWriter<W> {
    fn write(&mut self, event: &Event, clock: &impl Wall) -> io::Result<()> {
        let record = encode::record(event, clock);
        // No control program has written here, so no number stands for one.
        let Ok(Report::Change(change)) = Report::of(&record, |_| None) else { return Ok(()) };
        self.seq += 1;
        let changed = Changed { time_ns: record.time_ns, dataplane: self.dataplane.clone(), change };
        let mut line = serde_json::to_string(&show::event(EPOCH, self.seq, &changed))?;
        line.push('\n');
        self.out.write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests;
