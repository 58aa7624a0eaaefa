#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	make_tar top.tar file:top:text=top
	# leans on the layers beneath
	make_tar lean.tar link:two:to=etc/one
}

teardown() { clean_store; }

@test "layers: an empty store has none" {
	tool ctr-store layers
	[ -z "$output" ]
	tool ctr-store layers --table
	[[ $output == "DIFF ID"*SIZE*ENTRIES*IMAGES ]]
}

@test "layers: a row says what the layer is and which images have it" {
	store_image docker.io/library/a:1 base.tar
	store_image docker.io/library/a:2 base.tar
	store_image docker.io/library/b:1 base.tar top.tar
	ctr-store unpack b:1 >/dev/null
	tool ctr-store layers
	[ "$(wc -l <<<"$output")" -eq 2 ]
	base=$(sha256sum base.tar | cut -d' ' -f1)
	row=$(jq -c "select(.id == \"$base\")" <<<"$output")
	[ "$(jq -r .diffId <<<"$row")" = "sha256:$base" ]
	[ "$(jq '.size, .entries' <<<"$row" | xargs)" = "3 2" ]
	# two names of one image count once
	[ "$(jq -r '.images | sort[]' <<<"$row")" = \
		"$(ctr-store images | jq -r .id | sort)" ]
	[ "$(jq -r "select(.id != \"$base\") | .images[]" <<<"$output")" = \
		"$(ctr-store image b:1 | jq -r .id)" ]
}

@test "layers: one that leans belongs to the images with the same layers beneath it" {
	store_image docker.io/library/a:1 base.tar lean.tar
	store_image docker.io/library/b:1 base.tar top.tar lean.tar
	ctr-store unpack a:1 b:1 >/dev/null
	tool ctr-store layers
	[ "$(jq -c 'select(.chainId) | .images' <<<"$output" | sort -u | wc -l)" -eq 2 ]
	[ "$(jq -s 'map(select(.chainId) | .images | length) | add' <<<"$output")" -eq 2 ]
}

@test "layers: what no image has any more is listed without images" {
	store_image docker.io/library/a:1 base.tar
	ctr-store create --image a:1 >/dev/null
	jq '.manifests = []' "$OCID_ROOT/images/index.json" >new
	mv new "$OCID_ROOT/images/index.json"
	tool ctr-store layers
	[ "$(field '.images | length')" -eq 0 ]
}

@test "layers: a damaged layer.json does not hide the others" {
	store_image docker.io/library/a:1 base.tar top.tar
	ctr-store unpack a:1 >/dev/null
	echo '[' >"$OCID_ROOT/layers/$(sha256sum top.tar | cut -d' ' -f1)/layer.json"
	tool ctr-store layers
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $stderr == *"is not shown"* ]]
}
