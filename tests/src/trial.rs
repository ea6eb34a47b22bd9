//! One trial by fire: the real programs under load, faults at random times, and at the end the question whether every
//! watcher that behaves knows the table.
//!
//! All randomness comes from the seed. Times are those of a real machine, so two runs of a seed meet the same faults
//! in the same order, but not at the same instruction.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use conntrack::test_support::Random;
use flowtracker_proto::v1;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::appliance::polling;
use crate::fold::{self, Key, difference};
use crate::process::{Running, Stream, binary, cpu, wait_for};
use crate::relay::{Cut, Flow, Relay};
use crate::watcher::{Caller, Watcher};

/// Upper limit for everything that a trial waits for. Only a failing one waits this long.
const LIMIT: Duration = Duration::from_secs(60);
/// A call in the midst of faults is given up early; one over a link that stands still, at once.
const IMPATIENT: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(20)];
/// Name of the data plane.
const DATAPLANE: &str = "dp";

/// Flows that live throughout, and how often a second each has a packet.
const KEPT: (u64, u64) = (12_000, 2);
/// Entries that there have to be at the end.
const ENTRIES: usize = 10_000;
/// New flows a second that fill a ring soon: it holds 65,536 events.
const FLOOD: u64 = 60_000;

/// Faults start within this time.
const FAULTS_WITHIN: u64 = 7_000;
/// Pause before a step that cannot be taken now is tried again, milliseconds.
const AGAIN: u64 = 20;

/// What is done to the programs. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The control service is killed, and started again after a while.
    KillControl { down: u64 },
    /// The control service is stopped (SIGSTOP) for a while.
    StopControl { during: u64 },
    /// The data plane's link is cut, and cannot be dialled for a while.
    CutLink { during: u64, reset: bool },
    /// The watchers' connections are cut, and cannot be dialled for a while.
    CutWatchers { during: u64, reset: bool },
    /// The link stands still until the data plane's ring is full, and some more.
    FillRing { more: u64 },
    /// A watcher that never reads: stopped itself, or whoever reads its output.
    NeverReads { stopped: bool },
    /// A watcher that gets one octet a second.
    OctetASecond,
    /// A watcher that vanishes after a while: killed, or as if its cable were pulled.
    Vanishes { after: u64, cable: bool },
    /// The data plane is killed, and started again after a while.
    KillDataplane { down: u64 },
}

/// One kind of fault each.
const KINDS: usize = 9;

impl Fault {
    fn throw(kind: usize, dice: &mut Random) -> Self {
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

/// What the agenda holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin(Fault),
    StartControl,
    /// Of the process with this id.
    ContinueControl(u32),
    AllowLink,
    AllowWatchers,
    RingFull {
        before: Events,
        more: u64,
        deadline: u64,
    },
    OpenLink,
    Vanish {
        watcher: usize,
        cable: bool,
    },
    StartDataplane,
    /// Control-plane writes in the middle of it all.
    DeleteSome,
    CreateOne,
    UpdateOne,
    FlushSome,
    Purge,
    /// Until it is done.
    Load,
}

/// What the data plane says of events that did not go into a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Events {
    /// It was full: they waited in the table.
    deferred: u64,
    /// There was no link.
    unlinked: u64,
}

/// A child that does not outlive its holder and is given no time to say farewell.
struct Doomed(Child);

impl Doomed {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process id"), signal).expect("own child");
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // Already being dropped, perhaps in a panic: nothing to do about errors.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The control service. It may be stopped, and must not stay so.
struct Control(Running);

impl Drop for Control {
    fn drop(&mut self) {
        if self.0.is_running() {
            self.0.signal(Signal::CONT);
        }
    }
}

/// What a seed decides before the start.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Shards of the data plane, each with a port of its own.
    shards: u64,
    /// Events that the control service retains.
    retain: u64,
    /// Idle time after which an entry expires, milliseconds.
    aging: u64,
    /// New flows a second.
    new: u64,
}

/// Writes that were answered with a yes.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    created: u64,
    updated: u64,
    flushed: u64,
    purged: u64,
}

