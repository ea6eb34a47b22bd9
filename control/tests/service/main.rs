//! The service as its neighbours see it: real gRPC over loopback, with a data
//! plane that is played by the test.

mod admin;
mod daemon;
mod filter;
mod http;
mod link;
mod load;
mod resync;
mod rig;
mod watch;
