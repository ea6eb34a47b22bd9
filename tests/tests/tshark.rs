//! The TCP/IPv6 flows that a replay finds are those that tshark's dissection finds: in frames of
//! every shape that both take for TCP, and in the captures of strangers that hold IPv6.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "what was compared belongs in the log of a test run")]

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use conntrack::test_support::Random;
use conntrack::test_support::frame::{Ipv6Frame, TPID_8021AD, TPID_8021Q};
use flowtracker_proto::v1::{self, EventType};
use flowtracker_tests::pcap;
use flowtracker_tests::process::{binary, workspace_root};

/// Addresses and ports.
type Flow = (String, String, u32, u32);

/// Returns what tshark takes for TCP over IPv6. Fragments are dissected one by one, as here.
fn theirs(capture: &Path) -> BTreeSet<Flow> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "ipv6.defragment:FALSE", "-Y", "ipv6 && tcp", "-T", "fields"]);
    for field in ["frame.protocols", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport"] {
        command.args(["-e", field]);
    }
    let output = command.arg("-r").arg(capture).output().expect("tshark runs; `make deps` installs it");
    let printed = String::from_utf8(output.stdout).expect("text");
    let flow = |line: &str| {
        let words: Vec<_> = line.split('\t').collect();
        let &[protocols, src, dst, src_port, dst_port] = &words[..] else {
            panic!("{}: {line:?}", capture.display())
        };
        let port = |text: &str| text.parse().expect("a port");
        is_plain(protocols).then(|| (src.to_owned(), dst.to_owned(), port(src_port), port(dst_port)))
    };
    printed.lines().filter_map(flow).collect()
}

/// Returns true when TCP follows IPv6 and its extension headers, and IPv6 follows Ethernet and tags:
/// what is inside of a tunnel is not tracked.
fn is_plain(protocols: &str) -> bool {
    let Some((outer, inner)) = protocols.split_once(":ipv6:") else { return false };
    let extensions = inner.split(':').take_while(|protocol| *protocol != "tcp");
    outer.split(':').all(|protocol| ["eth", "ethertype", "vlan", "ieee8021ad"].contains(&protocol))
        && extensions.into_iter().all(|protocol| protocol.starts_with("ipv6.") || protocol == "ah")
}

/// Returns the flows of IPv6 that a replay finds.
fn ours(capture: &Path) -> BTreeSet<Flow> {
    let mut command = Command::new(binary("flowtracker-dataplane"));
    let output = command.arg("replay").arg(capture).arg("--protocols=tcp").output().expect("a replay");
    let printed = String::from_utf8(output.stdout).expect("text");
    let flow = |line: &str| {
        let event: v1::Event = serde_json::from_str(line).expect("an event");
        let entry = event.entry.as_ref().filter(|_| event.r#type() == EventType::Created)?;
        let key = entry.key.as_ref().filter(|_| entry.pipeline == "flowtracker_ipv6")?;
        Some((key.src_addr.clone(), key.dst_addr.clone(), key.src_port, key.dst_port))
    };
    printed.lines().filter_map(flow).collect()
}

/// Addresses in every form in which they are printed.
fn addr(random: &mut Random) -> Ipv6Addr {
    let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
    Ipv6Addr::from_bits(match random.bits() % 6 {
        0 => bits,
        1 => bits & 0xffff_ffff,
        2 => bits & 0xffff_ffff | 0xffff << 32,
        3 => 0x2001_0db8 << 96 | bits & 0xffff,
        4 => bits & !(0xffff_ffff_ffff << 48),
        _ => 0xfe80 << 112 | bits & u128::from(u64::MAX),
    })
}

/// Returns a frame with tags, extension headers and a fragment header, within the limits of the
/// walk.
fn frame(random: &mut Random) -> Vec<u8> {
    let [src_port, dst_port] = [random.bits() as u16, random.bits() as u16];
    let mut frame = Ipv6Frame::tcp((addr(random), src_port), (addr(random), dst_port));
    for _ in 0..random.bits() % 3 {
        let tpid = if random.bits().is_multiple_of(2) { TPID_8021Q } else { TPID_8021AD };
        frame = frame.tag(tpid, random.bits() as u16 & 0xfff);
    }
    for _ in 0..random.bits() % 4 {
        frame = match random.bits() % 4 {
            0 => frame.extension(60, (random.bits() % 3) as u8),
            1 => frame.extension(43, 2 * (random.bits() % 2) as u8),
            2 => frame.extension(51, 4),
            _ => frame.extension(0, 0),
        };
    }
    match random.bits() % 4 {
        0 => frame.fragment(0, false),
        1 => frame.fragment(0, true),
        2 => frame.fragment(1 + (random.bits() % 100) as u16, true),
        _ => frame,
    }
    .build()
}

fn assert_same(capture: &Path) -> usize {
    let (ours, theirs) = (ours(capture), theirs(capture));
    let only = |one: &BTreeSet<Flow>, other: &BTreeSet<Flow>| -> Vec<Flow> {
        one.difference(other).take(3).cloned().collect()
    };
    let (mine, yours) = (only(&ours, &theirs), only(&theirs, &ours));
    assert!(ours == theirs, "{}: only ours: {mine:?}; only tshark's: {yours:?}", capture.display());
    ours.len()
}

#[test]
fn frames_of_every_shape_have_the_flows_that_tshark_finds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("ipv6.pcap");
    let mut random = Random(24);
    let frames: Vec<_> = (0..4000).map(|_| frame(&mut random)).collect();
    pcap::write_frames(&capture, &frames).expect("written");
    let flows = assert_same(&capture);
    println!("{} frames, {flows} flows", frames.len());
    assert!((2500..4000).contains(&flows), "{flows}: most frames are tracked, later fragments are not");
}

/// Returns the captures below a folder that may hold IPv6 over Ethernet.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(captures(&path));
        } else if std::fs::read(&path).expect("a file").windows(2).any(|octets| octets == [0x86, 0xdd]) {
            found.push(path);
        }
    }
    found
}

#[test]
fn captures_of_strangers_have_the_flows_that_tshark_finds() {
    let mut compared = [0; 2];
    for package in std::fs::read_dir(workspace_root().join("target/captures")).into_iter().flatten() {
        let package = package.expect("an entry").path();
        if !package.is_dir() || package.ends_with("apt") {
            continue;
        }
        for capture in captures(&package) {
            compared[0] += 1;
            compared[1] += assert_same(&capture);
        }
    }
    let [captures, flows] = compared;
    println!("{captures} captures, {flows} flows of IPv6");
    assert!(captures > 50 && flows > 0, "`make deps` fetches the captures");
}
