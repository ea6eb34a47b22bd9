use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::key::{FlowKeyV4, FlowKeyV6};
use crate::v1::{Key, ListEntriesResponse};

fn actor() -> impl Strategy<Value = Option<Arc<Actor>>> {
    let actor = (0..5_i32, any::<u32>(), "[a-z]{0,200}", "(CN=[a-z]{1,9})?")
        .prop_map(|(entity, pid, process, identity)| Arc::new(Actor { entity, pid, process, identity }));
    proptest::option::of(actor)
}

prop_compose! {
    fn state()(
        key in (1..=0x1_0000_u32, any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>(), any::<u8>()),
        wide: Option<[u128; 2]>,
        attributes in (0..0x4000_u16, any::<u8>(), any::<bool>(), any::<u32>()),
        times in (any::<u64>(), any::<u64>(), any::<u64>()),
        packets in any::<u64>(),
        bytes in 0..3_u64,
        created_by in actor(),
        updated_by in actor(),
        step_ms in prop_oneof![Just(0), any::<i32>().prop_map(i64::from)],
    ) -> EntryState {
        let (input_port, src_addr, dst_addr, src_port, dst_port, protocol) = key;
        let (permissions, profile_id, dynamic, aging_ms) = attributes;
        let (create_ns, last_used_ns, as_of_ns) = times;
        EntryState {
            key: match wide.map(|wide| wide.map(u128::to_be_bytes)) {
                None => FlowKeyV4 { input_port, src_addr, dst_addr, src_port, dst_port, protocol }.into(),
                Some([src_addr, dst_addr]) => {
                    FlowKeyV6 { input_port, src_addr, dst_addr, src_port, dst_port, protocol }.into()
                }
            },
            permissions, profile_id, dynamic, aging_ms, create_ns, last_used_ns, as_of_ns, packets, bytes,
            created_by, updated_by, clock_step: ClockStep::of_ms(step_ms),
        }
    }
}

fn family() -> impl Strategy<Value = Family> {
    proptest::sample::select(&Family::ALL[..])
}

fn change() -> impl Strategy<Value = Change> {
    let reason = (1..=4_i32).prop_map(|n| DeleteReason::try_from(n).expect("known"));
    prop_oneof![
        state().prop_map(Change::Created),
        state().prop_map(Change::Updated),
        (state(), reason, actor()).prop_map(|(entry, reason, by)| Change::Deleted { entry, reason, by }),
        (family(), any::<u64>(), 0..2_u64).prop_map(|(family, deleted, failed)| Change::Flushed {
            family,
            deleted,
            failed
        }),
        family().prop_map(Change::Purged),
        family().prop_map(Change::Loaded),
    ]
}

/// The contract, field by field: the fields that [`Encoder`] has to write of an entry.
fn expected_entry(dataplane: &str, state: &EntryState, time_ns: u64) -> Entry {
    let time =
        |ns: u64| Timestamp { seconds: (ns / 1_000_000_000) as i64, nanos: (ns % 1_000_000_000) as i32 };
    let learner = || Actor { entity: 1, process: format!("dataplane:{dataplane}"), ..Actor::default() };
    let (pipeline, src_addr, dst_addr) = match state.key {
        FlowKey::V4(key) => {
            let [src, dst] = [key.src_addr, key.dst_addr].map(|addr| Ipv4Addr::from_bits(addr).to_string());
            ("flowtracker", src, dst)
        }
        FlowKey::V6(key) => {
            let [src, dst] = [key.src_addr, key.dst_addr].map(|addr| ipv6_text(Ipv6Addr::from(addr)));
            ("flowtracker_ipv6", src, dst)
        }
    };
    let key = state.key.widen();
    Entry {
        dataplane: dataplane.to_owned(),
        pipeline: pipeline.to_owned(),
        table: "Main/ct_flow_table".to_owned(),
        key: Some(Key {
            input_port: format!("port{}", key.input_port - 1),
            src_addr,
            dst_addr,
            protocol: key.protocol.into(),
            src_port: key.src_port.into(),
            dst_port: key.dst_port.into(),
        }),
        priority: 64000,
        permissions: state.permissions.into(),
        permissions_text: permissions_text(state.permissions.into()),
        created_by: Some(state.created_by.as_deref().cloned().unwrap_or_else(learner)),
        updated_by: state.updated_by.as_deref().cloned(),
        deleted_by: None,
        dynamic: state.dynamic,
        profile_id: state.profile_id.into(),
        aging_ms: if state.dynamic { state.aging_ms.into() } else { 0 },
        create_time: Some(time(state.create_ns)),
        last_used_time: Some(time(state.last_used_ns)),
        created_ms_ago: {
            let shown = (i128::from(time_ns) - i128::from(state.create_ns)).div_euclid(1_000_000);
            (shown - i128::from(state.clock_step.ms())).try_into().unwrap_or(0)
        },
        idle_ms: time_ns.saturating_sub(state.last_used_ns) / 1_000_000,
        packets: state.packets,
        bytes: state.bytes,
        tmpl_created: false,
    }
}

