//! Receive and transmit queues: the packet path.
//!
//! Input: a [`Burst`] and a queue that its port has handed out. Output: frames received into the
//! burst, or frames sent from it; one FFI call per burst and direction.
//!
//! DPDK does not allow a queue to be polled while another thread starts or stops its port, but a
//! lost link must be repaired while lcores poll. So every call goes through the queue's gate
//! (`gate.rs`), which costs an uncontended atomic exchange on a cache line that only the queue's
//! lcore writes.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;

use dpdk_sys as sys;

use crate::gate::Gate;
use crate::mbuf::{Burst, CAPACITY};
use crate::quirks::long_frames::Longest;
use crate::{Error, PortId, QueueId};

/// The outcome of one [`TxQueue::send`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames that the device took.
    pub sent: usize,
    /// Frames that the device did not take, and that were freed.
    pub dropped: usize,
}

/// One direction of a queue. It is the queue's only user until it is dropped.
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
        if !gate.take() {
            return Err(Error::QueueTaken(port, queue));
        }
        Ok(Self { port, queue, running, gate, _not_sync: PhantomData })
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        self.gate.give_back();
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

    /// Fills `burst` with up to `max` frames (at most [`CAPACITY`]) and returns how many there
    /// were. Frames that are still in `burst` are freed first. A stopped port has no frames.
    #[inline]
    pub fn receive(&mut self, burst: &mut Burst<'p>, max: usize) -> usize {
        let Handle { port, queue, running, gate, .. } = &self.0;
        let max = u16::try_from(max.min(CAPACITY)).unwrap_or(u16::MAX);
        // SAFETY: the array has room for CAPACITY >= max. The port is started and stays so during
        // the call (Gate), the queue exists (Handle::new) and self is its only user. The mbufs that
        // rx_burst returns are owned by the caller and from a pool that lives as long as the Eal,
        // which the port borrows.
        unsafe {
            burst.refill(|mbufs| {
                gate.pass(running, || usize::from(sys::shim_rx_burst(port.0, queue.0, mbufs, max)))
                    .unwrap_or(0)
            })
        }
    }

    /// Returns the port of this queue.
    #[must_use]
    pub fn port(&self) -> PortId {
        self.0.port
    }

    /// Returns the number of this queue.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        self.0.queue
    }
}

/// The sending end of a queue. One exists per queue; dropping it lets the port hand out another.
#[derive(Debug)]
pub struct TxQueue<'p> {
    handle: Handle<'p>,
    /// The bound of a device that discards longer frames without a word.
    longest: Option<&'p Longest>,
}

impl<'p> TxQueue<'p> {
    pub(crate) fn new(
        port: PortId,
        queue: QueueId,
        running: &'p AtomicBool,
        gates: &'p [Gate],
        longest: Option<&'p Longest>,
    ) -> Result<Self, Error> {
        Ok(Self { handle: Handle::new(port, queue, running, gates)?, longest })
    }

    /// Sends the frames of `burst`, which is empty afterwards. Frames that the device does not take,
    /// or that are too long for its kernel interface, are freed and counted as dropped; a stopped
    /// port takes none.
    #[inline]
    pub fn send(&mut self, burst: &mut Burst<'_>) -> Sent {
        let Handle { port, queue, running, gate, .. } = &self.handle;
        let len = burst.len();
        if let Some(longest) = self.longest {
            longest.keep(burst);
        }
        // SAFETY: as in receive; tx_burst owns the first n mbufs, n being what it returns, and
        // their pools live as long as the Eal. A burst has at most CAPACITY frames, which fits 16
        // bits.
        let sent = unsafe {
            burst.empty_into(|mbufs, n| {
                gate.pass(running, || usize::from(sys::shim_tx_burst(port.0, queue.0, mbufs, n as u16)))
                    .unwrap_or(0)
            })
        };
        Sent { sent, dropped: len - sent }
    }

    /// Returns the port of this queue.
    #[must_use]
    pub fn port(&self) -> PortId {
        self.handle.port
    }

    /// Returns the number of this queue.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        self.handle.queue
    }
}
