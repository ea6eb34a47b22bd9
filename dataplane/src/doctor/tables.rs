//! Checks that there is enough memory for the tables. They take it at the start, in addition to
//! DPDK's, and never grow.

use conntrack::shard::Tracked;
use conntrack::table::{Counted, Layout, TableConfig, Uncounted};
use conntrack::{FlowKey, FlowKeyV6, Key, LineTable, Now, Tracker};
use flowtracker_proto::table::Family;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list};
use crate::doctor::hugepages;
use crate::lcore::family::families;

const TOPIC: &str = "tables";
const MEGABYTE: u64 = 1 << 20;

pub(super) fn check(case: &Case) -> Vec<Check> {
    let tracked = case.config.options.families;
    let sizes: Vec<(Family, u64)> =
        families(tracked).map(|family| (family, bytes_of(case, family))).collect();
    let each: Vec<String> = sizes
        .iter()
        .map(|(family, bytes)| {
            let entries = case.config.capacity(*family);
            format!("{entries} entries of IPv{} ({} MB)", family.number(), bytes.div_ceil(MEGABYTE))
        })
        .collect();
    let found = format!("memory for {}", list(&each));
    let need = sizes.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    // With `--no-huge` DPDK takes ordinary memory too.
    let ordinary = if case.eal.no_huge { case.eal.megabytes.unwrap_or(0) * MEGABYTE } else { 0 };
    let free = case.root.field("/proc/meminfo", "MemAvailable");
    match free.and_then(|text| hugepages::kilobytes(&text)) {
        Some(free) if free < need.saturating_add(ordinary) => {
            let free = free.saturating_sub(ordinary) / MEGABYTE;
            let fewer = "a lower --capacity or --capacity-ipv6";
            let remedy = match tracked {
                Tracked::Both => format!("{fewer}, or --families with one of them"),
                Tracked::Ipv4 | Tracked::Ipv6 => fewer.to_owned(),
            };
            vec![Check::warn(TOPIC, format!("{found} is more than the {free} MB that are free"), remedy)]
        }
        _ => vec![Check::ok(TOPIC, found)],
    }
}

/// Returns the bytes of a family's tables in all shards together.
fn bytes_of(case: &Case, family: Family) -> u64 {
    let (entries, counted) = (case.config.capacity(family), case.config.tracker.accounting);
    match (family, counted) {
        (Family::Ipv4, true) => bytes::<Counted, FlowKey>(case, &case.config.hasher(), entries),
        (Family::Ipv4, false) => bytes::<Uncounted, FlowKey>(case, &case.config.hasher(), entries),
        (Family::Ipv6, true) => bytes::<Counted, FlowKeyV6>(case, &case.config.hasher_ipv6(), entries),
        (Family::Ipv6, false) => bytes::<Uncounted, FlowKeyV6>(case, &case.config.hasher_ipv6(), entries),
    }
}

/// Computes the bytes of a table of this size by extrapolation from two small tables.
fn bytes<L: Layout, K: Key<Hasher: Clone>>(case: &Case, hasher: &K::Hasher, entries: u32) -> u64 {
    /// Entries of the small tables.
    const SMALL: (u32, u32) = (9_000, 18_000);
    let of = |entries: u32| {
        let table = TableConfig { entries, hasher: hasher.clone() };
        let table = LineTable::<L, K>::laid_out(table).ok()?;
        Some(Tracker::new(table, case.config.tracker, Now::from_ms(0)).ok()?.bytes() as u64)
    };
    // The small tables take a few megabytes. Where these are not free, nothing starts.
    let (Some(small), Some(large)) = (of(SMALL.0), of(SMALL.1)) else { return u64::MAX };
    let each = large.saturating_sub(small) as f64 / f64::from(SMALL.1 - SMALL.0);
    (small as f64 + (f64::from(entries) - f64::from(SMALL.0)) * each).max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, only};
    use super::super::{Check, Verdict};

    const PORTS: &str = "-l 0 --no-pci --no-shconf --no-huge -m 64 --vdev net_null0 --vdev net_null1 --";

    fn tables(fixture: &Fixture, options: &str) -> Check {
        only(&fixture.examine(&format!("{PORTS} {options}")), "tables")
    }

    /// As the page on the table has it: 95.2 and 162.6 bytes an entry, 59.6 and 127.0 without
    /// accounting.
    #[test]
    fn each_table_takes_what_the_documentation_says() {
        let fixture = Fixture::healthy();
        for (options, found) in [
            ("", "memory for 1048576 entries of IPv4 (96 MB) and 1048576 entries of IPv6 (163 MB)"),
            (
                "--accounting off",
                "memory for 1048576 entries of IPv4 (60 MB) and 1048576 entries of IPv6 (127 MB)",
            ),
            ("--families ipv4", "memory for 1048576 entries of IPv4 (96 MB)"),
            ("--families ipv6 --capacity-ipv6 16777216", "memory for 16777216 entries of IPv6 (2594 MB)"),
        ] {
            let check = tables(&fixture, options);
            assert_eq!((check.verdict, &*check.found), (Verdict::Ok, found), "{options}");
        }
    }

    #[test]
    fn more_than_is_free_is_a_warning() {
        let fixture = Fixture::healthy();
        fixture.file("/proc/meminfo", "MemAvailable:   300000 kB\nHugepagesize:       2048 kB\n");
        // 64 MB of it go to DPDK.
        let check = tables(&fixture, "");
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(check.found.ends_with("is more than the 228 MB that are free"), "{check:?}");
        assert!(check.remedy.contains("--families"), "{check:?}");
        assert_eq!(tables(&fixture, "--families ipv4").verdict, Verdict::Ok);
        let check = tables(&fixture, "--families ipv6 --capacity-ipv6 4000000");
        assert!(check.verdict == Verdict::Warn && !check.remedy.contains("--families"), "{check:?}");
    }
}
