//! The CPUs that a thread may run on, to be saved before the EAL changes them and restored
//! afterwards.

use std::fmt;
use std::mem::MaybeUninit;

use crate::Error;

/// The CPUs that a thread may run on.
#[derive(Clone)]
pub(crate) struct Affinity(libc::cpu_set_t);

impl Affinity {
    /// Returns the CPUs of the calling thread.
    pub(crate) fn of_this_thread() -> Result<Self, Error> {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: 0 is the calling thread and set has the size given. All bit patterns are valid.
        unsafe {
            if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) != 0 {
                return Err(Error::from_errno("sched_getaffinity"));
            }
            Ok(Self(set.assume_init()))
        }
    }

    /// Moves the calling thread to these CPUs.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        // SAFETY: 0 is the calling thread and the set has the size given.
        match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.0) } {
            0 => Ok(()),
            _ => Err(Error::from_errno("sched_setaffinity")),
        }
    }
}

impl fmt::Debug for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpus = 0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        // SAFETY: CPU_ISSET reads the bit of a CPU below CPU_SETSIZE.
        f.debug_set().entries(cpus.filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &self.0) })).finish()
    }
}
