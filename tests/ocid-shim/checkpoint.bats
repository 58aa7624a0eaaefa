#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands

load common
load ../criu

pretend() {
	criu_pretend "$BATS_TEST_TMPDIR"
}

@test "checkpoint: ends the container, or with --leave-running does not; restore: makes it again" {
	pretend
	bundle one 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" one
	shim checkpoint --leave-running one "$BATS_TEST_TMPDIR/images/a"
	[ "$(jq -r .status <<<"$output")" = running ]
	shim checkpoint one "$BATS_TEST_TMPDIR/images/b"
	[ "$(jq .code <<<"$output")" -eq 137 ]
	shim 5 checkpoint one "$BATS_TEST_TMPDIR/images/c"
	error_is in-use 'is stopped'
	shim rm one
	shim restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/images/b" --bundle "$BUNDLE" one
	[ "$(jq -r .process.status <<<"$output")" = running ]
	[ "$(jq -r .process.started <<<"$output")" != null ]
	is_status one running
	shim stop --timeout 0 one
	[ "$(jq .code <<<"$output")" -eq 137 ]
	shim rm one
	nothing_left
}

@test "checkpoint: a failure of the runtime's leaves the container as it was" {
	pretend
	bundle two 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" two
	touch "$BATS_TEST_TMPDIR/fail"
	shim 1 checkpoint two "$BATS_TEST_TMPDIR/images"
	error_is failed 'tty: Found slave peer index 1: runtime: criu failed: type NOTIFY'
	[[ $stderr == *"dump.log)" ]]
	is_status two running
	shim rm --force two
	shim 1 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/images" --bundle "$BUNDLE" two
	error_is failed 'Error (criu/image.c:1): No such image: runtime'
	[[ $stderr == *"(see $BUNDLE/restore.log)" ]]
	nothing_left
	# what it said then is no reason of what fails later
	quick two 'exit 0'
	shim 4 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/images" --bundle "$BUNDLE" two
	[[ $stderr != *criu* ]]
	shim rm two
	runtime early <<-'END'
		echo too early >&2
		exit 1
	END
	shim 1 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/images" --bundle "$BUNDLE" two
	error_is failed 'early: too early'
	[[ $stderr != *criu* ]]
	shim 3 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/none" --bundle "$BUNDLE" two
	shim 2 restore --bundle "$BUNDLE" two
	shim 3 checkpoint two "$BATS_TEST_TMPDIR/images"
}

@test "checkpoint: a command sees the container paused, which goes on afterwards" {
	pretend
	bundle between 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" between
	shim checkpoint --leave-running between "$BATS_TEST_TMPDIR/images" -- ocid-shim state between
	[ "$(jq -r .status <<<"$output")" = paused ]
	[ -e "$BATS_TEST_TMPDIR/images/core-1.img" ]
	is_status between running
	# what it says of itself, and how it ends, is what is told
	shim 3 checkpoint --leave-running between "$BATS_TEST_TMPDIR/images" -- ocid-shim state none
	error_is not-found none
	is_status between running
	shim 3 checkpoint --leave-running between "$BATS_TEST_TMPDIR/images" -- /none
	is_status between running
	shim 2 checkpoint between "$BATS_TEST_TMPDIR/images" -- true
	touch "$BATS_TEST_TMPDIR/fail"
	shim 1 checkpoint --leave-running between "$BATS_TEST_TMPDIR/images" -- true
	error_is failed 'criu failed'
	is_status between running
	# one that was paused stays so
	rm "$BATS_TEST_TMPDIR/fail"
	shim pause between
	shim 5 checkpoint between "$BATS_TEST_TMPDIR/images"
	shim checkpoint --leave-running between "$BATS_TEST_TMPDIR/images" -- echo finished
	[ "$output" = finished ]
	is_status between paused
	shim rm --force between
	nothing_left
}

@test "checkpoint: killed while the container is paused, it goes on" {
	pretend
	bundle killed 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" killed
	local flag=$BATS_TEST_TMPDIR/flag pid signal

	for signal in KILL TERM; do
		ocid-shim checkpoint --leave-running killed "$BATS_TEST_TMPDIR/images" -- \
			sh -c 'echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 100' sh "$flag" 3>&- &
		pid=$!
		wait_for 20 test -e "$flag"
		is_status killed paused
		kill -s "$signal" "$pid"
		wait_for 20 is_status killed running
		wait_for 20 process_gone "$(cat "$flag")"
		wait "$pid" || true
		rm "$flag"
	done
	shim rm --force killed
	nothing_left
}

@test "resume: --after-input waits for the end of standard input" {
	bundle later 'exec sleep 100'
	shim run --bundle "$BUNDLE" later
	shim pause later
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	ocid-shim resume --after-input later <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/said" 3>&- &
	local pid=$!
	exec 8>"$BATS_TEST_TMPDIR/fifo"
	echo something >&8
	is_status later paused
	exec 8>&-
	wait "$pid"
	[ "$(jq -r .status "$BATS_TEST_TMPDIR/said")" = running ]
	shim rm --force later
}

@test "checkpoint: CRIU is asked whether it can work here" {
	bundle real 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	shim run --bundle "$BUNDLE" real
	if criu_works; then
		wait_for 20 grep -q 'F 3$' "$BUNDLE/log"
		shim checkpoint --leave-running real "$BATS_TEST_TMPDIR/first" -- ocid-shim state real
		[ "$(jq -r .status <<<"$output")" = paused ]
		is_status real running
		shim checkpoint real "$BATS_TEST_TMPDIR/images"
		shim rm real
		shim restore --from "$BATS_TEST_TMPDIR/images" --bundle "$BUNDLE" --log-path "$BUNDLE/log2" real
		wait_for 20 test -s "$BUNDLE/log2"
		# it goes on, and does not begin again
		run ! grep -q 'F 1$' "$BUNDLE/log2"
	else
		shim 10 checkpoint real "$BATS_TEST_TMPDIR/images"
		error_is unsupported CRIU
		shim 10 restore --from "$BATS_TEST_TMPDIR" --bundle "$BUNDLE" other
		error_is unsupported CRIU
		tool 10 env PATH=/none "$OCID_BIN/ocid-shim" checkpoint real "$BATS_TEST_TMPDIR/images"
		error_is unsupported 'install the package criu'
		is_status real running
	fi
	shim rm --force real
}
