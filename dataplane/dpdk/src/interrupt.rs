//! Calls on the EAL's interrupt thread.
//!
//! Two races of DPDK 22.11 are avoided here, both seen as crashes when a memif peer goes at the wrong moment:
//!
//! - net_memif works on its control connection both in the interrupt thread (handshake, lost peer) and in whoever
//!   starts, stops or closes the port; what the one frees the other still uses. Run on that thread itself, these calls
//!   come between its events and not into them.
//! - Closing a port wakes the interrupt thread (drivers unregister), and rte_eal_cleanup unmaps the memory that the
//!   thread then reads. Settled first, it has read what it will. (It cannot be stopped for good: rte_eal_cleanup waits
//!   for a callback that is running.)

use std::ffi::{c_int, c_void};
use std::sync::mpsc;

use dpdk_sys as sys;

use crate::Error;

/// What the interrupt thread is to do, on its way through C, which carries one thin pointer.
type Job = Box<dyn FnOnce() + Send>;

/// Runs `call` on the interrupt thread and waits for what it returns.
///
/// # Safety
///
/// The EAL is initialised, `call` may be called with `port` on any thread, and the caller is not the interrupt
/// thread.
pub(crate) unsafe fn on_interrupt_thread(
    call: unsafe extern "C" fn(port: u16) -> c_int,
    port: u16,
) -> Result<c_int, Error> {
    let (reply, result) = mpsc::channel();
    // SAFETY: the caller's promise, for both.
    unsafe {
        submit(Box::new(move || {
            // The receiver waits for this; it cannot be gone.
            let _ = reply.send(call(port));
        }))?;
    }
    // The sender is only dropped after it has sent.
    Ok(result.recv().unwrap_or(-libc::EIO))
}

/// Returns when the interrupt thread has dealt with everything that it was woken for before the call.
///
/// # Safety
///
/// The EAL is initialised, and the caller is not the interrupt thread.
pub(crate) unsafe fn settle_interrupt_thread() -> Result<(), Error> {
    let (reply, settled) = mpsc::channel();
    // SAFETY: the caller's promise.
    unsafe {
        submit(Box::new(move || {
            let _ = reply.send(());
        }))?;
    }
    // The sender is only dropped after it has sent.
    let _ = settled.recv();
    Ok(())
}

/// Has the interrupt thread run `job` as soon as it can: alarms expire there.
///
/// # Safety
///
/// The EAL is initialised.
unsafe fn submit(job: Job) -> Result<(), Error> {
    let job = Box::into_raw(Box::new(job));
    // SAFETY: the EAL is initialised; run_job takes back exactly what Box::into_raw gave, once: the alarm is never
    // cancelled. One microsecond is the shortest that DPDK takes.
    let code = unsafe { sys::rte_eal_alarm_set(1, Some(run_job), job.cast()) };
    if code != 0 {
        // SAFETY: no alarm was set, so the job is still ours and was made by Box::into_raw.
        drop(unsafe { Box::from_raw(job) });
        return Err(Error::returned("rte_eal_alarm_set", "the interrupt thread", code));
    }
    Ok(())
}

/// What the interrupt thread calls. Jobs do not panic.
unsafe extern "C" fn run_job(job: *mut c_void) {
    // SAFETY: submit passes a pointer from Box::into_raw of a Box<Job>, to one alarm.
    let job = unsafe { Box::from_raw(job.cast::<Job>()) };
    job();
}
