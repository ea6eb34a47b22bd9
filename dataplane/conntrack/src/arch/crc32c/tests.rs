//! The twins of the CRC against each other, and the CRC against its published check value.

use proptest::prelude::*;

use super::*;

impl<const WORDS: usize> Bytes<WORDS> for ([u64; WORDS], u8) {
    fn as_words(&self) -> ([u64; WORDS], u8) {
        *self
    }
}

#[test]
fn crc32c_check_value() {
    // The check value of CRC-32C over "123456789", before the final inversion.
    assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
}

fn of_all<const WORDS: usize>(features: Features, inputs: &[([u64; WORDS], u8); 11], init: u32) -> [u32; 11] {
    let mut crcs = [0; 11];
    crc_burst(features, init, inputs, &mut crcs);
    crcs
}

proptest! {
    #[test]
    fn crc_twins_agree(short: [([u64; 2], u8); 11], long: [([u64; 5], u8); 11], init: u32) {
        prop_assert_eq!(
            of_all(Features::detect(), &short, init),
            of_all(Features::PORTABLE, &short, init)
        );
        prop_assert_eq!(of_all(Features::detect(), &long, init), of_all(Features::PORTABLE, &long, init));
    }
}
