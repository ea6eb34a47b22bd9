//! As much of EAL's command line as the checks need. EAL reads it with getopt: `-l 0`, `-l0`, `--vdev x` and
//! `--vdev=x` are all the same, and so is `--vde x`, because no other option starts like that.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// EAL's default for `--file-prefix`.
const PREFIX: &str = "rte";

/// EAL's default for `-m` with `--no-huge` (MEMSIZE_IF_NO_HUGE_PAGE).
const NO_HUGE_MEGABYTES: u64 = 64;

/// Lcores that Debian's DPDK has room for (RTE_MAX_LCORE).
const MAX_LCORE: u32 = 128;

/// More than any machine has. Bytes of so many megabytes are still far from overflowing.
const MAX_MEGABYTES: u64 = 1 << 30;

/// Whether a long option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    No,
    Yes,
    /// Behind `=` only.
    Optional,
}

/// All long options of DPDK 22.11 (`eal_long_options`).
const LONG: [(&str, Value); 37] = [
    ("allow", Value::Yes),
    ("base-virtaddr", Value::Yes),
    ("block", Value::Yes),
    ("create-uio-dev", Value::No),
    ("file-prefix", Value::Yes),
    ("force-max-simd-bitwidth", Value::Yes),
    ("help", Value::No),
    ("huge-dir", Value::Yes),
    ("huge-unlink", Value::Optional),
    ("huge-worker-stack", Value::Optional),
    ("in-memory", Value::No),
    ("iova-mode", Value::Yes),
    ("lcores", Value::Yes),
    ("legacy-mem", Value::No),
    ("log-level", Value::Yes),
    ("main-lcore", Value::Yes),
    ("match-allocations", Value::No),
    ("mbuf-pool-ops-name", Value::Yes),
    ("no-hpet", Value::No),
    ("no-huge", Value::No),
    ("no-pci", Value::No),
    ("no-shconf", Value::No),
    ("no-telemetry", Value::No),
    ("proc-type", Value::Yes),
    ("single-file-segments", Value::No),
    ("socket-limit", Value::Yes),
    ("socket-mem", Value::Yes),
    ("syslog", Value::Yes),
    ("telemetry", Value::No),
    ("trace", Value::Yes),
    ("trace-bufsz", Value::Yes),
    ("trace-dir", Value::Yes),
    ("trace-mode", Value::Yes),
    ("vdev", Value::Yes),
    ("vfio-intr", Value::Yes),
    ("vfio-vf-token", Value::Yes),
    ("vmware-tsc-map", Value::No),
];

/// An argument that EAL would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadArgument {
    pub(crate) found: String,
    pub(crate) remedy: String,
}

/// Of DPDK 22.11.
const MEMIF_PARAMETERS: [&str; 9] =
    ["id", "role", "bsize", "rsize", "socket", "socket-abstract", "mac", "zero-copy", "secret"];

/// A device made of software: `net_af_packet0,iface=eth1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vdev {
    /// `net_af_packet0`.
    pub(crate) name: String,
    /// `iface` is `eth1`, in order and as often as given.
    pub(crate) params: Vec<(String, String)>,
}

impl Vdev {
    /// The driver by its file's name: the vdev's name without the number, `eth_` being an old form of `net_`.
    pub(crate) fn driver(&self) -> String {
        let name = self.name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
        let name = name.strip_prefix("eth_").map_or_else(|| name.to_owned(), |rest| format!("net_{rest}"));
        match name.as_str() {
            "net_tun" => "net_tap".to_owned(),
            "net_bonding" => "net_bond".to_owned(),
            "virtio_user" | "net_virtio_user" => "net_virtio".to_owned(),
            _ => name,
        }
    }

    /// The value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params(name).next()
    }

    /// All values of a parameter.
    pub(crate) fn params(&self, name: &str) -> impl Iterator<Item = &str> {
        self.params.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }
}

/// An lcore and the CPUs it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lcore {
    pub(crate) id: u32,
    pub(crate) cpus: BTreeSet<u32>,
}

