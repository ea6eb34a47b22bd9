mod build;
mod damage;

use super::*;
use build::{Build, END};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

/// A packet that was read: its time, its octets, and its length.
type Read = (Option<u64>, Vec<u8>, u32);

/// Reads packets until the end, or until something is wrong.
fn read(octets: &[u8]) -> (Vec<Read>, Option<String>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::new(octets) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error.to_string())),
    };
    loop {
        match reader.next_packet() {
            Ok(Some(p)) => packets.push((p.time_ns, p.octets.to_vec(), p.length)),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
}

/// Reads a capture that must be whole.
#[track_caller]
fn packets(file: &Build) -> Vec<Read> {
    let (packets, error) = read(&file.octets);
    assert_eq!(error, None);
    packets
}

/// Reads a capture that must be refused, and returns why.
#[track_caller]
fn refused(file: &Build) -> String {
    read(&file.octets).1.expect("refused")
}

/// The packet of most tests: 6 octets of 60, at 1 s.
fn one() -> Vec<Read> {
    vec![(Some(SECOND), b"packet".to_vec(), 60)]
}

fn small(file: Build) -> Build {
    file.packet(b"packet", 60, &[])
}

#[test]
fn options_end_with_their_mark_or_with_their_block() {
    for big in [false, true] {
        let any = Build::section(big, &[]);
        let name = any.option(1, b"name");
        let resolution = any.option(9, &[6]);
        let flags = any.option(2, &[0; 4]);
        for (section, interface, packet) in [
            (&[][..], &[][..], &[][..]),
            (&name, &[], &[]),
            (&[], &name, &[]),
            (&[], &resolution, &[]),
            (&[], &[], &flags),
            (&name, &[&name[..], &resolution].concat(), &[&flags[..], &name].concat()),
            (END, END, END),
            (&[&name, END].concat(), &[&resolution, END].concat(), &[&flags, END].concat()),
            // After the mark nothing is an option.
            (&[], &[END, &any.option(9, &[0])].concat(), &[]),
        ] {
            let file = Build::section(big, section).interface(1, interface).packet(b"packet", 60, packet);
            assert_eq!(packets(&file), one());
        }
    }
}

#[test]
fn what_is_not_needed_is_not_looked_at() {
    for big in [false, true] {
        let section = |options: &[u8]| Build::section(big, options);
        let any = section(&[]);
        let comment = any.option(1, b"caf\xe9");
        // Options with contents that no reader could make sense of, some of them unknown.
        let odd = (0..20).filter(|code| ![0, 9, 13, 14].contains(code));
        let odd: Vec<u8> =
            odd.chain([0x8000, 2988, 65_535]).flat_map(|c| any.option(c, b"\xff\xfe\xfd")).collect();
        for (what, file) in [
            ("a comment in another charset", small(section(&comment).interface(1, &comment))),
            ("options of a section", small(section(&odd).interface(1, &[]))),
            ("options of an interface", small(section(&[]).interface(1, &odd))),
            ("options of a packet", section(&[]).interface(1, &[]).packet(b"packet", 60, &odd)),
            ("damaged options of a section", small(section(&[0xff; 8]).interface(1, &[]))),
            ("less than an option", section(&[]).interface(1, &[]).packet(b"packet", 60, &[]).block(5, &[])),
            ("name resolution", small(section(&[]).interface(1, &[]).block(4, &[0xff; 16]))),
            ("statistics", small(section(&[]).interface(1, &[]).block(5, &[0xff; 4]))),
            ("an unknown block", small(section(&[]).block(0xbad, &[0xff; 40]).interface(1, &[]))),
            ("a large one", small(section(&[]).interface(1, &[]).block(0x8000_0001, &vec![9; 40 << 20]))),
            ("a section without packets", small(section(&[]).version((1, 0), &[]).interface(1, &[]))),
        ] {
            assert_eq!(packets(&file), one(), "{what}");
        }
        // The reserved half of an interface, and the length of the section.
        let mut file = small(section(&[]).interface(1, &[]));
        file.octets[28 + 10] = 7;
        file.octets[16..24].copy_from_slice(&[9; 8]);
        assert_eq!(packets(&file), one());
    }
}

#[test]
fn every_section_has_an_order_and_interfaces_of_its_own() {
    let little = small(Build::section(false, &[]).interface(1, &[]));
    let big = small(Build::section(true, &[]).interface(1, &[]));
    let mut both = little.clone();
    both.octets.extend(&big.octets);
    assert_eq!(packets(&both), [one(), one()].concat());
    let bare = small(little.version((1, 0), &[]));
    assert_eq!(refused(&bare), "packet 2: enhanced packet block at octet 116: there is no interface 0");
}

#[test]
fn every_kind_of_packet_block_is_read() {
    for big in [false, true] {
        let file = Build::section(big, &[]).interface(276, &[]);
        let file = file.snapping(1, 4, &Build::section(big, &[]).option(9, &[9]));
        let obsolete =
            [&file.half(1)[..], &file.half(0xdead), &file.words(&[0, 5, 6, 60]), b"packet\0\0"].concat();
        let enhanced = [&file.words(&[1, 1, 2, 6, 60])[..], b"packet\0\0"].concat();
        let file = file.block(2, &obsolete).block(6, &enhanced);
        let expected = [(Some(5), b"packet".to_vec(), 60), (Some((1 << 32) + 2), b"packet".to_vec(), 60)];
        assert_eq!(packets(&file), expected);
    }
}

/// A simple packet block belongs to interface 0, and says neither a time nor how much of the packet
/// was captured.
#[test]
fn a_simple_packet_has_no_time_and_is_cut_by_the_snap_length() {
    for (snap_length, length, captured) in
        [(0, 6, 6), (65_535, 6, 6), (6, 6, 6), (5, 6, 5), (6, 60, 6), (1, 60, 1)]
    {
        let file = Build::section(false, &[]).snapping(1, snap_length, &[]);
        let file = file.clone().block(3, &[&file.words(&[length])[..], b"packet\0\0"].concat());
        assert_eq!(packets(&file), [(None, b"packet"[..captured].to_vec(), length)]);
    }
}

#[test]
fn pcap_is_read_in_both_orders_and_units() {
    for big in [false, true] {
        for (magic, unit) in [(MICROSECONDS, 1_000), (NANOSECONDS, 1), (MODIFIED, 1_000)] {
            let more: &[u8] = if magic == MODIFIED { &[0xff; 8] } else { &[] };
            let file = Build::pcap(big, magic, (2, 4), 1);
            let file = file.record([6, 60], &[more, b"packet"].concat()).record([0, 0], more);
            let time = Some(7 * SECOND + 8 * unit);
            assert_eq!(packets(&file), [(time, b"packet".to_vec(), 60), (time, Vec::new(), 0)]);
        }
    }
}

/// Versions before 2.3 have the length of the frame in front, and so have some files of 2.3.
#[test]
fn old_versions_are_read_in_their_order() {
    for (minor, lengths) in
        [(0, [60, 6]), (1, [60, 6]), (2, [60, 6]), (3, [60, 6]), (3, [6, 60]), (4, [6, 60])]
    {
        let file = Build::pcap(false, MICROSECONDS, (2, minor), 1).record(lengths, b"packet");
        assert_eq!(packets(&file), [(Some(7 * SECOND + 8_000), b"packet".to_vec(), 60)], "2.{minor}");
    }
}

#[test]
fn versions_that_are_unknown_are_refused_by_number() {
    for version in [(1, 4), (2, 5), (3, 0), (0, 0), (543, 0), (65_535, 4)] {
        for big in [false, true] {
            let file = Build::pcap(big, MICROSECONDS, version, 1).record([6, 60], b"packet");
            let error = refused(&file);
            assert!(
                error.starts_with(&format!("its version is pcap {}.{}", version.0, version.1)),
                "{error}"
            );
        }
    }
    for big in [false, true] {
        for minor in [0, 2] {
            assert_eq!(
                packets(&small(Build::section(big, &[]).version((1, minor), &[]).interface(1, &[]))),
                one()
            );
        }
        for version in [(2, 0), (1, 1), (1, 3), (0, 0)] {
            let first = Build { big, octets: Vec::new() }.version(version, &[]);
            let later = Build::section(big, &[]).version(version, &[]);
            for (file, at) in [(first, 0), (later, 28)] {
                let (error, (major, minor)) = (refused(&file), version);
                let expected =
                    format!("section header block at octet {at}: its version is pcapng {major}.{minor}");
                assert!(error.starts_with(&expected), "{error}");
            }
        }
    }
}

/// The check sequence is the end of a frame: where the capture has cut it off already, no more is
/// taken.
#[test]
fn the_check_sequence_is_no_part_of_the_frame() {
    let frame: Vec<u8> = (0..68).collect();
    // The last word of the header, the two lengths, and what is left of them.
    for (link, captured, length, left) in [
        (0x2400_0001, 68, 68, (64, 64)),
        (0x2400_0001, 67, 68, (64, 64)),
        (0x2400_0001, 65, 68, (64, 64)),
        (0x2400_0001, 64, 68, (64, 64)),
        (0x2400_0001, 63, 68, (63, 64)),
        (0x2400_0001, 10, 68, (10, 64)),
        (0x2400_0001, 3, 3, (0, 0)),
        (0x2400_0001, 0, 0, (0, 0)),
        (0x1400_0001, 68, 68, (66, 66)),
        (0xf400_0001, 68, 68, (38, 38)),
        (0x0400_0001, 68, 68, (68, 68)),
        // The length is not valid.
        (0x2000_0001, 68, 68, (68, 68)),
        (0xf000_0001, 68, 68, (68, 68)),
        // Reserved bits.
        (0x0bff_0001, 68, 68, (68, 68)),
        (0x2fff_0001, 68, 68, (64, 64)),
        // More is captured than was there: the longer one is the length.
        (0x2400_0001, 68, 20, (64, 64)),
    ] {
        let file = Build::pcap(false, MICROSECONDS, (2, 4), link);
        let file = file.record([captured, length], &frame[..captured as usize]);
        let (_, octets, length) = &packets(&file)[0];
        assert_eq!((octets.len(), *length), left, "{link:#010x}");
        assert_eq!(octets[..], frame[..left.0], "{link:#010x}");
    }
    // In pcapng the interface says it, or the packet.
    for big in [false, true] {
        let any = Build::section(big, &[]);
        let flags = |fcs: u32| any.option(2, &any.words(&[0xffff_fe1f | fcs << 5]));
        for (interface, packet, left) in [
            (&[][..], &[][..], 68),
            (&any.option(13, &[4]), &[], 64),
            (&any.option(13, &[32]), &[], 64),
            (&any.option(13, &[0]), &[], 68),
            (&any.option(13, &[4]), &flags(0), 64),
            (&any.option(13, &[4]), &flags(2), 66),
            (&[], &flags(4), 64),
            (&[], &flags(15), 53),
        ] {
            let file = Build::section(big, &[]).interface(1, interface).packet(&frame, 68, packet);
            let (_, octets, length) = &packets(&file)[0];
            assert_eq!((octets.len(), *length), (left, left as u32));
        }
    }
}

#[test]
fn link_types_are_refused_by_name_and_number() {
    for (word, words) in [
        (0, "NULL (0)"),
        (113, "LINUX_SLL (113)"),
        (0x2400_0071, "LINUX_SLL (113)"),
        (276, "LINUX_SLL2 (276)"),
        (11, "is 11:"),
        (60_000, "is 60000:"),
    ] {
        let file = Build::pcap(false, MICROSECONDS, (2, 4), word);
        let error = refused(&file);
        assert!(error.contains(words) && error.contains("only Ethernet"), "{error}");
    }
    // In pcapng an interface may be of any kind, as long as no packet comes from it.
    let file = Build::section(false, &[]).interface(113, &[]);
    assert_eq!(packets(&file), []);
    let error = refused(&small(file));
    assert!(
        error.starts_with("packet 1: enhanced packet block at octet 48: its link type is LINUX_SLL"),
        "{error}"
    );
}

#[test]
fn what_is_compressed_is_named() {
    for (magic, word) in [
        (&[0x1f, 0x8b, 8, 0][..], "gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
        (b"text", "neither pcap nor pcapng"),
    ] {
        let error = read(magic).1.expect("refused");
        assert!(error.contains(word) && error.contains("neither"), "{error}");
    }
}
