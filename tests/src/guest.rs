//! The appliance on real PCI ports: in a virtual machine, between two hosts.
//!
//! ```text
//!   left                      guest (QEMU)                      right
//!   eth0 10.0.0.1/24 ──── 0000:00:10.0   0000:00:11.0 ──── eth0 10.0.0.2/24
//!                                eth0 192.0.2.2
//!                                     │
//!   operator                   eth0 192.0.2.1/24
//! ```
//!
//! Both ports are behind an emulated IOMMU and belong to vfio-pci; the third card is the guest
//! kernel's own, and the control service in the guest listens there. The processor is emulated in
//! software (TCG), never by KVM. TCG behaves the same everywhere and is fast enough. KVM cannot be
//! relied on: in a virtual machine a /dev/kvm that opens may still be unable to run a stock kernel.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use flowtracker_proto::v1;
use tempfile::TempDir;

use crate::appliance::{DATAPLANE, LIMIT};
use crate::grpcurl::Grpcurl;
use crate::netns::{LEFT_ADDR, Namespace, RIGHT_ADDR};
use crate::process::{Running, Stream, binary, run, wait_for, workspace_root};

/// Addresses of the two ports on the guest's PCI bus.
pub const PORTS: [&str; 2] = ["0000:00:10.0", "0000:00:11.0"];

/// Where the control service listens, on the operator's network.
const CONTROL: &str = "192.0.2.2:50051";
const OPERATOR_ADDR: &str = "192.0.2.1";

/// The hardware of the guest.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// QEMU's device for both ports, with its properties.
    pub card: &'static str,
    /// Queue pairs of each port.
    pub queues: u16,
    /// NUMA nodes, with two processors each.
    pub nodes: u16,
}

/// A running virtual machine and the hosts around it. Dropping it ends all of them.
pub struct Guest {
    // Fields drop in this order: QEMU ends before its namespaces and its folder go.
    qemu: Running,
    commands: usize,
    /// Host 10.0.0.1; its `eth0` leads to the first port.
    pub left: Namespace,
    /// Host 10.0.0.2; its `eth0` leads to the second port.
    pub right: Namespace,
    operator: Namespace,
    folder: TempDir,
}

impl Guest {
    /// Starts the machine and waits until it accepts commands. Both ports are then bound to
    /// vfio-pci. Needs root.
    ///
    /// # Panics
    /// When something is missing or the guest does not start.
    #[must_use]
    pub fn boot(machine: Machine) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let image = folder.path().join("image");
        let programs = binary("flowtracker-dataplane");
        run(Command::new(workspace_root().join("tests/guest/image.sh"))
            .arg(programs.parent().expect("a program lies in a folder"))
            .arg(&image));

