#!/bin/bash
# Fetches what the guest test needs into target/guest: a kernel, busybox and, unless it is
# installed, QEMU. The Debian packages are unpacked there and not installed: the kernel of a guest
# does not belong in the host's /boot, and apt would remove qemu-utils of a newer release to install
# the QEMU of this one.
set -euo pipefail
cd "$(dirname "$0")/../.."

guest=target/guest
rm -rf "$guest"
mkdir -p "$guest/packages"

# apt runs without its sandbox, whose user may not be able to write into target/.
apt() { apt-get -q -o APT::Sandbox::User=root "$@"; }
if (( EUID == 0 )); then
    apt update
fi

# linux-image-cloud-amd64 is a metapackage that depends on the newest kernel.
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
packages=("$kernel" busybox-static)
if ! command -v qemu-system-x86_64 >/dev/null; then
    # These are the packages that an installation would install, with the libraries that this
    # machine lacks.
    mapfile -t qemu < <(apt install --simulate --no-install-recommends qemu-system-x86 |
        awk '$1 == "Inst" { print $2 }')
    packages+=("${qemu[@]}")
fi
(cd "$guest/packages" && apt download "${packages[@]}")
for package in "$guest"/packages/*.deb; do
    dpkg-deb --extract "$package" "$guest/files"
done
rm -r "$guest/packages"
# The packages of Debian 13 have everything in /usr, and modules that busybox would have to unpack.
for folder in bin lib; do
    if [[ ! -e $guest/files/$folder ]]; then ln -s "usr/$folder" "$guest/files/$folder"; fi
done
find "$guest/files/lib/modules/" -name '*.ko.xz' -exec xz --decompress {} +

"$guest/files/bin/busybox" depmod -b "$guest/files" "${kernel#linux-image-}"
touch "$guest/complete"
