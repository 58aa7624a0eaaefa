#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Runtimes other than runc: crun, and some that misbehave.

load common

# Where cgroups are mounted the hybrid way, crun 1.8 works only without the unified tree.
with_crun() {
	# shellcheck disable=SC2016 # for the inner shell
	tool unshare --mount bash -c '
		if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
		exec "$@"' -- "$@"
}

@test "runtime: crun runs the same containers" {
	bundle crun 'echo from crun; echo err >&2; exit 6'
	with_crun ocid-shim run --runtime crun --bundle "$BUNDLE" crun
	jq -e '.process.runtime | endswith("/crun")' <<<"$output"
	shim wait crun
	[ "$(jq .code <<<"$output")" -eq 6 ]
	shim logs crun
	[ "$output/$stderr" = "from crun/err" ]
	shim state crun
	with_crun ocid-shim rm crun
	nothing_left
}

@test "runtime: crun execs, pauses and stops" {
	bundle verbs 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	with_crun ocid-shim run --runtime crun --bundle "$BUNDLE" verbs
	wait_for 5 grep -q ready "$BUNDLE/log"
	# shellcheck disable=SC2016 # for the shells inside
	with_crun sh -c 'ocid-shim exec --user 5:6 --env A=b verbs \
		sh -c "echo \$A \$(id -u):\$(id -g); exit 42"; echo $?'
	[ "$output" = $'b 5:6\n42' ]
	# shellcheck disable=SC2016
	with_crun sh -c 'ocid-shim exec verbs nonesuch; echo $?'
	[ "$output" = 127 ]
	[[ $stderr == *"exec: crun: "*nonesuch* ]]
	with_crun ocid-shim pause verbs
	is_status verbs paused
	with_crun ocid-shim resume verbs
	with_crun ocid-shim stop verbs
	[ "$(jq .code <<<"$output")" -eq 5 ]
	with_crun ocid-shim rm verbs
	nothing_left
}

