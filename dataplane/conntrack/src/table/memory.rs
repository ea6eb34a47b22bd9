//! Where the lines lie, and what is kept beside their entries.

use alloc::boxed::Box;

use super::lines::{Line, SLOTS};
use super::{TableConfigError, filled};
use crate::arch::prefetch;
use crate::entry::{Cold, Counts};

/// How the lines of a [`LineTable`](super::LineTable) lie in memory, and whether there are counters beside them.
pub trait Layout: Sized {
    /// Memory for so many lines, all empty.
    ///
    /// # Errors
    /// When it cannot be had.
    fn take(lines: usize) -> Result<Self, TableConfigError>;
    /// How many lines there are.
    fn lines(&self) -> usize;
    /// One of them.
    fn line(&self, at: usize) -> &Line;
    /// One of them.
    fn line_mut(&mut self, at: usize) -> &mut Line;
    /// One of them, and the counters of its slots, if there are any.
    fn line_and_counts_mut(&mut self, at: usize) -> (&mut Line, Option<&mut [Counts; SLOTS]>);
    /// The counters of a slot.
    fn counts(&self, at: usize, slot: usize) -> Counts;
    /// The same, to be changed, if there are any.
    fn counts_mut(&mut self, at: usize, slot: usize) -> Option<&mut Counts>;
    /// Asks the cache for the counters of a line's slots; it must be one of these.
    fn ask_for_counts(line: &Line);
    /// What is kept at a position.
    fn cold(&self, pos: usize) -> &Cold;
    /// What is kept at a position.
    fn cold_mut(&mut self, pos: usize) -> &mut Cold;
    /// All that was taken, in bytes.
    fn bytes(&self) -> usize;
}

/// The counters of three flows in the line after their own. In a large table a random access costs a page walk more than a
/// line, and so a packet that is counted costs one, not two.
pub struct Counted {
    pairs: Box<[Pair]>,
    cold: Box<[Cold]>,
}

#[derive(Clone, Copy)]
#[repr(C, align(128))]
struct Pair {
    line: Line,
    counts: [Counts; SLOTS],
}

const _: () = assert!(size_of::<Pair>() == 128 && core::mem::offset_of!(Pair, counts) == 64);

impl Layout for Counted {
    fn take(lines: usize) -> Result<Self, TableConfigError> {
        let pair = Pair { line: Line::EMPTY, counts: [Counts::ZERO; SLOTS] };
        Ok(Counted { pairs: filled(pair, lines)?, cold: filled(Cold::EMPTY, lines * SLOTS)? })
    }

    #[inline(always)]
    fn lines(&self) -> usize {
        self.pairs.len()
    }

    #[inline(always)]
    fn line(&self, at: usize) -> &Line {
        &self.pairs[at].line
    }

    #[inline(always)]
    fn line_mut(&mut self, at: usize) -> &mut Line {
        &mut self.pairs[at].line
    }

    #[inline(always)]
    fn line_and_counts_mut(&mut self, at: usize) -> (&mut Line, Option<&mut [Counts; SLOTS]>) {
        let Pair { line, counts } = &mut self.pairs[at];
        (line, Some(counts))
    }

    #[inline(always)]
    fn counts(&self, at: usize, slot: usize) -> Counts {
        self.pairs[at].counts[slot]
    }

    #[inline(always)]
    fn counts_mut(&mut self, at: usize, slot: usize) -> Option<&mut Counts> {
        Some(&mut self.pairs[at].counts[slot])
    }

    #[inline(always)]
    fn ask_for_counts(line: &Line) {
        // The second half of its pair. By its index that would be five instructions more a packet.
        prefetch(core::ptr::from_ref(line).wrapping_add(1));
    }

    #[inline(always)]
    fn cold(&self, pos: usize) -> &Cold {
        &self.cold[pos]
    }

    #[inline(always)]
    fn cold_mut(&mut self, pos: usize) -> &mut Cold {
        &mut self.cold[pos]
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.pairs) + size_of_val(&*self.cold)
    }
}

/// Without counters: all are zero for ever. So the lines are in half as many pages.
pub struct Uncounted {
    lines: Box<[Line]>,
    cold: Box<[Cold]>,
}

impl Layout for Uncounted {
    fn take(lines: usize) -> Result<Self, TableConfigError> {
        Ok(Uncounted { lines: filled(Line::EMPTY, lines)?, cold: filled(Cold::EMPTY, lines * SLOTS)? })
    }

    #[inline(always)]
    fn lines(&self) -> usize {
        self.lines.len()
    }

    #[inline(always)]
    fn line(&self, at: usize) -> &Line {
        &self.lines[at]
    }

    #[inline(always)]
    fn line_mut(&mut self, at: usize) -> &mut Line {
        &mut self.lines[at]
    }

    #[inline(always)]
    fn line_and_counts_mut(&mut self, at: usize) -> (&mut Line, Option<&mut [Counts; SLOTS]>) {
        (&mut self.lines[at], None)
    }

    #[inline(always)]
    fn counts(&self, _: usize, _: usize) -> Counts {
        Counts::ZERO
    }

    #[inline(always)]
    fn counts_mut(&mut self, _: usize, _: usize) -> Option<&mut Counts> {
        None
    }

    #[inline(always)]
    fn ask_for_counts(_: &Line) {}

    #[inline(always)]
    fn cold(&self, pos: usize) -> &Cold {
        &self.cold[pos]
    }

    #[inline(always)]
    fn cold_mut(&mut self, pos: usize) -> &mut Cold {
        &mut self.cold[pos]
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.lines) + size_of_val(&*self.cold)
    }
}
