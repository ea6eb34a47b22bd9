//! `flowtracker-dataplane replay`: the events of a capture, on the capture's own time.
//!
//! The golden files hold what it prints. A naive model of the contract says what it must print for
//! any capture.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use conntrack::key::{TCP, UDP};
use conntrack::test_support::frame::{
    Ipv4Frame, Ipv6Frame, TPID_8021AD, TPID_8021Q, arp_request, distinct_flows,
};
use flowtracker_proto::v1;
use flowtracker_tests::appliance::{Appliance, DATAPLANE, LIMIT};
use flowtracker_tests::netns::Line;
use flowtracker_tests::pcap::{self, IF_FCSLEN, IF_TSOFFSET, IF_TSRESOL, PcapNg, Resolution};
use flowtracker_tests::process::{Running, Stream, binary, workspace_root};
use flowtracker_tests::timeline::{Timeline, told};
use proptest::prelude::*;
use tempfile::TempDir;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const DAY: u64 = 86_400 * SECOND;
/// The second of 2024 at which the captures of the golden files begin, in nanoseconds.
const START: u64 = 1_704_067_200 * SECOND;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// A packet of a capture: its time in nanoseconds, and its frame.
type Timed = (u64, Vec<u8>);

/// Returns the frame of flow `n`, which is the flow with source port `n`.
fn flow(n: u16) -> Vec<u8> {
    Ipv4Frame::tcp((A, n), (B, 80)).build()
}

/// Returns the frame of flow `n` of IPv6.
fn flow6(n: u16) -> Vec<u8> {
    Ipv6Frame::tcp((A6, n), (B6, 80)).build()
}

