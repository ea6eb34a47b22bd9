//! CPUs: do the lcores exist, may this process use them, does each poller have its core to itself,
//! and is the time stamp counter, which all time comes from, fit to be a clock?

use std::collections::BTreeSet;

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list, plural};
use crate::start::eal_args::{Lcore, beyond_dpdk, numbers};

const TOPIC: &str = "cpus";
const CPUS: &str = "/sys/devices/system/cpu";

/// Asks the kernel whether a thread may move to a CPU, with a thread made for the question. When no
/// thread can be made, the answer is no: EAL could make none either.
pub(super) fn may_run_on(cpu: u32) -> bool {
    let Some(cpu) = usize::try_from(cpu).ok().filter(|cpu| *cpu < CpuSet::MAX_CPU) else { return false };
    let asked = std::thread::Builder::new().spawn(move || {
        let mut one = CpuSet::new();
        one.set(cpu);
        sched_setaffinity(None, &one).is_ok()
    });
    asked.is_ok_and(|thread| thread.join().unwrap_or(false))
}

/// Returns the CPUs that this process may run on now.
pub(super) fn affinity(case: &Case) -> BTreeSet<u32> {
    let status = case.root.field("/proc/self/status", "Cpus_allowed_list");
    status.and_then(|text| numbers(&text)).unwrap_or_default()
}

pub(super) fn check(case: &Case) -> Vec<Check> {
    let affinity = affinity(case);
    let lcores = case.eal.lcores(&affinity);
    let mut checks = missing(case, &lcores);
    if checks.is_empty() {
        let pollers = case.eal.pollers(&affinity);
        let polled: BTreeSet<u32> = pollers.iter().flat_map(|lcore| &lcore.cpus).copied().collect();
        checks.extend(pinned_elsewhere(&lcores, &affinity));
        checks.extend(crowded(case, pollers.len()));
        checks.extend(quota(case, pollers.len()));
        checks.extend(siblings(case, &polled));
        checks.extend(not_isolated(case, &polled));
        if checks.is_empty() {
            let ids: Vec<u32> = pollers.iter().map(|lcore| lcore.id).collect();
            checks.push(Check::ok(TOPIC, format!("{} {}, isolated", noun(&ids, "poller"), list(&ids))));
        }
    }
    checks.push(counter(case));
    checks
}

fn noun(ids: &[u32], noun: &str) -> String {
    if ids.len() == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Finds lcores that EAL or the kernel would refuse.
fn missing(case: &Case, lcores: &[Lcore]) -> Vec<Check> {
    let cpus: BTreeSet<u32> = lcores.iter().flat_map(|lcore| &lcore.cpus).copied().collect();
    let online: BTreeSet<u32> = case
        .root
        .names(CPUS)
        .iter()
        .filter_map(|name| name.strip_prefix("cpu")?.parse().ok())
        // EAL checks in the same way: a CPU that is offline has no topology.
        .filter(|cpu| case.root.exists(format!("{CPUS}/cpu{cpu}/topology/core_id")))
        .collect();
    let usable: BTreeSet<u32> = online.iter().copied().filter(|&cpu| (case.env.may_run_on)(cpu)).collect();
    let instead = if usable.is_empty() { "lscpu".to_owned() } else { format!("-l {}", compact(&usable)) };
    let mut checks = Vec::new();
    let beyond = beyond_dpdk(lcores);
    if !beyond.is_empty() {
        let found = format!("DPDK has no room for {} {}", noun(&beyond, "lcore"), list(&beyond));
        checks.push(Check::fail(TOPIC, found, format!("--lcores 0@{}", beyond[0])));
        return checks;
    }
    if let Some(main) = case.eal.main_lcore
        && !lcores.iter().any(|lcore| lcore.id == main)
    {
        let found = format!("--main-lcore {main} is not among the lcores");
        checks.push(Check::fail(
            TOPIC,
            found,
            format!("--main-lcore {}", lcores.first().map_or(0, |l| l.id)),
        ));
    }
    for cpu in cpus.difference(&online) {
        checks.push(if case.root.exists(format!("{CPUS}/cpu{cpu}")) {
            let online = format!("echo 1 > {CPUS}/cpu{cpu}/online");
            Check::fail(TOPIC, format!("CPU {cpu} is offline"), online)
        } else {
            Check::fail(TOPIC, format!("there is no CPU {cpu}"), instead.clone())
        });
    }
    for cpu in cpus.intersection(&online).filter(|cpu| !usable.contains(cpu)) {
        let found = format!("CPU {cpu} is outside the cpuset of this process");
        let widen = "or widen the cpuset (AllowedCPUs= of systemd, --cpuset-cpus of docker)";
        checks.push(Check::fail(TOPIC, found, format!("{instead}, {widen}")));
    }
    checks
}

/// Finds lcores outside the affinity of this process. EAL ignores the affinity, so it is not in
/// effect.
fn pinned_elsewhere(lcores: &[Lcore], affinity: &BTreeSet<u32>) -> Option<Check> {
    let outside: Vec<u32> =
        lcores.iter().filter(|lcore| lcore.cpus.is_disjoint(affinity)).map(|lcore| lcore.id).collect();
    (!outside.is_empty()).then(|| {
        let found = format!(
            "{} {}: outside the affinity of this process (CPU {}), which DPDK will leave",
            noun(&outside, "lcore"),
            list(&outside),
            compact(affinity)
        );
        Check::warn(TOPIC, found, format!("-l {}, or start it without taskset", compact(affinity)))
    })
}

/// Finds that pollers leave no CPU for the kernel, the exporter and the shell.
fn crowded(case: &Case, pollers: usize) -> Option<Check> {
    let online = case.root.cpus(format!("{CPUS}/online")).len();
    (online > 0 && pollers >= online).then(|| {
        let found = format!(
            "{} on {}: nothing is left for all else",
            plural(pollers, "poller"),
            plural(online, "CPU")
        );
        Check::warn(TOPIC, found, "fewer CPUs in -l, or a machine with more")
    })
}

/// Finds a cgroup with less CPU time than the pollers take: it stops them for a part of every
/// period.
fn quota(case: &Case, pollers: usize) -> Option<Check> {
    let (path, cpus) = quotas(case).into_iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    (cpus < pollers as f64).then(|| {
        let found = format!(
            "the cgroup may use {cpus} CPUs, {} {} more: packets wait while it is stopped",
            plural(pollers, "poller"),
            if pollers == 1 { "takes" } else { "take" }
        );
        let remedy = if path.ends_with("cpu.max") {
            format!("echo max > {path}")
        } else {
            format!("echo -1 > {path}")
        };
        Check::warn(TOPIC, found, format!("{remedy} # or CPUQuota= of systemd, --cpus of docker"))
    })
}

/// Returns the limits of this process's cgroups, and of the cgroups around them, in CPUs.
fn quotas(case: &Case) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for line in case.root.read("/proc/self/cgroup").unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let ancestors = std::path::Path::new(path).ancestors();
        if controllers.is_empty() {
            for group in ancestors {
                let file = format!("/sys/fs/cgroup{}/cpu.max", group.display()).replace("//", "/");
                let Some(text) = case.root.read(&file) else { continue };
                let mut words = text.split(' ').map(|word| word.parse::<f64>().ok());
                if let (Some(Some(quota)), Some(Some(period))) = (words.next(), words.next()) {
                    found.push((file, quota / period));
                }
            }
        } else if controllers.split(',').any(|controller| controller == "cpu") {
            for group in ancestors {
                let folder = format!("/sys/fs/cgroup/{controllers}{}", group.display());
                let file = format!("{}/cpu.cfs_quota_us", folder.trim_end_matches('/'));
                let period = format!("{}/cpu.cfs_period_us", folder.trim_end_matches('/'));
                let (quota, period) = (case.root.value::<f64>(&file), case.root.value::<f64>(period));
                if let (Some(quota), Some(period)) = (quota.filter(|quota| *quota > 0.0), period) {
                    found.push((file, quota / period));
                }
            }
        }
    }
    found
}

