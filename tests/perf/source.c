/* A source of TCP flows for the perf lab, preloaded into any program that polls DPDK ports: testpmd and the data plane get
 * the same one, and are counted by the same meter. When a port is started, a callback on its receive queue makes
 * each frame that the driver delivers (net_null delivers empty frames at any rate) a TCP SYN of the next
 * flow, by default over IPv4, and counts; one on its transmit queue takes the time that the frames took from
 * one callback to the other.
 *
 * Environment:
 *   SOURCE_METER=FILE    where to count (struct meter below, one for each port); must be there
 *   SOURCE_FLOWS=N       flows per port, one after the other, again and again; 0: frames are left as they are
 *   SOURCE_NEW=M         M of 1024 frames are the first of a new flow
 *   SOURCE_ELEPHANT=M    M of 1024 frames belong to one flow
 *   SOURCE_KEYS=FILE     SOURCE_FLOWS flows: addresses and ports as on the wire, 12 bytes each, 36 of IPv6
 *   SOURCE_FAMILIES=4|6|46  IPv4, IPv6, or one after the other; all headers of each frame are written, so
 *                        that the families cost the same
 *   SOURCE_EXTENSIONS=N  every IPv6 frame has N extension headers of 8 bytes, at most 8
 *   SOURCE_LATENCY=1     take the time
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

enum { PORTS = 8, BUCKETS = 64 * 8, LENGTH = 64, STAMP = 56, IP = 14, IPV6 = 40, TCP = 10, EXTENSIONS = 8 };

/* As seen by the lab, which maps the file. */
struct meter {
	volatile uint64_t frames; /* received */
	volatile uint64_t bursts;
	volatile uint64_t sent;
	volatile uint64_t new_flows; /* among those received */
	volatile uint64_t hz;        /* of the time stamp counter */
	uint64_t unused[3];
	volatile uint64_t waited[BUCKETS]; /* frames by cycles from receive to transmit: 8 buckets for each power of two */
};

struct tuple {
	uint32_t src, dst;
	uint16_t sport, dport;
} __attribute__((packed));

struct tuple_v6 {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
} __attribute__((packed));

/* The headers of an IPv6 frame up to its ports, and their length. */
struct template {
	uint8_t bytes[IP + IPV6 + 8 * EXTENSIONS + TCP];
	uint16_t length;
};

struct source {
	struct meter *meter;
	uint64_t flows, next, fresh;
	uint32_t dice, new_share, elephant_share;
	const struct tuple *keys;
	const struct tuple_v6 *keys_v6;
	int latency, prepared, ipv4, ipv6;
} __attribute__((aligned(128)));

static struct source sources[PORTS];
static struct meter *meters;
static struct template template_v6;

static const uint8_t frame[LENGTH] = {
	0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00, /* Ethernet */
	0x45, 0, 0, 50, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /* IPv4 */
	0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x20, 0, 0, 0, 0, 0, /* TCP */
};

/* The n-th flow: no two of less than 2^48 are alike. Spread, so that no hash function is lucky. */
static inline struct tuple numbered(uint64_t n)
{
	return (struct tuple){
		.src = (uint32_t)n * 0x9e3779b1u,
		.dst = 0x0100000a,
		.sport = (uint16_t)(n >> 32),
		.dport = 0x5000,
	};
}

/* The number of the next flow. */
static inline uint64_t next_number(struct source *s)
{
	if (s->new_share | s->elephant_share) {
		uint32_t dice;
		s->dice = s->dice * 1664525u + 1013904223u;
		dice = s->dice >> 22;
		if (dice < s->new_share)
			return s->fresh++;
		if (dice < s->new_share + s->elephant_share)
			return 0;
	}
	uint64_t n = s->next;
	s->next = n + 1 == s->flows ? 0 : n + 1;
	return n;
}

static inline struct tuple next_flow(struct source *s)
{
	uint64_t n = next_number(s);
	return s->keys ? s->keys[n] : numbered(n);
}

/* Makes the headers of IPv6, from 2001:db8:0:1::/64 to 2001:db8:0:2::1: a chain of destination options that
 * hold padding (RFC 8200, section 4.2), then TCP. */
static void make_template(unsigned int extensions)
{
	static const uint8_t addresses[32] = {
		0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, /* the host is the flow's */
		0x20, 1, 0x0d, 0xb8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1,
	};
	struct template *t = &template_v6;
	uint8_t *ip = t->bytes + IP;

	memcpy(t->bytes, frame, IP);
	t->bytes[12] = 0x86, t->bytes[13] = 0xdd;
	ip[0] = 0x60;
	ip[5] = 8 * extensions + TCP;
	ip[6] = extensions ? 60 : 6;
	ip[7] = 64;
	memcpy(ip + 8, addresses, 32);
	for (unsigned int i = 0; i < extensions; i++) {
		uint8_t *extension = ip + IPV6 + 8 * i;
		extension[0] = i + 1 == extensions ? 6 : 60;
		extension[2] = 1, extension[3] = 4;
	}
	t->length = IP + IPV6 + 8 * extensions + TCP;
}

/* Writes a whole frame of the next flow. */
static inline void write_v4(struct source *s, uint8_t *data)
{
	struct tuple tuple = next_flow(s);
	memcpy(data + 12, frame + 12, 14);
	memcpy(data + 26, &tuple, 8);
	memcpy(data + 34, (uint8_t *)&tuple + 8, 4);
}

