# SPDX-License-Identifier: Apache-2.0
# The server, with tools that a test can make slow or fail (fake/tool); the clients are Debian's
# gRPC for Python (C-core) and npm's grpc-js.

load ../helpers
load helpers

setup_file() {
	file_setup
	cri_setup
	server_start
}

teardown_file() {
	server_stop
	rmdir "$(dirname "$SOCKET")"
	file_teardown
}

setup() {
	rm -f "$FAKE_DIR"/*
}

@test "serve: the socket is nobody else's" {
	[ "$(stat -c '%a %F' "$SOCKET")" = "600 socket" ]
}

@test "serve: Version, of both versions of the service" {
	tool cri Version
	[ "$(jq -cS . <<<"$output")" = '{"runtimeApiVersion":"v1","runtimeName":"ocid","runtimeVersion":"0.1.0","version":"0.1.0"}' ]
	tool cri Version '{}' version=v1alpha2
	[ "$(jq -r .runtimeApiVersion <<<"$output")" = v1alpha2 ]
}

@test "serve: Status says whether there is a runtime and a network, and more when asked" {
	tool cri Status
	[ "$(jq -c '[.status.conditions[] | [.type, .status // false, .reason]]' <<<"$output")" = \
		'[["RuntimeReady",true,null],["NetworkReady",false,"NetworkPluginNotReady"]]' ]
	[ "$(jq -r '.status.conditions[1].message' <<<"$output")" = "it is not-found" ]
	echo '{"name":"podman","plugins":["bridge"]}' >"$FAKE_DIR/network"
	tool cri Status '{"verbose": true}'
	[ "$(jq -c '[.status.conditions[].status]' <<<"$output")" = '[true,true]' ]
	[ "$(jq -r '.info.config | fromjson | .stateDir' <<<"$output")" = "$OCID_RUNROOT" ]
}

@test "serve: an unknown method is UNIMPLEMENTED" {
	tool cri unknown
	[ "$output" = "['UNIMPLEMENTED']" ]
}

@test "serve: a malformed message is INTERNAL, as in other servers, and the server lives on" {
	tool cri malformed
	[ "$output" = "$(printf 'INTERNAL\nINTERNAL\nINTERNAL\nINTERNAL')" ]
	tool cri Version
}

@test "serve: the kind of a tool's error decides the status" {
	for kind in failed usage not-found exists in-use denied integrity limit unsupported; do
		echo "PullImage {\"image\": {\"image\": \"error-$kind\"}}"
	done >"$BATS_TEST_TMPDIR/calls"
	# of PullImage it has a name of its own
	echo 'ImageStatus {"image": {"image": "error-temporary"}}' >>"$BATS_TEST_TMPDIR/calls"
	for name in plain silent killed hinted; do
		echo "ImageStatus {\"image\": {\"image\": \"$name\"}}"
	done >>"$BATS_TEST_TMPDIR/calls"
	tool cri several <"$BATS_TEST_TMPDIR/calls"
	[ "$output" = "UNKNOWN: it is failed
INVALID_ARGUMENT: it is usage
NOT_FOUND: it is not-found
ALREADY_EXISTS: it is exists
FAILED_PRECONDITION: it is in-use
PERMISSION_DENIED: it is denied
DATA_LOSS: it is integrity
RESOURCE_EXHAUSTED: it is limit
UNIMPLEMENTED: it is unsupported
UNAVAILABLE: it is temporary
RESOURCE_EXHAUSTED: ctr-store: not as JSON
UNKNOWN: ctr-store: failed and printed no error
UNKNOWN: ctr-store was ended by signal 9
PERMISSION_DENIED: it is so (do this)" ]
}

@test "serve: bad requests are INVALID_ARGUMENT" {
	printf '%s\n' ImageStatus 'PullImage {"image": {"image": "No/Such:Ref:"}}' \
		"RemoveImage {\"image\": {\"image\": \"$(printf 'x%.0s' {1..5000})\"}}" >"$BATS_TEST_TMPDIR/calls"
	tool cri several <"$BATS_TEST_TMPDIR/calls"
	[ "$(head -n 1 <<<"$output")" = "INVALID_ARGUMENT: the request names no image" ]
	[ "$(grep -c ^INVALID_ARGUMENT: <<<"$output")" -eq 3 ]
}

@test "serve: PullImage gives credentials to skopeo-c in a file, not in its arguments" {
	tool cri PullImage '{"image": {"image": "localhost:5000/x"}, "auth": {"username": "me", "password": "secret"}}'
	[ "$(jq -r .imageRef <<<"$output")" = sha256:c0ffee ]
	run ! grep -q secret "$FAKE_DIR/argv"
	[[ $(cat "$FAKE_DIR/argv") =~ ^copy\ --events\ 1\ --src-first-authfile\ /dev/fd/[0-9]+\ docker://localhost:5000/x:latest\ store:$ ]]
	[ "$(jq -r '.auths["localhost:5000"].auth | @base64d' "$FAKE_DIR/auth")" = me:secret ]
	# for another server: not sent
	tool cri PullImage '{"image": {"image": "localhost:5000/x"}, "auth": {"username": "me", "password": "secret", "serverAddress": "https://elsewhere/v1/"}}'
	[ "$(cat "$FAKE_DIR/argv")" = "copy --events 1 docker://localhost:5000/x:latest store:" ]
	# Docker's registry goes by several names
	tool cri PullImage '{"image": {"image": "busybox"}, "auth": {"auth": "bWU6c2VjcmV0", "serverAddress": "https://index.docker.io/v1/"}}'
	[ "$(jq -r '.auths["docker.io"].auth' "$FAKE_DIR/auth")" = bWU6c2VjcmV0 ]
	tool cri PullImage '{"image": {"image": "busybox"}, "auth": {"identityToken": "t"}}'
	[ "$(jq -r '.auths["docker.io"].identitytoken' "$FAKE_DIR/auth")" = t ]
	tool 1 cri PullImage '{"image": {"image": "busybox"}, "auth": {"registryToken": "t"}}'
	[ "$stderr" = "UNIMPLEMENTED: registry tokens are not supported" ]
}

@test "serve: 200 calls at once" {
	tool cri parallel
	[ "$output" = 200 ]
}

@test "serve: 2,000 calls leave nothing in the server, whatever became of them" {
	tool cri many "$(cat "$SERVER_PID")" 2000
	# of memory that was given back, a sanitizer keeps much
	[[ $(ldd "$OCID_BIN/ocid-dispatch") != *asan* ]] || output=${output/False/True}
	[ "$output" = "$(printf '%s\n' "0 0 True" \
		"DEADLINE_EXCEEDED INTERNAL INVALID_ARGUMENT NOT_FOUND OK UNIMPLEMENTED")" ]
}

@test "serve: without calls it is never woken" {
	wakeups() {
		grep ctxt_switches "/proc/$(cat "$SERVER_PID")/status"
	}
	wait_for 5 no_handlers
	sleep 0.2
	before=$(wakeups)
	sleep 2
	[ "$(wakeups)" = "$before" ]
}

@test "serve: messages of 15 MB; beyond 16 is RESOURCE_EXHAUSTED" {
	touch "$FAKE_DIR/big"
	tool cri big
	[ "$output" = "$(printf 'True\nRESOURCE_EXHAUSTED\nOK')" ]
}

@test "serve: past the deadline the call ends, and its tools undo what they did" {
	tool cri deadline
	[ "$output" = "$(printf 'DEADLINE_EXCEEDED\nDEADLINE_EXCEEDED\nTrue')" ]
	wait_for 5 grep -q undone "$FAKE_DIR/log"
	wait_for 5 fakes_gone
	wait_for 5 no_handlers
}

@test "serve: a cancelled call ends its tools" {
	tool cri cancel
	[ "$output" = CANCELLED ]
	wait_for 5 grep -q undone "$FAKE_DIR/log"
	wait_for 5 fakes_gone
	wait_for 5 no_handlers
}

@test "serve: a client that goes away ends its calls" {
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill -KILL "$client"
	wait_for 5 grep -q undone "$FAKE_DIR/log"
	wait_for 5 no_handlers
}

@test "serve: a handler that is killed ends its call with INTERNAL, and its tools" {
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill -KILL "$(handlers)"
	client_failed "$client"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "INTERNAL: the handler of PullImage was ended by signal 9 (Killed)" ]
	wait_for 5 grep -q undone "$FAKE_DIR/log"
	wait_for 5 fakes_gone
	tool cri Version
}

@test "serve: grpc-js, with its keepalive pings" {
	"$TESTS/ocid-dispatch/js" grpc-js "$OCID_BIN/grpc-js"
	tool node "$OCID_BIN/grpc-js/client.js" "$SOCKET" "$TESTS/../ocid-dispatch/cri.proto"
	[ "$output" = "$(printf '%s\n' '"ocid"' 2 '"UNIMPLEMENTED"' '"INVALID_ARGUMENT"' '"DEADLINE_EXCEEDED"' 100 true)" ]
	wait_for 5 no_handlers
}

@test "serve: garbage closes its connection, too many connections and streams are refused" {
	tool /usr/bin/python3 "$BATS_TEST_DIRNAME/garbage.py" "$SOCKET"
	[ "$output" = "$(printf '%s\n' 'http1 closed' 'noise closed' \
		'a reset of no stream open' 'a reset of stream 0 closed' 'data without a stream closed' \
		'headers that are no HPACK closed' 'an endless frame closed' 'half a frame open' \
		'silence open' 'flood refused' 'streams 98976 refused open' \
		'streams 0 [] request HEADERS: max concurrent streams exceeded closed' \
		'headers [1] 1 1')" ]
	tool cri Version
}

@test "serve: a connection that does not say in half a minute that it speaks HTTP/2 is closed" {
	tool /usr/bin/python3 "$BATS_TEST_DIRNAME/garbage.py" "$SOCKET" 35
	[ "$output" = "$(printf '%s\n' 'silence closed' 'half a preface closed' 'a preface alone closed' \
		'a preface and half a frame closed' 'a preface and its frame open')" ]
}

@test "serve: what is not gRPC is answered in HTTP" {
	tool http
	[ "$output" = 405 ]
	tool http -d x
	[ "$output" = 415 ]
	tool http -d x -H 'content-type: application/grpcx'
	[ "$output" = 415 ]
}

@test "serve: headers without bounds are answered with RESOURCE_EXHAUSTED, and others go on" {
	# without a body: curl 7.88 takes it for an error that the answer comes before it has sent one
	tool http -X POST -H 'content-type: application/grpc' -D "$BATS_TEST_TMPDIR/headers" \
		-H "x: $(printf 'x%.0s' {1..40000})"
	[ "$output" = 200 ]
	[ "$(tr -d '\r' <"$BATS_TEST_TMPDIR/headers" | grep -E '^grpc-(status|message)')" = \
		"$(printf 'grpc-status: 8\ngrpc-message: the request has too many headers')" ]
	tool cri Version
}

@test "serve: a second server at a live socket is refused, whichever program that is" {
	tool 5 ocid-dispatch serve --listen "$SOCKET"
	error_is in-use "another ocid-dispatch listens at $SOCKET"
	other=$BATS_TEST_TMPDIR/other.sock
	/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(60)' "$other" 3>&- &
	wait_for 10 test -S "$other"
	tool 5 ocid-dispatch serve --listen "$other"
	error_is in-use "another server listens at $other"
	kill $!
	touch "$BATS_TEST_TMPDIR/file"
	tool 4 ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/file"
	error_is exists "is not a socket"
	tool 3 ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/no/dir.sock"
	error_is not-found
	tool 2 ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/$(printf 'x%.0s' {1..100})"
	error_is usage "at most"
}

@test "serve: memory of the server alone stays small" {
	# what is its own alone: how much of the libraries counts depends on who else uses them
	dirty=$(awk '/^Private_Dirty:/ { print $2 }' "/proc/$(cat "$SERVER_PID")/smaps_rollup")
	echo "private and dirty: $dirty kB"
	[ "$dirty" -lt 6000 ] || [[ $(ldd "$OCID_BIN/ocid-dispatch") == *asan* ]]
}

@test "serve: after SIGTERM running calls are finished, new ones refused, the socket is removed" {
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill "$(cat "$SERVER_PID")"
	wait_for 5 connection_refused
	kill "$(cat "$FAKE_DIR/pids")"
	client_failed "$client"
	# its tool was ended by us: what came of it is still answered
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "UNKNOWN: skopeo-c was ended by signal 15" ]
	wait_for 5 process_gone "$(cat "$SERVER_PID")"
	[ ! -e "$SOCKET" ]
	[ -z "$(ls "$(dirname "$SOCKET")")" ]
	server_start
}

@test "serve: after SIGTERM who listens to events is not waited for, and who connects is refused" {
	server_stop
	server_start --drain 60
	cri GetContainerEvents '{}' timeout=60 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	listener=$!
	wait_for 10 handlers
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 2>/dev/null 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill "$(cat "$SERVER_PID")"
	wait_for 4 process_gone "$listener"
	client_failed "$listener"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "UNAVAILABLE: interrupted" ]
	[ ! -e "$SOCKET" ]
	# the other call goes on
	[ -n "$(handlers)" ]
	kill "$(cat "$FAKE_DIR/pids")"
	client_failed "$client"
	wait_for 5 process_gone "$(cat "$SERVER_PID")"
	server_start
}

@test "serve: who asks for events and is heard only after SIGTERM is not waited for" {
	server_stop
	server_start --drain 60
	mkfifo "$BATS_TEST_TMPDIR/begun" "$BATS_TEST_TMPDIR/go"
	cri late_events <"$BATS_TEST_TMPDIR/go" >"$BATS_TEST_TMPDIR/begun" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/go"
	read -r <"$BATS_TEST_TMPDIR/begun"
	kill "$(cat "$SERVER_PID")"
	wait_for 5 test ! -e "$SOCKET"
	exec 7>&-
	wait_for 10 process_gone "$(cat "$SERVER_PID")"
	client_failed "$client"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "UNAVAILABLE: the server is ending" ]
	server_start
}

@test "serve: a server that is told to end while it starts does" {
	local at=$BATS_TEST_TMPDIR/socket

	for _ in 1 2 3; do
		ocid-dispatch serve --listen "$at" 3>&- &
		for ((i = 0; i < 100000; i++)); do
			[ -S "$at" ] && break
		done
		kill $!
		wait_for 10 process_gone $!
		[ ! -e "$at" ]
	done
}

@test "serve: draining is bounded" {
	server_stop
	server_start --drain 1
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	kill "$(cat "$SERVER_PID")"
	wait_for 8 process_gone "$(cat "$SERVER_PID")"
	client_failed "$client"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "UNAVAILABLE: interrupted while skopeo-c copy was at work" ]
	grep -q undone "$FAKE_DIR/log"
	fakes_gone
	server_start
}

@test "serve: a server that was killed is replaced, its stale socket too; a client carries on" {
	mkfifo "$BATS_TEST_TMPDIR/stop"
	cri steady <"$BATS_TEST_TMPDIR/stop" >"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/stop"
	sleep 1
	kill -KILL "$(cat "$SERVER_PID")"
	wait_for 5 process_gone "$(cat "$SERVER_PID")"
	[ -S "$SOCKET" ]
	server_start 7>&-
	exec 7>&-
	wait "$client"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "['OK', 'UNAVAILABLE'] OK" ]
}

@test "serve: a handler of a server that was killed ends" {
	cri PullImage '{"image": {"image": "slow"}}' timeout=60 2>/dev/null 3>&- &
	client=$!
	wait_for 10 test -s "$FAKE_DIR/pids"
	handler=$(handlers)
	kill -KILL "$(cat "$SERVER_PID")"
	wait_for 5 process_gone "$handler"
	wait_for 5 fakes_gone
	grep -q undone "$FAKE_DIR/log"
	client_failed "$client"
	server_start
}

@test "serve: what a killed server has left at work does not keep the next from its socket" {
	server_stop
	touch "$FAKE_DIR/slow-gc"
	server_start
	wait_for 10 test -s "$FAKE_DIR/pids"
	rm "$FAKE_DIR/slow-gc"
	kill -KILL "$(cat "$SERVER_PID")"
	wait_for 5 process_gone "$(cat "$SERVER_PID")"
	server_start
	kill "$(cat "$FAKE_DIR/pids")" || true
	wait_for 5 fakes_gone
}

@test "serve: usage" {
	tool 2 ocid-dispatch serve --drain -1
	error_is usage "--drain"
	tool 2 ocid-dispatch serve x
}
