# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
#   cri_setup            messages for the client, tools that do what a test wants in $FAKE_DIR
#   server_start ARG…    a dispatcher at $SOCKET, its pid in the file $SERVER_PID
#   cri METHOD …         one call, see cri.py (bin/cri)
#   grpc_js_install      node packages in $GRPC_JS

export SOCKET SERVER_PID FAKE_DIR CRI_PB2 GRPC_JS

cri_setup() {
	# short: a socket's path has little room
	SOCKET=$(mktemp -d /tmp/ocid-XXXXXX)/s
	SERVER_PID=$BATS_FILE_TMPDIR/server.pid
	FAKE_DIR=$BATS_FILE_TMPDIR/fake
	CRI_PB2=$BATS_FILE_TMPDIR/pb2
	mkdir -p "$FAKE_DIR" "$CRI_PB2"
	protoc -I "$TESTS/../ocid-dispatch" --python_out="$CRI_PB2" cri.proto
	export OCID_LIBEXEC=$BATS_TEST_DIRNAME/fake PATH=$BATS_TEST_DIRNAME/bin:$PATH
}

server_start() {
	ocid-dispatch serve --listen "$SOCKET" "$@" >>"$BATS_FILE_TMPDIR/server.log" 2>&1 3>&- &
	echo $! >"$SERVER_PID"
	wait_for 10 test -S "$SOCKET"
	# the socket of a server that was killed is there before the new one's
	wait_for 10 cri Version
}

server_stop() {
	local pid

	pid=$(cat "$SERVER_PID")
	kill "$pid" 2>/dev/null || true
	wait_for 20 process_gone "$pid"
}

# a background `cri` ends, with status 1
client_failed() {
	local status=0

	wait "$1" || status=$?
	[ "$status" -eq 1 ]
}

handlers() {
	pgrep -P "$(cat "$SERVER_PID")"
}

no_handlers() {
	! handlers
}

fakes_gone() {
	local pid

	[ -s "$FAKE_DIR/pids" ] || return 0
	while read -r pid; do
		process_gone "$pid" || return 1
	done <"$FAKE_DIR/pids"
}

connection_refused() {
	[ ! -S "$SOCKET" ] || ! cri Version '{}' timeout=1
}

grpc_js_install() {
	GRPC_JS=$OCID_BIN/grpc-js
	mkdir -p "$GRPC_JS"
	cp "$TESTS"/ocid-dispatch/grpc-js/* "$GRPC_JS"
	if [ ! "$GRPC_JS/node_modules" -nt "$TESTS/ocid-dispatch/grpc-js/package-lock.json" ]; then
		npm --prefix "$GRPC_JS" ci --ignore-scripts --no-audit --no-fund
		touch "$GRPC_JS/node_modules"
	fi
}
