# SPDX-License-Identifier: Apache-2.0
# Exec, attach and port forwarding through the streaming server, by clients that nobody here wrote,
# in real containers.
# shellcheck disable=SC2016 # commands for a container's shell

load ../helpers
load helpers
load pods

setup_file() {
	file_setup
	pods_setup
	export NODE_PATH STREAM_SERVER=$BATS_FILE_TMPDIR/server.pid
	NODE_PATH=$OCID_BIN/stream-js/node_modules
	"$TESTS/ocid-dispatch/js" stream-js "$OCID_BIN/stream-js"
	ulimit -S -n 1024 # as most have it
	streams_start
	pod one
	container idle 'trap exit TERM; while :; do sleep 0.2; done'
	start
	export POD CTR
}

teardown_file() {
	streams_stop
	pods_teardown
	file_teardown
}

teardown() {
	local pid

	for pid in ${BACKGROUND-}; do
		kill "$pid" 2>/dev/null || true
	done
}

streams_start() {
	ocid-dispatch serve --config "$CONFIG" --listen "$BATS_FILE_TMPDIR/s" "$@" \
		>>"$BATS_FILE_TMPDIR/server.log" 2>&1 3>&- &
	echo $! >"$STREAM_SERVER"
	wait_for 10 test -S "$BATS_FILE_TMPDIR/s"
	wait_for 10 server_lives
}

server_lives() {
	curl -ks -o /dev/null "$(cat "$OCID_RUNROOT/streams/server")"
}

streams_stop() {
	kill "$(cat "$STREAM_SERVER")" 2>/dev/null || true
	wait_for 20 process_gone "$(cat "$STREAM_SERVER")"
	! grep -A 20 Sanitizer "$BATS_FILE_TMPDIR/server.log"
}

# exec_url JQ-OBJECT, attach_url, forward_url: $URL
exec_url() {
	call Exec "$(jq -cn --arg id "$CTR" "{containerId: \$id} + $1")"
	URL=$(jq -r .url <<<"$output")
}

attach_url() {
	call Attach "$(jq -cn --arg id "$CTR" "{containerId: \$id, stdin: true, stdout: true} + $1")"
	URL=$(jq -r .url <<<"$output")
}

forward_url() {
	call PortForward "{\"podSandboxId\": \"$POD\"}"
	URL=$(jq -r .url <<<"$output")
}

# exec_late JQ-OBJECT, attach_late, forward_late: $URL is for our clients, which ask for the real one
# when they have got ready: where node takes a minute to start, one that is asked for before is stale
late() {
	local file

	file=$(mktemp "$BATS_TEST_TMPDIR/$1.XXXXXX")
	printf '%s\n' "$2" >"$file"
	URL=$file
}

exec_late() {
	late Exec "$(jq -cn --arg id "$CTR" "{containerId: \$id} + $1")"
}

attach_late() {
	late Attach "$(jq -cn --arg id "$CTR" "{containerId: \$id, stdin: true, stdout: true} + $1")"
}

forward_late() {
	late PortForward "$(jq -cn --arg id "$POD" "{podSandboxId: \$id} + ${1-{\}}")"
}

spdy() {
	tool node "$OCID_BIN/stream-js/spdy.js" "$@"
}

ws() {
	tool node "$OCID_BIN/stream-js/ws.js" "$@"
}

raw() {
	tool /usr/bin/python3 "$BATS_TEST_DIRNAME/stream-raw.py" "$@"
}

member() {
	jq -r --arg key "$1" '.[$key]' <<<"$output"
}

# echo_start ADDRESS PORT [COMMAND…]: COMMAND enters a network namespace
echo_start() {
	"${@:3}" /usr/bin/python3 "$BATS_TEST_DIRNAME/echo.py" "$1" "$2" 3>&- &
	BACKGROUND+=" $!"
	wait_for 10 "${@:3}" bash -c "exec 5<>/dev/tcp/$1/$2"
}

# of this file's servers, also of those that are gone
workers() {
	pgrep -P "$(pgrep -d , -f "ocid-dispatch serve --config $CONFIG")" -f ocid-dispatch-stream || true
}

no_workers() {
	[ -z "$(workers)" ]
}

in_container() { # of the processes of $CTR, whether one runs these words
	ocid-shim exec "$CTR" ps -o args | grep -qxF "$1"
}

