//! What `/metrics` serves: one row per metric, in six tables, one for each kind of subject. The
//! rows about the door and about a table of flows are in `door` and `table`.
//!
//! A row's name lacks the prefix `flowtracker_` and the suffixes that the library appends, the unit
//! and `_total`. `docs/metrics.md` explains each metric to operators; a test compares it with these
//! tables.

use std::fmt;

use flowtracker_proto::v1::{DataplaneStats, LcoreStats, LogStats, Outcomes, PortStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::{Registry, Unit};

use super::classic;
use super::door::{DOOR, DoorFigures};
use super::format::Format;
use super::histogram;
use super::metric::{Metric, Value, encode};
use super::table::{TABLE, labels, of_lcore};
use crate::mirror::dataplane::DataplaneState;

const PREFIX: &str = "flowtracker";

/// All figures at one moment.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The counters of the control service's log.
    pub(crate) log: LogStats,
    /// What the door has counted.
    pub(crate) door: DoorFigures,
    /// The data planes, by name.
    pub(crate) dataplanes: Vec<Plane>,
}

/// One data plane that is or was attached.
#[derive(Debug)]
pub(crate) struct Plane {
    /// What the control service knows about it.
    pub(crate) state: DataplaneState,
    /// The counters that it gave last; the default when it never gave any.
    pub(crate) stats: DataplaneStats,
}

impl Figures {
    /// Returns the page in `format`.
    pub(crate) fn text(self, format: Format) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut openmetrics = String::new();
        text::encode(&mut openmetrics, &registry)?;
        Ok(match format {
            Format::OpenMetrics => openmetrics,
            Format::Classic => classic::from_openmetrics(&openmetrics),
        })
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let to = &mut encoder;
        encode(to, SERVICE, &[(vec![], &self.log)])?;
        encode(to, DOOR, &[(vec![], &self.door)])?;
        let dataplane = |plane: &Plane| ("dataplane", plane.state.name.as_ref().to_owned());
        let planes: Vec<_> = self.dataplanes.iter().map(|plane| (vec![dataplane(plane)], plane)).collect();
        encode(to, DATAPLANE, &planes)?;
        let lcores = self.dataplanes.iter().flat_map(|plane| {
            let of = move |lcore: &LcoreStats| vec![dataplane(plane), ("lcore", lcore.lcore.to_string())];
            plane.stats.lcores.iter().map(move |lcore| (of(lcore), lcore))
        });
        encode(to, LCORE, &lcores.collect::<Vec<_>>())?;
        let tables = self.dataplanes.iter().flat_map(|plane| {
            let of = move |(lcore, table): (u32, _)| (labels(dataplane(plane), lcore, table), table);
            plane.stats.lcores.iter().flat_map(of_lcore).map(of)
        });
        encode(to, TABLE, &tables.collect::<Vec<_>>())?;
        let ports = self.dataplanes.iter().flat_map(|plane| {
            let of = move |port: &PortStats| vec![dataplane(plane), ("port", port.port.clone())];
            plane.stats.ports.iter().map(move |port| (of(port), port))
        });
        encode(to, PORT, &ports.collect::<Vec<_>>())
    }
}

const SERVICE: &[Metric<LogStats>] = &[
    Metric {
        name: "build_info",
        help: "Version of the control service; always 1.",
        unit: None,
        value: Value::Info(|_| vec![("version", env!("CARGO_PKG_VERSION").to_owned())]),
    },
    Metric {
        name: "log_info",
        help: "Epoch of the event log, which each start of the control service begins anew; always 1.",
        unit: None,
        value: Value::Info(|log| vec![("epoch", log.epoch.to_string())]),
    },
    Metric {
        name: "log_events",
        help: "Events numbered in this epoch, which is the last sequence number.",
        unit: None,
        value: Value::Counter(|log| log.last_seq),
    },
    Metric {
        name: "log_oldest_seq",
        help: "Sequence number of the oldest event that is still retained; 0 when there is none.",
        unit: None,
        value: Value::Gauge(|log| log.oldest_seq),
    },
    Metric {
        name: "watchers",
        help: "Event streams that are open.",
        unit: None,
        value: Value::Gauge(|log| log.watchers),
    },
    Metric {
        name: "watcher_gaps",
        help: "GAP events sent: times that a watcher was too slow and started over from a snapshot.",
        unit: None,
        value: Value::Counter(|log| log.gaps),
    },
];

