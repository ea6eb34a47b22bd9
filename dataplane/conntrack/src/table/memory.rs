//! How the lines lie in memory, and what lies beside them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::config::TableConfigError;
use super::line::Line;
use super::slots::SLOTS;
use crate::entry::{Cold, Counts};

/// The memory of a [`LineTable`](super::LineTable): its lines, with counters beside them or
/// without.
///
/// All memory is taken at once and never grows.
pub trait Layout: Sized {
    /// A line, with the counters of its slots if there are any.
    type Unit;
    /// Takes memory for `lines` empty lines.
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn take(lines: usize) -> Result<Self, TableConfigError>;
    /// Returns all lines.
    fn units(&self) -> &[Self::Unit];
    /// Returns all lines, to be changed.
    fn units_mut(&mut self) -> &mut [Self::Unit];
    /// Returns the cold parts of the entries, by position.
    fn cold(&self) -> &[Cold];
    /// Returns the cold parts of the entries, to be changed.
    fn cold_mut(&mut self) -> &mut [Cold];
    /// Returns the line of a unit.
    fn line(unit: &Self::Unit) -> &Line;
    /// Returns the counters of a unit, if there are any.
    fn counts(unit: &Self::Unit) -> Option<&[Counts; SLOTS]>;
    /// Returns the line and the counters of a unit, to be changed.
    fn parts(unit: &mut Self::Unit) -> (&mut Line, Option<&mut [Counts; SLOTS]>);
    /// Returns the size of all the memory, in bytes.
    fn bytes(&self) -> usize {
        size_of_val(self.units()) + size_of_val(self.cold())
    }
}

/// Takes memory for `count` items, each a copy of `item`.
pub(super) fn filled<T: Clone>(item: T, count: usize) -> Result<Box<[T]>, TableConfigError> {
    let mut items = Vec::new();
    let bytes = count.saturating_mul(size_of::<T>());
    items.try_reserve_exact(count).map_err(|_| TableConfigError::Memory { bytes })?;
    items.resize(count, item);
    Ok(items.into_boxed_slice())
}

/// Lines with counters: the counters of three flows lie in the cache line behind that of the flows.
///
/// In a large table the page walk of a random access takes longer than the line, and so both lines
/// take one walk, not two.
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

/// Lines without counters: all counts are zero for ever. The lines lie in half as many pages.
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
