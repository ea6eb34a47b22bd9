//! Every refusal of a command: its status, reason, field and message.

use flowtracker_proto::key::port_name;
use flowtracker_proto::v1::{self, ReplyStatus as Status};

use super::rig::{
    Body, Rig, RigKey, Says, attributes, change, create, delete, dump, flush, get, load, operator, purge,
    update,
};
use crate::test_key::both_families;

both_families!(
    keys,
    keys_where_ids_have_holes,
    entries,
    attributes_of_entries,
    attributes_of_the_table,
    the_table_has_entries,
    the_program_is_detached_or_not,
    what_is_no_command_and_no_filter,
    more_programs_than_can_be_told_apart,
    every_fault_is_told_at_once,
);

const NO_ENTRY: Says<'_> = (Status::NotFound, "NO_ENTRY", "", "no entry has this key");
const INVALID: Status = Status::InvalidArgument;

fn precondition<'a>(reason: &'a str, message: &'a str) -> Says<'a> {
    (Status::FailedPrecondition, reason, "", message)
}

/// Returns every command that names an entry.
fn about(key: &[u8]) -> [Body; 4] {
    let key = || key.to_vec();
    [
        Body::Get(v1::GetCommand { key: key() }),
        Body::Create(v1::CreateCommand { key: key(), ..Default::default() }),
        Body::Update(v1::UpdateCommand { key: key(), ..Default::default() }),
        Body::Delete(v1::DeleteCommand { key: key(), actor: None }),
    ]
}

/// Returns the key of a flow that enters this port (DPDK port id + 1), which need not exist.
fn on_port<K: RigKey>(input_port: u32) -> Vec<u8> {
    let mut bytes = K::flow(1, 1).bytes();
    bytes[..4].copy_from_slice(&input_port.to_le_bytes());
    bytes
}

fn keys<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    for (input_port, name) in [(0, "port-1"), (4, "port3"), (256, "port255")] {
        let message = format!("{name} does not exist; this data plane has port0 to port2");
        for body in about(&on_port::<K>(input_port)) {
            rig.says(body, (INVALID, "UNKNOWN_PORT", "key.input_port", &message));
        }
    }
    let sound = K::flow(1, 1).bytes();
    for wrong in [sound[..16].to_vec(), [&sound[..], &[0]].concat()] {
        for body in about(&wrong) {
            rig.says(body, (INVALID, "BAD_KEY", "key", "a field is missing or out of range"));
        }
    }
    let message = "port2 deals its frames to several lcores by a hash of its own, so the shard that will \
                   receive this flow is not known; with one receive queue per port (--rxq 1) it is";
    rig.says(create(K::flow(3, 1), attributes()), precondition("FLOW_OWNER_UNKNOWN", message));
}

/// The message omits the ids of ports that belong to a device of another port.
fn keys_where_ids_have_holes<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    rig.desk.shared.owners = [(1, Some(0)), (3, Some(1))].into();
    for input_port in [1, 3, 5] {
        let name = port_name(input_port);
        let message = format!("{name} does not exist; this data plane has port1, port3");
        for body in about(&on_port::<K>(input_port)) {
            rig.says(body, (INVALID, "UNKNOWN_PORT", "key.input_port", &message));
        }
    }
    assert_eq!(rig.ask(create(K::flow(4, 1), attributes())).status(), Status::Ok);
}

fn entries<K: RigKey>() {
    let mut rig = Rig::<K>::new(1);
    let key = K::flow(1, 1);
    for body in [get(key), update(key, attributes()), delete(key)] {
        rig.says(body, NO_ENTRY);
    }
    rig.learn(0, key);
    let exists = (Status::AlreadyExists, "ENTRY_EXISTS", "", "an entry has this key already");
    rig.says(create(key, attributes()), exists);
    let full = "the shard that this flow belongs to holds as many entries as it may";
    rig.says(create(K::flow(1, 2), attributes()), (Status::ResourceExhausted, "TABLE_FULL", "", full));
    // From here on it allows neither update nor deletion.
    let bare = v1::Attributes { permissions: Some(0x11bc), ..attributes() };
    assert_eq!(rig.ask(update(key, bare)).status(), Status::Ok);
    let denied = |message| (Status::PermissionDenied, "PERMISSION_BIT", "", message);
    rig.says(update(key, attributes()), denied("the entry lacks the control plane's U permission"));
    rig.says(delete(key), denied("the entry lacks the control plane's D permission"));

    let mut rig = Rig::<K>::new(8);
    assert_eq!(rig.ask(change::<K>(&[], Some(0x1dfc))).status(), Status::Ok);
    rig.says(create(key, attributes()), denied("the table lacks the control plane's C permission"));
}

