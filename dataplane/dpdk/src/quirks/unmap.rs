//! Keeps memory mapped that an lcore may be reading.
//!
//! When its server goes, a net_memif client unmaps the rings on the EAL's interrupt thread, and does not wait for an
//! lcore that is inside a burst on them: the lcore, put aside there for the moment by the scheduler, would come back to
//! memory that has gone. So that thread's calls of munmap wait here until no burst is in flight on such a port. A burst
//! that begins later finds the port unconnected, because the driver marks it so before it unmaps anything.
//!
//! Without this, an lcore that is stopped inside the driver while its peer is killed ends the process by SIGSEGV, at the
//! first try of `tests/tests/frozen_lcore.rs`.
//!
//! The wait has its place in the C library's own munmap, which the shim defines anew for the process.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{Ordering, fence};

use dpdk_sys as sys;

use crate::lock::lock;
use crate::queue::Gate;

/// The queues of open ports whose driver unmaps rings.
static GUARDED: Mutex<Vec<Gates>> = Mutex::new(Vec::new());

/// The gates of a port's queues in one direction.
struct Gates(*const [Gate]);

// SAFETY: gates are shared between threads by design; Guard takes the pointer away before they are dropped.
unsafe impl Send for Gates {}

thread_local! {
    static ON_INTERRUPT_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, the rings of these queues stay mapped as long as a burst is in flight on one.
#[derive(Debug)]
pub(crate) struct Guard([*const [Gate]; 2]);

// SAFETY: it only compares the pointers.
unsafe impl Send for Guard {}
// SAFETY: as for Send.
unsafe impl Sync for Guard {}

impl Guard {
    /// Guards the queues of a port.
    ///
    /// # Safety
    ///
    /// The gates outlive the guard.
    pub(crate) unsafe fn new(rx: &[Gate], tx: &[Gate]) -> Self {
        let guard = Self([rx, tx].map(std::ptr::from_ref));
        lock(&GUARDED).extend(guard.0.map(Gates));
        // SAFETY: the function may be called at any time and on any thread.
        unsafe { sys::shim_before_munmap(Some(wait_for_bursts)) };
        guard
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&GUARDED).retain(|gates| !self.0.iter().any(|ours| std::ptr::addr_eq(*ours, gates.0)));
    }
}

/// Tells this module which thread the interrupt thread is; called there.
pub(crate) fn this_is_the_interrupt_thread() {
    ON_INTERRUPT_THREAD.set(true);
}

/// Called before every munmap of the process.
unsafe extern "C" fn wait_for_bursts() {
    // Not while a thread ends and its variables are gone: that is not the interrupt thread, which never ends.
    if !ON_INTERRUPT_THREAD.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    // The driver's mark that the port is unconnected must be seen by whoever is not seen to be busy below.
    fence(Ordering::SeqCst);
    for gates in lock(&GUARDED).iter() {
        // SAFETY: the gates live as long as their guard, whose Drop needs this lock.
        unsafe { &*gates.0 }.iter().for_each(Gate::wait_until_idle);
    }
}
