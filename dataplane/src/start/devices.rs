//! From DPDK's devices to open ports: checks that they are the devices that were asked for, plans
//! which lcore polls which queue, takes the memory for mbufs, and opens the ports.

use dpdk::{Eal, FailedDevice, LcoreId, Mempool, MempoolConfig, Port, PortConfig, PortId, Rss, SocketId};
use tracing::{info, warn};

use crate::start::config::Config;
use crate::start::eal_args::Vdev;
use crate::start::mbufs::{self, Demand};
use crate::start::rings;
use crate::start::start_error::StartError;
use crate::start::topology::{self, Dealing, LcoreFacts, PortFacts, Topology};

/// Returns what the devices are, in the order of their port ids.
pub(crate) fn facts(
    eal: &Eal,
    vdevs: &[Vdev],
    allowed: &[String],
) -> Result<Vec<(PortId, dpdk::PortFacts)>, StartError> {
    let mut all = Vec::new();
    for id in eal.ports() {
        let facts = Port::facts_of(eal, id)?;
        if let Some(vdev) = vdevs.iter().find(|vdev| vdev.name == facts.device) {
            rings::check_mtu(vdev, facts.mtu)?;
        }
        all.push((id, facts));
    }
    check(&all, vdevs, allowed)?;
    Ok(all)
}

/// Refuses a start in which a port is missing. EAL goes on without a device that it cannot open;
/// the ports behind it move up, and frames would leave by the wrong wire.
fn check(facts: &[(PortId, dpdk::PortFacts)], vdevs: &[Vdev], allowed: &[String]) -> Result<(), StartError> {
    // The members of a bonded device are ports too, which are not polled.
    let bonded = vdevs.iter().any(|vdev| vdev.driver() == "net_bond");
    let network = vdevs.iter().filter(|vdev| vdev.driver().starts_with("net_")).map(|vdev| &vdev.name);
    // The ports of a card's virtual functions are named `ADDRESS_representor_N`.
    let is_port = |name: &str| {
        let of = |device: &str| {
            device.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        facts.iter().any(|(_, port)| of(&port.device))
    };
    let missing: Vec<_> = network
        .chain(allowed)
        .filter(|name| !bonded && !is_port(name))
        .map(|name| FailedDevice {
            device: name.clone(),
            reason: "DPDK has no port of it; is it there, and a card bound to vfio-pci?".to_owned(),
        })
        .collect();
    if !missing.is_empty() {
        return Err(StartError::Devices(missing));
    }
    for (at, (a, one)) in facts.iter().enumerate() {
        for (b, other) in &facts[at + 1..] {
            if one.shares_interface_with(other) {
                return Err(StartError::SameInterface(
                    [one.device.clone(), other.device.clone()],
                    [a.0, b.0],
                ));
            }
        }
    }
    Ok(())
}

/// Returns the NUMA node, or `None` for DPDK's "any node".
fn node(socket: SocketId) -> Option<u32> {
    u32::try_from(socket.0).ok()
}

/// Plans who polls what, and logs the plan with what could be better about it.
pub(crate) fn plan(
    eal: &Eal,
    facts: &[(PortId, dpdk::PortFacts)],
    config: &Config,
) -> Result<Topology, StartError> {
    let (rxq, rss) = (config.options.rxq, config.options.rss.into());
    let ports: Vec<PortFacts> = facts
        .iter()
        .map(|(id, port)| PortFacts {
            id: id.0,
            device: port.device.clone(),
            max_rx: port.max_rx_queues,
            max_tx: port.max_tx_queues,
            dealing: Dealing::of(&port.driver, port.offers(rss)),
            node: node(port.socket),
        })
        .collect();
    let lcores: Vec<LcoreFacts> = eal
        .lcores()
        .into_iter()
        .map(|lcore| LcoreFacts { id: lcore.0, node: node(eal.socket_of(lcore)) })
        .collect();
    let plan = topology::plan(&ports, eal.main_lcore().0, &lcores, rxq)?;
    if let Some(asked) = rxq.filter(|asked| *asked > plan.queues) {
        let queues = plan.queues;
        warn!("--rxq={asked}: ports get {queues} queue(s), as many as workers and devices allow");
    }
    for (id, port) in
        facts.iter().filter(|(_, port)| !port.offers(rss) && port.offers(Rss::AddressesAndPorts))
    {
        if Dealing::of(&port.driver, true) == Dealing::ByFlow {
            warn!(
                "port{} ({}) cannot spread frames by addresses alone, so one worker polls all its queues: --rss=l4 \
                 spreads them, but may give a fragmented flow a second entry",
                id.0, port.driver
            );
        }
    }
    let ipv6 = config.options.families.ipv6() && plan.workers.len() > 1;
    for (id, port) in facts.iter().filter(|(_, port)| ipv6 && port.offers(rss) && !port.offers_ipv6(rss)) {
        if Dealing::of(&port.driver, true) == Dealing::ByFlow {
            let (id, driver) = (id.0, &port.driver);
            warn!("port{id} ({driver}) cannot spread frames of IPv6, so one worker gets all of them");
        }
    }
    for worker in &plan.workers {
        let lanes: Vec<_> =
            worker.lanes.iter().map(|l| format!("port{} queue {}", l.port, l.queue)).collect();
        info!("lcore {} polls {}", worker.lcore, lanes.join(", "));
    }
    for lcore in &plan.idle {
        warn!("lcore {lcore} has nothing to poll: there are fewer queues than workers");
    }
    for pair in facts.chunks_exact(2) {
        let [(a, one), (b, other)] = pair else { continue };
        if one.mtu != other.mtu {
            let (a, b) = (a.0, b.0);
            warn!("port{a} has MTU {} and port{b} {}: longer frames cannot leave", one.mtu, other.mtu);
        }
    }
    for (lcore, port) in &plan.remote {
        warn!("lcore {lcore} polls port{port} across NUMA nodes: choose lcores next to the device (-l)");
    }
    Ok(plan)
}

/// One pool of mbufs for each NUMA node that has a port. A port of unknown node takes the first
/// worker's.
pub(crate) struct Pools<'eal> {
    of: Vec<(SocketId, Mempool<'eal>)>,
    fallback: SocketId,
}

impl<'eal> Pools<'eal> {
    fn node_of(socket: SocketId, fallback: SocketId) -> SocketId {
        if node(socket).is_some() { socket } else { fallback }
    }

    fn get(&self, port: SocketId) -> &Mempool<'eal> {
        let node = Self::node_of(port, self.fallback);
        let (_, pool) = self.of.iter().find(|(socket, _)| *socket == node).expect("made for all ports");
        pool
    }
}

