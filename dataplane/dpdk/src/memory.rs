//! Large allocations in large pages, without hugepages that somebody must set aside.
//!
//! A lookup in a table of a million flows touches one cache line somewhere in 36 MiB, and with pages of 4 KiB its
//! address may have to be translated by a walk through memory each time. [`LargePages`] asks the kernel for transparent
//! huge pages of 2 MiB (madvise(2), MADV_HUGEPAGE) before an allocation is first touched; the kernel gives them where
//! `/sys/kernel/mm/transparent_hugepage/enabled` is `madvise` or `always` and memory is not too fragmented.
//! [`in_large_pages`] tells what it gave.
//!
//! Whether that helps is the machine's business: in a guest, whose memory its host maps as it likes, a hit took 26.0 ns
//! with and 27.5 ns without at 1M flows, 32.5 and 31.5 ns at 16M (`make bench LAB=tables`), which is no difference.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;

/// A transparent huge page on x86-64, and on arm64 with pages of 4 KiB. Bytes.
const LARGE: usize = 2 << 20;

/// The system's allocator; what is as large as a large page begins at one and asks for them. For
/// `#[global_allocator]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LargePages;

/// The layout with which an allocation is really made.
fn real(layout: Layout) -> Layout {
    if layout.size() < LARGE { layout } else { layout.align_to(LARGE).unwrap_or(layout) }
}

// SAFETY: all memory is System's, given back with the layout it was asked for with, which depends on the caller's
// layout only.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let real = real(layout);
        // SAFETY: the caller's promise about `layout` holds for `real`, which has the same size.
        let memory = unsafe { System.alloc(real) };
        if !memory.is_null() && real.align() >= LARGE {
            // SAFETY: advice about the allocation's own pages. When it is refused, they are small ones.
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
        // SAFETY: as the caller promises; the old memory is `layout.size()` long and the new one `size`.
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

/// Bytes of this process that are in transparent huge pages now (`AnonHugePages` of `/proc/self/smaps_rollup`); `None`
/// where the kernel does not tell.
#[must_use]
pub fn in_large_pages() -> Option<u64> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes =
        rollup.lines().find_map(|line| line.strip_prefix("AnonHugePages:"))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_keep_what_is_in_them_whatever_they_grow_and_shrink_to() {
        for sizes in [[100, LARGE + 5, 3 * LARGE, 7], [LARGE, LARGE - 1, LARGE + 1, 2 * LARGE]] {
            let mut size = 16;
            // SAFETY: within the allocation, which is used and given back as GlobalAlloc wants it.
            unsafe {
                let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
                let mut memory = LargePages.alloc(layout(size));
                memory.write_bytes(0xa5, size);
                for next in sizes {
                    memory = LargePages.realloc(memory, layout(size), next);
                    assert!(!memory.is_null());
                    if next >= LARGE {
                        assert_eq!(memory.align_offset(LARGE), 0, "{next} bytes begin at a large page");
                    }
                    for at in [0, size.min(next) / 2, size.min(next) - 1] {
                        assert_eq!(memory.add(at).read(), 0xa5, "byte {at} after {size} -> {next}");
                    }
                    memory.write_bytes(0xa5, next);
                    size = next;
                }
                LargePages.dealloc(memory, layout(size));
            }
        }
    }

    /// What the kernel gives depends on its setting; that it was asked can be seen in any case: `hg` is among the flags
    /// of the mapping.
    #[test]
    fn the_kernel_is_asked() {
        let layout = Layout::from_size_align(8 * LARGE, 8).expect("a layout");
        // SAFETY: not used, given back below.
        let memory = unsafe { LargePages.alloc(layout) };
        let smaps = fs::read_to_string("/proc/self/smaps").expect("the kernel tells");
        let mut inside = false;
        let asked = smaps.lines().any(|line| {
            let range = line.split_whitespace().next().and_then(|word| word.split_once('-'));
            let bound = |text| usize::from_str_radix(text, 16).ok();
            if let Some((Some(from), Some(to))) = range.map(|(from, to)| (bound(from), bound(to))) {
                inside = (from..to).contains(&(memory as usize));
            }
            inside && line.starts_with("VmFlags:") && line.split_whitespace().any(|flag| flag == "hg")
        });
        // SAFETY: made above.
        unsafe { LargePages.dealloc(memory, layout) };
        assert!(asked, "{smaps}");
        assert!(in_large_pages().is_some());
    }
}
