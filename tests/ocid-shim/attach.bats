#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands

load common

TTY='.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts",
	source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'

# Attach in the background: follow ID NAME [OPTION…]; output in NAME.out, errors in NAME.err, exit
# code in NAME.code, input from the FIFO NAME.in, which the caller opens.
follow() {
	local id=$1 at=$BATS_TEST_TMPDIR/$2

	shift 2
	mkfifo "$at.in"
	{
		code=0
		ocid-shim attach "$@" "$id" <"$at.in" >"$at.out" 2>"$at.err" || code=$?
		echo "$code" >"$at.code"
	} 3>&- 5>&- 6>&- &
}

ended() {
	wait_for 10 test -s "$BATS_TEST_TMPDIR/$1.code"
	[ "$(cat "$BATS_TEST_TMPDIR/$1.code")" -eq "$2" ]
}

# How many are attached to a container.
attached() {
	local monitor

	monitor=$(cat "$OCID_RUNROOT/containers/$1/shim.pid")
	find "/proc/$monitor/fd" -lname 'socket:*' | wc -l
}

attached_are() {
	[ "$(attached "$1")" -eq $(($2 + 1)) ] # and the control socket
}

make_attached() {
	wait_for 5 attached_are "$1" 0 # the socket by which it was made is closed
	follow "$@"
	exec 5>"$BATS_TEST_TMPDIR/$2.in"
	wait_for 10 attached_are "$1" 1
	shim start "$1"
}

@test "attach: input, output and error output, byte for byte; the exit code is the container's" {
	bundle io 'cat; echo err >&2; exit 7'
	shim create --stdin once --bundle "$BUNDLE" io
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	make_attached io a
	cat "$BATS_TEST_TMPDIR/data" >&5
	exec 5>&-
	ended a 7
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/a.out"
	[ "$(cat "$BATS_TEST_TMPDIR/a.err")" = err ]
	shim 3 attach io
	error_is not-found 'has stopped'
	shim rm io
	nothing_left
}

@test "attach: half-closed, all that is written after is still read" {
	bundle half 'wc -c; sleep 0.2; seq 1 100000; exit 3'
	shim create --stdin once --bundle "$BUNDLE" half
	make_attached half a
	echo hello >&5
	exec 5>&-
	ended a 3
	{
		echo 6
		seq 1 100000
	} | cmp - "$BATS_TEST_TMPDIR/a.out"
	shim rm half
}

@test "attach: several at once, each gets all; nothing is replayed" {
	bundle many 'echo before; read -r line; seq 1 20000; read -r line; exit 4'
	shim create --stdin open --bundle "$BUNDLE" many
	shim start many
	wait_for 5 grep -q before "$BUNDLE/log"
	follow many a
	exec 5>"$BATS_TEST_TMPDIR/a.in"
	follow many b
	exec 6>"$BATS_TEST_TMPDIR/b.in"
	wait_for 10 attached_are many 2
	echo from-a >&5
	wait_for 10 grep -qx 20000 "$BATS_TEST_TMPDIR/b.out"
	# a leaves; the input stays open, as --stdin says
	exec 5>&-
	echo from-b >&6
	ended a 4
	ended b 4
	for name in a b; do
		seq 1 20000 | cmp - "$BATS_TEST_TMPDIR/$name.out"
	done
	exec 6>&-
	shim rm many
}

@test "attach: with --stdin open the input outlives who is attached" {
	bundle open 'read -r one; echo got; read -r two; echo "$one $two"; exit 5'
	shim run --stdin open --bundle "$BUNDLE" open
	ocid-shim attach open <<<first 3>&- &
	pid=$!
	wait_for 10 grep -q 'F got' "$BUNDLE/log"
	kill "$pid"
	wait "$pid" || [ "$?" -eq 143 ]
	wait_for 10 attached_are open 0
	is_status open running
	shim 5 attach open <<<second
	[ "$output" = 'first second' ]
	shim rm open
}

