//! How the process's allocator gives memory back.

/// Size from which on a block is a mapping of its own, bytes.
///
/// Only tables and copies of them are so large, and they come and go: a table grows with the flows
/// and is dropped at a purge, a copy is made for a snapshot. What is made and dropped with every
/// message stays below.
const MAPPED_FROM: libc::c_int = 1 << 20;

/// Makes the memory of large blocks go back to the system when they are freed.
///
/// By itself glibc does so only at first. Whenever it has given back a mapping, it serves blocks of
/// that size from its heaps from then on (mallopt(3), `M_MMAP_THRESHOLD`). There a small block that
/// lives long, such as the buffer of a connection, keeps the megabytes before it from the system and
/// from the heaps of other threads. A size that was set stays.
pub fn give_large_blocks_back() {
    // SAFETY: The function sets a parameter of the allocator, under the allocator's own lock.
    let set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM) };
    debug_assert_eq!(set, 1, "the size is below the greatest one that is possible");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bytes in mappings of single blocks.
    fn mapped() -> usize {
        // SAFETY: The function reads counters of the allocator, under the allocator's own lock.
        unsafe { libc::mallinfo2() }.hblkhd
    }

    #[test]
    fn large_blocks_are_mappings_also_after_larger_ones() {
        give_large_blocks_back();
        // glibc takes no notice of blocks of more than 32 MiB.
        drop(std::hint::black_box(vec![1_u8; 16 << 20]));
        let before = mapped();
        let block = std::hint::black_box(vec![1_u8; 8 << 20]);
        assert!(mapped() >= before + block.len());
        drop(block);
        assert_eq!(mapped(), before);
    }
}
