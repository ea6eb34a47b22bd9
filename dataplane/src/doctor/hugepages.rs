//! Memory: are there enough hugepages of a size that the kernel has, and are they mounted? Without
//! hugepages (`--no-huge`), is `-m` enough?

use std::path::{Path, PathBuf};

use crate::doctor::case::Case;
use crate::doctor::check::{Check, list, plural};
use crate::doctor::ports;

const TOPIC: &str = "hugepages";
const SIZES: &str = "/sys/kernel/mm/hugepages";
const MEGABYTE: u64 = 1 << 20;

/// The least that DPDK needs beside the mbufs: its heap, and the ring of the pool.
const OVERHEAD: u64 = MEGABYTE;

/// The same with `--no-huge`, found by starting with more and more memory.
const ORDINARY_OVERHEAD: u64 = 5 * MEGABYTE;

/// What more devices and ports may need.
const MARGIN: u64 = 4 * MEGABYTE;

/// The hugepages of one size.
struct Pages {
    /// Bytes of a page.
    size: u64,
    /// Pages that EAL can take.
    available: u64,
    /// Where its hugetlbfs is mounted.
    mount: Option<PathBuf>,
}

impl Pages {
    fn shown(&self) -> String {
        format!("{} x {} MB", self.available, self.size / MEGABYTE)
    }

    fn bytes(&self) -> u64 {
        self.available * self.size
    }
}

pub(super) fn check(case: &Case) -> Vec<Check> {
    let mbufs = ports::mbufs(case);
    let overhead = if case.eal.no_huge { ORDINARY_OVERHEAD } else { OVERHEAD };
    let need = mbufs.map_or(0, |_| ports::mbuf_bytes(case) + overhead);
    let purpose = mbufs.map_or("the mbufs".to_owned(), |mbufs| plural(mbufs as usize, "mbuf"));
    vec![if case.eal.no_huge { ordinary(case, need, &purpose) } else { huge(case, need, &purpose) }]
}

/// Checks the memory of `--no-huge`, which is taken at the start and never grows.
fn ordinary(case: &Case, need: u64, purpose: &str) -> Check {
    let given = case.eal.megabytes.unwrap_or(0);
    let need = need.div_ceil(MEGABYTE);
    if given < need {
        return Check::fail(
            TOPIC,
            format!("not used (--no-huge), and -m {given} is less than the {need} MB that {purpose} need"),
            format!("-m {}", (2 * need).next_power_of_two()),
        );
    }
    if given * MEGABYTE < need * MEGABYTE + MARGIN {
        return Check::warn(
            TOPIC,
            format!("not used (--no-huge), and -m {given} barely holds the {need} MB that {purpose} need"),
            format!("-m {}", (2 * need).next_power_of_two()),
        );
    }
    let available = case.root.field("/proc/meminfo", "MemAvailable").and_then(|text| kilobytes(&text));
    if available.is_some_and(|available| available < given * MEGABYTE) {
        return Check::warn(
            TOPIC,
            format!("not used (--no-huge), and -m {given} is more than the memory that is free"),
            format!("-m {}", (2 * need).next_power_of_two()),
        );
    }
    Check::ok(TOPIC, format!("not used (--no-huge): {given} MB of ordinary memory, {purpose} need {need} MB"))
}

