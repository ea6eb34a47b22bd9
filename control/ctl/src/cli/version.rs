//! `ctl version`: no server needed.

use super::{Failure, output};

pub(super) fn run() -> Result<(), Failure> {
    output::put(concat!("ctl ", env!("CARGO_PKG_VERSION"), "\n"))
}
