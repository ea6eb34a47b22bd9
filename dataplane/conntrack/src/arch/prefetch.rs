//! Prefetching: loads cache lines ahead of their use.

/// Prefetches the cache line of `item` into the second-level cache.
///
/// The second level has room for more lines on their way than the first: a prefetch beyond that
/// room stalls the CPU, or is dropped, so that the load that needs the line waits for all of it.
/// `docs/performance.md` has what both CPUs of the lab do.
#[inline(always)]
pub(crate) fn prefetch<T>(item: *const T) {
    #[cfg(target_arch = "x86_64")]
    hint::<{ core::arch::x86_64::_MM_HINT_T1 }, T>(item);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

/// Prefetches the cache line of `item` into the first-level cache.
///
/// This suits few lines that are used right away, as those of aging, and the lines of packets that
/// a full table refuses, whose counters stay unread. In both cases the second level brought little
/// on one of the lab's CPUs, for an unknown reason.
#[inline(always)]
pub(crate) fn prefetch_near<T>(item: *const T) {
    #[cfg(target_arch = "x86_64")]
    hint::<{ core::arch::x86_64::_MM_HINT_T0 }, T>(item);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hint<const LEVEL: i32, T>(item: *const T) {
    // SAFETY: a prefetch has no effect that a program can see, whatever the address; SSE is part of
    // x86_64.
    unsafe { core::arch::x86_64::_mm_prefetch::<LEVEL>(item.cast()) };
}