const DATAPLANE: &[Metric<Plane>] = &[
    Metric {
        name: "dataplane_info",
        help: "Version of the data plane; always 1.",
        unit: None,
        value: Value::Info(|plane| vec![("version", plane.state.version.clone())]),
    },
    Metric {
        name: "dataplane_attached",
        help: "1 while the link to the data plane is up.",
        unit: None,
        value: Value::Gauge(|plane| plane.state.attached.into()),
    },
    Metric {
        name: "dataplane_synced",
        help: "1 once all its tables have been reported on this link.",
        unit: None,
        value: Value::Gauge(|plane| plane.state.synced.into()),
    },
    Metric {
        name: "dataplane_mirrored_entries",
        help: "Entries that the control service holds for snapshots.",
        unit: None,
        value: Value::Gauge(|plane| plane.state.entries),
    },
    Metric {
        name: "dataplane_stats_live",
        help: "1 when it answered this scrape; 0 when its figures are the last known ones.",
        unit: None,
        value: Value::Gauge(|plane| plane.stats.live.into()),
    },
    Metric {
        name: "dataplane_stats_timestamp",
        help: "When its figures were taken, on its own clock, Unix time.",
        unit: Some(Unit::Seconds),
        value: Value::Time(|plane| {
            plane.stats.time.map(|time| time.seconds as f64 + f64::from(time.nanos) / 1e9)
        }),
    },
];

const LCORE: &[Metric<LcoreStats>] = &[
    Metric {
        name: "frames_received",
        help: "Frames received.",
        unit: None,
        value: Value::Counter(|lcore| lcore.rx),
    },
    Metric {
        name: "frames_forwarded",
        help: "Frames that the peer port took.",
        unit: None,
        value: Value::Counter(|lcore| lcore.tx),
    },
    Metric {
        name: "frames_dropped",
        help: "Frames freed: tx_dropped because the peer port did not take them, filtered on purpose.",
        unit: None,
        value: Value::Counters("reason", |lcore| {
            vec![("tx_dropped", lcore.tx_dropped), ("filtered", lcore.filtered)]
        }),
    },
    Metric {
        name: "frame_outcomes",
        help: "Frames by what tracking made of them: each received frame is in exactly one outcome.",
        unit: None,
        value: Value::Counters("outcome", outcomes),
    },
    Metric {
        name: "entries",
        help: "Entries in the tables.",
        unit: None,
        value: Value::Gauge(|lcore| lcore.entries),
    },
    Metric {
        name: "entries_capacity",
        help: "Entries that the tables may hold.",
        unit: None,
        value: Value::Gauge(|lcore| lcore.capacity),
    },
    Metric {
        name: "entries_created",
        help: "Entries that packets created: new flows.",
        unit: None,
        value: Value::Counter(|lcore| lcore.outcomes.unwrap_or_default().miss_created),
    },
    Metric {
        name: "entries_expired",
        help: "Entries deleted by the idle timer.",
        unit: None,
        value: Value::Counter(|lcore| lcore.expired),
    },
    Metric {
        name: "entries_deleted",
        help: "Entries deleted by the control plane.",
        unit: None,
        value: Value::Counter(|lcore| lcore.deleted),
    },
    Metric {
        name: "expiry_lateness",
        help: "Time from an entry's deadline to its deletion by the idle timer. \
               The sum is a lower bound: the true one is at most twice as much, but for what is over 16 s late.",
        unit: Some(Unit::Seconds),
        value: Value::Histogram(|lcore| histogram::lateness(&lcore.expiry_lateness_log2_ms)),
    },
    Metric {
        name: "expiries_deferred",
        help: "Deletions by the idle timer whose report had to wait for a full ring; their lateness is not counted.",
        unit: None,
        value: Value::Counter(|lcore| lcore.expired_deferred),
    },
    Metric {
        name: "events_sent",
        help: "Events handed to the exporter.",
        unit: None,
        value: Value::Counter(|lcore| lcore.events_sent),
    },
    Metric {
        name: "events_deferred",
        help: "Times that an event had to wait because the ring was full.",
        unit: None,
        value: Value::Counter(|lcore| lcore.events_deferred),
    },
    Metric {
        name: "events_unlinked",
        help: "Events dropped on purpose while the link was down; the resync reports the difference.",
        unit: None,
        value: Value::Counter(|lcore| lcore.events_unlinked),
    },
    Metric {
        name: "polls",
        help: "Iterations of the poll loop.",
        unit: None,
        value: Value::Counter(|lcore| lcore.polls),
    },
    Metric {
        name: "busy_polls",
        help: "Iterations of the poll loop that received at least one frame.",
        unit: None,
        value: Value::Counter(|lcore| lcore.busy_polls),
    },
    Metric {
        name: "loop_time",
        help: "Time from one iteration of the poll loop to the next. \
               The sum is a lower bound: the true one is at most an eighth and 8 ns a loop more, but for loops of over a second.",
        unit: Some(Unit::Seconds),
        value: Value::Histogram(|lcore| histogram::loop_time(&lcore.loop_time)),
    },
    Metric {
        name: "lcore_stalls",
        help: "Times that the lcore was found not to have polled for a second or longer.",
        unit: None,
        value: Value::Counter(|lcore| lcore.stalls),
    },
    Metric {
        name: "lcore_stalled",
        help: "1 while the lcore does not poll.",
        unit: None,
        value: Value::Gauge(|lcore| lcore.stalled.into()),
    },
];

