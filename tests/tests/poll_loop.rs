//! The poll loop on two ports made of rings: which frames come out for those that go in, and that
//! the loop allocates no memory meanwhile.
//!
//! A process can start DPDK only once, so this is one test: its laws share the ports and run one
//! after the other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use conntrack::arch::Features;
use conntrack::table::{Counted, TableConfig};
use conntrack::test_support::frame::Ipv6Frame;
use conntrack::{
    ActorId, Attributes, DualShard, EventBody, FlowKey, FlowKeyV6, FlowTable as _, HashKind, Hasher,
    HasherV6, LineTable, Outcome, Parser, Tracker, TrackerConfig,
};
use crossbeam_channel::Receiver;
use dataplane::export::{RingEvent, TableEvent, ring};
use dataplane::lcore::clock::Calibration;
use dataplane::lcore::executors::Executors;
use dataplane::lcore::filter::Filter;
use dataplane::lcore::forward::Rules;
use dataplane::lcore::generation::{LinkGeneration, LinkState};
use dataplane::lcore::mailbox::{Command, MailboxHandle, Reply, Task, mailbox};
use dataplane::lcore::stats::Published;
use dataplane::lcore::worker::{Lane, Poll, Worker};
use dataplane::start::options::{ForwardMode, UntrackedMode};
use dpdk::test_support::{RingPort, push_frame, push_segments};
use dpdk::{Burst, Eal, LcoreId, Mempool, MempoolConfig, Port, PortConfig, QueueId, SocketId};
use flowtracker_proto::v1;

/// The control program that writes.
const OPERATOR: ActorId = ActorId(ActorId::FIRST_CONTROL);

/// An allocator that counts the allocations of this thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller keeps GlobalAlloc's contract, which is System's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// Returns a TCP frame of IPv6 with an extension header in front of its ports, if it is to have
/// one.
fn tcp6(src_port: u16, extended: bool) -> Vec<u8> {
    let frame = Ipv6Frame::tcp((SRC6, src_port), (DST6, 80));
    if extended { frame.extension(60, 0) } else { frame }.build()
}

fn key6(input_port: u8, src_port: u16) -> FlowKeyV6 {
    FlowKeyV6::new(input_port, SRC6, DST6, 6, src_port, 80)
}

const SRC6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const DST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// Returns a TCP frame. The port number distinguishes its flow from others.
fn tcp(src_port: u16) -> Vec<u8> {
    let mut f = vec![0; 60];
    f[12] = 8;
    f[14] = 0x45;
    f[17] = 40;
    f[23] = 6;
    f[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    f[34..36].copy_from_slice(&src_port.to_be_bytes());
    f[37] = 80;
    f
}

fn arp() -> Vec<u8> {
    let mut f = vec![0xff; 60];
    f[12..14].copy_from_slice(&[8, 6]);
    f
}

fn key(input_port: u8, src_port: u16) -> FlowKey {
    FlowKey::new(input_port, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), 6, src_port, 80)
}

/// One worker between two ring ports.
struct Bench<'p> {
    worker: Worker<'p, LineTable, LineTable<Counted, FlowKeyV6>>,
    poll: Poll<'p>,
    rings: &'p [RingPort<'p>; 2],
    pool: &'p Mempool<'p>,
    events: Receiver<RingEvent>,
    desk: MailboxHandle,
    link: Arc<LinkState>,
}

