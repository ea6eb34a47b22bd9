//! The part of EAL's command line that the start and the doctor have to understand.

mod getopt;
mod values;

use std::collections::BTreeSet;
use std::path::PathBuf;

pub(crate) use getopt::BadArgument;
use getopt::options;
pub(crate) use values::{Lcore, Vdev, beyond_dpdk, numbers};
use values::{lcore_map, mask, pci_address, vdev};

/// EAL's default for `--file-prefix`.
const PREFIX: &str = "rte";

/// EAL's default for `-m` with `--no-huge` (MEMSIZE_IF_NO_HUGE_PAGE).
const NO_HUGE_MEGABYTES: u64 = 64;

/// More megabytes than any machine has, few enough that their bytes do not overflow.
const MAX_MEGABYTES: u64 = 1 << 30;

/// The parameters of net_memif, each with the DPDK release that brought it, or the oldest supported.
const MEMIF_PARAMETERS: [(&str, (u32, u32)); 11] = [
    ("id", (22, 11)),
    ("role", (22, 11)),
    ("bsize", (22, 11)),
    ("rsize", (22, 11)),
    ("socket", (22, 11)),
    ("socket-abstract", (22, 11)),
    ("owner-uid", (23, 3)),
    ("owner-gid", (23, 3)),
    ("mac", (22, 11)),
    ("zero-copy", (22, 11)),
    ("secret", (22, 11)),
];

/// EAL's arguments, as far as they are understood here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EalArgs {
    /// `-l`, `-c` or `--lcores`. Without them EAL takes every CPU of its affinity.
    pub(crate) lcores: Option<Vec<Lcore>>,
    pub(crate) main_lcore: Option<u32>,
    /// `-m`, in megabytes, or EAL's default with `--no-huge`.
    pub(crate) megabytes: Option<u64>,
    /// `--socket-mem`: megabytes of each NUMA node.
    pub(crate) socket_mem: Vec<u64>,
    pub(crate) no_huge: bool,
    pub(crate) no_pci: bool,
    pub(crate) no_shconf: bool,
    pub(crate) in_memory: bool,
    /// `--proc-type` is `primary`, or was not given.
    pub(crate) primary: bool,
    pub(crate) file_prefix: String,
    pub(crate) huge_dir: Option<PathBuf>,
    pub(crate) vdevs: Vec<Vdev>,
    /// `-a`, without parameters and in full: `0000:01:00.0`.
    pub(crate) allow: Vec<String>,
    /// `-b`, in the same form.
    pub(crate) block: Vec<String>,
    /// `-d`: further drivers, files or folders.
    pub(crate) drivers: Vec<PathBuf>,
}

impl EalArgs {
    /// Reads the arguments.
    ///
    /// # Errors
    /// When EAL would refuse them too.
    pub(crate) fn parse(args: &[String]) -> Result<Self, BadArgument> {
        let mut eal = EalArgs {
            lcores: None,
            main_lcore: None,
            megabytes: None,
            socket_mem: Vec::new(),
            no_huge: false,
            no_pci: false,
            no_shconf: false,
            in_memory: false,
            primary: true,
            file_prefix: PREFIX.to_owned(),
            huge_dir: None,
            vdevs: Vec::new(),
            allow: Vec::new(),
            block: Vec::new(),
            drivers: Vec::new(),
        };
        for (option, value) in options(args)? {
            eal.set(&option, &value)?;
        }
        if eal.no_huge {
            eal.megabytes = eal.megabytes.or(Some(NO_HUGE_MEGABYTES));
        }
        if eal.no_huge && eal.in_memory {
            return Err(BadArgument {
                found: "--no-huge and --in-memory cannot be combined".to_owned(),
                remedy: "--no-huge --no-shconf".to_owned(),
            });
        }
        Ok(eal)
    }

