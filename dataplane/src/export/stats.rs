//! The counters of an lcore as the API shows them.

use conntrack::shard::Tracked;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;

use crate::lcore::family::families;
use crate::lcore::stats::{LcoreCounters, Published};

/// The counters of one lcore, and of each of its tables that is tracked.
pub(super) fn lcore_stats(lcore: u32, stats: &Published, tracked: Tracked) -> v1::LcoreStats {
    let c = stats.snapshot();
    let (stalls, stalled) = stats.stalls();
    let t = &c.tracker;
    let [
        hit,
        miss_created,
        miss_full,
        miss_denied,
        truncated,
        not_tracked_ethertype,
        malformed,
        extension_limit,
        fragment,
        not_tracked_protocol,
        detached,
    ] = t.outcomes;
    v1::LcoreStats {
        lcore,
        rx: t.rx,
        tx: c.tx,
        tx_dropped: c.tx_dropped,
        outcomes: Some(v1::Outcomes {
            hit,
            miss_created,
            miss_full,
            miss_denied,
            truncated,
            not_tracked_ethertype,
            malformed,
            extension_limit,
            fragment,
            not_tracked_protocol,
            detached,
        }),
        entries: c.entries(),
        capacity: c.capacity(),
        expired: t.expired,
        deleted: t.deleted,
        events_sent: c.events_sent(),
        events_deferred: t.events_deferred,
        events_unlinked: c.events_unlinked,
        expiry_lateness_log2_ms: t.lateness_log2_ms.to_vec(),
        polls: c.polls,
        busy_polls: c.busy_polls,
        expired_deferred: t.expired_deferred,
        filtered: c.filtered,
        stalls,
        stalled,
        loop_time: stats.loop_times.counts(),
        tables: families(tracked).map(|family| table_stats(family, &c)).collect(),
    }
}

/// The counters of one table of an lcore.
fn table_stats(family: Family, counters: &LcoreCounters) -> v1::TableStats {
    let table = counters.table(family);
    v1::TableStats {
        pipeline: family.table().pipeline.to_owned(),
        hit: table.hit,
        miss_created: table.miss_created,
        miss_full: table.miss_full,
        miss_denied: table.miss_denied,
        entries: table.entries,
        capacity: table.capacity,
    }
}
