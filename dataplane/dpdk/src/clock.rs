//! The time stamp counter: the clock that an lcore may read.

use dpdk_sys as sys;

use crate::Eal;

/// Reads the time stamp counter of the CPU that runs this thread, in cycles (rte_rdtsc).
///
/// The read is not ordered with the instructions around it, and is no system call. [`tsc_hz`]
/// returns the rate.
#[inline]
#[must_use]
pub fn tsc() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86_64 CPU has RDTSC.
    #[allow(unused_unsafe, reason = "a safe function in newer releases of the standard library")]
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: shim_rdtsc reads a counter register and has no precondition.
    unsafe {
        sys::shim_rdtsc()
    }
}

/// Returns the rate of [`tsc`] in cycles per second. The EAL measures it when it starts, so there
/// is none without an [`Eal`].
#[must_use]
pub fn tsc_hz(_eal: &Eal) -> u64 {
    // SAFETY: rte_get_tsc_hz returns a variable that rte_eal_init set; the Eal shows that it ran.
    unsafe { sys::rte_get_tsc_hz() }
}
