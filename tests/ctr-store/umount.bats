#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
	mkdir mnt other
}

teardown() { clean_store; }

@test "umount: by directory, however it is written" {
	ln -s mnt link
	for name in mnt mnt/ ./mnt "$PWD/mnt" link; do
		ctr-store mount t:1 mnt >/dev/null
		tool ctr-store umount "$name"
		[ -z "$output" ]
		[ -z "$(ls mnt)" ]
	done
	[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ]
}

@test "umount: by the name of a container or an image" {
	ctr-store mount t:1 mnt >/dev/null
	tool ctr-store umount t:1
	ctr-store create --image t:1 --name web >/dev/null
	tool ctr-store umount web
	[ -z "$(ctr-store mounts)" ]
}

@test "umount: a name that is mounted twice is not enough" {
	ctr-store mount t:1 mnt >/dev/null
	ctr-store mount t:1 other >/dev/null
	tool 2 ctr-store umount t:1
	error_is usage "name the directory"
	tool ctr-store umount mnt other
	[ -z "$(ctr-store mounts)" ]
}

@test "umount: what has another mount in it is told by that" {
	ctr-store mount --rw t:1 mnt >/dev/null
	mkdir mnt/inside
	ctr-store mount t:1 mnt/inside >/dev/null
	tool 5 ctr-store umount mnt
	error_is in-use "$PWD/mnt is busy: something is mounted at $PWD/mnt/inside (--lazy unmounts it all the same)"
	tool ctr-store umount mnt/inside mnt
	path=$(ctr-store create --image t:1 --name web | jq -r .rootfs.path)
	mount -t tmpfs tmpfs "$path/etc"
	tool 5 ctr-store rm web
	error_is in-use "container web: $path is busy: something is mounted at $path/etc (--force removes it all the same)"
	rm -r "$OCID_RUNROOT/mounts"
	tool 5 ctr-store rm web
	error_is in-use "container web: $path is busy: something is mounted at $path/etc (--force removes it all the same)"
	tool ctr-store rm --force web
	[ -z "$(ctr-store mounts)" ]
}

@test "umount: what is not mounted is not found, and with --force no error" {
	tool 3 ctr-store umount mnt
	error_is not-found '"mnt" is not mounted (see ctr-store mounts)'
	tool 3 ctr-store umount t:1
	tool 3 ctr-store umount "$PWD/missing"
	tool ctr-store umount --force mnt missing t:1
}

@test "umount: --force: also what another process unmounts at that moment" {
	path=$(ctr-store create --image t:1 --id abc | jq -r .rootfs.path)
	# somebody has the container, so that its unmounting waits
	/usr/bin/python3 -c 'import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
print("locked", flush=True); time.sleep(60)' "$OCID_RUNROOT/locks/container-abc" >locked 3>&- &
	holder=$!
	wait_for 5 grep -q locked locked
	ctr-store --log-level info umount --force abc 2>said 3>&- &
	wait_for 5 grep -q "waiting for container abc" said
	umount "$path"
	kill "$holder"
	wait "$!"
	wait || true
}

@test "umount: --all: what is in use stays" {
	tool ctr-store umount --all
	for name in a b; do
		ctr-store create --image t:1 --id "id-$name" --name "$name" >/dev/null
	done
	ctr-store mount t:1 mnt >/dev/null
	ctr-store mount --rw t:1 mnt >/dev/null
	ctr-store mount t:1 other >/dev/null
	exec 8<other/etc/one
	tool 5 ctr-store umount --all
	error_is in-use "$PWD/other is busy"
	[ "$(ctr-store mounts | jq -r .target)" = "$PWD/other" ]
	tool ctr-store umount --all --lazy
	exec 8<&-
	[ -z "$(ctr-store mounts)" ]
	[ "$(ctr-store containers | jq -r .name | xargs)" = "a b" ]
	tool 2 ctr-store umount
	tool 2 ctr-store umount --all mnt
	error_is usage "either --all or"
}

@test "umount: a mount that is not ours is left alone" {
	mount -t tmpfs other mnt
	tool 3 ctr-store umount mnt
	tool 3 ctr-store umount /
	umount mnt
}

@test "umount: a mount in use is busy, and goes with --lazy" {
	ctr-store mount --rw t:1 mnt >/dev/null
	exec 9>mnt/open
	tool 5 ctr-store umount mnt
	error_is in-use "busy"
	[[ $stderr == *--lazy* ]]
	[ "$(ctr-store mounts | wc -l)" -eq 1 ]
	tool ctr-store umount --lazy mnt
	[ -z "$(ctr-store mounts)" ]
	exec 9>&-
}

@test "umount: of two on one directory the upper one goes first" {
	make_tar b.tar file:second:text=2
	store_image docker.io/library/b:1 b.tar
	ctr-store mount t:1 mnt >/dev/null
	ctr-store mount b:1 mnt >/dev/null
	tool 5 ctr-store umount t:1
	error_is in-use "on top"
	tool ctr-store umount mnt
	[ "$(ls mnt)" = etc ]
	tool ctr-store umount mnt
	[ -z "$(ls mnt)" ]
}

@test "umount: a mount that is not ours, on top of one that is, is left alone" {
	ctr-store mount t:1 mnt >/dev/null
	ctr-store create --image t:1 --id web >/dev/null
	for target in mnt "$OCID_ROOT/containers/web/rootfs"; do
		mount -t tmpfs other "$target"
		touch "$target/precious"
		for options in "" --lazy; do
			# shellcheck disable=SC2086 # no word where it is empty
			tool 5 ctr-store umount $options "$target"
			error_is in-use "has another mount on top (unmount that one first)"
		done
		[ -e "$target/precious" ]
	done
	tool 5 ctr-store umount --all
	tool 5 ctr-store rm --force web
	error_is in-use "unmount that one first"
	tool 5 ctr-store mount web other
	error_is in-use "has another mount on top"
	umount mnt "$OCID_ROOT/containers/web/rootfs"
	# ours are known still
	tool 5 ctr-store rm t:1
	tool ctr-store umount --all
	[ -z "$(ctr-store mounts)" ]
}

@test "umount: after umount(8) nothing is left to do" {
	ctr-store mount t:1 mnt >/dev/null
	umount mnt
	tool 3 ctr-store umount mnt
	[ -z "$(ctr-store mounts)" ]
	tool ctr-store rm t:1
}

@test "umount: before Linux 6.8 mounts have no ids of their own, and one look at them all tells" {
	old() { # FILE COMMAND…
		tool env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -o "$1" -e trace=openat,statx \
			-e inject=statx:error=ENOSYS "${@:2}"
	}
	old calls ctr-store create --image t:1 --id other
	old calls ctr-store mount t:1 mnt
	old calls ctr-store mount t:1 mnt
	old calls ctr-store umount mnt
	run ! grep other calls
	grep mountinfo calls
	mountpoint -q mnt
	old calls ctr-store umount mnt
	run ! mountpoint -q mnt
	tool ctr-store rm other
}