        let operator = Namespace::new("operator");
        let mut qemu = qemu(&operator, machine);
        qemu.arg("-initrd").arg(image);
        qemu.args([
            "-monitor",
            &format!("unix:{},server=on,wait=off", folder.path().join("monitor").display()),
        ]);
        let mut guest = Self {
            qemu: Running::spawn(&mut qemu),
            commands: 0,
            left: Namespace::new("left"),
            right: Namespace::new("right"),
            operator,
            folder,
        };
        guest.qemu.wait_line(Stream::Stdout, LIMIT, |line| line.trim_end() == "@ready");
        guest.attach("port0", &guest.left, LEFT_ADDR);
        guest.attach("port1", &guest.right, RIGHT_ADDR);
        guest.attach("control", &guest.operator, OPERATOR_ADDR);
        for port in PORTS {
            guest.sh(&format!("bind {port}"));
        }
        guest
    }

    /// Moves the far end of one of the guest's cards to a host.
    fn attach(&self, tap: &str, host: &Namespace, addr: &str) {
        let ip = |args: &[&str]| run(Command::new("ip").args(args));
        // The name is free only in the namespace of the host.
        ip(&["-n", self.operator.name(), "link", "set", tap, "netns", host.name(), "name", "eth0"]);
        ip(&["-n", host.name(), "address", "add", &format!("{addr}/24"), "dev", "eth0"]);
        ip(&["-n", host.name(), "link", "set", "eth0", "up"]);
    }

    /// Runs a command in the guest's shell.
    ///
    /// # Panics
    /// When it fails, or does not end within [`LIMIT`].
    pub fn sh(&mut self, command: &str) {
        self.qemu.write_stdin(&format!("{command}\n"));
        let nth = self.commands;
        self.commands += 1;
        let status = self.qemu.wait_lines(Stream::Stdout, LIMIT, |lines| {
            lines.iter().filter_map(|line| line.strip_prefix("@status ")).nth(nth).map(str::to_owned)
        });
        assert_eq!(status.trim_end(), "0", "{command}: failed in the guest:\n{}", self.qemu.output());
    }

    /// Starts both programs of the product in the guest and waits until the data plane is attached.
    /// `eal` are EAL arguments besides the two ports; `options` follow `--`.
    ///
    /// # Panics
    /// When they do not become ready.
    pub fn start_appliance(&mut self, eal: &str, options: &str) {
        self.sh(&format!("flowtracker-control --listen {CONTROL} --insecure & control=$!"));
        let [port0, port1] = PORTS;
        // The ports are given in the wrong order, because DPDK numbers them by their addresses. The
        // debug lines show what DPDK has found on the machine.
        self.sh(&format!(
            "FLOWTRACKER_LOG=info,dataplane::start::lifecycle=debug flowtracker-dataplane {eal} -a {port1} -a {port0} -- \
             --id {DATAPLANE} --control http://{CONTROL} {options} & dataplane=$!"
        ));
        wait_for("the data plane attaches", LIMIT, || {
            self.sh("kill -0 $dataplane");
            self.grpcurl().is_attached(DATAPLANE).then_some(())
        });
    }

    /// Waits until a line of the guest's console, past or future, contains `text`.
    ///
    /// # Panics
    /// When none does within [`LIMIT`].
    pub fn wait_console(&mut self, text: &str) {
        self.qemu.wait_line(Stream::Stdout, LIMIT, |line| line.contains(text));
    }

    /// Returns a grpcurl that calls the guest from the operator's namespace.
    #[must_use]
    pub fn grpcurl(&self) -> Grpcurl<'_> {
        Grpcurl::new(CONTROL, Some(&self.operator))
    }

    /// Returns a command `ctl` that calls the guest from the operator's namespace.
    #[must_use]
    pub fn ctl(&self) -> Command {
        let mut command = self.operator.command(binary("ctl"));
        command.env("FLOWTRACKER_SERVER", format!("http://{CONTROL}"));
        command
    }

    /// Returns the counters of the data plane and of the control service's log.
    ///
    /// # Panics
    /// When the answer is not about exactly this data plane.
    #[must_use]
    pub fn stats(&self) -> (v1::DataplaneStats, v1::LogStats) {
        self.grpcurl().stats()
    }

    /// Returns every entry that ListEntries lists.
    ///
    /// # Panics
    /// When the service refuses the call.
    #[must_use]
    pub fn entries(&self) -> Vec<v1::Entry> {
        self.grpcurl().entries()
    }

    /// Sets the link of a port down or up, as by its cable, and waits until the data plane has
    /// noticed.
    ///
    /// # Panics
    /// When it does not within [`LIMIT`].
    pub fn set_link(&self, port: usize, up: bool) {
        let state = if up { "on" } else { "off" };
        self.monitor(&format!("set_link port{port} {state}"));
        wait_for(&format!("the link of port{port} is {state}"), LIMIT, || {
            (self.stats().0.ports[port].link_up == up).then_some(())
        });
    }

    /// Returns QEMU's description of a port's virtio device, which lists the features that it
    /// offers and those that the driver has accepted.
    #[must_use]
    pub fn virtio_status(&self, port: usize) -> String {
        self.monitor(&format!("info virtio-status /machine/peripheral/port{port}/virtio-backend"))
    }

    /// Sends a command to QEMU's monitor and returns the answer.
    fn monitor(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.folder.path().join("monitor")).expect("QEMU listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        until_prompt(&mut stream);
        writeln!(stream, "{command}").expect("QEMU reads");
        let answer = until_prompt(&mut stream);
        assert!(!answer.contains("Error"), "{command}: {answer}");
        answer
    }

    /// Ends both programs with SIGTERM, then powers the machine off.
    ///
    /// # Panics
    /// When a program's exit status is not 0 or the guest does not end.
    pub fn stop(mut self) {
        for program in ["dataplane", "control"] {
            self.sh(&format!("kill ${program} && wait ${program}"));
        }
        self.qemu.write_stdin("poweroff -f\n");
        let status = self.qemu.wait(LIMIT);
        assert!(status.success(), "{status}\n{}", self.qemu.output());
    }
}