@test "stream: exec over SPDY: streams apart, stdin that ends, the exit status" {
	exec_url '{cmd: ["true"], stdout: true}'
	[[ $URL =~ ^http://127\.0\.0\.1:[0-9]+/exec/[0-9a-f]{64}$ ]]
	exec_late '{cmd: ["sh", "-c", "cat; echo err >&2; exit 3"], stdin: true, stdout: true, stderr: true}'
	spdy exec "$URL" error,stdin,stdout,stderr v9.channel.k8s.io,v4.channel.k8s.io <<<"from the client"
	[ "$(member protocol)" = v4.channel.k8s.io ]
	[ "$(member stdout)" = "from the client" ]
	[ "$(member stderr)" = err ]
	[ "$(jq -c '.error | fromjson' <<<"$output")" = '{"details":{"causes":[{"message":"3","reason":"ExitCode"}]},"message":"command terminated with non-zero exit code: 3","metadata":{},"reason":"NonZeroExitCode","status":"Failure"}' ]
	exec_late '{cmd: ["true"], stdout: true}'
	spdy exec "$URL" error,stdout v4.channel.k8s.io </dev/null
	[ "$(member error)" = '{"metadata":{},"status":"Success"}' ]
	wait_for 10 no_workers
}

@test "stream: exec: older protocols say the end in words, unknown ones are refused" {
	for protocol in v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io; do
		exec_late '{cmd: ["sh", "-c", "exit 2"], stdout: true}'
		spdy exec "$URL" error,stdout "$protocol" </dev/null
		[ "$(member protocol)" = "$protocol" ]
		[ "$(member error)" = "command terminated with non-zero exit code: 2" ]
	done
	exec_late '{cmd: ["true"], stdout: true}'
	spdy exec "$URL" error,stdout '' </dev/null
	[ "$(member protocol)" = channel.k8s.io ]
	exec_url '{cmd: ["true"], stdout: true}'
	spdy exec "$URL" error,stdout v9.channel.k8s.io </dev/null
	[ "$(member status)" = 403 ]
	# it was not used up
	spdy exec "$URL" error,stdout v4.channel.k8s.io </dev/null
	[ "$(member error)" = '{"metadata":{},"status":"Success"}' ]
}

@test "stream: exec with a terminal: its sizes arrive" {
	exec_url '{cmd: ["sh", "-c", "until stty size | grep 38; do sleep 0.05; done; tty"], stdin: true, stdout: true, tty: true}'
	[ "$stderr" = "" ]
	tool ocid-dispatch call --config "$CONFIG" --trace Exec <"$BATS_TEST_TMPDIR/request"
	[[ $(tail -n 1 <<<"$stderr") == "ocid-shim exec --tty $CTR sh -c 'until stty size"* ]]
	late Exec "$(cat "$BATS_TEST_TMPDIR/request")"
	spdy exec "$URL" error,stdin,stdout,resize v4.channel.k8s.io </dev/null
	[[ $(member stdout) == *"38 92"*/dev/pts/0* ]]
	exec_late '{cmd: ["sh", "-c", "until stty size | grep 11; do sleep 0.05; done"], stdin: true, stdout: true, tty: true}'
	ws exec "$URL" v5.channel.k8s.io '{"Width":22,"Height":11}' </dev/null
	[[ $(member 1) == *"11 22"* ]]
}

@test "stream: exec with a terminal: the end of stdin is the terminal's" {
	exec_late '{cmd: ["sh", "-c", "cat; exit 4"], stdin: true, stdout: true, tty: true}'
	TOOL_TIMEOUT=20 spdy exec "$URL" error,stdin,stdout,resize v4.channel.k8s.io <<<line
	[ "$(jq -r '.error | fromjson.details.causes[0].message' <<<"$output")" = 4 ]
	exec_late '{cmd: ["sh", "-c", "cat; exit 4"], stdin: true, stdout: true, tty: true}'
	TOOL_TIMEOUT=20 ws exec "$URL" v5.channel.k8s.io <<<line
	[ "$(jq -r '.["3"] | fromjson.details.causes[0].message' <<<"$output")" = 4 ]
}

@test "stream: exec over WebSocket: v5 with the end of stdin, v4, base64, none" {
	exec_late '{cmd: ["sh", "-c", "cat; echo err >&2; exit 3"], stdin: true, stdout: true, stderr: true}'
	ws exec "$URL" v5.channel.k8s.io <<<"to v5"
	[ "$(jq -c '[.protocol, .code, .["1"], .["2"], (.["3"] | fromjson).details.causes[0].message]' <<<"$output")" = \
		'["v5.channel.k8s.io",1000,"to v5\n","err\n","3"]' ]
	for protocol in v4.channel.k8s.io v4.base64.channel.k8s.io; do
		exec_late '{cmd: ["sh", "-c", "read x; echo got $x; echo err >&2"], stdin: true, stdout: true, stderr: true}'
		ws exec "$URL" "$protocol" <<<"to v4"
		[ "$(jq -c '[.protocol, .["1"], .["2"], .["3"]]' <<<"$output")" = \
			"$(jq -cn --arg p "$protocol" '[$p, "got to v4\n", "err\n", "{\"metadata\":{},\"status\":\"Success\"}"]')" ]
	done
	for protocol in '' base64.channel.k8s.io; do
		exec_late '{cmd: ["sh", "-c", "echo out; exit 2"], stdout: true}'
		ws exec "$URL" "$protocol" </dev/null
		[ "$(jq -c '[.["1"], .["3"]]' <<<"$output")" = '["out\n","command terminated with non-zero exit code: 2"]' ]
	done
	exec_late '{cmd: ["true"], stdout: true}'
	ws exec "$URL" v9.channel.k8s.io </dev/null
	[ "$(member status)" = 400 ]
}

@test "stream: 20 MB through a command and back are the same" {
	head -c 20000000 /dev/urandom | base64 -w 0 >"$BATS_TEST_TMPDIR/big"
	sum=$(md5sum <"$BATS_TEST_TMPDIR/big" | cut -d ' ' -f 1)
	exec_late '{cmd: ["cat"], stdin: true, stdout: true}'
	node "$OCID_BIN/stream-js/spdy.js" exec "$URL" error,stdin,stdout v4.channel.k8s.io <"$BATS_TEST_TMPDIR/big" >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -rj .stdout "$BATS_TEST_TMPDIR/out" | md5sum | cut -d ' ' -f 1)" = "$sum" ]
	exec_late '{cmd: ["md5sum"], stdin: true, stdout: true}'
	ws exec "$URL" v5.channel.k8s.io <"$BATS_TEST_TMPDIR/big"
	[ "$(member 1)" = "$sum  -" ]
}

@test "stream: a client that does not read holds the command back, in little memory" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec_late '{cmd: ["sh", "-c", "head -c 100000000 /dev/zero; echo written >/tmp/written"], stdout: true}'
	node "$OCID_BIN/stream-js/spdy.js" slow "$URL" <"$BATS_TEST_TMPDIR/go" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/go"
	wait_for 10 grep -q paused "$BATS_TEST_TMPDIR/err"
	worker=$(workers)
	cat "/proc/$worker/status"
	[ "$(awk '/^VmHWM:/ { print $2 }' "/proc/$worker/status")" -lt 12000 ] || [[ $(ldd "$OCID_BIN/ocid-dispatch-stream") == *asan* ]]
	run ! ocid-shim exec "$CTR" test -e /tmp/written
	# what the worker may do
	[ "$(awk '/^(NoNewPrivs|CapEff|CapPrm):/ { printf "%s ", $2 } /^Uid:/ { printf "%s ", $3 }' "/proc/$worker/status")" = \
		"65534 0000000000000000 0000000000000000 1 " ]
	[ "$(awk '/^Seccomp:/ { print $2 }' "/proc/$worker/status")" = 2 ] || [[ $(ldd "$OCID_BIN/ocid-dispatch-stream") == *asan* ]]
	echo go >&7
	exec 7>&-
	wait "$client"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = 100000000 ]
}