struct Trial {
    plan: Plan,
    dice: Random,
    start: Instant,
    agenda: BinaryHeap<Reverse<(u64, u64, Step)>>,
    steps: u64,
    /// The link stands still on purpose.
    filling: bool,
    /// The control service was stopped and not continued.
    stopped: bool,
    /// The link is not to be dialled.
    link_cut: bool,
    /// The program may be detached.
    detached: bool,
    filled: usize,
    deleted: usize,
    /// Entries that we have asked for. Whether an answer that never came was a yes is not known.
    asked_for: u64,
    written: Written,
    watchers: Vec<Watcher>,
    nuisances: Vec<Doomed>,
    link: Relay,
    users: Relay,
    trickle: Relay,
    vanishing: Relay,
    impatient: Caller,
    hasty: Caller,
    caller: Caller,
    dataplane: Option<Running>,
    traffic: Running,
    control: Option<Control>,
    folder: TempDir,
}

/// Runs the trial of `seed` with the generator `traffic`.
///
/// # Panics
/// When the promise is not kept.
pub fn run(seed: u64, traffic: &Path) {
    say(&format!("seed {seed}"));
    let mut trial = Trial::start(seed, traffic);
    trial.faults();
    trial.judge();
    trial.stop();
    say(&format!("seed {seed}: the promise was kept"));
}

