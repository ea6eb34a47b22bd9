//! A port's counters: what the driver reports, corrected for what some drivers hide or leave out.

use super::underneath::Lost;

/// Counters of a port since it was opened, as the driver keeps them (rte_eth_stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Frames received.
    pub ipackets: u64,
    /// Frames sent.
    pub opackets: u64,
    /// Bytes received.
    pub ibytes: u64,
    /// Bytes sent.
    pub obytes: u64,
    /// Frames lost because receive rings were full.
    pub imissed: u64,
    /// Frames received with errors. Those that were too long for the ring of a packet socket are
    /// among them.
    pub ierrors: u64,
    /// Frames that could not be sent.
    pub oerrors: u64,
    /// Failures to get an mbuf for a frame: the pool is too small.
    pub rx_nombuf: u64,
}

impl PortStats {
    /// Returns the larger of both values for each counter.
    fn max(self, other: Self) -> Self {
        Self {
            ipackets: self.ipackets.max(other.ipackets),
            opackets: self.opackets.max(other.opackets),
            ibytes: self.ibytes.max(other.ibytes),
            obytes: self.obytes.max(other.obytes),
            imissed: self.imissed.max(other.imissed),
            ierrors: self.ierrors.max(other.ierrors),
            oerrors: self.oerrors.max(other.oerrors),
            rx_nombuf: self.rx_nombuf.max(other.rx_nombuf),
        }
    }
}

/// The counters as they are given to callers. They never decrease.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// The highest values that the driver has ever reported. net_memif reports zeros while its peer
    /// is away, and counts on from the old values afterwards.
    reported: PortStats,
    /// Frames that the kernel dropped in front of the driver, which does not report them.
    lost: Lost,
}

impl Counters {
    /// Takes the driver's present report and the frames that were lost since the last call. Returns
    /// the new totals.
    pub(super) fn update(&mut self, now: PortStats, lost: Lost) -> PortStats {
        self.reported = self.reported.max(now);
        self.lost.ring_full += lost.ring_full;
        self.lost.too_long += lost.too_long;
        self.totals()
    }

    /// Returns the totals as of the last update.
    pub(super) fn totals(&self) -> PortStats {
        PortStats {
            imissed: self.reported.imissed + self.lost.ring_full,
            ierrors: self.reported.ierrors + self.lost.too_long,
            ..self.reported
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_do_not_go_back_while_a_driver_hides_them() {
        let stats = |ipackets, opackets| PortStats { ipackets, opackets, ..PortStats::default() };
        let none = Lost::default();
        let mut counters = Counters::default();
        assert_eq!(counters.update(stats(10, 5), none), stats(10, 5));
        assert_eq!(counters.update(stats(0, 0), none), stats(10, 5));
        assert_eq!(counters.update(stats(10, 7), none), stats(10, 7));
        let lost = Lost { ring_full: 3, too_long: 4 };
        let expected = PortStats { imissed: 3, ierrors: 4, ..stats(11, 7) };
        assert_eq!(counters.update(stats(11, 7), lost), expected);
        assert_eq!(counters.update(stats(11, 7), none), expected);
    }
}
