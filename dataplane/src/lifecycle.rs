//! Puts the pieces together, and takes them apart in the exact reverse order:
//! EAL → mempool → ports → shards → exporter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conntrack::arch::Features;
use conntrack::table::{TableConfig, TableConfigError};
use conntrack::{Hasher, LineTable, Outcome, Tracker};
use dpdk::{Burst, Eal, LcoreId, Mempool, MempoolConfig, Port, PortConfig, PortId, QueueId};
use flowtracker_proto::v1;
use tracing::{info, warn};

use crate::cli::CommandLine;
use crate::clock::{Calibration, Clock};
use crate::command::door;
use crate::config::{Config, ConfigError};
use crate::export::{Exporter, LcoreEnd, LinkState, ring};
use crate::forward::Rules;
use crate::mbufs::{self, Demand};
use crate::stats::Published;
use crate::topology::{self, PortFacts, Topology, TopologyError};
use crate::worker::{Lane, Worker};

/// Bytes of a frame that one mbuf holds; longer frames are chained.
const DATA_ROOM: u16 = 2048;

/// Why the data plane did not start.
#[derive(Debug)]
pub enum StartError {
    /// An option is not acceptable.
    Flag(ConfigError),
    /// DPDK refused.
    Dpdk(dpdk::Error),
    /// Ports and lcores do not fit together.
    Topology(TopologyError),
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
            StartError::Topology(e) => e.fmt(f),
            StartError::Table(e) => write!(f, "--capacity: {e}"),
            StartError::System(what, e) => write!(f, "{what}: {e}"),
        }
    }
}

impl std::error::Error for StartError {}

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

/// Runs the data plane until SIGINT or SIGTERM.
///
/// # Errors
/// When it cannot start; what was started by then has been stopped.
pub fn run(line: &CommandLine) -> Result<(), StartError> {
    let calibration = Calibration::start();
    let config = Config::new(&line.options).map_err(StartError::Flag)?;
    info!("effective configuration: {config}");
    let stop = stop_on_signals()?;

    let eal = Eal::init("flowtracker-dataplane", &line.eal)?;
    let plan = plan(&eal, &config)?;
    let pool = pool(&eal, &plan, &config, mbufs::looped_frames(&line.eal))?;
    let ports = open_ports(&eal, &plan, &config, &pool)?;
    let clock = calibration.finish();
    let (mut workers, ends, link) = shards(&ports, &plan, &config, clock)?;
    for port in &ports {
        port.start()?;
    }
    discard_early_frames(&ports, &mut workers);

    let finish = Arc::new(AtomicBool::new(false));
    let port_stats = || port_stats(&ports);
    let exporter = Exporter {
        control: config.control.clone(),
        hello: hello(&config, &ports, &plan),
        lcores: ends,
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
        info!("polling");
        let polled = poll(&eal, &mut workers, &stop);
        finish.store(true, Ordering::Release);
        // It only fails by a panic, which has been printed and ends a release build.
        let _ = exporter.join();
        polled
    });
    report(&workers);
    polled
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

fn plan(eal: &Eal, config: &Config) -> Result<Topology, StartError> {
    let mut facts = Vec::new();
    for port in eal.ports() {
        let (max_rx, max_tx) = Port::max_queues_of(eal, port)?;
        facts.push(PortFacts { id: port.0, max_rx, max_tx });
    }
    let lcores: Vec<u32> = eal.lcores().iter().map(|lcore| lcore.0).collect();
    let plan = topology::plan(&facts, eal.main_lcore().0, &lcores, config.rxq)?;
    for lcore in &plan.idle {
        warn!("lcore {lcore} has nothing to poll: there are fewer queues than workers");
    }
    Ok(plan)
}

fn pool<'eal>(
    eal: &'eal Eal,
    plan: &Topology,
    config: &Config,
    looped: u32,
) -> Result<Mempool<'eal>, StartError> {
    let demand = Demand {
        ports: eal.ports().len() as u32,
        queues: u32::from(plan.queues),
        descriptors: u32::from(config.rxd) + u32::from(config.txd),
        lcores: plan.workers.len() as u32,
        burst: u32::from(config.burst),
        looped,
    };
    let mbufs = config.mbufs.unwrap_or_else(|| demand.mbufs());
    let socket = eal.socket_of(LcoreId(plan.workers[0].lcore));
    let pool = MempoolConfig { mbufs, cache: mbufs::CACHE.min(mbufs / 2), data_room: DATA_ROOM, socket };
    info!("{mbufs} mbufs of {DATA_ROOM} bytes");
    Ok(Mempool::new(eal, "flowtracker", pool)?)
}

