//! Drivers are found at run time: the EAL loads them from its plugin directory.

use std::io::ErrorKind;

use dpdk::{Burst, Eal, Error, Mempool, MempoolConfig, Port, PortConfig, PortId, QueueId, Sent, SocketId};

#[test]
fn null_and_memif_devices_open_start_and_retry() {
    let id = std::process::id();
    let socket = std::env::temp_dir().join(format!("ftvdev{id}.sock"));
    let line = format!(
        "--no-huge --no-shconf --no-pci -l 0 -m 128 --file-prefix ftvdev{id} --vdev net_null0,size=60 \
         --vdev net_memif0,role=client,id=0,socket-abstract=no,socket={socket}",
        socket = socket.display()
    );
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let eal = Eal::init("vdev", &args).unwrap();
    assert_eq!(eal.ports(), [PortId(0), PortId(1)]);
    let config = MempoolConfig { mbufs: 4095, cache: 0, data_room: 2048, socket: SocketId::ANY };
    let pool = Mempool::new(&eal, "vdev", config).unwrap();
    assert_eq!(pool.available(), 4095);
    let again = Mempool::new(&eal, "vdev", config).unwrap_err();
    assert!(again.to_string().contains("mempool vdev"), "{again}");

    let wanted = PortConfig {
        rx_queues: 1,
        tx_queues: 1,
        rxd: 256,
        txd: 256,
        rss: dpdk::Rss::default(),
        rx_pool: &pool,
    };
    let absent = Port::open(&eal, PortId(7), wanted).unwrap_err();
    assert!(absent.to_string().contains("port 7"), "{absent}");
    let greedy = PortConfig { rx_queues: u16::MAX, ..wanted };
    assert!(matches!(Port::open(&eal, PortId(0), greedy), Err(Error::TooManyQueues { direction: "rx", .. })));

    {
        let null = Port::open(&eal, PortId(0), wanted).unwrap();
        assert_eq!(null.driver_name(), "net_null");
        assert_eq!(null.device_name(), "net_null0");
        assert_eq!((null.setup().rx_queues, null.setup().tx_queues), (1, 1));
        assert!(!null.setup().rss, "one queue needs none");
        assert_eq!(Port::open(&eal, PortId(0), wanted).unwrap_err(), Error::PortTaken(PortId(0)));
        assert_eq!(null.rx_queue(QueueId(1)).unwrap_err(), Error::NoSuchQueue(PortId(0), QueueId(1)));

        let mut rx = null.rx_queue(QueueId(0)).unwrap();
        let mut tx = null.tx_queue(QueueId(0)).unwrap();
        assert_eq!(null.rx_queue(QueueId(0)).unwrap_err(), Error::QueueTaken(PortId(0), QueueId(0)));
        let mut burst = Burst::new();
        assert_eq!(rx.receive(&mut burst, 32), 0, "a stopped port has no frames");

        null.start().unwrap();
        null.start().unwrap();
        assert!(null.is_running() && null.link_up());
        assert_eq!(rx.receive(&mut burst, 32), 32);
        assert!((0..32).all(|i| burst.frame(i).len() == 60 && burst.frame_len(i) == 60));
        assert_eq!(tx.send(&mut burst), Sent { sent: 32, dropped: 0 });
        assert_eq!(rx.receive(&mut burst, 1000), dpdk::CAPACITY, "at most one burst");
        null.stop().unwrap();
        assert_eq!(tx.send(&mut burst), Sent { sent: 0, dropped: dpdk::CAPACITY });
        null.start().unwrap();
        assert_eq!(rx.receive(&mut burst, 1), 1);
        let stats = null.stats().unwrap();
        assert_eq!((stats.ipackets, stats.opackets), (32 + 256 + 1, 32));
        drop((rx, burst));
        null.rx_queue(QueueId(0)).expect("a dropped queue is handed out again");
    }
    assert_eq!(pool.available(), 4095);
    assert_eq!(eal.ports(), [PortId(1)], "closing a port removes the device");

    // A client whose server is away: however often it is asked, nothing breaks.
    let memif = Port::open(&eal, PortId(1), wanted).unwrap();
    assert_eq!(memif.driver_name(), "net_memif");
    assert!(std::fs::metadata(&socket).is_err_and(|error| error.kind() == ErrorKind::NotFound));
    let mut rx = memif.rx_queue(QueueId(0)).unwrap();
    let mut burst = Burst::new();
    for _ in 0..3 {
        // Whether the driver says so or only has no link is the driver's choice.
        if let Err(error) = memif.start() {
            assert!(
                error.to_string().starts_with("rte_eth_dev_start failed for port 1 (net_memif0)"),
                "{error}"
            );
        }
        assert!(!memif.link_up());
        assert_eq!(rx.receive(&mut burst, 32), 0);
        memif.stop().unwrap();
    }
}
