//! Tests of the service as its peers see it: real gRPC over loopback, with a data plane that the
//! test simulates.

mod admin;
mod audit;
mod bounds;
mod certs;
mod daemon;
mod door;
mod families;
mod families_watch;
mod filter;
mod http;
mod link;
mod lists;
mod load;
mod resync;
mod rig;
mod roles;
mod tls;
mod watch;
