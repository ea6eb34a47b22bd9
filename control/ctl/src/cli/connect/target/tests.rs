use super::*;

fn at(server: &str) -> Result<Address, String> {
    let target = Target { server: server.to_owned(), timeout: Duration::from_secs(5) };
    target.address().map_err(|failure| failure.message().unwrap_or_default())
}

#[test]
fn an_address_is_a_host_and_a_port_or_a_path() {
    let tcp = |host: &str, port| Ok(Address::Tcp(host.to_owned(), port));
    for (server, address) in [
        ("http://127.0.0.1:50051", tcp("127.0.0.1", 50051)),
        ("http://[::1]:50051", tcp("::1", 50051)),
        ("http://localhost:1/", tcp("localhost", 1)),
        ("http://box", tcp("box", 80)),
        ("http://me@box:1", tcp("box", 1)),
        // A host that is a part of its port.
        ("http://5:50051", tcp("5", 50051)),
        ("unix:/run/socket", Ok(Address::Unix("/run/socket".to_owned()))),
        ("unix:///run/socket", Ok(Address::Unix("/run/socket".to_owned()))),
        ("unix:socket", Ok(Address::Unix("socket".to_owned()))),
    ] {
        assert_eq!(at(server), address, "{server}");
    }
    for server in [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:0",
        "http://127.0.0.1:",
        "http://[::1]:99999",
        "http://::1:5",
        "http://",
        "http://:5",
        "https://h:1",
        "127.0.0.1:50051",
        "unix:",
        "ftp://x",
        "",
    ] {
        let refused = at(server).expect_err(server);
        assert!(refused.starts_with(&format!("--server {server}: ")), "{refused}");
    }
    assert_eq!(
        at("http://127.0.0.1:99999").unwrap_err(),
        "--server http://127.0.0.1:99999: the port must be 1 to 65535"
    );
}

#[test]
fn a_timeout_is_a_number_with_or_without_a_unit() {
    for (text, ms) in [
        ("5", 5_000),
        ("5s", 5_000),
        ("500ms", 500),
        ("1.5s", 1_500),
        ("2m", 120_000),
        ("24h", 86_400_000),
        ("1ms", 1),
        ("", 5_000),
    ] {
        assert_eq!(timeout(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for text in [
        "0",
        "0s",
        "-1",
        "+1",
        "s",
        "ms",
        "5 s",
        "5x",
        "1e3",
        "inf",
        "nan",
        "25h",
        "1.2.3",
        "99999999999999h",
        "é",
    ] {
        assert!(timeout(text).unwrap_err().contains("such as 5s"), "{text}");
    }
}
