# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A virtual machine with Debian's own kernel, systemd as init and pure cgroup v2, which the machine
# that runs the tests may not have. It is emulated by software, so slow: boot takes half a minute.
#
#   machine_make             its disk, once ($VM/root.ext4; see `root`)
#   machine_tree DIRECTORY   copy what tests need into it: the source, and the programs in build/
#   machine_disk FILE MIB DIRECTORY   an ext4 file system of the directory's files; the machine's second
#                            disk is $VM/tree.ext4
#   machine_run ARG…         run it until it powers itself off
#   machine_command ARG…     $MACHINE is the command for that
#   machine_fails TEXT       say so, with the end of the console
#
# The machine runs the executable `guest` of the second disk, in its directory; what that says goes to
# $VM/said. What it changes on both disks is forgotten. VM_MEMORY (MiB), VM_SECONDS: limits; VM_APPEND:
# more for the kernel's command line; VM_ROOT: the name of the first disk.

VM=${BUILD:?}/vm
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

machine_make() {
	local command missing=

	[ "$(id -u)" -eq 0 ] || { echo "${0##*/} needs root (debootstrap)" >&2; exit 1; }
	for command in debootstrap qemu-system-x86_64 mke2fs; do
		command -v "$command" >/dev/null || missing=1
	done
	if [ -n "$missing" ]; then
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			debootstrap qemu-system-x86 e2fsprogs >/dev/null
	fi
	[ "$VM/root.ext4" -nt "$HERE/root" ] || "$HERE/root" "$VM"
}

machine_disk() {
	rm -f "$1"
	mke2fs -q -t ext4 -d "$3" "$1" "$2M" >/dev/null
}

machine_tree() {
	mkdir -p "$1/build"
	cp -a "$HERE/../../"{lib,man,tests,Makefile,README.md,CHANGELOG.md,HACKING.md,ocid-dispatch} "$1"
	find "$BUILD" -maxdepth 1 -type f -perm -u+x -exec cp -t "$1/build" {} +
	# what npm has fetched for tests
	find "$BUILD" -maxdepth 1 -type d -name '*-js' -exec cp -a -t "$1/build" {} +
}

machine_command() {
	MACHINE=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu max -smp 2 -m "${VM_MEMORY:-2048}"
		-nodefaults -display none -device virtio-rng-pci
		-kernel "$VM/vmlinuz" -initrd "$VM/initrd"
		-append "root=/dev/vda rw console=ttyS0 quiet mitigations=off ${VM_APPEND-}"
		-drive "file=$VM/${VM_ROOT:-root}.ext4,format=raw,if=virtio,snapshot=on"
		-drive "file=$VM/tree.ext4,format=raw,if=virtio,snapshot=on"
		-serial "file:$VM/console" -serial "file:$VM/said" "$@")
	: >"$VM/said"
}

machine_run() {
	machine_command "$@"
	timeout "${VM_SECONDS:-1800}" "${MACHINE[@]}" </dev/null
}

machine_fails() {
	echo "${0##*/}: $1; the console of the machine:" >&2
	tail -n 20 "$VM/console" >&2
}