/// What the checks know of EAL's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EalArgs {
    /// `-l`, `-c` or `--lcores`; without them EAL takes every CPU of its affinity.
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

    /// Refuses what EAL takes and should not: `--proc-type secondary` and `auto`, with which it waits for ever for a
    /// primary process; and parameters that net_memif does not know, for which it ignores all others too.
    pub(crate) fn accepted(self) -> Result<Self, BadArgument> {
        if !self.primary {
            return Err(BadArgument {
                found: "--proc-type: flowtracker is a primary process".to_owned(),
                remedy: "leave it out".to_owned(),
            });
        }
        for vdev in self.vdevs.iter().filter(|vdev| vdev.driver() == "net_memif") {
            if let Some((key, _)) =
                vdev.params.iter().find(|(key, _)| !MEMIF_PARAMETERS.contains(&key.as_str()))
            {
                return Err(BadArgument {
                    found: format!(
                        "--vdev {}: net_memif has no parameter `{key}`, and would ignore all",
                        vdev.name
                    ),
                    remedy: format!("it has {}", MEMIF_PARAMETERS.join(", ")),
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

    /// The lcores in ascending order, `affinity` being the CPUs that EAL takes when it is not told.
    pub(crate) fn lcores(&self, affinity: &BTreeSet<u32>) -> Vec<Lcore> {
        self.lcores
            .clone()
            .unwrap_or_else(|| affinity.iter().map(|&id| Lcore { id, cpus: [id].into() }).collect())
    }

    /// The main lcore, which polls only if it is alone.
    pub(crate) fn main(&self, lcores: &[Lcore]) -> u32 {
        self.main_lcore.or_else(|| lcores.first().map(|lcore| lcore.id)).unwrap_or(0)
    }

    /// The lcores that poll.
    pub(crate) fn pollers(&self, affinity: &BTreeSet<u32>) -> Vec<Lcore> {
        let lcores = self.lcores(affinity);
        let main = self.main(&lcores);
        if lcores.len() == 1 { lcores } else { lcores.into_iter().filter(|l| l.id != main).collect() }
    }
}

/// The options with their values.
fn options(args: &[String]) -> Result<Vec<(String, String)>, BadArgument> {
    let mut found = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (option, value, wants) = if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let (name, wanted) = long_option(name)?;
            if value.is_some() && wanted == Value::No {
                return Err(BadArgument {
                    found: format!("--{name} takes no value"),
                    remedy: format!("--{name}"),
                });
            }
            (format!("--{name}"), value, wanted == Value::Yes)
        } else if let Some(letter) = arg.strip_prefix('-').and_then(|rest| rest.chars().next()) {
            let rest = &arg[1 + letter.len_utf8()..];
            (format!("-{letter}"), Some(rest).filter(|rest| !rest.is_empty()), !"hv".contains(letter))
        } else {
            return Err(BadArgument {
                found: format!("`{arg}` belongs to no EAL option"),
                remedy: "remove it, or put it behind the option that it is the value of".to_owned(),
            });
        };
        let value = match value {
            Some(value) => value.to_owned(),
            None if wants => args.next().cloned().ok_or_else(|| BadArgument {
                found: format!("{option} needs a value"),
                remedy: format!("{option} VALUE"),
            })?,
            None => String::new(),
        };
        found.push((option, value));
    }
    Ok(found)
}

/// The option that is meant by its name, or by a beginning that it shares with no other.
fn long_option(name: &str) -> Result<(&'static str, Value), BadArgument> {
    if let Some(option) = LONG.into_iter().find(|(long, _)| *long == name) {
        return Ok(option);
    }
    let meant: Vec<_> = LONG.into_iter().filter(|(long, _)| long.starts_with(name)).collect();
    match meant[..] {
        [option] => Ok(option),
        [] => Err(BadArgument {
            found: format!("--{name}: EAL has no such option"),
            remedy: "remove it, or put it behind `--` if it is flowtracker's".to_owned(),
        }),
        [(first, _), ..] => {
            let names: Vec<_> = meant.iter().map(|(long, _)| format!("--{long}")).collect();
            Err(BadArgument {
                found: format!("--{name} may be {}", names.join(" or ")),
                remedy: format!("write it out, such as --{first}"),
            })
        }
    }
}

/// Numbers as the kernel and EAL list them: `0-2,5`. Nothing if it is no such list.
pub(crate) fn numbers(text: &str) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        // No machine has more CPUs than this, and a slip of the hand must not take all memory.
        if first > last || last > 1 << 16 {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

/// `0x5` is lcores 0 and 2.
fn mask(text: &str) -> Option<Vec<Lcore>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut lcores = Vec::new();
    for (nibble, digit) in digits.chars().rev().enumerate() {
        let digit = digit.to_digit(16)?;
        for bit in (0..4).filter(|bit| digit & (1 << bit) != 0) {
            let id = u32::try_from(nibble).ok()? * 4 + bit;
            lcores.push(Lcore { id, cpus: [id].into() });
        }
    }
    (!lcores.is_empty()).then_some(lcores)
}

/// EAL's `lcores[@cpus][,…]`, each side a number or a list in parentheses; a list without `@` shares its CPUs.
fn lcore_map(text: &str) -> Option<Vec<Lcore>> {
    let mut lcores: Vec<Lcore> = Vec::new();
    for part in split_outside_parentheses(text) {
        let (ids, cpus) = part.split_once('@').map_or((part, None), |(ids, cpus)| (ids, Some(cpus)));
        let together = ids.starts_with('(');
        let plain = |text: &str| numbers(text.trim_matches(['(', ')']));
        let ids = plain(ids)?;
        let cpus = cpus.map_or_else(|| together.then(|| ids.clone()), plain);
        for id in ids {
            lcores.retain(|lcore| lcore.id != id);
            lcores.push(Lcore { id, cpus: cpus.clone().unwrap_or_else(|| [id].into()) });
        }
    }
    lcores.sort_by_key(|lcore| lcore.id);
    (!lcores.is_empty()).then_some(lcores)
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .filter(|part| !part.is_empty())
    .collect()
}

fn vdev(text: &str) -> Vdev {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default().to_owned();
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (key.to_owned(), value.to_owned())
    };
    Vdev { name, params: parts.map(pair).collect() }
}

/// `01:00.0,key=value` is `0000:01:00.0`.
fn pci_address(text: &str) -> String {
    let text = text.strip_prefix("pci:").unwrap_or(text);
    let address = text.split(',').next().unwrap_or_default().to_ascii_lowercase();
    if address.matches(':').count() == 1 { format!("0000:{address}") } else { address }
}

/// Lcores beyond what DPDK has room for.
pub(crate) fn beyond_dpdk(lcores: &[Lcore]) -> Vec<u32> {
    lcores.iter().map(|lcore| lcore.id).filter(|&id| id >= MAX_LCORE).collect()
}

#[cfg(test)]
mod tests;
