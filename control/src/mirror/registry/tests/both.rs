//! Two tables of one data plane.

use super::*;

proptest! {
    /// What happens to one table shows in no event and in no entry of the other: both together are
    /// what each is alone.
    #[test]
    fn each_table_is_as_if_it_were_alone(happenings in happenings(), step in 1..9_usize) {
        let (events, held) = outcome(step, &happenings);
        for family in Family::ALL {
            let concerns = |choice: &u8| report(*choice, 0).family() == family;
            let alone: Vec<_> = happenings.iter().cloned().map(|happening| match happening {
                Happening::Reports(shard, mut choices) => {
                    choices.retain(concerns);
                    Happening::Reports(shard, choices)
                }
                link => link,
            }).collect();
            let (mut events, mut held) = (events.clone(), held.clone());
            events.retain(|event| event.change.family() == family);
            held.retain(|entry| entry.key.family() == family);
            let alone = outcome(step, &alone);
            prop_assert_eq!((in_order(alone.0), alone.1), (in_order(events), held));
        }
    }
}

/// A data plane is restarted without IPv6: its entries of IPv6 go, though no resync reports them.
#[test]
fn entries_of_a_table_that_is_no_longer_run_go_in_steps() {
    const ENTRIES: u16 = 20_000;
    let mut trial = Trial::new(Registry::default().step);
    trial.attach(1, &[1]);
    let wide = |n| Report::Change(Change::Created(entry_of(Family::Ipv6, n, 1, 1)));
    trial.apply(1, 1, (0..ENTRIES).map(wide).chain([Report::Change(Change::Created(entry(1, 1, 1)))]));
    trial.attach_with(&[Family::Ipv4], 2, &[1]);
    let confirmed = [Report::ResyncBegin(Family::Ipv4), Report::Present(entry(1, 1, 1))];
    trial.apply(1, 2, confirmed.into_iter().chain([Report::ResyncEnd(Family::Ipv4)]));
    assert!(!trial.registry.dataplanes()[0].synced, "entries of IPv6 are left");
    let mut before = trial.log.last_seq();
    while trial.registry.remove_foreign_some(&mut trial.log, "dp", trial.link, 5) {
        let logged = trial.log.last_seq() - before;
        assert!(logged <= STEP as u64, "{logged}");
        before = trial.log.last_seq();
    }
    assert_eq!(trial.held(), [entry(1, 1, 1)]);
    assert!(trial.registry.dataplanes()[0].synced);
    let gone = trial.events().split_off(usize::from(ENTRIES) + 1);
    assert_eq!(gone.len(), usize::from(ENTRIES));
    assert!(gone.iter().all(|event| matches!(
        event,
        Changed { time_ns: 5, change: Change::Deleted { reason: DeleteReason::Resync, .. }, .. }
    )));
}

/// A purge of one table is one event, and the other table keeps its entries and goes on meanwhile.
#[test]
fn a_purge_of_one_table_leaves_the_other_alone() {
    let mut trial = Trial::new(100);
    trial.attach(1, &[1, 2]);
    let created = |family, n| Report::Change(Change::Created(entry_of(family, n, 1, 1)));
    let purged = || Report::Change(Change::Purged(Family::Ipv6));
    trial.apply(1, 1, [created(Family::Ipv4, 1), created(Family::Ipv6, 1)]);
    // The first shard is purged and works again; what it reports of IPv6 waits for the second.
    trial.apply(1, 2, [purged(), created(Family::Ipv6, 2), created(Family::Ipv4, 2)]);
    trial.apply(2, 2, [created(Family::Ipv6, 3), purged()]);
    let held = [(Family::Ipv4, 1), (Family::Ipv4, 2), (Family::Ipv6, 2)];
    assert_eq!(trial.held(), held.map(|(family, n)| entry_of(family, n, 1, 1)));
    let events: Vec<_> = trial.events().into_iter().map(|event| event.change).collect();
    let created = |family, n| Change::Created(entry_of(family, n, 1, 1));
    assert_eq!(
        events,
        [
            created(Family::Ipv4, 1),
            created(Family::Ipv6, 1),
            created(Family::Ipv4, 2),
            created(Family::Ipv6, 3),
            Change::Purged(Family::Ipv6),
            created(Family::Ipv6, 2),
        ]
    );
}