/// Finds pollers on two threads of one core, which share its execution units.
fn siblings(case: &Case, polled: &BTreeSet<u32>) -> Vec<Check> {
    let mut cores: Vec<BTreeSet<u32>> = polled
        .iter()
        .map(|cpu| case.root.cpus(format!("{CPUS}/cpu{cpu}/topology/thread_siblings_list")))
        .map(|core| core.intersection(polled).copied().collect())
        .filter(|core: &BTreeSet<u32>| core.len() > 1)
        .collect();
    cores.dedup();
    cores
        .iter()
        .map(|core| {
            let cpus: Vec<u32> = core.iter().copied().collect();
            let found = format!("CPUs {} are threads of one core, and both poll", list(&cpus));
            Check::warn(TOPIC, found, format!("one thread of each core in -l, such as CPU {}", cpus[0]))
        })
        .collect()
}

/// Finds pollers on CPUs that are not isolated: the scheduler runs other threads there, and packets
/// wait meanwhile.
fn not_isolated(case: &Case, polled: &BTreeSet<u32>) -> Option<Check> {
    let isolated = case.root.cpus(format!("{CPUS}/isolated"));
    let tickless = case.root.cpus(format!("{CPUS}/nohz_full"));
    let shared: BTreeSet<u32> = polled.difference(&isolated).copied().collect();
    let ticking: BTreeSet<u32> = polled.difference(&tickless).copied().collect();
    let (cpus, what) = match (shared.is_empty(), ticking.is_empty()) {
        (true, true) => return None,
        (false, _) => (shared, "polls, but other work may run on it"),
        (true, false) => (ticking, "polls, but its timer tick goes on"),
    };
    let all = compact(polled);
    let found = format!("CPU {} {what}", compact(&cpus));
    Some(Check::warn(TOPIC, found, format!("isolcpus={all} nohz_full={all} on the kernel's command line")))
}

/// Checks that the time stamp counter is constant and that the kernel trusts it.
fn counter(case: &Case) -> Check {
    let flags = case.root.field("/proc/cpuinfo", "flags").unwrap_or_default();
    let lacking: Vec<&str> = ["constant_tsc", "nonstop_tsc"]
        .into_iter()
        .filter(|flag| !flags.split(' ').any(|word| word == *flag))
        .collect();
    let source = case
        .root
        .read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .unwrap_or_else(|| "unknown".to_owned());
    if !lacking.is_empty() {
        let found = format!("the time stamp counter is not {}: ages of entries may be wrong", list(&lacking));
        return Check::warn(
            TOPIC,
            found,
            "another CPU; in a virtual machine, pass the host's CPU through (-cpu host)",
        );
    }
    // The clocks of hypervisors are made from the counter too.
    if ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "xen"].contains(&source.as_str()) {
        Check::ok(TOPIC, format!("the time stamp counter is constant, the kernel's clock source is {source}"))
    } else {
        let found = format!(
            "the kernel's clock source is {source}: it may have found the time stamp counter wanting"
        );
        Check::warn(
            TOPIC,
            found,
            "dmesg | grep -i tsc # tsc=reliable on the kernel's command line if it is sound",
        )
    }
}

/// Returns CPUs as a list for `-l`: `0-3,5`.
fn compact(cpus: &BTreeSet<u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => runs.push((cpu, cpu)),
        }
    }
    let shown: Vec<String> = runs
        .iter()
        .map(|&(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    shown.join(",")
}

#[cfg(test)]
mod tests;
