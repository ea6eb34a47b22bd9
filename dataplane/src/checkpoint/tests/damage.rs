//! Each kind of damage is refused, and says why.

use proptest::prelude::*;

use super::*;
use crate::checkpoint::format::{HEAD, VERSION};

fn small() -> Vec<u8> {
    file(&entries(3, 1), &entries(2, 2), &description())
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes).err().map(|refused| refused.to_string()).expect("it is refused")
}

#[test]
fn a_file_that_was_cut_or_has_grown_is_refused_at_every_length() {
    let whole = small();
    read(&whole).expect("sound");
    for end in 0..whole.len() {
        let reason = refusal(&whole[..end]);
        let meant = if end < HEAD { "it is no checkpoint" } else { "it is torn" };
        assert!(reason.starts_with(meant), "{end}: {reason}");
    }
    assert!(refusal(&[&whole[..], &[0]].concat()).starts_with("it is torn"));
}

#[test]
fn a_byte_that_is_another_one_is_refused_wherever_it_is() {
    let whole = small();
    for (place, byte) in (0..whole.len()).flat_map(|place| [1, 0x80, 0xff].map(|bits| (place, bits))) {
        let mut bytes = whole.clone();
        bytes[place] ^= byte;
        let reason = refusal(&bytes);
        let meant = match place {
            0..8 => "it is no checkpoint",
            8..12 => "it has version",
            12..16 => "it is damaged: its checksum",
            16..HEAD => "it is torn",
            _ => "it is damaged: its checksum",
        };
        assert!(reason.starts_with(meant), "{place}: {reason}");
    }
}

#[test]
fn another_version_is_named() {
    let mut bytes = small();
    bytes[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
    assert_eq!(refusal(&bytes), "it has version 2; this program reads version 1");
}

#[test]
fn the_file_of_another_data_plane_is_refused() {
    let check = |change: fn(&mut Identity)| {
        let mut identity = identity();
        change(&mut identity);
        identity.check(&description()).err().map(|refused| refused.to_string())
    };
    assert_eq!(check(|_| {}), None);
    let refused = |change| check(change).expect("it is refused");
    assert_eq!(refused(|i| i.dataplane = "o\n".to_owned()), r#"it has --id "dp"; here --id is "o\n""#);
    let ports = refused(|i| i.ports[1].device = "net_tap1".to_owned());
    assert!(ports.starts_with(r#"it has the list of ports port0 "net_null0", port1 "net_null1""#), "{ports}");
    assert!(ports.ends_with(r#"port1 "net_tap1", port2 "net_null2""#), "{ports}");
    assert!(refused(|i| i.ports.swap(0, 1)).starts_with("it has the list of ports"));
    assert!(refused(|i| i.ports.truncate(2)).starts_with("it has the list of ports"));
    let tables = refused(|i| i.tables.truncate(1));
    let meant = r#"it has the list of tables "flowtracker", "flowtracker_ipv6"; here"#;
    assert!(tables.starts_with(meant), "{tables}");
}

#[test]
fn a_whole_file_that_means_nothing_is_refused() {
    let of = |change: fn(&mut Description)| {
        let mut description = description();
        change(&mut description);
        refusal(&file(&[], &[], &description))
    };
    assert_eq!(of(|d| d.at_ns = u64::MAX), "it is damaged: its clock has run for too long");
    assert_eq!(of(|d| d.steps.clear()), "it is damaged: its clock has no history");
    assert_eq!(of(|d| d.steps.swap(0, 1)), "it is damaged: its clock has no history");
    let steps = |d: &mut Description| d.steps = vec![d.steps[0].clone(); 65_537];
    assert_eq!(of(steps), "it is damaged: its clock was set too often");
    assert!(of(|d| d.tables[0].at_end = None).contains("impossible attributes"));
    assert!(of(|d| d.tables[0].at_start = Some(SavedAttributes::default())).contains("impossible"));
    // Entries of the time after the file.
    let late = Entry { created_ms: AT.ns / 1_000_000 + 3, ..entries::<FlowKeyV6>(1, 1)[0] };
    let reason = refusal(&file(&[], &[late], &description()));
    assert_eq!(reason, "it is damaged: record 0 of flowtracker_ipv6 is no entry");
    let old = Entry { aging_ms: 864_000_001, ..entries::<FlowKey>(1, 1)[0] };
    assert!(refusal(&file(&[old], &[], &description())).contains("record 0 of flowtracker is"));
}

/// A head may declare any size: it is compared with the file's length before memory is taken.
#[test]
fn declared_sizes_are_bounded_by_the_file() {
    for numbers in [[u64::MAX; 3], [1 << 58, 1 << 58, 1 << 60], [0, 0, 1 << 40], [u64::MAX, 0, 0]] {
        let mut bytes = small();
        for (place, number) in bytes[16..HEAD].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        assert!(refusal(&bytes).starts_with("it is torn"), "{numbers:?}");
    }
    // A sparse file may be as long as its head says.
    let mut head = small();
    head.truncate(HEAD);
    for (place, number) in head[16..].chunks_exact_mut(8).zip([0, 0, 1u64 << 40]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    let long = Checkpoint::read(Cursor::new(&head[..]), (1 << 40) + HEAD as u64);
    let reason = long.err().expect("it is refused").to_string();
    assert_eq!(reason, "it is damaged: its description is too long");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(mut bytes: Vec<u8>, keep in 0usize..=HEAD) {
        let whole = small();
        let keep = keep.min(bytes.len());
        bytes[..keep].copy_from_slice(&whole[..keep]);
        prop_assert!(read(&bytes).is_err());
    }
}