    /// Refuses arguments that EAL takes with a result that nobody wants. With `--proc-type
    /// secondary` or `auto` it waits for ever for a primary process. A parameter that net_memif
    /// does not know makes it ignore all its parameters.
    pub(crate) fn accepted(self) -> Result<Self, BadArgument> {
        if !self.primary {
            return Err(BadArgument {
                found: "--proc-type: flowtracker is a primary process".to_owned(),
                remedy: "leave it out".to_owned(),
            });
        }
        let known: Vec<&str> = MEMIF_PARAMETERS
            .iter()
            .filter(|(_, since)| *since <= dpdk::RELEASE)
            .map(|(key, _)| *key)
            .collect();
        for vdev in self.vdevs.iter().filter(|vdev| vdev.driver() == "net_memif") {
            if let Some((key, _)) = vdev.params.iter().find(|(key, _)| !known.contains(&key.as_str())) {
                return Err(BadArgument {
                    found: format!(
                        "--vdev {}: net_memif has no parameter `{key}`, and would ignore all",
                        vdev.name
                    ),
                    remedy: format!("it has {}", known.join(", ")),
                });
            }
        }
        Ok(self)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), BadArgument> {
        let bad = |remedy: &str| BadArgument {
            found: format!("{option}: `{value}` cannot be read"),
            remedy: remedy.to_owned(),
        };
        let cores = "give CPUs such as -l 0,2-3";
        match option {
            "-l" => {
                let same = |id| Lcore { id, cpus: [id].into() };
                let ids = numbers(value).filter(|ids| !ids.is_empty()).ok_or_else(|| bad(cores))?;
                self.lcores = Some(ids.into_iter().map(same).collect());
            }
            "-c" => self.lcores = Some(mask(value).ok_or_else(|| bad("give a mask such as -c 0x3"))?),
            "--lcores" => {
                self.lcores = Some(
                    lcore_map(value)
                        .ok_or_else(|| bad("give lcores and their CPUs such as --lcores 0,1@3"))?,
                );
            }
            "--main-lcore" => self.main_lcore = Some(value.parse().map_err(|_| bad("--main-lcore 0"))?),
            "-m" => {
                let megabytes = value.parse().ok().filter(|megabytes| *megabytes <= MAX_MEGABYTES);
                self.megabytes = Some(megabytes.ok_or_else(|| bad("give megabytes such as -m 256"))?);
            }
            "--socket-mem" => {
                let each = value.split(',').map(|text| text.parse().ok().filter(|n| *n <= MAX_MEGABYTES));
                let each: Option<Vec<u64>> = each.collect();
                self.socket_mem = each
                    .filter(|each| each.iter().sum::<u64>() <= MAX_MEGABYTES)
                    .ok_or_else(|| bad("give megabytes of each node such as 512,512"))?;
            }
            "--no-huge" => self.no_huge = true,
            "--no-pci" => self.no_pci = true,
            "--no-shconf" => self.no_shconf = true,
            "--in-memory" => self.in_memory = true,
            "--proc-type" => self.primary = value.eq_ignore_ascii_case("primary"),
            "--file-prefix" => {
                if value.contains(['%', '/']) || value.is_empty() {
                    return Err(bad("give a plain word such as --file-prefix ft"));
                }
                value.clone_into(&mut self.file_prefix);
            }
            "--huge-dir" => self.huge_dir = Some(value.into()),
            "--vdev" => self.vdevs.push(vdev(value)),
            "-a" | "--allow" => self.allow.push(pci_address(value)),
            "-b" | "--block" => self.block.push(pci_address(value)),
            "-d" => self.drivers.push(value.into()),
            _ => {}
        }
        Ok(())
    }

    /// Returns the lcores in ascending order. `affinity` are the CPUs that EAL takes when no lcores
    /// are given.
    pub(crate) fn lcores(&self, affinity: &BTreeSet<u32>) -> Vec<Lcore> {
        self.lcores
            .clone()
            .unwrap_or_else(|| affinity.iter().map(|&id| Lcore { id, cpus: [id].into() }).collect())
    }

    /// Returns the main lcore, which polls only if it is alone.
    pub(crate) fn main(&self, lcores: &[Lcore]) -> u32 {
        self.main_lcore.or_else(|| lcores.first().map(|lcore| lcore.id)).unwrap_or(0)
    }

    /// Returns the lcores that poll.
    pub(crate) fn pollers(&self, affinity: &BTreeSet<u32>) -> Vec<Lcore> {
        let lcores = self.lcores(affinity);
        let main = self.main(&lcores);
        if lcores.len() == 1 { lcores } else { lcores.into_iter().filter(|l| l.id != main).collect() }
    }
}

#[cfg(test)]
mod tests;
