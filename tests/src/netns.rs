//! Three network namespaces in a row: two hosts and the box between them.
//!
//! ```text
//!   left                     middle                      right
//!   eth0 10.0.0.1/24 ──── port0   port1 ──── eth0 10.0.0.2/24
//! ```
//!
//! The middle has no addresses: a frame that enters one of its ends leaves by the other only if the
//! appliance, which polls both through AF_PACKET, carries it. IPv6 is off everywhere, so that every
//! frame is caused by a test; [`Line::with_ipv6`] turns it on between the hosts. Checksum offload
//! is off on the hosts, because a checksum that is left to the hardware would reach the other host
//! unfilled.

mod netcat;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;

pub use self::netcat::{netcat, netcat6};
use crate::pcap;
use crate::process::{Running, Stream, run, wait_for};

/// The names of all tests' namespaces begin with this, followed by the test's process id.
const PREFIX: &str = "fttest-";

/// Upper limit for everything here. Only a failing test ever waits this long.
const LIMIT: Duration = Duration::from_secs(30);

/// Address of the left host.
pub const LEFT_ADDR: &str = "10.0.0.1";
/// Address of the right host.
pub const RIGHT_ADDR: &str = "10.0.0.2";
/// IPv6 address of the left host.
pub const LEFT_ADDR6: &str = "2001:db8::1";
/// IPv6 address of the right host.
pub const RIGHT_ADDR6: &str = "2001:db8::2";

/// Port that [`netcat`]'s server listens on.
pub const SERVER_PORT: &str = "1234";
/// Source port of its client.
pub const CLIENT_PORT: &str = "36876";

/// A network namespace, removed with everything in it when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace with only a loopback interface, so that every port of 127.0.0.1 is free.
    /// Its name is unique and ends in `role`. Needs root.
    ///
    /// # Panics
    /// When the system refuses.
    #[must_use]
    pub fn new(role: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sweep();
        let name = format!("{PREFIX}{}-{}-{role}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name]);
        let namespace = Self { name };
        // This comes before any interface exists, so that none ever sends IPv6.
        run(namespace.command("sysctl").args([
            "-qw",
            "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv6.conf.default.disable_ipv6=1",
        ]));
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"]);
        namespace
    }

    /// Returns the name, as `ip netns list` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a command that will run inside. The process id is the program's own, because `ip
    /// netns exec` replaces itself.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

/// One direction of an interface's kernel counters, since the interface was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Direction {
    /// Frames.
    pub packets: u64,
    /// Octets, without the frame check sequence.
    pub bytes: u64,
    /// Frames with errors.
    pub errors: u64,
    /// Frames discarded.
    pub dropped: u64,
}

/// Both directions of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LinkCounters {
    /// Received.
    pub rx: Direction,
    /// Sent.
    pub tx: Direction,
}

impl Namespace {
    /// Returns the kernel's counters of an interface.
    ///
    /// # Panics
    /// When there is no such interface.
    #[must_use]
    pub fn link(&self, interface: &str) -> LinkCounters {
        #[derive(Deserialize)]
        struct Link {
            stats64: LinkCounters,
        }
        let text = run(self.command("ip").args(["-s", "-j", "link", "show", "dev", interface]));
        let links: Vec<Link> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        links[0].stats64
    }

    /// Returns the link address of an interface.
    ///
    /// # Panics
    /// When there is no such interface.
    #[must_use]
    pub fn link_address(&self, interface: &str) -> String {
        #[derive(Deserialize)]
        struct Link {
            address: String,
        }
        let text = run(self.command("ip").args(["-j", "link", "show", "dev", interface]));
        let links: Vec<Link> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        links[0].address.clone()
    }

    /// Sets an interface up or down.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn set_link(&self, interface: &str, up: bool) {
        ip(&["-n", &self.name, "link", "set", interface, if up { "up" } else { "down" }]);
    }

    /// Sends frames unchanged out of an interface, without the network stack.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn send(&self, interface: &str, frames: &[Vec<u8>]) {
        // The script reads one line of hexadecimal digits per frame. A socket made here would need
        // the whole test process to enter the namespace.
        const SCRIPT: &str = "import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for line in sys.stdin: s.send(bytes.fromhex(line))";
        let mut sender = Running::spawn(self.command("python3").args(["-c", SCRIPT, interface]));
        for frame in frames {
            let digits: String = frame.iter().map(|octet| format!("{octet:02x}")).collect();
            sender.write_stdin(&format!("{digits}\n"));
        }
        sender.close_stdin();
        let status = sender.wait(LIMIT);
        assert!(status.success(), "{}", sender.output());
    }

    /// Captures the frames that enter an interface from now on.
    ///
    /// # Panics
    /// When tcpdump does not start.
    #[must_use]
    pub fn capture(&self, interface: &str) -> Capture {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut tcpdump = self.command("tcpdump");
        // The buffer has room for 4096 frames of up to 16 KiB. tcpdump's default has room for 8.
        tcpdump.args(["-i", interface, "-Q", "in", "-s", "16384", "-B", "65536"]);
        tcpdump.args(["-U", "--immediate-mode", "-Z", "root", "-w"]);
        let mut tcpdump = Running::spawn(tcpdump.arg(file.path()));
        tcpdump.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on"));
        Capture { tcpdump, file }
    }
}

