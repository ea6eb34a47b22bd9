//! Large allocations in large pages, without hugepages that somebody must reserve.
//!
//! A lookup in a large table touches one cache line anywhere in its memory. With small pages, the
//! address of that line may have to be translated by a walk through memory each time.
//! [`LargePages`] asks the kernel for transparent huge pages (madvise(2), MADV_HUGEPAGE) before an
//! allocation is first touched. The kernel gives them where
//! `/sys/kernel/mm/transparent_hugepage/enabled` is `madvise` or `always` and memory is not too
//! fragmented. [`in_large_pages`] returns how much it gave.
//!
//! Whether large pages help depends on the machine: in a guest, the host decides how memory is
//! mapped.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;

/// The size in bytes of a transparent huge page on x86-64, and on arm64 with pages of 4 KiB.
const LARGE: usize = 2 << 20;

/// The system's allocator, except that an allocation of at least a large page begins at a page
/// border and asks for large pages. For `#[global_allocator]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LargePages;

/// Returns the layout that the system's allocator is asked for.
fn real(layout: Layout) -> Layout {
    if layout.size() < LARGE { layout } else { layout.align_to(LARGE).unwrap_or(layout) }
}

// SAFETY: all memory is System's. It is given back with the layout that it was asked for with,
// which depends on the caller's layout only.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let real = real(layout);
        // SAFETY: the caller's promise about `layout` holds for `real`, which has the same size.
        let memory = unsafe { System.alloc(real) };
        if !memory.is_null() && real.align() >= LARGE {
            // SAFETY: advice about the allocation's own pages. A refusal leaves them small.
            unsafe { libc::madvise(memory.cast(), real.size(), libc::MADV_HUGEPAGE) };
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `alloc` made it with this layout.
        unsafe { System.dealloc(memory, real(layout)) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size` makes a layout.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if layout.size() < LARGE && size < LARGE {
            // SAFETY: both are System's own.
            return unsafe { System.realloc(memory, layout, size) };
        }
        // SAFETY: as the caller promises; the old memory is `layout.size()` long and the new one
        // `size`.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
        }
    }
}

/// Returns the bytes of this process that are in transparent huge pages now (`AnonHugePages` of
/// `/proc/self/smaps_rollup`); `None` where the kernel has no such file.
#[must_use]
pub fn in_large_pages() -> Option<u64> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes =
        rollup.lines().find_map(|line| line.strip_prefix("AnonHugePages:"))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