@test "stream: what a command has said last waits for a client that is slow, and so does how it ended" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec_url '{cmd: ["head", "-c", "1000000", "/dev/zero"], stdout: true}'
	/usr/bin/python3 "$BATS_TEST_DIRNAME/stream-raw.py" late "$URL" <"$BATS_TEST_TMPDIR/go" >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/go"
	wait_for 10 not no_workers
	sleep 12 # clients that have taken all have 10 seconds to leave
	run ! no_workers
	exec 7>&-
	wait "$client"
	cat "$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = '1000000 {"metadata":{},"status":"Success"}' ]
}

@test "stream: what a client leaves behind when it goes away is ended" {
	exec_late '{cmd: ["sleep", "1234"], stdin: true, stdout: true}'
	node "$OCID_BIN/stream-js/ws.js" exec "$URL" v5.channel.k8s.io </dev/null >/dev/null 3>&- &
	client=$!
	wait_for 10 in_container "sleep 1234"
	kill -KILL "$client"
	wait_for 10 no_workers
	wait_for 10 not in_container "sleep 1234"
	# the same when what serves it dies, which is all that happens
	exec_late '{cmd: ["sleep", "2345"], stdin: true, stdout: true}'
	node "$OCID_BIN/stream-js/ws.js" exec "$URL" v5.channel.k8s.io </dev/null >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	wait_for 10 in_container "sleep 2345"
	kill -SEGV "$(workers)"
	wait "$client"
	[ "$(jq .code "$BATS_TEST_TMPDIR/out")" = 1006 ]
	wait_for 10 not in_container "sleep 2345"
	wait_for 10 grep -q "what served a connection was ended by signal 11" "$BATS_FILE_TMPDIR/server.log" ||
		[[ $(ldd "$OCID_BIN/ocid-dispatch-stream") == *asan* ]]
	exec_url '{cmd: ["true"], stdout: true}'
}

