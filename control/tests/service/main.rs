//! The service as its neighbours see it: real gRPC over loopback, with a data
//! plane that is played by the test, and the built `ctl` where it matters.

mod admin;
mod ctl;
mod daemon;
mod filter;
mod golden;
mod http;
mod link;
mod load;
mod manual;
mod resume;
mod resync;
mod rig;
mod scripted;
mod watch;
