//! Makes the shards: for each worker its table, and both ends of its event ring and its mailbox.

use std::sync::Arc;

use conntrack::table::{Layout, TableConfig};
use conntrack::{LineTable, Tracker};
use dpdk::memory::in_large_pages;
use dpdk::{LcoreId, Port, PortId, QueueId};
use tracing::info;

use crate::export::{LcoreEnd, Shard, ring};
use crate::lcore::clock::Clock;
use crate::lcore::execute::Executor;
use crate::lcore::forward::Rules;
use crate::lcore::generation::LinkState;
use crate::lcore::mailbox::mailbox;
use crate::lcore::stats::Published;
use crate::lcore::worker::{Lane, Worker};
use crate::start::config::Config;
use crate::start::start_error::StartError;
use crate::start::topology::{self, Topology};

/// The shards, by the thread that uses each part.
pub(super) struct Shards<'p, L: Layout> {
    /// For the lcores.
    pub(super) workers: Vec<Worker<'p, LineTable<L>>>,
    /// For the exporter, in the same order.
    pub(super) ends: Vec<LcoreEnd>,
    /// For the command desk, in the same order.
    pub(super) desks: Vec<Shard>,
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
    let shares = topology::shares(options.capacity, plan.workers.len())?;
    let mut shards =
        Shards { workers: Vec::new(), ends: Vec::new(), desks: Vec::new(), link: Arc::default() };
    info!("instructions: {}", config.features());
    for (planned, &entries) in plan.workers.iter().zip(&shares) {
        let lcore = planned.lcore;
        let tracker = tracker(lcore, entries, config, clock)?;
        let (sink, events) = ring(shards.link.clone());
        let (desk, mailbox) = mailbox();
        let stats = Arc::new(Published::default());
        shards.workers.push(Worker {
            lcore: LcoreId(lcore),
            lanes: lanes(ports, &planned.lanes)?,
            shard: conntrack::Shard::new(config.parser(), tracker),
            sink,
            executor: Executor::new(mailbox),
            published: stats.clone(),
            rules: Rules { forward: options.forward, untracked: options.untracked },
            burst: usize::from(options.burst),
            clock,
        });
        shards.desks.push(Shard { lcore, tasks: desk.commands });
        shards.ends.push(LcoreEnd { lcore, ring: events, replies: desk.replies, stats });
    }
    Ok(shards)
}

/// Takes the memory of a shard, and logs how much it is.
fn tracker<L: Layout>(
    lcore: u32,
    entries: u32,
    config: &Config,
    clock: Clock,
) -> Result<Tracker<LineTable<L>>, StartError> {
    let before = in_large_pages();
    let hasher = config.hasher();
    let table = LineTable::laid_out(TableConfig { entries, hasher }).map_err(StartError::Table)?;
    let hot = table.hot_bytes();
    let tracker = Tracker::new(table, config.tracker, clock.now()).map_err(StartError::Table)?;
    info!(
        "lcore {lcore} has a shard of {entries} entries, {} KiB hot; {}",
        hot / 1024,
        pages(before, in_large_pages())
    );
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
