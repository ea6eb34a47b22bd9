//! A connection of netcat between two hosts.

use super::{CLIENT_PORT, LIMIT, Namespace, RIGHT_ADDR, RIGHT_ADDR6, SERVER_PORT};
use crate::process::{Running, run, wait_for};

/// Connects two hosts with netcat, from 10.0.0.1 to 10.0.0.2, and returns (server, client). The
/// connection stays open and silent until they are dropped.
///
/// # Panics
/// When the server does not listen.
#[must_use]
pub fn netcat(left: &Namespace, right: &Namespace) -> (Running, Running) {
    connect(left, right, RIGHT_ADDR)
}

/// Connects two hosts of a line with IPv6, from 2001:db8::1 to 2001:db8::2, as [`netcat`] does.
///
/// # Panics
/// As [`netcat`].
#[must_use]
pub fn netcat6(left: &Namespace, right: &Namespace) -> (Running, Running) {
    connect(left, right, RIGHT_ADDR6)
}

fn connect(left: &Namespace, right: &Namespace, addr: &str) -> (Running, Running) {
    let (family, socket) = match addr.contains(':') {
        true => ("-6", format!("[{addr}]:{SERVER_PORT}")),
        false => ("-4", format!("{addr}:{SERVER_PORT}")),
    };
    let server =
        Running::spawn(right.command("nc").args([family, "-n", "-l", "-s", addr, "-p", SERVER_PORT]));
    wait_for("nc listens", LIMIT, || {
        run(right.command("ss").args(["-Hltn"])).contains(&socket).then_some(())
    });
    let client = [family, "-n", "-p", CLIENT_PORT, addr, SERVER_PORT];
    (server, Running::spawn(left.command("nc").args(client)))
}
