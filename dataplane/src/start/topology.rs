//! Which lcore polls which queue of which port; refuses what cannot work.

use std::collections::BTreeMap;
use std::fmt;

/// What is known of a port before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFacts {
    /// DPDK port id.
    pub id: u16,
    /// Name of the device.
    pub device: String,
    /// Receive queues that the device has.
    pub max_rx: u16,
    /// Transmit queues that the device has.
    pub max_tx: u16,
    /// How frames come to be in one receive queue and not in another.
    pub dealing: Dealing,
    /// NUMA node, when known.
    pub node: Option<u32>,
}

/// How a device deals frames over its receive queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dealing {
    /// By the hash of addresses and ports (RSS), over as many queues as are
    /// opened: all frames of a flow and direction come to one queue.
    ByFlow,
    /// As its peer likes, over as many queues as are opened.
    ByPeer,
    /// As whoever made it likes, over all queues that it has: one that nobody
    /// polls keeps its frames.
    Fixed,
}

impl Dealing {
    /// What is known of DPDK's drivers.
    ///
    /// net_tap offers RSS, but its kernel side moves a flow to the queue that
    /// last sent in the other direction; net_null makes frames up. net_af_packet
    /// (its fanout rolls over when a ring is full), net_af_xdp, net_pcap and
    /// net_ring have the queues that their device arguments gave them.
    #[must_use]
    pub fn of(driver: &str, rss: bool) -> Self {
        match driver {
            "net_af_packet" | "net_af_xdp" | "net_pcap" | "net_ring" => Dealing::Fixed,
            "net_tap" | "net_null" => Dealing::ByPeer,
            _ if rss => Dealing::ByFlow,
            _ => Dealing::ByPeer,
        }
    }
}

/// An lcore that may poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcoreFacts {
    /// DPDK lcore id.
    pub id: u32,
    /// NUMA node, when known.
    pub node: Option<u32>,
}

/// One queue to poll, and where its frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// DPDK id of the port that is polled.
    pub port: u16,
    /// Receive queue of that port; also the transmit queue of the peer, so
    /// that no two lcores share one.
    pub queue: u16,
    /// DPDK id of the port that the frames leave by.
    pub peer: u16,
}

/// One worker and its lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// DPDK lcore id.
    pub lcore: u32,
    /// What it polls, in turn.
    pub lanes: Vec<Lane>,
}

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Queues per port, receive and transmit alike.
    pub queues: u16,
    /// The workers that have something to poll.
    pub workers: Vec<Worker>,
    /// Worker lcores that have nothing to poll.
    pub idle: Vec<u32>,
    /// (lcore, port) that are on different NUMA nodes.
    pub remote: Vec<(u32, u16)>,
}

impl Topology {
    /// For each port, by DPDK id, the worker that polls all of its queues, by its index; `None` where several do.
    #[must_use]
    pub fn owners(&self) -> BTreeMap<u16, Option<usize>> {
        let mut owners = BTreeMap::new();
        for (index, worker) in self.workers.iter().enumerate() {
            for lane in &worker.lanes {
                let owner = owners.entry(lane.port).or_insert(Some(index));
                *owner = owner.filter(|other| *other == index);
            }
        }
        owners
    }
}

