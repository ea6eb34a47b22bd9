//! The faults: what they do to the programs, when they happen, and how a full ring is recognized.

use std::cmp::Reverse;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use conntrack::test_support::Random;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};
use rustix::process::Signal;

use super::{AGAIN, LIMIT, Step, Trial, Written, file_prefix};
use crate::process::wait_for;
use crate::relay::{Cut, Flow};

/// New flows per second that soon fill a ring, which holds 65,536 events.
pub(super) const FLOOD: u64 = 60_000;

/// Faults start within this time, in milliseconds.
pub(super) const FAULTS_WITHIN: u64 = 7_000;

/// A fault of a program or a connection. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// The control service is killed, and started again after a while.
    KillControl { down: u64 },
    /// The control service is stopped (SIGSTOP) for a while.
    StopControl { during: u64 },
    /// The data plane's link is cut, and refuses connections for a while.
    CutLink { during: u64, reset: bool },
    /// The watchers' connections are cut, and new ones are refused for a while.
    CutWatchers { during: u64, reset: bool },
    /// The link stands still until the data plane's ring is full, and for the time `more` after
    /// that.
    FillRing { more: u64 },
    /// A watcher that never reads: it is stopped itself, or its output is never read.
    NeverReads { stopped: bool },
    /// A watcher that receives one octet a second.
    OctetASecond,
    /// A watcher that vanishes after a while: it is killed, and with `cable` the service does not
    /// learn of it, as if its cable were pulled.
    Vanishes { after: u64, cable: bool },
    /// The data plane is killed, and started again after a while.
    KillDataplane { down: u64 },
}

/// Number of kinds of faults.
pub(super) const KINDS: usize = 9;

impl Fault {
    pub(super) fn throw(kind: usize, dice: &mut Random) -> Self {
        match kind {
            0 => Self::KillControl { down: dice.between(0, 1500) },
            1 => Self::StopControl { during: dice.between(1000, 3000) },
            2 => Self::CutLink { during: dice.between(0, 1500), reset: dice.coin() },
            3 => Self::CutWatchers { during: dice.between(0, 1500), reset: dice.coin() },
            4 => Self::FillRing { more: dice.between(0, 500) },
            5 => Self::NeverReads { stopped: dice.coin() },
            6 => Self::OctetASecond,
            7 => Self::Vanishes { after: dice.between(0, 1000), cable: dice.coin() },
            8 => Self::KillDataplane { down: dice.between(0, 1500) },
            _ => unreachable!("{KINDS} kinds"),
        }
    }
}

/// The data plane's counters of events that did not go into a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Events {
    /// Events that waited in the table because the ring was full.
    pub(super) deferred: u64,
    /// Events that occurred without a link.
    pub(super) unlinked: u64,
}

/// A child that is killed without notice when its owner drops it.
pub(super) struct Doomed(Child);

impl Doomed {
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process id"), signal).expect("own child");
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // The value is being dropped, perhaps in a panic, so errors are ignored.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Trial {
    /// Runs every kind of fault once and some twice, in random order at random times, until all
    /// have ended and been repaired.
    pub(super) fn faults(&mut self) {
        let more = [self.dice.between(0, 3), self.dice.between(5, 8)].map(|kind| kind as usize);
        for kind in (0..KINDS).chain(more) {
            let fault = Fault::throw(kind, &mut self.dice);
            let at = self.dice.between(0, FAULTS_WITHIN);
            self.later(at, Step::Begin(fault));
        }
        for _ in 0..self.dice.between(20, 60) {
            let at = self.dice.between(0, FAULTS_WITHIN);
            self.later(at, Step::DeleteSome);
        }
        for (step, most) in [
            (Step::CreateOne, 40),
            (Step::UpdateOne, 40),
            (Step::FlushSome, 24),
            (Step::Purge, 3),
            (Step::UpdateTable, 4),
            (Step::List, 8),
        ] {
            for _ in 0..self.dice.between(most / 2, most) {
                let at = self.dice.between(0, FAULTS_WITHIN);
                self.later(at, step);
            }
        }
        self.flood(false);
        self.work_off();
        self.write_each_way();
        self.traffic.write_stdin("new 0\n");
        self.note("no more faults, no more new flows");
        assert!(self.filled > 0, "the ring was filled");
        assert!(self.deleted > 0, "entries were deleted");
        let Written { created, updated, flushed, .. } = self.written;
        assert!(created > 0 && updated > 0 && flushed > 0, "{:?}", self.written);
        self.attach_again();
    }

    /// Takes the steps of the agenda, each at its time, until none is left.
    pub(super) fn work_off(&mut self) {
        while let Some(Reverse((at, _, step))) = self.agenda.pop() {
            let due = self.start + Duration::from_millis(at);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.step(step);
            self.check();
        }
    }

