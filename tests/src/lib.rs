//! The harness of the end-to-end tests: captures, network namespaces, processes, the real grpcurl,
//! and an oracle for the outcome of each frame. Frames are built by `conntrack::test_support`.
//!
//! Nothing here uses the product's own code except the generated messages of `flowtracker-proto`,
//! so that a mistake in the product cannot hide in its tests. There are three exceptions:
//! [`rte_table`] implements the engine's table trait by librte_hash, and [`collisions`] and
//! [`flows`] return keys of the engine.
//!
//! A part of the harness that fails panics with a message that a test can show. Everything that it
//! starts or creates is removed when dropped, also by a panic.
#![forbid(unsafe_code)]

pub mod abuse;
pub mod appliance;
pub mod collisions;
pub mod flows;
#[cfg(target_arch = "x86_64")]
pub mod frozen;
pub mod generated;
pub mod grpcurl;
pub mod guest;
pub mod hugepages;
pub mod netns;
pub mod oracle;
pub mod pcap;
pub mod process;
pub mod relay;
pub mod rounds;
pub mod rte_table;
pub mod scrape;
pub mod testpmd;
pub mod timeline;
pub mod tls;
pub mod tmux;
pub mod trial;
pub mod watcher;
