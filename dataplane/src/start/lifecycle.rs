//! Starts the data plane, runs it, and stops it in the reverse order: EAL, memory, ports, shards,
//! threads, lcores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use conntrack::table::{Counted, Layout, Uncounted};
use conntrack::{FlowKey, FlowKeyV6, FlowTable};
use dpdk::{Burst, Eal, Port, interface_mtu};
use flowtracker_proto::table::Family;
use flowtracker_proto::{link, v1};
use tracing::{debug, info, warn};

use crate::checkpoint::saver::Saver;
use crate::export::{Desk, Exporter, Shard, Table, TableDesk, WallClock};
use crate::lcore::clock::{Calibration, Clock};
use crate::lcore::family::{TableKey, families, tracks};
use crate::lcore::stats::outcomes_text;
use crate::lcore::worker::Worker;
use crate::service::interfaces::Interfaces;
use crate::service::link_state::Keeper;
use crate::service::telemetry::Telemetry;
use crate::service::watchdog::Watchdogs;
use crate::start::cli::CommandLine;
use crate::start::config::Config;
use crate::start::devices;
use crate::start::eal_args::{BadArgument, EalArgs};
use crate::start::resume::Resume;
use crate::start::shards::{Shards, shards};
use crate::start::start_error::StartError;
use crate::start::topology::Topology;
use crate::start::{mbufs, rings};

/// How often ports and lcores are looked after.
const SUPERVISION: Duration = Duration::from_millis(50);

/// Runs the data plane until SIGINT or SIGTERM. Calls `started` once nothing can keep it from
/// polling.
///
/// # Errors
/// When it cannot start; what was started by then has been stopped.
pub fn run(line: &CommandLine, started: impl FnOnce()) -> Result<(), StartError> {
    let calibration = Calibration::start();
    let config = Config::with_link(line)?;
    config.check_files(line)?;
    info!("effective configuration: {config}");
    let stop = stop_on_signals()?;

    let refused = |bad: BadArgument| dpdk::Error::EalArguments(format!("{}; {}", bad.found, bad.remedy));
    // Arguments that cannot be parsed here go to the EAL, which refuses them with a better reason.
    let args = EalArgs::parse(&line.eal).map(EalArgs::accepted);
    let mut args = args.ok().transpose().map_err(refused)?;
    let mut eal_line = line.eal.clone();
    for vdev in args.iter_mut().flat_map(|args| &mut args.vdevs) {
        if let Some(ring) = rings::fit(vdev, interface_mtu) {
            info!("{}: {ring}, for the MTU of its interface", vdev.name);
            rings::append(&mut eal_line, &vdev.name, &ring);
        }
    }
    args.iter().try_for_each(|args| mbufs::check_memif(&args.vdevs)).map_err(refused)?;
    let eal = Eal::init("flowtracker-dataplane", &eal_line)
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
    let plan = devices::plan(&eal, &facts, &config)?;
    let pools = captured(|| devices::pools(&eal, &facts, &plan, &config, &vdevs))?;
    let ports = captured(|| devices::open(&eal, &plan, &config, &pools))?;
    let resume = Resume::open(&config, &ports);
    let clock = calibration.finish_after(resume.as_ref().and_then(Resume::last_reading));
    let machine = Machine { eal: &eal, ports: &ports, plan: &plan, clock };
    if config.tracker.accounting {
        track::<Counted>(&machine, &config, resume, &stop, started)
    } else {
        track::<Uncounted>(&machine, &config, resume, &stop, started)
    }
}

/// The devices that were found and opened.
struct Machine<'p> {
    eal: &'p Eal,
    ports: &'p [Port<'p>],
    plan: &'p Topology,
    clock: Clock,
}