@test "runtime: crun's terminals, inputs, figures and resources" {
	# shellcheck disable=SC2016 # for the shell inside
	bundle term 'stty size; read -r line; echo "got $line"; read -r line; exit 7' '.process.terminal = true |
		.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
		options: ["newinstance", "ptmxmode=0666", "mode=0620"]}] |
		.linux.resources = {pids: {limit: 20}}'
	with_crun ocid-shim create --runtime crun --stdin open --bundle "$BUNDLE" term
	shim resize term 90 30
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 5<>"$BATS_TEST_TMPDIR/in"
	ocid-shim attach term <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- 5>&- &
	pid=$!
	with_crun ocid-shim start term
	echo hello >&5
	wait_for 10 grep -q 'got hello' "$BATS_TEST_TMPDIR/out"
	grep -q '30 90' "$BATS_TEST_TMPDIR/out"
	with_crun sh -c 'ocid-shim exec --tty term sh -c "tty; exit 3" || echo "code $?"'
	[[ $output == /dev/pts/*"code 3" ]]
	shim stats term
	[ "$(jq .pids.limit <<<"$output")" -eq 20 ]
	with_crun sh -c "echo '{\"pids\": {\"limit\": 30}}' | ocid-shim update term"
	shim stats term
	[ "$(jq .pids.limit <<<"$output")" -eq 30 ]
	echo end >&5
	exec 5>&-
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 7 ]
	with_crun ocid-shim rm term
	nothing_left
}

@test "runtime: crun with a terminal; kill; its errors in one line" {
	bundle tty 'tty; exec sleep 100' \
		'.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts",
			source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	with_crun ocid-shim create --runtime crun --bundle "$BUNDLE" tty
	with_crun ocid-shim start tty
	wait_for 5 grep -q /dev/pts/0 "$BUNDLE/log"
	with_crun ocid-shim kill tty KILL
	[ "$(code tty)" -eq 137 ]
	with_crun ocid-shim rm tty

	bundle bad 'exit 0' '.process.args = ["nonesuch"]'
	with_crun bash -c "! ocid-shim run --runtime crun --bundle '$BUNDLE' bad"
	[[ $stderr == "ocid-shim: run: crun: "*nonesuch* ]]
	with_crun bash -c "ocid-shim run --wait --runtime crun --bundle '$BUNDLE' bad; [ \$? -eq 127 ]"
	nothing_left
}

@test "runtime: words on stderr are the error where there is no log" {
	bundle words 'exit 0'
	runtime words <<-'END'
		case " $* " in
		*" run "*) echo first >&2; echo 'the last words' >&2; exit 3 ;;
		esac
	END
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" words
	error_is failed "words: the last words"
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	nothing_left
}

@test "runtime: much garbage on both outputs does not block it, nor us" {
	bundle garbage 'exit 0'
	runtime garbage <<-'END'
		case " $* " in
		*" run "*) head -c 2000000 /dev/urandom; head -c 2000000 /dev/urandom >&2; exit 1 ;;
		esac
	END
	TOOL_TIMEOUT=20 shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" garbage
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[ "${#stderr}" -lt 4096 ]
	nothing_left
}

@test "runtime: it says nothing, or dies of a signal" {
	bundle mute 'exit 0'
	runtime mute <<<'exit 9'
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" mute
	error_is failed "status 9"
	runtime dies <<<'kill -SEGV $$'
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" mute
	error_is failed "status 139"
	nothing_left
}

@test "runtime: it succeeds without a container" {
	bundle nothing 'exit 0'
	runtime nothing <<<'exit 0'
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" nothing
	error_is failed "did not say which process"
	for text in '' x 1 -5 99999999999 "$$" '12 34' $'1\n2'; do
		runtime lies <<-END
			while [ \$# -gt 0 ]; do
				[ "\$1" = --pid-file ] && printf '%s' '$text' >"\$2"
				shift
			done
		END
		shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" nothing
		error_is failed "did not say which process"
	done
	nothing_left
}

@test "runtime: processes that it leaves behind are killed when it fails" {
	bundle leaves 'exit 0'
	runtime leaves <<-'END'
		case " $* " in
		*" run "*) setsid sleep 100 >/dev/null 2>&1 & echo $! >"$seen/pid"; exit 1 ;;
		esac
	END
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" leaves
	process_gone "$(cat "$BATS_TEST_TMPDIR/pid")"
	nothing_left
}

@test "runtime: no terminal comes though one is wanted" {
	bundle noterm 'exit 0' '.process.terminal = true'
	runtime noterm <<-'END'
		while [ $# -gt 0 ]; do
			[ "$1" = --pid-file ] && { sleep 100 & echo $! >"$2"; disown; }
			shift
		done
	END
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" noterm
	error_is failed "no terminal"
	nothing_left
}

@test "runtime: start fails, no container is left" {
	runtime nostart <<-'END'
		words=("$@")
		for ((i = 0; i < ${#words[@]}; i++)); do
			case ${words[i]} in
			run) words[i]=create; unset 'words[i + 1]'; fails=1 ;;
			esac
		done
		[ -z "$fails" ] && exec runc "$@"
		runc "${words[@]}" && echo 'cannot start' >&2
		exit 1
	END
	bundle nostart 'exit 0'
	shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" nostart
	error_is failed "nostart: cannot start"
	nothing_left
	[ ! -e "$BUNDLE/log" ]
}

# Run a container whose runtime is gone afterwards: orphan ID [JQ-FILTER]
orphan() {
	cp "$(command -v runc)" "$BATS_TEST_TMPDIR/myrunc"
	bundle "$1" 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done' "${2-.}"
	shim run --runtime "$BATS_TEST_TMPDIR/myrunc" --bundle "$BUNDLE" "$1"
	wait_for 5 grep -q ready "$BUNDLE/log"
	rm "$BATS_TEST_TMPDIR/myrunc"
}

@test "runtime: one that is gone later is named in the error, which is not that there is no container" {
	orphan gone
	shim 1 pause gone
	error_is failed myrunc
	is_status gone running
	shim rm --force gone
	[[ $stderr == *"warning: container gone: removed without its runtime, "*myrunc* ]]
	nothing_left
}

@test "runtime: one that is gone later, the container is killed, stopped and removed all the same" {
	orphan killed
	shim kill killed TERM
	[ "$(code killed)" -eq 5 ]
	shim rm killed
	orphan stopped
	shim stop stopped
	[ "$(jq .code <<<"$output")" -eq 5 ]
	shim rm stopped
	orphan forced
	shim 5 rm forced
	shim rm --force forced
	nothing_left
}

@test "runtime: one that is gone later, kill --all reaches every process, also below its cgroup" {
	cp "$(command -v runc)" "$BATS_TEST_TMPDIR/myrunc"
	# shellcheck disable=SC2016 # for the shell inside
	bundle all 'trap "" TERM
		for name in one two; do
			(trap "echo got $name; exit 0" TERM; echo $name; while :; do sleep 0.05; done) &
		done
		while ! wait; do :; done; exit 8'
	shim run --runtime "$BATS_TEST_TMPDIR/myrunc" --bundle "$BUNDLE" all
	wait_for 5 grep -q two "$BUNDLE/log"
	rm "$BATS_TEST_TMPDIR/myrunc"
	below=$(jq -r '.cgroups[0]' "$OCID_RUNROOT/containers/all/state.json")/below
	mkdir "$below"
	pgrep -P "$(ocid-shim state all | jq .pid)" | head -n 1 >"$below/cgroup.procs"
	shim kill --all all TERM
	[ "$(code all)" -eq 8 ]
	grep -q 'got one' "$BUNDLE/log"
	grep -q 'got two' "$BUNDLE/log"
	# and what the container has made there goes with it
	mkdir "$below/deeper"
	shim rm all
	[[ $stderr != *stays* ]]
	nothing_left
}

@test "runtime: one that is gone later, a paused container is stopped and removed all the same" {
	for verb in "stop --timeout 60" "stop --timeout 0" "rm --force"; do
		orphan paused
		runc --root "$OCID_RUNROOT/runtime" pause paused
		is_status paused paused
		# shellcheck disable=SC2086 # words
		TOOL_TIMEOUT=30 shim $verb paused
		shim rm --force paused
		nothing_left
	done
}

@test "runtime: one that is gone later, what outlives the first process is killed by rm" {
	cp "$(command -v runc)" "$BATS_TEST_TMPDIR/myrunc"
	bundle shares 'sleep 43128 & sleep 43128' '.linux.namespaces |= map(select(.type != "pid"))'
	shim run --runtime "$BATS_TEST_TMPDIR/myrunc" --bundle "$BUNDLE" shares
	rm "$BATS_TEST_TMPDIR/myrunc"
	shim rm --force shares
	nothing_left
	wait_for 5 is_empty pgrep -f 'sleep 43128'
}

@test "runtime: one that is gone later, what is left of an attempt is removed all the same" {
	bundle rest 'exec sleep 100'
	shim create --bundle "$BUNDLE" rest
	kill -9 "$(cat "$OCID_RUNROOT/containers/rest/shim.pid")"
	rm "$OCID_RUNROOT/containers/rest/state.json"
	pid=$(cat "$OCID_RUNROOT/containers/rest/pid")
	tool env PATH="$OCID_BIN:$(dirname "$(command -v env)")/none" ocid-shim rm rest
	[ ! -e "$OCID_RUNROOT/containers/rest" ]
	[ ! -e "$OCID_RUNROOT/runtime/rest" ]
	kill -9 "$pid"
	wait_for 5 process_gone "$pid"
	wait_for 5 find /sys/fs/cgroup -depth -type d -path "*$CGROUP/*" -exec rmdir {} +
	nothing_left
}

@test "runtime: its options reach it, in every command of that container" {
	runtime records <<-'END'
		echo "$*" >>"$seen/calls"
		for word; do
			shift
			case $word in --systemd-cgroup | --no-pivot) ;; *) set -- "$@" "$word" ;; esac
		done
		exec runc "$@"
	END
	bundle options 'exec sleep 100'
	shim run --systemd-cgroup --no-pivot --runtime "$RUNTIME" --bundle "$BUNDLE" options
	shim kill options KILL
	shim wait options
	shim rm options
	sed -n 's/.* --log-format json //p' "$BATS_TEST_TMPDIR/calls" >"$BATS_TEST_TMPDIR/words"
	[ "$(cut -d ' ' -f 1-2 "$BATS_TEST_TMPDIR/words" | tr '\n' ' ')" = '--systemd-cgroup run --systemd-cgroup kill --systemd-cgroup delete ' ]
	[ "$(grep -c -- --no-pivot "$BATS_TEST_TMPDIR/words")" -eq 1 ]
	grep -q -- "--root $OCID_RUNROOT/runtime " "$BATS_TEST_TMPDIR/calls"
	nothing_left
}

# Run a container whose runtime hangs from then on, but for one command: hanging ID [COMMAND]
hanging() {
	runtime hanging <<-END
		case " \$* " in *" ${2-none} "*) exec runc "\$@" ;; esac
		[ ! -e "\$seen/hang" ] || exec sleep 43131
		exec runc "\$@"
	END
	rm -f "$BATS_TEST_TMPDIR/hang"
	bundle "$1" 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" "$1"
	wait_for 5 grep -q ready "$BUNDLE/log"
	touch "$BATS_TEST_TMPDIR/hang"
}

@test "runtime: one that hangs, the container is stopped in time" {
	hanging soft
	TOOL_TIMEOUT=20 shim stop --timeout 4 soft
	[ "$(jq .code <<<"$output")" -eq 5 ]
	rm "$BATS_TEST_TMPDIR/hang"
	shim rm soft
	hanging hard
	TOOL_TIMEOUT=20 shim stop --timeout 0 hard
	[ "$(jq .code <<<"$output")" -eq 137 ]
	rm "$BATS_TEST_TMPDIR/hang"
	shim rm hard
	nothing_left
}

@test "runtime: one that hangs, the state is told all the same" {
	hanging told
	TOOL_TIMEOUT=10 shim state told
	jq -e '.status == "running" and .pid > 1' <<<"$output"
	rm "$BATS_TEST_TMPDIR/hang"
	shim rm --force told
	nothing_left
}

# All at the same time, since that of `start` is a minute.
@test "runtime: one that hangs is given up when it is to start, pause, resume, update, kill all or delete" {
	for id in pause update resume kill rm; do
		hanging "$id"
	done
	rm "$BATS_TEST_TMPDIR/hang"
	shim pause resume
	bundle start 'exit 6'
	shim create --runtime "$RUNTIME" --bundle "$BUNDLE" start
	touch "$BATS_TEST_TMPDIR/hang"
	for words in start pause resume update "kill --all" "rm --force"; do
		(
			status=0 verb=${words%% *}
			# shellcheck disable=SC2086 # words
			echo '{"pids": {"limit": 9}}' | timeout 100 ocid-shim $words "$verb" \
				2>"$BATS_TEST_TMPDIR/$verb.err" || status=$?
			echo "$status" >"$BATS_TEST_TMPDIR/$verb.status"
		) 3>&- &
	done
	wait
	rm "$BATS_TEST_TMPDIR/hang"
	for verb in start pause resume update kill rm; do
		[ "$(cat "$BATS_TEST_TMPDIR/$verb.status")" -eq 8 ]
		grep -q 'hanging took longer than' "$BATS_TEST_TMPDIR/$verb.err"
	done
	is_status start created
	is_status pause running
	is_status resume paused
	is_status kill running
	is_status rm stopped
	shim start start
	[ "$(code start)" -eq 6 ]
	shim rm --force start pause resume update kill rm
	nothing_left
}

@test "runtime: one that hangs, the container is killed all the same" {
	hanging killed
	TOOL_TIMEOUT=20 shim kill killed
	[ "$(code killed)" -eq 5 ]
	rm "$BATS_TEST_TMPDIR/hang"
	shim rm killed
	nothing_left
}

@test "runtime: one that hangs but to delete, the container is removed all the same" {
	hanging goes delete
	TOOL_TIMEOUT=20 shim rm --force goes
	nothing_left
}
