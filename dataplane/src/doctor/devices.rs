//! Virtual devices: are the interfaces, captures and sockets that they use fit for it?

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::Access;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list};
use crate::doctor::root::Root;
use crate::start::eal_args::Vdev;
use crate::start::rings::{self, BLOCKSZ, FramesTooLong};

const TOPIC: &str = "devices";
const NET: &str = "/sys/class/net";

/// net_memif's default for `socket`.
pub(super) const MEMIF_SOCKET: &str = "/run/memif.sock";

pub(super) fn check(case: &Case) -> Vec<Check> {
    case.eal
        .vdevs
        .iter()
        .flat_map(|vdev| match vdev.driver().as_str() {
            "net_af_packet" => af_packet(case, vdev),
            "net_af_xdp" => interfaces(case, vdev),
            "net_pcap" => pcap(case, vdev),
            "net_memif" => memif(case, vdev),
            "net_tap" => tap(case, vdev),
            _ => Vec::new(),
        })
        .collect()
}

/// Returns the MTU of an interface, as far as /sys shows it.
pub(super) fn mtu_of(root: &Root, interface: &str) -> Option<u32> {
    root.value(format!("{NET}/{interface}/mtu"))
}

/// Returns the interfaces of the kernel that a vdev uses.
pub(super) fn interfaces_of(vdev: &Vdev) -> Vec<&str> {
    let keys: &[&str] = match vdev.driver().as_str() {
        "net_af_packet" | "net_af_xdp" => &["iface"],
        "net_pcap" => &["iface", "rx_iface", "rx_iface_in", "tx_iface"],
        _ => &[],
    };
    let mut names: Vec<&str> = keys.iter().flat_map(|key| vdev.params(key)).collect();
    names.dedup();
    names
}

fn af_packet(case: &Case, vdev: &Vdev) -> Vec<Check> {
    let name = &vdev.name;
    if vdev.param("iface").is_none() {
        let remedy = format!("--vdev {name},iface=INTERFACE");
        return vec![Check::fail(TOPIC, format!("{name} has no iface="), remedy)];
    }
    if let Err(error @ FramesTooLong::ForMbuf { .. }) = rings::check_mtu(vdev, 0) {
        return vec![too_long(&error, "")];
    }
    let frame = rings::framesz(vdev);
    let block = vdev.number("blocksz").unwrap_or(BLOCKSZ);
    if u64::from(frame) > block {
        let found = format!("{name}: framesz={frame} is more than blocksz={block}");
        return vec![Check::fail(TOPIC, found, format!("blocksz={}", frame.next_power_of_two()))];
    }
    interfaces(case, vdev)
}

fn too_long(error: &FramesTooLong, interface: &str) -> Check {
    let remedy = match error {
        FramesTooLong::ForRing { largest, .. } => format!("ip link set {interface} mtu {largest}"),
        FramesTooLong::ForMbuf { .. } => "framesz=32768,blocksz=32768".to_owned(),
    };
    Check::fail(TOPIC, error.to_string(), remedy)
}

fn interfaces(case: &Case, vdev: &Vdev) -> Vec<Check> {
    interfaces_of(vdev).into_iter().flat_map(|name| interface(case, vdev, name)).collect()
}

fn interface(case: &Case, vdev: &Vdev, name: &str) -> Vec<Check> {
    // This file shows the network namespace of the process, whatever the mount of /sys shows.
    let known = case.root.read("/proc/self/net/dev").unwrap_or_default();
    if !known.lines().any(|line| line.split(':').next().is_some_and(|known| known.trim() == name)) {
        let found = format!("{name}: there is no such network interface in this namespace");
        return vec![Check::fail(TOPIC, found, "ip -brief link")];
    }
    let folder = format!("{NET}/{name}");
    let Some(flags) = case.root.read(format!("{folder}/flags")).and_then(|text| hexadecimal(&text)) else {
        let found =
            format!("{name} is there, but /sys shows another network namespace: its state cannot be seen");
        return vec![Check::warn(
            TOPIC,
            found,
            "start it by ip netns exec NAMESPACE, which mounts /sys anew",
        )];
    };
    let mut checks = Vec::new();
    if flags & 1 == 0 {
        let found = format!("{name} is down: nothing is received or sent");
        checks.push(Check::warn(TOPIC, found, format!("ip link set {name} up")));
    } else if case.root.value::<u8>(format!("{folder}/carrier")) == Some(0) {
        let found = format!("{name} has no carrier: its far end is down or not plugged in");
        checks.push(Check::warn(
            TOPIC,
            found,
            format!("ethtool {name} # and set the far end up, or plug the cable in"),
        ));
    }
    let mtu = mtu_of(case.root, name).unwrap_or(0);
    if let Err(error) = rings::check_mtu(vdev, mtu) {
        checks.push(too_long(&error, name));
    }
    let far = far_end(case, name);
    let visible = if let Some(FarEnd::Here(far)) = &far { Some(far.as_str()) } else { None };
    checks.extend(offloads(case, vdev, name, visible));
    if checks.is_empty() {
        let note = match far {
            Some(FarEnd::Here(far)) => format!(", far end {far}"),
            Some(FarEnd::Elsewhere) => ", far end in another namespace".to_owned(),
            None => String::new(),
        };
        checks.push(Check::ok(TOPIC, format!("{name} is up, MTU {mtu}{note}")));
    }
    checks
}