fn attributes_of_entries<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    let (fixed, dynamic, none) = (K::flow(1, 1), K::flow(2, 2), K::flow(1, 3));
    assert_eq!(rig.ask(create(fixed, attributes())).status(), Status::Ok);
    rig.learn(1, dynamic);
    let timed = v1::Attributes { dynamic: Some(true), ..attributes() };
    let profile = |id| v1::Attributes { profile_id: Some(id), ..timed };
    let aging = |ms| v1::Attributes { aging_ms: Some(ms), ..timed };
    let bits = |bits| v1::Attributes { permissions: Some(bits), ..attributes() };
    let both = v1::Attributes { aging_ms: Some(30_000), ..profile(0) };
    let of_bits = |reason, message| (INVALID, reason, "permissions", message);
    let beyond = "0x1fbc is not a subset of the table's 0x3dfc";
    let create_bit = "0x2000 has a create bit, which an entry cannot have";
    for (attributes, says) in [
        (both, (INVALID, "BOTH_GIVEN", "aging_ms", "either aging or a profile may be given, not both")),
        (profile(16), (INVALID, "PROFILE_RANGE", "profile_id", "16 is not in 0 to 15")),
        (profile(4), (Status::NotFound, "UNKNOWN_PROFILE", "profile_id", "there is no timer profile 4")),
        (aging(31), (INVALID, "AGING_UNKNOWN", "aging_ms", "31 doesn't match any timer profile")),
        (bits(0x4000), of_bits("PERMISSION_BITS", "0x4000 has bits outside of 0x3fff")),
        (bits(0x1fbc), of_bits("PERMISSIONS_BEYOND_TABLE", beyond)),
        (bits(0x2000), of_bits("PERMISSIONS_CREATE_BIT", create_bit)),
    ] {
        rig.says(create(none, attributes), says);
        // The refusal does not depend on whether there is an entry, nor on its shard.
        for key in [fixed, dynamic, none] {
            let reply = rig.says(update(key, attributes), says);
            let named = reply.metadata.get("profile_id").map(String::as_str);
            assert_eq!(named, (says.1 == "UNKNOWN_PROFILE").then_some("4"));
        }
    }
    let by_profile = v1::Attributes { profile_id: Some(1), ..attributes() };
    let by_aging = v1::Attributes { aging_ms: Some(60_000), ..attributes() };
    for (attributes, field) in [(by_profile, "profile_id"), (by_aging, "aging_ms")] {
        let alone = (INVALID, "NOT_ALONGSIDE", field, "may only be set alongside dynamic");
        rig.says(create(none, attributes), alone);
        let is_static = (INVALID, "STATIC_ENTRY", field, "the entry is static; set dynamic as well");
        rig.says(update(fixed, attributes), is_static);
    }
    rig.says(
        update(dynamic, v1::Attributes { dynamic: Some(false), ..attributes() }),
        (INVALID, "DYNAMIC_ENTRY", "dynamic", "a dynamic entry cannot be made static"),
    );
}