/// Why no plan is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopologyError {
    /// Fewer than two ports.
    TooFewPorts(usize),
    /// An odd number of ports: the last one has no peer.
    OddPorts(usize),
    /// More ports than `input_port` can name.
    TooManyPorts(usize),
    /// A device has no receive or no transmit queue.
    NoQueue(u16),
    /// `--rxq` asks for more than a device has.
    TooManyQueues {
        /// The port.
        port: u16,
        /// What was asked for.
        asked: u16,
        /// What it has, of receive and transmit queues the fewer.
        has: u16,
    },
    /// `--rxq` would leave queues unpolled that have frames.
    UnpolledQueues {
        /// The device.
        device: String,
        /// What was asked for.
        asked: u16,
        /// What it has.
        has: u16,
    },
    /// Each port needs as many queues as every other, because a frame leaves
    /// by the queue of the number that it came by.
    UnequalQueues {
        /// A device, all of whose queues must be polled.
        device: String,
        /// Its queues.
        has: u16,
        /// Another.
        other: String,
        /// The queues that this one has.
        other_has: u16,
    },
    /// More shards than entries.
    CapacityTooSmall {
        /// Entries.
        capacity: u32,
        /// Shards.
        shards: usize,
    },
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopologyError::TooFewPorts(n) => write!(
                f,
                "{n} DPDK port{}: two are needed (EAL arguments --vdev or -a)",
                if *n == 1 { "" } else { "s" }
            ),
            TopologyError::OddPorts(n) => {
                write!(f, "{n} DPDK ports: port{} has no peer, ports work in pairs", n - 1)
            }
            TopologyError::TooManyPorts(n) => write!(f, "{n} DPDK ports: 254 are possible"),
            TopologyError::NoQueue(port) => write!(f, "port{port} has no receive or no transmit queue"),
            TopologyError::TooManyQueues { port, asked, has } => {
                write!(f, "--rxq: {asked} queues asked for, port{port} has {has}")
            }
            TopologyError::UnpolledQueues { device, asked, has } => write!(
                f,
                "--rxq: {asked} asked for, but {device} was made with {has} queues, and frames in a queue that \
                 nobody polls are lost: leave --rxq out, or make the device with fewer"
            ),
            TopologyError::UnequalQueues { device, has, other, other_has } => write!(
                f,
                "{device} was made with {has} queue(s) and {other} has {other_has}: ports need as many queues as \
                 each other, because a frame leaves by the queue of the number that it came by"
            ),
            TopologyError::CapacityTooSmall { capacity, shards } => {
                write!(f, "--capacity: {capacity} entries cannot be split over {shards} shards")
            }
        }
    }
}

impl std::error::Error for TopologyError {}

/// Makes the plan: the main lcore polls only when it is the only one; queues
/// are dealt round-robin, in a tie to the lcore of the port's NUMA node.
///
/// Queues per port = min(workers, what the devices have, `rxq`) if every device
/// deals by flow. A device that does not has one queue unless `rxq` says more,
/// or all that it was made with; its queues stay together on one lcore, so that
/// each flow is in one shard whichever queue a frame comes by.
///
/// # Errors
/// When no plan is possible.
pub fn plan(
    ports: &[PortFacts],
    main: u32,
    lcores: &[LcoreFacts],
    rxq: Option<u16>,
) -> Result<Topology, TopologyError> {
    match ports.len() {
        n @ 0..2 => return Err(TopologyError::TooFewPorts(n)),
        n if !n.is_multiple_of(2) => return Err(TopologyError::OddPorts(n)),
        n if n > 254 => return Err(TopologyError::TooManyPorts(n)),
        _ => {}
    }
    let (workers, main): (Vec<_>, Vec<_>) = lcores.iter().copied().partition(|lcore| lcore.id != main);
    let pollers = if workers.is_empty() { main } else { workers };
    let queues = queues(ports, pollers.len(), rxq)?;

    let mut dealt: Vec<(LcoreFacts, Vec<Lane>)> =
        pollers.into_iter().map(|lcore| (lcore, Vec::new())).collect();
    let mut remote = Vec::new();
    for queue in 0..queues {
        for (index, port) in ports.iter().enumerate() {
            let together = port.dealing != Dealing::ByFlow;
            if together && queue > 0 {
                continue;
            }
            let is_remote = |lcore: &LcoreFacts| port.node.zip(lcore.node).is_some_and(|(p, l)| p != l);
            let (lcore, lanes) = dealt
                .iter_mut()
                .min_by_key(|(lcore, lanes)| (lanes.len(), is_remote(lcore)))
                .expect("EAL has at least one lcore");
            if is_remote(lcore) && !remote.contains(&(lcore.id, port.id)) {
                remote.push((lcore.id, port.id));
            }
            let its_queues = if together { 0..queues } else { queue..queue + 1 };
            lanes.extend(its_queues.map(|queue| Lane { port: port.id, queue, peer: ports[index ^ 1].id }));
        }
    }
    let (busy, idle): (Vec<_>, Vec<_>) = dealt.into_iter().partition(|(_, lanes)| !lanes.is_empty());
    Ok(Topology {
        queues,
        workers: busy.into_iter().map(|(lcore, lanes)| Worker { lcore: lcore.id, lanes }).collect(),
        idle: idle.into_iter().map(|(lcore, _)| lcore.id).collect(),
        remote,
    })
}

