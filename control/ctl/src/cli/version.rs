//! `ctl version`: prints the version; needs no server.

use super::{Failure, output};

pub(super) fn run() -> Result<(), Failure> {
    output::put(concat!("ctl ", env!("CARGO_PKG_VERSION"), "\n"))
}
