#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What those are told to do who make the mistakes that everybody makes once.

load helpers

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return 1
	busybox_tar base.tar
	oci_image oci v1 '{}' base.tar
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/ro" || umount "$BATS_TEST_TMPDIR/ro"
}

@test "mistakes: a transport without its slashes, or none" {
	tool 2 skopeo-c inspect docker:nginx
	error_is usage '"docker:nginx" lacks the // of docker://'
	: >"$BATS_TEST_TMPDIR/registries.conf"
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	tool 2 skopeo-c inspect nginx
	error_is usage "(Docker Hub's is docker://nginx)"
}

@test "mistakes: a pipe through which no document comes" {
	# what is asked for quietly gives none
	run --separate-stderr bash -c "skopeo-c copy -q oci:oci:v1 dir:$BATS_TEST_TMPDIR/dir | ctr-store create"
	error_is failed "(the tool in front has failed, or prints none)"
}

@test "mistakes: a reader that has gone ends what is printed to it, without a word" {
	tool skopeo-c copy oci:oci:v1 store:base
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	# shellcheck disable=SC2094 # a pipe
	exec 8<>"$BATS_TEST_TMPDIR/pipe" 9>"$BATS_TEST_TMPDIR/pipe" 8<&-
	tool 141 sh -c 'exec ctr-store create --image base >&9'
	exec 9>&-
	[ -z "$stderr" ]
	tool ctr-store containers
	[ -z "$output" ]
}

@test "mistakes: a namespace for somebody else than root" {
	mkdir -m 777 "$BATS_TEST_TMPDIR/r"
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	cp "$OCID_BIN/ctr-net" "$BATS_TEST_TMPDIR"
	tool 6 setpriv --reuid 1000 --regid 1000 --clear-groups "$BATS_TEST_TMPDIR/ctr-net" \
		--root "$BATS_TEST_TMPDIR/r/root" --runroot "$BATS_TEST_TMPDIR/r/run" ns create x
	error_is denied "(namespaces and networks need root, and not of a user namespace)"
}

@test "mistakes: directories that cannot be written" {
	mkdir "$BATS_TEST_TMPDIR/ro"
	mount -t tmpfs -o ro none "$BATS_TEST_TMPDIR/ro"
	for top in --root --runroot; do
		tool 6 ctr-store "$top" "$BATS_TEST_TMPDIR/ro" images
		error_is denied "(--root and --runroot name other directories)"
	done
	tool 6 ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/ro/sock"
	error_is denied "cannot open the lock of $BATS_TEST_TMPDIR/ro/sock: "
}

@test "mistakes: records of mounts removed by hand" {
	tool skopeo-c copy oci:oci:v1 store:base
	tool ctr-store create --image base --name one
	rootfs=$(jq -r .rootfs.path <<<"$output")
	rm -r "$OCID_RUNROOT/mounts"
	pushd "$rootfs"
	tool 5 ctr-store rm one
	error_is in-use "is busy: a process works in it (--force removes it all the same)"
	tool ctr-store rm --force one
	popd
	tool ctr-store create --image base --name one
	rm -r "$OCID_RUNROOT/mounts"
	tool ctr-store rm one
	tool ctr-store gc
	[ -z "$(find "$OCID_ROOT/containers" "$OCID_ROOT/tmp" -mindepth 1)" ]
	[ -z "$(mounts_left)" ]
}

@test "mistakes: parts of the store removed by hand" {
	tool skopeo-c copy oci:oci:v1 store:base
	tool ctr-store create --image base --name one
	tool ctr-store umount one
	mv "$OCID_ROOT/layers" "$BATS_TEST_TMPDIR/layers"
	tool 3 ctr-store mount one
	error_is not-found "(ctr-store check says which is missing)"
	rmdir "$OCID_ROOT/layers"
	mv "$BATS_TEST_TMPDIR/layers" "$OCID_ROOT/layers"
	tool ctr-store rm one
	empty='{"schemaVersion":2,"manifests":[]}'
	for broken in '{' '{}'; do
		echo "$broken" >"$OCID_ROOT/images/index.json"
		tool 7 ctr-store images
		error_is integrity "(an empty one is $empty)"
	done
	rm "$OCID_ROOT/images/index.json"
	tool 7 ctr-store image base
	error_is integrity "index.json is missing (an empty one is $empty)"
	echo "$empty" >"$OCID_ROOT/images/index.json"
	tool skopeo-c copy oci:oci:v1 store:base
	tool ctr-store check --deep
	[ -z "$output" ]
}
