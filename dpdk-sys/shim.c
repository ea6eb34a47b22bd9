#include "shim.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_jhash.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>
#include <rte_version.h>

int shim_errno(void)
{
	return rte_errno;
}

uint32_t shim_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t shim_rdtsc(void)
{
	return rte_rdtsc();
}

int shim_port_facts(uint16_t port, struct shim_port_facts *out)
{
	struct rte_eth_dev_info info;
	char name[RTE_ETH_NAME_MAX_LEN];
	int ret;

	memset(out, 0, sizeof(*out));
	ret = rte_eth_dev_info_get(port, &info);
	if (ret != 0)
		return ret;
	ret = rte_eth_dev_get_name_by_port(port, name);
	if (ret != 0)
		return ret;
	ret = rte_eth_dev_get_mtu(port, &out->mtu);
	if (ret != 0)
		return ret;
	/* A name that does not fit is cut; both are for people to read. */
	rte_strscpy(out->device, name, sizeof(out->device));
	if (info.driver_name != NULL)
		rte_strscpy(out->driver, info.driver_name, sizeof(out->driver));
	out->rss_offered = info.flow_type_rss_offloads;
	out->socket = rte_eth_dev_socket_id(port);
	out->if_index = info.if_index;
	out->max_rx_queues = info.max_rx_queues;
	out->max_tx_queues = info.max_tx_queues;
	out->rx_scatter = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	out->tx_multi_seg = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	return 0;
}

int shim_port_configure(uint16_t port, const struct shim_port_setup *setup)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	int ret;

	ret = rte_eth_dev_info_get(port, &info);
	if (ret != 0)
		return ret;
	memset(&conf, 0, sizeof(conf));
	/* ethdev presets 1500 before it knows the driver. Zero lets DPDK choose. */
	if (setup->mtu >= info.min_mtu && setup->mtu <= info.max_mtu)
		conf.rxmode.mtu = setup->mtu;
	if (setup->rx_scatter)
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (setup->tx_multi_seg)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (setup->rss_hash_on != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = setup->rss_hash_on;
	}
	return rte_eth_dev_configure(port, setup->rx_queues, setup->tx_queues, &conf);
}

int shim_port_link_up(uint16_t port)
{
	struct rte_eth_link link;
	int ret;

	memset(&link, 0, sizeof(link));
	ret = rte_eth_link_get_nowait(port, &link);
	if (ret != 0)
		return ret;
	return link.link_status == RTE_ETH_LINK_UP;
}

uint64_t shim_rss_ipv4(void)
{
	return RTE_ETH_RSS_IPV4;
}

uint64_t shim_rss_ipv4_tcp(void)
{
	return RTE_ETH_RSS_NONFRAG_IPV4_TCP;
}

uint64_t shim_rss_ipv6(void)
{
	return RTE_ETH_RSS_IPV6;
}

uint64_t shim_rss_ipv6_tcp(void)
{
	return RTE_ETH_RSS_NONFRAG_IPV6_TCP;
}

uint64_t shim_rss_addresses(void)
{
	return RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6;
}

uint64_t shim_rss_addresses_and_ports(void)
{
	return RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
	       RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
}

struct rte_mempool *shim_pool_create(const char *name, uint32_t mbufs, uint32_t cache, uint16_t room, int socket)
{
	struct rte_pktmbuf_pool_private private = { .mbuf_data_room_size = room };
	struct rte_mempool *pool;
	int ret;

	if (rte_eal_has_hugepages())
		return rte_pktmbuf_pool_create(name, mbufs, cache, 0, room, socket);
	pool = rte_mempool_create_empty(name, mbufs, sizeof(struct rte_mbuf) + room, cache, sizeof(private), socket,
					RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	if (pool == NULL)
		return NULL;
	ret = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	if (ret == 0) {
		rte_pktmbuf_pool_init(pool, &private);
		ret = rte_mempool_populate_default(pool);
	}
	if (ret < 0) {
		rte_mempool_free(pool);
		rte_errno = -ret;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

static void prefetch_frames(struct rte_mbuf **mbufs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], const void *));
}

uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max)
{
	uint16_t n = rte_eth_rx_burst(port, queue, mbufs, max);

	prefetch_frames(mbufs, n);
	return n;
}

uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_eth_tx_burst(port, queue, mbufs, n);
}

void shim_free_bulk(struct rte_mbuf **mbufs, uint32_t n)
{
	rte_pktmbuf_free_bulk(mbufs, n);
}

const struct rte_mbuf *shim_next_segment(const struct rte_mbuf *mbuf)
{
	return mbuf->next;
}

uint32_t shim_copy_out(const struct rte_mbuf *mbuf, uint32_t offset, uint8_t *to, uint32_t len)
{
	uint32_t copied = 0;

	for (; mbuf != NULL && copied < len; mbuf = mbuf->next) {
		uint32_t n;

		if (offset >= mbuf->data_len) {
			offset -= mbuf->data_len;
			continue;
		}
		n = RTE_MIN(mbuf->data_len - offset, len - copied);
		memcpy(to + copied, rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, offset), n);
		copied += n;
		offset = 0;
	}
	return copied;
}

struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

void shim_mbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

int shim_mbuf_append(struct rte_mbuf *mbuf, const uint8_t *bytes, uint16_t len)
{
	char *room = rte_pktmbuf_append(mbuf, len);

	if (room == NULL)
		return -1;
	memcpy(room, bytes, len);
	return 0;
}

int shim_mbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail)
{
	return rte_pktmbuf_chain(head, tail);
}

uint32_t shim_ring_enqueue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t n)
{
	return rte_ring_enqueue_burst(ring, (void *const *)mbufs, n, NULL);
}

uint32_t shim_ring_dequeue(struct rte_ring *ring, struct rte_mbuf **mbufs, uint32_t max)
{
	return rte_ring_dequeue_burst(ring, (void **)mbufs, max, NULL);
}

uint32_t shim_hash_crc(const void *bytes, uint32_t len, uint32_t init)
{
	return rte_hash_crc(bytes, len, init);
}

void shim_hash_crc_burst(const void *keys, uint32_t len, uint32_t n, uint32_t init, uint32_t *out)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		out[i] = rte_hash_crc((const uint8_t *)keys + (size_t)i * len, len, init);
}

uint32_t shim_jhash(const void *bytes, uint32_t len, uint32_t init)
{
	return rte_jhash(bytes, len, init);
}

struct rte_hash *shim_hash_create(const struct shim_hash_setup *setup)
{
	struct rte_hash_parameters params;

	memset(&params, 0, sizeof(params));
	params.name = setup->name;
	params.entries = setup->entries;
	params.key_len = setup->key_len;
	params.hash_func = setup->function == SHIM_HASH_JHASH ? rte_jhash : rte_hash_crc;
	params.hash_func_init_val = setup->init_value;
	params.socket_id = setup->socket;
	if (setup->ext_table)
		params.extra_flag |= RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
	return rte_hash_create(&params);
}

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define TEL_NUMBER RTE_TEL_UINT_VAL
#define TEL_ADD_NUMBER rte_tel_data_add_array_uint
#define TEL_SET_NUMBER rte_tel_data_add_dict_uint
#else
#define TEL_NUMBER RTE_TEL_U64_VAL
#define TEL_ADD_NUMBER rte_tel_data_add_array_u64
#define TEL_SET_NUMBER rte_tel_data_add_dict_u64
#endif

int shim_tel_start_numbers(struct rte_tel_data *data)
{
	return rte_tel_data_start_array(data, TEL_NUMBER);
}

int shim_tel_start_texts(struct rte_tel_data *data)
{
	return rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
}

int shim_tel_add_number(struct rte_tel_data *array, uint64_t value)
{
	return TEL_ADD_NUMBER(array, value);
}

int shim_tel_set_number(struct rte_tel_data *dict, const char *name, uint64_t value)
{
	return TEL_SET_NUMBER(dict, name, value);
}
