//! Makes the shards: for each worker its tables, and both ends of its event ring and its mailboxes.

use std::sync::Arc;

use conntrack::table::{Layout, TableConfig};
use conntrack::{DualShard, FlowKey, FlowKeyV6, LineTable, Tracker};
use dpdk::memory::in_large_pages;
use dpdk::{LcoreId, Port, PortId, QueueId};
use flowtracker_proto::table::Family;
use tracing::info;

use crate::export::{LcoreEnd, Shard, ring};
use crate::lcore::clock::Clock;
use crate::lcore::executors::Executors;
use crate::lcore::family::{TableKey, tracks};
use crate::lcore::forward::Rules;
use crate::lcore::generation::LinkState;
use crate::lcore::mailbox::mailbox;
use crate::lcore::saving::{SaveHandle, saving};
use crate::lcore::stats::Published;
use crate::lcore::worker::{Lane, Worker};
use crate::start::config::Config;
use crate::start::options::{Switch, capacity_flag};
use crate::start::start_error::StartError;
use crate::start::topology::{self, Topology};

/// A worker whose tables are laid out as `L` says.
pub(super) type TableWorker<'p, L> = Worker<'p, LineTable<L, FlowKey>, LineTable<L, FlowKeyV6>>;

/// The shards, by the thread that uses each part.
pub(super) struct Shards<'p, L: Layout> {
    /// For the lcores.
    pub(super) workers: Vec<TableWorker<'p, L>>,
    /// For the exporter, in the same order.
    pub(super) ends: Vec<LcoreEnd>,
    /// For the command desk of IPv4, in the same order.
    pub(super) desks_ipv4: Vec<Shard<FlowKey>>,
    /// For the command desk of IPv6, in the same order.
    pub(super) desks_ipv6: Vec<Shard<FlowKeyV6>>,
    /// For the checkpoint, in the same order; none when there is no checkpoint.
    pub(super) saves: (Vec<SaveHandle<FlowKey>>, Vec<SaveHandle<FlowKeyV6>>),
    /// Which link stands: set by the exporter, read by the lcores.
    pub(super) link: Arc<LinkState>,
}

/// Makes one shard per worker, with memory laid out as `L` says.
pub(super) fn shards<'p, L: Layout>(
    ports: &'p [Port<'_>],
    plan: &Topology,
    config: &Config,
    clock: Clock,
) -> Result<Shards<'p, L>, StartError> {
    let options = &config.options;
    let (ipv4, ipv6) =
        (config.shares(Family::Ipv4, plan.workers.len())?, config.shares(Family::Ipv6, plan.workers.len())?);
    let mut shards = Shards {
        workers: Vec::new(),
        ends: Vec::new(),
        desks_ipv4: Vec::new(),
        desks_ipv6: Vec::new(),
        saves: Default::default(),
        link: Arc::default(),
    };
    info!("instructions: {}", config.features());
    for (planned, (&ipv4, &ipv6)) in plan.workers.iter().zip(ipv4.iter().zip(&ipv6)) {
        let lcore = planned.lcore;
        let ipv4 = tracker::<L, FlowKey>(
            lcore,
            config,
            clock,
            TableConfig { entries: ipv4, hasher: config.hasher() },
        )?;
        let ipv6 = tracker::<L, FlowKeyV6>(
            lcore,
            config,
            clock,
            TableConfig { entries: ipv6, hasher: config.hasher_ipv6() },
        )?;
        let (sink, events) = ring(shards.link.clone());
        let (desk_ipv4, mailbox_ipv4) = mailbox();
        let (desk_ipv6, mailbox_ipv6) = mailbox();
        let mut executors = Executors::new(mailbox_ipv4, mailbox_ipv6);
        if options.checkpoint.is_some() {
            let ((save_ipv4, end_ipv4), (save_ipv6, end_ipv6)) = (saving(), saving());
            executors = executors.with_saving(end_ipv4, end_ipv6);
            shards.saves.0.push(save_ipv4);
            shards.saves.1.push(save_ipv6);
        }
        let stats = Arc::new(Published::default());
        shards.workers.push(Worker {
            lcore: LcoreId(lcore),
            lanes: lanes(ports, &planned.lanes)?,
            shard: DualShard::of(options.families, config.parser(), ipv4, ipv6),
            sink,
            executors,
            published: stats.clone(),
            rules: Rules { forward: options.forward, untracked: options.untracked },
            burst: usize::from(options.burst),
            clock,
        });
        shards.desks_ipv4.push(Shard { lcore, mailbox: desk_ipv4 });
        shards.desks_ipv6.push(Shard { lcore, mailbox: desk_ipv6 });
        shards.ends.push(LcoreEnd { lcore, ring: events, stats });
    }
    Ok(shards)
}

/// Takes the memory of a table of a shard, and logs how much it is.
fn tracker<L: Layout, K: TableKey>(
    lcore: u32,
    config: &Config,
    clock: Clock,
    table: TableConfig<K>,
) -> Result<Tracker<LineTable<L, K>>, StartError> {
    let refused = |error| StartError::Table(capacity_flag(K::FAMILY), error);
    let (before, entries) = (in_large_pages(), table.entries);
    let mut table = LineTable::laid_out(table).map_err(refused)?;
    if config.options.verify_keys == Switch::On {
        table = table.verifying_keys();
    }
    let hot = table.hot_bytes();
    let tracker = Tracker::new(table, config.tracker(K::FAMILY), clock.now()).map_err(refused)?;
    if tracks(config.options.families, K::FAMILY) {
        info!(
            "lcore {lcore} has a shard of {entries} entries of {}, {} KiB hot; {}",
            K::FAMILY.table().pipeline,
            hot / 1024,
            pages(before, in_large_pages())
        );
    }
    Ok(tracker)
}

/// Opens the queues of a worker.
fn lanes<'p>(ports: &'p [Port<'_>], planned: &[topology::Lane]) -> Result<Vec<Lane<'p>>, StartError> {
    let port =
        |id: u16| ports.iter().find(|port| port.id() == PortId(id)).expect("the plan names open ports");
    planned
        .iter()
        .map(|lane| {
            let queue = QueueId(lane.queue);
            Ok(Lane {
                input_port: lane.input_port(),
                rx: port(lane.port).rx_queue(queue)?,
                tx: port(lane.peer).tx_queue(queue)?,
            })
        })
        .collect()
}

/// Says in what pages a shard lies, from what the process had in large ones before and after its
/// memory was taken.
fn pages(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if after > before => {
            format!("{} MiB of it and its counters in pages of 2 MiB", (after - before) >> 20)
        }
        (Some(_), Some(_)) => {
            "in small pages (is /sys/kernel/mm/transparent_hugepage/enabled `never`?)".to_owned()
        }
        _ => "the kernel does not tell in what pages".to_owned(),
    }
}
