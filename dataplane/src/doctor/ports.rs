//! Ports: is there a plan for the ports that the arguments make? The plan is made by the code of
//! the start.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list, plural};
use crate::doctor::{cpus, devices, drivers};
use crate::lcore::family::families;
use crate::start::eal_args::Vdev;
use crate::start::mbufs::{Demand, data_room, looped_frames};
use crate::start::options::capacity_flag;
use crate::start::topology::{self, Dealing, LcoreFacts, PortFacts, Topology, TopologyError};

const TOPIC: &str = "ports";

/// Stands for a number of queues that only the driver knows: enough for any plan.
const UNKNOWN: u16 = 1024;

/// A port that the start will have.
pub(super) struct Port {
    /// `net_af_packet0`, `0000:01:00.0`.
    pub(super) device: String,
    /// Queues in each direction, if they can be known.
    queues: Option<u16>,
    dealing: Dealing,
    /// The folders of sysfs that may know its NUMA node.
    pub(super) node_files: Vec<String>,
}

/// Returns all ports in the order of their ids. EAL opens virtual devices last.
pub(super) fn ports(case: &Case) -> Vec<Port> {
    let pci = drivers::pci_ports(case).into_iter().map(|address| Port {
        node_files: vec![format!("/sys/bus/pci/devices/{address}/numa_node")],
        queues: None,
        // Most cards have RSS; whether this one has it only its driver knows.
        dealing: Dealing::ByFlow,
        device: address,
    });
    let is_port = |vdev: &&Vdev| vdev.driver().starts_with("net_");
    let vdevs = case.eal.vdevs.iter().filter(is_port).map(|vdev| Port {
        device: vdev.name.clone(),
        queues: queues(vdev),
        dealing: Dealing::of(&vdev.driver(), false),
        node_files: devices::interfaces_of(vdev)
            .iter()
            .map(|name| format!("/sys/class/net/{name}/device/numa_node"))
            .collect(),
    });
    pci.chain(vdevs).collect()
}

/// Returns how many queues a vdev will have, where its parameters or its driver say so.
fn queues(vdev: &Vdev) -> Option<u16> {
    let number = |key: &str| vdev.number(key).and_then(|n| u16::try_from(n).ok()).unwrap_or(1);
    match vdev.driver().as_str() {
        "net_af_packet" => Some(number("qpairs")),
        "net_af_xdp" => Some(number("queue_count")),
        "net_virtio" => Some(number("queues")),
        "net_vhost" => Some(number("queues")),
        "net_pcap" => {
            let count = |keys: &[&str]| keys.iter().map(|key| vdev.params(key).count()).sum::<usize>().max(1);
            let rx = count(&["rx_pcap", "rx_iface", "rx_iface_in", "iface"]);
            let tx = count(&["tx_pcap", "tx_iface", "iface"]);
            u16::try_from(rx.min(tx)).ok()
        }
        // RTE_PMD_TAP_MAX_QUEUES, RTE_PMD_RING_MAX_RX_RINGS.
        "net_tap" | "net_ring" => Some(16),
        _ => None,
    }
}

/// Makes the plan that the start would make.
pub(super) fn plan(case: &Case) -> Result<Topology, TopologyError> {
    let affinity = cpus::affinity(case);
    let lcores = case.eal.lcores(&affinity);
    let main = case.eal.main(&lcores);
    let facts: Vec<PortFacts> = (0..)
        .zip(ports(case))
        .map(|(id, port)| {
            let queues = port.queues.unwrap_or(UNKNOWN);
            let (device, dealing) = (port.device, port.dealing);
            PortFacts { id, device, max_rx: queues, max_tx: queues, dealing, node: None }
        })
        .collect();
    // NUMA is another topic; the plan depends on it only in a tie.
    let lcores: Vec<LcoreFacts> =
        lcores.iter().map(|lcore| LcoreFacts { id: lcore.id, node: None }).collect();
    topology::plan(&facts, main, &lcores, case.config.options.rxq)
}

/// Returns how many mbufs the start would ask for, if it got so far.
pub(super) fn mbufs(case: &Case) -> Option<u32> {
    let plan = plan(case).ok()?;
    let config = case.config;
    let demand = Demand {
        ports: u32::try_from(ports(case).len()).ok()?,
        queues: u32::from(plan.queues),
        descriptors: u32::from(config.options.rxd) + u32::from(config.options.txd),
        lcores: u32::try_from(plan.workers.len()).ok()?,
        burst: u32::from(config.options.burst),
        looped: looped_frames(&case.eal.vdevs),
    };
    Some(config.options.mbufs.unwrap_or_else(|| demand.mbufs()))
}

/// Returns the bytes that their pool takes, or 0 if the start would not get so far.
pub(super) fn mbuf_bytes(case: &Case) -> u64 {
    /// Bytes of the pool's header, the mbuf's header and the headroom.
    const HEADERS: u64 = 64 + 128 + 128;
    let each = HEADERS + u64::from(data_room(&case.eal.vdevs));
    mbufs(case).map_or(0, |mbufs| u64::from(mbufs) * each)
}

