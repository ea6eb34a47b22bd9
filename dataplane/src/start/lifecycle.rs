//! Puts the pieces together, and takes them apart in the exact reverse order:
//! EAL → mempool → ports → shards → exporter.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conntrack::table::{Counted, Layout, TableConfig, TableConfigError, Uncounted};
use conntrack::{FlowTable, LineTable, Tracker};
use dpdk::memory::in_large_pages;
use dpdk::{Burst, Eal, FailedDevice, LcoreId, Port, PortId, QueueId};
use flowtracker_proto::v1;
use tracing::{debug, info, warn};

use crate::export::{Commands, Exporter, LcoreEnd, LinkState, Shard, Table, ring};
use crate::lcore::clock::{Calibration, Clock};
use crate::lcore::forward::Rules;
use crate::lcore::mailbox::door;
use crate::lcore::stats::{Published, outcomes_text};
use crate::lcore::worker::{Lane, Worker};
use crate::service::link_state::Keeper;
use crate::service::telemetry::Telemetry;
use crate::service::watchdog::Watchdogs;
use crate::start::cli::CommandLine;
use crate::start::config::{Config, ConfigError};
use crate::start::devices;
use crate::start::eal_args::{BadArgument, EalArgs};
use crate::start::mbufs;
use crate::start::topology::{self, Topology, TopologyError};

/// How often ports and lcores are looked after.
const SUPERVISION: Duration = Duration::from_millis(50);

/// Why the data plane did not start.
#[derive(Debug)]
pub enum StartError {
    /// An option is not acceptable.
    Flag(ConfigError),
    /// DPDK refused.
    Dpdk(dpdk::Error),
    /// There is no memory for this many mbufs.
    Mbufs(u32, dpdk::Error),
    /// Devices that the EAL was told to make and could not; the ports behind them would have moved up.
    Devices(Vec<FailedDevice>),
    /// Two ports on one interface of the kernel.
    SameInterface([String; 2], [u16; 2]),
    /// Ports and lcores do not fit together.
    Topology(TopologyError),
    /// A device would cut frames.
    Frames(mbufs::FramesTooLong),
    /// A shard's table cannot be made.
    Table(TableConfigError),
    /// The system refused.
    System(&'static str, std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Flag(e) => e.fmt(f),
            StartError::Dpdk(e) => e.fmt(f),
            StartError::Mbufs(mbufs, e) => {
                let remedy = "give the EAL more memory (-m, hugepages), or ask for fewer (--mbufs, --rxd, --txd, --rxq)";
                write!(f, "no room for {mbufs} mbufs: {remedy}: {e}")
            }
            StartError::Devices(failed) => {
                let told: Vec<_> = failed
                    .iter()
                    .map(|failed| format!("port for {} was not made: {}", failed.device, failed.reason))
                    .collect();
                f.write_str(&told.join("; "))
            }
            StartError::SameInterface([a, b], [port, other]) => {
                write!(
                    f,
                    "{a} and {b} (port{port}, port{other}) are on the same interface: give each its own iface="
                )
            }
            StartError::Topology(e) => e.fmt(f),
            StartError::Frames(e) => e.fmt(f),
            StartError::Table(e) => write!(f, "--capacity: {e}"),
            StartError::System(what, e) => write!(f, "{what}: {e}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        StartError::Flag(error)
    }
}

impl StartError {
    /// True if other flags are needed, and not another state of the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            StartError::Flag(_) => true,
            StartError::Dpdk(error) => error.is_usage(),
            _ => false,
        }
    }
}

impl From<dpdk::Error> for StartError {
    fn from(error: dpdk::Error) -> Self {
        StartError::Dpdk(error)
    }
}

impl From<TopologyError> for StartError {
    fn from(error: TopologyError) -> Self {
        StartError::Topology(error)
    }
}

