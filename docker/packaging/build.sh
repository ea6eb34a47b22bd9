#!/bin/bash
# Makes target/debian/flowtracker_VERSION_ARCH.deb of the release binaries (`make build`), or of
# those in FLOWTRACKER_BIN_DIR. Lays them out with their manual pages, completions and the files
# here; debhelper does the rest: stripping, library dependencies, maintainer scripts, compression.
#
# The same binaries at the same commit give the same bytes: times are the commit's
# (SOURCE_DATE_EPOCH, if set; 0 where there is neither), and owners are root. VERSION is that of the
# workspace with this machine's release behind it, as 0.1.0+deb12: the package is for the release
# that the programs were built on, and that of a later one is an upgrade.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly bin=${FLOWTRACKER_BIN_DIR:-target/release} out=target/debian
readonly tree=$out/build/flowtracker
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export LC_ALL=C.UTF-8 TZ=UTC
umask 022

say() { printf 'package: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

for program in flowtracker-dataplane flowtracker-control ctl; do
    [[ -x $bin/$program ]] || fail "$bin/$program is missing: make build, or set FLOWTRACKER_BIN_DIR"
done
if ! command -v dh >/dev/null; then
    (( EUID == 0 )) || fail 'debhelper is missing and only root can install it: sudo apt-get install build-essential debhelper'
    say 'installing debhelper'
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -q -y --no-install-recommends build-essential debhelper; } >&2
fi

version=$(sed -n '/^\[workspace.package\]/,/^\[/ s/^version = "\(.*\)"$/\1/p' Cargo.toml)
[[ -n $version ]] || fail 'Cargo.toml has no version in [workspace.package]'
. /etc/os-release
version+=+${ID/#debian/deb}$VERSION_ID

rm -rf "$out/build" "$out"/flowtracker_*.deb
mkdir -p "$tree"/{bin,man,completions}
cp "$bin"/{flowtracker-dataplane,flowtracker-control,ctl} "$tree/bin/"
cp -r docker/packaging/{debian,etc,README.md} "$tree/"
"$bin/ctl" man "$tree/man"
"$bin/flowtracker-control" --man >"$tree/man/flowtracker-control.8"
"$bin/flowtracker-dataplane" --man >"$tree/man/flowtracker-dataplane.8"
"$bin/ctl" completions bash >"$tree/completions/ctl"
"$bin/ctl" completions zsh >"$tree/completions/_ctl"
"$bin/ctl" completions fish >"$tree/completions/ctl.fish"
cat >"$tree/debian/changelog" <<END
flowtracker ($version) $VERSION_CODENAME; urgency=medium

  * Version $version. What has changed is told by the commits.

 -- $(sed -n 's/^Maintainer: //p' docker/packaging/debian/control)  $(date -R -d "@$SOURCE_DATE_EPOCH")
END

log=$out/build/log
(cd "$tree" && dpkg-buildpackage -b --no-sign) >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "see $log"; }
deb=$(basename "$out"/build/*.deb)
mv "$out/build/$deb" "$out/"
say "$out/$deb, $(du -h "$out/$deb" | cut -f1)"