const PORT: &[Metric<PortStats>] = &[
    Metric {
        name: "port_info",
        help: "The DPDK device behind the port; always 1.",
        unit: None,
        value: Value::Info(|port| vec![("device", port.device.clone())]),
    },
    Metric {
        name: "port_up",
        help: "1 while the port has a link.",
        unit: None,
        value: Value::Gauge(|port| port.link_up.into()),
    },
    Metric {
        name: "port_receive_packets",
        help: "Frames received, as the driver counts them.",
        unit: None,
        value: Value::Counter(|port| port.rx_packets),
    },
    Metric {
        name: "port_receive",
        help: "Bytes received, as the driver counts them.",
        unit: Some(Unit::Bytes),
        value: Value::Counter(|port| port.rx_bytes),
    },
    Metric {
        name: "port_receive_missed",
        help: "Frames lost before the appliance saw them.",
        unit: None,
        value: Value::Counter(|port| port.rx_missed),
    },
    Metric {
        name: "port_receive_errors",
        help: "Frames received with an error.",
        unit: None,
        value: Value::Counter(|port| port.rx_errors),
    },
    Metric {
        name: "port_receive_nombuf",
        help: "Receptions that found the mempool empty.",
        unit: None,
        value: Value::Counter(|port| port.rx_nombuf),
    },
    Metric {
        name: "port_transmit_packets",
        help: "Frames sent, as the driver counts them.",
        unit: None,
        value: Value::Counter(|port| port.tx_packets),
    },
    Metric {
        name: "port_transmit",
        help: "Bytes sent, as the driver counts them.",
        unit: Some(Unit::Bytes),
        value: Value::Counter(|port| port.tx_bytes),
    },
    Metric {
        name: "port_transmit_errors",
        help: "Frames that failed to be sent.",
        unit: None,
        value: Value::Counter(|port| port.tx_errors),
    },
];

/// Returns the counts of outcomes by their names in the API.
fn outcomes(lcore: &LcoreStats) -> Vec<(&'static str, u64)> {
    // Without `..`, so that an outcome added to the API has to be added here.
    let Outcomes {
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
    } = lcore.outcomes.unwrap_or_default();
    vec![
        ("hit", hit),
        ("miss_created", miss_created),
        ("miss_full", miss_full),
        ("miss_denied", miss_denied),
        ("truncated", truncated),
        ("not_tracked_ethertype", not_tracked_ethertype),
        ("malformed", malformed),
        ("extension_limit", extension_limit),
        ("fragment", fragment),
        ("not_tracked_protocol", not_tracked_protocol),
        ("detached", detached),
    ]
}