/// Returns the command that replays a capture.
fn replay(capture: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(binary("flowtracker-dataplane"));
    command.arg("replay").arg(capture).args(options).env_remove("FLOWTRACKER_LOG");
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a replay that must succeed, and returns what it prints.
#[track_caller]
fn printed(capture: &Path, options: &[&str]) -> String {
    let output = run(&mut replay(capture, options));
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{options:?}: {log}");
    String::from_utf8(output.stdout).expect("text")
}

fn events(printed: &str) -> Vec<v1::Event> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Makes a folder with one capture, whose timestamps are in nanoseconds.
fn captured(packets: &[Timed]) -> (TempDir, PathBuf) {
    captured_in(Resolution::Nanoseconds, packets)
}

fn captured_in(resolution: Resolution, packets: &[Timed]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.pcap");
    pcap::write(&path, resolution, packets.iter().map(|(time, frame)| (*time, frame.as_slice())))
        .expect("written");
    (folder, path)
}

fn octets_of(resolution: Resolution, packets: &[Timed]) -> Vec<u8> {
    fs::read(captured_in(resolution, packets).1).expect("read")
}

fn in_file(octets: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("capture");
    fs::write(&path, octets).expect("written");
    (folder, path)
}

// Golden files.

fn fixture(name: &str) -> PathBuf {
    workspace_root().join("tests/fixtures/replay").join(name)
}

/// The ways to hash: each with portable instructions, and with those that this CPU offers.
const HASHES: [[&str; 2]; 6] = [
    ["--hash=keyed", "--instructions=native"],
    ["--hash=keyed", "--instructions=portable"],
    ["--hash=crc", "--instructions=native"],
    ["--hash=crc", "--instructions=portable"],
    ["--hash=jhash", "--instructions=native"],
    ["--hash=jhash", "--instructions=portable"],
];

/// Compares what a replay prints, with every way to hash, to a golden file. With `UPDATE_GOLDEN` in
/// the environment it writes the file instead.
#[track_caller]
fn golden(name: &str, capture: &Path, options: &[&str]) {
    let (path, first) = (fixture(&format!("{name}.jsonl")), printed(capture, options));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, first).expect("written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (number, (found, expected)) in first.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(first, expected, "{name}");
    // The first way is the default, which the first run used.
    for hash in &HASHES[1..] {
        assert_eq!(printed(capture, &[options, hash].concat()), expected, "{name}, {hash:?}");
    }
}

#[test]
fn golden_a_flow_is_created_refreshed_and_expires() {
    // The timestamps are in microseconds, as most tools write them. The last packet only makes time
    // pass.
    let packets = [
        (START, flow(1)),
        (START + 20 * SECOND, flow(1)),
        (START + 50 * SECOND - 1_000, flow(2)),
        (START + 50 * SECOND, flow(1)),
        (START + 81 * SECOND, arp_request(A, B)),
    ];
    golden("life", &captured_in(Resolution::Microseconds, &packets).1, &[]);
}

#[test]
fn golden_one_deadline_for_several_entries() {
    // All entries used within one millisecond are due at the same tick, in whatever order they were
    // used. Flow 7 is used again.
    let packets = [
        (START + 1, flow(9)),
        (START + 2, flow(7)),
        (START + 999_999, flow(8)),
        (START + SECOND - 100, flow(7)),
        (START + SECOND - 90, flow(6)),
        (START + SECOND - 80, flow(9)),
        (START + SECOND, flow(8)),
    ];
    golden("ties", &captured(&packets).1, &["--drain", "--timer-profiles", "1000"]);
}

#[test]
fn golden_both_families_in_one_order() {
    // Entries of both tables are due at one tick, and expire in the order of their creation over
    // both. A first fragment and one behind extension headers are of their flow; nothing else is
    // tracked.
    let addr = |text: &str| text.parse::<Ipv6Addr>().expect("an address");
    let mapped = || Ipv6Frame::tcp((addr("::1.2.3.4"), 1), (addr("::ffff:10.0.0.2"), 2));
    let packets = [
        (START + 1, flow6(9)),
        (START + 2, flow(7)),
        (START + 3, flow6(7)),
        (START + 4, flow(9)),
        (START + 5, mapped().build()),
        (START + 6, mapped().extension(0, 0).extension(60, 2).build()),
        (START + 7, mapped().fragment(0, true).build()),
        (START + 8, mapped().fragment(9, false).build()),
        (START + 9, (0..9).fold(mapped(), |frame, _| frame.extension(60, 0)).build()),
        (START + 10, mapped().version(4).build()),
        (START + SECOND, flow(1)),
        (START + SECOND, flow6(1)),
    ];
    golden("both", &captured(&packets).1, &["--drain", "--timer-profiles", "1500"]);
}

#[test]
fn golden_ipv6_is_not_tracked_when_it_is_off() {
    let packets = [(START, flow6(1)), (START + SECOND, flow(1)), (START + 2 * SECOND, flow6(1))];
    golden("ipv4-only", &captured(&packets).1, &["--families", "ipv4", "--drain"]);
}

#[test]
fn golden_deadlines_between_packets() {
    // Two entries expire between two packets, in the order of their deadlines and not of their
    // creation.
    let packets = [
        (START, flow(1)),
        (START + SECOND, flow(2)),
        (START + 2 * SECOND, flow(3)),
        (START + 3 * SECOND, flow(1)),
        (START + 34 * SECOND, flow(4)),
        (START + 5 * DAY, flow(2)),
    ];
    golden("mixed", &captured(&packets).1, &["--id", "lab", "--learn-profile", "0"]);
}

#[test]
fn golden_the_table_is_drained_on_request() {
    let packets = [(START, flow(1)), (START + 500_000, flow(2)), (START + SECOND, flow(1))];
    let (_folder, path) = captured(&packets);
    golden("not-drained", &path, &["--timer-profiles=30000,864000000", "--learn-profile=1"]);
    golden("drained", &path, &["--timer-profiles=30000,864000000", "--learn-profile=1", "--drain"]);
}

#[test]
fn golden_time_never_goes_backwards() {
    let packets = [
        (START + 10 * SECOND, flow(1)),
        (START + 5 * SECOND, flow(2)),
        (START + 39 * SECOND, flow(1)),
        (START, flow(3)),
        (START + 40 * SECOND, flow(4)),
    ];
    golden("backwards", &captured(&packets).1, &[]);
}

#[test]
fn golden_tags_are_not_part_of_the_key() {
    let tagged = |tags: &[(u16, u16)], port| {
        let frame = Ipv4Frame::tcp((A, port), (B, 80));
        tags.iter().fold(frame, |frame, (tpid, tci)| frame.tag(*tpid, *tci)).build()
    };
    let packets = [
        (START, tagged(&[(TPID_8021Q, 7)], 1)),
        (START + SECOND, tagged(&[(TPID_8021AD, 100), (TPID_8021Q, 7)], 1)),
        (START + 2 * SECOND, tagged(&[], 1)),
        (START + 3 * SECOND, tagged(&[(TPID_8021Q, 1), (TPID_8021Q, 2), (TPID_8021Q, 3)], 2)),
    ];
    golden("vlan", &captured(&packets).1, &["--drain"]);
}

#[test]
fn golden_udp_is_tracked_on_request() {
    let packets = [
        (START, Ipv4Frame::udp((A, 5000), (B, 53)).build()),
        (START + SECOND, Ipv4Frame::tcp((A, 5000), (B, 53)).build()),
        (START + 2 * SECOND, Ipv4Frame::udp((B, 53), (A, 5000)).payload(&[0; 500]).build()),
    ];
    golden("udp", &captured(&packets).1, &["--protocols", "tcp,udp"]);
}

#[test]
fn golden_what_is_not_tracked_makes_no_event() {
    let tcp = || Ipv4Frame::tcp((A, 1), (B, 2));
    let frames = [
        arp_request(A, B),
        Ipv6Frame::icmp_echo(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST).build(),
        Ipv4Frame::icmp_echo(A, B).build(),
        Ipv4Frame::udp((A, 1), (B, 2)).build(),
        tcp().version(6).build(),
        tcp().later_fragment(3, true).build(),
        tcp().build()[..36].to_vec(),
        Vec::new(),
        tcp().first_fragment().build(),
    ];
    let packets: Vec<Timed> = (0..).map(|i| START + i * SECOND).zip(frames).collect();
    let (_folder, path) = captured(&packets);
    golden("untracked", &path, &[]);
    // The last line of the log counts every frame under one outcome.
    let log = run(&mut replay(&path, &[])).stderr;
    let log = String::from_utf8_lossy(&log);
    let last = log.lines().last().expect("last words");
    let counts =
        "miss_created=1 truncated=2 not_tracked_ethertype=1 malformed=1 fragment=1 not_tracked_protocol=3";
    assert!(last.contains("9 frames") && last.contains(counts), "{last}");
}

#[test]
fn golden_a_full_table_refuses_until_an_entry_goes() {
    let packets = [
        (START, flow(1)),
        (START + SECOND, flow(2)),
        (START + 2 * SECOND, flow(3)),
        (START + 30 * SECOND, flow(3)),
        (START + 30 * SECOND, flow(1)),
    ];
    golden("full", &captured(&packets).1, &["--capacity", "2", "--accounting", "off"]);
}

#[test]
fn golden_deadlines_are_whole_ticks_and_creations_are_not() {
    // An entry that is created just after a tick has begun is due a whole tick later. The last packet
    // before the deadline is a hit, the one at the deadline is not.
    let packets = [
        (START + 1, flow(1)),
        (START + 30 * SECOND + MS - 1, flow(1)),
        (START + 60 * SECOND + MS, flow(1)),
        (START + 60 * SECOND + MS + 123_456_789, flow(2)),
    ];
    golden("nanoseconds", &captured(&packets).1, &["--drain"]);
}

/// A capture of three interfaces whose clocks differ. All of them enter port0. The packets are the
/// same in either byte order.
fn three_interfaces(big_endian: bool) -> PcapNg {
    let mut capture = PcapNg::new(big_endian);
    let offset = (START / SECOND).to_be_bytes();
    let offset = if big_endian { offset } else { (START / SECOND).to_le_bytes() };
    capture.interface(1, &[]);
    capture.interface(1, &[(2, b"port1"), (IF_TSRESOL, &[9])]);
    capture.interface(1, &[(IF_TSRESOL, &[0x8a]), (IF_TSOFFSET, &offset)]);
    capture.packet(0, START / 1_000 + 1, &flow(1), 60);
    capture.packet(1, START + SECOND, &flow(2), 60);
    // A block of interface statistics is not a packet.
    let words = capture.words(&[0, 0, 0]);
    capture.block(5, &words);
    capture.packet(2, 2 << 10, &flow(1), 60);
    // The obsolete packet block has 16 bits for the interface and 16 for the drops.
    let interface: u32 = if big_endian { 1 << 16 | 5 } else { 5 << 16 | 1 };
    let time = START + 3 * SECOND;
    let header = capture.words(&[interface, (time >> 32) as u32, time as u32, 60, 60]);
    capture.block(2, &[header, flow(3)].concat());
    // A new section does not inherit the interfaces of the section before.
    let mut second = PcapNg::new(big_endian);
    second.interface(1, &[(IF_TSRESOL, &[3])]);
    second.packet(0, (START + 4 * SECOND) / MS, &flow(4)[..54], 1514);
    capture.append(&second);
    capture
}

#[test]
fn golden_pcapng_with_interfaces_of_several_clocks() {
    for big_endian in [false, true] {
        golden("pcapng", &in_file(three_interfaces(big_endian).octets()).1, &["--drain"]);
    }
}

#[test]
fn golden_a_capture_of_dpdk_dumpcap() {
    golden("dumpcap", &fixture("dumpcap.pcapng"), &["--protocols=tcp,udp", "--drain"]);
}

/// Octets that the snap length cut off are counted, but cannot be parsed.
#[test]
fn golden_cut_packets_count_whole() {
    let long = Ipv4Frame::tcp((A, 1), (B, 80)).payload(&[0; 1446]).build();
    assert_eq!(long.len(), 1500);
    let mut octets = octets_of(Resolution::Microseconds, &[]);
    for (second, captured) in [(0, 96), (1, 38), (2, 37), (3, 1500)] {
        for word in [(START / SECOND) as u32 + second, 0, captured, 1500] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend_from_slice(&long[..captured as usize]);
    }
    let (_folder, path) = in_file(&octets);
    golden("snaplen", &path, &["--drain"]);
}

#[test]
fn golden_permissions_are_shown_and_obeyed() {
    let (_folder, path) = captured(&[(START, flow(1))]);
    golden("permissions", &path, &["--permissions", "0x3fff", "--timer-profiles=5000,7", "--drain"]);
    assert_eq!(printed(&path, &["--permissions", "0x3dbc", "--drain"]), "", "the data path may not create");
}

#[test]
fn an_empty_capture_has_no_events() {
    for octets in [octets_of(Resolution::Nanoseconds, &[]), PcapNg::new(true).octets().to_vec()] {
        assert_eq!(printed(&in_file(&octets).1, &["--drain"]), "");
    }
}

/// The same packets give the same events in a file of the other byte order or unit, and in pcapng.
#[test]
fn the_form_of_the_capture_does_not_matter() {
    let packets: Vec<Timed> = (0..40).map(|i| (START + i * 900_001 * 1_000, flow((i % 7) as u16))).collect();
    let expected = printed(&captured(&packets).1, &["--drain", "--timer-profiles=3000"]);
    assert!(expected.lines().count() > 14, "{expected}");
    let mut capture = PcapNg::new(false);
    capture.interface(1, &[]);
    for (time, frame) in &packets {
        capture.packet(0, time / 1_000, frame, 60);
    }
    let mut swapped = octets_of(Resolution::Nanoseconds, &[]);
    for (time, frame) in &packets {
        for word in [time / SECOND, time % SECOND, 60, 60] {
            swapped.extend((word as u32).to_le_bytes());
        }
        swap_words(swapped.last_chunk_mut::<16>().expect("a header"));
        swapped.extend_from_slice(frame);
    }
    // The header has a magic number, two halves of a version, a time zone, an accuracy, a snap
    // length and a link type.
    swap_words(&mut swapped[..4]);
    swapped[4..8].chunks_mut(2).for_each(<[u8]>::reverse);
    swap_words(&mut swapped[8..24]);
    for octets in [octets_of(Resolution::Microseconds, &packets), capture.octets().to_vec(), swapped] {
        let found = printed(&in_file(&octets).1, &["--drain", "--timer-profiles=3000"]);
        assert_eq!(found, expected);
    }
}

/// What other tools write, and a replay has no use for, changes nothing: options without a mark at
/// their end, a comment in another charset, a reserved field, a block of an unknown kind, the frame
/// check sequence.
#[test]
fn what_is_not_needed_of_a_capture_does_not_matter() {
    let packets = [(START, flow(1))];
    let expected = printed(&captured(&packets).1, &["--drain"]);
    assert_eq!(expected.lines().count(), 2);
    let any = PcapNg::new(false);
    let checked = [flow(1), b"FCS!".to_vec()].concat();
    let pcapng = |section: &[u8], interface: &[u8], frame: &[u8]| {
        let mut capture = PcapNg::with_options(false, section);
        capture.block(0x0bad, b"contents");
        capture.block(1, &[&capture.words(&[7 << 16 | 1, 65_535]), interface].concat());
        capture.packet(0, START / 1_000, frame, frame.len() as u32);
        capture.octets().to_vec()
    };
    let comment = any.options(&[(1, b"caf\xe9")]);
    let resolution = any.options(&[(IF_TSRESOL, &[6]), (2, b"eth0")]);
    let mut with_check = octets_of(Resolution::Microseconds, &[(START, checked.clone())]);
    with_check[20..24].copy_from_slice(&0x2400_0001u32.to_le_bytes());
    for octets in [
        pcapng(&comment, &[], &flow(1)),
        pcapng(&[], &comment, &flow(1)),
        pcapng(&comment, &resolution, &flow(1)),
        pcapng(&[], &any.options(&[(IF_FCSLEN, &[4])]), &checked),
        with_check,
    ] {
        assert_eq!(printed(&in_file(&octets).1, &["--drain"]), expected);
    }
}

/// A simple packet block says no time: the clock stands still for its packet.
#[test]
fn a_packet_without_a_time_comes_at_the_time_of_the_one_before() {
    let mut capture = PcapNg::new(false);
    capture.interface(1, &[]);
    capture.packet(0, START / 1_000, &flow(1), 60);
    let body = [capture.words(&[60]), flow(2)].concat();
    capture.block(3, &body);
    capture.packet(0, START / 1_000 + 1, &flow(3), 60);
    let packets = [(START, flow(1)), (START, flow(2)), (START + 1_000, flow(3))];
    assert_eq!(
        printed(&in_file(capture.octets()).1, &["--drain"]),
        printed(&captured(&packets).1, &["--drain"])
    );
}

fn swap_words(octets: &mut [u8]) {
    octets.chunks_mut(4).for_each(<[u8]>::reverse);
}

// The law.

/// Generates the frames of the law: flows of both protocols, and frames that belong to no flow.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let tcp = |n: u16| Ipv4Frame::tcp((A, n), (B, 80));
    prop_oneof![
        6 => (0..9u16).prop_map(flow),
        2 => (0..3u16, 0..200usize).prop_map(move |(n, len)| tcp(n).payload(&vec![0; len]).build()),
        2 => (0..3u16).prop_map(|n| Ipv4Frame::udp((A, n), (B, 80)).build()),
        1 => (0..3u16).prop_map(move |n| tcp(n).tag(TPID_8021Q, n).build()),
        4 => (0..9u16).prop_map(flow6),
        1 => (0..3u16, 0..3u8).prop_map(|(n, length)| {
            Ipv6Frame::tcp((A6, n), (B6, 80)).extension(60, length).fragment(n, true).build()
        }),
        1 => (0..60usize).prop_map(|len| flow(1)[..len].to_vec()),
        1 => (0..74usize).prop_map(|len| flow6(1)[..len].to_vec()),
        1 => Just(arp_request(A, B)),
    ]
}

