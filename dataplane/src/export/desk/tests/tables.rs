//! The table that a command is about, and the independence of the other one.

use flowtracker_proto::v1::{self, ReplyStatus as Status};

use super::rig::{
    Body, Rig, RigKey, attributes, change, create, delete, dump, entries, flush, get, load, operator, purge,
    table, update,
};
use crate::test_key::{TestKey, both_families};

both_families!(
    a_command_is_about_one_table,
    a_family_that_is_off_refuses_its_commands,
    a_list_shows_one_table,
    authors_of_both_tables_have_one_space_of_numbers,
);

/// Returns every command about a table or its entry of flow 1.
fn all<K: RigKey>() -> [Body; 10] {
    let key = K::flow(1, 1);
    [
        get(key),
        create(key, attributes()),
        update(key, attributes()),
        delete(key),
        dump::<K>(None),
        flush::<K>(None),
        table::<K>(),
        change::<K>(&[(0, 5)], None),
        purge::<K>(),
        load::<K>(),
    ]
}

/// Law: whatever is done with one table, the other keeps its entries, attributes and program.
fn a_command_is_about_one_table<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    for src in 0..10 {
        rig.learn(0, K::flow(1, src));
        rig.learn(0, K::Beside::flow(1, src));
    }
    let described = |rig: &mut Rig<K>| rig.ask(table::<K::Beside>()).table.expect("a table");
    let before = described(&mut rig);
    rig.told_other.clear();
    for body in all::<K>() {
        let reply = rig.ask(body.clone());
        let expected = match body {
            Body::Create(_) => Status::AlreadyExists,
            _ => Status::Ok,
        };
        assert_eq!(reply.status(), expected, "{body:?}: {reply:?}");
        if let Some(shown) = &reply.table {
            assert_eq!(
                (&shown.pipeline[..], shown.key_bits),
                (K::FAMILY.table().pipeline, 8 * K::BYTES as u32)
            );
        }
        assert_eq!(described(&mut rig), before, "after {body:?}");
    }
    assert!(rig.told_other.is_empty(), "{:?}", rig.told_other);
    assert!(rig.told.len() > 10);
    rig.adds_up();
}

fn a_family_that_is_off_refuses_its_commands<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    K::turn_off(&mut rig.desk);
    let (name, flag) = if K::BYTES == 17 { ("IPv4", "ipv6") } else { ("IPv6", "ipv4") };
    let message = format!("this data plane does not track {name}: it was started with --families {flag}");
    for body in all::<K>() {
        let id = rig.send(body.clone());
        let reply = rig.last(id);
        let says = (reply.status(), &reply.reason[..], &reply.field[..], &reply.message[..]);
        assert_eq!(says, (Status::FailedPrecondition, "FAMILY_OFF", "", &message[..]), "{body:?}");
    }
    for body in all::<K::Beside>() {
        rig.send(body);
        assert!(rig.answers.iter().all(|answer| answer.reason != "FAMILY_OFF" || answer.message == message));
    }
}

fn a_list_shows_one_table<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    for src in 0..10 {
        rig.learn(0, K::flow(1, src));
        rig.learn(1, K::Beside::flow(2, src));
    }
    let listed = rig.ask(dump::<K>(None));
    let keys: Vec<_> = entries(&listed).into_iter().map(|entry| entry.key.family()).collect();
    assert_eq!(keys, vec![K::FAMILY; 10]);
    // The numbers of commands are the link's: a cancellation ends the list of either table.
    let id = rig.send(dump::<K>(None));
    rig.send(Body::Cancel(v1::CancelCommand { id }));
    rig.settle();
    assert!(rig.parts(id).is_empty());
}

/// Law: the author of an entry of one table keeps its number while new authors come by the thousand
/// in the other table, although sweeps free what no entry names.
fn authors_of_both_tables_have_one_space_of_numbers<K: RigKey>() {
    let mut rig = Rig::<K>::new(64);
    let made = rig.ask(create(K::flow(1, 1), attributes()));
    let [entry] = entries(&made)[..] else { panic!("{made:?}") };
    assert_eq!(rig.author(entry.created_by), Some(&operator()));
    for pid in 0..40_000 {
        let actor = Some(v1::Actor { pid: 1000 + pid, ..operator() });
        rig.send(Body::Delete(v1::DeleteCommand { key: K::Beside::flow(1, 1).bytes(), actor }));
        rig.step(0);
        rig.step(1);
        rig.hear(0);
        rig.hear(1);
    }
    rig.settle();
    // A new link knows no author, and the author is introduced again.
    rig.cut();
    rig.raise();
    rig.desk.authors().begin_link();
    let got = rig.ask(get(K::flow(1, 1)));
    let [again] = entries(&got)[..] else { panic!("{got:?}") };
    assert_eq!(again.created_by, entry.created_by);
    assert_eq!(rig.author(again.created_by), Some(&operator()));
}

/// A pipeline that does not exist is refused by its field. An empty name means that of IPv4.
#[test]
fn pipelines_are_known_or_refused() {
    let mut rig = Rig::<conntrack::FlowKey>::new(8);
    let named = |pipeline: &str| {
        let pipeline = || pipeline.to_owned();
        [
            Body::Dump(v1::DumpCommand { pipeline: pipeline(), ..Default::default() }),
            Body::Flush(v1::FlushCommand { pipeline: pipeline(), ..Default::default() }),
            Body::Table(v1::TableCommand { pipeline: pipeline() }),
            Body::UpdateTable(v1::UpdateTableCommand { pipeline: pipeline(), ..Default::default() }),
            Body::Purge(v1::PurgeCommand { pipeline: pipeline() }),
            Body::Load(v1::LoadCommand { pipeline: pipeline() }),
        ]
    };
    for body in named("flowtracker_ipv5") {
        let id = rig.send(body);
        let reply = rig.last(id);
        let says = (reply.status(), &reply.reason[..], &reply.field[..]);
        assert_eq!(says, (Status::InvalidArgument, "UNKNOWN_PIPELINE", "pipeline"));
    }
    let [_, _, unnamed, ..] = named("");
    assert_eq!(rig.ask(unnamed).table.expect("a table").pipeline, "flowtracker");
}
