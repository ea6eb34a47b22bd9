//! The twins of the CRC against each other, and the CRC against its published check value.

use proptest::prelude::*;

use super::*;

impl Bytes17 for ([u64; 2], u8) {
    fn as_words(&self) -> ([u64; 2], u8) {
        *self
    }
}

#[test]
fn crc32c_check_value() {
    // The check value of CRC-32C over "123456789", before the final inversion.
    assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
}

proptest! {
    #[test]
    fn crc_twins_agree(inputs: [([u64; 2], u8); 11], init: u32) {
        let (mut fast, mut slow) = ([0; 11], [0; 11]);
        crc_burst(Features::detect(), init, &inputs, &mut fast);
        crc_burst(Features::PORTABLE, init, &inputs, &mut slow);
        prop_assert_eq!(fast, slow);
    }
}
