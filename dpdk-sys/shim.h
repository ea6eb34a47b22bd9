/*
 * Shims: linkable functions for what DPDK only offers as static inline functions or macros, and plain
 * structs for what DPDK keeps in structs whose layout changes between releases.
 *
 * The prototypes live here and nowhere else. shim.c includes this file, so that C checks them, and bindgen
 * reads it, so that Rust has the same ones.
 */
#ifndef FLOWTRACKER_SHIM_H
#define FLOWTRACKER_SHIM_H

#include <stdint.h>

struct rte_hash;
struct rte_mbuf;
struct rte_mempool;
struct rte_ring;
struct rte_tel_data;

/* What is known about a port before it is configured. */
struct shim_port_facts {
	char device[64];      /* EAL device or vdev name */
	char driver[64];      /* name of the poll mode driver */
	uint64_t rss_offered; /* RTE_ETH_RSS_* bits the device can hash on */
	int32_t socket;       /* NUMA node, negative when unknown */
	uint32_t if_index;    /* kernel interface that the device rides on, 0 when none */
	uint16_t mtu;         /* bytes */
	uint16_t max_rx_queues;
	uint16_t max_tx_queues;
	uint8_t rx_scatter;   /* device offers to spread a frame over several mbufs on receive */
	uint8_t tx_multi_seg; /* device offers to send chained mbufs */
};

/* The configuration that the wrapper asks for; everything else stays at DPDK's zero. */
struct shim_port_setup {
	uint64_t rss_hash_on; /* RTE_ETH_RSS_* bits, 0 for no RSS */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint16_t mtu;         /* bytes; outside the driver's limits it leaves the choice to DPDK */
	uint8_t rx_scatter;
	uint8_t tx_multi_seg;
};

enum shim_hash_function { SHIM_HASH_CRC = 0, SHIM_HASH_JHASH = 1 };

/* Creation parameters of an rte_hash. */
struct shim_hash_setup {
	const char *name;
	uint32_t entries;
	uint32_t key_len;
	uint32_t function; /* enum shim_hash_function */
	uint32_t init_value;
	int32_t socket;    /* NUMA node, -1 for any */
	uint8_t ext_table; /* chain extra buckets instead of refusing */
};

/* ---- per lcore ---- */

int shim_errno(void);
uint32_t shim_lcore_id(void);
uint64_t shim_rdtsc(void);

/* ---- ports ---- */

int shim_port_facts(uint16_t port, struct shim_port_facts *out);
int shim_port_configure(uint16_t port, const struct shim_port_setup *setup);
/* 1 up, 0 down, negative errno; never waits for the link. */
int shim_port_link_up(uint16_t port);
/* The RTE_ETH_RSS_* bit of IPv4 addresses with TCP ports. */
uint64_t shim_rss_ipv4_tcp(void);
/* The RTE_ETH_RSS_* bits of IPv4 addresses with TCP and UDP ports. */
uint64_t shim_rss_ipv4_tcp_udp(void);

/* A pool of mbufs with `room` bytes each, headroom included, or NULL with rte_errno. As rte_pktmbuf_pool_create, but
 * without hugepages the mbufs lie one after the other. DPDK lets none lie across two pages, for the sake of devices that
 * know physical addresses. So with pages of 4 KiB each gets one to itself, all headers fall on a few sets of the
 * L1 cache, and all first bytes of frames on a few others: a burst of 32 does not fit. Without hugepages DPDK knows no
 * physical addresses. */
struct rte_mempool *shim_pool_create(const char *name, uint32_t mbufs, uint32_t cache, uint16_t room, int socket);

/* ---- the two calls per burst and their kin ---- */

/* Asks the cache for the beginnings of the frames. */
uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max);
uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n);
void shim_free_bulk(struct rte_mbuf **mbufs, uint32_t n);

/* ---- chained frames ---- */

/* The segment after this one, or NULL. */
const struct rte_mbuf *shim_next_segment(const struct rte_mbuf *mbuf);
/* Copies up to len bytes from offset on and returns how many there were. */
uint32_t shim_copy_out(const struct rte_mbuf *mbuf, uint32_t offset, uint8_t *to, uint32_t len);

/* ---- building frames and moving them through rings (tests) ---- */

struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool);
void shim_mbuf_free(struct rte_mbuf *mbuf);
/* Appends bytes to the last segment: 0, or -1 when they do not fit. */
int shim_mbuf_append(struct rte_mbuf *mbuf, const uint8_t *bytes, uint16_t len);
/* Makes tail the end of head's chain: 0 or negative errno. head owns tail afterwards. */
int shim_mbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail);
uint32_t shim_ring_enqueue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t n);
uint32_t shim_ring_dequeue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t max);

/* ---- hashing ---- */

uint32_t shim_hash_crc(const void *bytes, uint32_t len, uint32_t init);
/* rte_hash_crc of each of n keys of len bytes that lie in a row. */
void shim_hash_crc_burst(const void *keys, uint32_t len, uint32_t n, uint32_t init, uint32_t *out);
uint32_t shim_jhash(const void *bytes, uint32_t len, uint32_t init);
struct rte_hash *shim_hash_create(const struct shim_hash_setup *setup);

/* ---- telemetry: what was renamed after 22.11 (u64 became uint), and enum values ---- */

/* Each: 0 or negative errno. */
int shim_tel_start_numbers(struct rte_tel_data *data);
int shim_tel_start_texts(struct rte_tel_data *data);
int shim_tel_add_number(struct rte_tel_data *array, uint64_t value);
int shim_tel_set_number(struct rte_tel_data *dict, const char *name, uint64_t value);

#endif