/// The other end of a veth pair.
enum FarEnd {
    /// Its name.
    Here(String),
    /// In another namespace, where its offloads cannot be seen.
    Elsewhere,
}

/// Asks `ip` for the far end. Sysfs has its number only, which may be another interface's in this
/// namespace.
fn far_end(case: &Case, name: &str) -> Option<FarEnd> {
    let text = (case.env.output_of)(&["ip", "-o", "link", "show", "dev", name]).ok()?;
    // `5: port0@eth0: <BROADCAST,…`, or `5: port0@if2: <BROADCAST,… link-netnsid 0`.
    let (_, far) = text.split_whitespace().nth(1)?.trim_end_matches(':').split_once('@')?;
    Some(if text.contains("link-netnsid") { FarEnd::Elsewhere } else { FarEnd::Here(far.to_owned()) })
}

/// Finds offloads that merge received frames, or that leave checksums to a network card that is not
/// there.
fn offloads(case: &Case, vdev: &Vdev, name: &str, far: Option<&str>) -> Vec<Check> {
    let features = match (case.env.output_of)(&["ethtool", "-k", name]) {
        Ok(text) => text,
        Err(error) => {
            let why = if error.kind() == io::ErrorKind::NotFound {
                "ethtool is not installed".to_owned()
            } else {
                format!("ethtool: {error}")
            };
            let found = format!("{name}: offloads cannot be seen: {why}");
            return vec![Check::warn(TOPIC, found, "apt-get install ethtool")];
        }
    };
    let mut checks = Vec::new();
    let merging = switched_on(
        &features,
        &[("generic-receive-offload", "gro"), ("large-receive-offload", "lro"), ("rx-gro-hw", "rx-gro-hw")],
    );
    // AF_XDP receives frames before they are merged.
    if !merging.is_empty() && vdev.driver() != "net_af_xdp" {
        let found = format!(
            "{name} merges received frames ({}), which cannot be forwarded as they came: the start switches it off",
            list(&merging)
        );
        checks.push(Check::warn(TOPIC, found, switch_off(name, &merging)));
    }
    if let Some(far) = far
        && let Ok(features) = (case.env.output_of)(&["ethtool", "-k", far])
    {
        let leaving =
            switched_on(&features, &[("tx-checksumming", "tx"), ("tcp-segmentation-offload", "tso")]);
        if !leaving.is_empty() {
            let found =
                format!("{far}, the far end of {name}, leaves work to a network card ({})", list(&leaving));
            checks.push(Check::warn(TOPIC, found, switch_off(far, &leaving)));
        }
    }
    checks
}

/// Runs a program to its end and returns its output. Offloads and far ends are only told by netlink
/// and ioctl, which `ethtool` and `ip` speak.
pub(super) fn output_of(command: &[&str]) -> io::Result<String> {
    let [program, args @ ..] = command else { return Ok(String::new()) };
    let output = Command::new(program).args(args).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Returns those of the features (the name, and the word for it in `ethtool -K`) that are on, by
/// that word.
fn switched_on<'a>(text: &str, features: &[(&str, &'a str)]) -> Vec<&'a str> {
    let is_on = |name: &str| {
        text.lines().any(|line| {
            line.trim()
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(": "))
                .is_some_and(|v| v.starts_with("on"))
        })
    };
    features.iter().filter(|(name, _)| is_on(name)).map(|(_, short)| *short).collect()
}

