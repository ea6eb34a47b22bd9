//! `replay`: tracks the frames of a capture instead of ports, on the capture's own time, and prints
//! the events as lines of JSON.
//!
//! The tracker is the one that lcores run, on a clock that only packets move. Before each packet
//! the clock passes every deadline up to the packet's time; the time between deadlines costs
//! nothing (`pace.rs`). The engine deletes an entry within an aging bucket of its deadline, in the
//! order of its table. A replay sorts what a step of the clock has deleted in both tables, by
//! deadline and in a tie by creation, so that its output depends on nothing but the capture and the
//! options. Keys of IPv6 are always compared whole, because the secret of their fingerprints is
//! public here, and a capture may hold keys that collide on purpose.

pub mod capture;
mod clock;
mod pace;
mod table;

use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use conntrack::table::{Counted, TableConfigError};
use conntrack::{
    DualShard, Event, EventSink, FlowKey, FlowKeyV6, FlowTable as _, Frames, HasherV6, LineTable,
};
use flowtracker_proto::change::{Changed, Report};
use flowtracker_proto::show;
use tracing::info;

use crate::export::{TableEvent, encode};
use crate::lcore::clock::Wall;
use crate::lcore::stats::outcomes_text;
use crate::start::cli::{CommandLine, ReplayLine};
use crate::start::config::{Config, ConfigError, Secrets};
use crate::start::options::{Switch, shell_word};
use capture::{CaptureError, Packet, Reader};
use clock::{CaptureClock, STEP, TICK_NS};
use table::{Births, Due, Table};

/// The port that all frames enter by: port0.
const INPUT_PORT: u8 = 1;
/// The epoch of every replay.
const EPOCH: u64 = 1;
/// The hash functions' secrets. They are the same in every run, because the output has to be.
const SECRETS: Secrets = Secrets {
    ipv4: *b"flowtracker replay: not a secret",
    ipv6: *b"flowtracker replay: nobody has to guess these eighty bytes, they stand in source",
};
const _: () = assert!(SECRETS.ipv6.len() == HasherV6::SECRET);

/// Why a replay did not start, or not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An option is not acceptable.
    #[error(transparent)]
    Flag(#[from] ConfigError),
    /// A table cannot be made, with the capacity of this flag.
    #[error("--{0}: {1}")]
    Table(&'static str, TableConfigError),
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
    let config = configuration(&line.line)?;
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

/// Returns the configuration of a replay.
fn configuration(line: &CommandLine) -> Result<Config, ConfigError> {
    let mut config = Config { secrets: SECRETS, ..Config::new(line)? };
    config.options.verify_keys = Switch::On;
    Ok(config)
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
    shard: DualShard<LineTable, LineTable<Counted, FlowKeyV6>>,
    clock: CaptureClock,
    /// The latest time that a packet had, Unix nanoseconds.
    latest_ns: u64,
    ipv4: Table<FlowKey>,
    ipv6: Table<FlowKeyV6>,
    births: Births,
    /// What a step of the clock has deleted.
    due: Vec<Due>,
    events: EventWriter<W>,
}

/// Takes the event of a packet, which causes at most one.
#[derive(Default)]
struct Taken(Option<TableEvent>);

impl<K> EventSink<K> for Taken
where
    TableEvent: From<Event<K>>,
    Event<K>: Copy,
{
    fn offer(&mut self, event: &Event<K>) -> bool {
        self.0 = Some((*event).into());
        true
    }
}

impl<W: Write> Replay<W> {
    fn new(config: &Config, out: W) -> Result<Self, ReplayError> {
        let clock = CaptureClock::default();
        let ipv4 = table::tracker(config, config.hasher(), clock.now(0))?;
        let ipv6 = table::tracker(config, config.hasher_ipv6(), clock.now(0))?;
        Ok(Replay {
            shard: DualShard::of(config.options.families, config.parser(), ipv4, ipv6),
            clock,
            latest_ns: 0,
            ipv4: Table::default(),
            ipv6: Table::default(),
            births: Births::default(),
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
        while drain && !self.is_empty() {
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
        let mut taken = Taken::default();
        self.shard.burst(now, INPUT_PORT, packet, &mut taken, |_, _| {});
        let Some(event) = taken.0 else { return Ok(()) };
        match &event {
            TableEvent::Ipv4(event) => self.ipv4.note(event, self.clock.ticks, &mut self.births),
            TableEvent::Ipv6(event) => self.ipv6.note(event, self.clock.ticks, &mut self.births),
        }
        self.events.write(&event, &self.clock)
    }

    /// Returns `true` when no table has an entry.
    fn is_empty(&self) -> bool {
        self.shard.ipv4.table().is_empty() && self.shard.ipv6.table().is_empty()
    }

    /// Moves the clock to `unix_ms`, and deletes what expires meanwhile.
    fn run_until(&mut self, unix_ms: u64) -> io::Result<()> {
        while self.clock.unix_ms() < unix_ms {
            if self.is_empty() {
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
        let quiet = self.ipv4.pace.quiet().min(self.ipv6.pace.quiet()).saturating_sub(self.clock.ticks);
        self.clock.advance(ticks.min(quiet.saturating_add(STEP)));
        let Self { shard, clock, ipv4, ipv6, due, events, .. } = self;
        ipv4.age(clock.ticks, &mut shard.ipv4, due);
        ipv6.age(clock.ticks, &mut shard.ipv6, due);
        due.sort_unstable_by_key(|due| (due.deadline, due.birth));
        due.drain(..).try_for_each(|due| events.write(&due.event, clock))
    }

    /// Logs what was tracked, by outcome.
    fn report(&self) {
        let counters = self.shard.counters();
        info!(
            "replay: received {} frames, printed {} events; {} entries; {}",
            counters.rx,
            self.events.seq,
            self.shard.ipv4.table().len() + self.shard.ipv6.table().len(),
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
    fn write(&mut self, event: &TableEvent, clock: &impl Wall) -> io::Result<()> {
        let record = encode::record_of_any(event, clock);
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