fn huge(case: &Case, need: u64, purpose: &str) -> Check {
    let asked = case.eal.megabytes.unwrap_or_else(|| case.eal.socket_mem.iter().sum()) * MEGABYTE;
    let want = need.max(asked);
    let pages = sizes(case);
    let Some(smallest) = pages.iter().map(|pages| pages.size).min() else {
        return Check::fail(TOPIC, format!("the kernel has none ({SIZES})"), "--no-huge -m 256");
    };
    let reserve = |bytes: u64| {
        let kilobytes = smallest / 1024;
        let count = bytes.max(64 * MEGABYTE).div_ceil(smallest);
        format!("echo {count} > {SIZES}/hugepages-{kilobytes}kB/nr_hugepages # or --no-huge -m 256")
    };
    let available: Vec<_> = pages.iter().filter(|pages| pages.available > 0).collect();
    if available.is_empty() {
        let found =
            format!("none of {} is free", list(&pages.iter().map(Pages::size_shown).collect::<Vec<_>>()));
        return Check::fail(TOPIC, found, reserve(want));
    }
    let usable: Vec<_> = available.iter().filter(|p| case.eal.in_memory || p.mount.is_some()).collect();
    let shown = |pages: &[&&Pages]| list(&pages.iter().map(|pages| pages.shown()).collect::<Vec<_>>());
    if usable.is_empty() {
        let free = shown(&available.iter().collect::<Vec<_>>());
        return match &case.eal.huge_dir {
            Some(folder) => Check::fail(
                TOPIC,
                format!("{free} are free, but {} (--huge-dir) is no hugetlbfs", folder.display()),
                format!("mount -t hugetlbfs nodev {}", folder.display()),
            ),
            None => Check::fail(
                TOPIC,
                format!("{free} are free, but no hugetlbfs is mounted"),
                "mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages # or --in-memory",
            ),
        };
    }
    let have: u64 = usable.iter().map(|pages| pages.bytes()).sum();
    let free = shown(&usable);
    if have < want {
        let why = if asked > need {
            format!("-m {} asks for more", asked / MEGABYTE)
        } else {
            format!("{purpose} need {} MB", need.div_ceil(MEGABYTE))
        };
        return Check::fail(TOPIC, format!("{free} are free, {why}"), reserve(want));
    }
    if let Some(mount) = usable.iter().filter_map(|pages| pages.mount.as_ref()).find(|mount| {
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        !case.eal.in_memory && rustix::fs::access(case.root.path(mount), access).is_err()
    }) {
        let mount = mount.display();
        return Check::fail(
            TOPIC,
            format!("{free} are free, but {mount} is not writable for this user"),
            format!("sudo chown \"$USER\" {mount} # or --in-memory"),
        );
    }
    let place = match usable[0].mount.as_ref() {
        Some(mount) if !case.eal.in_memory => format!(" at {}", mount.display()),
        _ => String::new(),
    };
    Check::ok(TOPIC, format!("{free} are free{place}, {purpose} need {} MB", need.div_ceil(MEGABYTE)))
}

impl Pages {
    fn size_shown(&self) -> String {
        format!("{} MB", self.size / MEGABYTE)
    }
}

/// Returns the sizes that the kernel has, largest first, as EAL sorts them.
fn sizes(case: &Case) -> Vec<Pages> {
    let default_size = case
        .root
        .field("/proc/meminfo", "Hugepagesize")
        .and_then(|text| kilobytes(&text))
        .unwrap_or(2 * MEGABYTE);
    let mounts = mounts(&case.root.read("/proc/mounts").unwrap_or_default(), default_size);
    let mut sizes: Vec<Pages> = case
        .root
        .names(SIZES)
        .into_iter()
        .filter_map(|name| {
            let size = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok()? * 1024;
            let mount = mounts
                .iter()
                .find(|(path, of)| *of == size && case.eal.huge_dir.as_ref().is_none_or(|dir| dir == path))
                .map(|(path, _)| path.clone());
            Some(Pages { size, available: available(case, &Path::new(SIZES).join(name)), mount })
        })
        .collect();
    sizes.sort_unstable_by_key(|pages| std::cmp::Reverse(pages.size));
    sizes
}

/// Counts the pages that are free and not reserved by others, and those that the kernel may make on
/// demand.
fn available(case: &Case, folder: &Path) -> u64 {
    let count = |name: &str| case.root.value::<u64>(folder.join(name)).unwrap_or(0);
    count("free_hugepages").saturating_sub(count("resv_hugepages"))
        + count("nr_overcommit_hugepages").saturating_sub(count("surplus_hugepages"))
}

/// Reads the hugetlbfs mounts: the path, and the bytes of a page.
fn mounts(text: &str, default_size: u64) -> Vec<(PathBuf, u64)> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (path, kind, options) = (words.nth(1)?, words.next()?, words.next()?);
            let size = options.split(',').find_map(|option| option.strip_prefix("pagesize="));
            (kind == "hugetlbfs").then(|| (path.into(), size.and_then(suffixed).unwrap_or(default_size)))
        })
        .collect()
}