/// Reads the output of QEMU's monitor up to its next prompt.
fn until_prompt(stream: &mut UnixStream) -> String {
    let mut said = Vec::new();
    while !said.ends_with(b"(qemu) ") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("QEMU answers");
        said.extend(byte);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Returns QEMU's command line without what is in the machine's folder.
fn qemu(namespace: &Namespace, machine: Machine) -> Command {
    let packages = workspace_root().join("target/guest/files");
    let mut kernels =
        std::fs::read_dir(packages.join("boot")).expect("no kernel for the guest: run `make deps`");
    let kernel: PathBuf = kernels
        .find_map(|entry| {
            let path = entry.expect("a readable folder").path();
            path.to_string_lossy().contains("/vmlinuz-").then_some(path)
        })
        .expect("the package of a kernel has one");

    // `make deps` has unpacked it here unless it is installed.
    let unpacked = packages.join("usr/bin/qemu-system-x86_64");
    let mut qemu = if unpacked.exists() {
        let mut qemu = namespace.command(unpacked);
        qemu.env("LD_LIBRARY_PATH", packages.join("usr/lib/x86_64-linux-gnu"));
        for firmware in ["qemu", "seabios"] {
            qemu.arg("-L").arg(packages.join("usr/share").join(firmware));
        }
        qemu
    } else {
        namespace.command("qemu-system-x86_64")
    };
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35"]);
    qemu.args(["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]);
    qemu.arg("-kernel").arg(kernel);
    // A panic of the kernel reboots the guest, which ends QEMU. Hugepages take 256 MiB.
    qemu.args([
        "-append",
        "console=ttyS0 quiet panic=-1 ipv6.disable=1 intel_iommu=on iommu=pt hugepages=128",
    ]);

    qemu.args(["-m", "1G", "-smp", &(2 * machine.nodes).to_string()]);
    for node in 0..machine.nodes {
        qemu.args(["-object", &format!("memory-backend-ram,id=memory{node},size={}M", 1024 / machine.nodes)]);
        let cpus = format!("{}-{}", 2 * node, 2 * node + 1);
        qemu.args(["-numa", &format!("node,nodeid={node},cpus={cpus},memdev=memory{node}")]);
    }

    qemu.args(["-device", "intel-iommu,intremap=on,caching-mode=on"]);
    let tap = |name: &str| format!("tap,id={name}-tap,ifname={name},script=no,downscript=no,vhost=off");
    // No card has an option ROM, because the guest does not boot from the network.
    qemu.args(["-netdev", &tap("control")]);
    qemu.args(["-device", "virtio-net-pci,netdev=control-tap,addr=0x3,romfile="]);
    for (index, slot) in ["0x10", "0x11"].iter().enumerate() {
        let name = format!("port{index}");
        let queues = if machine.queues > 1 { format!(",queues={}", machine.queues) } else { String::new() };
        qemu.args(["-netdev", &(tap(&name) + &queues)]);
        let mac = format!("02:00:00:00:00:0{}", index + 1);
        qemu.args([
            "-device",
            &format!("{},id={name},netdev={name}-tap,mac={mac},addr={slot},romfile=", machine.card),
        ]);
    }
    qemu
}