/* Each piece is stored once: a copy on the stack would be loaded before its parts have left the store
 * buffer. */
static inline void write_v6(struct source *s, uint8_t *data)
{
	uint64_t n = next_number(s), host = n * 0x9e3779b97f4a7c15u;
	uint32_t ports = (uint16_t)(n >> 32) | 0x5000u << 16;

	memcpy(data + 12, template_v6.bytes + 12, 10);
	if (s->keys_v6) {
		memcpy(data + IP + 8, &s->keys_v6[n], 32);
		memcpy(&ports, &s->keys_v6[n].sport, 4);
	} else {
		memcpy(data + IP + 8, template_v6.bytes + IP + 8, 8);
		memcpy(data + IP + 16, &host, 8);
		memcpy(data + IP + 24, template_v6.bytes + IP + 24, 16);
	}
	if (template_v6.length > IP + IPV6 + TCP)
		memcpy(data + IP + IPV6, template_v6.bytes + IP + IPV6, 8 * EXTENSIONS);
	memcpy(data + template_v6.length - TCP, &ports, 4);
}

static inline void write_frames(struct source *s, struct rte_mbuf *pkts[], uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		uint8_t *data = rte_pktmbuf_mtod(pkts[i], uint8_t *);
		if (s->ipv6 && (!s->ipv4 || i % 2))
			write_v6(s, data);
		else
			write_v4(s, data);
	}
}

/* What of a frame does not change lies in the mbufs from the beginning. */
static void prepare(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	struct rte_mbuf *mbuf = object;

	(void)pool, (void)arg, (void)index;
	memcpy((char *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, frame, LENGTH);
}

static uint16_t receive(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t count, uint16_t max, void *arg)
{
	struct source *s = arg;
	uint64_t fresh = s->fresh;

	(void)port, (void)queue, (void)max;
	if (s->flows && (s->ipv4 || s->ipv6)) {
		write_frames(s, pkts, count);
	} else if (s->flows) {
		if (count && !s->prepared) {
			rte_mempool_obj_iter(pkts[0]->pool, prepare, NULL);
			s->prepared = 1;
		}
		for (uint16_t i = 0; i < count; i++) {
			uint8_t *data = rte_pktmbuf_mtod(pkts[i], uint8_t *);
			struct tuple tuple = next_flow(s);
			memcpy(data + 26, &tuple, 8);
			memcpy(data + 34, (uint8_t *)&tuple + 8, 4);
		}
	}
	if (s->latency) {
		uint64_t now = rte_rdtsc();
		for (uint16_t i = 0; i < count; i++)
			memcpy(rte_pktmbuf_mtod(pkts[i], uint8_t *) + STAMP, &now, 8);
	}
	s->meter->frames += count;
	s->meter->bursts += count != 0;
	s->meter->new_flows += s->fresh - fresh;
	return count;
}

static uint16_t transmit(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t count, void *arg)
{
	struct meter *meter = arg;
	uint64_t now = rte_rdtsc();

	(void)port, (void)queue;
	meter->sent += count;
	for (uint16_t i = 0; i < count; i++) {
		uint64_t then, took;
		memcpy(&then, rte_pktmbuf_mtod(pkts[i], uint8_t *) + STAMP, 8);
		took = (now - then) | 8;
		int power = 63 - __builtin_clzll(took);
		meter->waited[power * 8 + ((took >> (power - 3)) & 7)]++;
	}
	return count;
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : 0;
}

static void *map(const char *path, size_t length, int writable)
{
	int fd = open(path, writable ? O_RDWR : O_RDONLY);
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, length, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	return at;
}

int rte_eth_dev_start(uint16_t port)
{
	static int (*start)(uint16_t);
	const char *path = getenv("SOURCE_METER"), *keys = getenv("SOURCE_KEYS"), *families = getenv("SOURCE_FAMILIES");
	struct source *s = &sources[port % PORTS];

	if (!start)
		start = (int (*)(uint16_t))dlsym(RTLD_NEXT, "rte_eth_dev_start");
	int code = start(port);
	if (code != 0 || !path || port >= PORTS || s->meter)
		return code;
	if (!meters)
		meters = map(path, PORTS * sizeof(*meters), 1);
	*s = (struct source){
		.meter = &meters[port],
		.flows = number("SOURCE_FLOWS"),
		.fresh = 1ull << 32, /* the ports of the source differ from those of the known */
		.dice = port + 1,
		.new_share = number("SOURCE_NEW"),
		.elephant_share = number("SOURCE_ELEPHANT"),
		.latency = number("SOURCE_LATENCY") != 0,
		.ipv4 = families && strchr(families, '4'),
		.ipv6 = families && strchr(families, '6'),
	};
	make_template(number("SOURCE_EXTENSIONS"));
	if (keys && s->flows && s->ipv6)
		s->keys_v6 = map(keys, s->flows * sizeof(*s->keys_v6), 0);
	else if (keys && s->flows)
		s->keys = map(keys, s->flows * sizeof(*s->keys), 0);
	s->meter->hz = rte_get_tsc_hz();
	if (!rte_eth_add_rx_callback(port, 0, receive, s) ||
	    (s->latency && !rte_eth_add_tx_callback(port, 0, transmit, s->meter))) {
		fprintf(stderr, "port %u takes no callbacks\n", port);
		exit(1);
	}
	return code;
}
