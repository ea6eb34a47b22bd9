//! Flow keys: input port and 5-tuple of one direction of a conversation, for IPv4 ([`FlowKey`]) and
//! IPv6 ([`FlowKeyV6`]).

mod v4;
mod v6;

use core::fmt;

pub use v4::FlowKey;
pub use v6::FlowKeyV6;

use crate::arch::Words;
use crate::batch::Batch;
use crate::hash::KeyHasher;
use crate::packet::{Frames, Parser};
use crate::table::Store;

/// IP protocol number of TCP (IANA).
pub const TCP: u8 = 6;
/// IP protocol number of UDP (IANA).
pub const UDP: u8 = 17;

/// The key of a table.
///
/// All code of tables and trackers is written for any key and compiled for each. What differs is
/// here: how a key is hashed, and what a slot of a line holds of it.
pub trait Key: Copy + Eq + core::hash::Hash + Default + fmt::Debug + Send + 'static {
    /// What a table needs to know to find a key: its home line, and what its slot holds.
    type Hash: Copy + Default + PartialEq + fmt::Debug;
    /// The hash function.
    type Hasher: KeyHasher<Self>;
    /// Where a table keeps whole keys.
    type Store: Store<Self>;

    /// Returns the 32 bits of a hash that name the home line (`hash_sig_t` in DPDK).
    fn home(hash: Self::Hash) -> u32;
    /// Returns what a slot holds of this key, which has this hash.
    fn slot<'a>(&'a self, hash: &'a Self::Hash) -> &'a SlotKey;
    /// Does what the parser does where only the family of this key is tracked.
    fn parse<F: Frames + ?Sized>(
        parser: &mut Parser,
        frames: &F,
        first: usize,
        input_port: u8,
        batch: &mut Batch<Self>,
    ) -> u64;
}

/// The bits of a slot's second word that belong to the key. The 16 bits above are zero in a key; a
/// table keeps the mark of the entry there.
pub(crate) const HI_KEY_BITS: u64 = (1 << 48) - 1;

/// What a slot of a line holds of a key: 112 bits in two words, of which the uppermost eight are the
/// input port, which is never 0. The 16 bits above them are zero.
pub type SlotKey = Words;
