//! The field against RFC 8452, the twins against each other, and the promise about differences.

use proptest::prelude::*;
use std::vec::Vec;

use super::*;

/// An input of which some bits of the third part stay in clear.
#[derive(Clone, Copy, Debug)]
struct Parts([u8; 16], [u8; 16], u64);

impl Input for Parts {
    const CLEAR: u64 = 0xff << 40;

    fn parts(&self) -> (&[u8; 16], &[u8; 16], u64) {
        (&self.0, &self.1, self.2)
    }
}

fn hash(features: Features, keys: &Keys, inputs: &[Parts]) -> Vec<Hashed> {
    let mut out = std::vec![Hashed::default(); inputs.len()];
    hash_burst(features, keys, &[1, 2, 3, 4], inputs, &mut out);
    out
}

fn element(hex: &str) -> u128 {
    u128::from_str_radix(hex, 16).expect("hexadecimal").swap_bytes()
}

fn dot(a: u128, b: u128) -> u128 {
    dots([(a, b), (0, 0)])
}

/// RFC 8452 appendix A.
#[test]
fn field_operations_of_rfc_8452() {
    let a = element("66e94bd4ef8a2c3b884cfa59ca342b2e");
    let b = element("ff000000000000000000000000000000");
    assert_eq!(dot(a, b), element("ebe563401e7e91ea3ad6426b8140c394"));
    let h = element("25629347589242761d31f826ba4b757b");
    let (x1, x2) = (element("4f4f95668c83dfb6401762bb2d01a262"), element("d1a24ddd2721d006bbe45f20d3c9f362"));
    let polyval = dot(dot(x1, h) ^ x2, h);
    assert_eq!(polyval, element("f7a3b47b846119fae5b7866cf5e5b77e"));
    // The same as a print, with every set of instructions: the keys that are zero drop out, and so
    // does the rest of one product.
    for features in Features::all_present() {
        let print = |a: u128, b: u128| {
            let input = Parts(a.to_le_bytes(), b.to_le_bytes(), 0);
            hash(features, &[0; 3], &[input; 5])[4].print
        };
        let kept = (1 << 104) - 1;
        let words = |value: u128| Words { lo: value as u64, hi: (value >> 64) as u64 };
        assert_eq!(print(a, b), words(dot(a, b) & kept), "{features}");
        assert_eq!(print(dot(x1, h) ^ x2, h), words(polyval & kept), "{features}");
    }
}

proptest! {
    #[test]
    fn universal_twins_agree(
        inputs in prop::collection::vec((any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u64>()), 0..11),
        keys: [u128; 3],
    ) {
        let inputs: Vec<Parts> = inputs.into_iter().map(|(a, b, c)| Parts(a, b, c)).collect();
        let expected = hash(Features::PORTABLE, &keys, &inputs);
        for (input, hashed) in inputs.iter().zip(&expected) {
            prop_assert_eq!(hashed.print.hi >> 40, input.2 >> 40 & 0xff);
        }
        for features in Features::all_present() {
            prop_assert_eq!(&hash(features, &keys, &inputs), &expected, "{}", features);
        }
    }

    /// Whatever two inputs are, each key that one of their parts differs for makes the difference of
    /// their prints any value: the difference is affine in the key, and the map can be inverted.
    #[test]
    fn differences_are_uniform_in_each_key(a: [u128; 2], b: [u128; 2], c: [u64; 2], keys: [u128; 3], due: u128) {
        let print = |keys: &Keys, n: usize| {
            dots([(a[n] ^ keys[0], b[n] ^ keys[1]), (keys[2], c[n].into())])
        };
        // One divided by a factor: its power of 2^128 - 2 in the field, in which 1 is x^128.
        let inverse = |factor: u128| {
            let (mut power, mut square) = (None, factor);
            for _ in 1..128 {
                square = dot(square, square);
                power = Some(power.map_or(square, |power| dot(power, square)));
            }
            power.unwrap_or_default()
        };
        for (which, factor) in [(0, b[0] ^ b[1]), (1, a[0] ^ a[1]), (2, (c[0] ^ c[1]).into())] {
            if factor == 0 {
                continue;
            }
            let difference = print(&keys, 0) ^ print(&keys, 1);
            let mut other = keys;
            other[which] ^= dot(difference ^ due, inverse(factor));
            prop_assert_eq!(print(&other, 0) ^ print(&other, 1), due, "key {}", which);
        }
    }
}
