//! The probe sequence of a key: the lines in which it may be, in their order.
//!
//! The first is its *home* line, which its hash names. The second lies beside the home line, in the
//! same page, so that it costs no page walk. The further ones are named by a secret *spread* of the
//! key, whatever the hash function is, so keys that an attacker made collide at home part ways
//! there.

/// Number of lines that an insertion or a lookup visits at most.
///
/// At the load that the table is sized for, all lines of a sequence are full with a chance of less
/// than 0.6^128, or 1e-28.
pub(super) const MAX_PROBES: u32 = 128;

/// Returns the home line among `lines` lines, for a key with this hash.
#[inline(always)]
pub(super) fn home(lines: usize, hash: u32) -> usize {
    scale(lines, hash)
}

/// Returns the second line of the sequence. Lines come in pairs.
#[inline(always)]
pub(super) fn beside(home: usize) -> usize {
    home ^ 1
}

/// Returns the line at `step` steps (2 or more) from the home line, for a key with this spread.
#[inline]
pub(super) fn further(lines: usize, spread: u64, step: u32) -> usize {
    // The finalizer of splitmix64 over a counter that starts at the secret spread.
    let mut x = spread.wrapping_add(u64::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    scale(lines, (x >> 32) as u32)
}

/// Maps 32 random bits evenly onto `lines` lines, without a division.
#[inline(always)]
fn scale(lines: usize, random: u32) -> usize {
    ((u64::from(random) * lines as u64) >> 32) as usize
}