not() {
	! "$@"
}

@test "stream: attach: live output, and input" {
	container reader 'i=0; while read -r x; do echo "got $x"; done; echo end' '.config += {stdin: true}'
	start
	attach_url '{}'
	[[ $URL == */attach/* ]]
	tool /usr/bin/python3 "$BATS_TEST_DIRNAME/attach.py" "$URL" "one more" "got one more"
	[ "$output" = "got one more" ]
	attach_late '{stderr: true}'
	node "$OCID_BIN/stream-js/spdy.js" exec "$URL" error,stdin,stdout,stderr v4.channel.k8s.io <<<two >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	wait_for 10 grep -q "got two" "$BATS_FILE_TMPDIR/logs/one/reader.log"
	call StopContainer "{\"containerId\": \"$CTR\"}"
	wait "$client"
	jq -e '(.stdout | startswith("got two")) and (.error | fromjson.status) == "Success"' "$BATS_TEST_TMPDIR/out"
	call 5 Attach "{\"containerId\": \"$CTR\", \"stdout\": true}"
	error_is in-use "is not running"
}

@test "stream: forwarding to ports of a pod: many at once, halves that end, IPv6, refusal" {
	enter=(nsenter "--net=$OCID_RUNROOT/netns/$POD")
	echo_start 127.0.0.1 7001 "${enter[@]}"
	echo_start ::1 7002 "${enter[@]}"
	forward_url
	[[ $URL == */portforward/* ]]
	spdy forward "$URL" 7001 100 "$(printf 'x%.0s' {1..5000})"
	[ "$output" = '{"same":100,"errors":[]}' ]
	forward_late
	spdy forward "$URL" 7002 2 hello
	[ "$output" = '{"same":2,"errors":[]}' ]
	forward_late
	spdy forward "$URL" 7003 2 hello
	[ "$output" = '{"same":0,"errors":["error forwarding port 7003: Connection refused"]}' ]
	forward_url
	raw tunnel "$URL" 7001 "in a tunnel"
	[ "$output" = "in a tunnel" ]
}

@test "stream: forwarding over WebSocket channels" {
	port=$(free_port)
	# one that answers at once
	/usr/bin/python3 -m http.server "$port" --bind 127.0.0.1 --directory "$BATS_TEST_TMPDIR" >/dev/null 2>&1 3>&- &
	BACKGROUND+=" $!"
	wait_for 10 bash -c "exec 5<>/dev/tcp/127.0.0.1/$port"
	pod host '.config.linux.securityContext.namespaceOptions.network = "NODE"'
	for protocol in v4.channel.k8s.io v4.base64.channel.k8s.io; do
		forward_late "{port: [$port]}"
		ws forward "$URL" "$protocol" $'GET / HTTP/1.0\r\n\r\n' '</html>'
		jq -e --argjson port "$port" '(.["0"], .["1"]) | explode | .[0] + 256 * .[1] == $port' <<<"$output"
		[[ $(member 0) == *"200 OK"* ]]
	done
	# the client can end neither half, and sees the end of the port's only by that of all
	forward_late "{port: [$port]}"
	ws forward "$URL" v4.channel.k8s.io $'GET / HTTP/1.0\r\n\r\n' "what never comes"
	[ "$(member code)" = 1000 ]
	[[ $(member 0) == *"</html>"* ]]
	# kubectls that wait for the end of the errors before they end their half
	forward_url
	raw half "$URL" "$port" $'GET / HTTP/1.0\r\n\r\n'
	[[ $output == *"</html>"* ]]
}

@test "stream: 100,000 streams on one connection are refused politely" {
	forward_url
	raw flood "$URL" 100000
	[ "$output" = "99488 ping" ]
}

@test "stream: a token is good once, for its kind, for a minute" {
	exec_url '{cmd: ["true"], stdout: true}'
	spdy exec "$URL" error,stdout v4.channel.k8s.io </dev/null
	spdy exec "$URL" error,stdout v4.channel.k8s.io </dev/null
	[ "$(jq -c '[.status, (.text | startswith("no request waits here"))]' <<<"$output")" = '[404,true]' ]
	exec_url '{cmd: ["true"], stdout: true}'
	file=$OCID_RUNROOT/streams/${URL##*/}
	[ "$(stat -c %a "$file")" = 600 ]
	touch -d '-61 seconds' "$file"
	spdy exec "$URL" error,stdout v4.channel.k8s.io </dev/null
	[ "$(member status)" = 404 ]
	[ ! -e "$file" ]
	exec_url '{cmd: ["true"], stdout: true}'
	spdy exec "${URL/exec/attach}" error,stdout v4.channel.k8s.io </dev/null
	[ "$(member status)" = 404 ]
	spdy exec "${URL%/*}/$(printf '0%.0s' {1..64})" error,stdout v4.channel.k8s.io </dev/null
	[ "$(member status)" = 404 ]
}

@test "stream: requests that wait for clients are limited" {
	for ((i = 0; i < 1000; i++)); do
		printf -v name '%064x' "$i"
		: >"$OCID_RUNROOT/streams/$name"
	done
	call 9 Exec "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"], \"stdout\": true}"
	error_is limit "1000 requests for streams wait"
	find "$OCID_RUNROOT/streams" -name '0000*' -delete
	exec_url '{cmd: ["true"], stdout: true}'
}