fn attributes_of_the_table<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    let nothing = "neither profiles nor permissions are given";
    rig.says(change::<K>(&[], None), (INVALID, "NOTHING_TO_DO", "profiles", nothing));
    let bits = "0x13dfc has bits outside of 0x3fff";
    rig.says(change::<K>(&[], Some(0x1_3dfc)), (INVALID, "PERMISSION_BITS", "permissions", bits));
    let range = (INVALID, "PROFILE_RANGE", "profiles[1].profile_id", "16 is not in 0 to 15");
    rig.says(change::<K>(&[(0, 5), (16, 6)], None), range);
    let unknown =
        (Status::NotFound, "UNKNOWN_PROFILE", "profiles[0].profile_id", "there is no timer profile 4");
    assert_eq!(rig.says(change::<K>(&[(4, 5)], None), unknown).metadata["profile_id"], "4");
    let twice = (INVALID, "PROFILE_TWICE", "profiles[2].profile_id", "profile 2 is given twice");
    rig.says(change::<K>(&[(2, 5), (1, 6), (2, 7)], None), twice);
    for aging in [0, 864_000_001, u64::MAX] {
        let message = format!("{aging} is not in 1 to 864000000");
        let says = (INVALID, "AGING_RANGE", "profiles[1].aging_ms", &message[..]);
        rig.says(change::<K>(&[(1, 5), (0, aging)], None), says);
    }
    // The aging equals that of a profile that stays, before and after it, and that of one that
    // changes too.
    for (agings, field, other) in [
        (&[(1, 30_000)][..], "profiles[0].aging_ms", "0"),
        (&[(1, 120_000)], "profiles[0].aging_ms", "3"),
        (&[(3, 7), (1, 7)], "profiles[0].aging_ms", "1"),
    ] {
        let message = format!("{} was already specified by profile {other}", agings[0].1);
        let reply = rig.says(change::<K>(agings, None), (INVALID, "AGING_DUPLICATE", field, &message));
        assert_eq!(reply.metadata["profile_id"], other);
    }
    // Two profiles may swap their agings.
    assert_eq!(rig.ask(change::<K>(&[(0, 60_000), (1, 30_000)], None)).status(), Status::Ok);
}

fn the_table_has_entries<K: RigKey>() {
    let mut rig = Rig::<K>::new(300);
    rig.learn(1, K::flow(2, 1000));
    let message = "the table has entries, and its permissions change only while it is empty";
    let says = (Status::FailedPrecondition, "TABLE_NOT_EMPTY", "permissions", message);
    rig.says(change::<K>(&[], Some(0x3fff)), says);
    // One shard gets all the agings that it can distinguish.
    let agings: Vec<u64> = (100_000..100_300).collect();
    let refused = agings.iter().zip(0..).position(|(aging, src)| {
        rig.learn(0, K::flow(1, src));
        rig.ask(change::<K>(&[(0, *aging)], None)).status() != Status::Ok
    });
    let refused = refused.expect("there are no 300");
    let message = "entries have more than 200 different aging values; those with old ones have to go first";
    let says = (Status::FailedPrecondition, "TOO_MANY_AGINGS", "profiles", message);
    rig.says(change::<K>(&[(0, agings[refused])], None), says);
    let table = rig.table();
    assert_eq!(table.profiles[0].aging_ms, agings[refused - 1]);
    rig.learn(1, K::flow(2, 1001));
    let aging = rig.tracker(1).get(&K::flow(2, 1001)).map(|entry| u64::from(entry.aging_ms));
    assert_eq!(aging, Some(agings[refused - 1]), "the other shard has not changed alone");
}

fn the_program_is_detached_or_not<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    rig.says(load::<K>(), precondition("ALREADY_ATTACHED", "the program is attached already"));
    assert_eq!(rig.ask(purge::<K>()).status(), Status::Ok);
    rig.says(purge::<K>(), precondition("ALREADY_DETACHED", "the program is detached (purged) already"));
    let key = K::flow(1, 1);
    let changes = change::<K>(&[(0, 5)], Some(0x3fff));
    for body in [create(key, attributes()), update(key, attributes()), delete(key), flush::<K>(None), changes]
    {
        let message = "the program is detached (purged); load attaches it again";
        rig.says(body, precondition("DETACHED", message));
    }
    // Reads find nothing.
    rig.says(get(key), NO_ENTRY);
    let dumped = rig.ask(dump::<K>(None));
    assert_eq!((dumped.status(), dumped.records.len()), (Status::Ok, 0));
}

fn what_is_no_command_and_no_filter<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    let command = v1::Command { id: 77, ..Default::default() };
    rig.take(command);
    rig.settle();
    let reply = rig.last(77);
    assert_eq!((reply.status(), &reply.reason[..]), (Status::FailedPrecondition, "UNKNOWN_COMMAND"));
    assert_eq!(reply.message, "this data plane does not know the command");
    let bad = || Some(v1::Filter { steps: vec![v1::FilterStep::default()] });
    let why = crate::lcore::filter::Filter::from_proto(bad().as_ref()).expect_err("no operator").to_string();
    for body in [dump::<K>(bad()), flush::<K>(bad())] {
        rig.says(body, (INVALID, "BAD_FILTER", "filter", &why));
    }
}

