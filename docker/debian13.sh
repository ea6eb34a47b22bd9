#!/bin/bash
# Builds and tests the product on Debian 13, whose DPDK is 24.11, in a container on any machine with
# a Docker engine:
#
#     docker/debian13.sh                       everything below, in this order
#     docker/debian13.sh build demo test package
#     docker/debian13.sh short                 build, demo, the tests of the DPDK wrapper, the package
#     docker/debian13.sh compose               docker/story.sh with Debian 13's base images
#     docker/debian13.sh run COMMAND…          a command in the same container
#
# The container sees this checkout read-only at /src, and target/debian13 in place of its target/:
# tools, programs, and the package as target/debian13/debian/flowtracker_*.deb. It has the
# capabilities that the tests need on a machine of their own (namespaces, links, taps). Its image,
# flowtracker-debian13, is kept for the next time; the container and its namespaces go.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly suite=trixie image=flowtracker-debian13 name=flowtracker-debian13-$$
readonly target=$PWD/target/debian13
log=$(mktemp)

step() { printf '\n== Debian 13, %d s: %s\n' "$SECONDS" "$*"; }
fail() { printf 'debian13.sh: %s\n' "$*" >&2; exit 1; }

clean_up() {
    docker rm -f "$name" >/dev/null 2>&1 || true
    rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start() {
    local mounts=() registry nextest base
    step 'image with what a build and the tests need'
    base=$(docker/base-images.sh --suite $suite --if-needed)
    eval "$base"
    # The list of packages is the only thing that varies, so that the layer is reused.
    timeout 900 docker build -q -t "$image" - >"$log" 2>&1 <<END || { cat "$log" >&2; fail 'docker build'; }
FROM $RUST_IMAGE
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    $(tests/demo/deps.sh list | tr '\n' ' ') debhelper git kmod python3
RUN git config --system --add safe.directory /src
END
    # Sources that cargo has fetched on this machine need not be fetched again. Only root may have
    # root write there.
    registry=${CARGO_HOME:-$HOME/.cargo}/registry
    if (( EUID != 0 )); then registry=$target/registry; fi
    mkdir -p "$registry" "$target/run"
    # Built here, it runs there: a later C library has all symbols of an earlier one.
    if nextest=$(command -v cargo-nextest); then
        mounts+=(--volume "$nextest:/usr/local/bin/cargo-nextest:ro")
    fi
    docker run -d --init --name "$name" --cap-add NET_ADMIN --cap-add NET_RAW --cap-add SYS_ADMIN --cap-add SYS_PTRACE \
        --cap-add SYS_NICE --cap-add IPC_LOCK --device /dev/net/tun --tmpfs /run \
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cgroupns private \
        --volume "$PWD:/src:ro" --volume "$target:/src/target" --volume "$registry:/usr/local/cargo/registry" \
        "${mounts[@]}" --workdir /src --env CI --env CARGO_TERM_COLOR --env CARGO_INCREMENTAL \
        --env RUNTIME_DIRECTORY=/run/dpdk-test "$image" sleep infinity >/dev/null
    # The tests set these in namespaces of their own.
    inside bash -c 'mkdir -p /run/dpdk-test && mount -o remount,rw /proc/sys'
    inside pkg-config --modversion libdpdk
}
inside() { docker exec -i "$name" "$@"; }

build() { step 'make build'; inside make build; }
demo() { step 'make demo'; inside make demo; }
tests() { step 'make test'; inside make test; }
# The wrapper calls everything of DPDK that differs between releases. The profile is that of the
# programs, so that most of it is compiled.
wrapper() {
    step 'the tests of the DPDK wrapper'
    inside cargo nextest --version >/dev/null 2>&1 || inside make deps
    inside cargo nextest run --locked --cargo-profile release -p dpdk-sys -p dpdk
}
package() {
    step 'the package'
    inside docker/packaging/build.sh
    docker/packaging/test.sh "$target"/debian/flowtracker_*.deb
}

compose() {
    step 'the composition'
    BASE_IMAGE=$BASE_IMAGE RUST_IMAGE=$RUST_IMAGE docker/story.sh
}

(( $# )) || set -- build demo test package
docker version >/dev/null 2>&1 || fail 'the Docker engine does not answer'
for verb; do
    case $verb in
        build | demo | test | package | compose | short) ;;
        run) break ;;
        *) fail "unknown argument \`$verb': build, demo, test, package, compose, short, run COMMAND…" ;;
    esac
done
start
while (( $# )); do
    verb=$1
    shift
    case $verb in
        build | demo | package | compose) "$verb" ;;
        test) tests ;;
        short) build; demo; wrapper; package ;;
        run) inside "$@"; exit ;;
    esac
done
step 'done'
