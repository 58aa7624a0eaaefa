#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create --size, on a small ext4 with project quotas; a kernel without them refuses it.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
}

teardown() {
	clean_store
	if mountpoint -q "$BATS_TEST_TMPDIR/disk"; then
		umount "$BATS_TEST_TMPDIR/disk"
	fi
}

quota_disk() {
	truncate -s 64M disk.img
	mkfs.ext4 -q -O project,quota -E quotatype=prjquota disk.img
	mkdir disk
	mount -o loop,prjquota disk.img disk 2>/dev/null ||
		skip "this kernel has no project quotas for ext4 or xfs; that of make check-vm has"
	OCID_ROOT=$PWD/disk/root
	store_image docker.io/library/t:1 base.tar
}

project_of() { # PATH
	lsattr -pd "$1" | awk '{print $1}'
}

# its hard limit in KiB, by quotactl_fd(2), Q_GETQUOTA
limit_of() { # PROJECT
	/usr/bin/python3 - "$1" <<-'END'
		import ctypes, os, sys
		quota = ctypes.create_string_buffer(128)
		fd = os.open("disk", os.O_RDONLY)
		ctypes.CDLL(None).syscall(443, fd, ctypes.c_long(0x800007 << 8 | 2), ctypes.c_long(int(sys.argv[1])), quota)
		print(int.from_bytes(quota.raw[:8], "little"))
	END
}

@test "create: --size without project quotas is refused, and makes nothing" {
	store_image docker.io/library/t:1 base.tar
	tool 10 ctr-store create --image t:1 --size 10M
	error_is unsupported "no project quotas"
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
	nothing_unfinished
}

@test "create: a --size that is none is refused" {
	for size in 0 -1 x 10X 10MB 1.5G 99999999999T ''; do
		tool 2 ctr-store create --image t:1 --size "$size"
		error_is usage
	done
}

@test "create: a container writes no more than its --size" {
	quota_disk
	tool ctr-store create --image t:1 --size 8M --name web
	path=$(field .rootfs.path)
	run dd if=/dev/zero of="$path/big" bs=1M count=20
	[ "$status" -ne 0 ]
	[ "$(stat -c %s "$path/big")" -le $((8 << 20)) ]
	[ "$(stat -c %s "$path/big")" -ge $((6 << 20)) ]
	# another has its own
	tool ctr-store create --image t:1 --size 4M --name other
	dd if=/dev/zero of="$(field .rootfs.path)/big" bs=1M count=3
	[ "$(ctr-store containers | jq -rs '[.[] | .sizeLimit] | sort | @csv')" = 4194304,8388608 ]
	rm "$path/big"
	dd if=/dev/zero of="$path/again" bs=1M count=7
	echo 1 >>"$path/etc/one"
	tool ctr-store commit web new:1
}

@test "rm: the project of a container is free again" {
	quota_disk
	tool ctr-store create --image t:1 --size 8M --name web
	project=$(project_of "$OCID_ROOT/containers/$(field .rootfs.id)/upper")
	[ "$project" -ge $((1 << 30)) ]
	[ "$(limit_of "$project")" -eq 8192 ]
	tool ctr-store rm web
	[ "$(limit_of "$project")" -eq 0 ]
}
