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
	[ "$(echo hello | ocid-shim exec -i io cat)" = hello ]
	shim 2 exec -i --no-stdin io cat
	shim 3 exec io sh -c 'echo out; echo err >&2; exit 3'
	[ "$output/$stderr" = out/err ]
	# without an input it is empty
	ocid-shim exec io cat <&- >"$BATS_TEST_TMPDIR/out"
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	run -1 --separate-stderr sh -c 'ocid-shim exec io echo x >&-'
	[ ! -s "$BUNDLE/log" ]
	shim rm --force io
}

@test "exec: also where the container has a terminal, the command has none but with --tty" {
	idle tty '.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts",
		source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	shim 1 exec tty tty </dev/null
	[ "$output" = "not a tty" ]
	shim 0 exec --tty tty tty
	[[ $output == /dev/pts/* ]]
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
	for option in --env=A --env==1 --cwd=tmp --timeout=-1 --cpus= --cpus=1- --cpus=2-1 --cpus=1,,2 \
		--cpus=99999 --resize-fd=1; do
		shim 2 exec "$option" opts true
	done
	shim 2 exec opts
	shim 2 exec --env $'A=\xff' opts true
	shim 2 exec opts echo $'\xff'
	shim rm --force opts
}

@test "exec --errors-fd: what the command says and what went wrong with it are apart" {
	local errors=$BATS_TEST_TMPDIR/errors

	idle apart
	shim 124 exec --timeout 3 --errors-fd 6 apart sh -c 'ls /proc/self/fd >&2; printf half >&2; sleep 30' 6>"$errors"
	[ "$stderr" = $'0\n1\n2\n3\nhalf' ]
	[[ $(<"$errors") == "ocid-shim: exec: sh took longer than 3 seconds"* ]]
	shim 127 exec --errors-fd 6 apart /no/such 6>"$errors"
	[[ $(<"$errors") == *"/no/such"* ]]
	shim 4 exec --errors-fd 6 apart sh -c 'exit 4' 6>"$errors"
	[ ! -s "$errors" ]
	shim 2 exec --errors-fd 77 apart true
	error_is usage '--errors-fd'
	shim rm --force apart
}

@test "exec: the groups of the container's user; another user has its own" {
	idle caps '.process.user = {uid: 3, gid: 4, additionalGids: [5]} | .process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL"], inheritable: [], ambient: [],
		effective: ["CAP_KILL"], permitted: ["CAP_KILL"]}'
	# shellcheck disable=SC2016 # for the shell inside
	id='echo $(id -u) $(id -G) $(grep CapEff /proc/self/status)'
	shim exec caps sh -c "$id"
	[[ $output == "3 4 5 CapEff:"* ]]
	shim exec --user 1000:9 caps grep -w Groups /proc/self/status
	[ "$(tr -s '[:space:]' ' ' <<<"$output")" = "Groups: 9 " ]
	shim exec --user user caps sh -c "$id"
	[ "$output" = "1000 1000 50 CapEff: 0000000000000000" ]
	shim exec --user user:staff caps sh -c "$id"
	[ "$output" = "1000 50 CapEff: 0000000000000000" ]
	shim exec --user 7 caps sh -c "$id"
	[ "$output" = "7 0 CapEff: 0000000000000000" ]
	shim exec --user 0:0 caps sh -c "$id"
	[ "$output" = "0 0 CapEff: 0000000000000021" ]
	shim exec --user root:5 caps sh -c "$id"
	[ "$output" = "0 5 CapEff: 0000000000000021" ]
	shim 125 exec --user nobody caps true
	[[ $stderr == *'no user "nobody" in the container'* ]]
	shim 125 exec --user user:none caps true
	[[ $stderr == *'no group "none"'* ]]
	shim 2 exec --user 1:2:3 caps true
	shim rm --force caps
}

@test "exec: a passwd file that leads out of the container is not read" {
	mkdir "$BATS_TEST_TMPDIR/etc"
	idle evil '.mounts += [{destination: "/etc", type: "bind", source: "'"$BATS_TEST_TMPDIR/etc"'",
		options: ["bind"]}]'
	ln -s /proc/1/root/etc/passwd "$BATS_TEST_TMPDIR/etc/passwd"
	TOOL_TIMEOUT=30 shim 125 exec --user daemon evil true
	rm "$BATS_TEST_TMPDIR/etc/passwd"
	mkfifo "$BATS_TEST_TMPDIR/etc/group"
	TOOL_TIMEOUT=30 shim 125 exec --user 0:none evil true
	[[ $stderr == *"not a regular file"* ]]
	shim rm --force evil
}

@test "exec --cpus, --no-stdin" {
	# a kernel before 6.2 undoes it when the process enters its cgroup, until we set it again
	local look='until grep -q "^Cpus_allowed_list:.1$" /proc/self/status; do sleep 0.1; done'

	idle opts
	shim exec --timeout 30 --cpus 1 opts sh -c "$look"
	idle conf '.process.execCPUAffinity = {initial: "0", final: "1"}'
	shim exec --timeout 30 conf sh -c "$look"
	shim 125 exec --cpus 1000 opts true
	[ "$(echo data | ocid-shim exec --no-stdin opts wc -c)" -eq 0 ]
	shim rm --force opts conf
}

PTS='.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
	options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'

@test "exec --tty: a terminal of its own, whose output is all on standard output" {
	idle term "$PTS"
	shim 5 exec --tty term sh -c 'tty; echo out; echo err >&2; exit 5'
	[ "$(tr -d '\r' <<<"$output" | tail -n 2)" = $'out\nerr' ]
	[ -z "$stderr" ]
	# shellcheck disable=SC2016 # for the shell inside
	run -6 --separate-stderr ocid-shim exec --tty term sh -c 'read -r a; echo "<$a>"; exit 6' <<<hello
	[[ $output == *"<hello>"* ]]
	# all of much output is there, though the terminal is gone with its process
	ocid-shim exec --tty term seq 1 100000 | tr -d '\r' >"$BATS_TEST_TMPDIR/out"
	seq 1 100000 | cmp - "$BATS_TEST_TMPDIR/out"
	[ "$(ocid-shim exec --tty --no-stdin term seq 1 10500 | { sleep 1.5; tail -n 1; } | tr -d '\r')" = 10500 ]
	# what goes on in the background does not keep it
	TOOL_TIMEOUT=30 shim 4 exec --tty term sh -c 'trap "" HUP; sleep 43214 & exit 4'
	run -4 timeout 30 bash -c 'ocid-shim exec --tty --no-stdin term sh -c "trap \"\" HUP; yes & exit 4" >/dev/null'
	shim 127 exec --tty term nonesuch
	shim 124 exec --tty --timeout 1 term sleep 43213
	wait_for 5 no_process 'sleep 43213'
	[ -z "$(find "$OCID_RUNROOT/containers/term" -name 'exec*')" ]
	shim rm --force term
	nothing_left
}

@test "exec --tty: the end of our input is that of the terminal, where it reads lines" {
	local out=$BATS_TEST_TMPDIR/out

	idle ends "$PTS"
	TOOL_TIMEOUT=10 shim exec --tty ends cat </dev/null
	for text in 'whole\n' half; do
		# shellcheck disable=SC2059 # with what it escapes
		printf "$text" | timeout 10 ocid-shim exec --tty ends cat >"$out"
	done
	# after all that came before it, though the command reads late and the terminal keeps little
	seq 1 5000 | timeout 20 ocid-shim exec --tty ends sh -c 'stty -echo; echo; sleep 1; wc -l' >"$out"
	[ "$(tail -n 1 "$out" | tr -d '\r')" -eq 5000 ]
	# who reads it byte by byte gets none that nobody sent
	{
		wait_for 10 grep -q ready "$out"
		printf x
	} | timeout 20 ocid-shim exec --tty ends sh -c \
		'stty raw -echo; echo ready; head -c 1; stty min 0 time 10; wc -c' >"$out"
	[ "$(cat "$out")" = $'ready\nx0' ]
	shim rm --force ends
}

@test "exec --tty: the size is our terminal's, or what --resize-fd says" {
	idle sized "$PTS"
	mkfifo "$BATS_TEST_TMPDIR/sizes" "$BATS_TEST_TMPDIR/in"
	exec 6<>"$BATS_TEST_TMPDIR/sizes"
	ocid-shim exec --tty --resize-fd 6 sized sh -c \
		'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done' \
		<>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	printf '{"Width":93,"Height":39}\n' >&6
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 3 ]
	grep -q '39 93' "$BATS_TEST_TMPDIR/out"
	exec 6>&-
	/usr/bin/python3 - <<-'END'
		import fcntl, pty, os, select, struct, subprocess, termios
		parent, child = pty.openpty()
		fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
		before = termios.tcgetattr(child)
		shell = subprocess.Popen(["ocid-shim", "exec", "-t", "sized", "sh", "-c",
		    "stty size; read a; echo got $a; exit 8"], stdin=child, stdout=child)
		while termios.tcgetattr(child)[3] & termios.ICANON:
		    pass
		os.write(parent, b"hello\r")
		code = shell.wait(timeout=20)
		text = ""
		while "got hello" not in text and select.select([parent], [], [], 5)[0]:
		    text += os.read(parent, 10000).decode()
		assert code == 8, code
		assert "33 77\r\n" in text and "got hello" in text, text
		assert termios.tcgetattr(child) == before
	END
	shim rm --force sized
}

@test "exec --tty: when nobody reads it is ended, as when it is asked to" {
	idle left "$PTS"
	ocid-shim exec --tty left sh -c 'while :; do echo line; sleep 0.05; done # 43212' | head -n 1
	wait_for 5 no_process 43212
	ocid-shim exec --tty left sleep 43211 >/dev/null 3>&- &
	pid=$!
	wait_for 5 pgrep -f '^sleep 43211'
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	wait_for 5 no_process '^sleep 43211'
	shim rm --force left
	nothing_left
}

@test "exec: 125 to 127 say that the command did not run" {
	idle not
	shim 127 exec not nonesuch
	[[ $stderr == *"exec: runc: "*nonesuch* ]]
	shim 127 exec not /bin/busybox/nonesuch
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
	[ "$took" -lt 30000 ] # one that was waited for in vain would have the same status
	wait_for 5 no_process 'sleep 43219'
	shim exec --timeout 20 late true
	is_status late running
	shim rm --force late
	nothing_left
}

@test "exec: also while the container is paused it ends in time, and the command when that goes on" {
	idle frozen
	before=$(date +%s%3N)
	ocid-shim exec --timeout 2 frozen sleep 43220 2>/dev/null 3>&- &
	late=$!
	ocid-shim exec frozen sleep 43221 2>/dev/null 3>&- &
	asked=$!
	wait_for 5 pgrep -f '^sleep 43220'
	wait_for 5 pgrep -f '^sleep 43221'
	shim pause frozen
	kill "$asked"
	status=0
	wait "$asked" || status=$?
	[ "$status" -eq 143 ]
	status=0
	wait "$late" || status=$?
	[ "$status" -eq 124 ]
	[ $(($(date +%s%3N) - before)) -lt 20000 ]
	shim resume frozen
	wait_for 5 no_process '^sleep 4322[01]'
	shim rm --force frozen
	nothing_left
}

@test "exec: a terminal that hangs up ends it as SIGTERM does, unless that is ignored" {
	local code

	idle hung
	for signal in HUP:129 TERM:143; do
		# who runs the tests may ignore it
		env --default-signal=HUP ocid-shim exec --timeout 100 hung sleep 43222 3>&- &
		pid=$!
		wait_for 5 pgrep -f '^sleep 43222'
		kill "-${signal%:*}" "$pid"
		code=0
		wait "$pid" || code=$?
		[ "$code" -eq "${signal#*:}" ]
		wait_for 5 no_process '^sleep 43222'
		[ -z "$(find "$OCID_RUNROOT/containers/hung" -name 'exec*')" ]
	done
	(
		trap '' HUP
		exec ocid-shim exec hung sh -c 'sleep 1.234; exit 7'
	) 3>&- &
	pid=$!
	wait_for 5 pgrep -f '^sleep 1.234'
	kill -HUP "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" -eq 7 ]
	shim rm --force hung
	nothing_left
}

@test "exec --tty: whatever ends it, the terminal is as before" {
	idle raw "$PTS"
	for signal in HUP INT QUIT TERM; do
		/usr/bin/python3 - "$signal" <<-'END'
			import os, pty, signal, subprocess, sys, termios
			number = getattr(signal, "SIG" + sys.argv[1])
			signal.signal(number, signal.SIG_DFL) # a shell in the background ignores some
			parent, child = pty.openpty()
			before = termios.tcgetattr(child)
			shell = subprocess.Popen(["ocid-shim", "exec", "-t", "raw", "sleep", "43223"],
			    stdin=child, stdout=child)
			while termios.tcgetattr(child)[3] & termios.ICANON:
			    pass
			shell.send_signal(number)
			code = shell.wait(timeout=20)
			assert code == 128 + number, code
			assert termios.tcgetattr(child) == before
		END
		wait_for 5 no_process '^sleep 43223'
	done
	[ -z "$(find "$OCID_RUNROOT/containers/raw" -name 'exec*')" ]
	shim rm --force raw
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
	TOOL_TIMEOUT=30 shim 4 exec back sh -c 'sleep 43216 >/dev/null 2>&1 & exit 4'
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
