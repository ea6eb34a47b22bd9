use super::*;

/// Law: operators see these texts, so they do not change by accident.
#[test]
fn each_reason_has_its_text() {
    let dpdk = || dpdk::Error::EalArguments("bad".to_owned());
    let no_room = io::Error::from(io::ErrorKind::WouldBlock);
    let device = |name: &str| FailedDevice { device: name.to_owned(), reason: "gone".to_owned() };
    let flag = ConfigError { flag: "id", place: None, reason: "odd".to_owned() };
    let placed = ConfigError { place: Some("--config ft.toml: line 2".to_owned()), ..flag.clone() };
    for (error, text) in [
        (StartError::Flag(flag), "--id: odd".to_owned()),
        (StartError::Flag(placed), "--config ft.toml: line 2: id: odd".to_owned()),
        (StartError::Dpdk(dpdk()), dpdk().to_string()),
        (
            StartError::Mbufs(64, dpdk()),
            format!(
                "no room for 64 mbufs: give the EAL more memory (-m, hugepages), or ask for fewer (--mbufs, --rxd, \
                 --txd, --rxq): {}",
                dpdk()
            ),
        ),
        (
            StartError::Devices(vec![device("net_tap0"), device("net_tap1")]),
            "port for net_tap0 was not made: gone; port for net_tap1 was not made: gone".to_owned(),
        ),
        (
            StartError::SameInterface(["a".to_owned(), "b".to_owned()], [0, 3]),
            "a and b (port0, port3) are on the same interface: give each its own iface=".to_owned(),
        ),
        (StartError::System("the exporter's thread".to_owned(), no_room), {
            format!("the exporter's thread: {}", io::Error::from(io::ErrorKind::WouldBlock))
        }),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
