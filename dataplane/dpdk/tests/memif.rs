//! A memif client whose server comes late, goes and comes back: start and stop repair the link
//! while the queues stay with their owners, and frames pass unchanged.

use dpdk::test_support::push_frame;
use dpdk::{
    Burst, Eal, Mempool, MempoolConfig, Port, PortConfig, PortId, QueueId, RxQueue, Sent, SocketId, TxQueue,
};

const MBUFS: u32 = 4095;

fn wait_for(mut what: impl FnMut() -> bool) {
    // The handshake runs in a thread of the EAL.
    while !what() {
        std::thread::yield_now();
    }
}

fn one_frame_crosses<'p>(pool: &'p Mempool<'_>, tx: &mut TxQueue<'p>, rx: &mut RxQueue<'p>, bytes: &[u8]) {
    let mut burst = Burst::new();
    // A client lends its server buffers to send into when it polls.
    assert_eq!(rx.receive(&mut burst, 32), 0);
    push_frame(&mut burst, pool, bytes).unwrap();
    assert_eq!(tx.send(&mut burst), Sent { sent: 1, dropped: 0 });
    wait_for(|| rx.receive(&mut burst, 32) == 1);
    let got: Vec<u8> = burst.segments(0).flatten().copied().collect();
    assert_eq!(got, bytes);
}

#[test]
fn a_client_survives_its_server() {
    let id = std::process::id();
    let socket = std::env::temp_dir().join(format!("ftmemif{id}.sock"));
    let socket = socket.display();
    let line = format!(
        "--no-huge --no-shconf --no-pci -l 0 -m 128 --file-prefix ftmemif{id} \
         --vdev net_memif0,role=server,id=0,socket-abstract=no,socket={socket} \
         --vdev net_memif1,role=client,id=0,socket-abstract=no,socket={socket}"
    );
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let eal = Eal::init("memif", &args).unwrap();
    let config = MempoolConfig { mbufs: MBUFS, cache: 0, data_room: 2048, socket: SocketId::ANY };
    let pool = Mempool::new(&eal, "memif", config).unwrap();
    let wanted = PortConfig {
        rx_queues: 1,
        tx_queues: 1,
        rxd: 256,
        txd: 256,
        rss: dpdk::Rss::default(),
        rx_pool: &pool,
    };
    let [server, client] = [0, 1].map(|id| Port::open(&eal, PortId(id), wanted).unwrap());
    let [(mut server_rx, mut server_tx), (mut client_rx, mut client_tx)] = [&server, &client]
        .map(|port| (port.rx_queue(QueueId(0)).unwrap(), port.tx_queue(QueueId(0)).unwrap()));

    let bytes: Vec<u8> = (0..1500).map(|i| i as u8 ^ (i >> 8) as u8).collect();
    for round in 0..3 {
        server.start().unwrap();
        client.start().unwrap();
        wait_for(|| client.link_up() && server.link_up());
        one_frame_crosses(&pool, &mut client_tx, &mut server_rx, &bytes[round..]);
        one_frame_crosses(&pool, &mut server_tx, &mut client_rx, &bytes[..60 + round]);

        server.stop().unwrap();
        wait_for(|| !client.link_up());
        let mut burst = Burst::new();
        push_frame(&mut burst, &pool, &bytes[..60]).unwrap();
        assert_eq!(client_tx.send(&mut burst), Sent { sent: 0, dropped: 1 }, "nobody is there");
        client.stop().unwrap();
    }
    drop((server_rx, server_tx, client_rx, client_tx));
    drop((server, client));
    assert_eq!(pool.available(), MBUFS);
}
