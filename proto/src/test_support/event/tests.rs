use super::*;

#[test]
fn messages_and_lines_are_read_alike() {
    let key = v1::Key {
        input_port: "port3".to_owned(),
        src_addr: "10.0.0.1".to_owned(),
        dst_addr: "10.0.0.2".to_owned(),
        protocol: 6,
        src_port: 0,
        dst_port: 65535,
    };
    let create_time = crate::Timestamp::from_unix_ns(1_772_323_199_123_456_789);
    let entry = v1::Entry {
        pipeline: "flowtracker".to_owned(),
        key: Some(key),
        create_time: Some(create_time),
        permissions: 0x1dbc,
        aging_ms: 1 << 40,
        ..Default::default()
    };
    let types = [1, 2, 3, 4, 6, 7, 8].map(|kind| (kind, 0)).into_iter().chain([(5, 1), (5, 2)]);
    for (kind, lifecycle) in types {
        let mut message = v1::Event {
            epoch: 1 << 60,
            seq: 3,
            dataplane: "a".to_owned(),
            entry: Some(entry.clone()),
            gap_to: 3,
            lifecycle,
            pipeline: "flowtracker_ipv6".to_owned(),
            ..Default::default()
        };
        message.r#type = kind;
        message.set_reason(v1::DeleteReason::Resync);
        let line = serde_json::to_string(&message).expect("JSON");
        let read = Event::from_json(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(Ok(read), Event::from_proto(&message));
    }
    assert!(Event::from_json("{}").is_err());
}

#[test]
fn times_are_read() {
    let known = [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T23:59:59Z", 951_868_799),
        ("2026-03-01T00:00:00Z", 1_772_323_200),
        ("2100-12-31T12:30:01Z", 4_133_939_401),
    ];
    for (text, seconds) in known {
        assert_eq!(unix_ns(text), Some(seconds * 1_000_000_000), "{text}");
    }
    assert_eq!(unix_ns("1970-01-01T00:00:01.25Z"), Some(1_250_000_000));
    assert_eq!(unix_ns("1970-01-01"), None);
}
