//! Compares the tracker with a naive model, over random operations.

mod laws;

use conntrack::arch::Features;
use conntrack::table::{Counted, Layout, TableConfig, Uncounted};
use conntrack::{FlowKey, FlowKeyV6, HashKind, LineTable};
use laws::keys::TestKey;
use laws::model::ops::{moments, ops, setup};
use laws::model::{check, check_punctual};
use proptest::prelude::*;

fn table<L: Layout, K: TestKey>(entries: u32, kind: HashKind) -> LineTable<L, K> {
    let hasher = K::hasher(kind, [42; 80], Features::detect());
    LineTable::laid_out(TableConfig { entries, hasher }).expect("a valid size")
}

fn kind() -> impl Strategy<Value = HashKind> {
    prop_oneof![Just(HashKind::Keyed), Just(HashKind::Crc), Just(HashKind::Jhash)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lives_like_the_model(
        setup in setup(),
        capacity in 1..48u32,
        kind in kind(),
        ops in ops(120),
    ) {
        // The data plane makes the same choice.
        if setup.accounting {
            check(table::<Counted, FlowKey>(capacity, kind), &setup, &ops);
            check(table::<Counted, FlowKeyV6>(capacity, kind), &setup, &ops);
        } else {
            check(table::<Uncounted, FlowKey>(capacity, kind), &setup, &ops);
            check(table::<Uncounted, FlowKeyV6>(capacity, kind), &setup, &ops);
        }
    }

    #[test]
    fn deletes_within_one_aging_bucket(
        setup in setup(),
        capacity in 1..48u32,
        time in moments(400),
    ) {
        check_punctual(table::<Counted, FlowKey>(capacity, HashKind::Keyed), &setup, &time);
        check_punctual(table::<Counted, FlowKeyV6>(capacity, HashKind::Keyed), &setup, &time);
    }
}
