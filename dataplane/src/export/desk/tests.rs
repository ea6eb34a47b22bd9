//! Commands with two real mailboxes and trackers, driven step by step on one thread.

mod hostile;
mod interleaved;
mod refusals;
mod rig;
mod tables;

use conntrack::event::Removed;
use conntrack::{DeleteReason, EventBody, FlowTable};
use flowtracker_proto::v1::{self, ReplyStatus as Status};

use crate::lcore::generation::LinkGeneration;
use crate::test_key::both_families;
use rig::{
    Body, Rig, RigKey, attributes, change, create, delete, dump, entries, flush, get, load, operator, purge,
    table, update,
};

both_families!(
    a_creation_goes_to_the_shard_that_will_see_the_flow,
    an_entry_is_found_in_whichever_shard_it_is,
    a_change_is_refused_by_all_when_one_shard_cannot,
    one_change_at_a_time_and_no_purge_meanwhile,
    a_change_is_finished_after_full_mailboxes_and_a_cut_link,
    flush_purge_and_load_give_the_sum_and_each_shard_tells_its_part,
    a_load_is_told_before_anything_is_tracked,
    a_purge_of_an_earlier_link_is_a_resync_of_the_later_one,
    a_dump_of_two_shards_gives_each_entry_once_in_parts,
    a_cancelled_dump_says_no_more_and_gives_its_place_free,
    late_commands_say_so_and_do_nothing,
);

fn a_creation_goes_to_the_shard_that_will_see_the_flow<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    let before = rig.ns;
    for (port, owner) in [(1, 0), (2, 1)] {
        let reply = rig.ask(create(K::flow(port, 7), attributes()));
        assert_eq!(reply.status(), Status::Ok, "{reply:?}");
        let [entry] = entries(&reply)[..] else { panic!("{reply:?}") };
        assert_eq!(entry.key, K::flow(port, 7).link_key());
        assert_eq!((entry.dynamic, entry.aging_ms), (false, 0));
        assert_eq!(rig.author(entry.created_by), Some(&operator()));
        assert_eq!(entry.create_ns, rig::wall(before));
        let there = rig.lcores.iter().map(|l| K::tracker(&l.shard).get(&K::flow(port, 7)).is_some());
        assert_eq!(there.collect::<Vec<_>>(), [owner == 0, owner == 1]);
    }
}

fn an_entry_is_found_in_whichever_shard_it_is<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    for (lcore, src) in [(0, 4), (1, 5)] {
        rig.learn(lcore, K::flow(3, src));
        let got = rig.ask(get(K::flow(3, src)));
        assert_eq!((got.status(), entries(&got).len()), (Status::Ok, 1));
        let updated = rig.ask(update(K::flow(3, src), attributes()));
        assert_eq!(rig.author(entries(&updated)[0].updated_by), Some(&operator()));
        assert_eq!(entries(&updated)[0].create_ns, entries(&got)[0].create_ns);
        let deleted = rig.ask(delete(K::flow(3, src)));
        assert_eq!(entries(&deleted), entries(&updated));
        rig.says(get(K::flow(3, src)), (Status::NotFound, "NO_ENTRY", "", "no entry has this key"));
    }
}

fn a_change_is_refused_by_all_when_one_shard_cannot<K: RigKey>() {
    for full in 0..2 {
        let mut rig = Rig::<K>::new(64);
        rig.learn(full, K::flow(3, 1));
        let before = rig.table();
        // Both in one command: the profiles, which could change, stay as they are, too.
        let both = change::<K>(&[(0, 777)], Some(0x3fff));
        let reply = rig.ask(both.clone());
        assert_eq!((reply.status(), &reply.reason[..]), (Status::FailedPrecondition, "TABLE_NOT_EMPTY"));
        assert_eq!(rig.table(), before);
        rig.shards_have(&before);
        // No shard is held any more.
        assert_eq!(rig.ask(create(K::flow(1, 9), attributes())).status(), Status::Ok);
        assert_eq!(rig.ask(create(K::flow(2, 9), attributes())).status(), Status::Ok);
        assert_eq!(rig.ask(flush::<K>(None)).deleted, 3);
        let after = rig.ask(both).table.expect("changed");
        assert_eq!((after.permissions, after.profiles[0].aging_ms), (0x3fff, 777));
        rig.shards_have(&after);
    }
}

