#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell that expands is the container's

load common

# What `logs` must print: the bytes that the container wrote.
check_bytes() { # ID FILE
	ocid-shim logs "$1" 2>/dev/null >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/got" "$2"
}

RECORD='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z (stdout|stderr) [FP] '

@test "logs: stdout to stdout, stderr to stderr, each in its order" {
	quick both 'for i in 1 2 3; do echo out $i; echo err $i >&2; done'
	shim logs both
	[ "$output" = $'out 1\nout 2\nout 3' ]
	[ "$stderr" = $'err 1\nerr 2\nerr 3' ]
	[ "$(grep -cE "$RECORD" "$BUNDLE/log")" -eq 6 ]
	shim rm both
}

@test "logs: ten thousand lines of two streams are all there, in order" {
	quick many 'i=0; while [ $i -lt 5000 ]; do echo out $i; echo err $i >&2; i=$((i + 1)); done'
	seq -f 'out %g' 0 4999 >"$BATS_TEST_TMPDIR/out"
	seq -f 'err %g' 0 4999 >"$BATS_TEST_TMPDIR/err"
	ocid-shim logs many 2>"$BATS_TEST_TMPDIR/got.err" >"$BATS_TEST_TMPDIR/got.out"
	cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/got.out"
	cmp "$BATS_TEST_TMPDIR/err" "$BATS_TEST_TMPDIR/got.err"
	[ "$(grep -cvE "$RECORD" "$BUNDLE/log")" -eq 0 ]
	[ "$(wc -l <"$BUNDLE/log")" -eq 10000 ]
	shim rm many
}

@test "logs: a line of a megabyte is split into parts and put together again" {
	quick long 'head -c 1000000 /dev/zero | tr "\0" x; echo; echo end'
	{
		head -c 1000000 /dev/zero | tr '\0' x
		echo
		echo end
	} >"$BATS_TEST_TMPDIR/want"
	check_bytes long "$BATS_TEST_TMPDIR/want"
	[ "$(grep -c ' stdout P ' "$BUNDLE/log")" -eq 61 ] # 61 of 16384 bytes and the rest
	[ "$(grep -c ' stdout F ' "$BUNDLE/log")" -eq 2 ]
	[ "$(awk '{ if (length($0) > max) max = length($0) } END { print max }' "$BUNDLE/log")" -eq $((16384 + 40)) ]
	shim rm long
}

@test "logs: lines at the limit and around it" {
	for n in 1 16383 16384 16385 32768 32769 65536; do
		quick "n$n" "head -c $n /dev/zero | tr '\\0' x; echo; echo y"
		{ head -c "$n" /dev/zero | tr '\0' x; printf '\ny\n'; } >"$BATS_TEST_TMPDIR/want"
		check_bytes "n$n" "$BATS_TEST_TMPDIR/want"
		[ "$(grep -c ' P ' "$BUNDLE/log")" -eq $(((n - 1) / 16384)) ]
		shim rm "n$n"
	done
}

@test "logs: a line that comes in pieces is one record" {
	quick pieces 'printf one; sleep 0.1; printf " two"; sleep 0.1; echo " three"'
	[ "$(cut -d ' ' -f 2- "$BUNDLE/log")" = 'stdout F one two three' ]
	shim rm pieces
}

@test "logs: what comes without a newline at the end stays so" {
	quick fragment 'echo one; printf two; printf err >&2'
	printf 'one\ntwo' >"$BATS_TEST_TMPDIR/want"
	check_bytes fragment "$BATS_TEST_TMPDIR/want"
	[ "$(cut -d ' ' -f 2- "$BUNDLE/log" | sort)" = $'stderr P err\nstdout F one\nstdout P two' ]
	shim logs fragment
	[ "$stderr" = err ]
	shim rm fragment
}

@test "logs: empty lines, carriage returns, and bytes that are no text" {
	quick bytes 'printf "\n\r\n\0\001\377\n P \nstdout F x\n"'
	printf '\n\r\n\0\001\377\n P \nstdout F x\n' >"$BATS_TEST_TMPDIR/want"
	check_bytes bytes "$BATS_TEST_TMPDIR/want"
	shim rm bytes
}

@test "logs --tail: the last lines, parts counted with their line" {
	quick tail 'seq 1 100; head -c 40000 /dev/zero | tr "\0" x; echo; echo last'
	shim logs --tail 1 tail
	[ "$output" = last ]
	shim logs --tail 0 tail
	[ -z "$output" ]
	shim logs --tail 2 tail
	[ "${#output}" -eq $((40000 + 1 + 4)) ]
	shim logs -n 3 tail
	[ "${output%%$'\n'*}" = 100 ]
	shim logs --tail 1000 tail
	[ "${output%%$'\n'*}" = 1 ]
	shim 2 logs --tail -2 tail
	shim 2 logs --tail x tail
	shim rm tail
}

@test "logs --tail: a record of which only the beginning is written is none yet" {
	quick torn 'echo one; echo two'
	printf '2026-11-25T13:52:41.369144808Z stdout F thr' >>"$BUNDLE/log"
	shim logs --tail 1 torn
	[ "$output" = two ]
	shim rm torn
}

@test "logs --timestamps, --raw: the time before each line, the records as they are" {
	quick stamps 'echo one; head -c 20000 /dev/zero | tr "\0" x; echo; echo two >&2'
	shim logs --timestamps stamps
	[ "$(grep -cE '^[0-9T:.-]+Z ' <<<"$output")" -eq 2 ]
	[[ $output =~ ^[0-9T:.-]+Z\ one ]]
	[[ $stderr =~ ^[0-9T:.-]+Z\ two$ ]]
	shim logs --raw stamps
	[ "$output" = "$(cat "$BUNDLE/log")" ]
	[ -z "$stderr" ]
	shim 2 logs --raw --timestamps stamps
	shim rm stamps
}