/// Reads a size with a suffix, such as `2M` or `1G`, in bytes.
fn suffixed(text: &str) -> Option<u64> {
    let shift = match text.chars().last()? {
        'K' | 'k' => 10,
        'M' | 'm' => 20,
        'G' | 'g' => 30,
        _ => return text.parse().ok(),
    };
    Some(text[..text.len() - 1].parse::<u64>().ok()? << shift)
}

/// Reads a size such as `2048 kB`, in bytes.
pub(super) fn kilobytes(text: &str) -> Option<u64> {
    Some(text.strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, only};
    use super::super::{Check, Verdict};

    const PORTS: &str = "-l 0 --no-pci --no-shconf --vdev net_null0 --vdev net_null1";

    fn with_pages(free: u32, mounted: bool) -> Fixture {
        let fixture = Fixture::healthy();
        for (size, count) in [(2048, free), (1 << 20, 0)] {
            let folder = format!("/sys/kernel/mm/hugepages/hugepages-{size}kB");
            fixture.file(&format!("{folder}/free_hugepages"), count);
            fixture.file(&format!("{folder}/resv_hugepages"), 0);
        }
        if mounted {
            fixture.file("/proc/mounts", "nodev /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n");
            fixture.folder("/dev/hugepages");
        }
        fixture
    }

    fn hugepages(fixture: &Fixture, more: &str) -> Check {
        only(&fixture.examine(&format!("{PORTS} {more}")), "hugepages")
    }

    #[test]
    fn none_free_is_a_failure_with_a_command() {
        let check = hugepages(&with_pages(0, true), "");
        assert_eq!((check.verdict, &*check.found), (Verdict::Fail, "none of 1024 MB and 2 MB is free"));
        assert_eq!(
            check.remedy,
            "echo 32 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages # or --no-huge -m 256"
        );
        // What was asked for is what is to be reserved.
        let check = hugepages(&with_pages(0, true), "-m 512");
        assert!(check.remedy.starts_with("echo 256 > "), "{check:?}");
    }

    #[test]
    fn pages_need_a_mount_unless_they_are_anonymous() {
        let check = hugepages(&with_pages(64, false), "");
        assert_eq!(check.verdict, Verdict::Fail);
        assert!(check.found.contains("no hugetlbfs is mounted"), "{check:?}");
        assert_eq!(hugepages(&with_pages(64, false), "--in-memory").verdict, Verdict::Ok);
        assert_eq!(hugepages(&with_pages(64, true), "").verdict, Verdict::Ok);
        let check = hugepages(&with_pages(64, true), "--huge-dir /mnt/other");
        assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "mount -t hugetlbfs nodev /mnt/other"));
        assert_eq!(hugepages(&with_pages(64, true), "--huge-dir /dev/hugepages").verdict, Verdict::Ok);
    }

    #[test]
    fn too_few_pages_are_a_failure() {
        let check = hugepages(&with_pages(64, true), "-m 129");
        assert_eq!(
            (check.verdict, &*check.found),
            (Verdict::Fail, "64 x 2 MB are free, -m 129 asks for more")
        );
        let check = hugepages(&with_pages(3, true), "");
        assert!(check.verdict == Verdict::Fail && check.found.contains("4544 mbufs need"), "{check:?}");
        let fixture = with_pages(64, true);
        fixture.file("/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", 62);
        assert_eq!(hugepages(&fixture, "").verdict, Verdict::Fail);
        fixture.file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages", 100);
        assert_eq!(hugepages(&fixture, "").verdict, Verdict::Ok);
    }

    #[test]
    fn ordinary_memory_is_checked_against_the_mbufs() {
        let fixture = Fixture::healthy();
        assert_eq!(hugepages(&fixture, "--no-huge").verdict, Verdict::Ok);
        // As measured: DPDK starts with 16 MB and not with 15.
        let check = hugepages(&fixture, "--no-huge -m 15");
        assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "-m 32"));
        assert_eq!(hugepages(&fixture, "--no-huge -m 16").verdict, Verdict::Warn);
        let check = hugepages(&fixture, "--no-huge -m 2000000");
        assert_eq!(check.verdict, Verdict::Warn);
    }
}