    /// Returns whether the fault may begin now. While the link stands still, no fault may end it,
    /// or the ring would never be full.
    pub(super) fn is_possible(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::KillControl { .. } => !self.filling && self.control.is_some(),
            Fault::StopControl { .. } => !self.stopped && self.control.is_some(),
            Fault::CutLink { .. } => !self.filling,
            Fault::KillDataplane { .. } => !self.filling && self.dataplane.is_some(),
            Fault::FillRing { .. } => {
                !self.filling
                    && !self.stopped
                    && !self.link_cut
                    && !self.detached
                    && self.dataplane.is_some()
                    && self.dataplanes().is_some_and(|known| known.attached)
            }
            _ => self.control.is_some(),
        }
    }

    pub(super) fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::KillControl { down } => {
                if let Some(mut control) = self.control.take() {
                    control.0.signal(Signal::KILL);
                    control.0.wait(LIMIT);
                    self.stopped = false;
                }
                self.later(down, Step::StartControl);
            }
            Fault::StopControl { during } => {
                if let Some(control) = &self.control {
                    control.0.signal(Signal::STOP);
                    self.stopped = true;
                    let pid = control.0.pid();
                    self.later(during, Step::ContinueControl(pid));
                }
            }
            Fault::CutLink { during, reset } => {
                self.link_cut = true;
                self.link.refuse(true);
                self.link.cut(if reset { Cut::Reset } else { Cut::Close });
                self.later(during, Step::AllowLink);
            }
            Fault::CutWatchers { during, reset } => {
                self.users.refuse(true);
                self.users.cut(if reset { Cut::Reset } else { Cut::Close });
                self.later(during, Step::AllowWatchers);
            }
            Fault::FillRing { more } => {
                self.filling = true;
                self.link.set(Flow::Stopped);
                self.flood(true);
                let before = wait_for("the data plane's counters", LIMIT, || self.events());
                let deadline = self.now() + LIMIT.as_millis() as u64;
                self.later(AGAIN, Step::RingFull { before, more, deadline });
            }
            Fault::NeverReads { stopped } => {
                let server = format!("unix:{}", self.socket().display());
                let watcher = self.nuisance(&server, if stopped { Stdio::null() } else { Stdio::piped() });
                if stopped {
                    self.nuisances[watcher].signal(Signal::STOP);
                }
            }
            Fault::OctetASecond => {
                self.nuisance(&self.trickle.uri(), Stdio::null());
            }
            Fault::Vanishes { after, cable } => {
                let watcher = self.nuisance(&self.vanishing.uri(), Stdio::null());
                self.later(after, Step::Vanish { watcher, cable });
            }
            Fault::KillDataplane { down } => {
                if let Some(mut dataplane) = self.dataplane.take() {
                    dataplane.signal(Signal::KILL);
                    dataplane.wait(LIMIT);
                }
                self.later(down, Step::StartDataplane);
            }
        }
    }

    /// Starts a watcher that will not behave, and returns its index.
    pub(super) fn nuisance(&mut self, server: &str, output: Stdio) -> usize {
        let mut command = self.ctl(server);
        command.args(["watch", "-o", "json", "--from", "snapshot"]);
        let child = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn();
        self.nuisances.push(Doomed(child.expect("ctl starts")));
        self.nuisances.len() - 1
    }

    /// Looks whether the ring is full, and plans the next step.
    pub(super) fn look_at_ring(&mut self, before: Events, more: u64, deadline: u64) {
        let now = self.events().unwrap_or(before);
        assert!(self.now() < deadline, "the ring does not get full: {before:?}, {now:?}");
        if now.unlinked > before.unlinked {
            // The control service reported an old link whose end it had not noticed yet. The fault
            // is tried again.
            self.note("there is no link whose ring could be filled");
            self.flood(false);
            self.step(Step::OpenLink);
            self.later(5 * AGAIN, Step::Begin(Fault::FillRing { more }));
        } else if now.deferred > before.deferred {
            self.filled += 1;
            self.note(&format!("the ring is full, {} events wait", now.deferred - before.deferred));
            self.flood(false);
            self.later(more, Step::OpenLink);
            // An entry that has expired and waits for the ring must not be counted twice when this
            // purge removes it.
            self.later(more, Step::Purge);
        } else {
            self.later(AGAIN, Step::RingFull { before, more, deadline });
        }
    }

    pub(super) fn flood(&mut self, on: bool) {
        let rate = if on { FLOOD } else { self.plan.new };
        self.traffic.write_stdin(&format!("new {rate}\n"));
    }

    /// Returns the data plane's own counters of its events, because its link may stand still.
    pub(super) fn events(&self) -> Option<Events> {
        let folder = self.folder.path().join("dpdk").join(file_prefix("d"));
        let answer = telemetry(&folder.join("dpdk_telemetry.v2"), "/flowtracker/stats")?;
        let events = &answer["/flowtracker/stats"]["events"];
        Some(Events { deferred: events["deferred"].as_u64()?, unlinked: events["unlinked"].as_u64()? })
    }
}

/// Sends a command to DPDK's telemetry socket and returns the answer, or `None` without one.
fn telemetry(path: &Path, command: &str) -> Option<serde_json::Value> {
    let fd = socket::socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).ok()?;
    socket::connect(fd.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    let mut buffer = vec![0; 1 << 16];
    // The greeting gives the greatest length of an answer, and is not needed.
    nix::unistd::read(&fd, &mut buffer).ok()?;
    nix::unistd::write(&fd, command.as_bytes()).ok()?;
    let count = nix::unistd::read(&fd, &mut buffer).ok()?;
    serde_json::from_slice(&buffer[..count]).ok()
}
