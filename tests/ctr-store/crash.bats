#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A disk that is really full, and stores that a power cut has left. What a kill or an error at any
# system call of a verb leaves is what tests/crash looks at.
load ../helpers
load common

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	make_tar top.tar file:etc/new:text=new whiteout:etc/two
	OCID_ROOT=$PWD/pulled store_image docker.io/library/t:1 base.tar top.tar
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$BATS_FILE_TMPDIR/base.tar" .
	mkdir -p mnt
}

teardown() { clean_store; }

everything_goes() {
	ctr-store wipe --force >/dev/null
	ctr-store gc >/dev/null
	[ -z "$(find "$OCID_ROOT"/{layers,containers,tmp,images/blobs/sha256} -mindepth 1)" ] &&
		[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ] && [ -z "$(ctr-store mounts)" ]
}

teardown_file() {
	if mountpoint -q "$BATS_FILE_TMPDIR/disk"; then
		umount "$BATS_FILE_TMPDIR/disk"
	fi
	file_teardown
}

free_blocks() {
	sync -f "$1"
	stat -f -c '%f %d' "$1"
}

# but for a few blocks by which directories and journal may have grown
is_free_again() { # BLOCKS INODES
	local blocks inodes

	read -r blocks inodes < <(free_blocks "$OCID_ROOT")
	[ "$blocks" -ge $(($1 - 16)) ] && [ "$inodes" -ge "$2" ]
}

@test "crash: a full disk: unpack, create and commit leave nothing, and succeed when there is room" {
	truncate -s 48M "$BATS_FILE_TMPDIR/disk.img"
	mkfs.ext4 -q -m 0 "$BATS_FILE_TMPDIR/disk.img"
	mkdir "$BATS_FILE_TMPDIR/disk"
	mount -o loop "$BATS_FILE_TMPDIR/disk.img" "$BATS_FILE_TMPDIR/disk"
	OCID_ROOT=$BATS_FILE_TMPDIR/disk/root
	head -c 5000000 /dev/urandom >random
	tar -cf big.tar random
	ctr-store images
	for verb in "unpack big:1" "create --image big:1 --id web" "commit web made:1"; do
		if [[ $verb != commit* ]]; then
			store_image docker.io/library/big:1 big.tar
		else
			cp random "$OCID_ROOT/containers/web/rootfs/more"
		fi
		before=$(free_blocks "$OCID_ROOT")
		fallocate -l "$(($(stat -f -c '%f * %S' "$OCID_ROOT") - 1500000))" "$OCID_ROOT/../ballast"
		# shellcheck disable=SC2086 # a verb and its operands
		tool 9 ctr-store $verb
		error_is limit "No space left"
		rm "$OCID_ROOT/../ballast"
		tool ctr-store gc
		# the kernel lets go of the mounts of a dead process a little later
		# shellcheck disable=SC2086 # two numbers
		wait_for 10 is_free_again $before
		# shellcheck disable=SC2086 # a verb and its operands
		tool ctr-store $verb
		tool ctr-store check --deep
		[[ $verb != unpack* ]] || everything_goes
	done
	everything_goes
	umount "$BATS_FILE_TMPDIR/disk"
}

@test "crash: a store that was being made when the power was cut is made anew" {
	mkdir -p "$OCID_ROOT/images"
	: >"$OCID_ROOT/images/index.json"
	: >"$OCID_ROOT/images/oci-layout"
	tool ctr-store images
	[ -z "$output" ]
	tool skopeo-c copy --quiet "oci:$BATS_FILE_TMPDIR/pulled/images:docker.io/library/t:1" store:t:1
	tool ctr-store check --deep
	tool ctr-store mount t:1 mnt
	[ "$(cat mnt/etc/new)" = new ]
}

@test "crash: a store whose files cannot be looked at is not made anew" {
	cp -r "$BATS_FILE_TMPDIR/pulled" "$OCID_ROOT"
	fault fstat,newfstatat:error=EIO
	tool 1 "${FAULTY[@]}" -P oci-layout -P index.json ctr-store images
	error_is failed oci-layout
	tool ctr-store images
	[ "$(field '.names[0]')" = docker.io/library/t:1 ]
}