fn one_change_at_a_time_and_no_purge_meanwhile<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    let first = rig.send(change::<K>(&[(1, 5)], Some(0x3fff)));
    rig.step(0);
    let busy = (Status::Unavailable, "TABLE_BUSY", "", "the table is being changed; try again");
    rig.says_at_once(change::<K>(&[(1, 6)], None), busy);
    rig.says_at_once(purge::<K>(), busy);
    // The shard that is held accepts no entry, neither by packet nor by command.
    rig.packet(0, K::flow(1, 1));
    assert!(rig.tracker(0).table().is_empty());
    let creation = rig.send(create(K::flow(1, 1), attributes()));
    rig.step(0);
    rig.hear(0);
    assert_eq!(rig.last(creation).reason, "TABLE_BUSY");
    rig.settle();
    let table = rig.last(first).table.expect("changed");
    assert_eq!((table.permissions, table.profiles[1].aging_ms), (0x3fff, 5));
    rig.shards_have(&table);
    assert_eq!(rig.ask(change::<K>(&[(1, 6)], None)).status(), Status::Ok);
}

/// Between the halves of a change the mailboxes are full, and the link is cut. The second half is
/// done when there is room, and its answer goes nowhere.
fn a_change_is_finished_after_full_mailboxes_and_a_cut_link<K: RigKey>() {
    for (cut, refused) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut rig = Rig::<K>::new(64);
        if refused {
            rig.learn(1, K::flow(2, 1));
        }
        let changed = rig.send(change::<K>(&[(0, 99)], Some(0x3fff)));
        rig.step(0);
        rig.step(1);
        for _ in 0..256 {
            rig.send(get(K::flow(1, 1)));
        }
        let behind = (Status::Unavailable, "", "", "the data plane is behind with its commands");
        rig.says_at_once(get(K::flow(1, 1)), behind);
        rig.hear(0);
        rig.hear(1);
        assert!(rig.waiting().1 > 0, "no room for the second half");
        if cut {
            rig.cut();
            rig.raise();
        }
        rig.settle();
        if cut {
            assert!(rig.answers.is_empty(), "answers of an earlier link: {:?}", rig.answers);
        } else {
            assert_eq!(rig.last(changed).status() == Status::Ok, !refused);
        }
        let table = rig.table();
        let expected = if refused { (0x3dfc, 30_000) } else { (0x3fff, 99) };
        assert_eq!((table.permissions, table.profiles[0].aging_ms), expected);
        rig.shards_have(&table);
        assert_eq!(rig.ask(create(K::flow(1, 1), attributes())).status(), Status::Ok, "not held");
    }
}