fn say(text: &str) {
    // When nobody listens, nobody misses it.
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Trial {
    fn start(seed: u64, traffic: &Path) -> Self {
        let mut dice = Random(seed);
        let plan = Plan {
            shards: if seed % 4 == 3 { 2 } else { 1 },
            retain: [1_048_576, 20_000, 100_000][(seed % 3) as usize],
            aging: dice.between(1500, 2500),
            new: dice.between(300, 2000),
        };
        say(&format!("{plan:?}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let traffic = {
            let mut command = Command::new(traffic);
            dpdk(&mut command, &folder, "t", "0@(0-1)", 512);
            for port in 0..plan.shards {
                let path = folder.path().join(format!("port{port}.sock"));
                let device = format!("net_memif{port},role=server,id=0,socket-abstract=no,socket=");
                command.arg(format!("--vdev={device}{}", path.display()));
            }
            command.arg("--").arg("--keep").arg(format!("{},{}", KEPT.0, KEPT.1));
            let mut traffic = Running::spawn(&mut command);
            traffic.wait_line(Stream::Stdout, LIMIT, |line| line == "ready");
            traffic
        };
        let mut trial = Self {
            plan,
            dice,
            start: Instant::now(),
            agenda: BinaryHeap::new(),
            steps: 0,
            filling: false,
            stopped: false,
            link_cut: false,
            detached: false,
            filled: 0,
            deleted: 0,
            asked_for: 0,
            written: Written::default(),
            watchers: Vec::new(),
            nuisances: Vec::new(),
            link: Relay::new(&socket),
            users: Relay::new(&socket),
            trickle: Relay::new(&socket),
            vanishing: Relay::new(&socket),
            impatient: Caller::new(&socket, IMPATIENT[0]),
            hasty: Caller::new(&socket, IMPATIENT[1]),
            caller: Caller::new(&socket, LIMIT),
            dataplane: None,
            traffic,
            control: None,
            folder,
        };
        trial.trickle.set(Flow::Trickle);
        trial.start_control();
        trial.start_dataplane();
        wait_for("every kept flow is known", LIMIT, || {
            let known = trial.dataplanes()?;
            (known.synced && known.entries >= KEPT.0).then_some(())
        });
        trial.watchers = vec![
            Watcher::ctl("ctl, directly", &mut trial.ctl(&format!("unix:{}", trial.socket().display()))),
            Watcher::ctl("ctl, through a relay", &mut trial.ctl(&trial.users.uri())),
            Watcher::api("the API, through a relay", &trial.users.uri()),
        ];
        trial.start = Instant::now();
        trial
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    fn note(&self, text: &str) {
        say(&format!("{:7.3} s  {text}", self.start.elapsed().as_secs_f64()));
    }

    fn start_control(&mut self) {
        let mut command = Command::new(binary("flowtracker-control"));
        command.args(["--listen=127.0.0.1:0", "--http=off", "--unix"]).arg(self.socket());
        command.arg(format!("--retain={}", self.plan.retain));
        self.control = Some(Control(Running::spawn(&mut command)));
    }

    fn start_dataplane(&mut self) {
        let lcores = match self.plan.shards {
            1 => format!("0@{}", cpu()),
            _ => "0@0,1@0,2@1".to_owned(),
        };
        let mut command = polling(Command::new("nice"));
        dpdk(&mut command, &self.folder, "d", &lcores, 256);
        for port in 0..self.plan.shards {
            let path = self.folder.path().join(format!("port{port}.sock"));
            let device = format!("net_memif{port},role=client,id=0,socket-abstract=no,socket=");
            command.arg(format!("--vdev={device}{}", path.display()));
        }
        if self.plan.shards == 1 {
            command.arg("--vdev=net_null0,no-rx=1");
        }
        command.args(["--", "--forward=drop", "--rxq=1", "--capacity=400000"]);
        command.arg(format!("--id={DATAPLANE}")).arg(format!("--control={}", self.link.uri()));
        command.arg(format!("--timer-profiles={}", self.plan.aging));
        self.dataplane = Some(Running::spawn(&mut command));
    }

    fn ctl(&self, server: &str) -> Command {
        let mut command = Command::new(binary("ctl"));
        command.args(["--server", server]);
        command
    }

    /// What the control service says of the data plane; `None` when it does not.
    fn dataplanes(&self) -> Option<v1::Dataplane> {
        let request = v1::ListDataplanesRequest::default();
        let answer = self.impatient.call(async |client| client.list_dataplanes(request).await).ok()?;
        answer.dataplanes.into_iter().find(|known| known.name == DATAPLANE)
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a short trial")
    }

    fn later(&mut self, after: u64, step: Step) {
        self.steps += 1;
        self.agenda.push(Reverse((self.now() + after, self.steps, step)));
    }

    /// Every kind of fault once and some twice, in random order at random times, until all is over and mended.
    fn faults(&mut self) {
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
        for (step, most) in
            [(Step::CreateOne, 40), (Step::UpdateOne, 40), (Step::FlushSome, 24), (Step::Purge, 3)]
        {
            for _ in 0..self.dice.between(most / 2, most) {
                let at = self.dice.between(0, FAULTS_WITHIN);
                self.later(at, step);
            }
        }
        self.flood(false);
        while let Some(Reverse((at, _, step))) = self.agenda.pop() {
            let due = self.start + Duration::from_millis(at);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.step(step);
            self.check();
        }
        self.write_each_way();
        self.traffic.write_stdin("new 0\n");
        self.note("no more faults, no more new flows");
        assert!(self.filled > 0, "the ring was filled");
        assert!(self.deleted > 0, "entries were deleted");
        let Written { created, updated, flushed, .. } = self.written;
        assert!(created > 0 && updated > 0 && flushed > 0, "{:?}", self.written);
        self.attach_again();
    }

    /// Whatever the faults have let through: each kind of write is done at least once, by the end at the latest.
    fn write_each_way(&mut self) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let Written { created, updated, flushed, .. } = self.written;
            let missing = [self.deleted == 0, created == 0, updated == 0, flushed == 0];
            if missing == [false; 4] {
                return;
            }
            assert!(Instant::now() < deadline, "no answer to writes: {:?}", self.written);
            let writes: [fn(&mut Self); 4] =
                [Self::delete_some, Self::create_one, Self::update_one, Self::flush_some];
            for (write, _) in writes.iter().zip(missing).filter(|(_, missing)| *missing) {
                write(self);
            }
            std::thread::sleep(Duration::from_millis(AGAIN));
        }
    }

    /// No program may have ended by itself, and no law may be broken so far.
    fn check(&mut self) {
        for watcher in &mut self.watchers {
            watcher.position();
        }
        let control = self.control.as_mut().is_none_or(|control| control.0.is_running());
        assert!(control, "the control service has ended");
        assert!(self.dataplane.as_mut().is_none_or(Running::is_running), "the data plane has ended");
        assert!(self.traffic.is_running(), "the traffic generator has ended");
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Begin(fault) => {
                if self.is_possible(fault) {
                    self.note(&format!("{fault:?}"));
                    self.begin(fault);
                } else {
                    self.later(AGAIN, step);
                }
            }
            Step::StartControl => self.start_control(),
            Step::ContinueControl(pid) => {
                if let Some(control) = self.control.as_ref().filter(|control| control.0.pid() == pid) {
                    control.0.signal(Signal::CONT);
                    self.stopped = false;
                }
            }
            Step::AllowLink => {
                self.link_cut = false;
                self.link.refuse(false);
            }
            Step::AllowWatchers => self.users.refuse(false),
            Step::RingFull { before, more, deadline } => self.look_at_ring(before, more, deadline),
            Step::OpenLink => {
                self.link.set(Flow::Open);
                self.filling = false;
            }
            Step::Vanish { watcher, cable } => {
                if cable {
                    self.vanishing.vanish();
                }
                self.nuisances[watcher].signal(Signal::KILL);
            }
            Step::StartDataplane => self.start_dataplane(),
            Step::DeleteSome => self.delete_some(),
            Step::CreateOne => self.create_one(),
            Step::UpdateOne => self.update_one(),
            Step::FlushSome => self.flush_some(),
            Step::Purge => self.purge(),
            Step::Load => self.load(),
        }
    }

    /// What would end the link must not come between while it stands still, or the ring would never be full.
    fn is_possible(&mut self, fault: Fault) -> bool {
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

    fn begin(&mut self, fault: Fault) {
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

    /// Starts a watcher that will not behave; gives its place.
    fn nuisance(&mut self, server: &str, output: Stdio) -> usize {
        let mut command = self.ctl(server);
        command.args(["watch", "-o", "json", "--from", "snapshot"]);
        let child = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn();
        self.nuisances.push(Doomed(child.expect("ctl starts")));
        self.nuisances.len() - 1
    }

    /// Is the ring full?
    fn look_at_ring(&mut self, before: Events, more: u64, deadline: u64) {
        let now = self.events().unwrap_or(before);
        assert!(self.now() < deadline, "the ring does not get full: {before:?}, {now:?}");
        if now.unlinked > before.unlinked {
            // The control service spoke of an old link whose end it had not noticed yet: once more.
            self.note("there is no link whose ring could be filled");
            self.flood(false);
            self.step(Step::OpenLink);
            self.later(5 * AGAIN, Step::Begin(Fault::FillRing { more }));
        } else if now.deferred > before.deferred {
            self.filled += 1;
            self.note(&format!("the ring is full, {} events wait", now.deferred - before.deferred));
            self.flood(false);
            self.later(more, Step::OpenLink);
            // What waits for the ring and has expired is not to count twice.
            self.later(more, Step::Purge);
        } else {
            self.later(AGAIN, Step::RingFull { before, more, deadline });
        }
    }

    fn flood(&mut self, on: bool) {
        let rate = if on { FLOOD } else { self.plan.new };
        self.traffic.write_stdin(&format!("new {rate}\n"));
    }

    /// What the data plane itself says of its events: its link may stand still.
    fn events(&self) -> Option<Events> {
        let folder = self.folder.path().join("dpdk").join(file_prefix("d"));
        let answer = telemetry(&folder.join("dpdk_telemetry.v2"), "/flowtracker/stats")?;
        let events = &answer["/flowtracker/stats"]["events"];
        Some(Events { deferred: events["deferred"].as_u64()?, unlinked: events["unlinked"].as_u64()? })
    }

    /// Whom to ask: one who does not wait long where no answer can come.
    fn writer(&self) -> &Caller {
        if self.filling || self.stopped { &self.hasty } else { &self.impatient }
    }

    /// The key of one of the kept flows.
    fn kept_key(&mut self) -> v1::Key {
        let flow = self.dice.between(0, KEPT.0 - 1);
        let port = (flow % self.plan.shards) as u16;
        Key::of_flow(flow, port).to_proto()
    }

    /// Deletes a few of the kept entries; their next packets create them again.
    fn delete_some(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let request = v1::DeleteEntryRequest { key: Some(self.kept_key()), dataplane: String::new() };
            match self.writer().call(async |client| client.delete_entry(request).await) {
                Ok(_) => self.deleted += 1,
                // The service is away; it would be for the others as well.
                Err(_) => return,
            }
        }
    }

    /// Creates an entry that no packet belongs to; it expires by itself.
    fn create_one(&mut self) {
        self.asked_for += 1;
        // A port that no flow of the generator has.
        let key = v1::Key { dst_port: 1, src_port: self.asked_for as u32, ..self.kept_key() };
        let request = v1::CreateEntryRequest { key: Some(key), dynamic: Some(true), ..Default::default() };
        let answer = self.writer().call(async |client| client.create_entry(request).await);
        self.written.created += u64::from(answer.is_ok());
    }

    /// Updates a kept entry: it keeps its creation, and its timer starts anew.
    fn update_one(&mut self) {
        let request = v1::UpdateEntryRequest { key: Some(self.kept_key()), ..Default::default() };
        let answer = self.writer().call(async |client| client.update_entry(request).await);
        self.written.updated += u64::from(answer.is_ok());
    }

    /// Flushes what has the source port of a kept flow, and sometimes everything.
    fn flush_some(&mut self) {
        let all = self.dice.between(0, 5) == 0;
        let filter = if all { String::new() } else { format!("key.srcPort = {}", self.kept_key().src_port) };
        let request = v1::FlushEntriesRequest { filter, dataplane: String::new() };
        let answer = self.writer().call(async |client| client.flush_entries(request).await);
        self.written.flushed += u64::from(answer.is_ok());
    }

    /// Detaches the program, for a while. It may have happened even if no answer came.
    fn purge(&mut self) {
        if self.filling {
            // Without entries the ring would never be full.
            return self.later(AGAIN, Step::Purge);
        }
        self.detached = true;
        let request = v1::PurgeRequest::default();
        let answer = self.writer().call(async |client| client.purge(request).await);
        self.written.purged += u64::from(answer.is_ok());
        let after = self.dice.between(0, 300);
        self.later(after, Step::Load);
    }

    fn load(&mut self) {
        let request = v1::LoadRequest::default();
        match self.writer().call(async |client| client.load(request).await) {
            Ok(_) => self.detached = false,
            // It is attached: another word came first, or the data plane was started anew.
            Err(status) if status.code() == tonic::Code::FailedPrecondition => self.detached = false,
            Err(_) => self.later(AGAIN, Step::Load),
        }
    }

    /// A purge whose caller had given up may have come late.
    fn attach_again(&mut self) {
        let table = || {
            let request = v1::GetTableRequest::default();
            self.caller.call(async |client| client.get_table(request).await).ok()?.table
        };
        if wait_for("the table", LIMIT, table).detached {
            self.note("a late purge has detached the program");
            let request = v1::LoadRequest::default();
            self.caller.call(async |client| client.load(request).await).expect("attached again");
        }
    }

    /// The end: everything comes to rest, and everybody agrees.
    fn judge(&mut self) {
        let (epoch, seq) = self.wait_rest();
        let live = self.live_table();
        assert!(live.len() >= ENTRIES, "{} entries are left", live.len());
        for watcher in &self.watchers {
            let tables = watcher.tables();
            let (tally, resumed) = watcher.tally();
            self.note(&format!("{}: {tally:?}, {resumed} streams begun anew", watcher.name()));
            let folded = tables.get(DATAPLANE).cloned().unwrap_or_default();
            let apart = difference(&folded, &live);
            assert_eq!(apart, None, "{} and the table at ({epoch}, {seq})", watcher.name());
            assert_eq!(tables.len(), 1, "there is one data plane");
        }
        let mut fresh = Watcher::api("a fresh snapshot", &self.users.uri());
        wait_for("a fresh snapshot", LIMIT, || fresh.position());
        let snapshot = fresh.tables().remove(DATAPLANE).unwrap_or_default();
        assert_eq!(difference(&snapshot, &live), None, "a fresh snapshot and the table");
        let (stats, log) = self.stats().expect("GetStats answers");
        let sum = |counter: fn(&v1::LcoreStats) -> u64| stats.lcores.iter().map(counter).sum::<u64>();
        assert_eq!(sum(|lcore| lcore.entries), live.len() as u64, "GetStats counts the table");
        let created = sum(|lcore| lcore.outcomes.unwrap_or_default().miss_created);
        let gone = sum(|lcore| lcore.expired + lcore.deleted);
        let here = live.len() as u64;
        let asked_for = self.asked_for;
        let count = format!("{created} learned, {asked_for} asked for, {gone} gone, {here} here");
        assert!(created <= gone + here, "what came and has not gone is there: {count}");
        assert!(gone + here <= created + asked_for, "what is there has come: {count}");
        assert_eq!((log.epoch, log.last_seq), (epoch, seq), "nothing has happened meanwhile");
        self.note(&format!(
            "{} entries, {seq} events in the last epoch, {} gaps, {} entries deleted by us, {:?}, ring filled {} times",
            live.len(),
            log.gaps,
            self.deleted,
            self.written,
            self.filled
        ));
    }

    /// Waits until nothing expires any more and all watchers are at the end of the log, twice in a row; gives that end.
    fn wait_rest(&mut self) -> (u64, u64) {
        let mut before = None;
        let mut seen = String::new();
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            self.check();
            let now = self.rest(&mut seen);
            if let (Some(now), true) = (now, now == before) {
                return now;
            }
            before = now;
            // Longer than the clock's grain, so that what is due has time to happen.
            std::thread::sleep(Duration::from_millis(400));
        }
        panic!("no rest within {LIMIT:?}: {seen}");
    }

    fn rest(&mut self, seen: &mut String) -> Option<(u64, u64)> {
        let known = self.dataplanes();
        let stats = self.stats();
        let positions: Vec<_> = self.watchers.iter_mut().map(Watcher::position).collect();
        *seen = format!("{known:?}, {stats:?}, watchers at {positions:?}");
        let (stats, log) = stats?;
        let end = (log.epoch, log.last_seq);
        // Then only what is kept is there, and nothing is left to expire.
        let kept = stats.lcores.iter().map(|lcore| lcore.entries).sum::<u64>() == KEPT.0;
        let agreed = known?.synced && stats.live && positions.iter().all(|position| *position == Some(end));
        (kept && agreed).then_some(end)
    }

    fn stats(&self) -> Option<(v1::DataplaneStats, v1::LogStats)> {
        let request = v1::GetStatsRequest { dataplane: DATAPLANE.to_owned() };
        let answer = self.impatient.call(async |client| client.get_stats(request).await).ok()?;
        Some((answer.dataplanes.into_iter().next()?, answer.log?))
    }

    fn live_table(&self) -> HashMap<Key, i128> {
        let entries = self.caller.entries().expect("ListEntries answers");
        let count = entries.len();
        let table: HashMap<Key, i128> =
            entries.iter().map(|entry| fold::entry(entry).expect("a sound entry")).collect();
        assert_eq!(table.len(), count, "each entry once");
        table
    }

    /// Ends everything in order, with the watchers that do not behave still there.
    fn stop(mut self) {
        let mut dataplane = self.dataplane.take().expect("it was started again");
        let status = dataplane.terminate();
        assert_eq!(status.code(), Some(0), "data plane at SIGTERM: {status}\n{}", dataplane.output());
        let mut control = self.control.take().expect("it was started again");
        let status = control.0.terminate();
        assert_eq!(status.code(), Some(0), "control service at SIGTERM: {status}\n{}", control.0.output());
        self.traffic.close_stdin();
        let status = self.traffic.wait(LIMIT);
        assert_eq!(status.code(), Some(0), "traffic at its end: {status}\n{}", self.traffic.output());
    }
}

/// What tells the DPDK files of this process's children from others.
fn file_prefix(which: &str) -> String {
    format!("ftfault{which}{}", std::process::id())
}

/// EAL arguments that need neither hugepages nor devices.
fn dpdk(command: &mut Command, folder: &TempDir, which: &str, lcores: &str, megabytes: u32) {
    command.env("RUNTIME_DIRECTORY", folder.path());
    command.args(["--no-huge", "--no-shconf", "--no-pci"]).args(["-m", &megabytes.to_string()]);
    command.arg(format!("--lcores={lcores}")).arg(format!("--file-prefix={}", file_prefix(which)));
}

/// Asks DPDK's telemetry socket; `None` when nobody answers.
fn telemetry(path: &Path, command: &str) -> Option<serde_json::Value> {
    let fd = socket::socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).ok()?;
    socket::connect(fd.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    let mut buffer = vec![0; 1 << 16];
    // The greeting says how long answers may be.
    nix::unistd::read(&fd, &mut buffer).ok()?;
    nix::unistd::write(&fd, command.as_bytes()).ok()?;
    let count = nix::unistd::read(&fd, &mut buffer).ok()?;
    serde_json::from_slice(&buffer[..count]).ok()
}
