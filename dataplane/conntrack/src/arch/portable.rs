//! The twins without special instructions.

use super::AesKeys;
use crate::key::FlowKey;

/// Which of the slots hold the key; `ANY` as in the native twin.
#[cfg_attr(all(target_arch = "x86_64", not(test)), expect(dead_code, reason = "SSE2 is always there"))]
pub(crate) fn first_match<const ANY: u64>(slots: &[[u64; 2]; 3], key: &FlowKey) -> Option<usize> {
    let mut matters = u64::MAX;
    for byte in 8..16 {
        if ANY >> byte & 1 == 1 {
            matters &= !(0xff << (8 * (byte - 8)));
        }
    }
    slots.iter().position(|&[lo, hi]| ((lo ^ key.lo) | ((hi ^ key.hi) & matters)) == 0)
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) without the final
/// inversion, which is how DPDK uses it.
pub(crate) fn crc32c(init: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(init, |crc, &b| crc >> 8 ^ CRC_TABLE[usize::from(crc as u8 ^ b)])
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// Three AES rounds (FIPS 197 section 5.1) over the key's two words.
pub(crate) fn aes_hash(secret: &AesKeys, key: &FlowKey) -> u64 {
    let mut state = u128::from(key.lo) | u128::from(key.hi) << 64;
    state ^= secret[0];
    for round_key in &secret[1..] {
        state = aes_round(state) ^ round_key;
    }
    state as u64
}

/// SubBytes, ShiftRows and MixColumns of one block, byte 0 lowest.
fn aes_round(state: u128) -> u128 {
    let bytes = state.to_le_bytes();
    let mut out = [0; 16];
    for column in 0..4 {
        let s: [u8; 4] = core::array::from_fn(|row| SBOX[usize::from(bytes[(column * 4 + row * 5) % 16])]);
        for row in 0..4 {
            out[column * 4 + row] = double(s[row])
                ^ double(s[(row + 1) % 4])
                ^ s[(row + 1) % 4]
                ^ s[(row + 2) % 4]
                ^ s[(row + 3) % 4];
        }
    }
    u128::from_le_bytes(out)
}

/// Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn double(a: u8) -> u8 {
    a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 }
}

/// The AES S-box, made from its definition: inverse in GF(2^8), then the affine map.
const SBOX: [u8; 256] = {
    let mut sbox = [0; 256];
    // p runs through all non-zero elements as powers of 3, q through their inverses.
    let (mut p, mut q) = (1u8, 1u8);
    loop {
        p ^= double(p);
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        if q & 0x80 != 0 {
            q ^= 0x09;
        }
        let affine = q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4) ^ 0x63;
        sbox[p as usize] = affine;
        if p == 1 {
            break;
        }
    }
    sbox[0] = 0x63;
    sbox
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sbox_as_fips_197_prints_it() {
        assert_eq!(SBOX[..8], [0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5]);
        assert_eq!(SBOX[0x53], 0xed);
        assert_eq!(SBOX[0xff], 0x16);
    }

    #[test]
    fn crc32c_check_value() {
        // The check value of CRC-32C over "123456789", before the final inversion.
        assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
    }
}
