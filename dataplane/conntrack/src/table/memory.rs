//! Where the lines lie, and what is kept beside their entries.

use alloc::boxed::Box;

use super::lines::{Line, SLOTS};
use super::{TableConfigError, filled};
use crate::entry::{Cold, Counts};

/// How the lines of a [`LineTable`](super::LineTable) lie in memory, and whether there are counters beside them.
pub trait Layout: Sized {
    /// A line, with the counters of its slots if there are any.
    type Unit;
    /// Memory for so many lines, all empty.
    ///
    /// # Errors
    /// When it cannot be had.
    fn take(lines: usize) -> Result<Self, TableConfigError>;
    /// All lines.
    fn units(&self) -> &[Self::Unit];
    /// All lines, to be changed.
    fn units_mut(&mut self) -> &mut [Self::Unit];
    /// What is kept at each position.
    fn cold(&self) -> &[Cold];
    /// The same, to be changed.
    fn cold_mut(&mut self) -> &mut [Cold];
    /// The line of a unit.
    fn line(unit: &Self::Unit) -> &Line;
    /// Its counters, if there are any.
    fn counts(unit: &Self::Unit) -> Option<&[Counts; SLOTS]>;
    /// Both, to be changed.
    fn parts(unit: &mut Self::Unit) -> (&mut Line, Option<&mut [Counts; SLOTS]>);
    /// All that was taken, in bytes.
    fn bytes(&self) -> usize {
        size_of_val(self.units()) + size_of_val(self.cold())
    }
}

/// The counters of three flows in the line after their own. In a large table a random access costs a page walk more than a
/// line, and so a packet that is counted costs one, not two.
pub struct Counted {
    pairs: Box<[Pair]>,
    cold: Box<[Cold]>,
}

/// A line and its counters.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
pub struct Pair {
    line: Line,
    counts: [Counts; SLOTS],
}

const _: () = assert!(size_of::<Pair>() == 128 && core::mem::offset_of!(Pair, counts) == 64);

impl Layout for Counted {
    type Unit = Pair;

    fn take(lines: usize) -> Result<Self, TableConfigError> {
        let pair = Pair { line: Line::EMPTY, counts: [Counts::ZERO; SLOTS] };
        Ok(Counted { pairs: filled(pair, lines)?, cold: filled(Cold::EMPTY, lines * SLOTS)? })
    }

    #[inline(always)]
    fn units(&self) -> &[Pair] {
        &self.pairs
    }

    #[inline(always)]
    fn units_mut(&mut self) -> &mut [Pair] {
        &mut self.pairs
    }

    #[inline(always)]
    fn cold(&self) -> &[Cold] {
        &self.cold
    }

    #[inline(always)]
    fn cold_mut(&mut self) -> &mut [Cold] {
        &mut self.cold
    }

    #[inline(always)]
    fn line(pair: &Pair) -> &Line {
        &pair.line
    }

    #[inline(always)]
    fn counts(pair: &Pair) -> Option<&[Counts; SLOTS]> {
        Some(&pair.counts)
    }

    #[inline(always)]
    fn parts(Pair { line, counts }: &mut Pair) -> (&mut Line, Option<&mut [Counts; SLOTS]>) {
        (line, Some(counts))
    }
}

/// Without counters: all are zero for ever. So the lines are in half as many pages.
pub struct Uncounted {
    lines: Box<[Line]>,
    cold: Box<[Cold]>,
}

impl Layout for Uncounted {
    type Unit = Line;

    fn take(lines: usize) -> Result<Self, TableConfigError> {
        Ok(Uncounted { lines: filled(Line::EMPTY, lines)?, cold: filled(Cold::EMPTY, lines * SLOTS)? })
    }

    #[inline(always)]
    fn units(&self) -> &[Line] {
        &self.lines
    }

    #[inline(always)]
    fn units_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    #[inline(always)]
    fn cold(&self) -> &[Cold] {
        &self.cold
    }

    #[inline(always)]
    fn cold_mut(&mut self) -> &mut [Cold] {
        &mut self.cold
    }

    #[inline(always)]
    fn line(line: &Line) -> &Line {
        line
    }

    #[inline(always)]
    fn counts(_: &Line) -> Option<&[Counts; SLOTS]> {
        None
    }

    #[inline(always)]
    fn parts(line: &mut Line) -> (&mut Line, Option<&mut [Counts; SLOTS]>) {
        (line, None)
    }
}