pub(super) fn check(case: &Case) -> Vec<Check> {
    let ports = ports(case);
    let plan = match plan(case) {
        Ok(plan) => plan,
        Err(error) => {
            let remedy = match error {
                TopologyError::UnpolledQueues { has, .. } => format!("--rxq {has}"),
                TopologyError::UnequalQueues { .. } => {
                    "the same qpairs=, queue_count= or files for each".to_owned()
                }
                TopologyError::TooManyPorts(_) | TopologyError::PortIdTooLarge { .. } => {
                    "fewer --vdev or -a".to_owned()
                }
                _ => "one more --vdev or -a, such as --vdev net_af_packet1,iface=eth1".to_owned(),
            };
            return vec![Check::fail(TOPIC, error.to_string(), remedy)];
        }
    };
    let mut checks = Vec::new();
    let refused = families(case.config.options.families)
        .find_map(|family| Some((family, case.config.shares(family, plan.workers.len()).err()?)));
    if let Some((family, error)) = refused {
        let remedy = format!("--{} {}", capacity_flag(family), plan.workers.len());
        checks.push(Check::fail(TOPIC, error.to_string(), remedy));
    }
    if !plan.idle.is_empty() {
        let found = format!(
            "nothing to poll for {} {}: there are {} on {}",
            if plan.idle.len() == 1 { "lcore" } else { "lcores" },
            list(&plan.idle),
            plural(usize::from(plan.queues) * ports.len(), "queue"),
            plural(ports.len(), "port")
        );
        checks.push(Check::warn(
            TOPIC,
            found,
            "fewer lcores in -l, or more queues (qpairs=2 of net_af_packet)",
        ));
    }
    if checks.is_empty() {
        let pairs: Vec<String> = ports
            .chunks(2)
            .map(|pair| pair.iter().map(|port| port.device.as_str()).collect::<Vec<_>>().join(" <-> "))
            .collect();
        let pollers: Vec<u32> = plan.workers.iter().map(|worker| worker.lcore).collect();
        let queues = plural(usize::from(plan.queues), "queue");
        // There may be fewer: only the driver knows how many the device has.
        let most = if ports.iter().any(|port| port.queues.is_none()) { "at most " } else { "" };
        let noun = if pollers.len() == 1 { "lcore" } else { "lcores" };
        checks.push(Check::ok(
            TOPIC,
            format!("{}, {most}{queues} each, polled by {noun} {}", pairs.join(", "), list(&pollers)),
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, only};
    use super::super::{Check, Verdict};

    fn examine(line: &str) -> Check {
        only(&Fixture::healthy().examine(&format!("--no-huge --no-pci {line}")), "ports")
    }

    #[test]
    fn ports_work_in_pairs() {
        let check = examine("-l 0,1 --vdev net_null0 --vdev net_af_packet1,iface=port1");
        assert_eq!(check.found, "net_null0 <-> net_af_packet1, at most 1 queue each, polled by lcore 1");
        for line in
            ["-l 0", "-l 0 --vdev net_null0", "-l 0 --vdev net_null0 --vdev net_null1 --vdev net_null2"]
        {
            let check = examine(line);
            assert_eq!(check.verdict, Verdict::Fail, "{line}");
            assert!(check.remedy.starts_with("one more --vdev"), "{check:?}");
        }
        assert_eq!(examine("-l 0 --vdev net_null0 --vdev crypto_null0").verdict, Verdict::Fail);
    }

    #[test]
    fn queues_that_are_known_are_counted() {
        let two = "--vdev net_af_packet0,iface=port0,qpairs=2 --vdev net_pcap0,rx_pcap=a,rx_pcap=b,tx_pcap=c,tx_pcap=d";
        assert_eq!(examine(&format!("-l 0-2 {two}")).verdict, Verdict::Ok);
        let check = examine(&format!("-l 0-2 {two} -- --rxq 1"));
        assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "--rxq 2"));
        let unequal = "--vdev net_af_xdp0,iface=port0,queue_count=2 --vdev net_ring0";
        assert_eq!(examine(&format!("-l 0-2 {unequal}")).verdict, Verdict::Fail);
        let one = "--vdev net_af_xdp0,iface=port0 --vdev net_af_xdp1,iface=port1";
        assert_eq!(examine(&format!("-l 0 {one} -- --rxq 2")).verdict, Verdict::Ok);
        let rings = "--vdev net_ring0 --vdev net_ring1";
        assert_eq!(examine(&format!("-l 0 {rings} -- --rxq 4")).remedy, "--rxq 16");
        let check = examine("-l 0-3 --vdev net_af_packet0,iface=port0 --vdev net_af_packet1,iface=port1");
        assert_eq!(check.verdict, Verdict::Warn);
        assert_eq!(check.found, "nothing to poll for lcore 3: there are 2 queues on 2 ports");
    }

    #[test]
    fn a_shard_needs_an_entry() {
        let check = examine("-l 0-2 --vdev net_null0 --vdev net_null1 -- --capacity 1");
        assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "--capacity 2"));
    }
}
