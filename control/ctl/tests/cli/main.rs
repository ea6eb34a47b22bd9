//! Tests of the built `ctl`, against a service in this process and against one that follows a
//! script.

mod ctl;
mod golden;
mod hostile;
mod ipv6;
mod manual;
mod resume;
#[path = "../../../tests/service/rig.rs"]
#[expect(dead_code, reason = "the rest is for the service's own tests")]
mod rig;
mod scripted;
mod timeouts;
mod tls;
