//! The lcore's end of the event ring, with and without a link.

use std::sync::Arc;

use conntrack::{Event, EventBody, EventSink as _, FlowKey, FlowKeyV6};
use dataplane::export::{TableEvent, ring_of};
use dataplane::lcore::generation::{LinkGeneration, LinkState};

#[test]
fn without_a_link_events_are_taken_and_dropped_with_one_they_are_kept_or_refused() {
    const CAPACITY: usize = 100;
    let link = Arc::new(LinkState::default());
    let (mut sink, far) = ring_of(link.clone(), CAPACITY);
    let event = Event::<FlowKey> { at_ns: 1, body: EventBody::ResyncBegin };
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

/// The events of both tables come out in the order in which they were offered.
#[test]
fn one_ring_keeps_the_order_of_both_tables() {
    let link = Arc::new(LinkState::default());
    let (mut sink, far) = ring_of(link.clone(), 100);
    link.raise(LinkGeneration::FIRST);
    assert!(sink.poll_link());
    let v4 = |at_ns| Event::<FlowKey> { at_ns, body: EventBody::ResyncEnd };
    let v6 = |at_ns| Event::<FlowKeyV6> { at_ns, body: EventBody::Purged(at_ns) };
    let mut expected = Vec::new();
    for at_ns in 0..50 {
        // No regular pattern.
        if at_ns * at_ns % 7 > 2 {
            assert!(sink.offer(&v4(at_ns)));
            expected.push(TableEvent::Ipv4(v4(at_ns)));
        } else {
            assert!(sink.offer(&v6(at_ns)));
            expected.push(TableEvent::Ipv6(v6(at_ns)));
        }
    }
    let came: Vec<_> = far.try_iter().map(|waiting| waiting.event).collect();
    assert_eq!(came, expected);
}
