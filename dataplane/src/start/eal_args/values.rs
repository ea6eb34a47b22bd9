//! The values of EAL's options: CPU lists, masks and maps, virtual devices, PCI addresses.

use std::collections::BTreeSet;

/// Lcores that Debian's DPDK has room for (RTE_MAX_LCORE).
const MAX_LCORE: u32 = 128;

/// A virtual device, such as `net_af_packet0,iface=eth1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vdev {
    /// Such as `net_af_packet0`.
    pub(crate) name: String,
    /// Such as `iface` and `eth1`, in the order of the argument, repeated where it repeats them.
    pub(crate) params: Vec<(String, String)>,
}

impl Vdev {
    /// Returns the driver, named as its plugin: the device's name without the number, with `net_`
    /// for the old prefix `eth_`.
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

    /// Returns the first value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params(name).next()
    }

    /// Returns all values of a parameter.
    pub(crate) fn params(&self, name: &str) -> impl Iterator<Item = &str> {
        self.params.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter, if it is a number.
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

/// Returns the lcores whose ids are too large for DPDK.
pub(crate) fn beyond_dpdk(lcores: &[Lcore]) -> Vec<u32> {
    lcores.iter().map(|lcore| lcore.id).filter(|&id| id >= MAX_LCORE).collect()
}

/// Reads numbers as the kernel and EAL list them, such as `0-2,5`. Returns `None` for any other
/// text.
pub(crate) fn numbers(text: &str) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        // No machine has more CPUs than this. Without a bound, a typing error could take all
        // memory.
        if first > last || last > 1 << 16 {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

/// Reads a mask of lcores: `0x5` is lcores 0 and 2.
pub(super) fn mask(text: &str) -> Option<Vec<Lcore>> {
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

/// Reads `lcores[@cpus][,…]`. Each side is a number or a list in parentheses; the lcores of a list
/// without `@` share its CPUs.
pub(super) fn lcore_map(text: &str) -> Option<Vec<Lcore>> {
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

/// Reads the value of `--vdev`.
pub(super) fn vdev(text: &str) -> Vdev {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default().to_owned();
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (key.to_owned(), value.to_owned())
    };
    Vdev { name, params: parts.map(pair).collect() }
}

/// Returns a PCI address in full and without its parameters: `0000:01:00.0` for
/// `01:00.0,key=value`.
pub(super) fn pci_address(text: &str) -> String {
    let text = text.strip_prefix("pci:").unwrap_or(text);
    let address = text.split(',').next().unwrap_or_default().to_ascii_lowercase();
    if address.matches(':').count() == 1 { format!("0000:{address}") } else { address }
}
