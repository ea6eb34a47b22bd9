//! Checks what lcores share with other threads without a lock, in every interleaving that the
//! memory model allows. Loom runs the product's own files with its atomics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use conntrack::{Event, EventBody, EventSink as _};
use loom::cell::UnsafeCell;
use loom::sync::atomic::Ordering;
use loom::thread;

/// Stands for `dataplane/src/lcore/`, with loom's atomics.
mod lcore {
    pub(crate) use crate::generation;
    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    }
}

/// Stands for `dataplane/src/export/`.
mod export {
    pub(crate) use crate::table_event;
}

/// Stands for `dataplane/dpdk/src/sync.rs`.
mod sync {
    pub(crate) use loom::sync::atomic::Ordering;
    use loom::sync::atomic::{self, fence};
    pub(crate) use loom::thread::yield_now;

    /// Loom orders sequentially consistent accesses no more strictly than acquire and release. The
    /// fences around them add the single order of all such accesses, on which a gate relies.
    #[derive(Debug, Default)]
    pub(crate) struct AtomicBool(atomic::AtomicBool);

    fn ordered<T>(order: Ordering, access: impl FnOnce() -> T) -> T {
        if order != Ordering::SeqCst {
            return access();
        }
        fence(Ordering::SeqCst);
        let result = access();
        fence(Ordering::SeqCst);
        result
    }

    impl AtomicBool {
        pub(crate) fn load(&self, order: Ordering) -> bool {
            ordered(order, || self.0.load(order))
        }

        pub(crate) fn store(&self, value: bool, order: Ordering) {
            ordered(order, || self.0.store(value, order));
        }

        pub(crate) fn swap(&self, value: bool, order: Ordering) -> bool {
            ordered(order, || self.0.swap(value, order))
        }
    }
}

#[allow(dead_code, unreachable_pub, reason = "the product uses all of it")]
#[path = "../../dataplane/dpdk/src/gate.rs"]
mod gate;

#[allow(dead_code, unreachable_pub, reason = "the product uses all of it")]
#[path = "../../dataplane/src/lcore/generation.rs"]
mod generation;

#[allow(dead_code, unreachable_pub, reason = "the product uses all of it")]
#[path = "../../dataplane/src/lcore/seqlock.rs"]
mod seqlock;

#[allow(dead_code, unreachable_pub, reason = "the product uses all of it")]
#[path = "../../dataplane/src/export/ring.rs"]
mod ring;

#[allow(dead_code, unreachable_pub, reason = "the product uses all of it")]
#[path = "../../dataplane/src/export/table_event.rs"]
mod table_event;

use gate::Gate;
use generation::{LinkGeneration, LinkState};
use ring::ring_of;
use seqlock::SeqLock;
use table_event::TableEvent;

/// Law: a reader sees one whole state, and none older than a state it saw before. `writes` and
/// `reads` are small, because every interleaving is tried.
fn counters_are_whole(writes: u64, reads: usize) {
    loom::model(move || {
        let lock = loom::sync::Arc::new(SeqLock::<2>::default());
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || (1..=writes).for_each(|n| lock.write([n, n])))
        };
        let mut last = 0;
        for [a, b] in (0..reads).filter_map(|_| lock.try_read()) {
            assert_eq!(a, b, "torn");
            assert!(a >= last, "time goes back");
            last = a;
        }
        writer.join().unwrap();
        assert_eq!(lock.try_read(), Some([writes, writes]));
    });
}

#[test]
fn no_reader_of_the_counters_sees_half_a_change() {
    counters_are_whole(2, 1);
}

#[test]
fn no_reader_of_the_counters_goes_back_in_time() {
    counters_are_whole(1, 2);
}

fn event(at_ns: u64) -> Event {
    Event { at_ns, body: EventBody::ResyncEnd }
}

/// Returns the event, which is of the table of IPv4, as all are here.
fn of_ipv4(record: &ring::RingEvent) -> Event {
    let TableEvent::Ipv4(event) = record.event else { unreachable!("{record:?}") };
    event
}