/// Tracks until `stop` is set, with shards whose memory is laid out as `L` says.
fn track<L: Layout + Send>(
    machine: &Machine<'_>,
    config: &Config,
    mut resume: Option<Resume>,
    stop: &AtomicBool,
    started: impl FnOnce(),
) -> Result<(), StartError> {
    let &Machine { eal, ports, plan, clock } = machine;
    let Shards { mut workers, ends, desks_ipv4, desks_ipv6, saves, link } =
        shards::<L>(ports, plan, config, clock)?;
    if let Some(resume) = &mut resume {
        resume.restore(&mut workers, &plan.owners(), clock);
    }
    let elapsed = || Duration::from_nanos(clock.now().ns);
    // Offloads are switched off first, because what was received before the start is discarded.
    let mut interfaces = Interfaces::new(ports);
    interfaces.tick(elapsed());
    let mut keeper = Keeper::new(ports);
    keeper.tick(elapsed());
    discard_early_frames(ports, &mut workers)?;

    let finish = Arc::new(AtomicBool::new(false));
    let watched: Vec<_> = ends.iter().map(|end| (end.lcore, end.stats.clone())).collect();
    let mut watchdogs = Watchdogs::new(watched, elapsed());
    let port_stats = || port_stats(ports);
    let telemetry = Telemetry::new(&workers, config.options.families, config.options.hash, &port_stats);
    let ipv4 = table_desk(config, resume.as_ref(), desks_ipv4);
    let ipv6 = table_desk(config, resume.as_ref(), desks_ipv6);
    let mut desk = Desk::new(config.id().to_owned(), plan.owners(), ipv4, ipv6);
    let wall = resume.as_ref().map_or_else(|| WallClock::of_host(clock), |resume| resume.wall(clock));
    let saver = resume.map(|resume| {
        resume.tell_authors(&mut desk);
        resume.saver(saves, &desk, &wall, clock)
    });
    let exporter = Exporter {
        control: config.control.clone(),
        tls: config.tls.clone(),
        hello: hello(config, ports, plan),
        lcores: ends,
        tracked: config.options.families,
        desk,
        link,
        clock,
        wall,
        ports: &port_stats,
        finish: finish.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| StartError::System("the exporter's runtime".to_owned(), e))?;
    let polled = std::thread::scope(|threads| {
        let finish = &*finish;
        let exporter = spawn(threads, "exporter", finish, move || runtime.block_on(exporter.run()))?;
        let look = move || {
            keeper.tick(elapsed());
            interfaces.tick(elapsed());
        };
        let supervisor = spawn(threads, "supervisor", finish, || supervise(look, finish))?;
        // A thread of its own, because the supervisor may have to wait for an lcore.
        let look = move || watchdogs.look(elapsed());
        let watchdog = spawn(threads, "watchdog", finish, || supervise(look, finish))?;
        let save = |mut saver: Saver| {
            saver.run(finish);
            saver
        };
        let saver =
            saver.map(|saver| spawn(threads, "checkpoint", finish, move || save(saver))).transpose()?;
        info!("polling");
        let polled = telemetry.serve(eal, || {
            started();
            let polled = poll(eal, &mut workers, stop);
            finish.store(true, Ordering::Release);
            polled
        });
        // Not yet set when telemetry could not be served.
        finish.store(true, Ordering::Release);
        // First of all, so that the next run can start. It has nothing new when polling has failed.
        if let Some(Ok(mut saver)) = saver.map(ScopedJoinHandle::join)
            && matches!(polled, Ok(Ok(())))
        {
            let shards = workers.iter().map(|worker| &worker.shard);
            let (ipv4, ipv6): (Vec<_>, Vec<_>) = shards.map(|shard| (&shard.ipv4, &shard.ipv6)).unzip();
            saver.save_stopped(&ipv4, &ipv6);
        }
        // They fail only by a panic, which has been printed and ends a release build.
        let _ = (exporter.join(), supervisor.join(), watchdog.join());
        polled?
    });
    report(&workers);
    polled
}

