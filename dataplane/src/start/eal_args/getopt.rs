//! Reads options as getopt_long does for EAL: `-l 0`, `-l0`, `--vdev x` and `--vdev=x`, and a long
//! option by any beginning that it shares with no other.

/// An argument that EAL would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadArgument {
    /// What is wrong.
    pub(crate) found: String,
    /// What to give instead.
    pub(crate) remedy: String,
}

/// Whether a long option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    No,
    Yes,
    /// After `=` only.
    Optional,
}

/// The long options that DPDK 24.11 has added, or takes in another form.
const SINCE_24_11: [(&str, Value); 3] =
    [("log-color", Value::Optional), ("log-timestamp", Value::Optional), ("syslog", Value::Optional)];

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

/// Splits arguments into options, with their dashes, and values; an option without a value has an
/// empty one.
pub(super) fn options(args: &[String]) -> Result<Vec<(String, String)>, BadArgument> {
    let mut found = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (option, value, wants) = if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let (name, wanted) = long_option(name, dpdk::RELEASE)?;
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

/// Returns the long options of a DPDK release.
fn long_options(release: (u32, u32)) -> Vec<(&'static str, Value)> {
    let newer: &[_] = if release >= (24, 11) { &SINCE_24_11 } else { &[] };
    let kept = |(long, _): &&(&str, Value)| !newer.iter().any(|(name, _)| name == long);
    LONG.iter().filter(kept).chain(newer).copied().collect()
}

/// Finds a long option of a DPDK release by its name, or by a beginning that it shares with no
/// other.
fn long_option(name: &str, release: (u32, u32)) -> Result<(&'static str, Value), BadArgument> {
    let long = long_options(release);
    if let Some(option) = long.iter().find(|(long, _)| *long == name) {
        return Ok(*option);
    }
    let meant: Vec<_> = long.into_iter().filter(|(long, _)| long.starts_with(name)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_release() {
        let value = |name, release| long_option(name, release).map(|(_, value)| value).ok();
        assert_eq!(value("syslog", (22, 11)), Some(Value::Yes));
        assert_eq!(value("syslog", (24, 11)), Some(Value::Optional));
        assert_eq!(value("log-timestamp", (23, 7)), None);
        assert_eq!(value("log-timestamp", (24, 11)), Some(Value::Optional));
        // A beginning of two options in the later release.
        assert_eq!(value("log-", (22, 11)), Some(Value::Yes));
        assert_eq!(value("log-", (24, 11)), None);
    }
}
