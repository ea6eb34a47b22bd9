//! A control service that sends what no sound one sends, or more than the lcores take.

use std::collections::BTreeMap;

use flowtracker_proto::v1::{self, ReplyStatus as Status};

use super::rig::{
    Body, LOAD, PURGE, Rig, TABLE, attributes, change, create, delete, dump, flow, flush, get, key, operator,
    update,
};
use crate::export::bounds;

fn named(process: String) -> v1::Actor {
    v1::Actor { process, ..operator() }
}

fn identified(identity: String) -> v1::Actor {
    v1::Actor { identity, ..operator() }
}

/// Returns every command that names an author.
fn by(author: &v1::Actor) -> [Body; 4] {
    let (key, actor) = (|| key(&flow(1, 1)), || Some(author.clone()));
    [
        Body::Create(v1::CreateCommand { key: key(), actor: actor(), attributes: None }),
        Body::Update(v1::UpdateCommand { key: key(), actor: actor(), attributes: None }),
        Body::Delete(v1::DeleteCommand { key: key(), actor: actor() }),
        Body::Flush(v1::FlushCommand { filter: None, actor: actor() }),
    ]
}

fn refused(body: Body) -> Option<(String, String)> {
    let command = v1::Command { id: 1, deadline_ms: 0, body: Some(body) };
    bounds::check(&command).err().map(|reply| {
        assert_eq!(reply.status(), Status::InvalidArgument);
        (reply.field, reply.reason)
    })
}

#[test]
fn what_is_too_long_is_refused_by_its_field() {
    let says = |field: &str, reason: &str| Some((field.to_owned(), reason.to_owned()));
    for (process, sound) in
        [("", true), (&"x".repeat(63), true), (&"é".repeat(31), true), (&"x".repeat(64), false)]
            .into_iter()
            .chain([(&"é".repeat(32)[..], false), (&"x".repeat(100_000), false), ("a\u{1b}[31m", false)])
    {
        for body in by(&named(process.to_owned())) {
            let expected = if sound { None } else { says("actor.process", "BAD_AUTHOR") };
            assert_eq!(refused(body), expected, "{} bytes", process.len());
        }
    }
    for (identity, sound) in [("CN=alice", true), (&"x".repeat(127), true), (&"x".repeat(128), false)]
        .into_iter()
        .chain([("CN=\u{7}", false)])
    {
        for body in by(&identified(identity.to_owned())) {
            let expected = if sound { None } else { says("actor.identity", "BAD_AUTHOR") };
            assert_eq!(refused(body), expected, "{} bytes", identity.len());
        }
    }
    for steps in [64, 65, 20_000] {
        let filter = || Some(v1::Filter { steps: vec![v1::FilterStep::default(); steps] });
        for body in [dump(filter()), flush(filter())] {
            let expected = if steps == 64 { None } else { says("filter", "FILTER_TOO_LONG") };
            assert_eq!(refused(body), expected, "{steps} steps");
        }
    }
    for profiles in [16, 17, 5000] {
        let agings: Vec<_> = (0..profiles).map(|id| (id, 5)).collect();
        let expected = if profiles == 16 { None } else { says("profiles", "TOO_MANY_PROFILES") };
        assert_eq!(refused(change(&agings, None)), expected, "{profiles} profiles");
    }
    for body in [get(flow(1, 1)), TABLE, PURGE, LOAD] {
        assert_eq!(refused(body), None);
    }
}

/// The lcores stand still, and the commands go on coming. What waits is bounded, the rest is refused
/// by name, and what was accepted is answered when the lcores go on.
#[test]
fn a_mailbox_that_nobody_empties_bounds_what_waits() {
    const SENT: usize = 20_000;
    // A mailbox holds 256 commands; a command may be for one shard of the two.
    const WAITING: usize = 2 * 256;
    let kinds: [fn(u16) -> Body; 11] = [
        |n| get(flow(3, n)),
        |n| create(flow((n % 2) as u8 + 1, n), attributes()),
        |n| update(flow(3, n), attributes()),
        |n| delete(flow(3, n)),
        |_| dump(None),
        |_| flush(None),
        |_| TABLE,
        |n| change(&[(0, 5 + u64::from(n))], None),
        |_| PURGE,
        |_| LOAD,
        |n| Body::Cancel(v1::CancelCommand { id: u64::from(n) }),
    ];
    let mut rig = Rig::new(64);
    let mut ids = Vec::new();
    for (n, kind) in (0..SENT).zip(kinds.iter().cycle()) {
        let body = kind(n as u16);
        let is_cancel = matches!(body, Body::Cancel(_));
        let id = rig.send(body);
        if !is_cancel {
            ids.push(id);
        }
        assert!(
            rig.desk.dispatch.pending.len() <= WAITING,
            "{} commands wait",
            rig.desk.dispatch.pending.len()
        );
        assert!(rig.desk.dispatch.due.len() <= 1, "{} next steps wait", rig.desk.dispatch.due.len());
    }
    let waiting = rig.desk.dispatch.pending.len();
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
#[test]
fn a_load_waits_for_the_end_of_the_purge_on_every_shard() {
    let mut rig = Rig::new(64);
    let purge = rig.send(PURGE);
    rig.step(0);
    rig.hear(0);
    let busy = "the purge has not ended on every lcore; try again";
    rig.says_at_once(LOAD, (Status::Unavailable, "PURGING", "", busy));
    // The link is lost, and the next one finds the purge under way.
    rig.cut();
    rig.raise();
    rig.says_at_once(LOAD, (Status::Unavailable, "PURGING", "", busy));
    assert!(rig.answers.iter().all(|answer| answer.id != purge || answer.reason == "PURGING"));
    rig.settle();
    assert_eq!(rig.ask(LOAD).status(), Status::Ok);
    assert_eq!(rig.ask(create(flow(1, 1), attributes())).status(), Status::Ok);
}
