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

/// The kernel's setting decides whether it gives large pages. That it was asked shows in any case:
/// `hg` is among the flags of the mapping.
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
