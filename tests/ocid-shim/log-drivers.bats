#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands
#
# Where a container's output goes: rotated files, the journal, nowhere.

load common

# A journal of the test's own, which writes each datagram as a line of JSON to $JOURNAL.
journal_start() {
	export NAMESPACE=ocid-test-$$-$BATS_TEST_NUMBER JOURNAL=$BATS_TEST_TMPDIR/journal
	mkdir -p "/run/systemd/journal.$NAMESPACE"
	/usr/bin/python3 - "/run/systemd/journal.$NAMESPACE/socket" >"$JOURNAL" 3>&- <<-'END' &
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    data = s.recv(1 << 20).decode(errors="surrogateescape")
		    print(json.dumps(dict(l.split("=", 1) for l in data.splitlines())), flush=True)
	END
	JOURNAL_PID=$!
	wait_for 5 test -S "/run/systemd/journal.$NAMESPACE/socket"
}

journal_stop() {
	kill "$JOURNAL_PID"
	wait "$JOURNAL_PID" 2>/dev/null || true
	rm -r "/run/systemd/journal.$NAMESPACE"
}

@test "logs: rotation keeps each line whole and in order, and no file is too large" {
	bundle turn 'seq 1 60000; exit 2'
	shim run --log-size-max 100000 --log-max-files 100 --bundle "$BUNDLE" turn
	[ "$(code turn)" -eq 2 ]
	[ "$(find "$BUNDLE" -name 'log*' | wc -l)" -gt 10 ]
	[ -z "$(find "$BUNDLE" -name 'log*' -size +100000c)" ]
	ocid-shim logs turn | cmp - <(seq 1 60000)
	ocid-shim logs --tail 20000 turn | cmp - <(seq 40001 60000)
	ocid-shim logs --tail 3 turn | cmp - <(seq 59998 60000)
	# records, nothing else
	[ "$(cat "$BUNDLE"/log* | grep -vcE '^[0-9T:.-]+Z stdout F [0-9]+$')" -eq 0 ]
	[ "$(stat -c %a "$BUNDLE/log.1")" = "$(stat -c %a "$BUNDLE/log")" ]
	shim rm turn
	[ -z "$(find "$BUNDLE" -name 'log*')" ]
}

@test "logs --tail: a line that two files share is one" {
	bundle shared 'exit 0'
	shim run --log-size-max 50000 --log-max-files 5 --bundle "$BUNDLE" shared
	[ "$(code shared)" -eq 0 ]
	write() { # FILE PARTS…: a record for each
		printf "2026-01-01T00:00:00.000000000Z stdout %s\n" "${@:2}" >"$BUNDLE/$1"
	}
	write log.2 'F one' 'P two '
	write log.1 'P has three '
	write log 'P parts, ' 'F or four' 'F three'
	[ "$(ocid-shim logs --tail 1 shared)" = three ]
	[ "$(ocid-shim logs --tail 2 shared)" = $'two has three parts, or four\nthree' ]
	[ "$(ocid-shim logs --tail 3 shared)" = $'one\ntwo has three parts, or four\nthree' ]
	[ "$(ocid-shim logs --tail 4 shared)" = "$(ocid-shim logs shared)" ]
	# one that has not ended, and a file that was just begun
	write log.2 'F one'
	write log.1 'F two' 'P three'
	: >"$BUNDLE/log"
	[ -z "$(ocid-shim logs --tail 0 shared)" ]
	[ "$(ocid-shim logs --tail 1 shared)" = three ]
	[ "$(ocid-shim logs --tail 2 shared)" = $'two\nthree' ]
	shim rm shared
}

@test "logs: as many rotated files as asked for; none empties the one there is" {
	bundle few 'seq 1 30000; exit 0'
	shim run --log-size-max 50000 --log-max-files 2 --bundle "$BUNDLE" few
	[ "$(code few)" -eq 0 ]
	[ "$(find "$BUNDLE" -name 'log*' -printf '%f ' | tr ' ' '\n' | sort | tr -d '\n')" = loglog.1log.2 ]
	[ "$(ocid-shim logs few | tail -n 1)" = 30000 ]
	first=$(ocid-shim logs few | head -n 1)
	ocid-shim logs few | cmp - <(seq "$first" 30000)
	shim rm few
	shim run --log-size-max 50000 --log-max-files 0 --bundle "$BUNDLE" few
	[ "$(code few)" -eq 0 ]
	[ "$(find "$BUNDLE" -name 'log*' | wc -l)" -eq 1 ]
	[ "$(stat -c %s "$BUNDLE/log")" -le 51000 ]
	[ "$(ocid-shim logs few | tail -n 1)" = 30000 ]
	shim rm few
}

@test "logs --follow: goes through all that is rotated meanwhile" {
	bundle follow 'i=0; while [ $i -lt 4000 ]; do i=$((i + 1)); echo $i; done; exit 0'
	shim create --log-size-max 20000 --log-max-files 50 --bundle "$BUNDLE" follow
	ocid-shim logs --follow follow >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	shim start follow
	wait "$pid"
	seq 1 4000 | cmp - "$BATS_TEST_TMPDIR/out"
	[ -e "$BUNDLE/log.3" ]
	shim rm follow
}