/// Queues per port.
fn queues(ports: &[PortFacts], pollers: usize, rxq: Option<u16>) -> Result<u16, TopologyError> {
    let has = |port: &PortFacts| port.max_rx.min(port.max_tx);
    if let Some(port) = ports.iter().find(|port| has(port) == 0) {
        return Err(TopologyError::NoQueue(port.id));
    }
    if let Some(asked) = rxq
        && let Some(port) = ports.iter().find(|port| has(port) < asked)
    {
        return Err(TopologyError::TooManyQueues { port: port.id, asked, has: has(port) });
    }
    if let Some(fixed) = ports.iter().find(|port| port.dealing == Dealing::Fixed) {
        let made_with = fixed.max_rx;
        let fits = |port: &PortFacts| match port.dealing {
            Dealing::Fixed => port.max_rx == made_with && has(port) == made_with,
            Dealing::ByFlow | Dealing::ByPeer => has(port) >= made_with,
        };
        if let Some(other) = ports.iter().find(|port| !fits(port)) {
            return Err(TopologyError::UnequalQueues {
                device: fixed.device.clone(),
                has: made_with,
                other: other.device.clone(),
                other_has: has(other),
            });
        }
        return match rxq {
            Some(asked) if asked < made_with => {
                Err(TopologyError::UnpolledQueues { device: fixed.device.clone(), asked, has: made_with })
            }
            _ => Ok(made_with),
        };
    }
    Ok(match rxq {
        Some(asked) => asked,
        None if ports.iter().all(|port| port.dealing == Dealing::ByFlow) => {
            let most = ports.iter().map(has).min().unwrap_or(1);
            most.min(u16::try_from(pollers).unwrap_or(u16::MAX))
        }
        None => 1,
    })
}

