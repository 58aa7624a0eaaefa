#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

# Run a container that counts in its log as fast as it can, or with a pause: counter ID [PAUSE]
counter() {
	bundle "$1" "trap 'echo last; exit 5' TERM; i=0; while i=\$((i + 1)); echo line \$i; do ${2-:}; done"
	shim run --bundle "$BUNDLE" "$1"
	LOG=$BUNDLE/log
	wait_for 5 test -s "$LOG"
}

# Send the monitor of a container a message, with as many descriptors: send ID BYTES COUNT
send() {
	python3 - "$OCID_RUNROOT/containers/$1/ctl" "$2" "$3" <<-'END'
		import os, socket, sys
		path, message, count = sys.argv[1:]
		client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		os.chdir(os.path.dirname(path))
		client.connect("ctl")
		fds = [os.open("/dev/null", os.O_WRONLY) for i in range(int(count))]
		socket.send_fds(client, [message.encode()], fds)
	END
}

monitor_of() {
	cat "$OCID_RUNROOT/containers/$1/shim.pid"
}

descriptors() {
	find "/proc/$(monitor_of "$1")/fd" -type l | wc -l
}

# kB
pss() {
	awk '/^Pss:/ { print $2 }' "/proc/$(monitor_of "$1")/smaps_rollup"
}

@test "reopen-logs: then the new log is there, and the old one stands still" {
	counter one 'sleep 0.01'
	mv "$LOG" "$LOG.1"
	shim reopen-logs one
	[ -z "$output$stderr" ]
	[ -e "$LOG" ]
	size=$(stat -c %s "$LOG.1")
	wait_for 5 test -s "$LOG"
	[ "$(stat -c %s "$LOG.1")" -eq "$size" ]
	# also where it is the same file still
	shim reopen-logs one
	seen=$(wc -l <"$LOG")
	sleep 0.1
	[ "$(wc -l <"$LOG")" -gt "$seen" ]
	shim rm --force one
	nothing_left
}

@test "reopen-logs: under load no line is lost or torn" {
	counter load
	for i in {1..30}; do
		mv "$LOG" "$LOG.$(printf %02d "$i")"
		ocid-shim reopen-logs load
	done
	shim stop load
	cat "$LOG".?? "$LOG" >"$BATS_TEST_TMPDIR/all"
	run ! grep -vE '^[0-9TZ:.-]{30} stdout F (line [0-9]+|last)$' "$BATS_TEST_TMPDIR/all"
	sed 's/.* F //' "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/lines"
	count=$(($(wc -l <"$BATS_TEST_TMPDIR/lines") - 1))
	[ "$count" -gt 1000 ]
	{ seq -f 'line %.0f' "$count" && echo last; } | cmp - "$BATS_TEST_TMPDIR/lines"
	shim rm load
}

@test "reopen-logs: the directory is made again; what is no file is refused, and nothing changes" {
	bundle where 'while echo tick; do sleep 0.02; done'
	LOG=$BATS_TEST_TMPDIR/logs/deep/log
	shim run --log-path "$LOG" --bundle "$BUNDLE" where
	rm -r "$BATS_TEST_TMPDIR/logs"
	shim reopen-logs where
	wait_for 5 test -s "$LOG"
	mv "$LOG" "$LOG.1"
	mkfifo "$LOG"
	shim 1 reopen-logs where
	seen=$(wc -l <"$LOG.1")
	sleep 0.1
	[ "$(wc -l <"$LOG.1")" -gt "$seen" ]
	shim rm --force where
}

@test "reopen-logs: the monitor keeps its size and its descriptors, whoever sends it what" {
	bundle small 'exec sleep 100'
	shim run --bundle "$BUNDLE" small
	sleep 0.2
	fds=$(descriptors small)
	before=$(pss small)
	for i in {1..20}; do
		ocid-shim reopen-logs small
	done
	for message in l:0 l:1 l:2 l:3 l:9 x:2 :0 :2 long:2 long:0; do
		send small "${message%:*}" "${message#*:}"
	done
	shim reopen-logs small
	[ "$(descriptors small)" -eq "$fds" ]
	after=$(pss small)
	echo "PSS $before, then $after kB"
	# a sanitizer's own memory is not counted
	[ "$after" -le $((before + 8)) ] || [ "$before" -gt 1000 ]
	shim rm --force small
	nothing_left
}

@test "reopen-logs: logs --follow goes on in the new one" {
	counter along 'sleep 0.01'
	ocid-shim logs --follow along >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	for i in 1 2 3; do
		sleep 0.2
		mv "$LOG" "$LOG.$i"
		shim reopen-logs along
	done
	sleep 0.2
	shim stop along
	wait "$pid"
	count=$(($(wc -l <"$BATS_TEST_TMPDIR/out") - 1))
	{ seq -f 'line %.0f' "$count" && echo last; } | cmp - "$BATS_TEST_TMPDIR/out"
	[ "$count" -gt "$(cat "$LOG".? | wc -l)" ]
	shim rm along
}

@test "reopen-logs: one that has stopped, is not there, or whose monitor died" {
	quick ended 'exit 0'
	shim 3 reopen-logs ended
	error_is not-found "has stopped"
	shim 3 reopen-logs none
	shim rm ended
	bundle orphan 'exec sleep 100'
	shim run --bundle "$BUNDLE" orphan
	monitor=$(monitor_of orphan)
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	shim 1 reopen-logs orphan
	error_is failed "its monitor died"
	shim rm --force orphan
	nothing_left
}

@test "reopen-logs: a monitor that does not answer is exit 8" {
	counter stuck 'sleep 0.1'
	monitor=$(monitor_of stuck)
	kill -STOP "$monitor"
	run --separate-stderr ocid-shim reopen-logs --timeout 1 stuck
	# before anything can fail, since nobody can wait for it while it is stopped
	kill -CONT "$monitor"
	[ "$status" -eq 8 ]
	error_is temporary "does not answer"
	shim reopen-logs stuck
	shim 2 reopen-logs --timeout 0 stuck
	shim rm --force stuck
	nothing_left
}