fn open_ports<'eal>(
    eal: &'eal Eal,
    plan: &Topology,
    config: &Config,
    pool: &Mempool<'eal>,
) -> Result<Vec<Port<'eal>>, StartError> {
    let mut ports = Vec::new();
    for id in eal.ports() {
        let wanted = PortConfig {
            rx_queues: plan.queues,
            tx_queues: plan.queues,
            rxd: config.rxd,
            txd: config.txd,
            rx_pool: pool,
        };
        let port = Port::open(eal, id, wanted)?;
        let setup = port.setup();
        info!(
            "port{} is {} ({}), {} queue(s) of {} rx and {} tx descriptors, MTU {}",
            id.0,
            port.device_name(),
            port.driver_name(),
            setup.rx_queues,
            setup.rxd,
            setup.txd,
            port.mtu()
        );
        ports.push(port);
    }
    Ok(ports)
}

type Shards<'p> = (Vec<Worker<'p, LineTable>>, Vec<LcoreEnd>, Arc<LinkState>);

/// One shard per worker, and the exporter's ends of it.
fn shards<'p>(
    ports: &'p [Port<'_>],
    plan: &Topology,
    config: &Config,
    clock: Clock,
) -> Result<Shards<'p>, StartError> {
    let port =
        |id: u16| ports.iter().find(|port| port.id() == PortId(id)).expect("the plan names open ports");
    let shares = topology::shares(config.capacity, plan.workers.len())?;
    let link = Arc::new(LinkState::default());
    let features = Features::detect();
    let (mut workers, mut ends) = (Vec::new(), Vec::new());
    for (planned, &entries) in plan.workers.iter().zip(&shares) {
        let hasher = Hasher::new(config.hash, config.secret, features);
        let table = LineTable::new(TableConfig { entries, hasher }).map_err(StartError::Table)?;
        info!(
            "lcore {} has a shard of {entries} entries, {} KiB hot",
            planned.lcore,
            table.hot_bytes() / 1024
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
            tracker: Tracker::new(table, config.tracker, clock.now()).map_err(StartError::Table)?,
            sink,
            mailbox,
            published: stats.clone(),
            rules: Rules { forward: config.forward, untracked: config.untracked },
            burst: usize::from(config.burst),
            clock,
        });
        ends.push(LcoreEnd { lcore: planned.lcore, ring, door, stats });
    }
    Ok((workers, ends, link))
}

/// Frees what net_af_packet received before its port was started: the driver opens its socket for all interfaces and
/// binds it to one afterwards, so these frames may be from anywhere on the host, and would be forwarded.
fn discard_early_frames(ports: &[Port<'_>], workers: &mut [Worker<'_, LineTable>]) {
    /// More than the driver's ring holds by default, so that a busy wire cannot hold up the start.
    const BURSTS: usize = 64;
    let from_af_packet =
        |id: PortId| ports.iter().any(|port| port.id() == id && port.driver_name() == "net_af_packet");
    let mut burst = Burst::new();
    for lane in workers.iter_mut().flat_map(|worker| &mut worker.lanes) {
        if !from_af_packet(lane.rx.port()) {
            continue;
        }
        let frames: usize =
            (0..BURSTS).map(|_| lane.rx.receive(&mut burst, 32)).take_while(|count| *count > 0).sum();
        if frames > 0 {
            info!("discarded {frames} frames that {} received before its start", lane.rx.port());
        }
    }
}

/// Runs every worker on its lcore until `stop` is set.
fn poll(eal: &Eal, workers: &mut [Worker<'_, LineTable>], stop: &AtomicBool) -> Result<(), StartError> {
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
fn report(workers: &[Worker<'_, LineTable>]) {
    for worker in workers {
        let c = worker.published.snapshot();
        let outcomes: Vec<String> = Outcome::ALL
            .iter()
            .filter(|outcome| c.tracker.outcome(**outcome) != 0)
            .map(|outcome| format!("{}={}", outcome.name(), c.tracker.outcome(*outcome)))
            .collect();
        info!(
            "{}: received {} frames, sent {}, refused by the peer port {}, freed on purpose {}; {} entries; {}",
            worker.lcore,
            c.tracker.rx,
            c.tx,
            c.tx_dropped,
            c.filtered,
            c.entries,
            if outcomes.is_empty() { "no outcomes".to_owned() } else { outcomes.join(" ") }
        );
    }
}
