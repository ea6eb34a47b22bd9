#!/bin/bash
# Fetches what the guest test runs into target/guest: a kernel, busybox and,
# unless it is installed, QEMU. The Debian packages are unpacked there, not
# installed: the kernel of a guest has no business in the host's /boot, and apt
# would remove a newer release's qemu-utils to make room for this one's QEMU.
set -euo pipefail
cd "$(dirname "$0")/../.."

guest=target/guest
rm -rf "$guest"
mkdir -p "$guest/packages"

# Without the sandbox, because its user may not write into target/.
apt() { apt-get -q -o APT::Sandbox::User=root "$@"; }
if (( EUID == 0 )); then
    apt update
fi

# linux-image-cloud-amd64 is a name for the newest kernel, which it depends on.
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
packages=("$kernel" busybox-static)
if ! command -v qemu-system-x86_64 >/dev/null; then
    # With the libraries that this machine lacks: what an installation would install.
    mapfile -t qemu < <(apt install --simulate --no-install-recommends qemu-system-x86 |
        awk '$1 == "Inst" { print $2 }')
    packages+=("${qemu[@]}")
fi
(cd "$guest/packages" && apt download "${packages[@]}")
for package in "$guest"/packages/*.deb; do
    dpkg-deb --extract "$package" "$guest/files"
done
rm -r "$guest/packages"

"$guest/files/bin/busybox" depmod -b "$guest/files" "${kernel#linux-image-}"
touch "$guest/complete"
