//! Abuse of the product by those who can reach it, and the laws that hold throughout.
//!
//! [`scene`] starts the real programs; an [`Attack`] runs in a process of its own (the program
//! `abuse`), because its descriptors and its memory are not the product's; [`monitor`] looks at
//! everybody else meanwhile: a watcher, a user who lists, a probe of `/healthz`, the lcore, and the
//! service's resident set. [`suite`] compares what it sees with the same without an attack.
//!
//! The machine may have two CPUs only, and a law is about the product, not about who gets a CPU. So
//! the lcore polls on one CPU and nothing else of ours runs there; the service, the users and the
//! attackers share the other, where attackers have a low priority and a bounded rate, and what
//! they do ends by itself.

pub mod callers;
pub mod h2;
pub mod monitor;
pub mod planes;
pub mod scene;
pub mod service;
pub mod suite;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Where attackers find the service.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// gRPC.
    pub grpc: SocketAddr,
    /// Metrics and health.
    pub http: SocketAddr,
    /// When the attack ends.
    pub until: Instant,
}

impl Target {
    /// Returns true until the attack has to end.
    #[must_use]
    pub fn on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Sleeps until the attack has to end, or for `pause`.
    pub fn pause(&self, pause: Duration) {
        std::thread::sleep(pause.min(self.until.saturating_duration_since(Instant::now())));
    }
}

/// What an attacker has to say at its end, for the table.
pub type Tally = String;

/// Defines [`Attack`], with its name, what it does and how much of it (quick, full).
macro_rules! attacks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $quick:expr, $full:expr, $run:expr;)*) => {
        /// A way to abuse the control service.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Attack {
            $($(#[$doc])* $variant,)*
        }

        impl Attack {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns how much of it there is: connections, streams, requests or records.
            #[must_use]
            pub fn size(self, full: bool) -> usize {
                match self {
                    $(Self::$variant => if full { $full } else { $quick },)*
                }
            }

            /// Carries it out, in this process.
            #[must_use]
            pub fn run(self, target: &Target, size: usize) -> Tally {
                match self {
                    $(Self::$variant => $run(target, size),)*
                }
            }
        }
    };
}

attacks! {
    /// Connections that say nothing, as many as a service with the usual limit of 1,024 descriptors
    /// can have.
    Silent = "silent connections", 1_013, 1_013, callers::connections;
    /// Many more of them.
    Connections = "connections", 3_000, 10_000, callers::connections;
    /// Watches on one connection.
    Streams = "streams of one connection", 2_000, 10_000, callers::streams;
    /// Requests whose message never comes.
    NoBody = "requests without a body", 6_000, 30_000, callers::no_body;
    /// Calls that are reset at once.
    Resets = "rapid resets", 5_000, 5_000, callers::resets;
    /// Lists that nobody reads.
    Lists = "stuck lists", 16, 64, callers::lists;
    /// Watches from a snapshot that nobody reads.
    Snapshots = "stuck snapshots", 200, 1_000, callers::snapshots;
    /// Idle and reconnecting clients of metrics and health.
    Http = "idle and reconnecting HTTP", 200, 1_000, callers::http;
    /// A data plane that purges one of its two shards and goes on with the other.
    Purged = "plane: records behind a purge", 200_000, 4_000_000, planes::purged;
    /// A data plane whose authors have names of a megabyte.
    Authors = "plane: names of a megabyte", 60, 500, planes::authors;
    /// A data plane that answers a list without end, to a user who does not read.
    Replies = "plane: replies to a stuck list", 20_000, 1_000_000, planes::replies;
    /// A data plane that says Hello for a million shards.
    Shards = "plane: a million shards", 1_000_000, 1_000_000, planes::shards;
    /// A data plane that reports more entries than it has declared.
    Created = "plane: entries beyond its capacity", 300_000, 5_000_000, planes::created;
    /// Data planes that attach and leave, each under another name.
    Names = "plane: a name a connection", 300, 2_000, planes::names;
}

impl Attack {
    /// Returns the attack of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|attack| attack.name() == name)
    }
}