/// A running tcpdump.
pub struct Capture {
    tcpdump: Running,
    file: tempfile::NamedTempFile,
}

impl Capture {
    /// Waits until `count` frames have been captured, and returns all that have been.
    ///
    /// # Panics
    /// When they do not arrive.
    #[must_use]
    pub fn frames(mut self, count: usize) -> Vec<Vec<u8>> {
        // The file may end inside a frame while it is written.
        let frames = || pcap::read_frames(self.file.path()).ok();
        wait_for(&format!("{count} frames are captured"), LIMIT, || (frames()?.len() >= count).then_some(()));
        self.tcpdump.terminate();
        frames().expect("a finished capture")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Deleting it deletes its interfaces, and their peers with them.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// Two hosts with a box between them.
#[derive(Debug)]
pub struct Line {
    /// Host 10.0.0.1; its `eth0` leads to `port0`.
    pub left: Namespace,
    /// The box: `port0`, `port1`, loopback, no addresses.
    pub middle: Namespace,
    /// Host 10.0.0.2; its `eth0` leads to `port1`.
    pub right: Namespace,
}

impl Line {
    /// Builds the namespaces and their links. Needs root.
    ///
    /// # Panics
    /// When the system refuses.
    #[must_use]
    pub fn new() -> Self {
        let line = Self {
            left: Namespace::new("left"),
            middle: Namespace::new("middle"),
            right: Namespace::new("right"),
        };
        for (host, addr, port) in [(&line.left, LEFT_ADDR, "port0"), (&line.right, RIGHT_ADDR, "port1")] {
            ip(&[
                "-n",
                &line.middle.name,
                "link",
                "add",
                port,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                &host.name,
            ]);
            ip(&["-n", &host.name, "address", "add", &format!("{addr}/24"), "dev", "eth0"]);
            run(host.command("ethtool").args(["-K", "eth0", "tx", "off", "rx", "off"]));
            ip(&["-n", &host.name, "link", "set", "eth0", "up"]);
            ip(&["-n", &line.middle.name, "link", "set", port, "up"]);
        }
        line.wait_carrier();
        line
    }

    /// Builds a line as [`Line::new`] does, with this MTU on all interfaces.
    ///
    /// # Panics
    /// As [`Line::new`].
    #[must_use]
    pub fn with_mtu(mtu: u16) -> Self {
        let line = Self::new();
        for (namespace, interface) in
            [(&line.left, "eth0"), (&line.middle, "port0"), (&line.middle, "port1"), (&line.right, "eth0")]
        {
            ip(&["-n", &namespace.name, "link", "set", interface, "mtu", &mtu.to_string()]);
        }
        line
    }

    /// Builds a line as [`Line::new`] does, whose hosts also have IPv6 addresses, in 2001:db8::/64.
    /// The hosts know each other's link address, so that a connection consists of its own packets.
    ///
    /// # Panics
    /// As [`Line::new`].
    #[must_use]
    pub fn with_ipv6() -> Self {
        let line = Self::new();
        for (host, addr) in [(&line.left, LEFT_ADDR6), (&line.right, RIGHT_ADDR6)] {
            // No address that a test has not asked for, and no detection of duplicates.
            ip(&["-n", &host.name, "link", "set", "eth0", "addrgenmode", "none"]);
            run(host.command("sysctl").args(["-qw", "net.ipv6.conf.eth0.disable_ipv6=0"]));
            ip(&["-n", &host.name, "address", "add", &format!("{addr}/64"), "dev", "eth0", "nodad"]);
        }
        for (host, peer, addr) in
            [(&line.left, &line.right, RIGHT_ADDR6), (&line.right, &line.left, LEFT_ADDR6)]
        {
            let address = peer.link_address("eth0");
            ip(&["-n", &host.name, "neighbour", "add", addr, "lladdr", &address, "dev", "eth0"]);
        }
        line
    }

    /// Waits until the middle's ends are up. They come up shortly after their peers, and frames
    /// sent before are lost.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn wait_carrier(&self) {
        wait_for("carrier on port0 and port1", LIMIT, || {
            let links = run(self.middle.command("ip").args(["-brief", "link"]));
            (links.lines().filter(|l| l.starts_with("port") && l.contains(" UP ")).count() == 2).then_some(())
        });
    }

    /// Returns DPDK devices on the middle's two ends. `options` follow the interface; each begins
    /// with a comma.
    #[must_use]
    pub fn devices(&self, driver: &str, options: &str) -> [String; 2] {
        [0, 1].map(|n| format!("{driver}{n},iface=port{n}{options}"))
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

/// Removes the namespaces of tests that were killed before they could clean up.
fn sweep() {
    for line in run(Command::new("ip").args(["netns", "list"])).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another test may be sweeping too. The second of them finds nothing to delete.
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

fn ip(args: &[&str]) {
    run(Command::new("ip").args(args));
}

#[cfg(test)]
mod tests;