fn switch_off(interface: &str, features: &[&str]) -> String {
    let off: Vec<String> = features.iter().map(|feature| format!("{feature} off")).collect();
    format!("ethtool -K {interface} {}", off.join(" "))
}

fn pcap(case: &Case, vdev: &Vdev) -> Vec<Check> {
    let mut checks = interfaces(case, vdev);
    for path in vdev.params("rx_pcap") {
        checks.push(match capture(&case.root.path(path)) {
            Ok(()) => Check::ok(TOPIC, format!("{path} is a capture")),
            Err(error) => {
                let found = format!("{path} (rx_pcap of {}): {error}", vdev.name);
                Check::fail(TOPIC, found, format!("ls -l {path} # and correct the path"))
            }
        });
    }
    for path in vdev.params("tx_pcap") {
        let folder = parent(Path::new(path));
        if let Some(why) = not_writable(case, &folder) {
            let found = format!("{path} (tx_pcap of {}) cannot be written: {why}", vdev.name);
            checks.push(Check::fail(TOPIC, found, format!("mkdir -p {}", folder.display())));
        }
    }
    checks
}

/// Checks that a file can be read and begins as a capture does: pcap in both byte orders and
/// resolutions, or pcapng.
fn capture(path: &Path) -> Result<(), String> {
    const MAGIC: [[u8; 4]; 5] = [
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    let mut magic = [0; 4];
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    match file.read_exact(&mut magic) {
        Ok(()) if MAGIC.contains(&magic) => Ok(()),
        Ok(()) => Err("not a capture".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err("not a capture".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn memif(case: &Case, vdev: &Vdev) -> Vec<Check> {
    let path = vdev.param("socket").unwrap_or(MEMIF_SOCKET);
    let is_abstract = vdev.param("socket-abstract") != Some("no");
    let is_server = ["server", "master"].contains(&vdev.param("role").unwrap_or("client"));
    let name = &vdev.name;
    if !is_abstract {
        let folder = parent(Path::new(path));
        if let Some(why) = not_writable(case, &folder) {
            let found = format!("{name}: {path} cannot be used: {why}");
            return vec![Check::fail(TOPIC, found, format!("mkdir -p {}", folder.display()))];
        }
    }
    let shown = if is_abstract { format!("@{path}") } else { path.to_owned() };
    let listened = listens(case, &shown);
    vec![match (is_server, listened) {
        (true, true) => Check::warn(
            TOPIC,
            format!("{name}: another server listens on {shown}"),
            "role=client, or another socket=PATH",
        ),
        (true, false) => Check::ok(TOPIC, format!("{name}: serves {shown}")),
        (false, true) => Check::ok(TOPIC, format!("{name}: a server listens on {shown}")),
        (false, false) => Check::warn(
            TOPIC,
            format!("{name}: no server of this network namespace listens on {shown}"),
            "start the peer with role=server",
        ),
    }]
}

/// Returns `true` when a unix socket of this name listens. The kernel is asked, because connecting
/// would disturb the server.
fn listens(case: &Case, name: &str) -> bool {
    // __SO_ACCEPTCON
    const LISTENING: u64 = 1 << 16;
    let sockets = case.root.read("/proc/self/net/unix").unwrap_or_default();
    sockets.lines().any(|line| {
        let mut words = line.split_whitespace();
        let flags = words.nth(3).and_then(hexadecimal).unwrap_or(0);
        flags & LISTENING != 0 && words.nth(3) == Some(name)
    })
}

fn tap(case: &Case, vdev: &Vdev) -> Vec<Check> {
    let device = "/dev/net/tun";
    let access = Access::READ_OK | Access::WRITE_OK;
    vec![match rustix::fs::access(case.root.path(device), access) {
        Ok(()) => Check::ok(TOPIC, format!("{}: {device} can be used", vdev.name)),
        Err(error) => Check::fail(TOPIC, format!("{}: {device}: {error}", vdev.name), "modprobe tun"),
    }]
}

/// Returns the folder of a file.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => ".".into(),
    }
}

/// Returns why no file can be made in a folder.
fn not_writable(case: &Case, folder: &Path) -> Option<String> {
    let path = case.root.path(folder);
    let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(path, access).err().map(|error| format!("{}: {error}", folder.display()))
}

/// Reads a number such as `0x1003` or `00010000`.
fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

#[cfg(test)]
mod tests;
