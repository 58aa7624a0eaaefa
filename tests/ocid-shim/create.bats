#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "create: the container waits, nothing of it has run" {
	bundle one 'echo ran'
	shim create --bundle "$BUNDLE" one
	jq -e '.process | .status == "created" and .pid > 1 and (has("started") | not)' <<<"$output"
	is_status one created
	[ ! -s "$BUNDLE/log" ]
	shim rm one
	nothing_left
	[ ! -s "$BUNDLE/log" ]
}

@test "create: twice at once, one wins and the other is exit 4" {
	bundle race 'exec sleep 100'
	for i in 1 2 3 4; do
		ocid-shim create --bundle "$BUNDLE" race >/dev/null 2>"$BATS_TEST_TMPDIR/err.$i" 3>&- &
		pids[i]=$!
	done
	statuses=()
	for i in 1 2 3 4; do
		status=0
		wait "${pids[i]}" || status=$?
		statuses+=("$status")
	done
	[ "$(printf '%s\n' "${statuses[@]}" | sort | tr '\n' ' ')" = "0 4 4 4 " ]
	shim rm race
	nothing_left
}

@test "create: killed at any instant, nothing is left and the next one works" {
	bundle kill 'exec sleep 100'
	for delay in 0 .001 .002 .004 .006 .008 .010 .012 .015 .018 .022 .026 .030 .040 .050; do
		ocid-shim create --bundle "$BUNDLE" kill >"$BATS_TEST_TMPDIR/out" 2>/dev/null 3>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		# it may have been done already, or have come no farther than an empty directory
		ocid-shim rm --force kill
		nothing_left
	done
	shim create --bundle "$BUNDLE" kill
	shim rm kill
	nothing_left
}

@test "create: interrupted while the runtime hangs, all is undone before it returns" {
	runtime hangs <<-'END'
		case " $* " in
		*" create "*) echo $$ >"$seen/pid"; sleep 100 ;;
		esac
	END
	bundle hang 'exit 0'
	ocid-shim create --runtime "$RUNTIME" --bundle "$BUNDLE" hang 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	process_gone "$(cat "$BATS_TEST_TMPDIR/pid")"
	nothing_left
}

@test "create: remains of an attempt that was killed with its monitor are cleared" {
	bundle remains 'exec sleep 100'
	shim create --bundle "$BUNDLE" remains
	kill -9 "$(cat "$OCID_RUNROOT/containers/remains/shim.pid")"
	# as if both had been killed before the end
	rm "$OCID_RUNROOT/containers/remains/state.json"
	shim 3 state remains
	shim list
	[ -z "$output" ]
	shim rm remains
	nothing_left
	shim create --bundle "$BUNDLE" remains
	kill -9 "$(cat "$OCID_RUNROOT/containers/remains/shim.pid")"
	rm "$OCID_RUNROOT/containers/remains/state.json"
	shim create --bundle "$BUNDLE" remains
	is_status remains created
	shim rm remains
	nothing_left
}

@test "create: where a power cut has left an empty state.json there is no container" {
	bundle emptied 'exec sleep 100'
	for verb in rm create; do
		shim create --bundle "$BUNDLE" emptied
		kill -9 "$(cat "$OCID_RUNROOT/containers/emptied/shim.pid")"
		: >"$OCID_RUNROOT/containers/emptied/state.json"
		shim 3 state emptied
		error_is not-found emptied
		shim list
		[ -z "$output" ]
		[ "$verb" != rm ] || shim rm emptied
	done
	shim create --bundle "$BUNDLE" emptied
	is_status emptied created
	shim rm emptied
	nothing_left
}

@test "create: the monitor has left the caller's session and directory, and holds only its own files" {
	bundle away 'exec sleep 100'
	shim run --bundle "$BUNDLE" away
	monitor=$(cat "$OCID_RUNROOT/containers/away/shim.pid")
	[ "$(readlink "/proc/$monitor/cwd")" = / ]
	[ "$(ps -o tty= -p "$monitor")" = '?' ]
	read -r session < <(ps -o sid= -p "$monitor")
	[ "$session" = "$monitor" ]
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$monitor/fd/$fd")" = /dev/null ]
	done
	[ "$(find "/proc/$monitor/fd" -type l | wc -l)" -le 13 ]
	shim rm --force away
}

@test "create: also in a PID namespace where the caller's process group is one from outside" {
	bundle inside 'exec sleep 100'
	# shellcheck disable=SC2016 # for the shell inside
	tool unshare --pid --fork --mount-proc sh -c '
		ocid-shim run --bundle "$1" inside >/dev/null &&
			ps -o pid=,sid=,pgid= -p "$(cat "$OCID_RUNROOT/containers/inside/shim.pid")" &&
			ocid-shim rm --force inside' sh "$BUNDLE"
	read -r pid sid group <<<"$output"
	[ "$sid $group" = "$pid $pid" ]
	nothing_left
}

@test "create: a long run root, a terminal all the same" {
	bundle long 'exit 4' '.process.terminal = true | .mounts += [{destination: "/dev/pts",
		type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"]}]'
	OCID_RUNROOT=$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..150})
	id=$(printf 'i%.0s' {1..100})
	shim 4 run --wait --bundle "$BUNDLE" "$id"
	shim rm "$id"
	nothing_left
}