@test "attach: with --stdin once the input ends with the first who sends it" {
	bundle once 'cat; echo end; exec sleep 100'
	shim create --stdin once --bundle "$BUNDLE" once
	make_attached once a
	follow once b
	exec 6>"$BATS_TEST_TMPDIR/b.in"
	# one that does not send has no part in it
	timeout 0.3 ocid-shim attach --no-stdin once </dev/null || true
	run ! grep -q end "$BUNDLE/log"
	echo x >&5
	exec 5>&-
	wait_for 10 grep -q 'F end' "$BUNDLE/log"
	echo lost >&6
	exec 6>&-
	shim stop --timeout 0 once
	ended b 137
	[ "$(cat "$BATS_TEST_TMPDIR/b.out")" = $'x\nend' ]
	shim rm once
}

@test "attach: without an input nothing is read of ours" {
	bundle closed 'sleep 0.5; cat; echo end; exit 0'
	shim create --bundle "$BUNDLE" closed
	make_attached closed a
	printf x >&5
	ended a 0
	[ "$(cat "$BATS_TEST_TMPDIR/a.out")" = end ]
	exec 5>&-
	shim rm closed
	shim 2 create --stdin both --bundle "$BUNDLE" closed
	error_is usage '--stdin'
}

@test "attach: the document of a Kubernetes client says which input it wants" {
	bundle cri 'cat; exit 6'
	jq -n --arg bundle "$BUNDLE" '{rootfs: {id: "cri", path: "/", bundle: $bundle, layers: []},
		cri: {container: {stdin: true, stdinOnce: true}}}' | ocid-shim create >/dev/null
	make_attached cri a
	echo hello >&5
	exec 5>&-
	ended a 6
	[ "$(cat "$BATS_TEST_TMPDIR/a.out")" = hello ]
	shim rm cri
}

@test "attach: who reads nothing is dropped in the end, and the container goes on" {
	bundle slow 'seq 1 1000000; exit 2'
	shim create --bundle "$BUNDLE" slow
	wait_for 5 attached_are slow 0
	follow slow a
	exec 5>"$BATS_TEST_TMPDIR/a.in"
	wait_for 10 attached_are slow 1
	pid=$(pgrep -P "$!")
	kill -STOP "$pid"
	shim start slow
	[ "$(code slow)" -eq 2 ]
	[ "$(grep -c ' F ' "$BUNDLE/log")" -eq 1000000 ]
	kill -CONT "$pid"
	# what it got has no gap
	wait_for 10 test -s "$BATS_TEST_TMPDIR/a.code"
	seq 1 1000000 | cmp -n "$(stat -c %s "$BATS_TEST_TMPDIR/a.out")" - "$BATS_TEST_TMPDIR/a.out"
	exec 5>&-
	shim rm slow
}

@test "attach: who is slow but reads loses nothing" {
	bundle late 'seq 1 600000; exit 0'
	shim create --bundle "$BUNDLE" late
	wait_for 5 attached_are late 0
	mkfifo "$BATS_TEST_TMPDIR/out"
	ocid-shim attach late </dev/null >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	{
		head -c 100000
		sleep 1
		cat
	} <"$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/got" 3>&- &
	wait_for 10 attached_are late 1
	shim start late
	wait "$pid"
	wait
	seq 1 600000 | cmp - "$BATS_TEST_TMPDIR/got"
	shim rm late
}

@test "attach: when nobody reads our output any more it ends, and the container does not" {
	bundle gone 'while :; do echo line; sleep 0.05; done'
	shim run --bundle "$BUNDLE" gone
	timeout 10 ocid-shim attach gone </dev/null | head -n 1 | grep -qx line
	wait_for 10 attached_are gone 0
	is_status gone running
	shim rm --force gone
	bundle silent 'exec sleep 100'
	shim run --bundle "$BUNDLE" silent
	reader_gone ocid-shim attach silent
	is_status silent running
	shim rm --force silent
}