@test "logs --since: by time and by age" {
	quick since 'echo one; sleep 1.2; echo two'
	shim logs --since "$(awk 'END { print $1 }' "$BUNDLE/log")" since
	[ "$output" = two ]
	shim logs --since 10m since
	[ "$output" = $'one\ntwo' ]
	shim logs --since 200000d since
	[ "$output" = "$(printf 'one\ntwo')" ]
	shim logs --since 2100-01-01T00:00:00+01:00 since
	[ -z "$output" ]
	for all in 1h30m 0.5h 1d12h 2020-01-01 2020-01-01T10:00 10 1600000000.5; do
		shim logs --since "$all" since
		[ "$output" = $'one\ntwo' ]
	done
	for bad in yesterday 10x 2020-13-01T00:00:00Z 2020-01-32 ''; do
		shim 2 logs --since "$bad" since
	done
	shim rm since
}

@test "logs --until: of a part of the log, also the last lines" {
	quick until 'echo one; echo two; sleep 1.2; echo three; printf four'
	until=$(awk 'NR == 2 { print $1 }' "$BUNDLE/log")
	shim logs --until "$until" until
	[ "$output" = $'one\ntwo' ]
	shim logs --until "$until" --tail 1 until
	[ "$output" = two ]
	shim logs --until "$until" --since "$until" --raw until
	[ "$output" = "$(grep "^$until" "$BUNDLE/log")" ]
	shim logs --until 1h until
	[ -z "$output" ]
	shim logs --until 2100-01-01 --tail 2 until
	[ "$output" = $'three\nfour' ]
	shim 2 logs --until tomorrow until
	error_is usage '--until: "tomorrow"'
	shim rm until
}

@test "logs --follow --until: it ends at that time, the container does not" {
	bundle on 'while :; do echo line; sleep 0.1; done'
	shim run --bundle "$BUNDLE" on
	until=$(date -d '+2 seconds' +%s.%N)
	TOOL_TIMEOUT=30 shim logs --follow --until "$until" on
	[ "$(date +%s)" -ge "${until%.*}" ]
	[ "$(wc -l <<<"$output")" -ge 5 ]
	TOOL_TIMEOUT=30 shim logs --follow --until 1h on
	[ -z "$output" ]
	is_status on running
	shim rm --force on
}

@test "logs --follow: what comes, until the container has ended" {
	bundle follow 'echo one; sleep 0.5; echo two; echo err >&2; sleep 0.5; printf three'
	shim create --bundle "$BUNDLE" follow
	ocid-shim logs --follow follow >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	shim start follow
	wait_for 5 grep -q one "$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = one ]
	wait "$pid"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = $'one\ntwo\nthree' ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
	# of one that has ended: all, at once
	shim logs --follow --tail 3 follow
	[ "$output" = $'two\nthree' ]
	shim rm follow
}

@test "logs --follow: goes on from the start of a log that was emptied" {
	bundle emptied 'echo one and more; until [ -e /tmp/go ]; do sleep 0.05; done; echo two'
	shim run --bundle "$BUNDLE" emptied
	ocid-shim logs --follow emptied >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	wait_for 5 grep -q one "$BATS_TEST_TMPDIR/out"
	: >"$BUNDLE/log"
	shim exec emptied sh -c ': >/tmp/go'
	wait "$pid"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = $'one and more\ntwo' ]
	shim rm emptied
}

@test "logs --follow: ends with the container, not with its exit command" {
	printf '#!/bin/sh\necho $$ >"$1"\nexec sleep 100\n' >"$BATS_TEST_TMPDIR/command"
	chmod +x "$BATS_TEST_TMPDIR/command"
	bundle early 'sleep 0.3; echo one'
	shim run --exit-command "$BATS_TEST_TMPDIR/command" --exit-command-arg "$BATS_TEST_TMPDIR/pid" --bundle "$BUNDLE" early
	TOOL_TIMEOUT=30 shim logs --follow early
	[ "$output" = one ]
	TOOL_TIMEOUT=30 shim logs --follow early
	[ "$output" = one ]
	wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
	shim rm early
}

@test "logs --follow: ends when its reader goes, or at a signal" {
	bundle reader 'echo one; exec sleep 100'
	shim run --bundle "$BUNDLE" reader
	tool timeout 10 bash -c 'ocid-shim logs --follow reader | head -n 1'
	[ "$output" = one ]
	reader_gone ocid-shim logs --follow --tail 0 reader
	ocid-shim logs --follow reader >/dev/null 3>&- &
	pid=$!
	sleep 0.2
	kill -INT "$pid" || true
	kill -TERM "$pid" || true
	status=0
	wait "$pid" || status=$?
	[ "$status" -gt 128 ]
	shim rm --force reader
}

@test "logs: the log is gone, or holds what is no record" {
	quick gone 'echo one'
	echo 'not a record' >>"$BUNDLE/log"
	shim logs gone
	[ "$output" = one ]
	shim logs --raw gone
	[[ $output == *$'\nnot a record' ]]
	printf 'with\0NUL\n' >>"$BUNDLE/log"
	ocid-shim logs --raw gone | cmp - "$BUNDLE/log"
	rm "$BUNDLE/log"
	shim 3 logs gone
	error_is not-found "$BUNDLE/log"
	shim 3 logs none
	shim rm gone
}

@test "logs: a full disk says so" {
	quick full 'seq 1 10000'
	tool 9 bash -c 'ocid-shim logs full >/dev/full'
	error_is limit
	shim rm full
}
