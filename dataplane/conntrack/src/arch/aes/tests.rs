//! The twins of the keyed hash against each other, and the S-box against the standard.

use proptest::prelude::*;
use std::vec::Vec;

use super::*;

impl Block for [u64; 2] {
    fn words(&self) -> [u64; 2] {
        *self
    }
}

#[test]
fn sbox_as_fips_197_prints_it() {
    assert_eq!(SBOX[..8], [0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5]);
    assert_eq!(SBOX[0x53], 0xed);
    assert_eq!(SBOX[0xff], 0x16);
}

proptest! {
    #[test]
    fn aes_twins_agree(words: [[u64; 2]; 11], count in 0usize..=11, secret: [u64; 8]) {
        let blocks = &words[..count];
        let secret: Schedule =
            core::array::from_fn(|i| u128::from(secret[i]) << 64 | u128::from(secret[i + 4]));
        let expected: Vec<u64> = blocks.iter().map(|block| portable(&secret, *block)).collect();
        let one_by_one: Vec<u64> =
            blocks.iter().map(|block| hash(Features::detect(), &secret, block)).collect();
        prop_assert_eq!(&expected, &one_by_one);
        // The places after them stay as they are.
        let lower: Vec<u32> = expected.iter().map(|&hash| hash as u32).chain([7; 5]).collect();
        for features in Features::all_present() {
            let mut together = [7; 16];
            hash_burst(features, &secret, blocks, &mut together);
            prop_assert_eq!(&together[..count + 5], &lower[..], "{}", features);
        }
    }
}
