//! `perf on-rte-hash ENTRIES EAL-ARGUMENTS`: runs the product's poll loop and engine with the real
//! `rte_hash` instead of the product's own table, on two ports with one worker, until it is killed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use conntrack::arch::Features;
use conntrack::shard::Tracked;
use conntrack::table::{TableConfig, Uncounted};
use conntrack::{DualShard, FlowKeyV6, HashKind, HasherV6, LineTable, Parser, Tracker, TrackerConfig};
use dataplane::export::ring;
use dataplane::lcore::clock::Calibration;
use dataplane::lcore::executors::Executors;
use dataplane::lcore::forward::Rules;
use dataplane::lcore::generation::LinkState;
use dataplane::lcore::mailbox::mailbox;
use dataplane::lcore::stats::Published;
use dataplane::lcore::worker::{Lane, Worker};
use dataplane::start::mbufs::CACHE;
use dataplane::start::options::{ForwardMode, UntrackedMode};
use dpdk::hash::HashFunction;
use dpdk::{Eal, Mempool, MempoolConfig, Port, PortConfig, QueueId, SocketId};
use flowtracker_tests::rte_table::RteTable;

pub(crate) fn run(entries: u32, arguments: &[String]) {
    let calibration = Calibration::start();
    let eal = Eal::init("on-rte-hash", arguments).unwrap_or_else(|error| panic!("the EAL: {error}"));
    let eal: &'static Eal = Box::leak(Box::new(eal));
    let config = MempoolConfig { mbufs: 8191, cache: CACHE, data_room: 2048, socket: SocketId::ANY };
    let pool = Mempool::new(eal, "frames", config).expect("memory for the mbufs");
    let open = |id| {
        let config = PortConfig {
            rx_queues: 1,
            tx_queues: 1,
            rxd: 1024,
            txd: 1024,
            rss: dpdk::Rss::default(),
            rx_pool: &pool,
        };
        Port::open(eal, id, config).expect("a port")
    };
    let [one, other] = eal.ports()[..] else { panic!("two ports, please") };
    let ports = [open(one), open(other)];
    ports.iter().for_each(|port| port.start().expect("it starts"));
    let lane = |from: usize| Lane {
        input_port: from as u8 + 1,
        rx: ports[from].rx_queue(QueueId(0)).expect("one user at a time"),
        tx: ports[from ^ 1].tx_queue(QueueId(0)).expect("one user at a time"),
    };
    let clock = calibration.finish();
    let table = RteTable::on(eal, entries, HashFunction::Crc, 0);
    let config = TrackerConfig { accounting: false, ..TrackerConfig::default() };
    let tracker = Tracker::new(table, config, clock.now());
    // IPv6 is off, as with `--families ipv4`.
    let hasher = HasherV6::new(HashKind::Keyed, [0; HasherV6::SECRET], Features::detect());
    let off =
        LineTable::<Uncounted, FlowKeyV6>::laid_out(TableConfig { entries: 1, hasher }).expect("memory");
    let off = Tracker::new(off, config, clock.now());
    let (sink, _events) = ring(Arc::new(LinkState::default()));
    let (_desk, mailbox_ipv4) = mailbox();
    let (_desk_ipv6, mailbox_ipv6) = mailbox();
    let lcore = *eal.lcores().iter().find(|&&lcore| lcore != eal.main_lcore()).expect("a worker lcore");
    let mut worker = Worker {
        lcore,
        lanes: vec![lane(0), lane(1)],
        shard: DualShard::of(
            Tracked::Ipv4,
            Parser::default(),
            tracker.expect("memory"),
            off.expect("memory"),
        ),
        sink,
        executors: Executors::new(mailbox_ipv4, mailbox_ipv6),
        published: Arc::new(Published::default()),
        rules: Rules { forward: ForwardMode::Pair, untracked: UntrackedMode::Forward },
        burst: 32,
        clock,
    };
    let stop = AtomicBool::new(false);
    eal.scope(|lcores| lcores.launch(lcore, || worker.run(&stop))).expect("the lcore runs");
}