/// Runs the lcore's part of the poll loop: a new link receives everything from the start, which
/// RESYNC_BEGIN stands for here, and then an event follows. Returns the numbers of the events that
/// the ring took.
fn lcore(mut sink: ring::RingSink) -> (ring::RingSink, Vec<u64>) {
    let mut taken = Vec::new();
    for n in 1..=3 {
        if sink.poll_link() && !sink.offer(&Event { body: EventBody::ResyncBegin, ..event(n) }) {
            unreachable!("the ring has room");
        }
        if sink.offer(&event(n)) {
            taken.push(n);
        }
    }
    (sink, taken)
}

/// Law: whatever the exporter does with the link meanwhile, what reaches the last link starts with
/// a RESYNC_BEGIN, and nothing is missing after it. Events for an earlier link never reach it.
#[test]
fn a_link_is_told_all_from_its_resync_on() {
    loom::model(|| {
        let link = Arc::new(LinkState::default());
        let (sink, far) = ring_of(link.clone(), 16);
        let lcore = thread::spawn(move || lcore(sink));
        // This does what Exporter::run does: it serves a link, loses it, drops what waits, and
        // serves the next.
        let (one, two) = (LinkGeneration::FIRST, LinkGeneration::FIRST.next());
        link.raise(one);
        let mut first: Vec<_> = far.try_iter().filter(|r| r.link == one).collect();
        link.lower();
        far.try_iter().for_each(drop);
        link.raise(two);
        let (mut sink, taken) = lcore.join().unwrap();
        let resync_due = sink.poll_link();
        let second: Vec<_> = far.try_iter().filter(|r| r.link == two).collect();

        for told in [&mut first, &mut second.clone()] {
            let Some(begin) = told.first() else { continue };
            assert!(matches!(of_ipv4(begin).body, EventBody::ResyncBegin), "{told:?}");
        }
        match second.first() {
            // The lcore will resync at its next poll: its table has what it did meanwhile.
            None => assert!(resync_due),
            Some(begin) => {
                assert!(!resync_due);
                let from = of_ipv4(begin).at_ns;
                let told: Vec<u64> = second[1..].iter().map(|r| of_ipv4(r).at_ns).collect();
                let since: Vec<u64> = taken.into_iter().filter(|n| *n >= from).collect();
                assert_eq!(told, since);
            }
        }
    });
}

/// What a gate guards: the port's queue, which a burst call uses and which stopping the port
/// changes.
#[derive(Default)]
struct Guarded {
    gate: Gate,
    running: sync::AtomicBool,
    started: UnsafeCell<bool>,
}

/// Law: no burst call is in flight while the port is stopped or started, however often the lcore
/// polls meanwhile. Loom also reports an access to the queue that is not ordered after the accesses
/// of the other thread.
#[test]
fn no_burst_call_meets_a_port_that_is_being_stopped() {
    loom::model(|| {
        let port = loom::sync::Arc::new(Guarded::default());
        let start = |port: &Guarded| {
            // SAFETY: no call is in flight while the port is not running, which loom checks.
            port.started.with_mut(|started| unsafe { *started = true });
            port.running.store(true, Ordering::SeqCst);
        };
        start(&port);
        let lcore = {
            let port = port.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    port.gate.pass(&port.running, || {
                        // SAFETY: the port does not stop during a call, which loom checks.
                        let started = port.started.with(|started| unsafe { *started });
                        assert!(started, "a call into a port that is stopped");
                    });
                }
            })
        };
        // This does what Port::stop does.
        port.running.store(false, Ordering::SeqCst);
        assert!(port.gate.wait_until_idle(Instant::now() + Duration::from_secs(600)));
        // SAFETY: the port is not running, and the gate is idle.
        port.started.with_mut(|started| unsafe { *started = false });
        start(&port);
        lcore.join().unwrap();
    });
}

/// Law: a queue has one user at a time.
#[test]
fn a_queue_is_taken_once() {
    loom::model(|| {
        let gate = loom::sync::Arc::new(Gate::default());
        let taker = {
            let gate = gate.clone();
            thread::spawn(move || gate.take())
        };
        let here = gate.take();
        assert!(here != taker.join().unwrap(), "one of the two has it");
        gate.give_back();
        assert!(gate.take());
    });
}