@test "stream: bad requests" {
	call 2 Exec "{\"containerId\": \"$CTR\", \"stdout\": true}"
	error_is usage "names no command"
	call 2 Exec "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"]}"
	error_is usage "none of stdin, stdout and stderr"
	call 2 Exec "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"], \"stdout\": true, \"stderr\": true, \"tty\": true}"
	error_is usage "exclude"
	call 3 Exec '{"containerId": "nope", "cmd": ["true"], "stdout": true}'
	error_is not-found
	call 3 PortForward '{"podSandboxId": "nope"}'
	error_is not-found
	for port in -1 0 65536 72537; do # the last would be 7001
		call 2 PortForward "{\"podSandboxId\": \"$POD\", \"port\": [80, $port]}"
		error_is usage "port $port is not one of 1 to 65535"
	done
	call 9 PortForward "{\"podSandboxId\": \"$POD\", \"port\": $(jq -nc '[range(1; 66)]')}"
	error_is limit "more than 64 ports"
	call PortForward "{\"podSandboxId\": \"$POD\", \"port\": $(jq -nc '[range(1; 65)]')}"
	exec_late '{cmd: ["/no/such"], stdout: true, stderr: true}'
	spdy exec "$URL" error,stdout,stderr v4.channel.k8s.io </dev/null
	[ "$(jq -r '.error | fromjson | .reason' <<<"$output")" = NonZeroExitCode ]
	[[ $(member stderr) == *"/no/such"* ]]
}

