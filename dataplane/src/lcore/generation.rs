//! Which link to the control service stands: written by the exporter, read by every lcore.
//!
//! Events and answers belong to the link that they were made for. A link that is lost and dialled
//! again has another generation, so what is left over from the old one cannot be taken for the new
//! one's.

use std::num::NonZeroU32;

use crate::lcore::sync::{AtomicU32, Ordering};

/// Names one link among all that a run of the data plane has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkGeneration(NonZeroU32);

impl LinkGeneration {
    /// The first link of a run.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns the generation of the link after this one. Generations repeat after 2^32 links.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).unwrap_or(NonZeroU32::MIN))
    }
}

/// The link that stands, if one does.
#[derive(Debug, Default)]
pub struct LinkState(AtomicU32);

impl LinkState {
    /// Stands for no link; a generation is never zero.
    const NONE: u32 = 0;

    /// Declares a new link up. Every lcore notices it in its next iteration and starts a resync.
    pub fn raise(&self, generation: LinkGeneration) {
        self.0.store(generation.0.get(), Ordering::Release);
    }

    /// Declares the link down. Lcores drop events until the next link is up, whose resync replaces
    /// them.
    pub fn lower(&self) {
        self.0.store(Self::NONE, Ordering::Release);
    }

    /// Returns the generation of the link that stands.
    #[inline]
    pub fn current(&self) -> Option<LinkGeneration> {
        NonZeroU32::new(self.0.load(Ordering::Acquire)).map(LinkGeneration)
    }
}
