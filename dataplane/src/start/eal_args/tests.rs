use super::*;

fn parse(line: &str) -> Result<EalArgs, BadArgument> {
    EalArgs::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

fn ids(line: &str) -> Vec<(u32, Vec<u32>)> {
    let lcores = parse(line).expect(line).lcores.expect(line);
    lcores.into_iter().map(|lcore| (lcore.id, lcore.cpus.into_iter().collect())).collect()
}

#[test]
fn both_spellings_of_a_value_are_the_same() {
    let one = parse(
        "-l 0,2 -m 256 --file-prefix ft --vdev net_null0 -a 01:00.0 -d /d --huge-dir /h --socket-mem 1,2",
    );
    let other = parse(
        "-l0,2 -m256 --file-prefix=ft --vdev=net_null0 --allow=0000:01:00.0,x=1 -d/d --huge-dir=/h --socket-mem=1,2",
    );
    assert_eq!(one, other);
    let eal = one.unwrap();
    assert_eq!((eal.megabytes, eal.file_prefix.as_str()), (Some(256), "ft"));
    assert_eq!((eal.socket_mem, eal.allow), (vec![1, 2], vec!["0000:01:00.0".to_owned()]));
    assert_eq!(eal.vdevs[0].name, "net_null0");
}

#[test]
fn defaults_are_eals() {
    let eal = parse("").unwrap();
    assert_eq!((eal.file_prefix.as_str(), eal.megabytes, eal.no_huge), ("rte", None, false));
    assert_eq!(parse("--no-huge").unwrap().megabytes, Some(64));
    assert_eq!(parse("--no-huge -m 9").unwrap().megabytes, Some(9));
    assert!(eal.primary);
}

#[test]
fn only_a_primary_process_will_do() {
    for kind in ["primary", "Primary"] {
        assert!(parse(&format!("--proc-type={kind}")).unwrap().accepted().is_ok(), "{kind}");
    }
    for kind in ["secondary", "auto", "other"] {
        let eal = parse(&format!("--proc-type={kind}")).unwrap();
        assert!(!eal.primary, "{kind}");
        assert!(eal.accepted().unwrap_err().found.contains("--proc-type"), "{kind}");
    }
}

#[test]
fn the_beginning_of_a_name_is_enough() {
    let eal = parse("--vde net_null0 --no-hug --no-p --proc-typ=secondary --file ft").unwrap();
    assert_eq!((eal.vdevs[0].name.as_str(), eal.file_prefix.as_str()), ("net_null0", "ft"));
    assert!(eal.no_huge && eal.no_pci && !eal.primary);
    // A whole name takes precedence over longer ones.
    assert_eq!(parse("--trace --no-huge").unwrap().megabytes, None);
    // An optional value is never taken from the next argument.
    assert!(parse("--huge-unlink --no-huge").unwrap().no_huge);
    assert!(parse("--huge-unlink=never --no-huge").unwrap().no_huge);
    let bad = parse("--no-h").unwrap_err();
    assert_eq!(bad.found, "--no-h may be --no-hpet or --no-huge");
}

#[test]
fn bytes_of_all_megabytes_can_be_counted() {
    let most = MAX_MEGABYTES;
    assert_eq!(parse(&format!("-m {most}")).unwrap().megabytes, Some(most));
    assert_eq!(parse(&format!("--socket-mem 0,{most}")).unwrap().socket_mem, [0, most]);
}

#[test]
fn values_of_other_options_are_not_options() {
    let eal = parse("--log-level --no-huge -n 4 --iova-mode va --no-telemetry --no-pci").unwrap();
    assert!(!eal.no_huge && eal.no_pci);
}

#[test]
fn lists_of_cpus_are_read() {
    assert_eq!(numbers("0-2,5"), Some([0, 1, 2, 5].into()));
    assert_eq!(numbers(""), Some([].into()));
    for bad in ["x", "3-1", "1-", "-1", "0-99999999"] {
        assert_eq!(numbers(bad), None, "{bad}");
    }
}

#[test]
fn lcores_come_in_three_forms() {
    assert_eq!(ids("-l 0,2-3"), [(0, vec![0]), (2, vec![2]), (3, vec![3])]);
    assert_eq!(ids("-c 0x11"), [(0, vec![0]), (4, vec![4])]);
    assert_eq!(
        ids("--lcores 1,2@(5-7),(3-4)@(0,2),(0,6)"),
        [
            (0, vec![0, 6]),
            (1, vec![1]),
            (2, vec![5, 6, 7]),
            (3, vec![0, 2]),
            (4, vec![0, 2]),
            (6, vec![0, 6])
        ]
    );
}

#[test]
fn the_main_lcore_polls_only_when_alone() {
    let pollers = |line: &str| -> Vec<u32> {
        parse(line).unwrap().pollers(&[0, 1].into()).iter().map(|lcore| lcore.id).collect()
    };
    assert_eq!(pollers("-l 3"), [3]);
    assert_eq!(pollers("-l 1-3"), [2, 3]);
    assert_eq!(pollers("-l 1-3 --main-lcore 2"), [1, 3]);
    assert_eq!(pollers(""), [1]);
}

#[test]
fn a_device_has_a_driver_and_parameters() {
    let eal =
        parse("--vdev eth_af_packet1,iface=eth1,framesz=4096 --vdev net_pcap0,rx_pcap=a,rx_pcap=b").unwrap();
    assert_eq!(eal.vdevs[0].driver(), "net_af_packet");
    assert_eq!((eal.vdevs[0].param("iface"), eal.vdevs[0].number("framesz")), (Some("eth1"), Some(4096)));
    assert_eq!(eal.vdevs[1].params("rx_pcap").collect::<Vec<_>>(), ["a", "b"]);
    for (name, driver) in
        [("net_tun3", "net_tap"), ("net_virtio_user0", "net_virtio"), ("net_bonding_1", "net_bond")]
    {
        assert_eq!(Vdev { name: name.to_owned(), ..Vdev::default() }.driver(), driver);
    }
}

#[test]
fn what_eal_refuses_is_named() {
    for (line, word) in [
        ("-l 3-1", "-l"),
        ("-l x", "-l"),
        ("-c zz", "-c"),
        ("--lcores (", "--lcores"),
        ("-m lots", "-m"),
        ("-m 1073741825", "-m"),
        ("-m 17592186044416", "-m"),
        ("--socket-mem a", "--socket-mem"),
        ("--socket-mem 18446744073709551615,1", "--socket-mem"),
        ("--socket-mem 1073741824,1", "--socket-mem"),
        ("--burst 3", "--burst"),
        ("--no-huge=yes", "--no-huge"),
        ("--file-prefix a/b", "--file-prefix"),
        ("--vdev", "--vdev"),
        ("stray", "stray"),
        ("--no-huge --in-memory", "--in-memory"),
    ] {
        let bad = parse(line).expect_err(line);
        assert!(bad.found.contains(word) && !bad.remedy.is_empty(), "{line}: {bad:?}");
    }
}
