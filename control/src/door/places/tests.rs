use proptest::prelude::*;

use super::*;

/// Enters, and returns the place with the number of those that had to go for it.
fn enter(places: &Arc<Places>) -> (Arc<Place>, usize) {
    let (place, gone) = places.enter();
    (Arc::new(place), gone)
}

fn must_go(place: &Place) -> bool {
    place.signal.at_once.load(Ordering::Acquire)
}

#[test]
fn the_oldest_that_never_called_gives_way_first() {
    let places = Places::new(4, 0);
    let all: Vec<_> = (0..4).map(|_| enter(&places).0).collect();
    // The first had a call, the second has one.
    drop(all[0].begin(Kind::User));
    let _call = all[1].begin(Kind::User).expect("a place");
    let (mut went, mut newcomers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (newcomer, gone) = enter(&places);
        assert_eq!(gone, 1);
        newcomer.begin(Kind::Health).map(drop).expect("health needs no place");
        went.push(all.iter().map(|place| must_go(place)).collect::<Vec<_>>());
        newcomers.push(newcomer);
    }
    assert_eq!(went[0], [false, false, true, false]);
    assert_eq!(went[1], [false, false, true, true]);
    assert_eq!(went[2], [true, false, true, true], "its call was before the newcomers'");
    assert_eq!(went[3], [true, false, true, true], "one with a call stays");
}

#[test]
fn when_all_are_busy_a_user_is_refused_and_a_link_and_a_probe_are_not() {
    let places = Places::new(2, 1);
    let users: Vec<_> = (0..2).map(|_| enter(&places).0).collect();
    let calls: Vec<_> = users.iter().map(|user| user.begin(Kind::User).expect("a place")).collect();
    let (link, _) = enter(&places);
    let attached = link.begin(Kind::Link).expect("a place of its own");
    assert!(link.begin(Kind::User).is_ok(), "a link may call, too");
    let (newcomer, gone) = enter(&places);
    assert_eq!(gone, 0);
    assert!(newcomer.begin(Kind::Health).is_ok());
    assert_eq!(newcomer.begin(Kind::User).err(), Some(Full));
    assert_eq!(newcomer.begin(Kind::Link).err(), Some(Full), "the place for links is taken");
    assert!(users.iter().chain([&link, &newcomer]).all(|place| !must_go(place)));
    // The next one takes the place of the one that waits.
    let (next, gone) = enter(&places);
    assert!(gone == 1 && must_go(&newcomer) && !must_go(&next));
    drop(calls);
    assert!(next.begin(Kind::User).is_ok());
    drop(attached);
    drop(next.begin(Kind::Link).expect("the place is free again"));
}

#[tokio::test]
async fn who_has_to_go_is_told() {
    let places = Places::new(1, 0);
    let (place, _) = enter(&places);
    place.leave(Leave::Soon);
    assert_eq!(place.leaving().await, Leave::Soon);
    assert!(places.make_room());
    assert_eq!(place.leaving().await, Leave::AtOnce);
    assert!(!places.make_room(), "nobody waits any more");
    assert_eq!(place.begin(Kind::User).err(), Some(Full), "it is as good as gone");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter,
    Exit(usize),
    Begin(usize, Kind),
    End(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(Kind::User), Just(Kind::Link), Just(Kind::Health)];
    let step = prop_oneof![
        3 => Just(Step::Enter),
        1 => any::<usize>().prop_map(Step::Exit),
        3 => (any::<usize>(), kind).prop_map(|(which, kind)| Step::Begin(which, kind)),
        2 => any::<usize>().prop_map(Step::End),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn the_bounds_hold_and_the_counts_are_right(most in 1..12_usize, links in 0..4_usize, steps in steps()) {
        let places = Places::new(most, links);
        let (mut inside, mut calls): (Vec<Arc<Place>>, Vec<Call>) = (vec![], vec![]);
        for step in steps {
            match step {
                Step::Enter => {
                    inside.push(enter(&places).0);
                    prop_assert!(!must_go(inside.last().expect("it has just come in")));
                }
                Step::Exit(which) if !inside.is_empty() => {
                    let place = inside.swap_remove(which % inside.len());
                    calls.retain(|call| !Arc::ptr_eq(&call.place, &place));
                }
                Step::Begin(which, kind) if !inside.is_empty() => {
                    calls.extend(inside[which % inside.len()].begin(kind));
                }
                Step::End(which) if !calls.is_empty() => drop(calls.swap_remove(which % calls.len())),
                _ => {}
            }
            // Those that were sent away are gone.
            for place in inside.extract_if(.., |place| must_go(place)) {
                calls.retain(|call| !Arc::ptr_eq(&call.place, &place));
            }
            let state = places.lock();
            let busy = state.connections.values().filter(|c| c.calls > 0 && !c.is_link).count();
            prop_assert_eq!(busy, state.busy);
            prop_assert_eq!(state.connections.values().filter(|c| c.is_link).count(), state.links);
            prop_assert_eq!(state.connections.len(), inside.len());
            prop_assert!(state.links <= links);
            prop_assert!(busy <= most);
            // Links that were given up wait like others, and may be too many until the next newcomer.
            prop_assert!(state.users() <= most + places.arriving + links);
            prop_assert!(state.connections.len() + places.arriving <= places.sockets());
        }
    }
}
