//! Which lcore polls which queue of which port; refuses what cannot work.

use std::fmt;

/// What is known of a port before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFacts {
    /// DPDK port id.
    pub id: u16,
    /// Receive queues that the device has.
    pub max_rx: u16,
    /// Transmit queues that the device has.
    pub max_tx: u16,
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
            TopologyError::CapacityTooSmall { capacity, shards } => {
                write!(f, "--capacity: {capacity} entries cannot be split over {shards} shards")
            }
        }
    }
}

impl std::error::Error for TopologyError {}

/// Makes the plan: the main lcore polls only when it is the only one; queues
/// per port = min(workers, what the devices have, `rxq`), dealt round-robin.
///
/// # Errors
/// When no plan is possible.
pub fn plan(
    ports: &[PortFacts],
    main: u32,
    lcores: &[u32],
    rxq: Option<u16>,
) -> Result<Topology, TopologyError> {
    match ports.len() {
        n @ 0..2 => return Err(TopologyError::TooFewPorts(n)),
        n if !n.is_multiple_of(2) => return Err(TopologyError::OddPorts(n)),
        n if n > 254 => return Err(TopologyError::TooManyPorts(n)),
        _ => {}
    }
    let mut pollers: Vec<u32> = lcores.iter().copied().filter(|lcore| *lcore != main).collect();
    if pollers.is_empty() {
        pollers.push(main);
    }
    let mut queues = rxq.unwrap_or(u16::MAX);
    for port in ports {
        let has = port.max_rx.min(port.max_tx);
        if has == 0 {
            return Err(TopologyError::NoQueue(port.id));
        }
        if let Some(asked) = rxq
            && asked > has
        {
            return Err(TopologyError::TooManyQueues { port: port.id, asked, has });
        }
        queues = queues.min(has);
    }
    if rxq.is_none() {
        queues = queues.min(u16::try_from(pollers.len()).unwrap_or(u16::MAX));
    }
    let mut workers: Vec<Worker> = pollers.iter().map(|&lcore| Worker { lcore, lanes: Vec::new() }).collect();
    let mut next = 0;
    for queue in 0..queues {
        for (index, port) in ports.iter().enumerate() {
            let lane = Lane { port: port.id, queue, peer: ports[index ^ 1].id };
            workers[next].lanes.push(lane);
            next = (next + 1) % pollers.len();
        }
    }
    let (workers, idle): (Vec<_>, Vec<_>) = workers.into_iter().partition(|w| !w.lanes.is_empty());
    Ok(Topology { queues, workers, idle: idle.into_iter().map(|w| w.lcore).collect() })
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

    fn ports(count: u16, queues: u16) -> Vec<PortFacts> {
        (0..count).map(|id| PortFacts { id, max_rx: queues, max_tx: queues }).collect()
    }

    #[test]
    fn the_only_lcore_polls_everything() {
        let plan = plan(&ports(2, 8), 3, &[3], None).unwrap();
        assert_eq!(plan.queues, 1);
        assert_eq!(
            plan.workers,
            [Worker {
                lcore: 3,
                lanes: vec![Lane { port: 0, queue: 0, peer: 1 }, Lane { port: 1, queue: 0, peer: 0 }]
            }]
        );
    }

    #[test]
    fn two_lcores_and_two_one_queue_ports_work() {
        let plan = plan(&ports(2, 1), 0, &[0, 1], None).unwrap();
        assert_eq!(plan.workers.len(), 1);
        assert_eq!((plan.workers[0].lcore, plan.workers[0].lanes.len()), (1, 2));
        assert_eq!(plan.idle, []);
    }

    #[test]
    fn every_queue_is_polled_exactly_once() {
        for (n_ports, queues, lcores, rxq) in
            [(2, 1, 1, None), (2, 4, 4, None), (4, 2, 6, Some(2)), (6, 16, 4, Some(16))]
        {
            let lcores: Vec<u32> = (0..lcores).collect();
            let plan = plan(&ports(n_ports, queues), 0, &lcores, rxq).unwrap();
            let mut lanes: Vec<_> =
                plan.workers.iter().flat_map(|w| &w.lanes).map(|l| (l.port, l.queue, l.peer)).collect();
            lanes.sort_unstable();
            let expected: Vec<_> =
                (0..n_ports).flat_map(|p| (0..plan.queues).map(move |q| (p, q, p ^ 1))).collect();
            assert_eq!(lanes, expected);
        }
    }

    #[test]
    fn a_worker_with_nothing_to_poll_is_told() {
        let plan = plan(&ports(2, 1), 0, &[0, 1, 2, 3], None).unwrap();
        assert_eq!(plan.idle, [3]);
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let error = |p: &[PortFacts], rxq| plan(p, 0, &[0, 1], rxq).unwrap_err().to_string();
        assert!(error(&ports(0, 1), None).contains("0 DPDK ports"));
        assert!(error(&ports(1, 1), None).contains("two are needed"));
        assert!(error(&ports(3, 1), None).contains("port2 has no peer"));
        assert!(error(&ports(2, 0), None).contains("port0"));
        assert!(error(&ports(2, 1), Some(2)).contains("--rxq"));
        assert!(shares(1, 2).unwrap_err().to_string().contains("--capacity"));
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(shares(10, 3).unwrap(), [4, 3, 3]);
        assert_eq!(shares(1024, 1).unwrap(), [1024]);
    }
}
