use super::super::testing::{Fixture, all};
use super::super::{Check, Verdict};
use super::*;

fn examine(fixture: &Fixture, lcores: &str) -> Vec<Check> {
    let line = format!("{lcores} --no-huge --no-pci --vdev net_null0 --vdev net_null1");
    all(&fixture.examine(&line), "cpus")
}

/// Returns the only line of the report that is not good.
#[track_caller]
fn finding(fixture: &Fixture, lcores: &str) -> Check {
    let bad: Vec<_> =
        examine(fixture, lcores).into_iter().filter(|check| check.verdict != Verdict::Ok).collect();
    let [check] = &bad[..] else { panic!("{bad:?}") };
    check.clone()
}

#[test]
fn a_cpu_that_is_absent_offline_or_forbidden_is_a_failure() {
    let mut fixture = Fixture::healthy();
    let check = finding(&fixture, "-l 0,7");
    assert_eq!((check.verdict, &*check.found), (Verdict::Fail, "there is no CPU 7"));
    assert_eq!(check.remedy, "-l 0-3");
    std::fs::remove_dir_all(fixture.path("/sys/devices/system/cpu/cpu2/topology")).unwrap();
    let check = finding(&fixture, "-l 2");
    assert_eq!(check.remedy, "echo 1 > /sys/devices/system/cpu/cpu2/online");
    fixture.env.may_run_on = |cpu| cpu != 1;
    let check = finding(&fixture, "-l 0,1");
    assert_eq!(check.found, "CPU 1 is outside the cpuset of this process");
    assert!(check.remedy.starts_with("-l 0,3, "), "{check:?}");
    assert!(finding(&fixture, "-l 200").found.contains("no room"));
    assert_eq!(finding(&fixture, "-l 0,3 --main-lcore 1").remedy, "--main-lcore 0");
}

#[test]
fn the_kernel_is_asked_without_moving_this_thread() {
    let root = super::super::Root::default();
    let before = root.field("/proc/thread-self/status", "Cpus_allowed_list");
    let first = numbers(&before.clone().unwrap()).unwrap().pop_first().unwrap();
    assert!(may_run_on(first));
    assert!(!may_run_on(1000) && !may_run_on(u32::MAX));
    assert_eq!(root.field("/proc/thread-self/status", "Cpus_allowed_list"), before);
}

#[test]
fn an_affinity_that_dpdk_will_leave_is_a_warning() {
    let fixture = Fixture::healthy();
    fixture.status("Cpus_allowed_list:\t0");
    let check = finding(&fixture, "-l 1");
    assert_eq!(check.verdict, Verdict::Warn);
    assert!(check.found.starts_with("lcore 1: outside the affinity"), "{check:?}");
    assert!(check.remedy.starts_with("-l 0,"), "{check:?}");
}

#[test]
fn a_poller_wants_its_cpu_for_itself() {
    let fixture = Fixture::healthy();
    fixture.file("/sys/devices/system/cpu/isolated", "1");
    fixture.file("/sys/devices/system/cpu/nohz_full", "1-2");
    assert!(finding(&fixture, "-l 0,2").remedy.starts_with("isolcpus=2 nohz_full=2"));
    fixture.file("/sys/devices/system/cpu/isolated", "1-3");
    assert!(finding(&fixture, "-l 0,3").found.contains("timer tick"));
    assert!(examine(&fixture, "-l 0,2").iter().all(|check| check.verdict == Verdict::Ok));
}

#[test]
fn threads_of_one_core_are_pointed_out() {
    let fixture = Fixture::healthy();
    for cpu in [1, 3] {
        fixture.file(&format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"), "1,3");
    }
    assert_eq!(finding(&fixture, "-l 0,1,3").found, "CPUs 1 and 3 are threads of one core, and both poll");
    assert!(examine(&fixture, "-l 0,1,2").iter().all(|check| check.verdict == Verdict::Ok));
}

#[test]
fn a_machine_that_only_polls_is_crowded() {
    let fixture = Fixture::healthy();
    fixture.file("/sys/devices/system/cpu/online", "0");
    assert!(finding(&fixture, "-l 1").found.contains("1 poller on 1 CPU"));
}

#[test]
fn a_quota_below_the_pollers_stops_them() {
    let fixture = Fixture::healthy();
    fixture.file("/proc/self/cgroup", "0::/a/b\n");
    fixture.file("/sys/fs/cgroup/a/cpu.max", "150000 100000");
    fixture.file("/sys/fs/cgroup/a/b/cpu.max", "max 100000");
    let check = finding(&fixture, "-l 0-2");
    assert!(check.found.contains("may use 1.5 CPUs, 2 pollers take more"), "{check:?}");
    assert!(check.remedy.starts_with("echo max > /sys/fs/cgroup/a/cpu.max"), "{check:?}");
    assert!(examine(&fixture, "-l 0,1").iter().all(|check| check.verdict == Verdict::Ok));

    let fixture = Fixture::healthy();
    fixture.file("/proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/x\n");
    fixture.file("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "50000");
    fixture.file("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000");
    let check = finding(&fixture, "-l 0,1");
    assert!(check.remedy.starts_with("echo -1 > /sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us"), "{check:?}");
}

#[test]
fn the_counter_has_to_be_a_clock() {
    let fixture = Fixture::healthy();
    fixture.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc constant_tsc\n");
    assert!(finding(&fixture, "-l 0,1").found.contains("not nonstop_tsc"));
    let fixture = Fixture::healthy();
    fixture.file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
    assert!(finding(&fixture, "-l 0,1").found.contains("hpet"));
}
