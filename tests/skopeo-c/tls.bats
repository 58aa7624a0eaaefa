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
	liar_start server.pem server.key
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
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/x:v1"
}

@test "tls: --cert-dir names the authority" {
	tool skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/good/x:v1"
	tool skopeo-c copy --src-cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/good/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	tool 6 skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/none" "docker://$LIAR/good/x:v1"
	tool 3 skopeo-c inspect -n --cert-dir "$BATS_FILE_TMPDIR/not-there" "docker://$LIAR/good/x:v1"
	error_is not-found
}

@test "tls: the usual certs.d directory of the registry is read" {
	export HOME=$BATS_TEST_TMPDIR
	mkdir -p "$HOME/.config/containers/certs.d/$LIAR"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$HOME/.config/containers/certs.d/$LIAR/ca.crt"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
}

@test "tls: half of a client certificate is an error" {
	mkdir "$BATS_TEST_TMPDIR/half"
	cp "$BATS_FILE_TMPDIR/ca.pem" "$BATS_TEST_TMPDIR/half/client.cert"
	tool 3 skopeo-c inspect -n --cert-dir "$BATS_TEST_TMPDIR/half" "docker://$LIAR/good/x:v1"
	error_is not-found "client.key"
}

@test "tls: a redirect to plain http is refused" {
	tool 6 skopeo-c copy --src-cert-dir "$BATS_FILE_TMPDIR/certs" "docker://$LIAR/downgrade/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is denied "plain http"
	[ ! -e "$BATS_TEST_TMPDIR/d" ]
}
