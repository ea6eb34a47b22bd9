//! Keeps memory mapped that an lcore may be reading.
//!
//! When the peer of a net_memif port goes, the driver unmaps the port's rings on the EAL's
//! interrupt thread. It does not wait for an lcore that is inside a burst call on them. If the
//! scheduler has put the lcore aside there, it comes back to memory that is no longer mapped.
//!
//! So every `munmap` of the process asks [`may_unmap`] first (`dpdk-sys/quirks.c`). On the
//! interrupt thread it waits until no burst call is in flight on a guarded port; on other threads
//! it returns at once. A burst call that begins later finds the port unconnected, because the
//! driver marks it so before it unmaps anything.
//!
//! The wait has an upper bound. After [`LIMIT`] the memory stays mapped for the rest of the
//! process, and the interrupt thread goes on.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dpdk_sys as sys;

use crate::gate::Gate;
use crate::lock::lock;

/// The longest wait for burst calls in one `munmap`. A burst call takes microseconds, so the bound
/// is only reached when an lcore does not get to run at all. Tests wait less.
const LIMIT: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(10) };

/// The queues of open ports whose driver unmaps rings, one element per port and direction.
static GUARDED: Mutex<Vec<Arc<[Gate]>>> = Mutex::new(Vec::new());

thread_local! {
    static ON_INTERRUPT_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Has every `munmap` of the process ask [`may_unmap`] first. Called before the EAL starts.
pub(crate) fn install() {
    // SAFETY: may_unmap may be called at any time and on any thread.
    unsafe { sys::quirks_before_munmap(Some(may_unmap)) };
}

/// Guards the queues of one port until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard([Arc<[Gate]>; 2]);

impl Guard {
    /// Guards the receive and transmit queues of a port.
    pub(crate) fn new(rx: &Arc<[Gate]>, tx: &Arc<[Gate]>) -> Self {
        let guard = Self([rx, tx].map(Arc::clone));
        lock(&GUARDED).extend(guard.0.iter().cloned());
        guard
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&GUARDED).retain(|gates| !self.0.iter().any(|ours| Arc::ptr_eq(ours, gates)));
    }
}

/// Marks the calling thread as the EAL's interrupt thread.
pub(crate) fn this_is_the_interrupt_thread() {
    ON_INTERRUPT_THREAD.set(true);
}

/// Returns 1 when the caller may unmap memory, and 0 when it must stay mapped. Called by `munmap`.
unsafe extern "C" fn may_unmap() -> c_int {
    // A thread that ends has lost its variables. The interrupt thread does not end.
    let guarded = ON_INTERRUPT_THREAD.try_with(Cell::get).unwrap_or(false);
    c_int::from(!guarded || bursts_end_within(LIMIT))
}

/// Waits until no burst call is in flight on a guarded port. Returns `false` when one still is
/// after `limit`.
fn bursts_end_within(limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    // Orders the driver's mark that the port is unconnected before the looks at the gates. A call
    // that is not seen here sees the mark.
    fence(Ordering::SeqCst);
    lock(&GUARDED).iter().all(|gates| gates.iter().all(|gate| gate.wait_until_idle(deadline)))
}

#[cfg(test)]
#[path = "unmap_tests.rs"]
mod tests;
