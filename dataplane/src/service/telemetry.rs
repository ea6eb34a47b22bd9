//! Answers on DPDK's telemetry socket (`dpdk-telemetry.py`): `/flowtracker/stats`, `/table`,
//! `/lcores`. The figures of a table are under the name of its P4TC pipeline.
//!
//! DPDK's telemetry threads make them from what the lcores publish; no lcore has to answer. Names
//! and units are those of GetStats.

use std::sync::Arc;

use conntrack::shard::Tracked;
use conntrack::{Counters, FlowKey, FlowKeyV6, FlowTable, HashKind, Outcome};
use dpdk::Eal;
use dpdk::telemetry::{Dict, TelemetryCommand};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;

use crate::lcore::family::families;
use crate::lcore::stats::{LcoreCounters, Published};
use crate::lcore::worker::Worker;
use crate::start::options::hash_text;

/// What the answers are made from.
pub struct Telemetry<'a> {
    shards: Vec<Shard>,
    tracked: Tracked,
    hash: HashKind,
    ports: &'a (dyn Fn() -> Vec<v1::PortStats> + Sync),
}

/// One lcore.
struct Shard {
    lcore: u32,
    /// The queues that it polls: `port0/0` is queue 0 of port0.
    lanes: Vec<String>,
    stats: Arc<Published>,
}

type Answer = Result<Dict, String>;

impl<'a> Telemetry<'a> {
    /// Answers about these workers, which track these families, and ports.
    #[must_use]
    pub fn new<T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>>(
        workers: &[Worker<'_, T, U>],
        tracked: Tracked,
        hash: HashKind,
        ports: &'a (dyn Fn() -> Vec<v1::PortStats> + Sync),
    ) -> Self {
        let shard = |worker: &Worker<'_, T, U>| Shard {
            lcore: worker.lcore.0,
            lanes: worker
                .lanes
                .iter()
                .map(|lane| format!("port{}/{}", lane.rx.port().0, lane.rx.queue().0))
                .collect(),
            stats: worker.published.clone(),
        };
        Telemetry { shards: workers.iter().map(shard).collect(), tracked, hash, ports }
    }

    /// Answers while `body` runs.
    ///
    /// # Errors
    /// When DPDK refuses a command.
    pub fn serve<T>(&self, eal: &Eal, body: impl FnOnce() -> T) -> Result<T, dpdk::Error> {
        let stats = |port: Option<&str>| self.stats(port);
        let table = |pipeline: Option<&str>| self.table(pipeline);
        let lcores = |lcore: Option<&str>| self.lcores(lcore);
        let commands = [
            TelemetryCommand {
                name: "/flowtracker/stats",
                help: "Returns frames by outcome, events and port counters. Parameters: int port_id (optional)",
                answer: &stats,
            },
            TelemetryCommand {
                name: "/flowtracker/table",
                help: "Returns size, load and expiry of the tables and their shards. \
                       Parameters: string pipeline (optional)",
                answer: &table,
            },
            TelemetryCommand {
                name: "/flowtracker/lcores",
                help: "Returns what each lcore polls and how busy it is. Parameters: int lcore_id (optional)",
                answer: &lcores,
            },
        ];
        eal.serve_telemetry(&commands, body)
    }

    /// Answers `/flowtracker/stats`, about all lcores and ports or about one port.
    fn stats(&self, port: Option<&str>) -> Answer {
        let ports = (self.ports)();
        if let Some(wanted) = port {
            let names = || ports.iter().map(|port| port.port.as_str());
            let place = names().position(|name| name == wanted || name.strip_prefix("port") == Some(wanted));
            return match place {
                Some(place) => Ok(port_dict(&ports[place])),
                None => Err(unknown("port", wanted, names())),
            };
        }
        let all = self.snapshots();
        let outcomes =
            Outcome::ALL.iter().map(|&outcome| (outcome.name(), sum(&all, |c| c.tracker.outcome(outcome))));
        let events = Dict::new()
            .with("sent", sum(&all, LcoreCounters::events_sent))
            .with("deferred", sum(&all, |c| c.tracker.events_deferred))
            .with("unlinked", sum(&all, |c| c.events_unlinked));
        Ok(Dict::new()
            .with("rx", sum(&all, |c| c.tracker.rx))
            .with("tx", sum(&all, |c| c.tx))
            .with("tx_dropped", sum(&all, |c| c.tx_dropped))
            .with("filtered", sum(&all, |c| c.filtered))
            .with("outcomes", outcomes.collect::<Dict>())
            .with("events", events)
            .with("ports", ports.iter().map(|port| (port.port.as_str(), port_dict(port))).collect::<Dict>()))
    }

