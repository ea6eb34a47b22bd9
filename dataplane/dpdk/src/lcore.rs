//! Closures on lcores, in the manner of `std::thread::scope`.
//!
//! Input: closures, which may borrow from the caller, and the lcores to run them on. Output: the
//! end of [`Eal::scope`], which is reached when every closure has returned.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use dpdk_sys as sys;

use crate::affinity::Affinity;
use crate::lock::lock;
use crate::{Eal, Error, LcoreId};

/// The scope in which closures are launched on lcores; see [`Eal::scope`].
#[derive(Debug)]
pub struct LcoreScope<'scope, 'env: 'scope> {
    eal: &'env Eal,
    /// The lcores to wait for at the end.
    launched: Mutex<Vec<LcoreId>>,
    /// The number of closures that have not returned.
    running: Mutex<usize>,
    /// Signalled whenever a closure returns.
    returned: Condvar,
    /// Both lifetimes are invariant, as in `std::thread::Scope`.
    _scope: PhantomData<&'scope mut &'scope ()>,
    _env: PhantomData<&'env mut &'env ()>,
}

/// A launched closure. It is boxed twice, because C carries one thin pointer.
type Job<'scope> = Box<dyn FnOnce() + Send + 'scope>;

impl Eal {
    /// Runs `body`, which may launch closures on worker lcores, and waits for all of them before it
    /// returns.
    ///
    /// So the closures may borrow what lives around the call: ports, pools, flags. The caller tells
    /// them to end by means of its own. The wait sleeps; it does not spin on the caller's CPU.
    pub fn scope<'env, T>(
        &'env self,
        body: impl for<'scope> FnOnce(&'scope LcoreScope<'scope, 'env>) -> T,
    ) -> T {
        let scope = LcoreScope {
            eal: self,
            launched: Mutex::new(Vec::new()),
            running: Mutex::new(0),
            returned: Condvar::new(),
            _scope: PhantomData,
            _env: PhantomData,
        };
        // A panic must not leave this frame while lcores borrow from it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| body(&scope)));
        scope.wait();
        outcome.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }
}

impl<'scope> LcoreScope<'scope, '_> {
    /// Starts `body` on a worker lcore (rte_eal_remote_launch).
    ///
    /// A panic in `body` ends the process with a message. DPDK's thread cannot unwind, and an
    /// appliance that forwards on the remaining lcores only would hide the fault.
    ///
    /// # Errors
    ///
    /// [`Error::NotAWorker`] for the main lcore or one that is not enabled; EBUSY when the lcore
    /// still runs a closure.
    pub fn launch<F>(&'scope self, lcore: LcoreId, body: F) -> Result<(), Error>
    where
        F: FnOnce() + Send + 'scope,
    {
        if lcore == self.eal.main_lcore() || !self.eal.lcores().contains(&lcore) {
            return Err(Error::NotAWorker(lcore));
        }
        let job: Job<'scope> = Box::new(move || {
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(body)) {
                abort_after_panic(lcore, panic.as_ref());
            }
            *lock(&self.running) -= 1;
            self.returned.notify_all();
        });
        let job = Box::into_raw(Box::new(job));

        let _launching = lock(&self.eal.launching);
        *lock(&self.running) += 1;
        // SAFETY: lcore is an enabled worker, and `launching` keeps other launchers out. run_job
        // takes back the pointer that Box::into_raw gave. The closure's borrows last for 'scope,
        // and Eal::scope does not return before the closure has.
        let code = unsafe { sys::rte_eal_remote_launch(Some(run_job), job.cast(), lcore.0) };
        if code != 0 {
            *lock(&self.running) -= 1;
            // SAFETY: the lcore did not take the job, so it is still ours and was made by
            // Box::into_raw.
            drop(unsafe { Box::from_raw(job) });
            return Err(Error::returned("rte_eal_remote_launch", lcore, code));
        }
        lock(&self.launched).push(lcore);
        Ok(())
    }

    /// Runs `body` on this thread as the main lcore: on the CPUs that the EAL chose for it.
    /// Afterwards the thread is back on its own CPUs. For a program whose only lcore is the main
    /// one.
    ///
    /// # Errors
    ///
    /// [`Error::NotMainThread`] on any thread but that of [`Eal::init`].
    pub fn run_main<T>(&self, body: impl FnOnce() -> T) -> Result<T, Error> {
        if thread::current().id() != self.eal.main_thread {
            return Err(Error::NotMainThread);
        }
        let own = Affinity::of_this_thread()?;
        self.eal.main_affinity.apply()?;
        let result = body();
        own.apply()?;
        Ok(result)
    }

    /// Sleeps until every closure has returned.
    fn wait(&self) {
        let mut running = lock(&self.running);
        while *running > 0 {
            running = self.returned.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        drop(running);
        // The closures have returned, but their lcores may still be on the way to DPDK's own loop,
        // inside notify_all on our Condvar. rte_eal_wait_lcore spins for these few instructions.
        for lcore in lock(&self.launched).drain(..) {
            // SAFETY: lcore was launched by this scope and is an enabled worker. The return value
            // is run_job's.
            unsafe { sys::rte_eal_wait_lcore(lcore.0) };
        }
    }
}

/// Runs a job on an lcore.
unsafe extern "C" fn run_job(job: *mut c_void) -> c_int {
    // SAFETY: launch passes a pointer from Box::into_raw of a Box<Job>, to one lcore, once. The
    // lifetime is erased here; launch says why the borrows hold.
    let job = unsafe { Box::from_raw(job.cast::<Job<'_>>()) };
    job();
    0
}

/// Prints which lcore panicked and why, and ends the process.
fn abort_after_panic(lcore: LcoreId, panic: &(dyn Any + Send)) -> ! {
    let why = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown reason");
    // Without a standard error the message is lost; the process ends all the same.
    let _ = writeln!(std::io::stderr(), "{lcore} panicked: {why}; aborting");
    process::abort();
}