/// Each shard's share of the capacity: even, the first ones taking the rest.
///
/// # Errors
/// When a shard would get nothing.
pub fn shares(capacity: u32, shards: usize) -> Result<Vec<u32>, TopologyError> {
    let n = u32::try_from(shards).unwrap_or(u32::MAX);
    if n == 0 || capacity < n {
        return Err(TopologyError::CapacityTooSmall { capacity, shards });
    }
    Ok((0..n).map(|shard| capacity / n + u32::from(shard < capacity % n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(count: u16, queues: u16, dealing: Dealing) -> Vec<PortFacts> {
        let port = |id| PortFacts {
            id,
            device: format!("dev{id}"),
            max_rx: queues,
            max_tx: queues,
            dealing,
            node: None,
        };
        (0..count).map(port).collect()
    }

    fn lcores(ids: std::ops::Range<u32>) -> Vec<LcoreFacts> {
        ids.map(|id| LcoreFacts { id, node: None }).collect()
    }

    fn lane(port: u16, queue: u16) -> Lane {
        Lane { port, queue, peer: port ^ 1 }
    }

    #[test]
    fn the_only_lcore_polls_everything() {
        let plan = plan(&ports(2, 8, Dealing::ByFlow), 3, &lcores(3..4), None).unwrap();
        assert_eq!(plan.queues, 1);
        assert_eq!(plan.workers, [Worker { lcore: 3, lanes: vec![lane(0, 0), lane(1, 0)] }]);
    }

    #[test]
    fn two_lcores_and_two_one_queue_ports_work() {
        let plan = plan(&ports(2, 1, Dealing::Fixed), 0, &lcores(0..2), None).unwrap();
        assert_eq!(plan.workers, [Worker { lcore: 1, lanes: vec![lane(0, 0), lane(1, 0)] }]);
        assert!(plan.idle.is_empty());
    }

    #[test]
    fn every_queue_is_polled_exactly_once() {
        for dealing in [Dealing::ByFlow, Dealing::ByPeer, Dealing::Fixed] {
            for (n_ports, queues, n_lcores, rxq) in
                [(2, 1, 1, None), (2, 4, 4, None), (4, 2, 6, Some(2)), (6, 16, 4, Some(16))]
            {
                let plan = plan(&ports(n_ports, queues, dealing), 0, &lcores(0..n_lcores), rxq).unwrap();
                let mut lanes: Vec<_> =
                    plan.workers.iter().flat_map(|w| &w.lanes).map(|l| (l.port, l.queue, l.peer)).collect();
                lanes.sort_unstable();
                let expected: Vec<_> =
                    (0..n_ports).flat_map(|p| (0..plan.queues).map(move |q| (p, q, p ^ 1))).collect();
                assert_eq!(lanes, expected);
            }
        }
    }

    #[test]
    fn queues_are_as_many_as_workers_when_every_device_deals_by_flow() {
        let plan = plan(&ports(2, 8, Dealing::ByFlow), 0, &lcores(0..4), None).unwrap();
        assert_eq!(plan.queues, 3);
        let sizes: Vec<_> = plan.workers.iter().map(|worker| worker.lanes.len()).collect();
        assert_eq!(sizes, [2, 2, 2]);
    }

    #[test]
    fn queues_of_a_device_that_does_not_deal_by_flow_stay_on_one_lcore() {
        for (dealing, rxq) in [(Dealing::Fixed, None), (Dealing::ByPeer, Some(4))] {
            let plan = plan(&ports(4, 4, dealing), 0, &lcores(0..4), rxq).unwrap();
            assert_eq!(plan.queues, 4);
            for port in 0..4 {
                let polls_it = |worker: &&Worker| worker.lanes.iter().any(|lane| lane.port == port);
                assert_eq!(plan.workers.iter().filter(polls_it).count(), 1, "port {port}, {dealing:?}");
            }
        }
        let plan = plan(&ports(2, 256, Dealing::ByPeer), 0, &lcores(0..4), None).unwrap();
        assert_eq!(plan.queues, 1, "a peer that may do as it likes gets one queue");
    }

    #[test]
    fn in_a_tie_the_lcore_next_to_the_port_polls_it() {
        let node = |id, node| LcoreFacts { id, node: Some(node) };
        let mut facts = ports(2, 1, Dealing::ByFlow);
        facts[0].node = Some(1);
        facts[1].node = Some(0);
        let plan_on = |lcores: &[LcoreFacts]| plan(&facts, 0, lcores, None).unwrap();
        let near = plan_on(&[node(0, 0), node(1, 0), node(2, 1)]);
        assert_eq!(near.workers[1], Worker { lcore: 2, lanes: vec![lane(0, 0)] });
        assert_eq!(near.remote, []);
        let far = plan_on(&[node(0, 0), node(1, 0), node(2, 0)]);
        assert_eq!(far.workers.len(), 2, "a far lcore is better than none");
        assert_eq!(far.remote, [(1, 0)]);
    }

    #[test]
    fn a_worker_with_nothing_to_poll_is_told() {
        let plan = plan(&ports(2, 1, Dealing::Fixed), 0, &lcores(0..4), None).unwrap();
        assert_eq!(plan.idle, [3]);
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let error = |p: &[PortFacts], rxq| plan(p, 0, &lcores(0..2), rxq).unwrap_err().to_string();
        let fixed = |n, queues| ports(n, queues, Dealing::Fixed);
        assert!(error(&fixed(0, 1), None).contains("0 DPDK ports"));
        assert!(error(&fixed(1, 1), None).contains("two are needed"));
        assert!(error(&fixed(3, 1), None).contains("port2 has no peer"));
        assert!(error(&fixed(2, 0), None).contains("port0"));
        assert!(error(&fixed(2, 1), Some(2)).contains("--rxq"));
        let unpolled = error(&fixed(2, 2), Some(1));
        assert!(unpolled.contains("--rxq") && unpolled.contains("dev0"), "{unpolled}");
        let mut unequal = fixed(2, 2);
        unequal[1].max_tx = 1;
        let unequal = error(&unequal, None);
        assert!(unequal.contains("dev0 was made with 2") && unequal.contains("dev1 has 1"), "{unequal}");
        assert!(shares(1, 2).unwrap_err().to_string().contains("--capacity"));
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(shares(10, 3).unwrap(), [4, 3, 3]);
        assert_eq!(shares(1024, 1).unwrap(), [1024]);
    }
}
