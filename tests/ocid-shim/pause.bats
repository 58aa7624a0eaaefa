#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

# Run a container that counts in its log: counter ID
counter() {
	bundle "$1" 'trap "exit 5" TERM; while echo tick; do sleep 0.02; done'
	shim run --bundle "$BUNDLE" "$1"
	wait_for 5 grep -q tick "$BUNDLE/log"
}

@test "pause: it stands still until resume; state, list and ps say so" {
	counter one
	shim pause one
	jq -e '.id == "one" and .status == "paused" and .pid > 1' <<<"$output"
	sleep 0.1
	before=$(wc -l <"$BUNDLE/log")
	sleep 0.3
	[ "$(wc -l <"$BUNDLE/log")" -eq "$before" ]
	is_status one paused
	shim list
	[ "$(jq -r .status <<<"$output")" = paused ]
	shim ps
	[ "$(jq -r .status <<<"$output")" = paused ]
	shim resume one
	jq -e '.status == "running"' <<<"$output"
	sleep 0.2
	[ "$(wc -l <"$BUNDLE/log")" -gt "$before" ]
	shim rm --force one
	nothing_left
}

@test "pause: only what runs; resume: only what is paused" {
	bundle new 'exit 0'
	shim create --bundle "$BUNDLE" new
	shim 5 pause new
	error_is in-use "is created, not running"
	shim 5 resume new
	error_is in-use "is created, not paused"
	counter two
	shim 5 resume two
	shim pause two
	shim 5 pause two
	error_is in-use "is paused, not running"
	shim rm --force new two
	quick ended 'exit 0'
	shim 3 pause ended
	error_is not-found "has stopped"
	shim 3 resume none
	shim rm ended
	nothing_left
}

@test "pause: a paused container is not removed but by force, which ends it" {
	counter three
	shim pause three
	shim 5 rm three
	error_is in-use "is paused"
	TOOL_TIMEOUT=30 shim rm --force three
	nothing_left
}

@test "pause: stop thaws it, so that it can end in its own way" {
	counter four
	shim pause four
	shim stop --timeout 60 four
	jq -e '.code == 5' <<<"$output"
	shim rm four
	counter five
	shim pause five
	TOOL_TIMEOUT=30 shim stop --timeout 0 five
	jq -e '.code == 137' <<<"$output"
	shim rm five
	nothing_left
}

@test "pause: KILL ends it also where its runtime is gone" {
	for all in "" --all; do
		runtime gone <<<'exec runc "$@"'
		bundle killed 'exec sleep 100'
		shim run --runtime "$RUNTIME" --bundle "$BUNDLE" killed
		shim pause killed
		rm "$RUNTIME"
		# shellcheck disable=SC2086 # nothing, or an option
		shim kill $all killed KILL
		TOOL_TIMEOUT=10 shim wait killed
		jq -e '.code == 137' <<<"$output"
		shim rm killed
	done
	nothing_left
}

@test "pause, resume: interrupted when it is done already, it says so" {
	runtime slow <<-'END'
		runc "$@"
		code=$?
		case " $* " in *" pause "* | *" resume "*) : >"$seen/done"; sleep 43132 ;; esac
		exit "$code"
	END
	bundle six 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" six
	for pair in pause:paused resume:running; do
		rm -f "$BATS_TEST_TMPDIR/done"
		ocid-shim "${pair%:*}" six >"$BATS_TEST_TMPDIR/out" 3>&- &
		pid=$!
		wait_for 5 test -e "$BATS_TEST_TMPDIR/done"
		kill "$pid"
		wait "$pid"
		[ "$(jq -r .status "$BATS_TEST_TMPDIR/out")" = "${pair#*:}" ]
		is_status six "${pair#*:}"
	done
	shim rm --force six
	nothing_left
}

@test "pause, resume: interrupted at any instant, what it says is so" {
	counter seven
	for verb in pause resume; do
		[ "$verb" = pause ] && is=(running paused) || is=(paused running)
		for n in 1 2 3 4; do
			code=0
			ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -o /dev/null -e "inject=ppoll:signal=TERM:when=$n" \
				ocid-shim "$verb" seven >/dev/null 2>&1 || code=$?
			if [ "$code" -eq 0 ]; then
				is_status seven "${is[1]}"
				runc --root "$OCID_RUNROOT/runtime" "$([ "$verb" = pause ] && echo resume || echo pause)" seven
			else
				[ "$code" -eq 143 ]
				is_status seven "${is[0]}"
			fi
		done
		shim "$verb" seven
	done
	shim rm --force seven
	nothing_left
}
