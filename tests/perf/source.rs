//! The traffic that needs no wire: `source.c`, preloaded into any program that polls DPDK ports,
//! writes and counts it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowtracker_tests::process::{run, workspace_root};

/// The shares of a [`Load`] are out of this number of frames.
pub(crate) const SHARES: u32 = 1024;

/// Buckets of the histogram of waits: eight for each power of two cycles.
const BUCKETS: usize = 64 * 8;
/// `struct meter`: eight words, then the histogram.
const METER: usize = 8 * (8 + BUCKETS);
const PORTS: usize = 8;

/// The traffic to send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// Number of flows of both ports together, sent in turn; 0 leaves frames as the driver made
    /// them.
    pub(crate) flows: u64,
    /// Number of frames, out of [`SHARES`], that start a new flow.
    pub(crate) fresh: u32,
    /// Number of frames, out of [`SHARES`], that belong to one flow per port.
    pub(crate) elephant: u32,
    /// A file of the flows, if they are chosen: 12 bytes each, or 36 of IPv6, addresses and ports
    /// as on the wire. Both ports send all of them.
    pub(crate) keys: Option<PathBuf>,
    /// Whether to measure the time from receive to transmit.
    pub(crate) latency: bool,
    /// The families, if they are to be compared: every frame then gets its whole headers.
    pub(crate) families: Option<Families>,
    /// Extension headers of each IPv6 frame, 8 bytes each, at most 8.
    pub(crate) extensions: u32,
}

/// The families of a [`Load`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    Ipv4,
    Ipv6,
    /// Frames of both, one after the other.
    Both,
}

/// Counts since the start of the program.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// Frames received.
    pub(crate) frames: u64,
    /// Received frames that start a new flow.
    pub(crate) fresh: u64,
    /// Frames by bucket of the time from receive to transmit.
    waited: Vec<u64>,
    /// Cycles per second.
    hz: u64,
}

impl Counts {
    /// Returns the counts since `before`.
    pub(crate) fn since(&self, before: &Counts) -> Counts {
        Counts {
            frames: self.frames - before.frames,
            fresh: self.fresh - before.fresh,
            waited: self.waited.iter().zip(&before.waited).map(|(now, then)| now - then).collect(),
            hz: self.hz,
        }
    }

    /// Returns a quantile of the time from receive to transmit, in nanoseconds: the end of its
    /// bucket.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let all: u64 = self.waited.iter().sum();
        let mut left = (all as f64 * share).ceil() as u64;
        for (bucket, &count) in self.waited.iter().enumerate() {
            if count >= left {
                let end = (9 + bucket as u64 % 8) << (bucket as u64 / 8).saturating_sub(3);
                return end as f64 * 1e9 / self.hz as f64;
            }
            left -= count;
        }
        f64::NAN
    }
}

/// The file in which a program under `source.c` counts.
pub(crate) struct Meter {
    file: File,
    path: PathBuf,
}

impl Meter {
    /// Makes a new file in this folder; one program may use it.
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("meter");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.expect("a file for the counts");
        file.set_len((PORTS * METER) as u64).expect("room for the counts");
        Meter { file, path }
    }

    /// Makes the program's ports send this load.
    pub(crate) fn attach(&self, program: &mut Command, library: &Path, load: &Load) {
        let per_port = if load.keys.is_some() { load.flows } else { load.flows.div_ceil(2) };
        program.env("LD_PRELOAD", library);
        program.env("SOURCE_METER", &self.path);
        program.env("SOURCE_FLOWS", per_port.to_string());
        program.env("SOURCE_NEW", load.fresh.to_string());
        program.env("SOURCE_ELEPHANT", load.elephant.to_string());
        program.env("SOURCE_LATENCY", u8::from(load.latency).to_string());
        program.env("SOURCE_EXTENSIONS", load.extensions.to_string());
        if let Some(families) = load.families {
            let families = match families {
                Families::Ipv4 => "4",
                Families::Ipv6 => "6",
                Families::Both => "46",
            };
            program.env("SOURCE_FAMILIES", families);
        }
        if let Some(keys) = &load.keys {
            program.env("SOURCE_KEYS", keys);
        }
    }

    /// Returns the counts of all ports.
    pub(crate) fn read(&self) -> Counts {
        let mut bytes = vec![0; PORTS * METER];
        self.file.read_exact_at(&mut bytes, 0).expect("the counts");
        let word = |port: usize, at: usize| {
            let at = port * METER + 8 * at;
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
        };
        let sum = |at| (0..PORTS).map(|port| word(port, at)).sum();
        Counts {
            frames: sum(0),
            fresh: sum(3),
            hz: word(0, 4),
            waited: (0..BUCKETS).map(|bucket| sum(8 + bucket)).collect(),
        }
    }
}

/// Compiles `source.c` and returns the path of the library to preload.
pub(crate) fn build() -> PathBuf {
    let root = workspace_root();
    let library = root.join("target/lab/source.so");
    std::fs::create_dir_all(root.join("target/lab")).expect("target/lab");
    let flags = run(Command::new("pkg-config").args(["--cflags", "libdpdk"]));
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]).args(flags.split_whitespace());
    run(cc.arg(root.join("tests/perf/source.c")).arg("-o").arg(&library));
    library
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_ends_of_buckets() {
        let mut waited = vec![0; BUCKETS];
        // 1024 to 1151 cycles, and 2^20 to 2^20 + 2^17 - 1.
        (waited[80], waited[160]) = (990, 10);
        let counts = Counts { frames: 1000, fresh: 0, waited, hz: 1_000_000_000 };
        assert_eq!(counts.quantile(0.5), 1152.0);
        assert_eq!(counts.quantile(0.99), 1152.0);
        assert_eq!(counts.quantile(0.991), f64::from((1 << 20) + (1 << 17)));
        let twice = Counts { waited: counts.waited.iter().map(|n| 2 * n).collect(), ..counts.clone() };
        assert_eq!(twice.since(&counts).waited, counts.waited);
    }
}
