#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one:uid=5:gid=6
	mkdir -p mnt
}

teardown() { clean_store; }

@test "import: an archive becomes an image of one layer" {
	tool ctr-store import base.tar example.org/mine:1
	[ "$(field '.names[0]')" = example.org/mine:1 ]
	[ "$(field .layers)" = 1 ]
	tool ctr-store image mine:1
	[ "$(field '.image.config.rootfs.diff_ids[0]')" = "sha256:$(sha256sum base.tar | cut -d' ' -f1)" ]
	[ "$(field '.image.manifest.layers[0].mediaType')" = application/vnd.oci.image.layer.v1.tar ]
	[ "$(field '.image.config.os')" = linux ]
	tool ctr-store mount mine:1 mnt
	[ "$(cat mnt/etc/one) $(stat -c %u:%g mnt/etc/one)" = "one 5:6" ]
	tool ctr-store check --deep
}

@test "import: from standard input, compressed, without a name" {
	for compress in "gzip -n" "zstd -q"; do
		$compress <base.tar >compressed
		tool ctr-store import - <compressed
		id=$(field .id)
		[ "$(field '.names | length')" -eq 0 ]
		tool ctr-store image "$id"
		[ "$(field '.image.manifest.layers[0].digest')" = "sha256:$(sha256sum compressed | cut -d' ' -f1)" ]
		[[ $(field '.image.manifest.layers[0].mediaType') == *+${compress%% *} ]]
		[ "$(field '.image.config.rootfs.diff_ids[0]')" = "sha256:$(sha256sum base.tar | cut -d' ' -f1)" ]
		tool ctr-store mount "$id" mnt
		[ -e mnt/etc/one ]
		tool ctr-store umount mnt
	done
}

@test "import: --config changes the configuration" {
	echo '{"author": "me", "config": {"Cmd": ["/bin/sh"], "Env": ["A=b"], "Labels": {"x": "y"}}}' >config
	tool ctr-store import --config config base.tar mine:1
	[ "$(field .labels.x)" = y ]
	tool ctr-store image mine:1
	[ "$(field '.image.config | "\(.author) \(.config.Cmd[0]) \(.config.Env[0])"')" = "me /bin/sh A=b" ]
	tool 2 ctr-store import --config - base.tar <<<'{"rootfs": {}}'
	tool 2 ctr-store import --config - - <config
	tool 2 ctr-store import --config - base.tar <<<'{"config": {"Cmd": "text"}}'
}

@test "import: what an image lost by export comes back" {
	ctr-store import base.tar one:1 >/dev/null
	ctr-store export one:1 | ctr-store import - two:1 >/dev/null
	tool ctr-store mount two:1 mnt
	[ "$(cat mnt/etc/one) $(stat -c %u:%g mnt/etc/one)" = "one 5:6" ]
}

@test "import: podman and skopeo read the image" {
	tool ctr-store import base.tar example.org/mine:1
	skopeo inspect --config "oci:$OCID_ROOT/images:example.org/mine:1" >config
	[ "$(jq -r '.history[0].created_by' config)" = "ctr-store import" ]
}

@test "import: what is no layer is refused and leaves nothing" {
	head -c 100000 /dev/urandom >random
	tool 7 ctr-store import random x:1
	error_is integrity
	make_tar bad.tar file:../../etc/passwd:text=x
	tool 7 ctr-store import bad.tar x:1
	error_is integrity '".." in its name'
	bzip2 -k base.tar
	tool 10 ctr-store import base.tar.bz2 x:1
	error_is unsupported bzip2
	head -c 700 base.tar >short.tar
	tool 7 ctr-store import short.tar x:1
	tool 3 ctr-store import no-such-file x:1
	tool 2 ctr-store import base.tar x@sha256:1
	[ -z "$(ctr-store images)" ]
	[ -z "$(find "$OCID_ROOT/images/blobs/sha256" -type f)" ]
	nothing_unfinished
}

@test "import: a full disk leaves nothing" {
	OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 1m
	head -c 2000000 /dev/zero >zeros
	tar -cf big.tar zeros
	tool 9 ctr-store import big.tar x:1
	error_is limit "No space left"
	nothing_unfinished
	umount "$OCID_ROOT"
}
