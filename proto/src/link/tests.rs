use super::*;
use proptest::prelude::*;

prop_compose! {
    fn entry()(
        key in (1..=u32::MAX, any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>(), any::<u8>()),
        wide: Option<[[u8; 16]; 2]>,
        attributes in (0..=PERMISSIONS, any::<bool>(), any::<u8>(), any::<u32>()),
        numbers: [u64; 4],
        authors: [u16; 2],
        step: u32,
    ) -> Entry {
        let (input_port, src_addr, dst_addr, src_port, dst_port, protocol) = key;
        let (permissions, dynamic, profile_id, aging_ms) = attributes;
        let [create_ns, last_used_ns, packets, bytes] = numbers;
        let [created_by, updated_by] = authors;
        Entry {
            key: match wide {
                None => FlowKeyV4 { input_port, src_addr, dst_addr, src_port, dst_port, protocol }.into(),
                Some([src_addr, dst_addr]) => {
                    FlowKeyV6 { input_port, src_addr, dst_addr, src_port, dst_port, protocol }.into()
                }
            },
            permissions, dynamic, profile_id, aging_ms, create_ns, last_used_ns, packets, bytes,
            clock_step: ClockStep::from_bits(step), created_by, updated_by,
        }
    }
}

fn body() -> impl Strategy<Value = Body> {
    let family = || proptest::sample::select(&Family::ALL[..]);
    let reason = (0..=4_i32).prop_map(|n| DeleteReason::try_from(n).expect("known"));
    prop_oneof![
        entry().prop_map(Body::Created),
        entry().prop_map(Body::Updated),
        entry().prop_map(Body::Present),
        (entry(), reason, any::<u16>()).prop_map(|(entry, reason, by)| Body::Deleted { entry, reason, by }),
        family().prop_map(Body::ResyncBegin),
        family().prop_map(Body::ResyncEnd),
        (family(), any::<[u64; 2]>()).prop_map(|(family, [deleted, failed])| Body::Flushed {
            family,
            deleted,
            failed
        }),
        (family(), any::<u64>()).prop_map(|(family, deleted)| Body::Purged { family, deleted }),
        family().prop_map(Body::Loaded),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(time_ns: u64, body in body()) {
        let record = Record { time_ns, body };
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }

    /// Any bytes from a peer are a record or an error. A record that was read is written as it
    /// came, except for the fields that its kind does not have.
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), LEN)) {
        let bytes: [u8; LEN] = bytes.try_into().expect("as many");
        if let Ok(record) = Record::from_bytes(&bytes) {
            prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
        }
    }
}

/// The layout is a promise to peers of other versions: each field is at the offset that the table
/// gives.
#[test]
fn every_field_lies_at_its_place() {
    let key = FlowKeyV4 {
        input_port: 0x04,
        src_addr: 0x0a00_0001,
        dst_addr: 0x0a00_0002,
        src_port: 0x900c,
        dst_port: 0x04d2,
        protocol: 6,
    };
    let entry = Entry {
        key: key.into(),
        permissions: 0x1dbc,
        dynamic: true,
        profile_id: 3,
        aging_ms: 30_000,
        create_ns: 1 << 40,
        last_used_ns: 2 << 40,
        clock_step: ClockStep::of_ms(-2),
        packets: 3 << 40,
        bytes: 4 << 40,
        created_by: 0x1011,
        updated_by: 0x2021,
    };
    let body = Body::Deleted { entry, reason: DeleteReason::Flush, by: 0x3031 };
    let bytes = Record { time_ns: 5 << 40, body }.to_bytes();
    assert_eq!(bytes[..16], [3, 3, 3, 1, 0xbc, 0x9d, 0x11, 0x10, 0x21, 0x20, 0x31, 0x30, 0x30, 0x75, 0, 0]);
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
    assert_eq!([16, 24, 32, 40, 48].map(number), [5 << 40, 1 << 40, 2 << 40, 3 << 40, 4 << 40]);
    assert_eq!(bytes[56..60], [0xfe, 0xff, 0xff, 0xff]);
    assert_eq!(bytes[60..77], [4, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 6, 0x90, 0x0c, 0x04, 0xd2]);
    assert_eq!(bytes[77..], [0; 27]);

    let (src_addr, dst_addr) = ([0xaa; 16], [0xbb; 16]);
    let FlowKeyV4 { input_port, src_port, dst_port, protocol, .. } = key;
    let key = FlowKeyV6 { input_port, src_addr, dst_addr, src_port, dst_port, protocol };
    let bytes = Record { time_ns: 5, body: Body::Created(Entry { key: key.into(), ..entry }) }.to_bytes();
    assert_eq!(bytes[..4], [1, 0, 3, 2]);
    assert_eq!(bytes[60..101], [&[4, 0, 0, 0], &src_addr[..], &dst_addr, &[6, 0x90, 0x0c, 4, 0xd2]].concat());
    assert_eq!(bytes[101..], [0; 3]);
}

#[test]
fn what_no_sound_peer_sends_is_named() {
    let of_table = |table: u8, kind: u8, reason: u8, port: u8| {
        let mut bytes = [0; LEN];
        (bytes[0], bytes[1], bytes[TABLE], bytes[HEAD]) = (kind, reason, table, port);
        Record::from_bytes(&bytes)
    };
    let bytes = |kind, reason, port| of_table(1, kind, reason, port);
    assert_eq!(bytes(0, 0, 1), Err(BadRecord::Kind(0)));
    assert_eq!(bytes(10, 0, 1), Err(BadRecord::Kind(10)));
    assert_eq!(bytes(3, 5, 1), Err(BadRecord::Reason(5)));
    assert_eq!(bytes(1, 0, 0), Err(BadRecord::Key));
    assert_eq!(of_table(2, 1, 0, 0), Err(BadRecord::Key));
    for table in [0, 3, 255] {
        assert_eq!(of_table(table, 9, 0, 0), Err(BadRecord::Table(table)), "marks name a table too");
    }
    assert!(bytes(1, 9, 1).is_ok(), "a reason only counts in a deletion");
}

#[test]
fn a_run_that_is_cut_is_refused() {
    let record = Record { time_ns: 7, body: Body::Loaded(Family::Ipv6) };
    let run = [record.to_bytes(); 3].concat();
    let read: Result<Vec<_>, _> = records(&run).expect("whole").collect();
    assert_eq!(read, Ok(vec![record; 3]));
    assert!(matches!(records(&run[..run.len() - 1]), Err(BadRecord::Length)));
    assert_eq!(records(&[]).expect("whole").len(), 0);
}