/// Generates the time between two packets: some nanoseconds, or the aging and some nanoseconds. If
/// it is negative, no time passes but the packet's timestamp goes back.
fn any_gap(aging_ms: u64) -> impl Strategy<Value = i64> {
    let aging = (aging_ms * MS).cast_signed();
    prop_oneof![
        4 => Just(0),
        6 => 0..3_000_000i64,
        4 => 0..=2 * aging,
        4 => (-1..=1i64, -2..=2i64).prop_map(move |(ticks, ns)| aging + ticks * MS.cast_signed() + ns),
        2 => -2 * aging..0,
        1 => 0..60 * DAY.cast_signed(),
        1 => Just(1_000 * DAY.cast_signed()),
    ]
}

fn any_capture() -> impl Strategy<Value = (u64, Vec<Timed>)> {
    let start =
        prop_oneof![Just(0), Just(1), Just(START), Just(START + 999_999), Just(4_000_000_000 * SECOND)];
    let aging = prop_oneof![Just(1), Just(3), Just(50), Just(30_000), Just(3_600_000)];
    (start, aging).prop_flat_map(|(start, aging_ms)| {
        let packets = prop::collection::vec((any_gap(aging_ms), any_frame()), 0..80);
        packets.prop_map(move |packets| {
            let mut time = start;
            let packets = packets.into_iter().map(|(gap, frame)| {
                time = time.saturating_add_signed(gap).min(u64::from(u32::MAX) * SECOND);
                (time, frame)
            });
            (aging_ms, packets.collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_are_those_of_the_contract(
        (aging_ms, packets) in any_capture(),
        capacity in prop_oneof![1..5usize, Just(64)],
        hash in proptest::sample::select(&HASHES),
        (udp, drain) in any::<(bool, bool)>(),
    ) {
        let protocols: &[u8] = if udp { &[TCP, UDP] } else { &[TCP] };
        let mut model = Timeline::new(protocols, capacity, aging_ms);
        for (time, frame) in &packets {
            model.packet(*time, frame, frame.len() as u64);
        }
        if drain {
            model.expire(u64::MAX);
        }

        let options = [
            format!("--timer-profiles={aging_ms}"),
            format!("--capacity={capacity}"),
            hash[0].to_owned(),
            hash[1].to_owned(),
            format!("--protocols={}", if udp { "tcp,udp" } else { "tcp" }),
            "--id=law".to_owned(),
        ];
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        options.extend(drain.then_some("--drain"));
        let printed = printed(&captured(&packets).1, &options);
        prop_assert_eq!(told(&events(&printed), "law"), model.told);
    }
}

/// Many entries share one deadline, more than the table's aging examines in one call. They expire
/// in the order of their creation, whatever the table's layout is.
#[test]
fn neither_the_run_nor_the_hash_function_shows() {
    // Every third flow is of IPv6: the order is one over both tables.
    let frames = distinct_flows(20_000).enumerate();
    let frames = frames.map(|(i, frame)| if i % 3 == 0 { (i, flow6(i as u16)) } else { (i, frame) });
    let mut packets: Vec<Timed> = frames.map(|(i, frame)| (START + i as u64, frame)).collect();
    let again: Vec<Timed> =
        packets.iter().rev().map(|(time, frame)| (time + SECOND, frame.clone())).collect();
    packets.extend(again);
    let (_folder, path) = captured(&packets);
    let expected = printed(&path, &["--drain"]);
    let order = |created: bool| {
        let events = events(&expected);
        let of_kind = events.into_iter().filter(|e| (e.r#type() == v1::EventType::Created) == created);
        of_kind.map(|e| e.entry.and_then(|e| e.key).expect("a key")).collect::<Vec<_>>()
    };
    assert_eq!(order(true).len(), 20_000);
    assert_eq!(order(false), order(true));
    let hashes: Vec<&[&str]> = HASHES.iter().map(<[&str; 2]>::as_slice).collect();
    for options in [&[&[][..], &["--capacity=20000"]], &hashes[..]].concat() {
        let options = [&["--drain"], options].concat();
        assert!(printed(&path, &options) == expected, "{options:?} gives another output");
    }
}

/// Flows are silent for any length of time, with the longest aging: the clock's ticks wrap several
/// times.
#[test]
fn long_silence_is_passed_on_time() {
    let aging_ms = 864_000_000;
    let times = [0, 9 * DAY, 18 * DAY, 28 * DAY + 1, 39 * DAY, 90 * DAY, 10_000 * DAY, 10_009 * DAY];
    let packets: Vec<Timed> = times.map(|time| (time, flow(1))).into();
    let mut model = Timeline::new(&[TCP], 5, aging_ms);
    packets.iter().for_each(|(time, frame)| model.packet(*time, frame, frame.len() as u64));
    model.expire(u64::MAX);
    let printed = printed(&captured(&packets).1, &["--timer-profiles=864000000", "--drain"]);
    assert_eq!(told(&events(&printed), "replay"), model.told);
    assert_eq!(model.told.len(), 10, "five lives");
}

// The form of a line is that of `ctl watch -o json`.

#[test]
fn a_line_is_the_proto3_json_of_an_event() {
    let packets: Vec<Timed> = (0..50).map(|i| (START + i * 7_700_000_123, flow((i % 9) as u16))).collect();
    let printed = printed(&captured(&packets).1, &["--drain"]);
    assert!(printed.lines().count() > 18);
    for line in printed.lines() {
        let event: v1::Event = serde_json::from_str(line).expect("an event");
        assert_eq!(serde_json::to_string(&event).expect("JSON"), line);
    }
}

/// A running appliance receives the same frames. `ctl watch -o json` prints the same lines except
/// for the times of the two clocks, the data plane's name, and the numbers of the stream.
#[test]
fn a_line_is_what_ctl_watch_prints() {
    let line = Line::new();
    let tcp = |n| Ipv4Frame::tcp((A, n), (B, 80));
    let frames = [flow(1), tcp(2).payload(&[0; 700]).build(), flow(1), arp_request(A, B), flow(3)];
    let options = ["--timer-profiles=600000,1500", "--learn-profile=1", "--permissions=0x3de6"];
    let appliance = Appliance::start(&line.middle, &line.devices("net_af_packet", ""), &options);
    let mut watch = Running::spawn(appliance.ctl().args(["watch", "-o", "json"]));
    appliance.wait_watchers(1);
    line.left.send("eth0", &frames);
    let changes = |lines: &[&str]| -> Option<Vec<v1::Event>> {
        let all = lines.iter().map(|line| serde_json::from_str::<v1::Event>(line).expect("an event"));
        let changes: Vec<_> = all.filter(|event| event.entry.is_some()).collect();
        (changes.len() == 6).then_some(changes)
    };
    let live = watch.wait_lines(Stream::Stdout, LIMIT, changes);
    appliance.stop();

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("in.pcap");
    pcap::write_frames(&path, &frames).expect("written");
    let replayed = printed(&path, &[&options[..], &["--drain", "--id", DATAPLANE]].concat());
    let timeless = |events: Vec<v1::Event>| -> Vec<String> {
        let mut lines: Vec<(bool, u32, String)> = events.into_iter().map(masked).collect();
        // Flows that end in one aging bucket have no order on an lcore.
        lines.sort();
        lines.into_iter().map(|(.., line)| line).collect()
    };
    assert_eq!(timeless(live), timeless(events(&replayed)));
}

/// Returns an event without the fields in which two runs differ, and before it the values by which
/// events are sorted.
fn masked(mut event: v1::Event) -> (bool, u32, String) {
    (event.epoch, event.seq) = (0, 0);
    assert!(event.time.take().is_some());
    let deleted = event.r#type() == v1::EventType::Deleted;
    let entry = event.entry.as_mut().expect("a change of an entry");
    assert!(entry.create_time.take().is_some() && entry.last_used_time.take().is_some());
    if deleted {
        assert!(entry.idle_ms >= entry.aging_ms && entry.created_ms_ago >= entry.idle_ms, "{entry:?}");
    }
    (entry.created_ms_ago, entry.idle_ms) = (0, 0);
    let port = entry.key.as_ref().expect("a key").src_port;
    (deleted, port, serde_json::to_string(&event).expect("JSON"))
}

// Failures.

/// Runs a replay that must fail. Checks the last line of its log, and returns what it printed.
#[track_caller]
fn refused(command: &mut Command, status: i32, words: &[&str]) -> String {
    let output = run(command);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{command:?}: {log}");
    let last = log.lines().last().unwrap_or_default();
    for word in [&["flowtracker-dataplane: "][..], words].concat() {
        assert!(last.contains(word), "{command:?}: no {word:?} in {log}");
    }
    let printed = String::from_utf8(output.stdout).expect("text");
    if printed.is_empty() && !words.contains(&"packet") {
        assert_eq!(log.lines().count(), 1, "one line says it: {log}");
    }
    printed
}

#[test]
fn what_is_no_capture_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, octets).expect("written");
        path
    };
    let pcap = octets_of(Resolution::Microseconds, &[(START, flow(1))]);
    let section = PcapNg::new(false).octets().to_vec();
    let with_link = |link: u32| [&pcap[..20], &link.to_le_bytes(), &pcap[24..]].concat();
    for (path, words) in [
        (folder.path().join("absent"), &["absent", "No such file"][..]),
        (folder.path().to_owned(), &["Is a directory"]),
        (file("empty", b""), &["empty", "no capture"]),
        (file("short", &pcap[..3]), &["short", "no capture"]),
        (file("header", &pcap[..23]), &["header", "no capture"]),
        (file("section", &section[..20]), &["section", "section header block at octet 0: cut short"]),
        (file("text", b"Lorem ipsum dolor sit amet, consectetur"), &["text", "neither pcap nor pcapng"]),
        (file("cooked", &with_link(113)), &["cooked", "LINUX_SLL", "113", "Ethernet"]),
        (file("odd", &with_link(60_000)), &["odd", "60000", "Ethernet"]),
        (file("old", &[&pcap[..4], &[1], &pcap[5..]].concat()), &["old", "pcap 1.4"]),
        (file("new", &[&section[..12], &[2], &section[13..]].concat()), &["new", "pcapng 2.0"]),
    ] {
        assert_eq!(refused(&mut replay(&path, &["--drain"]), 1, words), "");
    }
}

#[test]
fn what_comes_before_the_fault_is_printed() {
    let packets = [(START, flow(1)), (START + 31 * SECOND, flow(2)), (START + 32 * SECOND, flow(3))];
    let octets = octets_of(Resolution::Microseconds, &packets);
    let whole = printed(&in_file(&octets).1, &["--drain"]);
    let first = |lines: usize| whole.split_inclusive('\n').take(lines).collect::<String>();
    // A record's header has 16 octets and its frame 60, so the third packet begins at 24 + 2 * 76.
    for cut in [24 + 152 + 1, 24 + 152 + 16, 24 + 152 + 75] {
        let (_folder, path) = in_file(&octets[..cut]);
        let words = ["packet 3", "cut short", path.to_str().expect("UTF-8")];
        assert_eq!(refused(&mut replay(&path, &["--drain"]), 1, &words), first(3), "cut at {cut}");
    }
    // The third packet's length is impossible.
    let mut wrong = octets;
    wrong[24 + 152 + 8..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let (_folder, path) = in_file(&wrong);
    assert_eq!(refused(&mut replay(&path, &[]), 1, &["packet 3", "length"]), first(3));
}

#[test]
fn what_is_wrong_in_pcapng_is_named_with_the_packet() {
    let start = |link: u16, options: &[pcap::PcapNgOption]| {
        let mut capture = PcapNg::new(false);
        capture.interface(1, &[]);
        capture.interface(link, options);
        capture.packet(0, START / 1_000, &flow(1), 60);
        capture
    };
    let good = start(1, &[]);
    let one = printed(&in_file(good.octets()).1, &[]);
    assert_eq!(one.lines().count(), 1);
    let with = |change: &dyn Fn(&mut PcapNg)| {
        let mut capture = good.clone();
        change(&mut capture);
        capture.octets().to_vec()
    };
    let mut other_link = start(276, &[]);
    other_link.packet(1, 0, &flow(1), 60);
    let mut early = start(1, &[(IF_TSOFFSET, &(-5i64).to_le_bytes())]);
    early.packet(1, 4_999_999, &flow(1), 60);
    let mut late = start(1, &[(IF_TSRESOL, &[0])]);
    late.packet(1, 1 << 40, &flow(1), 60);
    let whole = with(&|capture| capture.packet(0, START / 1_000, &flow(2), 60));
    for (octets, word) in [
        (other_link.octets().to_vec(), "LINUX_SLL2"),
        (early.octets().to_vec(), "1970"),
        (late.octets().to_vec(), "2554"),
        (with(&|capture| capture.packet(7, 0, &flow(1), 60)), "no interface 7"),
        (with(&|capture| capture.block(6, &[0; 16])), "too short"),
        (with(&|capture| capture.block(6, &capture.words(&[0, 0, 0, 61, 61]))), "longer than its block"),
        (whole[..whole.len() - 1].to_vec(), "cut short"),
    ] {
        let (_folder, path) = in_file(&octets);
        assert_eq!(refused(&mut replay(&path, &[]), 1, &["packet 2", word]), one, "{word}");
    }
}

#[test]
fn flags_that_mean_nothing_here_are_refused_by_name() {
    let (_folder, path) = captured(&[(START, flow(1))]);
    for (options, words) in [
        (&["--control=http://127.0.0.1:1"][..], &["--control", "no control service"][..]),
        (&["--forward", "drop"], &["--forward", "no ports"]),
        (&["--untracked", "drop"], &["--untracked"]),
        (&["--burst", "1"], &["--burst"]),
        (&["--rxq", "1"], &["--rxq"]),
        (&["--rxd", "64"], &["--rxd"]),
        (&["--txd", "64"], &["--txd"]),
        (&["--mbufs", "64"], &["--mbufs"]),
        (&["--no-such"], &["--no-such"]),
        (&["--hash", "md5"], &["--hash", "jhash"]),
        (&["--instructions", "avx"], &["--instructions", "native, portable"]),
        (&["--timer-profiles", "5,5"], &["--timer-profiles"]),
        (&["--learn-profile", "4"], &["--learn-profile"]),
        (&["--id", ""], &["--id"]),
        (&["--config", "/nosuch"], &["--config /nosuch"]),
        (&["another.pcap"], &["another.pcap"]),
        (&["-l", "0"], &["-l"]),
    ] {
        assert_eq!(refused(&mut replay(&path, options), 2, words), "");
    }
    let mut nothing = Command::new(binary("flowtracker-dataplane"));
    refused(nothing.arg("replay").env_remove("FLOWTRACKER_LOG"), 2, &["FILE"]);
    // Ports do not accept `--drain`.
    let mut ports = Command::new(binary("flowtracker-dataplane"));
    refused(ports.args(["-l", "0", "--", "--drain"]).env_remove("FLOWTRACKER_LOG"), 2, &["--drain"]);
    refused(&mut replay(&path, &["--capacity=1000000000"]), 1, &["--capacity", "memory"]);
}

#[test]
fn help_is_a_result() {
    let mut command = Command::new(binary("flowtracker-dataplane"));
    let output = run(command.args(["replay", "--help"]));
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).expect("text");
    assert!(help.contains("--drain") && !help.contains("--rxq"), "{help}");
}

/// A replay accepts a configuration file that is written for ports.
#[test]
fn a_configuration_file_is_obeyed_and_flags_win() {
    let (folder, path) = captured(&[(START, flow(1)), (START, flow(2)), (START, flow(3))]);
    let file = folder.path().join("ft.toml");
    let text = "control = \"unix:/run/ft.sock\"\nrxq = 2\nid = \"lab\"\ncapacity = 1\nlearn-profile = 1\n";
    fs::write(&file, text).expect("written");
    let config = format!("--config={}", file.display());
    let output = run(&mut replay(&path, &[&config, "--capacity=2"]));
    let events = events(&String::from_utf8(output.stdout).expect("text"));
    let seen: Vec<_> =
        events.iter().map(|e| (e.dataplane.as_str(), e.entry.as_ref().map(|e| e.aging_ms))).collect();
    assert_eq!(seen, [("lab", Some(60_000)); 2]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = log.lines().find(|line| line.contains("effective configuration")).expect("it is logged");
    for flag in [&config, "--id=lab", "--capacity=2", "--learn-profile=1"] {
        assert!(line.split(' ').any(|word| word == flag), "no {flag} in {line}");
    }
    assert!(!line.contains("--rxq") && !line.contains("--control"), "{line}");
}

/// A replay needs no EAL, no privilege, no device and no folder to write to: it runs in a process
/// that may only read its file.
#[test]
fn nobody_may_replay() {
    let (folder, path) = captured(&[(START, flow(1))]);
    let expected = printed(&path, &[]);
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), readable).expect("own folder");
    let program = folder.path().join("program");
    fs::copy(binary("flowtracker-dataplane"), &program).expect("copied");
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "--no-new-privs",
    ]);
    command.arg(&program).arg("replay").arg(&path).env("RUNTIME_DIRECTORY", "/nosuch").env_remove("HOME");
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let packets: Vec<Timed> =
        distinct_flows(20_000).enumerate().map(|(i, frame)| (START + i as u64, frame)).collect();
    let (_folder, path) = captured(&packets);
    let mut child =
        replay(&path, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut some = [0; 100];
    child.stdout.take().expect("piped").read_exact(&mut some).expect("the first event");
    let output = child.wait_with_output().expect("it ends");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(!log.contains("ipe") && log.lines().count() == 1, "{log}");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let (_folder, path) = captured(&[(START, flow(1))]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let output = run(replay(&path, &[]).stdout(full));
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.lines().last().is_some_and(|line| line.contains("No space left")), "{log}");
}

/// Each event is printed before the replay waits for the next packet, because a capture may come
/// from a pipe.
#[test]
fn events_do_not_wait_for_the_end_of_the_capture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let mut child = Running::spawn(&mut replay(&pipe, &[]));
    let mut capture = fs::OpenOptions::new().write(true).open(&pipe).expect("the replay opens it");
    let octets = octets_of(Resolution::Microseconds, &[(START, flow(1)), (START + SECOND, flow(2))]);
    let (first, second) = octets.split_at(24 + 76);
    capture.write_all(first).expect("written");
    child.wait_lines(Stream::Stdout, LIMIT, |lines| (lines.len() == 1).then_some(()));
    capture.write_all(second).expect("written");
    drop(capture);
    assert_eq!(child.wait(LIMIT).code(), Some(0), "{}", child.output());
    assert_eq!(child.text(Stream::Stdout), printed(&in_file(&octets).1, &[]));
}
