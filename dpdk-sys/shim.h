/*
 * Shims: linkable functions for DPDK's static inline functions and macros, and plain structs in
 * place of DPDK's structs whose layout changes between releases.
 *
 * The prototypes are here and nowhere else. shim.c includes this file, so that C checks them, and
 * bindgen reads it, so that Rust has the same ones.
 */
#ifndef FLOWTRACKER_SHIM_H
#define FLOWTRACKER_SHIM_H

#include <stdint.h>

struct rte_hash;
struct rte_mbuf;
struct rte_mempool;
struct rte_ring;
struct rte_tel_data;

/* The facts about a port that can be asked before it is configured. */
struct shim_port_facts {
	char device[64];      /* EAL device or vdev name */
	char driver[64];      /* name of the poll mode driver */
	uint64_t rss_offered; /* RTE_ETH_RSS_* bits that the device can hash on */
	int32_t socket;       /* NUMA node, negative when unknown */
	uint32_t if_index;    /* kernel interface that the device rides on, 0 for none */
	uint16_t mtu;         /* bytes */
	uint16_t max_rx_queues;
	uint16_t max_tx_queues;
	uint8_t rx_scatter;   /* the device offers to spread a received frame over several mbufs */
	uint8_t tx_multi_seg; /* the device offers to send chained mbufs */
};

/* The configuration of a port. Every other field of DPDK's own struct is zero. */
struct shim_port_setup {
	uint64_t rss_hash_on; /* RTE_ETH_RSS_* bits, 0 for no RSS */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint16_t mtu;         /* bytes; outside the driver's limits, DPDK chooses one */
	uint8_t rx_scatter;   /* spread a received frame over several mbufs */
	uint8_t tx_multi_seg; /* send chained mbufs */
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
	uint8_t ext_table; /* chain extra buckets instead of refusing keys */
};

/* ---- per lcore ---- */

/* Returns rte_errno of this thread. */
int shim_errno(void);
/* Returns the lcore of this thread; RTE_MAX_LCORE or more on a thread that DPDK does not know. */
uint32_t shim_lcore_id(void);
/* Returns the time stamp counter. */
uint64_t shim_rdtsc(void);

/* ---- ports ---- */

/* Fills *out. Returns 0 or a negative errno. */
int shim_port_facts(uint16_t port, struct shim_port_facts *out);
/* Configures a port without queues. Returns 0 or a negative errno. */
int shim_port_configure(uint16_t port, const struct shim_port_setup *setup);
/* Returns 1 for up, 0 for down, or a negative errno. Does not wait for the link. */
int shim_port_link_up(uint16_t port);
/* Returns the RTE_ETH_RSS_* bit of IPv4 addresses. */
uint64_t shim_rss_ipv4(void);
/* Returns the RTE_ETH_RSS_* bit of IPv4 addresses with TCP ports. */
uint64_t shim_rss_ipv4_tcp(void);
/* Returns the RTE_ETH_RSS_* bit of IPv6 addresses. */
uint64_t shim_rss_ipv6(void);
/* Returns the RTE_ETH_RSS_* bit of IPv6 addresses with TCP ports. */
uint64_t shim_rss_ipv6_tcp(void);
/* Returns the RTE_ETH_RSS_* bits of addresses, in fragments and whole packets alike. */
uint64_t shim_rss_addresses(void);
/*
 * Returns the RTE_ETH_RSS_* bits of addresses, with TCP and UDP ports where a packet has them. The
 * *_EX bits are in neither: they hash an address that is in an extension header instead.
 */
uint64_t shim_rss_addresses_and_ports(void);

/*
 * Makes a pool of mbufs with room bytes each, headroom included. Returns NULL and sets rte_errno
 * when it cannot.
 *
 * With hugepages this is rte_pktmbuf_pool_create. Without them it is the same but for one flag:
 * mbufs lie one after the other. rte_pktmbuf_pool_create puts no mbuf across two pages, for devices
 * that need physical addresses, which DPDK does not know without hugepages. With small pages each
 * mbuf then has a page of its own, and the headers of a burst compete for a few sets of the L1
 * cache, as do the first bytes of its frames.
 */
struct rte_mempool *shim_pool_create(const char *name, uint32_t mbufs, uint32_t cache, uint16_t room, int socket);

/* ---- bursts ---- */

/* Receives up to max frames, and prefetches their first bytes. Returns the number of frames. */
uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max);
/* Sends up to n frames. Returns the number of frames that the device took. */
uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n);
/* Frees n frames. */
void shim_free_bulk(struct rte_mbuf **mbufs, uint32_t n);

/* ---- chained frames ---- */

/* Returns the segment after this one, or NULL. */
const struct rte_mbuf *shim_next_segment(const struct rte_mbuf *mbuf);
/* Copies up to len bytes from offset on. Returns the number of bytes copied. */
uint32_t shim_copy_out(const struct rte_mbuf *mbuf, uint32_t offset, uint8_t *to, uint32_t len);

/* ---- building frames and moving them through rings (tests) ---- */

/* Returns an empty mbuf, or NULL when the pool has none. */
struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool);
void shim_mbuf_free(struct rte_mbuf *mbuf);
/* Appends bytes to the last segment. Returns 0, or -1 when they do not fit. */
int shim_mbuf_append(struct rte_mbuf *mbuf, const uint8_t *bytes, uint16_t len);
/* Makes tail the end of head's chain, which owns it then. Returns 0 or a negative errno. */
int shim_mbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail);
/* Each moves up to n or max mbufs, and returns the number that it has moved. */
uint32_t shim_ring_enqueue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t n);
uint32_t shim_ring_dequeue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t max);

/* ---- hashing ---- */

/* Returns rte_hash_crc of len bytes. */
uint32_t shim_hash_crc(const void *bytes, uint32_t len, uint32_t init);
/* Writes rte_hash_crc of each of n keys of len bytes, which lie in a row, to out. */
void shim_hash_crc_burst(const void *keys, uint32_t len, uint32_t n, uint32_t init, uint32_t *out);
/* Returns rte_jhash of len bytes. Reads whole words, so up to three bytes more. */
uint32_t shim_jhash(const void *bytes, uint32_t len, uint32_t init);
/* Returns a new table, or NULL and sets rte_errno. */
struct rte_hash *shim_hash_create(const struct shim_hash_setup *setup);

/* ---- telemetry: functions renamed after 22.11 (u64 became uint), and enum values ---- */

/* Each returns 0 or a negative errno. */
int shim_tel_start_numbers(struct rte_tel_data *data);
int shim_tel_start_texts(struct rte_tel_data *data);
int shim_tel_add_number(struct rte_tel_data *array, uint64_t value);
int shim_tel_set_number(struct rte_tel_data *dict, const char *name, uint64_t value);

#endif
