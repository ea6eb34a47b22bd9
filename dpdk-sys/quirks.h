/*
 * Workarounds for DPDK 22.11 that have to be written in C. The page dataplane/docs/quirks.md says
 * which driver needs which, and what happens without it.
 *
 * quirks.c defines munmap, setsockopt and connect. The symbols of an executable come before those
 * of its libraries, so these definitions replace the C library's for the whole process, DPDK's
 * shared libraries and drivers included. They are linked in when a program refers to a function
 * below.
 *
 * Each behaves like the C library's function but for the one deviation that is described here. None
 * waits without an upper bound, and each leaves behind what it found: options of the socket, bytes
 * of the caller, errno.
 */
#ifndef FLOWTRACKER_QUIRKS_H
#define FLOWTRACKER_QUIRKS_H

#include <stdint.h>

/*
 * connect() to an AF_UNIX address fails with EAGAIN when the server has not made room for the
 * connection after this time, in milliseconds. A shorter SO_SNDTIMEO of the socket stays in force.
 */
#define QUIRKS_CONNECT_LIMIT_MS 100

/*
 * Has every munmap() of the process call may_unmap first, on the same thread. When it returns 0,
 * the memory stays mapped for the rest of the process, and munmap() returns 0 all the same.
 * may_unmap keeps to an upper bound of its own; quirks.c does not interrupt it. NULL calls nothing.
 */
void quirks_before_munmap(int (*may_unmap)(void));

/*
 * Returns the value of the socket option PACKET_FANOUT without PACKET_FANOUT_FLAG_DEFRAG, which
 * setsockopt() sets instead of the caller's.
 */
uint32_t quirks_fanout_without_defrag(uint32_t fanout);

/* The descriptors whose rings are remembered: those below this. */
#define QUIRKS_MAX_FD 4096

/*
 * Returns the bytes of a frame of the receive ring that setsockopt() last made for a packet socket
 * (PACKET_RX_RING, tp_frame_size). 0 when none was made for this descriptor, or it is not below
 * QUIRKS_MAX_FD.
 */
uint32_t quirks_ring_frame(int fd);

/*
 * Has the EAL's interrupt thread call callback(arg) while fd is readable. Returns 0 or a negative
 * errno. The memory that describes fd to the EAL is the C library's and is never freed, so it
 * outlives rte_eal_cleanup.
 */
int quirks_watch_fd(int fd, void (*callback)(void *arg), void *arg);

#endif
