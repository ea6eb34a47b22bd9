//! The time stamp counter: the clock that an lcore may read.

use dpdk_sys as sys;

use crate::Eal;

/// The time stamp counter of the CPU that runs this thread, in cycles (rte_rdtsc).
///
/// Not ordered with the instructions around it; [`tsc_hz`] tells the rate. It is not a system call.
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

/// The rate of [`tsc`] in cycles per second, as the EAL measured it at its start; it asks for the [`Eal`]
/// because there is none before.
#[must_use]
pub fn tsc_hz(_eal: &Eal) -> u64 {
    // SAFETY: rte_get_tsc_hz returns a variable that rte_eal_init set; the Eal shows that it ran.
    unsafe { sys::rte_get_tsc_hz() }
}