@test "logs: a name that is free for a moment, since files are just renamed, hides none of them" {
	bundle hole 'seq 1 30000'
	shim run --log-size-max 200000 --log-max-files 10 --bundle "$BUNDLE" hole
	[ "$(code hole)" -eq 0 ]
	local last
	last=$(find "$BUNDLE" -name 'log.*' | wc -l)
	[ "$last" -ge 3 ]
	for ((number = last; number >= 0; number--)); do
		name=log.$number
		[ "$number" -gt 0 ] || name=log
		mv "$BUNDLE/$name" "$BUNDLE/log.$((number + 1))"
		ocid-shim logs hole | cmp - <(seq 1 30000)
	done
	rm "$BUNDLE"/log*
	shim 3 logs hole
	shim rm hole
}

@test "logs: reopened under load while they rotate, nothing is lost" {
	bundle both 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo $i; done; exit 0'
	shim run --log-size-max 30000 --log-max-files 200 --bundle "$BUNDLE" both
	for _ in {1..10}; do
		shim reopen-logs both || [ "$status" -eq 3 ]
	done
	[ "$(code both)" -eq 0 ]
	ocid-shim logs both | cmp - <(seq 1 20000)
	shim rm both
}

@test "log-driver journald: one entry a record, with what it is of; beside the file" {
	journal_start
	bundle j 'echo out; echo "err=x" >&2; printf part; exit 0'
	shim run --log-driver journald --log-driver file --log-tag web --log-namespace "$NAMESPACE" \
		--bundle "$BUNDLE" jay
	[ "$(code jay)" -eq 0 ]
	wait_for 5 grep -q part "$JOURNAL"
	[ "$(jq -r 'select(.MESSAGE == "out") | "\(.PRIORITY) \(.CONTAINER_ID_FULL) \(.CONTAINER_TAG) \(.SYSLOG_IDENTIFIER)"' "$JOURNAL")" = '6 jay web web' ]
	[ "$(jq -r 'select(.MESSAGE == "err=x").PRIORITY' "$JOURNAL")" = 3 ]
	[ "$(jq -r 'select(.MESSAGE == "part").CONTAINER_PARTIAL_MESSAGE' "$JOURNAL")" = true ]
	[ "$(jq -r 'select(.MESSAGE == "out").CONTAINER_PARTIAL_MESSAGE' "$JOURNAL")" = null ]
	[ "$(wc -l <"$JOURNAL")" -eq 3 ]
	[ "$(wc -l <"$BUNDLE/log")" -eq 3 ]
	shim rm jay
	journal_stop
}

# It has something, and nothing comes any more.
journal_rests() {
	local lines

	lines=$(wc -l <"$JOURNAL")
	sleep 0.5
	[ "$lines" -gt 0 ] && [ "$(wc -l <"$JOURNAL")" -eq "$lines" ]
}

@test "log-driver journald: a journal that does not answer does not stop the container" {
	journal_start
	kill -STOP "$JOURNAL_PID"
	bundle j 'seq 1 50000; while [ ! -e /go/on ]; do sleep 0.05; done; echo after; exit 3' \
		'.mounts += [{destination: "/go", type: "bind", source: "'"$BATS_TEST_TMPDIR"'", options: ["bind"]}]'
	shim run --log-driver journald --log-namespace "$NAMESPACE" --bundle "$BUNDLE" jay
	wait_for 10 pgrep -f 'sleep 0.05' # it has written all by now
	kill -CONT "$JOURNAL_PID"
	wait_for 20 journal_rests
	touch "$BATS_TEST_TMPDIR/on"
	[ "$(code jay)" -eq 3 ]
	wait_for 5 grep -q '"after"' "$JOURNAL"
	lost=$(ocid-shim state jay | jq .logRecordsLost)
	[ "$lost" -gt 0 ]
	jq -r .MESSAGE "$JOURNAL" | grep -q "ocid-shim: [0-9]* log records were lost: the journal"
	[ $((lost + $(jq -r .MESSAGE "$JOURNAL" | grep -cE '^([0-9]+|after)$'))) -eq 50001 ]
	[ ! -e "$BUNDLE/log" ]
	shim 10 logs jay
	error_is unsupported 'no log file'
	shim rm jay
	journal_stop
}

@test "log-driver none: nothing is kept, and nobody waits" {
	bundle none 'seq 1 100000; exit 4'
	shim run --log-driver none --bundle "$BUNDLE" none
	[ "$(code none)" -eq 4 ]
	[ ! -e "$BUNDLE/log" ]
	[ "$(ocid-shim state none | jq 'has("logPath") or has("logRecordsLost")')" = false ]
	shim rm none
	shim create --log-driver none --bundle "$BUNDLE" none
	shim 10 reopen-logs none
	shim rm none
}

@test "log-driver: what makes no sense is a usage error; no journal is exit 10" {
	bundle bad 'exit 0'
	for options in '--log-driver syslog' '--log-driver none --log-driver file' '--log-size-max 0' \
		'--log-size-max -2' '--log-max-files -1' '--log-max-files 1001' '--log-tag x' \
		'--log-driver none --log-path x' '--log-driver journald --log-size-max 5' \
		'--log-driver journald --log-namespace ../x' '--log-driver journald --log-tag='; do
		# shellcheck disable=SC2086 # words
		shim 2 run $options --bundle "$BUNDLE" bad
	done
	shim 10 run --log-driver journald --log-namespace none-there --bundle "$BUNDLE" bad
	error_is unsupported 'no journal at'
	nothing_left
}