/// Programs are distinguished by 16 bits. When all numbers are in use and no sweep has freed any, a
/// new program is refused, and a known one is not.
fn more_programs_than_can_be_told_apart<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    let by = |pid| {
        let actor = Some(v1::Actor { pid, ..operator() });
        Body::Delete(v1::DeleteCommand { key: K::flow(1, 1).bytes(), actor })
    };
    // The lcores do not run meanwhile.
    let refused = (0..=65_536).find(|pid| {
        rig.send(by(*pid));
        rig.answers.pop().is_some_and(|answer| answer.reason == "TOO_MANY_AUTHORS")
    });
    let message = "entries name as many different programs as can be told apart";
    let says = (Status::ResourceExhausted, "TOO_MANY_AUTHORS", "", message);
    rig.says_at_once(by(refused.expect("no more than 16 bits")), says);
    rig.settle();
    rig.says(by(3), NO_ENTRY);
    // No entry names any of them. A refusal starts a sweep, and two in a row free the numbers.
    let accepted = (0..3).any(|_| rig.ask(by(70_000)).reason == "NO_ENTRY");
    assert!(accepted, "new programs are refused for ever");
}

/// A reply names every field at fault, whichever shard knows of it.
fn every_fault_is_told_at_once<K: RigKey>() {
    let mut rig = Rig::<K>::new(8);
    let wrong = v1::Attributes {
        dynamic: Some(false),
        profile_id: Some(16),
        aging_ms: Some(31),
        permissions: Some(0x40),
    };
    let told = |reply: &v1::Reply| -> Vec<(String, String)> {
        reply.faults.iter().map(|fault| (fault.field.clone(), fault.message.clone())).collect()
    };
    let common = [
        ("aging_ms", "either aging or a profile may be given, not both"),
        ("profile_id", "16 is not in 0 to 15"),
        ("aging_ms", "31 doesn't match any timer profile"),
        ("permissions", "0x40 has a create bit, which an entry cannot have"),
    ];
    let with = |more: &[(&str, &str)]| -> Vec<(String, String)> {
        common
            .iter()
            .chain(more)
            .map(|(field, message)| ((*field).to_owned(), (*message).to_owned()))
            .collect()
    };
    let alone = "may only be set alongside dynamic";
    let refused = rig.ask(create(K::flow(1, 1), wrong));
    assert_eq!(
        (refused.status(), &refused.reason[..], &refused.field[..]),
        (INVALID, "BOTH_GIVEN", "aging_ms")
    );
    assert_eq!(told(&refused), with(&[("profile_id", alone), ("aging_ms", alone)]));
    for lcore in 0..2 {
        rig.learn(lcore, K::flow(3, lcore as u16));
        let refused = rig.ask(update(K::flow(3, lcore as u16), wrong));
        assert_eq!(told(&refused), with(&[("dynamic", "a dynamic entry cannot be made static")]));
    }
    // One fault is not listed twice.
    let one = rig.ask(update(K::flow(3, 0), v1::Attributes { profile_id: Some(4), ..attributes() }));
    assert_eq!((one.status(), one.faults.len()), (Status::NotFound, 0));

    let refused = rig.ask(change::<K>(&[(16, 5), (4, 6), (0, 0), (0, 9), (1, 90_000)], Some(0x1_0000)));
    let expected = [
        ("profiles[0].profile_id", "16 is not in 0 to 15"),
        ("profiles[1].profile_id", "there is no timer profile 4"),
        ("profiles[3].profile_id", "profile 0 is given twice"),
        ("profiles[2].aging_ms", "0 is not in 1 to 864000000"),
        ("profiles[4].aging_ms", "90000 was already specified by profile 2"),
        ("permissions", "0x10000 has bits outside of 0x3fff"),
    ];
    let expected = expected.map(|(field, message)| (field.to_owned(), message.to_owned()));
    assert_eq!(told(&refused), expected);
}
