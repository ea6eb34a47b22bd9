//! Asking the cache for lines ahead of their use, and how many a CPU lets itself be asked for.

/// Lines that every CPU brings, when it is asked for so many at a time.
pub const FEW: usize = 16;
/// As many as there are frames between the stages of a tracker.
#[cfg(target_arch = "x86_64")]
const MANY: usize = crate::table::BULK;

/// Asks for the cache line of `item`, if there is one, ahead of its use: for the second-level cache, which has room for more
/// lines on their way than the first. An Intel Xeon has a random line out of 74 MiB every 4.8 ns so, instead of every 8.4, and
/// out of 1200 MiB every 9.9, instead of 15.2.
#[inline(always)]
pub(crate) fn prefetch<T>(item: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that a program can see, whatever the address; SSE is part of x86_64.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(item.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

/// How many lines this CPU may be asked for at a time so that it brings them all: 64 or [`FEW`].
///
/// None says so of itself. When an EPYC of the fourth generation has some twenty lines on their way it forgets what else it is
/// asked for, and whoever needs that later waits as if he had not asked. One of the fifth forgets nothing, and is faster the
/// more it is asked for. So this tries it out, in less than a millisecond.
#[must_use]
pub fn lines_at_a_time() -> usize {
    #[cfg(target_arch = "x86_64")]
    if x86::brings(MANY) {
        return MANY;
    }
    FEW
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use alloc::vec;
    use core::arch::x86_64::{_mm_clflush, _mm_lfence, _mm_mfence, _rdtsc};
    use core::hint::black_box;

    use super::prefetch;

    /// A line that has others around it.
    #[derive(Clone)]
    #[repr(C, align(64))]
    struct Line {
        byte: u8,
        rest: [u8; 5 * 64 - 1],
    }

    /// True if that many lines that were asked for are there when there was time to bring them.
    pub(super) fn brings(count: usize) -> bool {
        let lines = vec![Line { byte: 1, rest: [1; 5 * 64 - 1] }; count];
        let (mut cold, mut asked) = (u64::MAX, u64::MAX);
        // The shortest of some, because whatever else happens takes time.
        for _ in 0..16 {
            cold = cold.min(read(&lines, false));
            asked = asked.min(read(&lines, true));
        }
        // All there: 0.1 of it. Two in three forgotten: 0.7.
        asked < cold / 3
    }

    /// How long it takes to read the lines, which had been flushed, in cycles of the time stamp counter.
    fn read(lines: &[Line], ask: bool) -> u64 {
        /// Some microseconds, whatever the counter's frequency.
        const WAIT: u64 = 10_000;
        for line in lines {
            // SAFETY: every x86_64 has it, and the line is there.
            unsafe { _mm_clflush(&raw const line.byte) };
        }
        // SAFETY: every x86_64 has it.
        unsafe { _mm_mfence() };
        // In an order in which the CPU does not see which is next.
        let any_order = || (0..lines.len()).map(|i| &lines[i * 37 % lines.len()]);
        if ask {
            any_order().for_each(|line| prefetch(line));
        }
        let now = cycles();
        while cycles() - now < WAIT {}
        let before = cycles();
        any_order().for_each(|line| {
            black_box(line.byte);
        });
        cycles() - before
    }

    /// The time stamp counter, once all is done that was begun before.
    fn cycles() -> u64 {
        // SAFETY: every x86_64 has them.
        unsafe {
            _mm_lfence();
            let now = _rdtsc();
            _mm_lfence();
            now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it is depends on the CPU.
    #[test]
    fn it_is_few_or_as_many_as_wait() {
        assert!([FEW, crate::table::BULK].contains(&lines_at_a_time()));
    }
}
