//! Captures that are damaged, or say impossible things.

use proptest::prelude::*;

use super::*;

/// Every bound of a packet, of a block and of a section, at the bound and beyond it.
#[test]
fn lengths_have_bounds() {
    let most = MAX_CAPTURED as usize;
    let long = vec![1; most + 4];
    let pcap = |count: usize| {
        let lengths = [count as u32, count as u32];
        Build::pcap(false, MICROSECONDS, (2, 4), 1).record(lengths, &long[..count])
    };
    let enhanced =
        |count: usize| Build::section(false, &[]).interface(1, &[]).packet(&long[..count], count as u32, &[]);
    let simple = |count: usize| {
        let file = Build::section(false, &[]).snapping(1, 0, &[]);
        let body = [&file.words(&[count as u32])[..], &long[..count]].concat();
        file.block(3, &body)
    };
    for file in [pcap(most), enhanced(most), simple(most)] {
        assert_eq!(packets(&file)[0].1.len(), most);
    }
    for file in [pcap(most + 4), enhanced(most + 4), simple(most + 4)] {
        let error = refused(&file);
        assert!(error.starts_with("packet 1") && error.contains("its captured length is 262148"), "{error}");
    }
    // A packet may be longer than the snap length that was said, and shorter than its block.
    let file = Build::section(false, &[]).snapping(1, 4, &[]);
    let roomy = [&file.words(&[0, 0, 1_000_000, 6, 60])[..], b"packet\0\0"].concat();
    assert_eq!(packets(&file.block(6, &roomy)), one());
}

#[test]
fn interfaces_have_a_bound() {
    let one_more = |count: usize| {
        let mut file = Build::section(false, &[]);
        for _ in 0..count {
            file = file.interface(1, &[]);
        }
        small(file)
    };
    assert_eq!(packets(&one_more(MAX_INTERFACES)), one());
    let error = refused(&one_more(MAX_INTERFACES + 1));
    let at = 28 + 20 * MAX_INTERFACES;
    assert_eq!(
        error,
        format!("interface description block at octet {at}: its section has more than 65536 interfaces")
    );
}

#[test]
fn what_is_impossible_is_named_with_its_block() {
    let start = || Build::section(false, &[]).interface(1, &[]);
    let words = |words: &[u32]| start().words(words);
    let raw = |words: &[u32]| {
        let mut file = start();
        file.octets.extend(file.words(words));
        file
    };
    let option = |code, value: &[u8]| start().option(code, value);
    let mut ends_differ = small(start());
    *ends_differ.octets.last_mut().expect("octets") = 1;
    for (file, expected) in [
        (raw(&[6, 8, 8]), "packet 1: enhanced packet block at octet 48: its length is 8"),
        (raw(&[6, 0, 0]), "packet 1: enhanced packet block at octet 48: its length is 0"),
        (raw(&[5, 14, 0, 0]), "block of type 0x00000005 at octet 48: its length is 14"),
        (raw(&[1, u32::MAX, 0]), "interface description block at octet 48: its length is 4294967295"),
        (raw(&[7, u32::MAX - 3, 0]), "block of type 0x00000007 at octet 48: cut short"),
        (raw(&[0x0a0d_0d0a, 28, 1]), "section header block at octet 48: its byte-order magic is 0x01000000"),
        (raw(&[0x0a0d_0d0a, 12, 0x1a2b_3c4d]), "section header block at octet 48: its block is too short"),
        (
            raw(&[0x0a0d_0d0a, 20, 0x1a2b_3c4d, 1, 20]),
            "section header block at octet 48: its block is too short",
        ),
        (ends_differ, "packet 1: enhanced packet block at octet 48: its length is 40 in front and 16777256"),
        (start().block(6, &[0; 16]), "packet 1: enhanced packet block at octet 48: its block is too short"),
        (start().block(2, &[0; 16]), "packet 1: obsolete packet block at octet 48: its block is too short"),
        (start().block(3, &[]), "packet 1: simple packet block at octet 48: its block is too short"),
        (start().block(1, &[0; 4]), "interface description block at octet 48: its block is too short"),
        (start().block(6, &words(&[0, 0, 0, 1, 1])), "octet 48: it is longer than its block"),
        (start().block(2, &words(&[0, 0, 0, 5, 5, 0])), "octet 48: it is longer than its block"),
        (start().block(3, &words(&[5, 0])), "octet 48: it is longer than its block"),
        (start().block(6, &words(&[7, 0, 0, 0, 0])), "octet 48: there is no interface 7"),
        (Build::section(false, &[]).block(3, &words(&[0])), "octet 28: there is no interface 0"),
        (start().interface(1, &option(9, &[6, 6])), "octet 48: its option if_tsresol has 2 octets"),
        (start().interface(1, &option(9, &[])), "octet 48: its option if_tsresol has 0 octets"),
        (start().interface(1, &option(13, &[4; 9])), "octet 48: its option if_fcslen has 9 octets"),
        (start().interface(1, &option(14, &[0; 7])), "octet 48: its option if_tsoffset has 7 octets"),
        (start().interface(1, &option(14, &[0; 12])), "octet 48: its option if_tsoffset has 12 octets"),
        (
            start().interface(1, &words(&[5 << 16 | 2, 0])),
            "octet 48: its option 2 is longer than what is left",
        ),
        (
            small(start().interface(1, &[]).version((1, 0), &[])),
            "packet 1: enhanced packet block at octet 96",
        ),
        (small(Build::section(false, &[]).interface(1, &option(14, &(-5i64).to_le_bytes()))), "1970"),
        (small(Build::section(false, &[]).interface(1, &option(14, &(1i64 << 40).to_le_bytes()))), "2554"),
    ] {
        let error = refused(&file);
        assert!(error.contains(expected), "{expected:?}: {error}");
    }
    let pcap = Build::pcap(true, MICROSECONDS, (2, 4), 1).record([6, 6], b"packet");
    let error = refused(&pcap.record([u32::MAX, 6], b"packet"));
    assert!(error.starts_with("packet 2 at octet 46: its captured length is 4294967295"), "{error}");
}

