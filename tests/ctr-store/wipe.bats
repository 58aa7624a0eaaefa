#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
	store_image docker.io/library/t:2 base.tar
	mkdir mnt
}

teardown() { clean_store; }

is_empty() {
	[ "$(count "$OCID_ROOT/containers")" -eq 0 ]
	[ "$(count "$OCID_ROOT/layers")" -eq 0 ]
	[ -z "$(ls -A "$OCID_ROOT/images/blobs/sha256")" ]
	[ -z "$(ctr-store images; ctr-store mounts; ctr-store containers)" ]
	nothing_unfinished
}

@test "wipe: an empty store" {
	rm -r "$OCID_ROOT"
	tool ctr-store wipe
	[ "$output" = '{"blobs":0,"containers":0,"layers":0}' ]
}

@test "wipe: all containers, layers and blobs go" {
	for name in a b; do
		ctr-store create --image t:1 --name "$name" >/dev/null
		ctr-store umount "$name"
	done
	tool ctr-store wipe
	[ "$(field '.containers, .layers, .blobs' | xargs)" = "2 1 3" ]
	is_empty
	tool ctr-store check
	store_image docker.io/library/t:1 base.tar
	tool ctr-store create --image t:1
}

@test "wipe: not while something is mounted, and then nothing at all is removed" {
	ctr-store create --image t:1 --name a >/dev/null
	tool 5 ctr-store wipe
	error_is in-use "is mounted at"
	ctr-store umount a
	ctr-store mount t:2 mnt >/dev/null
	tool 5 ctr-store wipe
	error_is in-use "$PWD/mnt"
	[ "$(ctr-store containers | wc -l)" -eq 1 ]
	[ "$(ctr-store images | wc -l)" -eq 1 ]
}

@test "wipe: --force unmounts, also what processes work in" {
	path=$(ctr-store create --image t:1 --name a | jq -r .rootfs.path)
	ctr-store mount t:1 mnt >/dev/null
	ctr-store mount --rw t:2 >/dev/null
	(cd "$path" && exec sleep 30) 3>&- &
	(cd mnt && exec sleep 30) 3>&- &
	tool ctr-store wipe --force
	is_empty
	[ -z "$(ls mnt)" ]
	kill %1 %2
	wait || true
}

@test "wipe: not while a container runs, whatever is said" {
	id=$(ctr-store create --image t:1 | jq -r .rootfs.id)
	mkdir "$OCID_RUNROOT/containers/$id"
	/usr/bin/python3 -c 'import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
print("locked", flush=True); time.sleep(60)' "$OCID_RUNROOT/containers/$id/shim.pid" >locked 3>&- &
	wait_for 5 grep -q locked locked
	tool 5 ctr-store wipe --force
	error_is in-use "is running"
	kill $!
	wait || true
	tool ctr-store wipe --force
	is_empty
}

@test "wipe: what another process works on stays with it" {
	ctr-store unpack t:1 >/dev/null
	fault 'renameat2:delay_enter=1500000'
	"${FAULTY[@]}" ctr-store create --image t:1 --name late >late 3>&- &
	wait_for 5 something_unfinished
	tool ctr-store wipe --force
	wait
	# it came before or after, but whole
	[ "$(ctr-store containers | jq -r .name)" = late ]
	[ "$(cat "$(jq -r .rootfs.path late)/etc/one")" = one ]
	tool ctr-store rm late
	tool ctr-store gc
	is_empty
}

@test "wipe: --force takes several mounts off one directory" {
	mkdir -p mnt
	for _ in 1 2 3 4; do
		ctr-store mount t:1 mnt >/dev/null
		ctr-store mount --rw t:1 mnt >/dev/null
	done
	tool ctr-store wipe --force
	[ -z "$(ctr-store mounts)" ]
}
