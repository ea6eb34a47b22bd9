//! `replay`: frames from a capture instead of ports, on the capture's own time, and the events as lines of JSON.
//!
//! The tracker is the one that lcores run, on a clock that only moves when a packet says so. Before each packet the
//! clock passes every deadline up to the packet's time. The engine promises a deletion within an aging bucket of its
//! deadline and in the order of its table; a replay promises more, so what a step of the clock deletes is sorted here:
//! by deadline, and in a tie by creation. So the output depends on nothing but the capture and the options.

mod capture;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use conntrack::table::{TableConfig, TableConfigError};
use conntrack::tracker::Budget;
use conntrack::{
    Event, EventBody, FlowKey, FlowTable as _, Frames, LineTable, Now, Profiles, Shard, Tracker,
    TrackerConfig,
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
use capture::{Capture, Packet};

pub use capture::CaptureError;

/// Where all frames enter: port0.
const INPUT_PORT: u8 = 1;
/// The epoch of every replay.
const EPOCH: u64 = 1;
/// The same in every run: nobody can choose frames against a program that they do not meet.
const SECRET: [u8; 32] = *b"flowtracker replay: not a secret";

/// A tick, in nanoseconds.
const TICK_NS: u64 = 1_000_000;
/// Most ticks that the clock moves between two looks at the deadlines. Together with the longest aging they must stay
/// below half of the tick's circle.
const STEP: u64 = 3_600_000;
const _: () = assert!(Profiles::MAX_AGING_MS + STEP < 1 << 31);

/// The last time that a packet may have, in the year 2554: deadlines after it must fit too.
const LAST_NS: u64 = u64::MAX - (Profiles::MAX_AGING_MS + STEP) * TICK_NS;

/// Nothing waits for the end of a slice here.
const BUDGET: Budget = Budget { blocks: u32::MAX, pending: 0, resync: 0 };

/// Why a replay did not start, or not get to its end.
#[derive(Debug)]
pub enum ReplayError {
    /// An option is not acceptable.
    Flag(ConfigError),
    /// The table cannot be made.
    Table(TableConfigError),
    /// The capture cannot be read, or not to its end.
    Capture(CaptureError),
    /// The events cannot be written.
    Output(io::Error),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Flag(e) => e.fmt(f),
            ReplayError::Table(e) => write!(f, "--capacity: {e}"),
            ReplayError::Capture(e) => e.fmt(f),
            ReplayError::Output(e) => write!(f, "the events cannot be written: {e}"),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<CaptureError> for ReplayError {
    fn from(error: CaptureError) -> Self {
        ReplayError::Capture(error)
    }
}

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> Self {
        ReplayError::Output(error)
    }
}

impl ReplayError {
    /// True if other flags are needed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, ReplayError::Flag(_))
    }
}

/// Replays a capture to standard output. `started` is called once events may come.
///
/// # Errors
/// When it cannot start, or the capture or the output ends before its time. A reader of the output that has seen enough
/// is no error.
pub fn run(line: &ReplayLine, started: impl FnOnce()) -> Result<(), ReplayError> {
    let config = Config { secret: SECRET, ..Config::new(&line.line).map_err(ReplayError::Flag)? };
    let mut capture = Capture::open(&line.capture)?;
    let drain = if line.drain { " --drain" } else { "" };
    info!(
        "effective configuration: replay {}{drain} {}",
        shell_word(&line.capture.to_string_lossy()),
        config.of_replay()
    );
    let mut replay = Replay::new(&config, io::stdout().lock())?;
    started();
    let outcome = replay.play(&mut capture, line.drain);
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

/// The clock of a capture: it counts ticks for the engine, and knows which millisecond of the world each of them is.
///
/// While the table is empty the engine's clock stands still, whatever passes in the capture. So it does not matter where
/// in time a capture lies, nor how long it is silent.
#[derive(Debug, Default)]
struct CaptureClock {
    /// Ticks that the engine has seen.
    ticks: u64,
    /// Unix time of the engine's tick 0, milliseconds.
    start_ms: u64,
}

impl CaptureClock {
    /// Unix time, milliseconds.
    fn unix_ms(&self) -> u64 {
        self.start_ms + self.ticks
    }

    /// The present tick's reading, `into_tick` nanoseconds after its begin.
    fn now(&self, into_tick: u64) -> Now {
        Now::from_ns(self.ticks * TICK_NS + into_tick)
    }

    /// Passes time that the engine sees.
    fn advance(&mut self, ticks: u64) {
        self.ticks += ticks;
    }

    /// Passes time that the engine does not see.
    fn skip_to(&mut self, unix_ms: u64) {
        self.start_ms = unix_ms - self.ticks;
    }
}

impl Wall for CaptureClock {
    fn wall_ns(&self, ns: u64) -> u64 {
        self.start_ms * TICK_NS + ns
    }
}

/// A replay under way.
struct Replay<W> {
    shard: Shard<LineTable>,
    clock: CaptureClock,
    /// The latest time that a packet had, Unix nanoseconds.
    latest_ns: u64,
    /// Which entry of the table was created as the how-manieth.
    births: HashMap<FlowKey, u64>,
    /// Entries created so far.
    born: u64,
    /// What the last look at the deadlines has deleted: when, in ticks, and the creation number.
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
            latest_ns: 0,
            births: HashMap::new(),
            born: 0,
            due: Vec::new(),
            events: EventWriter { out, dataplane: config.id().into(), seq: 0 },
        })
    }

    /// Plays a capture to its end.
    fn play(&mut self, capture: &mut Capture, drain: bool) -> Result<(), ReplayError> {
        while let Some(packet) = capture.next()? {
            self.packet(&packet)?;
        }
        while drain && !self.shard.tracker.table().is_empty() {
            self.clock.advance(STEP);
            self.expire()?;
        }
        Ok(())
    }

    /// What happens up to the time of a packet, and by the packet.
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        // Captures of several queues are not always in order; the clock always is.
        self.latest_ns = self.latest_ns.max(packet.time_ns);
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
        }
        self.events.write(&event, &self.clock)
    }

    /// Lets the clock run, and what expires meanwhile go.
    fn run_until(&mut self, unix_ms: u64) -> io::Result<()> {
        while self.clock.unix_ms() < unix_ms {
            if self.shard.tracker.table().is_empty() {
                self.clock.skip_to(unix_ms);
            } else {
                self.clock.advance(STEP.min(unix_ms - self.clock.unix_ms()));
                self.expire()?;
            }
        }
        Ok(())
    }

    /// Deletes what has expired by now, each at its own deadline.
    fn expire(&mut self) -> io::Result<()> {
        let now = self.clock.now(0);
        let Self { shard, clock, births, due, events, .. } = self;
        let mut sink = |event: &Event| {
            if let EventBody::Deleted { entry, .. } = &event.body {
                let late = now.tick.since(entry.last_used.plus(entry.aging_ms));
                let deadline = clock.ticks - u64::from(late.unsigned_abs());
                let birth = births.remove(&entry.key).unwrap_or_default();
                due.push((deadline, birth, Event { at_ns: deadline * TICK_NS, ..*event }));
            }
            true
        };
        while !shard.tracker.caught_up(now) {
            shard.tracker.advance(now, BUDGET, &mut sink);
        }
        due.sort_unstable_by_key(|(deadline, birth, _)| (*deadline, *birth));
        due.drain(..).try_for_each(|(.., event)| events.write(&event, clock))
    }

    /// The last words: what went through, by outcome.
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
