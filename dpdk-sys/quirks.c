/* For syscall(). */
#define _GNU_SOURCE
/* rte_intr_instance_* are exported but not declared stable in 22.11; quirks_watch_fd needs them. */
#define ALLOW_EXPERIMENTAL_API

#include "quirks.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_interrupts.h>

/* ---- munmap: net_memif unmaps rings while a burst call may be reading them ---- */

static int (*may_unmap)(void);

void quirks_before_munmap(int (*callback)(void))
{
	__atomic_store_n(&may_unmap, callback, __ATOMIC_RELEASE);
}

int munmap(void *addr, size_t len)
{
	int (*callback)(void) = __atomic_load_n(&may_unmap, __ATOMIC_ACQUIRE);

	if (callback != NULL) {
		int saved = errno;
		int may = callback();

		errno = saved;
		if (!may)
			return 0;
	}
	return (int)syscall(SYS_munmap, addr, len);
}

/* ---- setsockopt: net_af_packet has the kernel reassemble fragments, and hides its ring ---- */

/* Bytes of a frame of the receive ring of each descriptor, 0 where none was made. */
static uint32_t ring_frames[QUIRKS_MAX_FD];

uint32_t quirks_ring_frame(int fd)
{
	if (fd < 0 || fd >= QUIRKS_MAX_FD)
		return 0;
	return __atomic_load_n(&ring_frames[fd], __ATOMIC_RELAXED);
}

uint32_t quirks_fanout_without_defrag(uint32_t fanout)
{
	/* The flags are the upper 16 bits. */
	return fanout & ~((uint32_t)PACKET_FANOUT_FLAG_DEFRAG << 16);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct tpacket_req ring;
	uint32_t fanout;
	int ret;

	if (level == SOL_PACKET && name == PACKET_FANOUT && value != NULL && len == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout = quirks_fanout_without_defrag(fanout);
		value = &fanout;
	}
	ret = (int)syscall(SYS_setsockopt, fd, level, name, value, len);
	if (ret == 0 && level == SOL_PACKET && name == PACKET_RX_RING && len >= sizeof(ring) &&
	    fd < QUIRKS_MAX_FD) {
		memcpy(&ring, value, sizeof(ring));
		__atomic_store_n(&ring_frames[fd], ring.tp_frame_size, __ATOMIC_RELAXED);
	}
	return ret;
}

/* ---- connect: net_memif waits for its server on the interrupt thread ---- */

/*
 * Has the kernel give up a connect() on the socket after QUIRKS_CONNECT_LIMIT_MS. Returns 1 and the
 * timeout that the socket had before, or 0 when the socket has a shorter one or takes none.
 */
static int limit_connect(int fd, struct timeval *before)
{
	const struct timeval limit = { .tv_usec = QUIRKS_CONNECT_LIMIT_MS * 1000 };
	socklen_t size = sizeof(*before);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, before, &size) != 0)
		return 0;
	/* A timeout of zero stands for none. */
	if (timerisset(before) && !timercmp(before, &limit, >))
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int local = address != NULL && len >= sizeof(address->sa_family) && address->sa_family == AF_UNIX;
	int saved = errno;
	struct timeval before;
	int limited, ret;

	limited = local && limit_connect(fd, &before);
	errno = saved;
	ret = (int)syscall(SYS_connect, fd, address, len);
	if (limited) {
		saved = errno;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, sizeof(before));
		errno = saved;
	}
	return ret;
}

/* ---- a descriptor for the interrupt thread, on which Rust parks it ---- */

int quirks_watch_fd(int fd, void (*callback)(void *arg), void *arg)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int ret;

	if (handle == NULL)
		return -ENOMEM;
	if (rte_intr_fd_set(handle, fd) != 0 || rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT) != 0) {
		ret = -rte_errno;
		rte_intr_instance_free(handle);
		return ret;
	}
	ret = rte_intr_callback_register(handle, callback, arg);
	if (ret != 0)
		rte_intr_instance_free(handle);
	return ret < 0 ? ret : 0;
}