/// Wherever a file is cut, the packets before the cut are read, and the error names the one that is
/// not whole.
#[test]
fn a_file_that_is_cut_is_an_error_at_every_length() {
    let pcap = Build::pcap(false, NANOSECONDS, (2, 4), 1).record([6, 6], b"packet").record([2, 2], b"no");
    let option = Build::section(true, &[]).option(9, &[6]);
    let pcapng = Build::section(true, &option).interface(1, &option);
    let pcapng = pcapng.packet(b"packet", 60, &option).block(5, &[1; 4]).packet(b"packet", 60, &[]);
    // The ends of the header and of each record or block, and the packets up to there.
    let records = [(24, 0), (46, 1), (64, 2)];
    let blocks = [(36, 0), (64, 0), (112, 1), (128, 1), (168, 2)];
    for (file, ends) in [(pcap, &records[..]), (pcapng, &blocks)] {
        assert_eq!(file.octets.len(), ends.last().expect("ends").0);
        for cut in 0..file.octets.len() {
            let (packets, error) = read(&file.octets[..cut]);
            let whole = ends.iter().rev().find(|(end, _)| *end <= cut);
            assert_eq!(packets.len(), whole.map_or(0, |(_, count)| *count), "cut at {cut}");
            match (whole, error) {
                (Some((end, _)), error) if *end == cut => assert_eq!(error, None),
                (Some((end, _)), Some(error)) => {
                    assert!(error.contains(&format!("at octet {end}: cut short")), "cut at {cut}: {error}");
                }
                (None, Some(error)) => assert!(error.contains("no capture") || error.contains("cut short")),
                (_, None) => panic!("cut at {cut}"),
            }
        }
    }
}

/// A length that nothing follows takes no memory.
#[test]
fn memory_is_taken_for_what_comes() {
    let file = Build::pcap(false, MICROSECONDS, (2, 4), 1).record([MAX_CAPTURED, MAX_CAPTURED], b"packet");
    let mut reader = Reader::new(&file.octets[..]).expect("a header");
    assert!(reader.next_packet().is_err());
    assert!(reader.octets.capacity() < 4096, "{}", reader.octets.capacity());
}

fn any_word() -> impl Strategy<Value = u32> {
    prop_oneof![0..64u32, Just(1 << 26), Just(MAX_CAPTURED), Just(MAX_CAPTURED + 1), any::<u32>()]
}

/// Generates captures that begin well, and go on with anything.
fn any_octets() -> impl Strategy<Value = Vec<u8>> {
    let blocks = prop::collection::vec((0..8u32, prop::collection::vec(any::<u8>(), 0..80)), 0..6);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_word()), 0..4);
    (any::<bool>(), 0..4u8, blocks, changes).prop_map(|(big, form, blocks, changes)| {
        let mut file = match form {
            0 => Build::pcap(big, MICROSECONDS, (2, 3), 0x2400_0001),
            1 => Build::pcap(big, MODIFIED, (2, 4), 1),
            _ => small(Build::section(big, &[]).interface(1, &[])),
        };
        for (kind, body) in blocks {
            if form < 2 {
                file = file.record([body.len() as u32, kind], &body);
            } else {
                let body = &body[..body.len() / 4 * 4];
                file = file.block(if kind == 7 { 0x0a0d_0d0a } else { kind }, body);
            }
        }
        for (at, word) in changes {
            let at = at.index(file.octets.len() / 4) * 4;
            let word = file.words(&[word]);
            file.octets[at..at + 4].copy_from_slice(&word);
        }
        file.octets
    })
}

proptest! {
    /// Whatever a file says, reading ends, and no packet is longer than what the file holds.
    #[test]
    fn nothing_that_a_file_says_is_taken_on_trust(octets in any_octets()) {
        let (packets, _) = read(&octets);
        let total: usize = packets.iter().map(|(_, octets, _)| octets.len()).sum();
        prop_assert!(total <= octets.len());
        for (time, octets, length) in packets {
            prop_assert!(octets.len() <= length as usize);
            prop_assert!(time.is_none_or(|time| time <= LAST_NS));
        }
    }
}
