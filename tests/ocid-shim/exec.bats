#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

# Run a container that only waits: idle ID [JQ-FILTER]
idle() {
	bundle "$1" 'trap "exit 0" TERM; while :; do sleep 0.1; done' "${2-.}"
	shim run --bundle "$BUNDLE" "$1"
}

no_process() {
	! pgrep -f "$1" >/dev/null
}

@test "exec: the exit code is the command's own" {
	idle one
	for code in 0 1 2 124 125 126 255; do
		shim "$code" exec one sh -c "exit $code"
		[ -z "$stderr" ]
	done
	shim 127 exec one sh -c 'exit 127'
	# shellcheck disable=SC2016 # for the shell inside
	shim 137 exec one sh -c 'kill -9 $$'
	# shellcheck disable=SC2016
	shim 143 exec one sh -c 'kill -TERM $$'
	is_status one running
	# nothing of it stays in the container's directory
	[ -z "$(find "$OCID_RUNROOT/containers/one" -name 'exec*')" ]
	shim rm --force one
	nothing_left
}

@test "exec: input, output and error are ours, byte for byte" {
	idle io
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	ocid-shim exec io cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	shim 3 exec io sh -c 'echo out; echo err >&2; exit 3'
	[ "$output/$stderr" = out/err ]
	# without an input it is empty
	ocid-shim exec io cat <&- >"$BATS_TEST_TMPDIR/out"
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	run -1 --separate-stderr sh -c 'ocid-shim exec io echo x >&-'
	[ ! -s "$BUNDLE/log" ]
	shim rm --force io
}

@test "exec: also where the container has a terminal, the command has none" {
	idle tty '.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts",
		source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	shim 1 exec tty tty </dev/null
	[ "$output" = "not a tty" ]
	shim 2 exec --tty tty sh
	error_is usage --tty
	shim rm --force tty
}

@test "exec: environment, directory and user; options after the id are the command's" {
	idle opts '.process.env += ["BOTH=old", "KEPT=yes"]'
	# shellcheck disable=SC2016
	shim exec --env A=1 --env 'B=x y=z' --env BOTH=new --env EMPTY= --cwd /tmp --user 12:34 opts \
		sh -c 'echo "$A|$B|$BOTH|$KEPT|${EMPTY-unset}|$(pwd)|$(id -u):$(id -g)|$*"' - --env X=1 --cwd -h
	[ "$output" = '1|x y=z|new|yes||/tmp|12:34|--env X=1 --cwd -h' ]
	shim exec --user 7 opts id -u
	[ "$output" = 7 ]
	for option in --env=A --env==1 --cwd=tmp --user=root --user=1:2:3 --user=1: --user= --timeout=-1; do
		shim 2 exec "$option" opts true
	done
	shim 2 exec opts
	shim 2 exec --env $'A=\xff' opts true
	shim 2 exec opts echo $'\xff'
	shim rm --force opts
}

@test "exec --user: not the groups of the container's user, nor, but for root, its capabilities" {
	idle caps '.process.user = {uid: 3, gid: 4, additionalGids: [5]} | .process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL"], inheritable: [], ambient: [],
		effective: ["CAP_KILL"], permitted: ["CAP_KILL"]}'
	# shellcheck disable=SC2016 # for the shell inside
	id='echo $(id -u) $(id -G) $(grep CapEff /proc/self/status)'
	shim exec caps sh -c "$id"
	[[ $output == "3 4 5 CapEff:"* ]]
	shim exec --user 7 caps sh -c "$id"
	[ "$output" = "7 4 CapEff: 0000000000000000" ]
	shim exec --user 0:0 caps sh -c "$id"
	[ "$output" = "0 0 CapEff: 0000000000000021" ]
	shim rm --force caps
}

@test "exec: 125 to 127 say that the command did not run" {
	idle not
	shim 127 exec not nonesuch
	[[ $stderr == *"exec: runc: "*nonesuch* ]]
	shim 126 exec not /tmp
	shim 125 exec --cwd /none not true
	shim 125 exec none true
	[[ $stderr == *'no container "none"'* ]]
	shim pause not
	shim 125 exec not true
	[[ $stderr == *"is paused, not running"* ]]
	shim resume not
	shim stop not
	shim 125 exec not true
	[[ $stderr == *"is stopped, not running"* ]]
	shim rm not
}

@test "exec --timeout: the whole process group is ended, the container is not" {
	idle late
	before=$(date +%s%3N)
	shim 124 exec --timeout 1 late sh -c 'sleep 43219 & sleep 43219; wait'
	[[ $stderr == *"took longer than 1 seconds"* ]]
	took=$(($(date +%s%3N) - before))
	[ "$took" -ge 1000 ]
	[ "$took" -lt 5000 ]
	wait_for 5 no_process 'sleep 43219'
	shim exec --timeout 20 late true
	is_status late running
	shim rm --force late
	nothing_left
}

@test "exec: asked to end, it ends the command" {
	idle asked
	ocid-shim exec asked sleep 43218 3>&- &
	pid=$!
	wait_for 5 pgrep -f '^sleep 43218'
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	wait_for 5 no_process '^sleep 43218'
	shim rm --force asked
	nothing_left
}

@test "exec: many at once, each with its own code" {
	idle many
	for i in {1..12}; do
		ocid-shim exec many sh -c "sleep 0.2; exit $i" 3>&- &
		pids[i]=$!
	done
	for i in {1..12}; do
		status=0
		wait "${pids[i]}" || status=$?
		[ "$status" -eq "$i" ]
	done
	shim rm --force many
	nothing_left
}

@test "exec: the end of the container is the end of the command" {
	idle short
	ocid-shim exec short sleep 43217 3>&- &
	pid=$!
	wait_for 5 pgrep -f '^sleep 43217'
	shim stop short
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	shim rm short
}

@test "exec: what goes on in the background is not waited for" {
	idle back
	TOOL_TIMEOUT=5 shim 4 exec back sh -c 'sleep 43216 >/dev/null 2>&1 & exit 4'
	pgrep -f '^sleep 43216'
	shim rm --force back
	nothing_left
}

@test "exec: a runtime that hangs or fails without a word" {
	runtime hangs <<-'END'
		for word; do [ "$word" = exec ] && exec sleep 43215; done
		exec runc "$@"
	END
	bundle hung 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" hung
	shim 124 exec --timeout 1 hung true
	no_process '^sleep 43215'
	shim rm --force hung
	runtime mute <<-'END'
		for word; do [ "$word" = exec ] && exit "$(cat "$seen/status")"; done
		exec runc "$@"
	END
	bundle mute 'exec sleep 100'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" mute
	echo 3 >"$BATS_TEST_TMPDIR/status"
	shim 125 exec mute true
	[[ $stderr == *"mute failed with status 3"* ]]
	echo 0 >"$BATS_TEST_TMPDIR/status"
	shim 125 exec mute true
	[[ $stderr == *"did not say which process"* ]]
	shim rm --force mute
	nothing_left
}