/// Makes the pools.
pub(crate) fn pools<'eal>(
    eal: &'eal Eal,
    facts: &[(PortId, dpdk::PortFacts)],
    plan: &Topology,
    config: &Config,
    vdevs: &[Vdev],
) -> Result<Pools<'eal>, StartError> {
    let fallback = eal.socket_of(LcoreId(plan.workers[0].lcore));
    let data_room = mbufs::data_room(vdevs);
    let mut pools = Pools { of: Vec::new(), fallback };
    let mut nodes: Vec<_> = facts.iter().map(|(_, port)| Pools::node_of(port.socket, fallback)).collect();
    nodes.sort_unstable_by_key(|node| node.0);
    for nodes in nodes.chunk_by(|a, b| a == b) {
        let (socket, ports) = (nodes[0], nodes.len() as u32);
        let demand = Demand {
            ports,
            queues: u32::from(plan.queues),
            descriptors: u32::from(config.options.rxd) + u32::from(config.options.txd),
            lcores: plan.workers.len() as u32,
            burst: u32::from(config.options.burst),
            looped: mbufs::looped_frames(vdevs),
        };
        let mbufs = config.options.mbufs.unwrap_or_else(|| demand.mbufs());
        let cache = mbufs::CACHE.min(mbufs / 2);
        info!("{mbufs} mbufs of {data_room} bytes on {socket} for {ports} ports");
        let pool = Mempool::new(
            eal,
            &format!("flowtracker_{}", pools.of.len()),
            MempoolConfig { mbufs, cache, data_room, socket },
        )
        .map_err(|e| StartError::Mbufs(mbufs, e))?;
        pools.of.push((socket, pool));
    }
    Ok(pools)
}

/// Opens every port, and starts none.
pub(crate) fn open<'eal>(
    eal: &'eal Eal,
    plan: &Topology,
    config: &Config,
    pools: &Pools<'eal>,
) -> Result<Vec<Port<'eal>>, StartError> {
    let mut ports = Vec::new();
    for id in eal.ports() {
        let wanted = PortConfig {
            rx_queues: plan.queues,
            tx_queues: plan.queues,
            rxd: config.options.rxd,
            txd: config.options.txd,
            rss: config.options.rss.into(),
            rx_pool: pools.get(Port::facts_of(eal, id)?.socket),
        };
        let port = Port::open(eal, id, wanted)?;
        let setup = port.setup();
        info!(
            "port{} is {} ({}), {} queue(s) of {} rx and {} tx descriptors, MTU {}{}",
            id.0,
            port.device_name(),
            port.driver_name(),
            setup.rx_queues,
            setup.rxd,
            setup.txd,
            port.facts().mtu,
            if setup.rss { ", RSS" } else { "" }
        );
        ports.push(port);
    }
    Ok(ports)
}
