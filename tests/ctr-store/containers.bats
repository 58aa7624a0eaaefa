#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
}

teardown() { clean_store; }

@test "containers: none" {
	tool ctr-store containers
	[ -z "$output" ]
	tool ctr-store containers --table
	[[ $output == CONTAINER*NAME*IMAGE*RUNNING*MOUNTS*CREATED ]]
}

@test "containers: a row says what the container is and where it is mounted" {
	id=$(ctr-store create --image t:1 --name web | jq -r .rootfs.id)
	tool ctr-store containers
	[ "$(field '.id, .name, .image, .running' | xargs)" = "$id web docker.io/library/t:1 false" ]
	[ "$(field .imageId)" = "$(ctr-store image t:1 | jq -r .id)" ]
	[ "$(field .digest)" = "$(ctr-store image t:1 | jq -r .digest)" ]
	[ "$(field .bundle)" = "$OCID_ROOT/containers/$id" ]
	[ "$(field '.layers | length')" -eq 1 ]
	mkdir mnt
	ctr-store mount web "$PWD/mnt" >/dev/null
	tool ctr-store containers
	[ "$(field '.mounts | sort | join(" ")')" = \
		"$(printf '%s\n' "$PWD/mnt" "$OCID_ROOT/containers/$id/rootfs" | sort | xargs)" ]
	ctr-store umount "$PWD/mnt" "$OCID_ROOT/containers/$id/rootfs"
	tool ctr-store containers
	[ "$(field '.mounts | length')" -eq 0 ]
}

@test "containers: the oldest first" {
	for name in c a b; do
		ctr-store create --image t:1 --name "$name" >/dev/null
	done
	tool ctr-store containers
	[ "$(field .name | xargs)" = "c a b" ]
}

@test "containers: those that are named, in that order" {
	for name in c a b; do
		ctr-store create --image t:1 --name "$name" --id "id-$name" >/dev/null
	done
	ctr-store umount a
	tool ctr-store containers b id-a
	[ "$(field .name | xargs)" = "b a" ]
	[ "$(field '.mounts | length' | xargs)" = "1 0" ]
	[ "$(ctr-store containers b)" = "$(ctr-store containers | jq -cS 'select(.name == "b")')" ]
	tool ctr-store containers --size b
	[ "$(field '.usedBytes > 0')" = true ]
	tool 3 ctr-store containers b nope
	error_is not-found 'no container "nope"'
	[ -z "$output" ]
}

@test "containers: one whose monitor lives is running" {
	id=$(ctr-store create --image t:1 | jq -r .rootfs.id)
	mkdir "$OCID_RUNROOT/containers/$id"
	/usr/bin/python3 -c 'import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
print("locked", flush=True); time.sleep(60)' "$OCID_RUNROOT/containers/$id/shim.pid" >locked 3>&- &
	wait_for 5 grep -q locked locked
	tool ctr-store containers
	[ "$(field .running)" = true ]
	kill $!
	wait || true
	tool ctr-store containers
	[ "$(field .running)" = false ]
}

@test "containers: --size says what is on the disk" {
	path=$(ctr-store create --image t:1 | jq -r .rootfs.path)
	tool ctr-store containers --size
	before=$(field .usedBytes)
	inodes=$(field .inodesUsed)
	head -c 1000000 /dev/urandom >"$path/big"
	ln "$path/big" "$path/again"
	sync -f "$path"
	tool ctr-store containers --size
	used=$(($(field .usedBytes) - before))
	[ "$used" -ge 1000000 ]
	[ "$used" -lt 1100000 ]
	[ "$(($(field .inodesUsed) - inodes))" -eq 1 ]
	tool ctr-store containers
	[ "$(field 'has("usedBytes")')" = false ]
}

@test "containers: a tree of any depth is measured" {
	path=$(ctr-store create --image t:1 | jq -r .rootfs.path)
	/usr/bin/python3 -c 'import os, sys
os.chdir(sys.argv[1])
for _ in range(2000):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)' "$path"
	tool bash -c 'ulimit -n 256; ctr-store containers --size'
	[ "$(field .inodesUsed)" -ge 2000 ]
}

@test "containers: names are found again when the directory that lists them is gone" {
	ctr-store create --image t:1 --name web --id abc >/dev/null
	[ "$(readlink "$OCID_ROOT/names/web")" = abc ]
	rm -r "$OCID_ROOT/names"
	tool 4 ctr-store create --image t:1 --name web
	tool ctr-store umount web
	tool ctr-store rm web
	[ -z "$(ls -A "$OCID_ROOT/names")" ]
}

@test "containers: a name that leads nowhere, as after a kill, means nothing" {
	ctr-store create --image t:1 --name web --id abc >/dev/null
	ln -s gone "$OCID_ROOT/names/db"
	ln -s abc "$OCID_ROOT/names/other"
	tool 3 ctr-store umount db
	tool 3 ctr-store umount other
	tool ctr-store gc
	[ "$(ls "$OCID_ROOT/names")" = $'other\nweb' ]
	# one of which it cannot be told where it leads stays
	fault readlinkat:error=EIO
	"${FAULTY[@]}" -P "$OCID_ROOT/names" ctr-store gc >/dev/null
	tool 1 "${FAULTY[@]}" -P "$OCID_ROOT/names" ctr-store create --image t:1 --name web
	error_is failed names/web
	[ "$(readlink "$OCID_ROOT/names/web")" = abc ]
	tool ctr-store create --image t:1 --name other
}

@test "check: a container whose name does not lead to it is named again" {
	ctr-store create --image t:1 --name web --id abc >/dev/null
	rm "$OCID_ROOT/names/web"
	tool 7 ctr-store check
	[ "$(field .problem)" = 'its name "web" is not in names/' ]
	tool ctr-store check --repair
	[ "$(field .repair)" = "named again" ]
	tool ctr-store umount web
}
