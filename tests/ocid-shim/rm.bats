#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "rm: directory, cgroup and the bundle's log go, the bundle stays" {
	quick one 'echo hello'
	[ -n "$(find /sys/fs/cgroup -type d -path "*$CGROUP/*")" ]
	shim rm one
	[ -z "$output$stderr" ]
	[ ! -e "$BUNDLE/log" ]
	[ -e "$BUNDLE/config.json" ]
	nothing_left
	[ -z "$(find "$OCID_RUNROOT/locks" -name '*one*')" ]
}

@test "rm: a log that the caller has named is the caller's" {
	bundle named 'echo said'
	shim run --wait --bundle "$BUNDLE" --log-path "$BATS_TEST_TMPDIR/logs/it" --log-size-max 4096 --log-max-files 2 named
	touch "$BATS_TEST_TMPDIR/logs/it.1"
	shim rm named
	grep -q said "$BATS_TEST_TMPDIR/logs/it"
	[ -e "$BATS_TEST_TMPDIR/logs/it.1" ]
}

@test "rm: a running one is exit 5, with --force it is killed" {
	bundle two 'trap "" TERM; while :; do sleep 0.1; done'
	shim run --bundle "$BUNDLE" two
	shim 5 rm two
	error_is in-use "rm --force"
	is_status two running
	shim rm --force two
	nothing_left
}

@test "rm: what is not there is exit 3, with --force exit 0" {
	shim 3 rm none
	error_is not-found '"none"'
	shim rm --force none
	shim 2 rm --force ../none
	[ -z "$(find "$OCID_RUNROOT/locks" -name '*none*')" ]
}

@test "rm: several: each has its turn, every failure is told" {
	for id in a b c; do
		quick "$id" 'exit 0'
	done
	bundle busy 'exec sleep 100'
	shim run --bundle "$BUNDLE" busy
	shim 3 rm a none b nonesuch
	[ "$(grep -c '^ocid-shim: rm: no container "none' <<<"$stderr")" -eq 2 ]
	shim 1 rm none busy c
	[[ $stderr == *'no container "none"'*'container "busy" is running'* ]]
	[ "$(ocid-shim list --json | jq -r .id)" = busy ]
	shim rm --force none busy
	nothing_left
}

@test "rm: killed at any instant, the next one completes it" {
	for delay in 0 .002 .005 .010 .015 .020 .030 .050; do
		bundle kill 'exec sleep 100'
		ocid-shim run --bundle "$BUNDLE" kill >/dev/null
		ocid-shim rm --force kill 3>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		shim rm --force kill
		bundle kill 'exit 0'
		shim run --wait --bundle "$BUNDLE" kill
		shim rm kill
		nothing_left
	done
}

@test "rm: one whose monitor cannot be waited for stays until it can" {
	bundle few 'exec sleep 100'
	shim run --bundle "$BUNDLE" few
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P shim.pid ocid-shim rm --force few
	error_is limit "shim.pid"
	[ -e "$OCID_RUNROOT/containers/few/state.json" ]
	shim rm few
	nothing_left
}

@test "rm: the monitor was killed, the container goes all the same" {
	bundle orphan 'exec sleep 100'
	shim run --bundle "$BUNDLE" orphan
	kill -9 "$(cat "$OCID_RUNROOT/containers/orphan/shim.pid")"
	shim 5 rm orphan
	shim rm --force orphan
	nothing_left
}

@test "rm: a cgroup that the runtime leaves behind goes too" {
	runtime leaves <<-'END'
		# as runc does when a cgroup is busy for too long
		case " $* " in
		*" delete "*) rm -r "$OCID_RUNROOT/runtime/busy" ;;
		*) exec runc "$@" ;;
		esac
	END
	bundle busy 'exit 0'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" busy
	shim wait busy
	[ -n "$(find /sys/fs/cgroup -type d -path "*$CGROUP/*")" ]
	shim rm busy
	[ -z "$stderr" ]
	nothing_left
}

@test "rm: a container whose bundle has vanished is told of, stopped and removed all the same" {
	bundle gone 'while :; do echo line; sleep 0.1; done'
	shim run --bundle "$BUNDLE" gone
	rm -r "$BUNDLE"
	is_status gone running
	shim stats gone
	shim 125 exec gone true
	[[ $stderr == *config.json* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	shim 3 logs gone
	error_is not-found
	shim stop --timeout 0 gone
	[ "$(jq .code <<<"$output")" -eq 137 ]
	shim rm gone
	nothing_left
}

@test "rm: a cgroup that others use stays, and does not take long" {
	bundle shared 'exec sleep 100'
	shim run --bundle "$BUNDLE" shared
	# shellcheck disable=SC2207 # names without spaces
	held=($(jq -r '.cgroups[]' "$OCID_RUNROOT/containers/shared/state.json"))
	sleep 41230 3>&- &
	pid=$!
	for directory in "${held[@]}"; do
		echo "$pid" >"$directory/cgroup.procs" 2>/dev/null || true
	done
	shim stop --timeout 0 shared
	# runc tries for some seconds by itself
	TOOL_TIMEOUT=15 shim rm shared
	[[ $stderr == *"stays: "* ]]
	kill "$pid"
	wait "$pid" || true
	for directory in "${held[@]}"; do
		if [ -d "$directory" ]; then
			wait_for 5 rmdir "$directory"
		fi
	done
	nothing_left
}