fn expected_event(epoch: u64, seq: u64, changed: &Changed) -> Event {
    let time_ns = changed.time_ns;
    let event = Event {
        dataplane: changed.dataplane.to_string(),
        ..mark(epoch, seq, time_ns, EventType::Unspecified)
    };
    let of_entry = |kind: EventType, state| Event {
        r#type: kind.into(),
        entry: Some(expected_entry(&changed.dataplane, state, time_ns)),
        ..event.clone()
    };
    let lifecycle = |family: &Family, kind: LifecycleKind| Event {
        r#type: EventType::Lifecycle.into(),
        lifecycle: kind.into(),
        pipeline: family.pipeline().to_owned(),
        ..event.clone()
    };
    match &changed.change {
        Change::Created(state) => of_entry(EventType::Created, state),
        Change::Updated(state) => of_entry(EventType::Updated, state),
        Change::Deleted { entry, reason, by } => {
            let mut event = Event { reason: (*reason).into(), ..of_entry(EventType::Deleted, entry) };
            let by = by.as_deref().cloned().unwrap_or_else(|| deleter(*reason));
            event.entry = event.entry.map(|entry| Entry { deleted_by: Some(by), ..entry });
            event
        }
        Change::Flushed { family, deleted, failed } => Event {
            r#type: EventType::Flushed.into(),
            deleted: *deleted,
            failed: *failed,
            pipeline: family.pipeline().to_owned(),
            ..event
        },
        Change::Purged(family) => lifecycle(family, LifecycleKind::Purged),
        Change::Loaded(family) => lifecycle(family, LifecycleKind::Loaded),
    }
}

proptest! {
    /// The oracle is protobuf's own encoder on the message that the contract describes.
    #[test]
    fn bytes_are_those_of_the_messages(
        epoch: u64,
        first_seq in 0..u64::MAX / 2,
        names in proptest::collection::vec("[a-z]{0,63}", 1..3),
        changes in proptest::collection::vec((change(), any::<u64>(), 0..2_usize), 0..20),
        pick: u32,
    ) {
        let names: Vec<Arc<str>> = names.iter().map(|name| name.as_str().into()).collect();
        let changes: Vec<Changed> = changes
            .into_iter()
            .map(|(change, time_ns, name)| Changed { time_ns, dataplane: names[name % names.len()].clone(), change })
            .collect();
        let mut encoder = Encoder::new(epoch, changes.len());
        (first_seq..).zip(&changes).for_each(|(seq, changed)| encoder.event(seq, changed));
        let encoded = encoder.finish();
        let events: Vec<Event> =
            (first_seq..).zip(&changes).map(|(seq, changed)| expected_event(epoch, seq, changed)).collect();
        for (seq, (changed, expected)) in (first_seq..).zip(changes.iter().zip(&events)) {
            prop_assert_eq!(&event(epoch, seq, changed), expected);
        }
        let wanted = |index: usize| pick >> (index % 32) & 1 == 1;
        let some = events.iter().enumerate().filter(|(i, _)| wanted(*i)).map(|(_, e)| e.clone()).collect();
        prop_assert_eq!(encoded.only(wanted), WatchEventsResponse { events: some }.encode_to_vec());
        prop_assert_eq!(encoded.all(), WatchEventsResponse { events }.encode_to_vec());
    }

    #[test]
    fn entries_are_encoded_alike_in_snapshots_and_lists(
        epoch: u64,
        cut: u64,
        name in "[a-z]{1,63}",
        states in proptest::collection::vec(state(), 0..5),
    ) {
        let name: Arc<str> = name.as_str().into();
        let mut snapshot = Encoder::new(epoch, states.len());
        states.iter().for_each(|state| snapshot.snapshot_entry(cut, &name, state));
        let mut list = Encoder::new(0, states.len());
        states.iter().for_each(|state| list.entry(&name, state));
        let entries: Vec<Entry> = states.iter().map(|s| expected_entry(&name, s, s.as_of_ns)).collect();
        let events = states
            .iter()
            .zip(&entries)
            .map(|(state, entry)| Event {
                dataplane: name.to_string(),
                entry: Some(entry.clone()),
                ..mark(epoch, cut, state.as_of_ns, EventType::Created)
            })
            .collect();
        prop_assert_eq!(snapshot.finish().all(), WatchEventsResponse { events }.encode_to_vec());
        for (state, expected) in states.iter().zip(&entries) {
            prop_assert_eq!(&entry(&name, state), expected);
        }
        prop_assert_eq!(list.finish().all(), ListEntriesResponse { entries }.encode_to_vec());
    }
}

#[test]
fn a_mark_is_a_response_of_its_own() {
    let mark = mark(7, 4, 1, EventType::Synced);
    assert_eq!(single(&mark), WatchEventsResponse { events: vec![mark] }.encode_to_vec());
}

#[test]
fn permission_letters_go_from_the_highest_bit_down() {
    assert_eq!(permissions_text(0x3dfc), "CRUD-PSCRUDX--");
    assert_eq!(permissions_text(0x1dbc), "-RUD-PS-RUDX--");
    assert_eq!(permissions_text(0x1024), "-R------R--X--");
    assert_eq!(permissions_text(0), "--------------");
    assert_eq!(permissions_text(0x3fff), "CRUDXPSCRUDXPS");
}
