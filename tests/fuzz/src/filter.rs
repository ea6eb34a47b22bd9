//! Filter expressions: reading, printing, compiling and evaluating.
//!
//! Input: the place where the expression is used, the facts of one entry, and the text. The facts
//! of further entries are made of these.

mod reference;

use control::api::filter::{Place, program, read};
use flowtracker_proto::filter::{Facts, Program};
use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::{Family, IPV4_FLOWS, IPV6_FLOWS};

use crate::input::Input;

/// Reads the text, and compares what it means with a reader that follows the page about filters
/// alone (`control/docs/filters.md`).
///
/// # Panics
/// When they differ, or an expression is not the same after printing or after the link.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let place = input.choose(&[Place::Watch, Place::List, Place::Flush]);
    let facts = facts(&mut input);
    let text = String::from_utf8_lossy(input.0);
    let meant = reference::evaluate(&text, place, &facts);
    match read(&text, place) {
        Ok(tree) => {
            let meant = meant.unwrap_or_else(|| panic!("{text:?} should be refused"));
            let compiled = program(&text, place).expect("what is read can be compiled");
            for (index, facts) in facts.iter().enumerate() {
                assert_eq!(compiled.matches(facts), meant >> index & 1 == 1, "{text:?} of {facts:?}");
            }
            assert_eq!(Program::from_proto(compiled.to_proto().as_ref()), Ok(compiled), "{text:?}");
            let printed = tree.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(read(&printed, place), Ok(tree), "{text:?} printed as {printed:?}");
        }
        Err(error) => {
            assert_eq!(meant, None, "{text:?} is refused: {error}");
            let columns = text.chars().count() + 1;
            assert!((1..=columns).contains(&error.column()), "{error} of {text:?}");
            assert_eq!(error.caret(&text).lines().count(), 2, "{error} of {text:?}");
            let status = program(&text, place).expect_err("what is not read is refused");
            // It has to fit into the trailers of an answer, which a client limits to 8 KiB.
            assert!(status.message().len() < 2048, "{}", status.message());
        }
    }
}

/// Makes the facts of several entries: one with all its values from the input, and some that differ
/// from it in a few.
fn facts(input: &mut Input<'_>) -> [Facts; 9] {
    let addr: fn(&mut Input<'_>) -> u128 = |input| input.number::<4>().into();
    let key = WideKey {
        input_port: 1 + input.number::<2>() as u32,
        src_addr: addr(input),
        dst_addr: addr(input),
        protocol: input.byte(),
        src_port: input.number::<2>() as u16,
        dst_port: input.number::<2>() as u16,
    };
    let first = Facts {
        family: Family::Ipv4,
        key,
        prio: input.number::<4>() as u32,
        idle_ms: input.number::<8>(),
        cmd: 1 + input.below(3) as u8,
    };
    let usual = WideKey::example(&IPV4_FLOWS);
    // The same numbers are other addresses in the other family.
    let wide = Facts { family: Family::Ipv6, ..first };
    [
        first,
        Facts { key: usual, ..first },
        Facts { prio: 64_000, idle_ms: 20_000, cmd: 1, ..first },
        Facts { key: usual, prio: 64_000, idle_ms: 0, cmd: 2, family: Family::Ipv4 },
        Facts { key: WideKey { protocol: 17, ..usual }, cmd: 3, ..first },
        Facts { key: WideKey { src_addr: usual.dst_addr, dst_addr: usual.src_addr, ..key }, ..first },
        Facts { key: WideKey { src_addr: key.src_addr << 96 | key.dst_addr, ..key }, ..wide },
        Facts { key: WideKey::example(&IPV6_FLOWS), ..wide },
        Facts { key: usual, ..wide },
    ]
}
