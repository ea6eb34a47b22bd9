//! IPv6 addresses are printed as the C library's `inet_ntop` prints them, and are read back.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::net::Ipv6Addr;

use conntrack::test_support::Random;
use flowtracker_proto::key::ipv6_text;

/// The size of the longest text, with its terminating zero (RFC 3493 section 6.6).
const INET6_ADDRSTRLEN: usize = 46;
/// The number of the address family on Linux.
const AF_INET6: c_int = 10;

unsafe extern "C" {
    fn inet_ntop(family: c_int, address: *const c_void, text: *mut c_char, size: u32) -> *const c_char;
}

/// Returns an address as the C library prints it.
fn text_of_c(addr: Ipv6Addr) -> String {
    let (octets, mut text) = (addr.octets(), [0; INET6_ADDRSTRLEN]);
    // SAFETY: the address has the 16 octets of its family, and the text has the size that is given.
    let end = unsafe { inet_ntop(AF_INET6, octets.as_ptr().cast(), text.as_mut_ptr(), text.len() as u32) };
    assert!(!end.is_null(), "there is room for every address");
    // SAFETY: `inet_ntop` has written a text that ends with a zero.
    unsafe { CStr::from_ptr(text.as_ptr()) }.to_str().expect("ASCII").to_owned()
}

#[track_caller]
fn agree(addr: Ipv6Addr) {
    assert_eq!(ipv6_text(addr), text_of_c(addr), "{:04x?}", addr.segments());
    assert_eq!(ipv6_text(addr).parse(), Ok(addr));
}

#[test]
fn addresses_of_every_pattern_of_zeros() {
    let mut random = Random(1);
    for zeros in 0..1u32 << 8 {
        for values in [[1; 8], [0xffff; 8], std::array::from_fn(|_| random.bits() as u16 | 1)] {
            let segment = |i: usize| if zeros >> i & 1 == 1 { 0 } else { values[i] };
            agree(Ipv6Addr::from(std::array::from_fn::<u16, 8, _>(segment)));
        }
    }
}

#[test]
fn random_and_special_addresses() {
    let mut random = Random(2);
    for _ in 0..20_000 {
        let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
        // All of it, and only its end, as IPv4-compatible and IPv4-mapped addresses have it.
        for bits in [bits, bits >> 64, bits >> 96, bits >> 96 | 0xffff << 32, bits >> 112] {
            agree(Ipv6Addr::from_bits(bits));
        }
    }
    assert_eq!(ipv6_text(Ipv6Addr::from_bits(0x0102_0304)), "::1.2.3.4");
    assert_eq!(ipv6_text(Ipv6Addr::LOCALHOST), "::1");
}