@test "attach: a terminal" {
	bundle tty 'stty size; tty; while read -r line; do echo "got $line"; done; echo over; exit 9' "$TTY"
	shim create --stdin open --bundle "$BUNDLE" tty
	shim resize tty 132 43
	make_attached tty a
	echo hello >&5
	wait_for 10 grep -q 'got hello' "$BATS_TEST_TMPDIR/a.out"
	printf '\004' >&5
	ended a 9
	tr -d '\r' <"$BATS_TEST_TMPDIR/a.out" >"$BATS_TEST_TMPDIR/text"
	grep -qx '43 132' "$BATS_TEST_TMPDIR/text" # what is typed early is echoed before it
	grep -q '^/dev/pts/' "$BATS_TEST_TMPDIR/text"
	grep -q over "$BATS_TEST_TMPDIR/text"
	[ ! -s "$BATS_TEST_TMPDIR/a.err" ]
	exec 5>&-
	shim rm tty
}

@test "attach: what a terminal holds at the end is not lost, to the log neither" {
	bundle last 'seq 1 100000' "$TTY"
	shim create --bundle "$BUNDLE" last
	make_attached last a
	ended a 0
	seq 1 100000 | cmp - <(tr -d '\r' <"$BATS_TEST_TMPDIR/a.out")
	ocid-shim logs last | tr -d '\r' | cmp - <(seq 1 100000)
	exec 5>&-
	shim rm last
}

@test "attach: a terminal that nobody holds open for a moment goes on" {
	bundle gap 'echo first; exec </dev/null >/dev/null 2>&1; sleep 0.5; echo second >/dev/console; sleep 100' "$TTY"
	shim run --bundle "$BUNDLE" gap
	logs_say() { ocid-shim logs gap | grep -q "$1"; }
	wait_for 10 logs_say second
	shim resize gap 80 24
	shim rm --force gap
	# nor is anybody hung up
	bundle hangs 'exec </dev/null >/dev/null 2>&1; sleep 0.5; exit 4' "$TTY | .linux.namespaces = [{type: \"mount\"}]"
	shim run --bundle "$BUNDLE" hangs
	[ "$(code hangs)" -eq 4 ]
	shim rm hangs
}

@test "attach: with --stdin once a terminal's input ends in the middle of a line, too" {
	bundle middle 'cat >/dev/null; echo over; exit 1' "$TTY"
	shim run --stdin once --bundle "$BUNDLE" middle
	run -1 bash -c 'printf a | timeout 10 ocid-shim attach middle'
	[[ $output == *over* ]]
	shim rm middle
}

@test "attach: output that cannot be written is an error" {
	bundle full 'sleep 0.5; seq 1 50000; sleep 1; exit 3'
	shim run --bundle "$BUNDLE" full
	run -9 --separate-stderr bash -c 'ocid-shim attach --no-stdin full >/dev/full'
	[[ $stderr == *"standard output: No space left on device"* ]]
	[ "$(code full)" -eq 3 ]
	shim rm full
}

@test "attach: with --stdin once a terminal's lines end too" {
	bundle end 'cat >/dev/null; echo over; exit 1' "$TTY"
	shim create --stdin once --bundle "$BUNDLE" end
	make_attached end a
	exec 5>&-
	ended a 1
	grep -q over "$BATS_TEST_TMPDIR/a.out"
	shim rm end
}

