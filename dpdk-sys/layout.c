#include "layout.h"

#include <stddef.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "shim.h"

uint64_t shim_layout(uint32_t what)
{
	switch ((enum shim_layout)what) {
	case SHIM_LAYOUT_MBUF_BUF_ADDR: return offsetof(struct rte_mbuf, buf_addr);
	case SHIM_LAYOUT_MBUF_DATA_OFF: return offsetof(struct rte_mbuf, data_off);
	case SHIM_LAYOUT_MBUF_DATA_LEN: return offsetof(struct rte_mbuf, data_len);
	case SHIM_LAYOUT_MBUF_PKT_LEN: return offsetof(struct rte_mbuf, pkt_len);
	case SHIM_LAYOUT_FACTS_SIZE: return sizeof(struct shim_port_facts);
	case SHIM_LAYOUT_FACTS_DRIVER: return offsetof(struct shim_port_facts, driver);
	case SHIM_LAYOUT_FACTS_RSS: return offsetof(struct shim_port_facts, rss_offered);
	case SHIM_LAYOUT_FACTS_SOCKET: return offsetof(struct shim_port_facts, socket);
	case SHIM_LAYOUT_FACTS_MTU: return offsetof(struct shim_port_facts, mtu);
	case SHIM_LAYOUT_FACTS_TX_MULTI_SEG: return offsetof(struct shim_port_facts, tx_multi_seg);
	case SHIM_LAYOUT_SETUP_SIZE: return sizeof(struct shim_port_setup);
	case SHIM_LAYOUT_SETUP_MTU: return offsetof(struct shim_port_setup, mtu);
	case SHIM_LAYOUT_SETUP_TX_MULTI_SEG: return offsetof(struct shim_port_setup, tx_multi_seg);
	case SHIM_LAYOUT_HASH_SIZE: return sizeof(struct shim_hash_setup);
	case SHIM_LAYOUT_HASH_SOCKET: return offsetof(struct shim_hash_setup, socket);
	case SHIM_LAYOUT_HASH_EXT_TABLE: return offsetof(struct shim_hash_setup, ext_table);
	case SHIM_LAYOUT_STATS_SIZE: return sizeof(struct rte_eth_stats);
	case SHIM_LAYOUT_STATS_IMISSED: return offsetof(struct rte_eth_stats, imissed);
	case SHIM_LAYOUT_STATS_RX_NOMBUF: return offsetof(struct rte_eth_stats, rx_nombuf);
	case SHIM_LAYOUT_PKTMBUF_HEADROOM: return RTE_PKTMBUF_HEADROOM;
	case SHIM_LAYOUT_MAX_ETHPORTS: return RTE_MAX_ETHPORTS;
	case SHIM_LAYOUT_COUNT: break;
	}
	return UINT64_MAX;
}
