use super::super::Verdict;
use super::super::testing::{Fixture, all, only};
use super::*;

fn examine(fixture: &Fixture, vdev: &str) -> Vec<Check> {
    all(&fixture.examine(&format!("-l 0 --no-huge --no-pci --vdev {vdev}")), "devices")
}

fn device(fixture: &Fixture, vdev: &str) -> Check {
    only(&examine(fixture, vdev), "devices")
}

fn port0(fixture: &Fixture) -> Check {
    device(fixture, "net_af_packet0,iface=port0")
}

#[test]
fn an_interface_has_to_exist_and_should_be_up() {
    let fixture = Fixture::healthy();
    assert_eq!(port0(&fixture), Check::ok("devices", "port0 is up, MTU 1500"));
    let check = device(&fixture, "net_af_packet0,iface=eth7");
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "ip -brief link"));
    fixture.interface("port0", "0x1002", 1500);
    let check = port0(&fixture);
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Warn, "ip link set port0 up"));
    fixture.interface("port0", "0x1003", 1500);
    fixture.file("/sys/class/net/port0/carrier", 0);
    assert!(port0(&fixture).found.contains("no carrier"));
    std::fs::remove_dir_all(fixture.path("/sys/class/net/port0")).unwrap();
    assert!(port0(&fixture).found.contains("another network namespace"));
}

#[test]
fn frames_have_to_fit_the_ring_and_the_mbuf() {
    let fixture = Fixture::healthy();
    fixture.interface("port0", "0x1003", 9000);
    assert_eq!(port0(&fixture).verdict, Verdict::Ok, "the start makes a larger ring");
    let check = device(&fixture, "net_af_packet0,iface=port0,framesz=2048");
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "ip link set port0 mtu 1964"));
    assert!(check.found.contains("framesz=16384"), "{check:?}");
    let check = device(&fixture, "net_af_packet0,iface=port0,framesz=16384,blocksz=16384");
    assert_eq!(check.verdict, Verdict::Ok);
    let check = device(&fixture, "net_af_packet0,iface=port0,framesz=8192");
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "blocksz=8192"));
    let check = device(&fixture, "net_af_packet0,iface=port0,framesz=65536");
    assert_eq!((check.verdict, &*check.remedy), (Verdict::Fail, "framesz=32768,blocksz=32768"));
    fixture.interface("port0", "0x1003", 1964);
    assert_eq!(port0(&fixture).verdict, Verdict::Ok);
    assert_eq!(device(&fixture, "net_af_packet0").remedy, "--vdev net_af_packet0,iface=INTERFACE");
}

#[test]
fn merged_and_unfinished_frames_are_pointed_out() {
    let mut fixture = Fixture::healthy();
    fixture.env.output_of = |_| Ok("generic-receive-offload: on\nlarge-receive-offload: off\n".into());
    assert_eq!(port0(&fixture).remedy, "ethtool -K port0 gro off");
    assert_eq!(device(&fixture, "net_af_xdp0,iface=port0").verdict, Verdict::Ok);
    fixture.env.output_of = |_| Err(io::ErrorKind::NotFound.into());
    assert_eq!(port0(&fixture).remedy, "apt-get install ethtool");
}

#[test]
fn the_far_end_is_looked_at_too_if_it_can_be_seen() {
    let mut fixture = Fixture::healthy();
    fixture.env.output_of = |command| {
        Ok(match command {
            ["ip", ..] => "5: port0@eth0: <UP> mtu 1500".into(),
            [_, _, "eth0"] => "tx-checksumming: on\ntcp-segmentation-offload: on\n".into(),
            // Its own offloads are for frames that this host makes.
            _ => "tx-checksumming: on\n".into(),
        })
    };
    assert_eq!(port0(&fixture).remedy, "ethtool -K eth0 tx off tso off");
    fixture.env.output_of = |command| {
        Ok(match command {
            ["ip", ..] => "5: port0@if2: <UP> mtu 1500 link-netnsid 0".into(),
            [_, _, "if2"] => panic!("another namespace's interface is not looked at"),
            _ => String::new(),
        })
    };
    assert!(port0(&fixture).found.ends_with("far end in another namespace"));
}

#[test]
fn captures_are_opened_beforehand() {
    let fixture = Fixture::healthy();
    fixture.file("/in.pcap", "");
    let file = |text: &[u8]| std::fs::write(fixture.path("/in.pcap"), text).unwrap();
    for (text, verdict) in [
        (&[0xd4, 0xc3, 0xb2, 0xa1][..], Verdict::Ok),
        (&[0x0a, 0x0d, 0x0d, 0x0a], Verdict::Ok),
        (b"GIF8", Verdict::Fail),
        (b"", Verdict::Fail),
    ] {
        file(text);
        assert_eq!(device(&fixture, "net_pcap0,rx_pcap=/in.pcap").verdict, verdict, "{text:?}");
    }
    assert!(device(&fixture, "net_pcap0,rx_pcap=/gone").found.contains("No such file"));
    assert_eq!(device(&fixture, "net_pcap0,tx_pcap=/gone/out").remedy, "mkdir -p /gone");
    assert_eq!(examine(&fixture, "net_pcap0,tx_pcap=/tmp/out"), []);
    assert_eq!(device(&fixture, "net_pcap0,iface=port1").verdict, Verdict::Ok);
}

#[test]
fn memif_wants_a_folder_and_a_server() {
    let fixture = Fixture::healthy();
    let path = "socket=/tmp/m.sock,socket-abstract=no";
    assert_eq!(device(&fixture, "net_memif0,socket=/gone/m,socket-abstract=no").remedy, "mkdir -p /gone");
    assert_eq!(device(&fixture, &format!("net_memif0,{path}")).verdict, Verdict::Warn);
    assert_eq!(device(&fixture, &format!("net_memif0,role=server,{path}")).verdict, Verdict::Ok);
    fixture.file(
        "/proc/self/net/unix",
        "Num       RefCount Protocol Flags    Type St Inode Path\n\
         0: 00000002 00000000 00010000 0005 01 1 /tmp/m.sock\n\
         0: 00000003 00000000 00000000 0005 03 2 @/run/memif.sock\n",
    );
    assert_eq!(device(&fixture, &format!("net_memif0,{path}")).verdict, Verdict::Ok);
    assert_eq!(device(&fixture, &format!("net_memif0,role=server,{path}")).verdict, Verdict::Warn);
    assert_eq!(device(&fixture, "net_memif0").verdict, Verdict::Warn, "connected, not listening");
}

#[test]
fn tap_needs_its_device_file() {
    let fixture = Fixture::healthy();
    assert_eq!(device(&fixture, "net_tap0,iface=new").remedy, "modprobe tun");
    fixture.file("/dev/net/tun", "");
    assert_eq!(device(&fixture, "net_tap0,iface=new").verdict, Verdict::Ok);
}
