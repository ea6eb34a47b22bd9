#!/bin/bash
# image.sh BIN_DIR FILE: writes the guest's whole file system, an initial RAM
# disk: busybox, the product's programs from BIN_DIR with the libraries of this
# machine, DPDK's drivers for PCI ports and the kernel's modules for them.
set -euo pipefail
programs=$(realpath "$1")
file=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
packages=$(realpath "$here/../../target/guest/files")
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT

# Copies files to the same place in the image, and links together with their targets. Links stay
# links, because the loader recognizes a file that it has loaded already by its identity.
add() {
    local path
    for path; do
        path=$(realpath "$(dirname "$path")")/$(basename "$path")
        mkdir -p "$image$(dirname "$path")"
        cp -P "$path" "$image$path"
        if [[ -L $path ]]; then
            add "$(cd "$(dirname "$path")" && realpath -s "$(readlink "$path")")"
        fi
    done
}

mkdir -p "$image"/{bin,dev,proc,sys,run,tmp,usr/lib,usr/lib64,var}
ln -s usr/lib usr/lib64 "$image/"
ln -s /run "$image/var/run"
install -m 755 "$here/init" "$image/init"
cp "$packages/bin/busybox" "$image/bin/"
for program in flowtracker-dataplane flowtracker-control; do
    # Debug information is most of a program's size, and would occupy memory of the guest.
    strip -o "$image/bin/$program" "$programs/$program"
done

# DPDK loads all drivers in this folder. The image has only those that the guest needs.
drivers=("$(pkg-config --variable=libdir libdpdk)"/dpdk/pmds-*/librte_{bus_pci,mempool_ring,net_e1000,net_virtio}.so)
mapfile -t libraries < <(
    ldd "$image"/bin/flowtracker-* "${drivers[@]}" |
        grep -o '/[^ ]*\.so[^ :]*' | sort -u
)
add "${drivers[@]}" "${libraries[@]}"

# The modules' folder with its index, but only the modules that are wanted and what they need.
cd "$packages"
modules=(lib/modules/*)
for module in virtio_pci virtio_net vfio-pci vfio_iommu_type1; do
    # Else the kernel has it built in.
    grep "/$module\.ko:" "$modules/modules.dep" || grep -q "/$module\.ko$" "$modules/modules.builtin"
done | tr -s ': ' '\n' | sort -u | while read -r module; do
    mkdir -p "$image/usr/$modules/$(dirname "$module")"
    cp "$modules/$module" "$image/usr/$modules/$module"
done
cp "$modules"/modules.{dep,builtin} "$image/usr/$modules/"

cd "$image"
find . | "$packages/bin/busybox" cpio -o -H newc >"$file"
