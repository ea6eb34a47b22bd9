//! The hash functions of librte_hash.

use dpdk_sys as sys;

/// A hash function of librte_hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashFunction {
    /// rte_hash_crc: CRC-32C.
    Crc,
    /// rte_jhash: Bob Jenkins' lookup3.
    Jhash,
}

/// Returns rte_hash_crc of `bytes`: CRC-32C without the final inversion, starting from `init`.
#[must_use]
pub fn hash_crc(bytes: &[u8], init: u32) -> u32 {
    let len = u32::try_from(bytes.len()).expect("keys are shorter than 4 GiB");
    // SAFETY: rte_hash_crc reads exactly len bytes, at any alignment.
    unsafe { sys::shim_hash_crc(bytes.as_ptr().cast(), len, init) }
}

/// Writes rte_hash_crc of each of `keys`, starting from `init`, to `out`.
///
/// # Panics
///
/// When `out` is shorter than `keys`.
#[inline]
pub fn hash_crc_burst<const N: usize>(keys: &[[u8; N]], init: u32, out: &mut [u32]) {
    assert!(keys.len() <= out.len());
    // SAFETY: there are keys.len() keys of N bytes, and as many places in out.
    unsafe {
        sys::shim_hash_crc_burst(keys.as_ptr().cast(), N as u32, keys.len() as u32, init, out.as_mut_ptr());
    }
}

/// Returns rte_jhash of `bytes`, starting from `init`.
#[must_use]
pub fn jhash(bytes: &[u8], init: u32) -> u32 {
    let len = u32::try_from(bytes.len()).expect("keys are shorter than 4 GiB");
    if len.is_multiple_of(4) {
        // SAFETY: rte_jhash reads whole words; there are whole words only, at any alignment.
        return unsafe { sys::shim_jhash(bytes.as_ptr().cast(), len, init) };
    }
    // rte_jhash reads the last word whole and masks it, so it looks up to three bytes past the end.
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    // SAFETY: the last word of `len` bytes ends within `padded`.
    unsafe { sys::shim_jhash(padded.as_ptr().cast(), len, init) }
}
