# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return 1
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1 2>/dev/null
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 \
		-extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
	liar_start server.pem server.key ca.pem
	mkdir certs none
	cp ca.pem certs/test.crt
}

teardown_file() {
	liar_stop
	file_teardown
}

@test "tls: a certificate of an unknown authority is refused, with --tls-verify=false taken" {
	tool 6 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is denied "is not trusted"
	error_is denied "(name its authority with --cert-dir or in certs.d, or use --tls-verify=false)"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/x:v1"
}

# with_authorities COMMAND: /etc/ssl/certs is $BATS_TEST_TMPDIR/certs
with_authorities() {
	# shellcheck disable=SC2016 # sh expands it
	unshare -m sh -ec 'mount --bind "$0/certs" /etc/ssl/certs && exec "$@"' "$BATS_TEST_TMPDIR" "$@"
}

@test "tls: the system's authorities count, in a directory by their hash or all in one file" {
	mkdir "$BATS_TEST_TMPDIR/certs"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$BATS_TEST_TMPDIR/certs/ca-certificates.crt"
	with_authorities skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	with_authorities skopeo-c copy "docker://$LIAR/good/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	mv "$BATS_TEST_TMPDIR/certs/ca-certificates.crt" \
		"$BATS_TEST_TMPDIR/certs/$(openssl x509 -hash -noout -in "$BATS_FILE_TMPDIR/ca.pem").0"
	with_authorities skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	rm "$BATS_TEST_TMPDIR/certs"/*
	run --separate-stderr with_authorities skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is denied "(install the package ca-certificates, or name its authority with --cert-dir)"
}

@test "tls: a request that is sent again with all authorities has the token of before, though that was renewed" {
	local dir=$BATS_TEST_TMPDIR

	mkdir "$dir/certs"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$dir/certs/ca-certificates.crt"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$dir/certs/$(openssl x509 -hash -noout -in "$BATS_FILE_TMPDIR/ca.pem").0"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/bad.key" -out "$dir/bad.pem" -days 2 -subj /CN=other 2>/dev/null
	busybox_tar "$dir/one.tar"
	tar -C "$dir" -cf "$dir/two.tar" bad.pem
	tool skopeo-c copy "tarball:$dir/one.tar:$dir/two.tar" "dir:$dir/image"
	run --separate-stderr with_authorities timeout 60 python3 "$BATS_TEST_DIRNAME/renewing-registry.py" "$dir/image" \
		"$BATS_FILE_TMPDIR/server.pem" "$BATS_FILE_TMPDIR/server.key" "$dir/bad.pem" "$dir/bad.key" \
		skopeo-c copy docker://@/x:v1 "dir:$dir/copy"
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'Bearer t1\nBearer t2')" ]
}

@test "tls: --cert-dir names the authority" {
	tool skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/good/x:v1"
	tool skopeo-c copy --src-cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/good/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	tool 6 skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/none" "docker://$LIAR/good/x:v1"
	tool 2 skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/not-there" "docker://$LIAR/good/x:v1"
	error_is usage
}

@test "tls: the usual certs.d directory of the registry is read" {
	export HOME=$BATS_TEST_TMPDIR
	mkdir -p "$HOME/.config/containers/certs.d/$LIAR"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$HOME/.config/containers/certs.d/$LIAR/ca.crt"
	# a link that leads nowhere is none
	ln -s nowhere "$HOME/.config/containers/certs.d/$LIAR/other.crt"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	tool skopeo-c inspect -n --cert-dir "" "docker://$LIAR/good/x:v1"
}

@test "tls: half of a client certificate is an error" {
	mkdir "$BATS_TEST_TMPDIR/half"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$BATS_TEST_TMPDIR/half/client.cert"
	tool 1 skopeo-c inspect -n --cert-dir "$BATS_TEST_TMPDIR/half" "docker://$LIAR/good/x:v1"
	error_is failed "client.key"
}

@test "tls: a client certificate is for the registry, not for where that leads" {
	local certs=$BATS_TEST_TMPDIR/certs

	mkdir "$certs"
	cd "$certs"
	openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client 2>/dev/null
	openssl x509 -req -in client.csr -CA "$BATS_FILE_TMPDIR/ca.pem" -CAkey "$BATS_FILE_TMPDIR/ca.key" \
		-CAcreateserial -out client.cert -days 2 2>/dev/null
	cp "$BATS_FILE_TMPDIR/ca.pem" ca.crt
	: >"$LIAR_LOG"
	tool skopeo-c copy --src-cert-dir "$certs" --src-creds alice:secret "docker://$LIAR/away/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	[ "$(grep "^${LIAR#*:} " "$LIAR_LOG" | grep -vc ' certificate$')" -eq 0 ]
	grep -q "^${LIAR_ELSEWHERE#*:} GET " "$LIAR_LOG"
	run ! grep "^${LIAR_ELSEWHERE#*:} .* certificate$" "$LIAR_LOG"
	: >"$LIAR_LOG"
	tool 6 skopeo-c inspect -n --cert-dir "$certs" --creds alice:secret "docker://$LIAR/token-away/x:v1"
	tool 6 skopeo-c inspect -n --cert-dir "$certs" --creds alice:secret "docker://$LIAR/token-elsewhere/plain:v1"
	grep -q "^${LIAR_ELSEWHERE#*:} GET /auth?.* -$" "$LIAR_LOG"
	grep -q "^${LIAR_ELSEWHERE#*:} GET /auth?.*Basic" "$LIAR_LOG"
	run ! grep "^${LIAR_ELSEWHERE#*:} .* certificate$" "$LIAR_LOG"
	# of which the directory need not be an absolute path
	cd "$BATS_TEST_TMPDIR"
	tool skopeo-c inspect -n --cert-dir certs "docker://$LIAR/good/x:v1"
}

@test "tls: a token server without TLS is not asked, nor one that leads to such" {
	: >"$LIAR_LOG"
	for name in token-elsewhere/http token-plain/x; do
		tool 6 skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/certs" --creds alice:secret "docker://$LIAR/$name:v1"
		error_is denied "the token server of $LIAR is not https"
	done
	run ! grep "^${LIAR_ELSEWHERE#*:}" "$LIAR_LOG"
}

@test "tls: credentials do not go to the same address without TLS" {
	# which is no loopback address by its name, so TLS comes first
	local address=0.0.0.0:${LIAR#*:}

	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	tool skopeo-c inspect -n --tls-verify=false --creds alice:secret "docker://$address/basic/x:v1"
	run timeout 60 strace -f -s 4096 -o "$BATS_TEST_TMPDIR/calls" -e trace=write,writev,sendto,sendmsg skopeo-c copy -q \
		--src-tls-verify=false --src-creds alice:secret --retry-times 0 "docker://$address/unwrapped/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	[ "$status" -ne 0 ]
	grep -q '"GET /v2/basic/blobs/' "$BATS_TEST_TMPDIR/calls"
	run ! grep -i authorization "$BATS_TEST_TMPDIR/calls"
}

@test "tls: a redirect to plain http is refused" {
	tool 6 skopeo-c copy --src-cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/downgrade/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is denied "plain http"
	[ ! -e "$BATS_TEST_TMPDIR/d" ]
}

# tls_registry NAME: a real registry that speaks TLS, and so HTTP/2, as $TLS_REGISTRY
tls_registry() {
	local port dir=$BATS_TEST_TMPDIR/$1

	mkdir "$dir"
	port=$(free_port)
	cat >"$dir/config.yml" <<-END
		version: 0.1
		log: {level: error}
		storage: {filesystem: {rootdirectory: $dir/data}}
		http: {addr: "127.0.0.1:$port", tls: {certificate: $BATS_FILE_TMPDIR/server.pem, key: $BATS_FILE_TMPDIR/server.key}}
	END
	docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
	TLS_REGISTRIES+=" $!"
	TLS_REGISTRY=127.0.0.1:$port
	wait_for 10 curl -fs --cacert "$BATS_FILE_TMPDIR/ca.pem" "https://$TLS_REGISTRY/v2/"
}

teardown() {
	local pid

	for pid in ${TLS_REGISTRIES-}; do
		kill "$pid"
		wait "$pid" || true
	done
}

@test "tls: HTTP/2, but for blobs, and between two registries in little memory" {
	head -c 30000000 /dev/urandom >"$BATS_TEST_TMPDIR/random"
	for n in 1 2 3 4; do
		tar -C "$BATS_TEST_TMPDIR" --transform "s/random/$n/" -cf "$BATS_TEST_TMPDIR/$n.tar" random
	done
	certs=$BATS_FILE_TMPDIR/certs
	tls_registry one
	one=$TLS_REGISTRY
	tls_registry two
	cd "$BATS_TEST_TMPDIR"
	tool skopeo-c copy --dest-cert-dir "$certs" tarball:1.tar:2.tar:3.tar:4.tar "docker://$one/big:v1"
	tool skopeo-c copy --src-cert-dir "$certs" "docker://$one/big:v1" oci:o:x
	grep -q '"GET /v2/big/manifests/.* HTTP/2.0" 200' one/log
	# libcurl needs a hundred times as long to send them by HTTP/2
	grep -q '"PUT /v2/big/blobs/uploads/.* HTTP/1.1" 201' one/log
	grep -q '"GET /v2/big/blobs/sha256:.* HTTP/1.1" 200' one/log
	tool /usr/bin/python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
		skopeo-c copy --src-cert-dir "$certs" --dest-cert-dir "$certs" "docker://$one/big:v1" "docker://$TLS_REGISTRY/big:v1"
	# KiB; a sanitizer needs much memory of its own
	nm -D "$OCID_BIN/skopeo-c" | grep -q __asan || [ "$output" -lt 50000 ]
	tool skopeo-c copy --src-cert-dir "$certs" "docker://$TLS_REGISTRY/big:v1" dir:d
	cmp d/manifest.json <(skopeo-c inspect --raw oci:o:x)
}
