//! One trial: the real programs run under load, faults happen at random times, and at the end every
//! watcher that behaves must know the table.
//!
//! All randomness comes from the seed. Times are those of a real machine, so two runs of a seed
//! have the same faults in the same order, but not at the same instruction.

mod endurance;
mod fault;
pub mod memory;
mod rest;
mod secure;
mod writes;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use conntrack::test_support::Random;
pub use endurance::endure;
use fault::{Doomed, Events, Fault};
use flowtracker_proto::v1;
use rustix::process::Signal;
use secure::Secure;
use tempfile::TempDir;
use writes::Written;

use crate::appliance::polling;
use crate::process::{GLIBC_TUNABLES, Running, Stream, binary, cpu, wait_for};
use crate::relay::{Flow, Relay};
use crate::watcher::{Caller, Watcher};

/// Upper limit for everything that a trial waits for. Only a failing trial waits this long.
const LIMIT: Duration = Duration::from_secs(60);
/// Time limits of calls: the first for a call during faults, the second for one over a link that
/// stands still.
const IMPATIENT: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(20)];
/// Name of the data plane.
const DATAPLANE: &str = "dp";

/// Number of flows that live throughout, half of them of IPv6, and packets of each per second.
const KEPT: (u64, u64) = (12_000, 2);
/// The watcher with a filter follows the flows from this address: the kept ones of IPv4, and the
/// first of the new ones.
const NARROW: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 0);
/// Pause before a step that cannot be taken now is tried again, milliseconds.
const AGAIN: u64 = 20;

/// A step of the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin(Fault),
    StartControl,
    /// Continues the control service if it is the process with this id.
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
    /// This step and those up to `Purge` are control-plane writes during the faults.
    DeleteSome,
    CreateOne,
    UpdateOne,
    UpdateTable,
    FlushSome,
    Purge,
    /// Attaches the program again, and is repeated until it succeeds.
    Load,
    /// Lists with a filter, and a whole list whose reader goes away in the middle.
    List,
}

/// The control service. It may be stopped, and is continued when this is dropped.
struct Control(Running);

impl Drop for Control {
    fn drop(&mut self) {
        if self.0.is_running() {
            self.0.signal(Signal::CONT);
        }
    }
}

/// The choices that a seed makes before the start.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Shards of the data plane, each with a port of its own.
    shards: u64,
    /// Events that the control service retains.
    retain: u64,
    /// Idle time after which an entry expires, milliseconds.
    aging: u64,
    /// New flows per second.
    new: u64,
    /// Whether the link and the watchers use mutual TLS.
    tls: bool,
}

impl Plan {
    /// Returns the idle times of the four timer profiles, milliseconds.
    fn profiles(&self) -> [u64; 4] {
        [1, 2, 3, 4].map(|factor| factor * self.aging)
    }
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
    /// The link refuses connections.
    link_cut: bool,
    /// The program may be detached.
    detached: bool,
    filled: usize,
    deleted: usize,
    /// Number of entries that the trial has tried to create. Where no answer arrived, the outcome
    /// is unknown.
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
    secure: Option<Secure>,
    folder: TempDir,
}

/// Runs the trial of `seed` with the generator `traffic`.
///
/// # Panics
/// When the product breaks a law.
pub fn run(seed: u64, traffic: &Path) {
    say(&format!("seed {seed}"));
    let mut trial = Trial::start(seed, traffic);
    trial.faults();
    trial.judge();
    trial.stop();
    say(&format!("seed {seed}: the promise was kept"));
}

fn say(text: &str) {
    // Standard error may be closed; the message is lost then.
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
            tls: std::env::var_os("FLOWTRACKER_TLS").is_some(),
        };
        say(&format!("{plan:?}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let secure = plan.tls.then(|| Secure::new(&folder.path().join("tls.sock")));
        let relayed = if plan.tls { folder.path().join("tls.sock") } else { socket.clone() };
        let traffic = {
            let mut command = Command::new(traffic);
            dpdk(&mut command, &folder, "t", "0@(0-1)", 512);
            for port in 0..plan.shards {
                let path = folder.path().join(format!("port{port}.sock"));
                let device = format!("net_memif{port},role=server,id=0,socket-abstract=no,socket=");
                command.arg(format!("--vdev={device}{}", path.display()));
            }
            command.arg("--").arg("--keep").arg(format!("{},{}", KEPT.0, KEPT.1));
            command.args(["--families", "ipv4,ipv6"]);
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
            link: Relay::new(&relayed),
            users: Relay::new(&relayed),
            trickle: Relay::new(&socket),
            vanishing: Relay::new(&socket),
            impatient: Caller::new(&socket, IMPATIENT[0]),
            hasty: Caller::new(&socket, IMPATIENT[1]),
            caller: Caller::new(&socket, LIMIT),
            dataplane: None,
            traffic,
            control: None,
            secure,
            folder,
        };
        trial.trickle.set(Flow::Trickle);
        trial.start_control();
        trial.start_dataplane();
        wait_for("every kept flow is known", LIMIT, || {
            let known = trial.dataplanes()?;
            (known.synced && known.entries >= KEPT.0).then_some(())
        });
        trial.start_watchers();
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
        command.args(["--http=off", "--unix"]).arg(self.socket());
        command.arg(format!("--retain={}", self.plan.retain)).envs([GLIBC_TUNABLES]);
        self.listen(&mut command);
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
        command.arg(format!("--id={DATAPLANE}")).arg(format!("--control={}", self.uri(&self.link)));
        self.certify(&mut command);
        let profiles: Vec<_> = self.plan.profiles().iter().map(u64::to_string).collect();
        command.arg(format!("--timer-profiles={}", profiles.join(",")));
        self.dataplane = Some(Running::spawn(&mut command));
    }

    /// Returns the data plane as the control service lists it, or `None` without an answer.
    fn dataplanes(&self) -> Option<v1::Dataplane> {
        let request = v1::ListDataplanesRequest::default();
        let answer = self.impatient.call(async |client| client.list_dataplanes(request).await).ok()?;
        answer.dataplanes.into_iter().find(|known| known.name == DATAPLANE)
    }

    /// Returns the milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a short trial")
    }

    fn later(&mut self, after: u64, step: Step) {
        self.steps += 1;
        self.agenda.push(Reverse((self.now() + after, self.steps, step)));
    }

    /// Checks that no program has ended by itself and that no law has been broken so far.
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
            Step::UpdateTable => self.update_table(),
            Step::FlushSome => self.flush_some(),
            Step::Purge => self.purge(),
            Step::Load => self.load(),
            Step::List => self.list(),
        }
    }
}

/// Returns a prefix that keeps the DPDK files of this process's children apart from others.
fn file_prefix(which: &str) -> String {
    format!("ftfault{which}{}", std::process::id())
}

/// Adds EAL arguments that need neither hugepages nor devices.
fn dpdk(command: &mut Command, folder: &TempDir, which: &str, lcores: &str, megabytes: u32) {
    command.env("RUNTIME_DIRECTORY", folder.path());
    command.args(["--no-huge", "--no-shconf", "--no-pci"]).args(["-m", &megabytes.to_string()]);
    command.arg(format!("--lcores={lcores}")).arg(format!("--file-prefix={}", file_prefix(which)));
}