impl<'p> Bench<'p> {
    fn new(
        rings: &'p [RingPort<'p>; 2],
        ports: &'p [Port<'p>; 2],
        pool: &'p Mempool<'p>,
        rules: Rules,
    ) -> Self {
        let hasher = Hasher::new(HashKind::Keyed, [9; 32], Features::detect());
        let table = LineTable::new(TableConfig { entries: 4096, hasher }).expect("a valid size");
        let hasher = HasherV6::new(HashKind::Keyed, [9; HasherV6::SECRET], Features::detect());
        let table_ipv6 = LineTable::laid_out(TableConfig { entries: 4096, hasher }).expect("a valid size");
        let clock = Calibration::start().finish();
        let link = Arc::new(LinkState::default());
        let (sink, events) = ring(link.clone());
        let (desk, mailbox_ipv4) = mailbox();
        let (_, mailbox_ipv6) = mailbox();
        let lane = |from: usize| Lane {
            input_port: from as u8 + 1,
            rx: ports[from].rx_queue(QueueId(0)).expect("one user at a time"),
            tx: ports[from ^ 1].tx_queue(QueueId(0)).expect("one user at a time"),
        };
        let worker = Worker {
            lcore: LcoreId(0),
            lanes: vec![lane(0), lane(1)],
            shard: DualShard::new(
                Parser::default(),
                Tracker::new(table, TrackerConfig::default(), clock.now()).expect("memory"),
                Tracker::new(table_ipv6, TrackerConfig::default(), clock.now()).expect("memory"),
            ),
            sink,
            executors: Executors::new(mailbox_ipv4, mailbox_ipv6),
            published: Arc::new(Published::default()),
            rules,
            burst: 32,
            clock,
        };
        Bench { worker, poll: Poll::new(2), rings, pool, events, desk, link }
    }

    fn order(&self, id: u64, task: Task) {
        let command = Command { id, link: self.worker.sink.link(), until_ns: u64::MAX, task };
        self.desk.commands.send(command).expect("room");
    }

    fn inject(&self, port: usize, frames: &[Vec<u8>]) {
        for chunk in frames.chunks(64) {
            let mut burst = Burst::new();
            for frame in chunk {
                push_frame(&mut burst, self.pool, frame).expect("room");
            }
            assert_eq!(self.rings[port].inject(0, &mut burst).dropped, 0);
        }
    }

    fn collect(&self, port: usize) -> Vec<Vec<u8>> {
        let mut burst = Burst::new();
        let mut frames = Vec::new();
        while self.rings[port].collect(0, &mut burst) > 0 {
            for i in 0..burst.len() {
                let mut whole = vec![0; burst.frame_len(i) as usize];
                assert_eq!(burst.read(i, 0, &mut whole), whole.len());
                frames.push(whole);
            }
        }
        frames
    }

    fn iterate(&mut self, times: usize) {
        for _ in 0..times {
            self.worker.iterate(&mut self.poll);
        }
    }

    fn outcome(&self, outcome: Outcome) -> u64 {
        self.worker.shard.counters().outcome(outcome)
    }
}

const PAIR: Rules = Rules { forward: ForwardMode::Pair, untracked: UntrackedMode::Forward };

#[test]
fn the_poll_loop_keeps_its_promises() {
    let args = [
        "--no-huge".to_owned(),
        "--no-shconf".to_owned(),
        "--no-pci".to_owned(),
        format!("--file-prefix=ftworker{}", std::process::id()),
        "-l0".to_owned(),
        "-m128".to_owned(),
    ];
    let eal = Eal::init("worker-test", &args).expect("EAL starts");
    let config = MempoolConfig { mbufs: 8191, cache: 0, data_room: 2176, socket: SocketId::ANY };
    let pool = Mempool::new(&eal, "worker-test", config).expect("a pool");
    let rings =
        ["ring_a", "ring_b"].map(|name| RingPort::new(&eal, name, 1, 1024).expect("a port made of rings"));
    let ports = [0, 1].map(|i: usize| {
        let config = PortConfig {
            rx_queues: 1,
            tx_queues: 1,
            rxd: 256,
            txd: 256,
            rss: dpdk::Rss::default(),
            rx_pool: &pool,
        };
        let port = Port::open(&eal, rings[i].id(), config).expect("the port opens");
        port.start().expect("the port starts");
        port
    });
    let full = pool.available();

    forwards_unchanged_and_learns_each_direction(Bench::new(&rings, &ports, &pool, PAIR));
    both_families_share_a_burst(Bench::new(&rings, &ports, &pool, PAIR));
    chained_headers_are_put_together(Bench::new(&rings, &ports, &pool, PAIR));
    drops_what_it_is_told_to(&rings, &ports, &pool);
    commands_are_answered_between_bursts(Bench::new(&rings, &ports, &pool, PAIR));
    takes_no_memory(Bench::new(&rings, &ports, &pool, PAIR));

    assert_eq!(pool.available(), full, "every mbuf went back to the pool");
}