/// Runs the data plane until SIGINT or SIGTERM. `started` is called once nothing can keep it from polling.
///
/// # Errors
/// When it cannot start; what was started by then has been stopped.
pub fn run(line: &CommandLine, started: impl FnOnce()) -> Result<(), StartError> {
    let calibration = Calibration::start();
    let config = Config::new(line).map_err(StartError::Flag)?;
    info!("effective configuration: {config}");
    let stop = stop_on_signals()?;

    let refused = |bad: BadArgument| dpdk::Error::EalArguments(format!("{}; {}", bad.found, bad.remedy));
    // What cannot be read, the EAL refuses itself, and knows better why.
    let args = EalArgs::parse(&line.eal).map(EalArgs::accepted);
    let args = args.ok().transpose().map_err(refused)?;
    let eal = Eal::init("flowtracker-dataplane", &line.eal)
        .inspect_err(|e| e.messages().iter().for_each(|line| debug!("DPDK: {line}")))?;
    relay(eal.messages());
    if !eal.failed_devices().is_empty() {
        return Err(StartError::Devices(eal.failed_devices().to_vec()));
    }
    if let Err(error) = captured(|| eal.allow_capture()) {
        debug!("dpdk-dumpcap cannot attach: {error}");
    }
    if args.is_none() {
        warn!("the EAL has taken arguments that cannot be read here: its devices are not checked");
    }
    let (vdevs, allowed) = args.map(|args| (args.vdevs, args.allow)).unwrap_or_default();
    let facts = devices::facts(&eal, &vdevs, &allowed)?;
    let plan = devices::plan(&eal, &facts, config.rxq)?;
    let pools = captured(|| devices::pools(&eal, &facts, &plan, &config, &vdevs))?;
    let ports = captured(|| devices::open(&eal, &plan, &config, &pools))?;
    let clock = calibration.finish();
    let machine = Machine { eal: &eal, ports: &ports, plan: &plan, clock };
    if config.tracker.accounting {
        track::<Counted>(&machine, &config, &stop, started)
    } else {
        track::<Uncounted>(&machine, &config, &stop, started)
    }
}

/// What was found and opened.
struct Machine<'p> {
    eal: &'p Eal,
    ports: &'p [Port<'p>],
    plan: &'p Topology,
    clock: Clock,
}

/// Tracks until `stop` is set, with shards whose memory is laid out like this.
fn track<L: Layout + Send>(
    machine: &Machine<'_>,
    config: &Config,
    stop: &AtomicBool,
    started: impl FnOnce(),
) -> Result<(), StartError> {
    let &Machine { eal, ports, plan, clock } = machine;
    let Shards { mut workers, ends, doors, link } = shards::<L>(ports, plan, config, clock)?;
    let elapsed = || Duration::from_nanos(clock.now().ns);
    let mut keeper = Keeper::new(ports);
    keeper.tick(elapsed());
    discard_early_frames(ports, &mut workers)?;

    let finish = Arc::new(AtomicBool::new(false));
    let watched: Vec<_> = ends.iter().map(|end| (end.lcore, end.stats.clone())).collect();
    let port_stats = || port_stats(ports);
    let telemetry = Telemetry::new(&workers, config.hash, &port_stats);
    let exporter = Exporter {
        control: config.control.clone(),
        hello: hello(config, ports, plan),
        lcores: ends,
        commands: commands(config, doors, plan.owners()),
        link,
        clock,
        ports: &port_stats,
        finish: finish.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| StartError::System("the exporter's runtime", e))?;
    let polled = std::thread::scope(|threads| {
        let exporter = std::thread::Builder::new()
            .name("exporter".to_owned())
            .spawn_scoped(threads, move || runtime.block_on(exporter.run()))
            .map_err(|e| StartError::System("the exporter's thread", e))?;
        let finished = finish.clone();
        let supervisor = std::thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn_scoped(threads, move || supervise(|| keeper.tick(elapsed()), &finished))
            .inspect_err(|_| finish.store(true, Ordering::Release))
            .map_err(|e| StartError::System("the supervisor's thread", e))?;
        // Apart from the supervisor, which may have to wait for an lcore.
        let finished = finish.clone();
        let mut watchdogs = Watchdogs::new(watched, elapsed());
        let watchdog = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn_scoped(threads, move || supervise(|| watchdogs.look(elapsed()), &finished))
            .inspect_err(|_| finish.store(true, Ordering::Release))
            .map_err(|e| StartError::System("the watchdog's thread", e))?;
        info!("polling");
        let polled = telemetry.serve(eal, || {
            started();
            let polled = poll(eal, &mut workers, stop);
            finish.store(true, Ordering::Release);
            polled
        });
        // When telemetry could not be served.
        finish.store(true, Ordering::Release);
        // They only fail by a panic, which has been printed and ends a release build.
        let _ = (exporter.join(), supervisor.join(), watchdog.join());
        polled?
    });
    report(&workers);
    polled
}