fn flush_purge_and_load_give_the_sum_and_each_shard_tells_its_part<K: RigKey>() {
    let mut rig = Rig::<K>::new(200);
    for src in 0..50 {
        rig.learn(usize::from(src) % 2, K::flow(3, src));
    }
    // An entry without D.
    let kept = v1::Attributes { permissions: Some(0x19bc), ..attributes() };
    assert_eq!(rig.ask(update(K::flow(3, 7), kept)).status(), Status::Ok);
    rig.told.clear();
    let flushed = rig.ask(flush::<K>(None));
    assert_eq!((flushed.status(), flushed.deleted, flushed.failed), (Status::Ok, 49, 1));
    // Events that a shard has reported besides deletions by the flush.
    let ends = |lcore: usize, rig: &Rig<K>| -> Vec<EventBody<K>> {
        let bodies = rig.told.iter().filter(|told| told.lcore == lcore).map(|told| told.event.body);
        bodies.filter(|b| !matches!(b, EventBody::Deleted { reason: DeleteReason::Flush, .. })).collect()
    };
    let removed = |deleted, failed| Removed { deleted, failed };
    assert_eq!(ends(0, &rig), [EventBody::Flushed(removed(25, 0))]);
    assert_eq!(ends(1, &rig), [EventBody::Flushed(removed(24, 1))]);
    assert_eq!(rig.told.len(), 49 + 2);

    rig.learn(0, K::flow(1, 1));
    rig.told.clear();
    let purged = rig.ask(purge::<K>());
    assert_eq!((purged.status(), purged.deleted), (Status::Ok, 2));
    let table = rig.table();
    assert!(table.detached && table.entries == 0);
    rig.packet(0, K::flow(1, 1));
    assert_eq!(rig.ask(load::<K>()).status(), Status::Ok);
    let table = rig.table();
    assert!(!table.detached && table.entries == 0);
    assert_eq!(ends(0, &rig), [EventBody::Purged(1), EventBody::Loaded]);
    assert_eq!(ends(1, &rig), [EventBody::Purged(1), EventBody::Loaded]);
}

/// No entry is created between PURGED and LOADED, even if the ring keeps a shard from reporting.
fn a_load_is_told_before_anything_is_tracked<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    assert_eq!(rig.ask(purge::<K>()).status(), Status::Ok);
    rig.told.clear();
    rig.lcores[0].open = false;
    let load = rig.send(load::<K>());
    for _ in 0..3 {
        rig.step(0);
        rig.packet(0, K::flow(1, 1));
    }
    assert_eq!(rig.tracker(0).get(&K::flow(1, 1)), None, "not attached yet");
    rig.lcores[0].open = true;
    rig.settle();
    assert_eq!(rig.last(load).status(), Status::Ok);
    rig.learn(0, K::flow(1, 1));
    let of_first = rig.told.iter().filter(|told| told.lcore == 0);
    let bodies: Vec<EventBody<K>> = of_first.map(|told| told.event.body).collect();
    assert!(matches!(bodies[..], [EventBody::Loaded, EventBody::Created(_)]), "{bodies:?}");
}

/// A purge starts on one link and ends on the next, to which the entries were already reported. A
/// second resync then reports that there are none.
fn a_purge_of_an_earlier_link_is_a_resync_of_the_later_one<K: RigKey>() {
    let mut rig = Rig::<K>::new(200);
    for src in 0..100 {
        rig.learn(0, K::flow(1, src));
    }
    rig.send(flush::<K>(rig::only_source_port(1000)));
    rig.send(purge::<K>());
    // The flush has an event to report, and the purge comes after it.
    rig.lcores[0].open = false;
    for _ in 0..100 {
        rig.step(0);
    }
    rig.cut();
    rig.raise();
    rig.lcores[0].open = true;
    rig.settle();
    assert!(rig.tracker(0).table().is_empty());
    assert!(
        rig.told
            .iter()
            .all(|t| !matches!(t.event.body, EventBody::Purged(_)) || t.link == Some(LinkGeneration::FIRST))
    );
    rig.adds_up();
}

fn a_dump_of_two_shards_gives_each_entry_once_in_parts<K: RigKey>() {
    const FLOWS: u16 = 1000;
    let mut rig = Rig::<K>::new(u32::from(FLOWS));
    for src in 0..FLOWS {
        rig.learn(usize::from(src) % 2, K::flow(3, src));
    }
    let whole = rig.send(dump::<K>(None));
    let odd = rig.send(dump::<K>(rig::odd_source_ports()));
    rig.settle();
    for (id, expected) in
        [(whole, (0..FLOWS).collect::<Vec<_>>()), (odd, (0..FLOWS).filter(|p| p % 2 == 1).collect())]
    {
        let parts = rig.parts(id);
        assert!(parts.iter().all(|part| entries(part).len() <= 256));
        let (last, others) = parts.split_last().expect("an answer");
        assert_eq!(last.status(), Status::Ok);
        assert!(others.iter().all(|part| part.status() == Status::Unspecified && !part.records.is_empty()));
        let mut ports: Vec<u16> =
            parts.iter().flat_map(entries).map(|entry| entry.key.widen().src_port).collect();
        ports.sort_unstable();
        assert_eq!(ports, expected);
    }
}

