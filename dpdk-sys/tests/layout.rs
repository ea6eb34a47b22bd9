//! The structs that cross the border between C and Rust have one layout: rustc uses the sizes and
//! offsets that the C compiler used for `layout.c`.

use core::mem::{offset_of, size_of};
use dpdk_sys as sys;

#[test]
fn rust_and_c_agree_on_sizes_and_offsets() {
    let rust = [
        (sys::SHIM_LAYOUT_MBUF_BUF_ADDR, sys::SHIM_MBUF_BUF_ADDR as usize),
        (sys::SHIM_LAYOUT_MBUF_DATA_OFF, sys::SHIM_MBUF_DATA_OFF as usize),
        (sys::SHIM_LAYOUT_MBUF_DATA_LEN, sys::SHIM_MBUF_DATA_LEN as usize),
        (sys::SHIM_LAYOUT_MBUF_PKT_LEN, sys::SHIM_MBUF_PKT_LEN as usize),
        (sys::SHIM_LAYOUT_FACTS_SIZE, size_of::<sys::shim_port_facts>()),
        (sys::SHIM_LAYOUT_FACTS_DRIVER, offset_of!(sys::shim_port_facts, driver)),
        (sys::SHIM_LAYOUT_FACTS_RSS, offset_of!(sys::shim_port_facts, rss_offered)),
        (sys::SHIM_LAYOUT_FACTS_SOCKET, offset_of!(sys::shim_port_facts, socket)),
        (sys::SHIM_LAYOUT_FACTS_MTU, offset_of!(sys::shim_port_facts, mtu)),
        (sys::SHIM_LAYOUT_FACTS_TX_MULTI_SEG, offset_of!(sys::shim_port_facts, tx_multi_seg)),
        (sys::SHIM_LAYOUT_SETUP_SIZE, size_of::<sys::shim_port_setup>()),
        (sys::SHIM_LAYOUT_SETUP_MTU, offset_of!(sys::shim_port_setup, mtu)),
        (sys::SHIM_LAYOUT_SETUP_TX_MULTI_SEG, offset_of!(sys::shim_port_setup, tx_multi_seg)),
        (sys::SHIM_LAYOUT_HASH_SIZE, size_of::<sys::shim_hash_setup>()),
        (sys::SHIM_LAYOUT_HASH_SOCKET, offset_of!(sys::shim_hash_setup, socket)),
        (sys::SHIM_LAYOUT_HASH_EXT_TABLE, offset_of!(sys::shim_hash_setup, ext_table)),
        (sys::SHIM_LAYOUT_STATS_SIZE, size_of::<sys::rte_eth_stats>()),
        (sys::SHIM_LAYOUT_STATS_IMISSED, offset_of!(sys::rte_eth_stats, imissed)),
        (sys::SHIM_LAYOUT_STATS_RX_NOMBUF, offset_of!(sys::rte_eth_stats, rx_nombuf)),
        (sys::SHIM_LAYOUT_PKTMBUF_HEADROOM, sys::RTE_PKTMBUF_HEADROOM as usize),
        (sys::SHIM_LAYOUT_MAX_ETHPORTS, sys::RTE_MAX_ETHPORTS as usize),
    ];
    for (position, (what, in_rust)) in rust.into_iter().enumerate() {
        assert_eq!(what as usize, position, "every item of enum shim_layout is compared, in its order");
        // SAFETY: shim_layout only evaluates sizeof and offsetof.
        let in_c = unsafe { sys::shim_layout(what) };
        assert_eq!(in_c, in_rust as u64, "item {what} of enum shim_layout");
    }
    assert_eq!(rust.len(), sys::SHIM_LAYOUT_COUNT as usize);
}