/// Starts a thread. When that fails, sets `finish`, so that the threads before it end.
fn spawn<'scope, T: Send + 'scope>(
    threads: &'scope Scope<'scope, '_>,
    name: &str,
    finish: &AtomicBool,
    body: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, StartError> {
    Builder::new().name(name.to_owned()).spawn_scoped(threads, body).map_err(|error| {
        finish.store(true, Ordering::Release);
        StartError::System(format!("the {name}'s thread"), error)
    })
}

/// Runs a step of the start. What DPDK prints meanwhile goes to the log.
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

/// Returns the flag that SIGINT and SIGTERM set.
fn stop_on_signals() -> Result<Arc<AtomicBool>, StartError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|e| StartError::System("the signal handlers".to_owned(), e))?;
    }
    Ok(stop)
}

/// Makes the desk of a table, if it is tracked.
fn table_desk<K: TableKey>(
    config: &Config,
    resume: Option<&Resume>,
    shards: Vec<Shard<K>>,
) -> Option<TableDesk<K>> {
    let tracker = config.tracker(K::FAMILY);
    let state = resume.and_then(|resume| resume.state(K::FAMILY));
    let table = Table {
        profiles: state.map_or(tracker.profiles, |state| state.profiles),
        permissions: state.map_or(tracker.permissions, |state| state.permissions),
        learn_profile: tracker.learn_profile,
    };
    tracks(config.options.families, K::FAMILY).then(|| {
        let desk = TableDesk::new(shards, table);
        if state.is_some_and(|state| !state.attached) { desk.detached() } else { desk }
    })
}

/// Frees what net_af_packet received before its port was started.
///
/// The driver opens its socket for all interfaces and binds it to one afterwards, so these frames
/// may have come from any interface of the host, and must not be forwarded. The port's counters
/// start after them.
fn discard_early_frames<T: FlowTable, U: FlowTable>(
    ports: &[Port<'_>],
    workers: &mut [Worker<'_, T, U>],
) -> Result<(), StartError> {
    /// Many times what the driver's ring holds by default: the bound keeps a busy wire from
    /// delaying the start for ever.
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

/// Calls `look` at a steady pace until `finish` is set.
fn supervise(mut look: impl FnMut(), finish: &AtomicBool) {
    while !finish.load(Ordering::Acquire) {
        std::thread::sleep(SUPERVISION);
        look();
    }
}

/// Runs every worker on its lcore until `stop` is set.
fn poll<T: FlowTable<Key = FlowKey> + Send, U: FlowTable<Key = FlowKeyV6> + Send>(
    eal: &Eal,
    workers: &mut [Worker<'_, T, U>],
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

/// Introduces this data plane to the control service.
fn hello(config: &Config, ports: &[Port<'_>], plan: &Topology) -> v1::Hello {
    v1::Hello {
        dataplane: config.id().to_owned(),
        instance: config.instance,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shards: plan.workers.iter().map(|worker| worker.lcore).collect(),
        ports: ports.iter().map(|port| port.device_name().to_owned()).collect(),
        pid: std::process::id(),
        record_version: link::VERSION,
        capacities: families(config.options.families).map(|family| capacity(config, family)).collect(),
    }
}

/// Declares the table of a family.
fn capacity(config: &Config, family: Family) -> v1::TableCapacity {
    v1::TableCapacity {
        pipeline: family.table().pipeline.to_owned(),
        entries: config.capacity(family).into(),
    }
}

/// Reads the counters that the drivers keep.
fn port_stats(ports: &[Port<'_>]) -> Vec<v1::PortStats> {
    let mut all = Vec::new();
    for port in ports {
        // A port whose driver gives no counters is shown with zeros, not left out.
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

/// Logs what each lcore has done, by outcome.
fn report<T: FlowTable, U: FlowTable>(workers: &[Worker<'_, T, U>]) {
    for worker in workers {
        let c = worker.published.snapshot();
        info!(
            "{}: received {} frames, sent {}, refused by the peer port {}, freed on purpose {}; {} entries; {}",
            worker.lcore,
            c.tracker.rx,
            c.tx,
            c.tx_dropped,
            c.filtered,
            c.entries(),
            outcomes_text(&c.tracker)
        );
    }
}
