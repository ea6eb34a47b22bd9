//! The frames against the octets that the standards give.

use super::*;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

#[test]
fn a_syn_is_the_shortest_frame_with_its_fields_in_place() {
    let frame = Ipv4Frame::tcp((A, 36876), (B, 1234)).build();
    assert_eq!(frame.len(), MIN_FRAME);
    assert_eq!(frame[12..14], [0x08, 0x00]);
    assert_eq!(frame[14], 0x45);
    assert_eq!(frame[16..18], 40u16.to_be_bytes());
    assert_eq!(frame[23], TCP);
    assert_eq!(frame[26..30], A.octets());
    assert_eq!(frame[30..34], B.octets());
    assert_eq!(frame[34..38], [0x90, 0x0c, 0x04, 0xd2]);
}

/// RFC 1071: a header summed with its own checksum gives all ones.
#[test]
fn the_header_checksum_verifies() {
    for words in 0..=10 {
        let frame = Ipv4Frame::tcp((A, 1), (B, 2)).ip_options(words).unpadded().build();
        assert_eq!(internet_checksum(&frame[14..34 + 4 * words]), 0, "{words} words of options");
    }
}

#[test]
fn tags_go_outside_in() {
    let frame = Ipv4Frame::tcp((A, 1), (B, 2)).tag(TPID_8021AD, 100).tag(TPID_8021Q, 7).build();
    assert_eq!(frame[12..22], [0x88, 0xa8, 0, 100, 0x81, 0x00, 0, 7, 0x08, 0x00]);
}

#[test]
fn fragments_set_only_the_fragment_word() {
    let first = Ipv4Frame::tcp((A, 1), (B, 2)).first_fragment().build();
    assert_eq!(first[20..22], [0x20, 0x00]);
    let later = Ipv4Frame::tcp((A, 1), (B, 2)).later_fragment(185, false).build();
    assert_eq!(later[20..22], 185u16.to_be_bytes());
}

#[test]
fn prefixes_are_all_there() {
    let lengths: Vec<usize> = every_prefix(&[0; 5]).map(|p| p.len()).collect();
    assert_eq!(lengths, [0, 1, 2, 3, 4, 5]);
}

/// The numbering of [`distinct_flows`]; the checksums verify as RFC 1071 says: what they cover sums
/// to all ones.
#[test]
fn rewritten_frames_are_those_of_the_same_flows() {
    let mut frames = FlowFrames::default();
    for (number, built) in distinct_flows(131_073).enumerate().filter(|(n, _)| n % 9_973 == 0 || *n > 131_070)
    {
        let frame = frames.flow(number as u64);
        assert_eq!(frame[..50], built[..50], "flow {number}");
        assert_eq!(internet_checksum(&frame[14..34]), 0);
        let pseudo = [&frame[26..34], &[0, TCP, 0, 20], &frame[34..54]].concat();
        assert_eq!(internet_checksum(&pseudo), 0);
    }
}

#[test]
fn flows_are_distinct_across_the_port_wrap() {
    let mut keys: Vec<Vec<u8>> = distinct_flows(70_000).map(|f| f[26..38].to_vec()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 70_000);
}
