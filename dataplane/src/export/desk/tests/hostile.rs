//! A control service that sends what no sound one sends, or more than the lcores take.

use std::collections::BTreeMap;

use flowtracker_proto::v1::{self, ReplyStatus as Status};

use super::rig::{
    Body, Rig, RigKey, attributes, change, create, delete, dump, flush, get, load, operator, purge, table,
    update,
};
use crate::export::bounds;
use crate::test_key::both_families;

both_families!(
    what_is_too_long_is_refused_by_its_field,
    a_mailbox_that_nobody_empties_bounds_what_waits,
    a_load_waits_for_the_end_of_the_purge_on_every_shard,
);

fn named(process: String) -> v1::Actor {
    v1::Actor { process, ..operator() }
}

fn identified(identity: String) -> v1::Actor {
    v1::Actor { identity, ..operator() }
}

/// Returns every command that names an author.
fn by<K: RigKey>(author: &v1::Actor) -> [Body; 4] {
    let (key, actor) = (|| K::flow(1, 1).bytes(), || Some(author.clone()));
    [
        Body::Create(v1::CreateCommand { key: key(), actor: actor(), attributes: None }),
        Body::Update(v1::UpdateCommand { key: key(), actor: actor(), attributes: None }),
        Body::Delete(v1::DeleteCommand { key: key(), actor: actor() }),
        Body::Flush(v1::FlushCommand { filter: None, actor: actor(), ..Default::default() }),
    ]
}

fn refused(body: Body) -> Option<(String, String)> {
    let command = v1::Command { id: 1, deadline_ms: 0, body: Some(body) };
    bounds::check(&command).err().map(|reply| {
        assert_eq!(reply.status(), Status::InvalidArgument);
        (reply.field, reply.reason)
    })
}

fn what_is_too_long_is_refused_by_its_field<K: RigKey>() {
    let says = |field: &str, reason: &str| Some((field.to_owned(), reason.to_owned()));
    for (process, sound) in
        [("", true), (&"x".repeat(63), true), (&"é".repeat(31), true), (&"x".repeat(64), false)]
            .into_iter()
            .chain([(&"é".repeat(32)[..], false), (&"x".repeat(100_000), false), ("a\u{1b}[31m", false)])
    {
        for body in by::<K>(&named(process.to_owned())) {
            let expected = if sound { None } else { says("actor.process", "BAD_AUTHOR") };
            assert_eq!(refused(body), expected, "{} bytes", process.len());
        }
    }
    for (identity, sound) in [("CN=alice", true), (&"x".repeat(127), true), (&"x".repeat(128), false)]
        .into_iter()
        .chain([("CN=\u{7}", false)])
    {
        for body in by::<K>(&identified(identity.to_owned())) {
            let expected = if sound { None } else { says("actor.identity", "BAD_AUTHOR") };
            assert_eq!(refused(body), expected, "{} bytes", identity.len());
        }
    }
    for steps in [64, 65, 20_000] {
        let filter = || Some(v1::Filter { steps: vec![v1::FilterStep::default(); steps] });
        for body in [dump::<K>(filter()), flush::<K>(filter())] {
            let expected = if steps == 64 { None } else { says("filter", "FILTER_TOO_LONG") };
            assert_eq!(refused(body), expected, "{steps} steps");
        }
    }
    for profiles in [16, 17, 5000] {
        let agings: Vec<_> = (0..profiles).map(|id| (id, 5)).collect();
        let expected = if profiles == 16 { None } else { says("profiles", "TOO_MANY_PROFILES") };
        assert_eq!(refused(change::<K>(&agings, None)), expected, "{profiles} profiles");
    }
    for body in [get(K::flow(1, 1)), table::<K>(), purge::<K>(), load::<K>()] {
        assert_eq!(refused(body), None);
    }
}

