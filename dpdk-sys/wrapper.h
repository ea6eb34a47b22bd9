/*
 * The input of bindgen: the public headers of the functions that are called, and the headers of
 * this folder.
 */
#include <rte_alarm.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pdump.h>
#include <rte_ring.h>
#include <rte_swx_table_learner.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include "layout.h"
#include "quirks.h"
#include "shim.h"

/* Offsets in bytes of the fields of an mbuf that Rust reads. They differ between DPDK releases. */
enum shim_mbuf {
	SHIM_MBUF_BUF_ADDR = offsetof(struct rte_mbuf, buf_addr), /* void *, where the buffer begins */
	SHIM_MBUF_DATA_OFF = offsetof(struct rte_mbuf, data_off), /* uint16_t, where in it the frame begins */
	SHIM_MBUF_DATA_LEN = offsetof(struct rte_mbuf, data_len), /* uint16_t, bytes in this segment */
	SHIM_MBUF_PKT_LEN = offsetof(struct rte_mbuf, pkt_len),   /* uint32_t, bytes in all, in the first one */
};