fn forwards_unchanged_and_learns_each_direction(mut bench: Bench<'_>) {
    bench.link.raise(LinkGeneration::FIRST);
    let frames: Vec<_> = (0..100).map(tcp).chain([arp()]).chain((0..50).map(tcp)).collect();
    bench.inject(0, &frames);
    bench.inject(1, &frames[..3]);
    bench.iterate(100);
    assert_eq!(bench.collect(1), frames, "what entered port0 left port1, in order");
    assert_eq!(bench.collect(0), frames[..3]);
    assert_eq!(bench.worker.shard.ipv4.table().len(), 103);
    assert_eq!(bench.outcome(Outcome::MissCreated), 103);
    assert_eq!(bench.outcome(Outcome::Hit), 50);
    assert_eq!(bench.outcome(Outcome::NotTrackedEthertype), 1);
    // The loop measures the time between two iterations, so the first one adds none.
    assert_eq!(bench.worker.published.loop_times.counts().iter().sum::<u64>(), 99);
    let counters = bench.worker.shard.counters();
    assert_eq!(counters.outcomes.iter().sum::<u64>(), counters.rx);
    let entry = bench.worker.shard.ipv4.get(&key(1, 7)).expect("learned");
    assert_eq!((entry.packets, entry.bytes), (2, 120));
    // The link was new: the (empty) tables are reported first, then what is learned. The tables
    // take turns, so the end of a report comes later.
    bench.iterate(200);
    let of_ipv4 = |event| match event {
        TableEvent::Ipv4(event) => Some(event.body),
        TableEvent::Ipv6(_) => None,
    };
    let events: Vec<_> = bench.events.try_iter().filter_map(|record| of_ipv4(record.event)).collect();
    assert_eq!(events.iter().filter(|body| matches!(body, EventBody::Created(_))).count(), 103);
    assert!(events.contains(&EventBody::ResyncBegin) && events.contains(&EventBody::ResyncEnd));
}

fn both_families_share_a_burst(mut bench: Bench<'_>) {
    bench.link.raise(LinkGeneration::FIRST);
    let frames: Vec<_> =
        (0..100).flat_map(|n| [tcp(n), tcp6(n, false), arp(), tcp6(n, true), tcp(n)]).collect();
    bench.inject(0, &frames);
    bench.iterate(100);
    assert_eq!(bench.collect(1), frames, "in the order of their arrival");
    assert_eq!((bench.worker.shard.ipv4.table().len(), bench.worker.shard.ipv6.table().len()), (100, 100));
    assert_eq!((bench.outcome(Outcome::MissCreated), bench.outcome(Outcome::Hit)), (200, 200));
    let entry = bench.worker.shard.ipv6.get(&key6(1, 7)).expect("learned");
    let octets = [tcp6(7, false), tcp6(7, true)].map(|frame| frame.len() as u64).iter().sum();
    assert_eq!((entry.packets, entry.bytes), (2, octets));
    let is_created = |event| match event {
        TableEvent::Ipv4(event) => matches!(event.body, EventBody::Created(_)),
        TableEvent::Ipv6(event) => matches!(event.body, EventBody::Created(_)),
    };
    assert_eq!(bench.events.try_iter().filter(|record| is_created(record.event)).count(), 200);
}

fn chained_headers_are_put_together(mut bench: Bench<'_>) {
    let frame = tcp(4242);
    for cut in [1, 13, 14, 20, 34, 37] {
        let mut burst = Burst::new();
        push_segments(&mut burst, bench.pool, &[&frame[..cut], &frame[cut..]]).expect("room");
        bench.rings[0].inject(0, &mut burst);
        bench.iterate(2);
        assert_eq!(bench.collect(1), std::slice::from_ref(&frame), "cut at {cut}");
    }
    assert_eq!(bench.worker.shard.ipv4.table().len(), 1);
    let entry = bench.worker.shard.ipv4.get(&key(1, 4242)).expect("learned");
    assert_eq!((entry.packets, entry.bytes), (6, 6 * 60));
}