    /// Answers `/flowtracker/table`, about all tables together or about one.
    fn table(&self, pipeline: Option<&str>) -> Answer {
        let all = self.snapshots();
        if let Some(wanted) = pipeline {
            let known = || families(self.tracked).map(|family| family.table().pipeline);
            return match families(self.tracked).find(|family| family.table().pipeline == wanted) {
                Some(family) => {
                    let size = |c: &LcoreCounters| (c.table(family).entries, c.table(family).capacity);
                    Ok(table_dict(family, &all).with("shards", self.shards(&all, size)))
                }
                None => Err(unknown("table", wanted, known())),
            };
        }
        let (entries, capacity) = (sum(&all, LcoreCounters::entries), sum(&all, LcoreCounters::capacity));
        let late = |bucket: usize| sum(&all, |c| c.tracker.lateness_log2_ms[bucket]);
        let tables = families(self.tracked).map(|family| (family.table().pipeline, table_dict(family, &all)));
        Ok(Dict::new()
            .with("capacity", capacity)
            .with("entries", entries)
            .with("load_percent", percent(entries, capacity))
            .with("hash", hash_text(self.hash))
            .with("shards", self.shards(&all, |c| (c.entries(), c.capacity())))
            .with("tables", tables.collect::<Dict>())
            .with("expired", sum(&all, |c| c.tracker.expired))
            .with("expired_deferred", sum(&all, |c| c.tracker.expired_deferred))
            .with("deleted", sum(&all, |c| c.tracker.deleted))
            .with("expiry_lateness_log2_ms", (0..Counters::LATENESS_BUCKETS).map(late).collect::<Vec<u64>>()))
    }

    /// Returns entries and capacity of each shard, by its lcore.
    fn shards(&self, all: &[LcoreCounters], size: impl Fn(&LcoreCounters) -> (u64, u64)) -> Dict {
        let shard = |(shard, c): (&Shard, &LcoreCounters)| {
            let (entries, capacity) = size(c);
            (shard.lcore.to_string(), Dict::new().with("entries", entries).with("capacity", capacity))
        };
        self.shards.iter().zip(all).map(shard).collect()
    }

    /// Answers `/flowtracker/lcores`, about all lcores that poll or about one.
    fn lcores(&self, lcore: Option<&str>) -> Answer {
        let Some(wanted) = lcore else {
            let all = self.shards.iter().map(|shard| (shard.lcore.to_string(), lcore_dict(shard)));
            return Ok(all.collect());
        };
        match self.shards.iter().find(|shard| shard.lcore.to_string() == wanted) {
            Some(shard) => Ok(lcore_dict(shard)),
            None => Err(unknown("polling lcore", wanted, self.shards.iter().map(|shard| shard.lcore))),
        }
    }

    fn snapshots(&self) -> Vec<LcoreCounters> {
        self.shards.iter().map(|shard| shard.stats.snapshot()).collect()
    }
}

fn sum(all: &[LcoreCounters], counter: impl Fn(&LcoreCounters) -> u64) -> u64 {
    all.iter().map(counter).sum()
}

/// Returns size, load and outcomes of the table of a family, over all shards.
fn table_dict(family: Family, all: &[LcoreCounters]) -> Dict {
    let (entries, capacity) = (sum(all, |c| c.table(family).entries), sum(all, |c| c.table(family).capacity));
    Dict::new()
        .with("capacity", capacity)
        .with("entries", entries)
        .with("load_percent", percent(entries, capacity))
        .with("hit", sum(all, |c| c.table(family).hit))
        .with("miss_created", sum(all, |c| c.table(family).miss_created))
        .with("miss_full", sum(all, |c| c.table(family).miss_full))
        .with("miss_denied", sum(all, |c| c.table(family).miss_denied))
}

