/*
 * The layout of the structs that cross the border between C and Rust, as the C compiler sees it.
 * tests/layout.rs compares it with what rustc uses.
 */
#ifndef FLOWTRACKER_LAYOUT_H
#define FLOWTRACKER_LAYOUT_H

#include <stdint.h>

/* The items to measure, and their number. */
enum shim_layout {
	SHIM_LAYOUT_MBUF_BUF_ADDR,
	SHIM_LAYOUT_MBUF_DATA_OFF,
	SHIM_LAYOUT_MBUF_DATA_LEN,
	SHIM_LAYOUT_MBUF_PKT_LEN,
	SHIM_LAYOUT_FACTS_SIZE,
	SHIM_LAYOUT_FACTS_DRIVER,
	SHIM_LAYOUT_FACTS_RSS,
	SHIM_LAYOUT_FACTS_SOCKET,
	SHIM_LAYOUT_FACTS_MTU,
	SHIM_LAYOUT_FACTS_TX_MULTI_SEG,
	SHIM_LAYOUT_SETUP_SIZE,
	SHIM_LAYOUT_SETUP_MTU,
	SHIM_LAYOUT_SETUP_TX_MULTI_SEG,
	SHIM_LAYOUT_HASH_SIZE,
	SHIM_LAYOUT_HASH_SOCKET,
	SHIM_LAYOUT_HASH_EXT_TABLE,
	SHIM_LAYOUT_STATS_SIZE,
	SHIM_LAYOUT_STATS_IMISSED,
	SHIM_LAYOUT_STATS_RX_NOMBUF,
	SHIM_LAYOUT_PKTMBUF_HEADROOM,
	SHIM_LAYOUT_MAX_ETHPORTS,
	SHIM_LAYOUT_COUNT
};

/* Returns the size, offset or value of an item as C sees it, in bytes; UINT64_MAX for any other. */
uint64_t shim_layout(uint32_t what);

#endif
