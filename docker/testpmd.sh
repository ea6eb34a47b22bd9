#!/bin/bash
# Runs DPDK's testpmd as a peer of the data plane, at the server's end of a memif link:
#
#   testpmd.sh generator SOCKET    sends the TCP flows of a capture, over and over, and drops what comes back
#   testpmd.sh sink SOCKET         sends every frame back with addresses and ports swapped
#
# TESTPMD_CPU is the CPU that it runs on. TESTPMD_EAL holds the EAL arguments for its memory.
set -euo pipefail
role=$1 socket=$2

# A server that was killed leaves its socket behind, and the next one could not bind it.
rm -f "$socket"

memif="net_memif0,role=server,id=0,socket-abstract=no,socket=$socket"
case $role in
    generator)
        ports="--vdev=net_pcap0,rx_pcap=/usr/share/flowtracker/flows.pcap,infinite_rx=1 --vdev=$memif"
        forward='--forward-mode=io --port-topology=paired' ;;
    sink)
        ports="--vdev=$memif"
        forward='--forward-mode=5tswap --port-topology=loop' ;;
    *)
        echo "testpmd.sh: unknown role \`$role': generator or sink" >&2
        exit 2 ;;
esac

# testpmd clears the screen before it prints its counters, which in a log removes other lines too.
exec > >(exec sed --unbuffered 's/\x1b\[[0-9;]*[A-Za-z]//g')

# The main lcore only waits; both lcores share one CPU. Counters once a minute keep testpmd from
# waiting for a keypress.
# shellcheck disable=SC2086
exec env LD_PRELOAD=/usr/local/lib/memif_wait.so stdbuf -oL dpdk-testpmd --lcores="0@${TESTPMD_CPU:-0},1@${TESTPMD_CPU:-0}" \
    ${TESTPMD_EAL:---no-huge --no-shconf -m 128} --no-pci --no-telemetry --file-prefix="$role" $ports \
    -- $forward --auto-start --no-flush-rx --disable-link-check --no-mlockall \
    --total-num-mbufs=8192 --stats-period=60
