/* Preloaded into testpmd. When its peer goes, net_memif (22.11 and 24.11) marks the link down and then, on the EAL's interrupt
 * thread, unmaps the rings, without waiting for an lcore that may be inside a burst on them: in four of ten tries testpmd
 * died of SIGSEGV when the data plane was killed. Here that thread waits before it unmaps anything; a burst takes
 * microseconds, and 300 ms are three periods of the CPU quota that a container may be held back for. (The data plane itself
 * knows when no burst is in flight and waits for that: dataplane/dpdk/src/quirks/unmap.rs.) */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int munmap(void *address, size_t length)
{
	char thread[16] = "";

	pthread_getname_np(pthread_self(), thread, sizeof(thread));
	/* The second name since DPDK 23.07. */
	if (strcmp(thread, "eal-intr-thread") == 0 || strcmp(thread, "dpdk-intr") == 0)
		usleep(300000);
	return syscall(SYS_munmap, address, length);
}
