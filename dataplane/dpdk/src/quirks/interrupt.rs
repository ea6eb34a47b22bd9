//! Calls on the EAL's interrupt thread.
//!
//! Two races of DPDK 22.11 are avoided here, both seen as crashes when a memif peer goes at the wrong moment:
//!
//! - net_memif works on its control connection both in the interrupt thread (handshake, lost peer) and in whoever
//!   starts, stops or closes the port; what the one frees the other still uses. Run on that thread itself, these calls
//!   come between its events and not into them.
//! - rte_eal_cleanup wakes the interrupt thread and unmaps the memory that the thread then reads. Parked first, in a
//!   callback that does not return, it reads nothing.

use std::ffi::{c_int, c_void};
use std::sync::mpsc;
use std::thread;

use dpdk_sys as sys;

use super::unmap::this_is_the_interrupt_thread;
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
            this_is_the_interrupt_thread();
            // The receiver waits for this; it cannot be gone.
            let _ = reply.send(call(port));
        }))?;
    }
    // The sender is only dropped after it has sent.
    Ok(result.recv().unwrap_or(-libc::EIO))
}

/// Keeps the interrupt thread from ever doing anything again, and returns when it has stopped.
///
/// Not by an alarm: rte_eal_cleanup waits until no alarm is being served.
///
/// # Safety
///
/// The EAL is initialised, rte_eal_cleanup follows, and the caller is not the interrupt thread.
pub(crate) unsafe fn park_interrupt_thread() -> Result<(), Error> {
    // SAFETY: eventfd has no precondition. The descriptor is readable from the start and is never closed: the EAL
    // watches it as long as the process lives.
    let fd = unsafe { libc::eventfd(1, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(Error::from_errno("eventfd"));
    }
    let (reply, parked) = mpsc::channel();
    let job: Job = Box::new(move || {
        // The receiver waits for this; it cannot be gone.
        let _ = reply.send(());
        loop {
            thread::park();
        }
    });
    let job = Box::into_raw(Box::new(job));
    // SAFETY: the EAL is initialised; run_job takes back exactly what Box::into_raw gave, and once, for it does not
    // return.
    let code = unsafe { sys::shim_watch_fd(fd, Some(run_job), job.cast()) };
    if code != 0 {
        // SAFETY: nothing was registered, so job and descriptor are still ours.
        unsafe {
            drop(Box::from_raw(job));
            libc::close(fd);
        }
        return Err(Error::returned("rte_intr_callback_register", "the interrupt thread", code));
    }
    // The sender is only dropped after it has sent.
    let _ = parked.recv();
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
