#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:size=1000000
	make_tar top.tar file:top:text=top
	store_image docker.io/library/t:1 base.tar top.tar
}

teardown() { clean_store; }

used() { # bytes on the disk, as du(1) counts
	du -s -B1 "$1" | cut -f1
}

@test "df: an empty store" {
	rm -r "$OCID_ROOT"
	tool ctr-store df
	[ "$(field '.images.count + .layers.count + .containers.count + .reclaimable.bytes')" -eq 0 ]
}

@test "df: the figures are those of du" {
	ctr-store create --image t:1 >/dev/null
	sync -f "$OCID_ROOT"
	tool ctr-store df
	[ "$(field '.images.count, .layers.count, .containers.count' | xargs)" = "1 2 1" ]
	[ "$(field .images.usedBytes)" -eq "$(used "$OCID_ROOT/images")" ]
	# without the directory that holds them, and what df itself keeps
	[ "$(field .layers.usedBytes)" -eq "$(du -B1 --exclude=usage.json -s "$OCID_ROOT"/layers/* |
		awk '{ sum += $1 } END { print sum }')" ]
	[ "$(field .layers.inodesUsed)" -eq "$(find "$OCID_ROOT"/layers/* ! -name usage.json | wc -l)" ]
	[ "$(field .containers.usedBytes)" -eq "$(du -s -x -B1 "$OCID_ROOT/containers" | cut -f1)" ]
	[ "$(field '.imageFilesystem.usedBytes - .images.usedBytes - .layers.usedBytes -
		.unfinished.usedBytes')" -eq 0 ]
	[ "$(field '.containerFilesystem.usedBytes')" -eq "$(field .containers.usedBytes)" ]
	[ "$(($(date +%s) - $(field '.timestamp / 1000000000 | floor')))" -le 60 ]
}

@test "df: what a layer takes is counted once, and again when that is lost" {
	ctr-store unpack t:1 >/dev/null
	sync -f "$OCID_ROOT"
	tool ctr-store df
	first=$(field .layers)
	tool env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -f -o trace ctr-store df
	[ "$(grep -c 'openat.*"etc"' trace)" -eq 0 ]
	[ "$(field .layers)" = "$first" ]
	for file in "$OCID_ROOT"/layers/*/usage.json; do
		: >"$file"
		break
	done
	tool ctr-store df
	[ "$(field .layers.inodesUsed)" -ge "$(jq .inodesUsed <<<"$first")" ]
	rm "$OCID_ROOT"/layers/*/usage.json
	tool ctr-store df
	[ "$(field .layers)" = "$first" ]
	# it goes with the layer
	tool ctr-store rm t:1
	[ -z "$(layers)" ]
}

@test "df: reclaimable is what gc frees" {
	ctr-store unpack t:1 >/dev/null
	tool ctr-store df
	[ "$(field .reclaimable.bytes)" -eq 0 ]
	jq '.manifests = []' "$OCID_ROOT/images/index.json" >new
	mv new "$OCID_ROOT/images/index.json"
	tool ctr-store df
	reclaimable=$(field .reclaimable)
	[ "$(layers | wc -l)" -eq 2 ]
	tool ctr-store gc
	[ "$(field 'del(.mounts, .holds)' | jq -cS .)" = "$(jq -cS . <<<"$reclaimable")" ]
}

@test "df: the file system of the store" {
	export OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 8m
	store_image docker.io/library/t:1 base.tar
	ctr-store unpack t:1 >/dev/null
	tool ctr-store df
	[ "$(field .imageFilesystem.mountpoint)" = "$OCID_ROOT" ]
	[ "$(field .containerFilesystem.mountpoint)" = "$OCID_ROOT" ]
	[ "$(field .imageFilesystem.totalBytes)" -eq $((8 << 20)) ]
	[ "$(field .imageFilesystem.availableBytes)" -eq \
		"$(df -B1 --output=avail "$OCID_ROOT" | tail -n 1)" ]
	mount --bind "$OCID_ROOT/containers" "$OCID_ROOT/containers"
	tool ctr-store df
	[ "$(field .containerFilesystem.mountpoint)" = "$OCID_ROOT/containers" ]
	umount "$OCID_ROOT/containers" "$OCID_ROOT"
}

@test "df: a read-only store" {
	ctr-store unpack t:1 >/dev/null
	mount --bind "$OCID_ROOT" "$OCID_ROOT"
	mount -o remount,bind,ro "$OCID_ROOT"
	tool ctr-store df
	[ "$(field .layers.count)" -eq 2 ]
	umount "$OCID_ROOT"
}