/// Runs a step of the start; what DPDK prints meanwhile goes to the log.
fn captured<T>(step: impl FnOnce() -> T) -> T {
    let (result, messages) = dpdk::capture_output(step);
    relay(&messages);
    result
}

/// Logs lines that DPDK printed.
fn relay(messages: &[String]) {
    for line in messages {
        if dpdk::is_trouble(line) {
            warn!("DPDK: {line}");
        } else {
            debug!("DPDK: {line}");
        }
    }
}

/// The flag that SIGINT and SIGTERM set.
fn stop_on_signals() -> Result<Arc<AtomicBool>, StartError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|e| StartError::System("the signal handlers", e))?;
    }
    Ok(stop)
}

/// The shards: the lcores' side, and the exporter's ends of it.
struct Shards<'p, L> {
    workers: Vec<Worker<'p, LineTable<L>>>,
    ends: Vec<LcoreEnd>,
    doors: Vec<Shard>,
    link: Arc<LinkState>,
}

/// One shard per worker, and the exporter's ends of it.
fn shards<'p, L: Layout>(
    ports: &'p [Port<'_>],
    plan: &Topology,
    config: &Config,
    clock: Clock,
) -> Result<Shards<'p, L>, StartError> {
    let port =
        |id: u16| ports.iter().find(|port| port.id() == PortId(id)).expect("the plan names open ports");
    let shares = topology::shares(config.capacity, plan.workers.len())?;
    let link = Arc::new(LinkState::default());
    info!("instructions: {}", config.features());
    let (mut workers, mut ends, mut doors) = (Vec::new(), Vec::new(), Vec::new());
    for (planned, &entries) in plan.workers.iter().zip(&shares) {
        let hasher = config.hasher();
        let before = in_large_pages();
        let table = LineTable::laid_out(TableConfig { entries, hasher }).map_err(StartError::Table)?;
        let hot = table.hot_bytes();
        let tracker = Tracker::new(table, config.tracker, clock.now()).map_err(StartError::Table)?;
        info!(
            "lcore {} has a shard of {entries} entries, {} KiB hot; {}",
            planned.lcore,
            hot / 1024,
            pages(before, in_large_pages())
        );
        let mut lanes = Vec::new();
        for lane in &planned.lanes {
            let queue = QueueId(lane.queue);
            lanes.push(Lane {
                input_port: u8::try_from(lane.port + 1).expect("the plan keeps ports below 255"),
                rx: port(lane.port).rx_queue(queue)?,
                tx: port(lane.peer).tx_queue(queue)?,
            });
        }
        let (sink, ring) = ring(link.clone());
        let (door, mailbox) = door();
        let stats = Arc::new(Published::default());
        workers.push(Worker {
            lcore: LcoreId(planned.lcore),
            lanes,
            tracker,
            sink,
            mailbox,
            published: stats.clone(),
            rules: Rules { forward: config.forward, untracked: config.untracked },
            burst: usize::from(config.burst),
            clock,
        });
        doors.push(Shard { lcore: planned.lcore, tasks: door.commands });
        ends.push(LcoreEnd { lcore: planned.lcore, ring, replies: door.replies, stats });
    }
    Ok(Shards { workers, ends, doors, link })
}

/// What pages a shard has got, `before` and `after` being what the process had in large ones.
fn pages(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if after > before => {
            format!("{} MiB of it and its counters in pages of 2 MiB", (after - before) >> 20)
        }
        (Some(_), Some(_)) => {
            "in small pages (is /sys/kernel/mm/transparent_hugepage/enabled `never`?)".to_owned()
        }
        _ => "the kernel does not tell in what pages".to_owned(),
    }
}

