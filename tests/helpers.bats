# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # expanded when it runs
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

# What COMMAND becomes is seen as left behind, and ended.
left_behind() {
	"$@" &
	wait_for 5 eval '[[ $(processes_left) == "process $!: "*" 30 " ]]'
	end_processes_left
	wait_for 5 eval '[ -z "$(processes_left)" ]'
	wait $! 2>/dev/null || true
}

@test "helpers: a process, a mount and unfinished work are seen" {
	[ -z "$(processes_left)" ]
	left_behind env -i sleep 30 # with descriptor 3, for which bats would wait
	left_behind sh -c 'exec sleep 30 3>&-'
	left_behind env -i sh -c 'cd "$1" && exec sleep 30 3>&-' sh "$BATS_FILE_TMPDIR"
	left_behind env -i bash -c 'exec -a "$1" sleep 30 3>&-' bash "$BATS_FILE_TMPDIR/x"
	left_behind env -i sleep 30 4>"$BATS_FILE_TMPDIR/x" 3>&-

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
