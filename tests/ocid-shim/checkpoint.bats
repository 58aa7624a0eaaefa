#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands

load common

# What ocid-shim does is shown with a criu whose check succeeds, and a runtime that makes a new
# container of a checkpoint; whether processes go on is CRIU's matter.
pretend() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n[ "$1" = check ]\n' >"$BATS_TEST_TMPDIR/bin/criu"
	chmod +x "$BATS_TEST_TMPDIR/bin/criu"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	runtime pretends <<-'END'
		words=() verb= image= leave=
		while [ $# -gt 0 ]; do
			case $1 in
			checkpoint | restore) verb=$1 ;;
			--image-path) image=$2; shift ;;
			--work-path) shift ;;
			--leave-running) leave=1 ;;
			--detach) [ -n "$verb" ] || words+=("$1") ;;
			*) words+=("$1") ;;
			esac
			shift
		done
		case $verb in
		checkpoint)
			[ -e "$seen/fail" ] && echo "criu failed: type NOTIFY errno 0" >&2 && exit 1
			echo saved >"$image/image"
			[ -n "$leave" ] || runc "${words[@]:0:6}" kill "${words[-1]}" KILL
			;;
		restore)
			grep -qx saved "$image/image" || exit 1
			runc "${words[@]:0:6}" create "${words[@]:6}" && runc "${words[@]:0:6}" start "${words[-1]}"
			;;
		*) exec runc "${words[@]}" ;;
		esac
	END
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
	error_is failed 'criu failed: type NOTIFY'
	[[ $stderr == *"dump.log)" ]]
	is_status two running
	shim rm --force two
	shim 1 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/images" --bundle "$BUNDLE" two
	nothing_left
	shim 3 restore --runtime "$RUNTIME" --from "$BATS_TEST_TMPDIR/none" --bundle "$BUNDLE" two
	shim 2 restore --bundle "$BUNDLE" two
	shim 3 checkpoint two "$BATS_TEST_TMPDIR/images"
}

@test "checkpoint: CRIU is asked whether it can work here" {
	bundle real 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	shim run --bundle "$BUNDLE" real
	if criu check 2>/dev/null; then
		wait_for 20 grep -q 'F 3$' "$BUNDLE/log"
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
