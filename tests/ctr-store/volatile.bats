#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create --volatile.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
}

teardown() {
	clean_store
}

@test "create: --volatile mounts so, and can be unmounted, mounted, read and removed" {
	tool ctr-store create --image t:1 --id v --volatile
	grep " $OCID_ROOT/containers/v/rootfs .*volatile" /proc/self/mounts
	echo new >"$OCID_ROOT/containers/v/rootfs/file"
	tool ctr-store umount v
	tool ctr-store changes v
	[ "$(jq -r .path <<<"$output")" = /file ]
	tool ctr-store mount v
	[ "$(cat "$OCID_ROOT/containers/v/rootfs/file")" = new ]
	tool ctr-store rm v
}

@test "create: a --volatile container of another boot is refused, and can be removed" {
	tool ctr-store create --image t:1 --id v --volatile
	tool ctr-store umount v
	local facts=$OCID_ROOT/containers/v/rootfs.json
	jq -c '.volatile = "6f1b1a8e-0000-0000-0000-000000000000"' "$facts" >facts
	cp facts "$facts"
	for verb in mount changes export; do
		tool 7 ctr-store "$verb" v
		error_is integrity 'has been down since'
	done
	tool ctr-store rm v
}

# How often a command waits for the disk.
syncs() {
	timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -o syncs -e trace=fsync,fdatasync,sync,syncfs,msync "$@" >/dev/null
	grep -c '(' syncs || true
}

@test "create, rm: one wait for the disk each, with --volatile none" {
	ctr-store unpack t:1
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	[ "$(syncs ctr-store create --image t:1 --id durable)" -eq 1 ]
	[ "$(syncs ctr-store create --image t:1 --id v --volatile)" -eq 0 ]
	ctr-store containers | jq -e 'select(.id == "v").volatile'
	[ "$(syncs ctr-store rm durable)" -eq 1 ]
	[ "$(syncs ctr-store rm v)" -eq 0 ]
}

@test "create: the document of a --volatile container says so, and fits the schema" {
	tool ctr-store create --image t:1 --id v --volatile
	[ "$(field .rootfs.volatile)" = true ]
	/usr/bin/python3 -m jsonschema -i "$OCID_ROOT/containers/v/document.json" \
		"$TESTS/../man/document.schema.json"
	tool ctr-store create --image t:1 --id durable
	[ "$(field .rootfs.volatile)" = null ]
}

@test "gc: takes what a power cut has left of a container; until then it is not there" {
	tool ctr-store create --image t:1 --id v --name called --volatile
	tool ctr-store create --image t:1 --id w
	tool ctr-store umount v
	: >"$OCID_ROOT/containers/v/rootfs.json"
	: >"$OCID_ROOT/containers/v/document.json"
	tool ctr-store containers
	[ "$(field .id)" = w ]
	[ -z "$stderr" ]
	for name in v called; do
		tool 3 ctr-store rm "$name"
		error_is not-found
	done
	tool ctr-store gc --dry-run
	[ "$(field .containers)" -eq 1 ]
	tool ctr-store gc
	[ "$(field .containers)" -eq 1 ]
	[ ! -e "$OCID_ROOT/containers/v" ]
	[ -d "$OCID_ROOT/containers/w" ]
	tool ctr-store create --image t:1 --id v --name called
}
