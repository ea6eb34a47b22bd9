//! The bounded ring between an lcore and the exporter.

use std::sync::Arc;

use conntrack::{Event, EventSink};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::lcore::sync::{AtomicU32, Ordering};

/// Events that may wait between one lcore and the exporter.
const CAPACITY: usize = 65_536;

/// Whether the link to the control service stands, and which one it is.
#[derive(Debug, Default)]
pub struct LinkState(AtomicU32);

impl LinkState {
    /// No link.
    const DOWN: u32 = 0;

    /// Declares a new link up. Every lcore will notice and resync.
    pub fn raise(&self, generation: u32) {
        debug_assert_ne!(generation, Self::DOWN);
        self.0.store(generation, Ordering::Release);
    }

    /// Declares the link down: events are dropped until the next link's resync.
    pub fn lower(&self) {
        self.0.store(Self::DOWN, Ordering::Release);
    }

    #[inline]
    fn generation(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}

/// An event on its way, with the link that it was meant for.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Which link. What was meant for an earlier one is dropped: its resync made it void.
    pub generation: u32,
    /// The event.
    pub event: Event,
}

/// The lcore's end of the ring.
pub struct RingSink {
    ring: Sender<Record>,
    link: Arc<LinkState>,
    generation: u32,
    unlinked: u64,
}

/// Makes a ring.
#[must_use]
pub fn ring(link: Arc<LinkState>) -> (RingSink, Receiver<Record>) {
    ring_of(link, CAPACITY)
}

/// Makes a ring with room for `capacity` events.
#[must_use]
pub fn ring_of(link: Arc<LinkState>, capacity: usize) -> (RingSink, Receiver<Record>) {
    let (ring, far) = bounded(capacity);
    (RingSink { ring, link, generation: LinkState::DOWN, unlinked: 0 }, far)
}

impl RingSink {
    /// Looks whether the link has changed; true when a new one stands, so that
    /// the table has to be told to it from the beginning.
    #[inline]
    pub fn poll_link(&mut self) -> bool {
        let generation = self.link.generation();
        if generation == self.generation {
            return false;
        }
        self.generation = generation;
        generation != LinkState::DOWN
    }

    /// Generation of the link that events go to.
    #[inline]
    #[must_use]
    pub fn link(&self) -> u32 {
        self.generation
    }

    /// Events dropped because there was no link.
    #[must_use]
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }
}

impl EventSink for RingSink {
    #[inline]
    fn offer(&mut self, event: &Event) -> bool {
        if self.generation == LinkState::DOWN {
            self.unlinked += 1;
            return true;
        }
        self.ring.try_send(Record { generation: self.generation, event: *event }).is_ok()
    }
}
