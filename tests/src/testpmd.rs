//! DPDK's own testpmd as the neighbour of the appliance. It carries frames between a capture file
//! and a memif link, and is the server of the link.
//!
//! ```text
//!   in.pcap ─► net_pcap ─► net_memif (server) ◄──► the appliance's memif client
//! out.pcap ◄─           ◄─
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::pcap;
use crate::process::{Running, Stream, cpu, wait_for};

/// Upper limit for one answer, and for a link to come up.
const LIMIT: Duration = Duration::from_secs(60);

/// testpmd's port id of the link. Ports are numbered in the order in which DPDK finds them, and
/// testpmd sees the capture file first.
const LINK: u16 = 1;

/// The frames that a port of testpmd has counted in its driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounters {
    /// Frames received.
    pub rx: u64,
    /// Frames sent.
    pub tx: u64,
}

/// How often testpmd sends the frames of its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    Once,
    /// Without end, as fast as it can.
    Forever,
}

/// The server's end of a memif link, with a testpmd behind it.
pub struct Testpmd {
    running: Running,
    out: PathBuf,
    _folder: TempDir,
}

impl Testpmd {
    /// Starts a testpmd that listens on `socket` and will send the frames of `capture` as `repeat`
    /// selects. It carries nothing before [`Testpmd::forward`], and runs on the CPU that the
    /// appliance does not poll on.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn serve(socket: &Path, capture: &Path, repeat: Repeat) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().join("out.pcap");
        // testpmd listens before it has started its port, and ends with a panic when a client
        // connects in between (DPDK 22.11). So clients find the socket only once testpmd is ready.
        let starting = socket.with_extension("starting");
        // Without a terminal and `stdbuf`, its output would come in blocks of 4 KiB.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "nice", "-n", "10", "dpdk-testpmd", "-m", "128"]);
        let cpu = 1 - cpu();
        command.arg(format!("--lcores=0@{cpu},1@{cpu}"));
        command.args(["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry"]);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        command.arg(format!("--file-prefix=fttestpmd{}-{count}", std::process::id()));
        let repeat = if repeat == Repeat::Forever { ",infinite_rx=1" } else { "" };
        command.arg(format!(
            "--vdev=net_pcap0,rx_pcap={},tx_pcap={}{repeat}",
            capture.display(),
            out.display()
        ));
        command.arg(format!(
            "--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket={}",
            starting.display()
        ));
        command.args(["--", "--interactive", "--forward-mode=io", "--port-topology=paired"]);
        // testpmd starts without discarding received frames and without waiting for a client.
        command.args(["--no-flush-rx", "--disable-link-check", "--total-num-mbufs=8192"]);
        command.env("RUNTIME_DIRECTORY", folder.path());
        let mut running = Running::spawn(&mut command);
        running.wait_line(Stream::Stdout, LIMIT, |line| line == "Done");
        std::fs::rename(&starting, socket).expect("the socket gets its name");
        Self { running, out, _folder: folder }
    }

    /// Starts carrying frames.
    ///
    /// # Panics
    /// When testpmd does not.
    pub fn forward(&mut self) {
        self.ask("start", |line| line.contains("nb forwarding cores="));
    }

    /// Stops carrying frames; counters and link stay.
    ///
    /// # Panics
    /// When testpmd does not.
    pub fn halt(&mut self) {
        self.ask("stop", |line| line == "Done.");
    }

    /// Returns `true` when the client is connected.
    ///
    /// # Panics
    /// When testpmd does not answer.
    pub fn link_up(&mut self) -> bool {
        let port = format!("{LINK} ");
        let answer = self.ask(&format!("show port summary {LINK}"), |line| line.starts_with(&port));
        answer.last().is_some_and(|line| line.split_whitespace().any(|word| word == "up"))
    }

    /// Waits until the client is connected.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn wait_link(&mut self) {
        wait_for("the client connects to testpmd", LIMIT, || self.link_up().then_some(()));
    }

    /// Returns the counters of the link.
    ///
    /// # Panics
    /// When testpmd does not answer.
    pub fn link(&mut self) -> PortCounters {
        // The answer ends with a line of `#`.
        let answer = self.ask(&format!("show port stats {LINK}"), |line| {
            line.trim_start().starts_with("##########") && !line.contains("port")
        });
        let value = |name: &str| {
            answer
                .iter()
                .find_map(|line| line.trim().strip_prefix(name)?.split_whitespace().next()?.parse().ok())
                .unwrap_or_else(|| panic!("no {name} in {answer:?}"))
        };
        PortCounters { rx: value("RX-packets:"), tx: value("TX-packets:") }
    }

    /// Waits until testpmd has received this many frames from the link.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn wait_received(&mut self, frames: u64) {
        wait_for(&format!("testpmd receives {frames} frames"), LIMIT, || {
            (self.link().rx == frames).then_some(())
        });
    }

    /// Ends testpmd as an operator would, and returns the frames that it has received.
    ///
    /// Its farewell counts, not its status: it has closed its ports and files by then, and what
    /// follows is DPDK's own cleanup, in which net_memif of 22.11 may crash when its client
    /// disconnects at the same time.
    ///
    /// # Panics
    /// When it does not end, or its file cannot be read.
    #[must_use]
    pub fn quit(mut self) -> Vec<Vec<u8>> {
        self.running.write_stdin("quit\n");
        self.running.wait_line(Stream::Stdout, LIMIT, |line| line.contains("Bye..."));
        self.running.wait(LIMIT);
        pcap::read_frames(&self.out).expect("a capture")
    }

    /// Ends testpmd with a signal, and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn end(&mut self, signal: Signal) {
        self.running.signal(signal);
        self.running.wait(LIMIT);
    }

    /// Sends a command, waits for the line that ends the answer, and returns the answer.
    fn ask(&mut self, command: &str, last: impl Fn(&str) -> bool) -> Vec<String> {
        let before = self.running.text(Stream::Stdout).lines().count();
        self.running.write_stdin(&format!("{command}\n"));
        self.running.wait_lines(Stream::Stdout, LIMIT, |lines| {
            // The lines before the echo still belong to the previous answer.
            let echo = lines[before..].iter().position(|line| line.contains(command))?;
            let answer = &lines[before + echo + 1..];
            let end = answer.iter().position(|line| last(line))?;
            Some(answer[..=end].iter().map(ToString::to_string).collect())
        })
    }
}
