//! Workarounds for DPDK 22.11, and which driver needs which.
//!
//! Input: the name of a port's driver. Output: the deviations from the plain ethdev calls that
//! `port/mod.rs` makes for it. The page `dataplane/docs/quirks.md` says why each is needed, what
//! happens without it, and which test shows it. The C of the workarounds is `dpdk-sys/quirks.c`.

pub(crate) mod interrupt;
pub(crate) mod long_frames;
pub(crate) mod ring_drops;
pub(crate) mod unmap;

/// The workarounds that a port needs because of its driver. All `false` for most drivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// The driver changes its state on the interrupt thread without a lock, so start, stop and
    /// close run on that thread; see [`interrupt`].
    pub(crate) control_on_interrupt_thread: bool,
    /// The driver unmaps its rings without waiting for burst calls; see [`unmap`].
    pub(crate) unmaps_under_bursts: bool,
    /// The driver does not report the frames that the kernel drops because its ring is full; see
    /// [`ring_drops`].
    pub(crate) hides_ring_drops: bool,
    /// The driver cuts received frames that are too long for it, and has the kernel discard sent
    /// ones, without counting either; see [`long_frames`].
    pub(crate) hides_long_frames: bool,
    /// The driver receives what the kernel has merged; see [`crate::merging`].
    pub(crate) receives_merged_frames: bool,
    /// The driver's device cannot be started a second time, so a step that may fail comes before
    /// the start and not after it.
    pub(crate) starts_once: bool,
}

impl Quirks {
    /// Returns the workarounds for ports of `driver`.
    pub(crate) fn of(driver: &str) -> Self {
        match driver {
            "net_memif" => {
                Self { control_on_interrupt_thread: true, unmaps_under_bursts: true, ..Self::default() }
            }
            "net_af_packet" => Self {
                hides_ring_drops: true,
                hides_long_frames: true,
                receives_merged_frames: true,
                starts_once: true,
                ..Self::default()
            },
            "net_pcap" => Self { receives_merged_frames: true, ..Self::default() },
            _ => Self::default(),
        }
    }
}