/// The one door for commands to all shards.
fn commands(config: &Config, doors: Vec<Shard>, owners: BTreeMap<u16, Option<usize>>) -> Commands {
    let table = Table {
        profiles: config.tracker.profiles,
        permissions: config.tracker.permissions,
        learn_profile: config.tracker.learn_profile,
    };
    Commands::new(config.id.clone(), doors, owners, table)
}

/// Frees what net_af_packet received before its port was started: the driver opens its socket for all interfaces and
/// binds it to one afterwards, so these frames may be from anywhere on the host, and would be forwarded. The port's
/// counters start after them: they never came through it.
fn discard_early_frames<T>(ports: &[Port<'_>], workers: &mut [Worker<'_, T>]) -> Result<(), StartError> {
    /// 128 times what the driver's ring holds by default: a busy wire cannot hold up the start for ever.
    const BURSTS: usize = 2048;
    let mut burst = Burst::new();
    for port in ports.iter().filter(|port| port.driver_name() == "net_af_packet") {
        let lanes = workers.iter_mut().flat_map(|worker| &mut worker.lanes);
        let mut frames = 0;
        for lane in lanes.filter(|lane| lane.rx.port() == port.id()) {
            let bursts = (0..BURSTS).map(|_| lane.rx.receive(&mut burst, 32));
            frames += bursts.take_while(|count| *count > 0).sum::<usize>();
        }
        if frames > 0 {
            port.reset_stats()?;
            info!("discarded {frames} frames that {port} received before its start");
        }
    }
    Ok(())
}

/// Looks after something, many times a second, until `finish` is set.
fn supervise(mut look: impl FnMut(), finish: &AtomicBool) {
    while !finish.load(Ordering::Acquire) {
        std::thread::sleep(SUPERVISION);
        look();
    }
}

/// Runs every worker on its lcore until `stop` is set.
fn poll<T: FlowTable + Send>(
    eal: &Eal,
    workers: &mut [Worker<'_, T>],
    stop: &AtomicBool,
) -> Result<(), StartError> {
    let main = eal.main_lcore();
    let result = eal.scope(|lcores| {
        for worker in workers {
            let lcore = worker.lcore;
            let launched = if lcore == main {
                // The only lcore is this thread.
                lcores.run_main(|| worker.run(stop))
            } else {
                lcores.launch(lcore, move || worker.run(stop))
            };
            if let Err(error) = launched {
                stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    });
    Ok(result?)
}

fn hello(config: &Config, ports: &[Port<'_>], plan: &Topology) -> v1::Hello {
    v1::Hello {
        dataplane: config.id.clone(),
        instance: config.instance,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shards: plan.workers.iter().map(|worker| worker.lcore).collect(),
        ports: ports.iter().map(|port| port.device_name().to_owned()).collect(),
        pid: std::process::id(),
    }
}

/// The counters that the drivers keep.
fn port_stats(ports: &[Port<'_>]) -> Vec<v1::PortStats> {
    let mut all = Vec::new();
    for port in ports {
        // A driver that cannot say is shown with zeros, not left out.
        let stats = port.stats().unwrap_or_default();
        all.push(v1::PortStats {
            port: format!("port{}", port.id().0),
            device: port.device_name().to_owned(),
            rx_packets: stats.ipackets,
            tx_packets: stats.opackets,
            rx_bytes: stats.ibytes,
            tx_bytes: stats.obytes,
            rx_missed: stats.imissed,
            rx_errors: stats.ierrors,
            rx_nombuf: stats.rx_nombuf,
            tx_errors: stats.oerrors,
            link_up: port.link_up(),
        });
    }
    all
}

/// The last words: what went through, by outcome.
fn report<T>(workers: &[Worker<'_, T>]) {
    for worker in workers {
        let c = worker.published.snapshot();
        info!(
            "{}: received {} frames, sent {}, refused by the peer port {}, freed on purpose {}; {} entries; {}",
            worker.lcore,
            c.tracker.rx,
            c.tx,
            c.tx_dropped,
            c.filtered,
            c.entries,
            outcomes_text(&c.tracker)
        );
    }
}