@test "attach --resize-fd: sizes as Kubernetes sends them" {
	bundle size 'trap "stty size" WINCH; stty size; while :; do sleep 0.05; done' "$TTY"
	shim create --stdin open --bundle "$BUNDLE" size
	wait_for 5 attached_are size 0
	mkfifo "$BATS_TEST_TMPDIR/sizes"
	exec 6<>"$BATS_TEST_TMPDIR/sizes"
	mkfifo "$BATS_TEST_TMPDIR/in"
	ocid-shim attach --resize-fd 6 size <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	wait_for 10 attached_are size 1
	shim start size
	wait_for 10 test -s "$BATS_TEST_TMPDIR/out"
	printf '{"Width":91' >&6
	printf ',"Height":37}\n{"Width":0,"Height":1}\nnonsense\n' >&6
	wait_for 10 grep -q '37 91' "$BATS_TEST_TMPDIR/out"
	head -c 5000 /dev/zero >&6
	printf '\n{"Width":92,"Height":38}\n' >&6
	wait_for 10 grep -q '38 92' "$BATS_TEST_TMPDIR/out"
	exec 6>&-
	kill "$pid"
	wait "$pid" || [ "$?" -eq 143 ]
	shim 2 attach --resize-fd 77 size
	error_is usage '--resize-fd'
	shim rm --force size
}

@test "attach: our own terminal is raw, and its size the container's" {
	bundle own 'stty size; read -r line; echo "got $line"; exit 8' "$TTY"
	shim create --stdin open --bundle "$BUNDLE" own
	/usr/bin/python3 - "$BATS_TEST_TMPDIR" <<-'END'
		import fcntl, os, pty, select, struct, subprocess, sys, termios
		parent, child = pty.openpty()
		fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
		before = termios.tcgetattr(child)
		attach = subprocess.Popen(["ocid-shim", "attach", "own"], stdin=child, stdout=child)
		while termios.tcgetattr(child)[3] & termios.ICANON:
		    pass
		subprocess.run(["ocid-shim", "start", "own"], stdout=subprocess.DEVNULL, check=True)
		os.write(parent, b"hello\r")
		code = attach.wait(timeout=20)
		text = ""
		# what was written is there in pieces, and a moment later
		while "got hello\r\n" not in text and select.select([parent], [], [], 10)[0]:
		    text += os.read(parent, 10000).decode()
		assert code == 8, code
		assert "33 77\r\n" in text and "got hello\r\n" in text, text
		assert termios.tcgetattr(child) == before
	END
	shim rm own
}

@test "resize: what has no terminal is not supported" {
	bundle plain 'exec sleep 100'
	shim run --bundle "$BUNDLE" plain
	shim 10 resize plain 80 24
	error_is unsupported 'no terminal'
	for size in '0 1' '1 0' '65536 1' 'x 1' '1 -1' '1x 2'; do
		# shellcheck disable=SC2086 # words
		shim 2 resize plain $size
	done
	shim stop --timeout 0 plain
	shim 3 resize plain 80 24
	shim 3 resize none 80 24
	shim rm plain
}

@test "attach: a monitor that was killed is named as the reason" {
	bundle dead 'read x; echo $x; exec sleep 100'
	shim run --stdin open --bundle "$BUNDLE" dead
	follow dead a
	exec 5>"$BATS_TEST_TMPDIR/a.in"
	# it is answered: who only asks is not attached yet
	echo go >&5
	wait_for 10 test -s "$BATS_TEST_TMPDIR/a.out"
	kill -9 "$(cat "$OCID_RUNROOT/containers/dead/shim.pid")"
	wait_for 5 is_status_of_monitor dead dead
	shim 1 attach dead
	error_is failed 'its monitor died'
	shim stop --timeout 0 dead || true
	ended a 1
	grep -q 'exit code unknown, its monitor died' "$BATS_TEST_TMPDIR/a.err"
	exec 5>&-
	shim rm dead
}

is_status_of_monitor() {
	[ "$(ocid-shim state "$1" | jq -r .monitor)" = "$2" ]
}

