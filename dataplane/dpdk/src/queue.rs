//! Receive and transmit queues: the packet path.
//!
//! One FFI call per burst and direction. DPDK does not allow a queue to be polled while its port is stopped or
//! started by another thread, and a lost link must be repaired while lcores poll. So each queue has a flag "a
//! call is in flight" and each port one "is running"; a poll costs one uncontended atomic exchange on a cache line
//! that only its lcore writes, and [`Port::stop`](crate::Port::stop) waits until no call is in flight.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use dpdk_sys as sys;

use crate::mbuf::{Burst, CAPACITY};
use crate::{Error, PortId};

/// A receive or transmit queue of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u16);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue {}", self.0)
    }
}

/// What one [`TxQueue::send`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames that the device took.
    pub sent: usize,
    /// Frames that it did not take, and that were freed.
    pub dropped: usize,
}

/// The flags of one queue, alone on their cache lines (two, because CPUs prefetch pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Gate {
    /// A burst call is in flight.
    busy: AtomicBool,
    /// The queue has a handle.
    taken: AtomicBool,
}

impl Gate {
    /// Runs `call` unless the port is stopped.
    ///
    /// `busy` is set before `running` is read, and [`Port::stop`](crate::Port::stop) clears `running` before it
    /// reads `busy`; with sequential consistency at least one of the two sees the other.
    #[inline]
    fn pass<T>(&self, running: &AtomicBool, call: impl FnOnce() -> T) -> Option<T> {
        self.busy.swap(true, Ordering::SeqCst);
        let result = running.load(Ordering::SeqCst).then(call);
        self.busy.store(false, Ordering::Release);
        result
    }

    /// Whether no call is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        !self.busy.load(Ordering::SeqCst)
    }

    /// Waits until no call is in flight. Calls are a burst long and none begins once `running` is false.
    pub(crate) fn wait_until_idle(&self) {
        while !self.is_idle() {
            std::thread::yield_now();
        }
    }

    fn take(&self, port: PortId, queue: QueueId) -> Result<(), Error> {
        if self.taken.swap(true, Ordering::AcqRel) { Err(Error::QueueTaken(port, queue)) } else { Ok(()) }
    }
}

/// One end of a queue, alone responsible for it until it is dropped.
#[derive(Debug)]
struct Handle<'p> {
    port: PortId,
    queue: QueueId,
    running: &'p AtomicBool,
    gate: &'p Gate,
    /// A queue has one user at a time: it can be sent to another thread, but not shared.
    _not_sync: PhantomData<Cell<()>>,
}

impl<'p> Handle<'p> {
    fn new(port: PortId, queue: QueueId, running: &'p AtomicBool, gates: &'p [Gate]) -> Result<Self, Error> {
        let gate = gates.get(usize::from(queue.0)).ok_or(Error::NoSuchQueue(port, queue))?;
        gate.take(port, queue)?;
        Ok(Self { port, queue, running, gate, _not_sync: PhantomData })
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        self.gate.taken.store(false, Ordering::Release);
    }
}

/// The receiving end of a queue. One exists per queue; dropping it lets the port hand out another.
#[derive(Debug)]
pub struct RxQueue<'p>(Handle<'p>);

impl<'p> RxQueue<'p> {
    pub(crate) fn new(
        port: PortId,
        queue: QueueId,
        running: &'p AtomicBool,
        gates: &'p [Gate],
    ) -> Result<Self, Error> {
        Handle::new(port, queue, running, gates).map(Self)
    }

    /// Fills `burst` with up to `max` frames (at most [`CAPACITY`]) and returns how many there were. Frames that
    /// are still in `burst` are freed first. A stopped port has none.
    #[inline]
    pub fn receive(&mut self, burst: &mut Burst<'p>, max: usize) -> usize {
        let Handle { port, queue, running, gate, .. } = &self.0;
        let max = u16::try_from(max.min(CAPACITY)).unwrap_or(u16::MAX);
        // SAFETY: the array has room for CAPACITY >= max. The port is started and stays so during the call
        // (Gate), the queue exists (Handle::new) and self is its only user. What rx_burst returns is owned by the
        // caller and from a pool that lives as long as the Eal, which the port borrows.
        unsafe {
            burst.refill(|mbufs| {
                gate.pass(running, || usize::from(sys::shim_rx_burst(port.0, queue.0, mbufs, max)))
                    .unwrap_or(0)
            })
        }
    }

    /// The port of this queue.
    #[must_use]
    pub fn port(&self) -> PortId {
        self.0.port
    }

    /// The number of this queue.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        self.0.queue
    }
}

/// The sending end of a queue. One exists per queue; dropping it lets the port hand out another.
#[derive(Debug)]
pub struct TxQueue<'p>(Handle<'p>);

impl<'p> TxQueue<'p> {
    pub(crate) fn new(
        port: PortId,
        queue: QueueId,
        running: &'p AtomicBool,
        gates: &'p [Gate],
    ) -> Result<Self, Error> {
        Handle::new(port, queue, running, gates).map(Self)
    }

    /// Sends all frames of `burst`, which is empty afterwards. What the device does not take, all when the port
    /// is stopped, is freed and counted.
    #[inline]
    pub fn send(&mut self, burst: &mut Burst<'_>) -> Sent {
        let Handle { port, queue, running, gate, .. } = &self.0;
        let len = burst.len();
        // SAFETY: as in receive; tx_burst owns the first n mbufs, n being what it returns, and their pools live
        // as long as the Eal. A burst has at most CAPACITY frames, which fits 16 bits.
        let sent = unsafe {
            burst.empty_into(|mbufs, n| {
                gate.pass(running, || usize::from(sys::shim_tx_burst(port.0, queue.0, mbufs, n as u16)))
                    .unwrap_or(0)
            })
        };
        Sent { sent, dropped: len - sent }
    }

    /// The port of this queue.
    #[must_use]
    pub fn port(&self) -> PortId {
        self.0.port
    }

    /// The number of this queue.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        self.0.queue
    }
}
