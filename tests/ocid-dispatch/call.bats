# SPDX-License-Identifier: Apache-2.0

load ../helpers

setup_file() {
	file_setup
	export OCID_LIBEXEC=$BATS_TEST_DIRNAME/fake FAKE_DIR=$BATS_FILE_TMPDIR/fake
	mkdir "$FAKE_DIR"
}

@test "call: by the method's name, with its service, or the whole path" {
	for name in Version RuntimeService/Version runtime.v1.RuntimeService/Version /runtime.v1.RuntimeService/Version; do
		tool ocid-dispatch call "$name"
		[ "$output" = '{"runtimeApiVersion":"v1","runtimeName":"ocid","runtimeVersion":"0.1.0","version":"0.1.0"}' ]
	done
	tool ocid-dispatch call runtime.v1alpha2.RuntimeService/Version
	[ "$(jq -r .runtimeApiVersion <<<"$output")" = v1alpha2 ]
}

@test "call: the request is JSON on stdin" {
	echo '{"image": {"image": "x"}}' >"$BATS_TEST_TMPDIR/request"
	tool ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/request"
	[ "$output" = '{"imageRef":"sha256:c0ffee"}' ]
}

@test "call: --defaults shows what has its default value" {
	tool ocid-dispatch call ListImages </dev/null
	[ "$output" = '{}' ]
	tool ocid-dispatch call --defaults ListImages </dev/null
	[ "$output" = '{"images":[]}' ]
}

@test "call: errors keep the kind, message and hint of the tool that failed" {
	echo '{"image": {"image": "error-in-use"}}' >"$BATS_TEST_TMPDIR/request"
	tool 5 ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/request"
	error_is in-use "it is in-use"
	tool 5 ocid-dispatch call PullImage --errors json <"$BATS_TEST_TMPDIR/request"
	[ "$(jq -r .code <<<"$stderr")" = in-use ]
}

@test "call: bad requests" {
	echo '{"image": {"image": 5}}' >"$BATS_TEST_TMPDIR/type"
	tool 2 ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/type"
	error_is usage "image: image: is not a string"
	echo '{"image": ' >"$BATS_TEST_TMPDIR/broken"
	tool 7 ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/broken"
	error_is integrity "the request"
	echo '[]' >"$BATS_TEST_TMPDIR/array"
	tool 2 ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/array"
	error_is usage "is not an object"
}

@test "call: what is not known, and what is not answered" {
	tool 3 ocid-dispatch call Nope </dev/null
	error_is not-found 'no RPC "Nope" (see ocid-dispatch rpcs)'
	tool 10 ocid-dispatch call RestorePod </dev/null
	error_is unsupported "RestorePod is not supported"
	tool 2 ocid-dispatch call
	error_is usage
}

@test "call: a signal ends the tools that run" {
	echo '{"image": {"image": "slow"}}' >"$BATS_TEST_TMPDIR/request"
	ocid-dispatch call PullImage <"$BATS_TEST_TMPDIR/request" 3>&- 2>/dev/null &
	pid=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	grep -q undone "$FAKE_DIR/log"
	process_gone "$(cat "$FAKE_DIR/pids")"
}

@test "call: a full stdout is an error" {
	run ! bash -c 'ocid-dispatch call Version </dev/null >/dev/full'
}