@test "attach: the last words are for one with a small socket, too" {
	# as it is without privileges, before Linux 6.16
	bundle small 'sleep 0.5; head -c 260000 /dev/zero >&2 & head -c 250000 /dev/zero; wait'
	shim create --bundle "$BUNDLE" small
	/usr/bin/python3 - "$OCID_RUNROOT/containers/small/ctl" "$(jq .pid "$OCID_RUNROOT/containers/small/state.json")" \
		>"$BATS_TEST_TMPDIR/out" 3>&- <<-'END' &
		import array, os, socket, sys, time
		os.chdir(os.path.dirname(sys.argv[1]))
		ctl = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		ctl.connect("ctl")
		ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 212992)
		fds = array.array("i", [theirs.fileno()])
		ctl.sendmsg([b"a\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
		theirs.close()
		assert ours.recv(10) == b"a\0"
		print("attached", flush=True)
		while os.path.exists("/proc/" + sys.argv[2]):
		    time.sleep(0.05)
		time.sleep(0.3)
		counts = [0, 0, 0]
		while packet := ours.recv(70000):
		    counts[packet[0]] += len(packet) - 1
		print(counts)
	END
	pid=$!
	wait_for 10 grep -q attached "$BATS_TEST_TMPDIR/out"
	shim start small
	wait "$pid"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = '[0, 250000, 260000]' ]
	shim rm small
}

@test "attach: more than the monitor has room for are refused, and messages it does not know" {
	bundle room 'exec sleep 100'
	shim run --bundle "$BUNDLE" room
	/usr/bin/python3 - "$OCID_RUNROOT/containers/room/ctl" <<-'END'
		import array, glob, os, socket, struct, sys, time
		os.chdir(os.path.dirname(sys.argv[1]))
		ctl = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		ctl.connect("ctl")

		def request(data, kind=socket.SOCK_SEQPACKET, copies=1):
		    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
		    fds = array.array("i", [theirs.fileno()] * copies)
		    ctl.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if copies else [])
		    theirs.close()
		    ours.settimeout(5)
		    return ours

		for bad in b"", b"a", b"x", b"a\1\0", b"r\0", b"r\0\0\0\0\0\0", b"l", b"a\1" + bytes(70000):
		    assert request(bad).recv(10) == b"", bad
		assert request(b"a\1", socket.SOCK_STREAM).recv(10) == b""
		assert request(b"a\1", copies=2).recv(10) == b""
		assert request(b"a\1", copies=5).recv(10) == b""
		request(b"a\1", copies=0)
		all = [request(b"a\1") for _ in range(32)]
		assert [s.recv(10) for s in all] == [b"a\0"] * 32
		assert request(b"a\1").recv(10) == b""
		# one says what nobody understands, one too much, one leaves: there is room again
		all[0].send(b"?")
		all[1].send(b"r" * 100000)
		assert all[0].recv(10) == b"" and all[1].recv(10) == b""
		all[2].close()
		again = [request(b"a\1") for _ in range(4)]
		assert [s.recv(10) for s in again] == [b"a\0"] * 3 + [b""]

		# one that is dropped while another process has its socket, too, is watched no more
		def watched():
		    with open("shim.pid") as pid:
		        infos = glob.glob("/proc/%s/fdinfo/*" % pid.read().strip())
		    count = 0
		    for info in infos:
		        try:
		            with open(info) as file:
		                count += file.read().count("tfd:")
		        except FileNotFoundError:  # closed by now
		            pass
		    return count

		def become(count):
		    for _ in range(100):
		        if watched() == count:
		            return
		        time.sleep(0.05)
		    sys.exit("%d descriptors are watched, not %d" % (watched(), count))

		full = watched()
		again[0].close()
		become(full - 1)
		ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		fds = array.array("i", [theirs.fileno()])
		ctl.sendmsg([b"a\1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
		assert ours.recv(10) == b"a\0"
		become(full)
		ours.send(b"?")
		become(full - 1)
	END
	shim resize room 1 1 || [ "$status" -eq 10 ]
	wait_for 5 attached_are room 0
	shim rm --force room
	nothing_left
}
