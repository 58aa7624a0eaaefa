# SPDX-License-Identifier: Apache-2.0
# Tests of the test helpers: a helper that cannot fail proves nothing.

load helpers

@test "helpers: tool checks the exit status" {
	tool true
	tool 1 false
	run ! tool false
	run ! tool 1 true
}

@test "helpers: tool keeps the outputs apart" {
	tool sh -c 'echo out; echo err >&2'
	[ "$output" = out ]
	[ "$stderr" = err ]
}

@test "helpers: error_is compares kind and text" {
	tool 3 sh -c 'echo "tool: no image \"x\"" >&2; exit 3'
	error_is not-found 'no image "x"'
	run ! error_is usage
	run ! error_is not-found 'something else'
}

@test "helpers: a process, a mount and unfinished work are seen" {
	sleep 30 3>&- &
	[ -z "$(processes_left)" ]
	kill $!
	(cd "$BATS_FILE_TMPDIR" && exec sleep 30) 3>&- &
	wait_for 5 grep -q sleep "/proc/$!/cmdline"
	[[ $(processes_left) == *sleep* ]]
	kill $!

	mkdir -p "$OCID_ROOT/tmp/half" "$BATS_FILE_TMPDIR/mnt"
	[[ $(unfinished_left) == *half ]]
	rm -r "$OCID_ROOT"
	mount -t tmpfs none "$BATS_FILE_TMPDIR/mnt"
	[[ $(mounts_left) == *mnt ]]
	umount "$BATS_FILE_TMPDIR/mnt"
	[ -z "$(mounts_left)" ]
}

@test "helpers: the registry serves and stops" {
	registry_start
	curl -fs "http://$REGISTRY/v2/"
	registry_stop
	run ! curl -fs "http://$REGISTRY/v2/"
}

@test "helpers: an image made without our tools is one that skopeo reads" {
	busybox_tar "$BATS_TEST_TMPDIR/layer.tar"
	oci_image "$BATS_TEST_TMPDIR/layout" test:1 '{"config":{"Cmd":["sh"]}}' "$BATS_TEST_TMPDIR/layer.tar"
	tool skopeo --override-os linux inspect --config "oci:$BATS_TEST_TMPDIR/layout:test:1"
	[ "$(jq -r '.config.Cmd[0]' <<<"$output")" = sh ]
}
