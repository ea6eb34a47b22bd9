//! The bounded ring between one lcore and the exporter.
//!
//! The events of both tables go through it, in the order in which they happen. The lcore offers an
//! event and the ring takes or refuses it; neither waits. Each event carries the generation of the
//! link that it was offered for, so the exporter can drop what an earlier link left behind.

use std::sync::Arc;

use conntrack::{Event, EventSink};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::export::table_event::TableEvent;
use crate::lcore::generation::{LinkGeneration, LinkState};

/// Events that may wait between one lcore and the exporter.
const CAPACITY: usize = 65_536;

/// An event in the ring.
#[derive(Debug, Clone, Copy)]
pub struct RingEvent {
    /// The link that the event is for. The exporter drops it when another link stands.
    pub link: LinkGeneration,
    /// The event.
    pub event: TableEvent,
}

/// The lcore's end of the ring.
pub struct RingSink {
    ring: Sender<RingEvent>,
    state: Arc<LinkState>,
    /// The link that stood at the last [`RingSink::poll_link`].
    link: Option<LinkGeneration>,
    unlinked: u64,
}

/// Makes a ring. Returns the lcore's end and the exporter's.
#[must_use]
pub fn ring(state: Arc<LinkState>) -> (RingSink, Receiver<RingEvent>) {
    ring_of(state, CAPACITY)
}

/// Makes a ring with room for `capacity` events.
#[must_use]
pub fn ring_of(state: Arc<LinkState>, capacity: usize) -> (RingSink, Receiver<RingEvent>) {
    let (ring, events) = bounded(capacity);
    (RingSink { ring, state, link: None, unlinked: 0 }, events)
}

impl RingSink {
    /// Looks whether the link has changed. Returns `true` when a new link stands, for which the
    /// caller has to start a resync.
    #[inline]
    pub fn poll_link(&mut self) -> bool {
        let link = self.state.current();
        if link == self.link {
            return false;
        }
        self.link = link;
        link.is_some()
    }

    /// Returns the link that events are offered for.
    #[inline]
    #[must_use]
    pub fn link(&self) -> Option<LinkGeneration> {
        self.link
    }

    /// Returns how many events were dropped because no link stood.
    #[must_use]
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }
}

impl<K> EventSink<K> for RingSink
where
    TableEvent: From<Event<K>>,
    Event<K>: Copy,
{
    /// Takes the event, or returns `false` when the ring is full. Without a link the event is
    /// dropped, and counts as taken: the resync of the next link reports the entry.
    #[inline]
    fn offer(&mut self, event: &Event<K>) -> bool {
        let Some(link) = self.link else {
            self.unlinked += 1;
            return true;
        };
        self.ring.try_send(RingEvent { link, event: (*event).into() }).is_ok()
    }
}
