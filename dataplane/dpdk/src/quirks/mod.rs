//! What works around DPDK 22.11.

pub(crate) mod interrupt;
pub(crate) mod unmap;
