#!/bin/bash
# Makes local stand-ins for the two base images of the Dockerfile, for machines that reach Debian's
# mirror but no container registry. Needs root, and debootstrap, which it installs. Prints settings
# for the build, so it is called as:
#
#     eval "$(docker/base-images.sh [--suite bookworm|trixie])"
#
# The first image is a minimal Debian of that suite (bookworm, Debian 12, unless told), the second
# the same with this machine's Rust toolchain, which a later Debian runs too. Both trust the
# certificate authorities that this machine trusts: where a proxy intercepts TLS, cargo and pip must
# accept it in a container too. Existing images are kept. With --if-needed the script makes nothing
# where a registry has the real ones, and then prints nothing for bookworm, which is the default of
# the Dockerfile. With --remove it removes both of the suite.
set -euo pipefail

suite=bookworm
if [[ ${1-} == --suite ]]; then
    suite=${2-}
    shift $(( $# < 2 ? $# : 2 ))
fi
case $suite in
    bookworm | trixie) ;;
    *) echo "base images: unknown suite \`$suite': bookworm or trixie" >&2; exit 1 ;;
esac
readonly suite
readonly real=(debian:$suite-slim rust:1-$suite)
readonly debian=flowtracker-standin/${real[0]} rust=flowtracker-standin/${real[1]}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

say() { printf 'base images: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
there() { docker image inspect "$1" >/dev/null 2>&1; }

docker version >/dev/null 2>&1 || fail 'the Docker engine does not answer'
if [[ ${1-} == --remove ]]; then
    for image in "$rust" "$debian"; do
        if there "$image"; then docker image rm --no-prune "$image" >&2; fi
    done
    exit
fi
if [[ ${1-} == --if-needed ]]; then
    shift
    needed=0
    for image in "${real[@]}"; do
        there "$image" || timeout 600 docker pull --quiet "$image" >&2 || needed=1
    done
    if (( ! needed )); then
        [[ $suite == bookworm ]] || echo "export BASE_IMAGE=${real[0]} RUST_IMAGE=${real[1]}"
        exit
    fi
    say 'no registry has them: stand-ins of this machine'
fi
(( $# == 0 )) || fail "unknown argument \`$1': there are --suite, and then --if-needed or --remove"

if ! there "$debian" || ! there "$rust"; then
    (( EUID == 0 )) || fail 'only root can debootstrap'
    command -v cargo >/dev/null || fail 'cargo is missing: the second image is made of this machine'\''s toolchain'
    if ! command -v debootstrap >/dev/null; then
        say 'installing debootstrap'
        { apt-get update -q && apt-get install -q -y --no-install-recommends debootstrap; } >&2
    fi
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT

    say "$debian from $mirror"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
        { tail -n 20 "$root.log" >&2; rm -f "$root.log"; fail 'debootstrap failed'; }
    rm -f "$root.log"
    # The sources include updates and security fixes, which debootstrap leaves out.
    cat >"$root/etc/apt/sources.list" <<END
deb $mirror $suite main
deb $mirror $suite-updates main
deb ${mirror%/debian}/debian-security $suite-security main
END
    # Debian's own slim image has no documentation and no package lists either.
    printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/locale/*\n' >"$root/etc/dpkg/dpkg.cfg.d/docker"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale}/*
    mkdir -p "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp -RL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
    trust=(--change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt')
    tar -C "$root" -c . | docker import "${trust[@]}" --change 'CMD ["bash"]' - "$debian" >&2

    say "$rust: the same with $(rustc --version)"
    mkdir "$root/usr/local/rust"
    tar -C "$(rustc --print sysroot)" -c --exclude=./share --exclude=./libexec --exclude=./lib/rustlib/src . |
        tar -C "$root/usr/local/rust" -x
    path=/usr/local/cargo/bin:/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    tar -C "$root" -c . | docker import "${trust[@]}" --change "ENV PATH=$path CARGO_HOME=/usr/local/cargo" - "$rust" >&2
fi
echo "export BASE_IMAGE=$debian RUST_IMAGE=$rust"
