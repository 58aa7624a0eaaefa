# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
#   cri_setup            messages for the client, tools that do what a test wants in $FAKE_DIR
#   cri_pods_setup       the same with the real tools, for real pods (pods.bash)
#   server_start ARG…    a dispatcher at $SOCKET, its pid in the file $SERVER_PID
#   cri METHOD …         one call, see cri.py (bin/cri)
#   registry_tls_start   a registry with TLS and a password

export SOCKET SERVER_PID FAKE_DIR CRI_PB2

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

cri_pods_setup() {
	cri_setup
	unset OCID_LIBEXEC
	pods_setup
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
	! grep -A 20 Sanitizer "$BATS_FILE_TMPDIR/server.log"
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

# A registry that wants TLS and a password, as kubelets meet them: $REGISTRY, user me, password
# secret. Its certificate is trusted by what has $HOME as its home.
registry_tls_start() {
	local dir=$BATS_FILE_TMPDIR port

	port=$(free_port)
	export REGISTRY=127.0.0.1:$port HOME=$dir/home
	mkdir -p "$HOME/.config/containers/certs.d/$REGISTRY"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test \
		-addext "subjectAltName=IP:127.0.0.1" -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
	cp "$dir/cert.pem" "$HOME/.config/containers/certs.d/$REGISTRY/ca.crt"
	/usr/bin/perl -e 'print "me:" . crypt("secret", "\$2b\$04\$abcdefghijklmnopqrstuu") . "\n"' >"$dir/htpasswd"
	cat >"$dir/registry.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: $dir/registry}
		auth:
		  htpasswd: {realm: test, path: $dir/htpasswd}
		http:
		  addr: "$REGISTRY"
		  tls: {certificate: $dir/cert.pem, key: $dir/key.pem}
	END
	docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 3>&- &
	echo $! >"$dir/registry.pid"
	wait_for 10 curl -fs --cacert "$dir/cert.pem" -u me:secret "https://$REGISTRY/v2/"
}
