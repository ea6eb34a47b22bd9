//! NUMA: is memory, and is each device, on the node of the poller that uses it? Those of another
//! node are slower to reach.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list};
use crate::doctor::{hugepages, ports};

const TOPIC: &str = "numa";
const NODES: &str = "/sys/devices/system/node";

pub(super) fn check(case: &Case) -> Vec<Check> {
    let nodes = case.root.cpus(format!("{NODES}/online"));
    let mut checks: Vec<Check> = case
        .eal
        .socket_mem
        .iter()
        .zip(0..)
        .filter_map(|(&megabytes, node)| socket_mem(case, megabytes, node))
        .collect();
    if nodes.len() > 1 {
        checks.extend(across(case));
        checks.extend(pool(case));
    }
    if checks.is_empty() {
        let found = match nodes.len() {
            0 | 1 => "1 node: all memory and devices are local".to_owned(),
            n => format!("{n} nodes, pollers and their devices on the same one"),
        };
        checks.push(Check::ok(TOPIC, found));
    }
    checks
}

/// Returns the node of a CPU.
fn node_of(case: &Case, cpu: u32) -> Option<u32> {
    let names = case.root.names(format!("/sys/devices/system/cpu/cpu{cpu}"));
    names.iter().find_map(|name| name.strip_prefix("node")?.parse().ok())
}

/// Returns how many bytes of a node EAL can take.
fn free(case: &Case, node: u32) -> u64 {
    let folder = format!("{NODES}/node{node}");
    if case.eal.no_huge {
        let free = case.root.field(format!("{folder}/meminfo"), "MemFree");
        return free.and_then(|text| hugepages::kilobytes(&text)).unwrap_or(0);
    }
    let pages = |name: &String| {
        let kilobytes: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let free: u64 = case.root.value(format!("{folder}/hugepages/{name}/free_hugepages"))?;
        Some(kilobytes * 1024 * free)
    };
    case.root.names(format!("{folder}/hugepages")).iter().filter_map(pages).sum()
}

fn socket_mem(case: &Case, megabytes: u64, node: u32) -> Option<Check> {
    let free = free(case, node) >> 20;
    (megabytes > free).then(|| {
        let found = format!("--socket-mem asks for {megabytes} MB of node {node}, which has {free} MB free");
        let pages = megabytes.div_ceil(2);
        let remedy = format!("echo {pages} > {NODES}/node{node}/hugepages/hugepages-2048kB/nr_hugepages");
        Check::fail(TOPIC, found, remedy)
    })
}

/// Finds pollers of one node with devices of another.
fn across(case: &Case) -> Vec<Check> {
    let Ok(plan) = ports::plan(case) else { return Vec::new() };
    let ports = ports::ports(case);
    let mut checks = Vec::new();
    for worker in &plan.workers {
        let Some(node) = cpu_of(case, worker.lcore).and_then(|cpu| node_of(case, cpu)) else { continue };
        for (id, port) in (0u16..).zip(&ports) {
            let polls = worker.lanes.iter().any(|lane| lane.port == id || lane.peer == id);
            // The file holds -1 where the firmware does not tell.
            let theirs = port.node_files.iter().find_map(|file| case.root.value::<u32>(file));
            if let Some(theirs) = theirs.filter(|theirs| polls && *theirs != node) {
                let found = format!(
                    "lcore {} is on node {node}, its device {} on node {theirs}",
                    worker.lcore, port.device
                );
                let cpus = case.root.read(format!("{NODES}/node{theirs}/cpulist")).unwrap_or_default();
                checks.push(Check::warn(TOPIC, found, format!("CPUs of node {theirs} in -l: {cpus}")));
            }
        }
    }
    checks
}

/// Checks the memory of the node on which the mbufs lie, that of the first poller.
fn pool(case: &Case) -> Option<Check> {
    let plan = ports::plan(case).ok()?;
    let node = node_of(case, cpu_of(case, plan.workers.first()?.lcore)?)?;
    let need = ports::mbuf_bytes(case);
    let nodes: Vec<u32> = case.root.cpus(format!("{NODES}/online")).into_iter().collect();
    (free(case, node) < need).then(|| {
        let others: Vec<u32> = nodes.into_iter().filter(|other| *other != node).collect();
        let found = format!(
            "node {node} has {} MB free, the mbufs of its lcores need {} MB",
            free(case, node) >> 20,
            need.div_ceil(1 << 20)
        );
        Check::warn(
            TOPIC,
            found,
            format!("CPUs of node {} in -l, or more memory on node {node}", list(&others)),
        )
    })
}

/// Returns the first CPU of an lcore.
fn cpu_of(case: &Case, lcore: u32) -> Option<u32> {
    let lcores = case.eal.lcores(&crate::doctor::cpus::affinity(case));
    lcores.into_iter().find(|found| found.id == lcore)?.cpus.pop_first()
}

#[cfg(test)]
mod tests;
