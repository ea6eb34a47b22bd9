//! Three network namespaces in a row: two hosts and the box between them.
//!
//! ```text
//!   left                     middle                      right
//!   eth0 10.0.0.1/24 ──── port0   port1 ──── eth0 10.0.0.2/24
//! ```
//!
//! The middle has no addresses: what enters one of its ends leaves by the other
//! only if the appliance, polling both through AF_PACKET, carries it. IPv6 is
//! off everywhere, so that no frame is seen that a test did not cause; checksum
//! offload is off on the hosts, because a checksum that is left for hardware to
//! fill in would reach the other host unfilled.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::process::{run, wait_for};

/// All namespaces of tests start like this, then the test's process id.
const PREFIX: &str = "fttest-";

/// Address of the left host.
pub const LEFT_ADDR: &str = "10.0.0.1";
/// Address of the right host.
pub const RIGHT_ADDR: &str = "10.0.0.2";

/// A network namespace, removed with everything in it when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one with nothing but loopback: every port of 127.0.0.1 is free in
    /// it. Its name is unique and ends in `role`. Needs root.
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
        // Before any interface exists, so that none ever speaks IPv6.
        run(namespace.command("sysctl").args([
            "-qw",
            "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv6.conf.default.disable_ipv6=1",
        ]));
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"]);
        namespace
    }

    /// Its name, as `ip netns list` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run inside. The process id is the program's own:
    /// `ip netns exec` replaces itself.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
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
    /// Builds one. Needs root.
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
        // An end is up a moment after its peer is; frames sent before that are lost.
        wait_for("carrier on port0 and port1", Duration::from_secs(10), || {
            let links = run(line.middle.command("ip").args(["-brief", "link"]));
            (links.lines().filter(|l| l.starts_with("port") && l.contains(" UP ")).count() == 2).then_some(())
        });
        line
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

/// Removes what tests left behind that were killed without a chance to clean up.
fn sweep() {
    for line in run(Command::new("ip").args(["netns", "list"])).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another test may be sweeping too: whoever comes second finds nothing to delete.
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

fn ip(args: &[&str]) {
    run(Command::new("ip").args(args));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> String {
        run(Command::new("ip").args(["netns", "list"]))
    }

    #[test]
    fn a_line_has_two_silent_ends_and_goes_away() {
        let line = Line::new();
        let own = format!("{PREFIX}{}-", std::process::id());
        assert_eq!(names().matches(&own).count(), 3);
        let links = run(line.middle.command("ip").args(["-brief", "link"]));
        for port in ["port0@", "port1@"] {
            assert!(links.lines().any(|l| l.starts_with(port) && l.contains(" UP ")), "{links}");
        }
        assert_eq!(run(line.middle.command("ip").args(["-brief", "-6", "address"])), "");
        assert_eq!(run(line.left.command("ip").args(["-brief", "-6", "address"])), "");
        let features = run(line.right.command("ethtool").args(["-k", "eth0"]));
        assert!(features.contains("tx-checksumming: off"), "{features}");
        drop(line);
        assert!(!names().contains(&own));
    }

    #[test]
    fn a_panic_leaves_nothing() {
        let own = std::panic::catch_unwind(|| {
            let line = Line::new();
            std::panic::panic_any([&line.left, &line.middle, &line.right].map(|n| n.name().to_owned()));
        })
        .expect_err("it panics")
        .downcast::<[String; 3]>()
        .expect("the names");
        assert!(own.iter().all(|name| !names().contains(name)));
    }

    #[test]
    fn what_a_killed_test_left_is_swept() {
        // No process has this id: it is beyond the kernel's limit (PID_MAX_LIMIT, 2^22).
        let name = format!("{PREFIX}4194305-0-left");
        ip(&["netns", "add", &name]);
        sweep();
        assert!(!names().contains(&name));
    }
}
