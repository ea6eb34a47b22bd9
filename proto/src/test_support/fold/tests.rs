//! Tests that the oracle detects errors: each law is broken once.

use super::*;

fn flow(port: u16) -> Key {
    Key::of_flow(port.into(), 0)
}

/// Returns the state of an entry that was created then.
fn state(created_ns: i128) -> State {
    State { created_ns, permissions: 0, aging_ms: 1000 }
}

fn event(epoch: u64, seq: u64, kind: Kind) -> Event {
    Event { epoch, seq, dataplane: "a".to_owned(), kind }
}

fn created(seq: u64, port: u16, time: i128) -> Event {
    event(7, seq, Kind::Created((flow(port), state(time))))
}

fn deleted(seq: u64, port: u16, time: i128) -> Event {
    event(7, seq, Kind::Deleted((flow(port), state(time)), false))
}

fn mark(seq: u64, kind: Kind) -> Event {
    event(7, seq, kind)
}

/// Returns a snapshot with entry 1, whose end is deleted, entries 2 and 3 created, and a mark.
fn sound() -> Vec<Event> {
    vec![
        created(10, 1, 100),
        mark(10, Kind::Synced),
        created(11, 2, 110),
        deleted(12, 1, 100),
        mark(12, Kind::Progress),
        event(7, 13, Kind::Updated((flow(2), state(110)))),
        created(14, 3, 130),
        created(15, 1, 140),
    ]
}

fn fold(events: &[Event]) -> Result<Fold, String> {
    let mut fold = Fold::default();
    events.iter().try_for_each(|event| fold.take(event))?;
    Ok(fold)
}

#[test]
fn a_sound_stream_gives_the_table() {
    let fold = fold(&sound()).expect("sound");
    assert_eq!(fold.position(), Some((7, 15)));
    assert_eq!(
        fold.tables()["a"],
        [(flow(2), state(110)), (flow(3), state(130)), (flow(1), state(140))].into()
    );
    assert_eq!(fold.tally(), Tally { events: 5, snapshots: 1, gaps: 0, resynced: 0 });
}

/// The oracle detects errors: when any numbered event is taken away or given twice, the next one
/// reveals it.
#[test]
fn nothing_numbered_can_be_lost_or_doubled() {
    let more = mark(15, Kind::Progress);
    for lost in 1..sound().len() {
        let mut events = sound();
        let removed = events.remove(lost);
        events.push(more.clone());
        let numbered = !matches!(removed.kind, Kind::Progress);
        assert_eq!(fold(&events).is_err(), numbered, "without {removed:?}");
        let mut events = sound();
        events.insert(lost, removed.clone());
        assert_eq!(fold(&events).is_err(), numbered, "twice {removed:?}");
    }
}

#[test]
fn each_broken_law_is_named() {
    let wrong = [
        (created(16, 1, 150), "CREATED of an entry that is there"),
        (deleted(16, 9, 150), "DELETED of an entry that is not there"),
        (deleted(16, 1, 139), "DELETED of an entry that is not there"),
        (event(7, 16, Kind::Updated((flow(9), state(1)))), "UPDATED of an entry that is not there"),
        (event(8, 16, Kind::Flushed), "without a notice"),
        (mark(15, Kind::Synced), "SYNCED without a snapshot"),
        (mark(14, Kind::Progress), "number 15 was due"),
        (mark(16, Kind::Progress), "number 15 was due"),
        (mark(20, Kind::Gap(17, 20)), "the GAP starts at 17"),
        (mark(21, Kind::Gap(16, 20)), "the GAP has number 21"),
    ];
    for (event, law) in wrong {
        let mut events = sound();
        events.push(event);
        let error = fold(&events).expect_err(law);
        assert!(error.starts_with(law) || error.lines().next().unwrap_or_default().contains(law), "{error}");
    }
}

#[test]
fn a_gap_empties_the_state_and_a_snapshot_at_its_end_follows() {
    let mut events = sound();
    events.extend([mark(20, Kind::Gap(16, 20)), created(20, 5, 200), mark(20, Kind::Synced)]);
    let good = fold(&events).expect("sound");
    assert_eq!(good.tables()["a"], [(flow(5), state(200))].into());
    assert_eq!((good.position(), good.tally().gaps), (Some((7, 20)), 1));
    for (at, broken, law) in [
        (1, created(21, 5, 200), "the cut is"),
        (1, mark(20, Kind::Progress), "something else"),
        (2, created(20, 5, 200), "twice"),
    ] {
        let mut events = events.clone();
        events.insert(sound().len() + at, broken);
        let error = fold(&events).expect_err(law);
        assert!(error.contains(law), "{error}");
    }
}

#[test]
fn a_hole_without_a_beginning_means_a_new_epoch() {
    let mut events = sound();
    events.push(event(0, 0, Kind::Gap(0, 0)));
    let with = |more: &[Event]| fold(&[&events[..], more].concat());
    let fresh = [event(8, 3, Kind::Created((flow(1), state(1)))), event(8, 3, Kind::Synced)];
    assert_eq!(with(&fresh).expect("sound").position(), Some((8, 3)));
    assert!(with(&[mark(15, Kind::Synced)]).is_err(), "the same epoch knows where it was");
    assert!(with(&[event(6, 3, Kind::Synced)]).is_err(), "epochs do not come back");
    // A stream that broke within a snapshot has no table either, and may be in the same epoch.
    let again = [mark(0, Kind::Gap(0, 0)), created(10, 1, 100), mark(10, Kind::Synced)];
    fold(&[&[created(10, 1, 100)][..], &again].concat()).expect("sound");
}

#[test]
fn a_purge_empties_one_table_of_one_data_plane() {
    let mut other = created(16, 1, 150);
    other.dataplane = "b".to_owned();
    let mut events = sound();
    let wide = Key::parse(("port0", "::1", "::2"), (6, 1, 2)).expect("a key");
    let ipv6 = event(7, 17, Kind::Created((wide, state(160))));
    events.extend([other, ipv6, mark(18, Kind::Purged(false)), mark(19, Kind::Loaded), created(20, 1, 190)]);
    let fold = fold(&events).expect("sound");
    assert_eq!(fold.tables()["a"], [(flow(1), state(190)), (wide, state(160))].into());
    assert_eq!(fold.tables()["b"], [(flow(1), state(150))].into());
}

/// Compares with `date -d TEXT +%s`.
#[test]
fn differences_are_named() {
    let one: HashMap<Key, State> = [(flow(1), state(1)), (flow(2), state(2))].into();
    assert_eq!(difference(&one, &one.clone()), None);
    let other: HashMap<Key, State> = [(flow(1), state(1)), (flow(2), state(3))].into();
    let text = difference(&one, &other).expect("they differ");
    assert!(text.contains("only in the first 1") && text.contains("only in the second 1"), "{text}");
}
