//! The packet path over ring ports: frames come out as they went in, and every mbuf goes home.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk::test_support::{RingPort, push_frame, push_segments};
use dpdk::{
    Burst, CAPACITY, Eal, LcoreId, Mempool, MempoolConfig, Port, PortConfig, PortStats, QueueId, Sent,
    SocketId,
};

const MBUFS: u32 = 2047;

/// A frame whose length and bytes depend on `seed`.
fn frame(seed: u32) -> Vec<u8> {
    let len = 60 + seed % 1400;
    (0..len).map(|i| (i.wrapping_mul(31).wrapping_add(seed) >> 1) as u8).collect()
}

#[test]
fn frames_pass_unchanged_and_mbufs_go_home() {
    let id = std::process::id();
    let line = format!("--no-huge --no-shconf --no-pci --lcores 0@0,1@0 -m 128 --file-prefix ftforward{id}");
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let eal = Eal::init("forward", &args).unwrap();
    let config = MempoolConfig { mbufs: MBUFS, cache: 32, data_room: 2048, socket: SocketId::ANY };
    let pool = Mempool::new(&eal, "forward", config).unwrap();

    bursts_own_their_mbufs(&pool);
    assert_eq!(pool.available(), MBUFS);
    chained_frames_are_read_across_segments(&pool);
    assert_eq!(pool.available(), MBUFS);

    let left = RingPort::new(&eal, "left", 2, 512).unwrap();
    let right = RingPort::new(&eal, "right", 2, 64).unwrap();
    let wanted = PortConfig {
        rx_queues: 2,
        tx_queues: 2,
        rxd: 128,
        txd: 128,
        rss: dpdk::Rss::default(),
        rx_pool: &pool,
    };
    {
        let ports = [&left, &right].map(|ring| Port::open(&eal, ring.id(), wanted).unwrap());
        ports.iter().for_each(|port| port.start().unwrap());
        forwarding_keeps_bytes_and_order(&pool, &left, &right, &ports);
        what_tx_refuses_is_counted_and_freed(&pool, &right, &ports[1]);
        ports_stop_and_start_under_a_polling_lcore(&eal, &pool, &left, &ports[0]);
    }
    drop((left, right));
    assert_eq!(pool.available(), MBUFS);
}

fn bursts_own_their_mbufs(pool: &Mempool<'_>) {
    let mut burst = Burst::new();
    for seed in 0..CAPACITY as u32 {
        push_frame(&mut burst, pool, &frame(seed)).unwrap();
    }
    assert!(push_frame(&mut burst, pool, &frame(0)).is_err(), "full");
    assert_eq!(burst.len(), CAPACITY);
    assert_eq!(pool.available(), MBUFS - CAPACITY as u32);

    burst.retain(|i| i % 3 == 0);
    let kept: Vec<u32> = (0..CAPACITY as u32).filter(|i| i % 3 == 0).collect();
    assert_eq!(burst.len(), kept.len());
    for (i, &seed) in kept.iter().enumerate() {
        assert_eq!(burst.frame(i), frame(seed));
    }
    assert_eq!(pool.available(), MBUFS - kept.len() as u32);

    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        burst.retain(|i| if i == 5 { std::panic::resume_unwind(Box::new(())) } else { false });
    }));
    assert!(panicked.is_err());
    assert_eq!(burst.len(), kept.len(), "a panic in the question changes nothing");
    burst.clear();
    assert!(burst.is_empty());
    assert_eq!(pool.available(), MBUFS);

    push_frame(&mut burst, pool, &frame(1)).unwrap();
    drop(burst);
    assert_eq!(pool.available(), MBUFS);
    let mut burst = Burst::new();
    let too_long = push_frame(&mut burst, pool, &[0; 2049]);
    assert_eq!(too_long.unwrap_err().errno(), Some(90), "EMSGSIZE");
}

fn chained_frames_are_read_across_segments(pool: &Mempool<'_>) {
    let whole = frame(1234);
    let cuts: Vec<&[u8]> = whole.chunks(37).collect();
    let mut burst = Burst::new();
    push_segments(&mut burst, pool, &cuts).unwrap();
    push_segments(&mut burst, pool, &[&whole[..20], &[], &whole[20..]]).unwrap();

    assert_eq!(burst.frame(0), cuts[0], "only the first segment is contiguous");
    assert_eq!(burst.frame_len(0) as usize, whole.len());
    assert!(burst.segments(0).eq(cuts.iter().copied()));
    assert_eq!(burst.segments(1).map(<[u8]>::len).collect::<Vec<_>>(), [20, 0, whole.len() - 20]);
    for i in 0..2 {
        for offset in [0, 1, 19, 20, 36, 37, 38, whole.len() - 1, whole.len(), whole.len() + 1] {
            let expected = &whole[offset.min(whole.len())..];
            for room in [0, 1, 54, 2048] {
                let mut to = [0xEE; 2048];
                let n = burst.read(i, offset as u32, &mut to[..room]);
                assert_eq!(to[..n], expected[..room.min(expected.len())], "offset {offset}, room {room}");
                assert!(to[n..].iter().all(|&byte| byte == 0xEE));
            }
        }
    }
}