/// The lcores stand still, and the commands go on coming. What waits is bounded, the rest is refused
/// by name, and what was accepted is answered when the lcores go on.
fn a_mailbox_that_nobody_empties_bounds_what_waits<K: RigKey>() {
    const SENT: usize = 20_000;
    // A mailbox holds 256 commands; a command may be for one shard of the two.
    const WAITING: usize = 2 * 256;
    let kinds: [fn(u16) -> Body; 11] = [
        |n| get(K::flow(3, n)),
        |n| create(K::flow((n % 2) as u8 + 1, n), attributes()),
        |n| update(K::flow(3, n), attributes()),
        |n| delete(K::flow(3, n)),
        |_| dump::<K>(None),
        |_| flush::<K>(None),
        |_| table::<K>(),
        |n| change::<K>(&[(0, 5 + u64::from(n))], None),
        |_| purge::<K>(),
        |_| load::<K>(),
        |n| Body::Cancel(v1::CancelCommand { id: u64::from(n) }),
    ];
    let mut rig = Rig::<K>::new(64);
    let mut ids = Vec::new();
    for (n, kind) in (0..SENT).zip(kinds.iter().cycle()) {
        let body = kind(n as u16);
        let is_cancel = matches!(body, Body::Cancel(_));
        let id = rig.send(body);
        if !is_cancel {
            ids.push(id);
        }
        assert!(rig.waiting().0 <= WAITING, "{} commands wait", rig.waiting().0);
        assert!(rig.waiting().1 <= 1, "{} next steps wait", rig.waiting().1);
    }
    let waiting = rig.waiting().0;
    let mut refusals: BTreeMap<(i32, String), usize> = BTreeMap::new();
    for answer in &rig.answers {
        *refusals.entry((answer.status, answer.reason.clone())).or_default() += 1;
    }
    let known = [
        (Status::Unavailable, ""),
        (Status::Unavailable, "TABLE_BUSY"),
        (Status::Unavailable, "PURGING"),
        (Status::FailedPrecondition, "DETACHED"),
        (Status::FailedPrecondition, "ALREADY_ATTACHED"),
        (Status::FailedPrecondition, "ALREADY_DETACHED"),
    ];
    for (status, reason) in refusals.keys() {
        assert!(known.iter().any(|(s, r)| (*s as i32, *r) == (*status, &reason[..])), "{refusals:?}");
    }
    rig.settle();
    let ended: Vec<u64> =
        rig.answers.iter().filter(|a| a.status() != Status::Unspecified).map(|a| a.id).collect();
    let mut once = ended.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ended.len(), "a command is answered twice");
    // The only ones without an answer are those that were cancelled while they waited.
    let unanswered = ids.iter().filter(|id| once.binary_search(id).is_err()).count();
    assert!(unanswered <= waiting, "{unanswered} of {} have no answer", ids.len());
    let answered_late = ended.len() - refusals.values().sum::<usize>();
    assert!(answered_late > 0 && answered_late + unanswered >= waiting, "{answered_late} of {waiting}");
}

/// A shard that is loaded while another is still purged reports entries that the control service
/// would have to put aside, without a bound.
fn a_load_waits_for_the_end_of_the_purge_on_every_shard<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    let purge = rig.send(purge::<K>());
    rig.step(0);
    rig.hear(0);
    let busy = "the purge has not ended on every lcore; try again";
    rig.says_at_once(load::<K>(), (Status::Unavailable, "PURGING", "", busy));
    // The link is lost, and the next one finds the purge under way.
    rig.cut();
    rig.raise();
    rig.says_at_once(load::<K>(), (Status::Unavailable, "PURGING", "", busy));
    assert!(rig.answers.iter().all(|answer| answer.id != purge || answer.reason == "PURGING"));
    rig.settle();
    assert_eq!(rig.ask(load::<K>()).status(), Status::Ok);
    assert_eq!(rig.ask(create(K::flow(1, 1), attributes())).status(), Status::Ok);
}
