//! Which lcore polls which queue of which port; refuses what cannot work.

use std::collections::BTreeMap;

/// The largest DPDK port id that fits a flow's key, which holds the id + 1 in eight bits.
const MAX_PORT_ID: u16 = u8::MAX as u16 - 1;
/// The most ports: an even number with ids up to [`MAX_PORT_ID`].
const MAX_PORTS: usize = 254;

const _: () = assert!(MAX_PORTS.is_multiple_of(2) && MAX_PORTS <= MAX_PORT_ID as usize + 1);

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
    /// How the device chooses the receive queue of a frame.
    pub dealing: Dealing,
    /// NUMA node, when known.
    pub node: Option<u32>,
}

/// How a device deals frames over its receive queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dealing {
    /// By a hash of addresses, or of addresses and ports (RSS), over the queues that are opened: all
    /// frames of a flow and direction come to one queue.
    ByFlow,
    /// By a rule of the peer's, over the queues that are opened.
    ByPeer,
    /// By a rule of its maker's, over all queues that it has, opened or not. A queue that nobody
    /// polls keeps its frames.
    Fixed,
}

impl Dealing {
    /// Returns how devices of a DPDK driver deal; `rss` says whether the device offers RSS
    /// by the fields that are asked for.
    ///
    /// net_tap offers RSS, but its kernel side moves a flow to the queue that last sent in the
    /// other direction. net_null makes frames up. net_af_packet (whose fanout rolls over when a
    /// ring is full), net_af_xdp, net_pcap and net_ring have the queues that their device arguments
    /// gave them.
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
    /// Receive queue of that port, and transmit queue of the peer, so that no two lcores share a
    /// queue.
    pub queue: u16,
    /// DPDK id of the port that the frames leave by.
    pub peer: u16,
}

impl Lane {
    /// Returns the number of the polled port in a flow's key: its DPDK id + 1.
    ///
    /// # Panics
    /// When the id is too large, which [`plan`] refuses.
    #[must_use]
    pub fn input_port(&self) -> u8 {
        u8::try_from(self.port + 1).expect("a plan has no larger port id")
    }
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
    /// Returns for each port, by DPDK id, the index of the worker that polls all of its queues;
    /// `None` where several do.
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Fewer than two ports.
    #[error("{0} DPDK port{s}: two are needed (EAL arguments --vdev or -a)", s = if *.0 == 1 { "" } else { "s" })]
    TooFewPorts(usize),
    /// An odd number of ports: the last one has no peer.
    #[error("{0} DPDK ports: port{last} has no peer, ports work in pairs", last = .0 - 1)]
    OddPorts(usize),
    /// More ports than a flow's key can tell apart.
    #[error("{0} DPDK ports: {MAX_PORTS} are possible")]
    TooManyPorts(usize),
    /// A port whose id does not fit a flow's key.
    #[error("port{port} ({device}): DPDK port ids up to {MAX_PORT_ID} are possible")]
    PortIdTooLarge {
        /// The port.
        port: u16,
        /// Its device.
        device: String,
    },
    /// A device has no receive or no transmit queue.
    #[error("port{0} has no receive or no transmit queue")]
    NoQueue(u16),
    /// `--rxq` would leave queues unpolled that have frames.
    #[error(
        "--rxq: {asked} asked for, but {device} was made with {has} queues, and frames in a queue that nobody polls are \
         lost: leave --rxq out, or make the device with fewer"
    )]
    UnpolledQueues {
        /// The device.
        device: String,
        /// What was asked for.
        asked: u16,
        /// What it has.
        has: u16,
    },
    /// Each port needs as many queues as every other, because a frame leaves by the queue of the
    /// number that it came by.
    #[error(
        "{device} was made with {has} queue(s) and {other} has {other_has}: ports need as many queues as each other, \
         because a frame leaves by the queue of the number that it came by"
    )]
    UnequalQueues {
        /// A device, all of whose queues must be polled.
        device: String,
        /// Its queues.
        has: u16,
        /// Another device.
        other: String,
        /// The queues of the other device.
        other_has: u16,
    },
    /// More shards than entries.
    #[error("--{flag}: {capacity} entries cannot be split over {shards} shards")]
    CapacityTooSmall {
        /// The flag that gives the entries, without its dashes.
        flag: &'static str,
        /// Entries.
        capacity: u32,
        /// Shards.
        shards: usize,
    },
}

/// Makes the plan. The main lcore polls only when it is the only one. Each queue goes to the lcore
/// that has the fewest, in a tie to one of the port's NUMA node.
///
/// A port has as many queues as there are workers, and no more than each device has or than `rxq`
/// says. Without `rxq`, a device that deals by a rule of its peer's gets one. If a device deals in
/// a fixed way, all its queues are used, however many workers there are. The queues of a device that
/// does not deal by flow stay together on one lcore, so that each flow is in one shard whichever
/// queue a frame comes by.
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
        n if n > MAX_PORTS => return Err(TopologyError::TooManyPorts(n)),
        _ => {}
    }
    if let Some(port) = ports.iter().find(|port| port.id > MAX_PORT_ID) {
        return Err(TopologyError::PortIdTooLarge { port: port.id, device: port.device.clone() });
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

/// Returns the number of queues per port.
fn queues(ports: &[PortFacts], pollers: usize, rxq: Option<u16>) -> Result<u16, TopologyError> {
    let has = |port: &PortFacts| port.max_rx.min(port.max_tx);
    if let Some(port) = ports.iter().find(|port| has(port) == 0) {
        return Err(TopologyError::NoQueue(port.id));
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
    let by_peer = ports.iter().any(|port| port.dealing == Dealing::ByPeer);
    let most = rxq.unwrap_or(if by_peer { 1 } else { u16::MAX });
    let workers = u16::try_from(pollers).unwrap_or(u16::MAX);
    Ok(ports.iter().map(has).fold(most.min(workers), u16::min))
}

/// Splits the capacity that a flag gives evenly over the shards; the first ones take the rest.
///
/// # Errors
/// When a shard would get nothing.
pub fn shares(flag: &'static str, capacity: u32, shards: usize) -> Result<Vec<u32>, TopologyError> {
    let n = u32::try_from(shards).unwrap_or(u32::MAX);
    if n == 0 || capacity < n {
        return Err(TopologyError::CapacityTooSmall { flag, capacity, shards });
    }
    Ok((0..n).map(|shard| capacity / n + u32::from(shard < capacity % n)).collect())
}

#[cfg(test)]
mod tests;