@test "stream: what is no upgrade is answered in HTTP, noise closes its connection" {
	exec_url '{cmd: ["true"], stdout: true}'
	address=${URL#http://}
	address=${address%%/*}
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$URL")" = 426 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -X PUT "$URL")" = 405 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$address/")" = 404 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -d body "$URL")" = 400 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -H "x: $(printf 'x%.0s' {1..40000})" "$URL")" = 431 ]
	raw http "$address" <<<"no HTTP at all"$'\r\n\r'
	[ "$output" = "HTTP/1.1 400 Bad Request" ]
	head -c 4096 /dev/urandom >"$BATS_TEST_TMPDIR/noise"
	raw send "$URL" "$BATS_TEST_TMPDIR/noise"
	[ "$output" = closed ]
	wait_for 10 no_workers
}

@test "stream: a session outlives its server, a request finds the next one" {
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec_late '{cmd: ["cat"], stdin: true, stdout: true}'
	node "$OCID_BIN/stream-js/spdy.js" exec "$URL" error,stdin,stdout v4.channel.k8s.io <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/in"
	wait_for 10 in_container cat
	exec_url '{cmd: ["echo", "later"], stdout: true}' 7>&-
	kill -KILL "$(cat "$STREAM_SERVER")"
	wait_for 10 process_gone "$(cat "$STREAM_SERVER")"
	call 3 Exec "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"], \"stdout\": true}"
	error_is not-found "no streaming server runs"
	streams_start 7>&-
	spdy exec "$(cat "$OCID_RUNROOT/streams/server")/exec/${URL##*/}" error,stdout v4.channel.k8s.io </dev/null 7>&-
	[ "$(member stdout)" = later ]
	echo "still here" >&7
	exec 7>&-
	wait "$client"
	[ "$(jq -r .stdout "$BATS_TEST_TMPDIR/out")" = "still here" ]
}

@test "stream: TLS, at an IPv6 address" {
	streams_stop
	tool 2 ocid-dispatch serve --config "$CONFIG" --listen "$BATS_FILE_TMPDIR/s" --stream-tls-cert /dev/null
	error_is usage "wants a certificate and its key"
	tool 2 ocid-dispatch serve --config "$CONFIG" --listen "$BATS_FILE_TMPDIR/s" --stream-tls-cert /dev/null --stream-tls-key /dev/null
	error_is usage "/dev/null"
	tool 2 ocid-dispatch serve --config "$CONFIG" --listen "$BATS_FILE_TMPDIR/s" --stream-address localhost
	error_is usage "is no IP address"
	port=$(free_port)
	/usr/bin/python3 -m http.server "$port" --bind 127.0.0.1 >/dev/null 2>&1 3>&- &
	BACKGROUND+=" $!"
	wait_for 10 bash -c "exec 5<>/dev/tcp/127.0.0.1/$port"
	tool 5 ocid-dispatch serve --config "$CONFIG" --listen "$BATS_FILE_TMPDIR/s" --stream-port "$port"
	error_is in-use "cannot listen at 127.0.0.1, port $port"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test \
		-keyout "$BATS_TEST_TMPDIR/key.pem" -out "$BATS_TEST_TMPDIR/cert.pem" 2>/dev/null
	streams_start --stream-address ::1 --stream-tls-cert "$BATS_TEST_TMPDIR/cert.pem" --stream-tls-key "$BATS_TEST_TMPDIR/key.pem"
	head -c 5000000 /dev/urandom | base64 -w 0 >"$BATS_TEST_TMPDIR/big"
	exec_url '{cmd: ["cat"], stdin: true, stdout: true}'
	[[ $URL == https://\[::1\]:* ]]
	node "$OCID_BIN/stream-js/spdy.js" exec "$URL" error,stdin,stdout v4.channel.k8s.io <"$BATS_TEST_TMPDIR/big" >"$BATS_TEST_TMPDIR/out"
	jq -rj .stdout "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/big"
	exec_late '{cmd: ["sh", "-c", "read x; echo $x; exit 4"], stdin: true, stdout: true}'
	ws exec "$URL" v4.channel.k8s.io <<<hello
	[ "$(jq -c '[.["1"], .code]' <<<"$output")" = '["hello\n",1000]' ]
	wait_for 10 no_workers
	# who leaves while the command takes no more of what was said
	for how in end reset; do
		exec_url '{cmd: ["sleep", "1000"], stdin: true, stdout: true}'
		raw leave "$URL" "$how"
		wait_for 20 no_workers
	done
	streams_stop
	streams_start
}