fn forwarding_keeps_bytes_and_order<'p>(
    pool: &'p Mempool<'_>,
    left: &'p RingPort<'_>,
    right: &'p RingPort<'_>,
    ports: &'p [Port<'_>; 2],
) {
    let mut rx = ports[0].rx_queue(QueueId(0)).unwrap();
    let mut tx = ports[1].tx_queue(QueueId(1)).unwrap();
    let mut burst = Burst::new();
    let mut seed = 0;
    for size in [1, 2, 31, 32, 33] {
        for i in 0..size {
            // Every third frame is chained.
            let bytes = frame(seed + i);
            let cut = if i % 3 == 0 { 40 } else { bytes.len() };
            push_segments(&mut burst, pool, &[&bytes[..cut], &bytes[cut..]]).unwrap();
        }
        assert_eq!(left.inject(0, &mut burst), Sent { sent: size as usize, dropped: 0 });
        assert_eq!(rx.receive(&mut burst, 32), size.min(32) as usize);
        assert_eq!(tx.send(&mut burst), Sent { sent: size.min(32) as usize, dropped: 0 });
        if rx.receive(&mut burst, 32) > 0 {
            tx.send(&mut burst);
        }
        assert_eq!(right.collect(1, &mut burst), size as usize);
        for i in 0..size {
            let out: Vec<u8> = burst.segments(i as usize).flatten().copied().collect();
            assert_eq!(out, frame(seed + i));
        }
        burst.clear();
        seed += size;
    }
    assert_eq!(ports[0].stats().unwrap().ipackets, u64::from(seed));
    assert_eq!(ports[1].stats().unwrap().opackets, u64::from(seed));
    for port in ports {
        port.reset_stats().unwrap();
        assert_eq!(port.stats().unwrap(), PortStats::default());
    }
    assert_eq!(pool.available(), MBUFS);
}

fn what_tx_refuses_is_counted_and_freed<'p>(
    pool: &'p Mempool<'_>,
    ring: &'p RingPort<'_>,
    port: &'p Port<'_>,
) {
    let mut tx = port.tx_queue(QueueId(0)).unwrap();
    let mut burst = Burst::new();
    for seed in 0..100 {
        push_frame(&mut burst, pool, &frame(seed)).unwrap();
    }
    // The ring of 64 takes 63.
    assert_eq!(tx.send(&mut burst), Sent { sent: 63, dropped: 37 });
    assert!(burst.is_empty());
    assert_eq!(pool.available(), MBUFS - 63);
    assert_eq!(ring.collect(0, &mut burst), 63);
    assert!((0..63).all(|i| burst.frame(i) == frame(i as u32)));
    drop(burst);
    assert_eq!(pool.available(), MBUFS);
}

fn ports_stop_and_start_under_a_polling_lcore<'p>(
    eal: &Eal,
    pool: &'p Mempool<'_>,
    ring: &'p RingPort<'_>,
    port: &'p Port<'_>,
) {
    let (stop, received) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut rx = port.rx_queue(QueueId(1)).unwrap();
    let mut injected = 0;
    eal.scope(|scope| {
        let (stop, received) = (&stop, &received);
        scope
            .launch(LcoreId(1), move || {
                let mut burst = Burst::new();
                while !stop.load(Ordering::Relaxed) || rx.receive(&mut burst, 32) > 0 {
                    received.fetch_add(burst.len() as u64, Ordering::Relaxed);
                    burst.clear();
                    rx.receive(&mut burst, 32);
                    received.fetch_add(burst.len() as u64, Ordering::Relaxed);
                    burst.clear();
                }
            })
            .unwrap();
        let mut burst = Burst::new();
        for round in 0..200 {
            for seed in 0..20 {
                push_frame(&mut burst, pool, &frame(seed)).unwrap();
            }
            injected += ring.inject(1, &mut burst).sent as u64;
            if round % 2 == 0 { port.stop().unwrap() } else { port.start().unwrap() }
        }
        port.start().unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    assert!(injected > 0);
    assert_eq!(received.load(Ordering::Relaxed), injected);
}
