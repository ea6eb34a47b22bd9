//! Flows over successive listings: the speed of each, and those that come first.
//!
//! A table may hold a million entries. Between two listings, only the state that the rates of a
//! flow need is kept; rows are made for the few flows that come first in some order.

use std::sync::Arc;
use std::time::Duration;

use flowtracker_proto::v1::Entry;
use hashbrown::HashMap;

use super::order::{First, Order, Row, Speed};
use crate::render::printable::one_line;
use flowtracker_proto::key::FlowKey;

/// One complete listing of the table.
#[derive(Debug)]
pub(super) struct Listing {
    firsts: Vec<Vec<Row>>,
    /// Flows that were listed.
    pub(super) flows: u64,
    /// Time at which it began.
    pub(super) since: Duration,
    /// Time at which it was complete.
    pub(super) until: Duration,
}

impl Listing {
    /// Returns the rows that come first in this order.
    pub(super) fn rows(&self, order: Order) -> &[Row] {
        &self.firsts[order.index()]
    }
}

/// The state that is kept of a flow.
struct Flow {
    packets: u64,
    bytes: u64,
    at: Duration,
    /// The round that saw it last.
    round: u64,
}

/// All flows of the last listing. Times are on any monotonic clock.
#[derive(Default)]
pub(super) struct Flows {
    by_dataplane: HashMap<Arc<str>, HashMap<FlowKey, Flow>>,
    round: u64,
    /// Time at which the last complete round began.
    listed: Option<Duration>,
}

impl Flows {
    /// Begins a listing of the whole table, for the first `limit` rows in every order.
    pub(super) fn look(&mut self, limit: usize, now: Duration) -> Round<'_> {
        self.round += 1;
        let limit = limit.max(1);
        let firsts = Order::all().map(|order| First::new(order, limit)).collect();
        Round { flows: self, firsts, listed: 0, since: now }
    }
}

/// A listing in progress. If it is given up, the flows stay as they were.
pub(super) struct Round<'a> {
    flows: &'a mut Flows,
    firsts: Vec<First>,
    listed: u64,
    since: Duration,
}

impl Round<'_> {
    /// Takes an entry that arrived at `now`.
    pub(super) fn take(&mut self, entry: &Entry, now: Duration) {
        // The service names every key in full.
        let Ok(key) = FlowKey::from_proto(None, entry.key.as_ref(), "key") else { return };
        let Flows { by_dataplane, round, listed } = &mut *self.flows;
        let dataplane = match by_dataplane.get_key_value(entry.dataplane.as_str()) {
            Some((name, _)) => name.clone(),
            None => Arc::from(&*one_line(&entry.dataplane)),
        };
        let known = by_dataplane.entry(dataplane.clone()).or_default();
        let flow = Flow { packets: entry.packets, bytes: entry.bytes, at: now, round: *round };
        let before = known.insert(key, flow);
        let row = Row {
            dataplane,
            key,
            packets: entry.packets,
            bytes: entry.bytes,
            speed: speed(entry, now, before.as_ref(), *listed),
            idle_ms: entry.idle_ms,
            age_ms: entry.created_ms_ago,
        };
        self.firsts.iter_mut().for_each(|first| first.offer(&row));
        self.listed += 1;
    }

    /// Ends the listing: flows that were not in it are removed.
    pub(super) fn finish(self, now: Duration) -> Listing {
        let round = self.flows.round;
        self.flows.by_dataplane.retain(|_, known| {
            known.retain(|_, flow| flow.round == round);
            !known.is_empty()
        });
        self.flows.listed = Some(self.since);
        Listing {
            firsts: self.firsts.into_iter().map(First::sorted).collect(),
            flows: self.listed,
            since: self.since,
            until: now,
        }
    }
}

/// Returns the speed of a flow since it was seen `before`, or since the last listing, which did not
/// have it.
fn speed(entry: &Entry, now: Duration, before: Option<&Flow>, listed: Option<Duration>) -> Option<Speed> {
    let age = Duration::from_millis(entry.created_ms_ago);
    // Another flow with this key may have been there before.
    let same = |flow: &&Flow| {
        flow.packets <= entry.packets && flow.bytes <= entry.bytes && now.saturating_sub(flow.at) <= age
    };
    let (since, packets, bytes) = match before.filter(same) {
        Some(flow) => (flow.at, flow.packets, flow.bytes),
        None => (listed.filter(|listed| age <= now.saturating_sub(*listed))?, 0, 0),
    };
    let seconds = now.saturating_sub(since).as_secs_f64();
    let per_second = |grown: u64| grown as f64 / seconds;
    (seconds > 0.0).then(|| Speed {
        packets: per_second(entry.packets - packets),
        bytes: per_second(entry.bytes - bytes),
    })
}

#[cfg(test)]
pub(super) mod tests;