fn drops_what_it_is_told_to(rings: &[RingPort<'_>; 2], ports: &[Port<'_>; 2], pool: &Mempool<'_>) {
    let frames = [arp(), tcp(1), arp(), tcp(2)];
    let untracked = Rules { untracked: UntrackedMode::Drop, ..PAIR };
    let monitor = Rules { forward: ForwardMode::Drop, ..PAIR };
    for (rules, expected) in [(untracked, vec![tcp(1), tcp(2)]), (monitor, vec![])] {
        let mut bench = Bench::new(rings, ports, pool, rules);
        bench.inject(0, &frames);
        bench.iterate(2);
        assert_eq!(bench.collect(1), expected);
        assert_eq!(bench.outcome(Outcome::MissCreated), 2);
        let stop = std::sync::atomic::AtomicBool::new(true);
        let published = bench.worker.published.clone();
        bench.iterate(1);
        bench.worker.run(&stop);
        // A new run of the loop starts with its own counters at 0, and keeps the counters of the
        // tracker.
        assert_eq!(published.snapshot().tracker.rx, 4);
    }
}

fn commands_are_answered_between_bursts(mut bench: Bench<'_>) {
    bench.inject(0, &[tcp(1)]);
    bench.order(1, Task::Get(key(1, 1)));
    bench.iterate(1);
    let replies: Vec<_> = bench.desk.replies.try_iter().collect();
    assert!(matches!(replies[..], [Reply::Entry { id: 1, .. }, Reply::Done { id: 1, .. }]), "{replies:?}");
    assert_eq!(bench.collect(1).len(), 1);
}

fn takes_no_memory(mut bench: Bench<'_>) {
    bench.link.raise(LinkGeneration::FIRST);
    // The iterations include everything that the loop can meet: new flows, hits, a full table,
    // refused frames, chained ones, commands, a dump, a flush, a resync and a full event ring.
    let none = {
        let step = v1::FilterStep {
            op: v1::FilterOp::Lt.into(),
            operand: v1::FilterOperand::Prio.into(),
            mask: 0xffff_ffff,
            value: 0,
            ..v1::FilterStep::default()
        };
        Filter::from_proto(Some(&v1::Filter { steps: vec![step] })).expect("sound")
    };
    let plain = Attributes::default();
    let usual = |first: u16| {
        vec![
            Task::Get(key(1, first)),
            Task::Remove(key(1, first), OPERATOR),
            Task::Create(key(1, first), plain, OPERATOR),
            Task::Update(key(1, first), plain, OPERATOR),
            Task::Dump(none),
            Task::Dump(Filter::ALL),
            Task::Flush(none, OPERATOR),
            Task::Authored,
            Task::Count,
        ]
    };
    let round = |bench: &mut Bench<'_>, first: u16, tasks: &[Task]| {
        bench.inject(0, &(first..first + 300).map(tcp).chain([arp(), vec![0; 20]]).collect::<Vec<_>>());
        bench.inject(0, &(first..first + 300).map(|n| tcp6(n, n % 3 == 0)).collect::<Vec<_>>());
        let mut burst = Burst::new();
        push_segments(&mut burst, bench.pool, &[&tcp(1)[..20], &tcp(1)[20..]]).expect("room");
        bench.rings[0].inject(0, &mut burst);
        for (id, task) in (1..).zip(tasks) {
            bench.order(id, *task);
        }
        let before = allocations();
        bench.iterate(200);
        let taken = allocations() - before;
        drop(bench.collect(1));
        while bench.desk.replies.try_recv().is_ok() {}
        taken
    };
    // The first round warms up, because thread-locals of the channels are made at their first use.
    round(&mut bench, 0, &usual(0));
    let mut taken = 0;
    let mut generation = LinkGeneration::FIRST;
    for nth in 0..30 {
        generation = generation.next();
        bench.link.raise(generation);
        let first = 300 * (nth % 20);
        taken += round(&mut bench, first, &usual(first));
    }
    assert_eq!(bench.worker.shard.ipv4.table().len(), 4096, "the table was full");
    assert_eq!(bench.worker.shard.ipv6.table().len(), 4096, "the table of IPv6 was full");
    assert!(bench.outcome(Outcome::MissFull) > 0);
    // Events that wait for room in the ring are taken first.
    for _ in 0..20 {
        while bench.events.try_recv().is_ok() {}
        while bench.desk.replies.try_recv().is_ok() {}
        bench.iterate(200);
    }
    taken += round(&mut bench, 0, &[Task::Flush(Filter::ALL, OPERATOR), Task::Purge, Task::Load]);
    assert_eq!(bench.worker.shard.ipv4.table().len(), 0, "the table was purged");
    assert_eq!(taken, 0, "allocations in the poll loop");
}