fn a_cancelled_dump_says_no_more_and_gives_its_place_free<K: RigKey>() {
    let mut rig = Rig::<K>::new(1000);
    for src in 0..1000 {
        rig.learn(usize::from(src) % 2, K::flow(3, src));
    }
    // An lcore accepts nine at a time.
    for turn in 0..24 {
        let id = rig.send(dump::<K>(None));
        rig.step(0);
        rig.step(turn % 2);
        rig.hear(0);
        rig.send(Body::Cancel(v1::CancelCommand { id }));
        let said = rig.parts(id).len();
        rig.settle();
        assert_eq!(rig.parts(id).len(), said, "it goes on");
    }
    let dumps = [(); 10].map(|()| rig.send(dump::<K>(None)));
    rig.settle();
    for id in &dumps[..9] {
        assert_eq!(rig.last(*id).status(), Status::Ok);
    }
    let refused = rig.last(dumps[9]);
    assert_eq!((refused.status(), &refused.message[..]), (Status::Unavailable, "too many dumps at a time"));
    // Another command is executed even if it is cancelled; only its answer is dropped.
    let creation = rig.send(create(K::flow(1, 1), attributes()));
    rig.send(Body::Cancel(v1::CancelCommand { id: creation }));
    rig.settle();
    assert!(rig.parts(creation).is_empty() && rig.tracker(0).get(&K::flow(1, 1)).is_some());
}

/// A command that an lcore reaches too late is not executed. A command for every shard is late when
/// one of them is.
fn late_commands_say_so_and_do_nothing<K: RigKey>() {
    const DEADLINE_MS: u32 = 5;
    let late = "the deadline passed before the lcore came to it; nothing was done";
    let bodies = [
        get(K::flow(1, 1)),
        create(K::flow(1, 2), attributes()),
        update(K::flow(1, 1), attributes()),
        delete(K::flow(1, 1)),
        dump::<K>(None),
        table::<K>(),
    ];
    for body in bodies {
        let whole = matches!(body, Body::Dump(_) | Body::Table(_));
        for (first, other) in [(0, 1), (1, 0)] {
            let mut rig = Rig::<K>::new(64);
            rig.learn(0, K::flow(1, 1));
            let before = rig.tracker(0).get(&K::flow(1, 1));
            let id = rig.send_within(body.clone(), DEADLINE_MS);
            if whole {
                // In time on one shard, late on the other.
                rig.step(first);
                rig.hear(first);
            }
            rig.ns += u64::from(DEADLINE_MS) * 1_000_000;
            rig.step(other);
            rig.settle();
            let reply = rig.last(id);
            assert_eq!((reply.status(), &reply.message[..]), (Status::DeadlineExceeded, late), "{body:?}");
            assert_eq!(rig.tracker(0).get(&K::flow(1, 1)), before);
            assert_eq!(rig.tracker(0).table().len(), 1);
        }
    }
    // A moment earlier it is not late; a deadline of 0 means none.
    for (deadline, wait) in [(DEADLINE_MS, u64::from(DEADLINE_MS) * 1_000_000 - 1), (0, u64::from(u32::MAX))]
    {
        let mut rig = Rig::<K>::new(64);
        let id = rig.send_within(create(K::flow(1, 2), attributes()), deadline);
        rig.ns += wait;
        rig.settle();
        assert_eq!(rig.last(id).status(), Status::Ok);
    }
}
