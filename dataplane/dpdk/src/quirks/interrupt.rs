//! Calls on the EAL's interrupt thread, and its end.
//!
//! Two races of DPDK 22.11 are avoided here. Both end in a crash when a memif peer goes at the
//! wrong moment:
//!
//! - net_memif works on its control connection both on the interrupt thread (handshake, lost peer)
//!   and on the thread that starts, stops or closes the port. One frees what the other still uses.
//!   When these calls run on the interrupt thread too, they come between its events and not into
//!   them.
//! - rte_eal_cleanup wakes the interrupt thread and then unmaps memory that the thread reads. A
//!   thread that is parked in a callback that never returns reads nothing.

use std::ffi::{c_int, c_void};
use std::sync::mpsc;
use std::thread;

use dpdk_sys as sys;

use super::unmap::this_is_the_interrupt_thread;
use crate::Error;

/// A closure for the interrupt thread. It is boxed twice, because C carries one thin pointer.
type Job = Box<dyn FnOnce() + Send>;

/// Runs `call` on the interrupt thread and returns its result.
///
/// Waits until that thread has finished what it is doing. Its longest wait of its own is for a peer
/// or for a burst call, and both have an upper bound (`dpdk-sys/quirks.c`, `unmap.rs`).
///
/// # Errors
///
/// The EAL cannot set an alarm. `call` does not run then.
///
/// # Safety
///
/// The EAL is initialised, `call` may be called with `port` on any thread, and the caller is not
/// the interrupt thread.
pub(crate) unsafe fn on_interrupt_thread(
    call: unsafe extern "C" fn(port: u16) -> c_int,
    port: u16,
) -> Result<c_int, Error> {
    let (reply, result) = mpsc::channel();
    // SAFETY: the caller's promise, for both.
    unsafe {
        submit(Box::new(move || {
            this_is_the_interrupt_thread();
            // The receiver is not gone: it waits for this message.
            let _ = reply.send(call(port));
        }))?;
    }
    // The sender is only dropped after it has sent.
    Ok(result.recv().unwrap_or(-libc::EIO))
}

/// Keeps the interrupt thread from ever doing anything again, and returns when it has stopped.
///
/// A descriptor of its own wakes the thread, and not an alarm: rte_eal_cleanup waits until no
/// alarm's callback is running.
///
/// # Errors
///
/// No descriptor is left, or the EAL does not watch it. The thread runs on then.
///
/// # Safety
///
/// The EAL is initialised, rte_eal_cleanup follows, and the caller is not the interrupt thread.
pub(crate) unsafe fn park_interrupt_thread() -> Result<(), Error> {
    // SAFETY: eventfd has no precondition. The descriptor is readable from the start. It is never
    // closed: the EAL watches it as long as the process lives.
    let fd = unsafe { libc::eventfd(1, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(Error::from_errno("eventfd"));
    }
    let (reply, parked) = mpsc::channel();
    let job: Job = Box::new(move || {
        // The receiver is not gone: it waits for this message.
        let _ = reply.send(());
        loop {
            thread::park();
        }
    });
    let job = Box::into_raw(Box::new(job));
    // SAFETY: the EAL is initialised. run_job takes back the pointer that Box::into_raw gave, and
    // does so once, because it does not return.
    let code = unsafe { sys::quirks_watch_fd(fd, Some(run_job), job.cast()) };
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

/// Has the interrupt thread run `job` as soon as it can. Alarms expire there.
///
/// # Safety
///
/// The EAL is initialised.
unsafe fn submit(job: Job) -> Result<(), Error> {
    let job = Box::into_raw(Box::new(job));
    // SAFETY: the EAL is initialised. run_job takes back the pointer that Box::into_raw gave, once:
    // the alarm is never cancelled. One microsecond is the shortest time that DPDK takes.
    let code = unsafe { sys::rte_eal_alarm_set(1, Some(run_job), job.cast()) };
    if code != 0 {
        // SAFETY: no alarm was set, so the job is still ours and was made by Box::into_raw.
        drop(unsafe { Box::from_raw(job) });
        return Err(Error::returned("rte_eal_alarm_set", "the interrupt thread", code));
    }
    Ok(())
}

/// Runs a job on the interrupt thread. Jobs do not panic.
unsafe extern "C" fn run_job(job: *mut c_void) {
    // SAFETY: the pointer is from Box::into_raw of a Box<Job>, and was given to one alarm or
    // descriptor.
    let job = unsafe { Box::from_raw(job.cast::<Job>()) };
    job();
}
