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
	jq -c '.volatile = "6f1b1a8e-0000-0000-0000-000000000000"' "$facts" >facts && cp facts "$facts"
	for verb in mount changes export; do
		tool 7 ctr-store "$verb" v
		error_is integrity 'has been down since'
	done
	tool ctr-store rm v
}
