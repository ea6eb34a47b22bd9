//! The lcore's end of the event ring, with and without a link.

use std::sync::Arc;

use conntrack::{Event, EventBody, EventSink as _};
use dataplane::export::ring_of;
use dataplane::lcore::generation::{LinkGeneration, LinkState};

#[test]
fn without_a_link_events_are_taken_and_dropped_with_one_they_are_kept_or_refused() {
    const CAPACITY: usize = 100;
    let link = Arc::new(LinkState::default());
    let (mut sink, far) = ring_of(link.clone(), CAPACITY);
    let event = Event { at_ns: 1, body: EventBody::ResyncBegin };
    assert!(!sink.poll_link());
    assert!(sink.offer(&event));
    assert_eq!((far.len(), sink.unlinked()), (0, 1));

    link.raise(LinkGeneration::FIRST);
    assert!(sink.poll_link() && !sink.poll_link());
    for _ in 0..CAPACITY {
        assert!(sink.offer(&event));
    }
    assert!(!sink.offer(&event), "a full ring refuses");
    assert!(far.iter().take(CAPACITY).all(|r| r.link == LinkGeneration::FIRST));

    link.lower();
    assert!(!sink.poll_link(), "a lost link needs no resync");
    assert!(sink.offer(&event));
    assert_eq!((far.len(), sink.unlinked()), (0, 2));
}
