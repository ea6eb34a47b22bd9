//! The gate in front of a queue: a burst call passes it only while the port runs, and whoever stops
//! the port or unmaps its memory sees whether a call is inside.
//!
//! Two threads meet here. The lcore that polls the queue marks itself busy and then looks whether
//! the port runs. The other thread first revokes what the lcore is about to look at (the port's
//! `running` flag, or the driver's own mark that the port is connected) and then looks for busy
//! gates. Both sides are sequentially consistent, so at least one of the two sees the other. Loom tries
//! every interleaving in `tests/tests/interleavings.rs`.

use std::time::Instant;

use crate::sync::{AtomicBool, Ordering, yield_now};

/// The flags of one queue, on cache lines of their own: two, because CPUs prefetch pairs of lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Gate {
    /// A burst call is in flight.
    busy: AtomicBool,
    /// The queue has a handle.
    taken: AtomicBool,
}

impl Gate {
    /// Runs `call` and returns its result, or `None` without running it when the port is stopped.
    ///
    /// The caller is the queue's only user. A port that was running when `call` began stays started
    /// until `call` returns: [`Port::stop`](crate::Port::stop) waits for it.
    #[inline]
    pub(crate) fn pass<T>(&self, running: &AtomicBool, call: impl FnOnce() -> T) -> Option<T> {
        self.busy.swap(true, Ordering::SeqCst);
        let result = running.load(Ordering::SeqCst).then(call);
        self.busy.store(false, Ordering::Release);
        result
    }

    /// Waits until no call is in flight. Returns `false` when one still is at `deadline`.
    ///
    /// A call takes microseconds, unless the scheduler keeps its lcore from running. The gate is
    /// looked at once even if the deadline has passed.
    pub(crate) fn wait_until_idle(&self, deadline: Instant) -> bool {
        while self.busy.load(Ordering::SeqCst) {
            if Instant::now() >= deadline {
                return false;
            }
            yield_now();
        }
        true
    }

    /// Claims the queue for one handle. Returns `false` when another handle has it.
    pub(crate) fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    /// Lets the next handle claim the queue.
    pub(crate) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }
}