/// Returns whole percent, rounded down, and 0 when `whole` is 0.
fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}

fn unknown(what: &str, wanted: &str, there: impl Iterator<Item = impl ToString>) -> String {
    let there: Vec<String> = there.map(|one| one.to_string()).collect();
    format!("no {what} `{wanted}`; there are {}", there.join(", "))
}

fn port_dict(port: &v1::PortStats) -> Dict {
    Dict::new()
        .with("device", port.device.as_str())
        .with("rx_packets", port.rx_packets)
        .with("tx_packets", port.tx_packets)
        .with("rx_bytes", port.rx_bytes)
        .with("tx_bytes", port.tx_bytes)
        .with("rx_missed", port.rx_missed)
        .with("rx_errors", port.rx_errors)
        .with("rx_nombuf", port.rx_nombuf)
        .with("tx_errors", port.tx_errors)
        .with("link", if port.link_up { "up" } else { "down" })
}

fn lcore_dict(shard: &Shard) -> Dict {
    let c = shard.stats.snapshot();
    let (stalls, stalled) = shard.stats.stalls();
    Dict::new()
        .with("rx", c.tracker.rx)
        .with("tx", c.tx)
        .with("polls", c.polls)
        .with("busy_polls", c.busy_polls)
        .with("busy_percent", percent(c.busy_polls, c.polls))
        .with("stalls", stalls)
        .with("stalled", u64::from(stalled))
        .with("entries", c.entries())
        .with("lanes", shard.lanes.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcore::stats::TableCounters;

    fn shard(lcore: u32, n: u64) -> Shard {
        let stats = Arc::new(Published::default());
        let mut counters = LcoreCounters {
            tx: n,
            tx_dropped: 2 * n,
            ipv4: table(n),
            ipv6: table(7 * n),
            ..Default::default()
        };
        counters.tracker.rx = 3 * n;
        counters.tracker.outcomes = std::array::from_fn(|i| n + i as u64);
        counters.tracker.events_sent = 5 * n;
        counters.events_unlinked = n;
        counters.tracker.lateness_log2_ms[3] = n;
        (counters.polls, counters.busy_polls) = (7 * n, 2 * n);
        stats.publish(counters);
        Shard { lcore, lanes: vec![format!("port0/{lcore}")], stats }
    }

    fn table(n: u64) -> TableCounters {
        TableCounters {
            hit: n + 1,
            miss_created: n + 2,
            miss_full: n + 3,
            miss_denied: n + 4,
            entries: n,
            capacity: 10 * n,
        }
    }

    fn ports() -> Vec<v1::PortStats> {
        let port = |name: &str, up| v1::PortStats {
            port: name.to_owned(),
            device: format!("net_{name}"),
            rx_packets: 9,
            link_up: up,
            ..Default::default()
        };
        vec![port("port0", true), port("port1", false)]
    }

    fn telemetry(shards: Vec<Shard>) -> Telemetry<'static> {
        Telemetry { shards, tracked: Tracked::Both, hash: HashKind::Crc, ports: &ports }
    }

    #[test]
    fn totals_are_over_all_lcores_and_ports_are_named() {
        let telemetry = telemetry(vec![shard(1, 10), shard(2, 100)]);
        let outcomes = Outcome::ALL.iter().zip(0u64..).map(|(outcome, i)| (outcome.name(), 110 + 2 * i));
        let expected = Dict::new()
            .with("rx", 330)
            .with("tx", 110)
            .with("tx_dropped", 220)
            .with("filtered", 0)
            .with("outcomes", outcomes.collect::<Dict>())
            .with("events", Dict::new().with("sent", 440).with("deferred", 0).with("unlinked", 110))
            .with(
                "ports",
                Dict::new().with("port0", port_dict(&ports()[0])).with("port1", port_dict(&ports()[1])),
            );
        assert_eq!(telemetry.stats(None), Ok(expected));
        assert_eq!(telemetry.stats(Some("1")), Ok(port_dict(&ports()[1])));
        assert_eq!(telemetry.stats(Some("port1")), telemetry.stats(Some("1")));
        assert_eq!(telemetry.stats(Some("2")), Err("no port `2`; there are port0, port1".to_owned()));
    }

    /// Two shards, whose tables of IPv6 are seven times as full.
    fn of_table(n: u64) -> Dict {
        Dict::new()
            .with("capacity", 1100 * n)
            .with("entries", 110 * n)
            .with("load_percent", 10)
            .with("hit", 110 * n + 2)
            .with("miss_created", 110 * n + 4)
            .with("miss_full", 110 * n + 6)
            .with("miss_denied", 110 * n + 8)
    }

    fn share(entries: u64) -> Dict {
        Dict::new().with("entries", entries).with("capacity", 10 * entries)
    }

    #[test]
    fn all_tables_are_the_sum_of_theirs_and_of_their_shards() {
        let mut telemetry = telemetry(vec![shard(1, 10), shard(2, 100)]);
        let mut lateness = vec![0; Counters::LATENESS_BUCKETS];
        lateness[3] = 110;
        let expected = |n: u64, tables: Dict| {
            Dict::new()
                .with("capacity", 1100 * n)
                .with("entries", 110 * n)
                .with("load_percent", 10)
                .with("hash", "crc")
                .with("shards", Dict::new().with("1", share(10 * n)).with("2", share(100 * n)))
                .with("tables", tables)
                .with("expired", 0)
                .with("expired_deferred", 0)
                .with("deleted", 0)
                .with("expiry_lateness_log2_ms", lateness.clone())
        };
        let tables = Dict::new().with("flowtracker", of_table(1)).with("flowtracker_ipv6", of_table(7));
        assert_eq!(telemetry.table(None), Ok(expected(8, tables)));
        // A table that is off has no entries, no capacity and no name.
        let only_ipv4 = LcoreCounters { ipv4: table(110), ..Default::default() };
        telemetry.tracked = Tracked::Ipv4;
        telemetry.shards = vec![shard(1, 110)];
        telemetry.shards[0].stats.publish(only_ipv4);
        let Ok(answer) = telemetry.table(None) else { panic!("an answer") };
        assert_eq!(format!("{answer:?}").matches("miss_full").count(), 1, "{answer:?}");
        assert!(format!("{answer:?}").contains("flowtracker"));
    }

    #[test]
    fn one_table_is_the_sum_of_its_shards() {
        let telemetry = telemetry(vec![shard(1, 10), shard(2, 100)]);
        for (pipeline, n) in [("flowtracker", 1), ("flowtracker_ipv6", 7)] {
            let shards = Dict::new().with("1", share(10 * n)).with("2", share(100 * n));
            assert_eq!(telemetry.table(Some(pipeline)), Ok(of_table(n).with("shards", shards)));
        }
        let unknown = "no table `ipv6`; there are flowtracker, flowtracker_ipv6".to_owned();
        assert_eq!(telemetry.table(Some("ipv6")), Err(unknown));
    }

    #[test]
    fn an_lcore_says_what_it_polls_and_how_busy_it_is() {
        let telemetry = telemetry(vec![shard(1, 10), shard(5, 100)]);
        telemetry.shards[1].stats.stall_began();
        let expected = Dict::new()
            .with("rx", 300)
            .with("tx", 100)
            .with("polls", 700)
            .with("busy_polls", 200)
            .with("busy_percent", 28)
            .with("stalls", 1)
            .with("stalled", 1)
            .with("entries", 800)
            .with("lanes", vec!["port0/5".to_owned()]);
        assert_eq!(telemetry.lcores(Some("5")), Ok(expected.clone()));
        let one = lcore_dict(&telemetry.shards[0]);
        assert_eq!(telemetry.lcores(None), Ok(Dict::new().with("1", one).with("5", expected)));
        assert_eq!(telemetry.lcores(Some("0")), Err("no polling lcore `0`; there are 1, 5".to_owned()));
    }
}
