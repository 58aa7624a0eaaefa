#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands
#
# What those who supervise a container are told.

load common

# A service manager's socket, which writes each line that it gets to $TOLD.
manager_start() {
	export TOLD=$BATS_TEST_TMPDIR/told NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify
	/usr/bin/python3 - "$NOTIFY_SOCKET" >"$TOLD" 3>&- <<-'END' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    print(s.recv(4096).decode().strip(), flush=True)
	END
	MANAGER=$!
	wait_for 5 test -S "$NOTIFY_SOCKET"
}

manager_stop() {
	kill "$MANAGER"
	wait "$MANAGER" 2>/dev/null || true
	unset NOTIFY_SOCKET
}

@test "sd-notify ready: told once the container runs, with its monitor" {
	manager_start
	bundle one 'exec sleep 100'
	shim create --sd-notify ready --bundle "$BUNDLE" one
	sleep 0.1
	[ ! -s "$TOLD" ]
	shim start one
	wait_for 5 grep -qx READY=1 "$TOLD"
	grep -qx "MAINPID=$(cat "$OCID_RUNROOT/containers/one/shim.pid")" "$TOLD"
	shim rm --force one
	manager_stop
}

@test "sd-notify container: told when the container itself says so" {
	manager_start
	bundle own 'exec sleep 41234'
	ocid-shim run --sd-notify container --bundle "$BUNDLE" own >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	wait_for 5 pgrep -f '^sleep 41234'
	# runc waits for the word
	kill -0 "$pid"
	[ ! -s "$TOLD" ]
	/usr/bin/python3 - "/proc/$(pgrep -f '^sleep 41234')/root/run/notify" <<-'END'
		import os, socket, sys
		os.chdir(sys.argv[1])
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.sendto(b"READY=1\n", "notify.sock")
	END
	wait "$pid"
	wait_for 5 grep -q READY=1 "$TOLD"
	is_status own running
	shim rm --force own
	manager_stop
}

@test "sd-notify: a service manager's socket is nobody's business otherwise" {
	manager_start
	bundle none 'echo "<${NOTIFY_SOCKET-}>"; exit 0'
	shim run --bundle "$BUNDLE" none
	shim wait none
	grep -q 'F <>$' "$BUNDLE/log"
	shim rm none
	[ ! -s "$TOLD" ]
	manager_stop
	shim 2 run --sd-notify ready --bundle "$BUNDLE" none
	error_is usage 'NOTIFY_SOCKET is not set'
	shim 2 run --sd-notify maybe --bundle "$BUNDLE" none
}

@test "exit-command: run when it has ended, with what is known of it" {
	cat >"$BATS_TEST_TMPDIR/command" <<-'END'
		#!/bin/sh
		echo "$OCID_CONTAINER $OCID_EXIT_CODE $*" >"$1"
		[ -e "$2/containers/$OCID_CONTAINER/exit" ] && echo recorded >>"$1"
		echo "oom $(cat /proc/self/oom_score_adj)" >>"$1"
		grep -E '^Sig(Blk|Ign)' /proc/self/status >>"$1"
		exec sleep 0.5
	END
	chmod +x "$BATS_TEST_TMPDIR/command"
	bundle e 'exit 6'
	shim run --exit-command "$BATS_TEST_TMPDIR/command" --exit-command-arg "$BATS_TEST_TMPDIR/out" \
		--exit-command-arg "$OCID_RUNROOT" --exit-command-arg 'two words' --bundle "$BUNDLE" e
	# those who wait do not wait for it
	[ "$(code e)" -eq 6 ]
	wait_for 5 grep -q SigIgn "$BATS_TEST_TMPDIR/out"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/out")" = "e 6 $BATS_TEST_TMPDIR/out $OCID_RUNROOT two words" ]
	grep -q recorded "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c 0000000000000000 "$BATS_TEST_TMPDIR/out")" -eq 2 ]
	grep -qx "oom $(cat /proc/self/oom_score_adj)" "$BATS_TEST_TMPDIR/out" # a monitor's is lower
	shim rm e
	for options in '--exit-command relative' '--exit-command /none' '--exit-command-arg x' '--exit-command /etc/passwd'; do
		# shellcheck disable=SC2086 # words
		shim 2 run $options --bundle "$BUNDLE" e
	done
	wait_for 5 is_empty pgrep -f "$BATS_TEST_TMPDIR/command"
}

@test "ready-fd: a newline once the container runs" {
	bundle r 'exec sleep 100'
	mkfifo "$BATS_TEST_TMPDIR/ready"
	exec 5<>"$BATS_TEST_TMPDIR/ready"
	ocid-shim run --wait --ready-fd 5 --bundle "$BUNDLE" r >/dev/null 3>&- &
	pid=$!
	read -r -t 10 line <&5
	[ -z "$line" ]
	is_status r running
	shim stop --timeout 0 r
	wait "$pid" || [ "$?" -eq 137 ]
	exec 5>&-
	shim rm r
	shim 2 run --ready-fd 77 --bundle "$BUNDLE" r
	shim 2 run --ready-fd -3 --bundle "$BUNDLE" r
}
