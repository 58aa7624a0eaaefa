# SPDX-License-Identifier: Apache-2.0
# What lies between registries and us: libcurl, proxies, and how answers may come.

load ../helpers
load common

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return 1
	registry_start
	liar_start
	busybox_tar base.tar
	oci_image oci v1 '{}' base.tar
	skopeo copy -q --dest-tls-verify=false oci:oci:v1 "docker://$REGISTRY/some/image:v1"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout proxy.key -out proxy.pem -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	proxy_start plain
	proxy_start tls proxy.pem proxy.key
}

teardown_file() {
	local pid

	liar_stop
	for pid in "$BATS_FILE_TMPDIR"/proxy-*/pid; do
		kill "$(cat "$pid")"
		wait_for 10 process_gone "$(cat "$pid")"
	done
	file_teardown
}

# proxy_start NAME [CERTIFICATE KEY]: see proxy.py
proxy_start() {
	local dir=$BATS_FILE_TMPDIR/proxy-$1

	mkdir "$dir"
	/usr/bin/python3 "$TESTS/skopeo-c/proxy.py" "$dir" "${@:2}" >"$dir/output" 2>&1 3>&- &
	echo $! >"$dir/pid"
	wait_for 10 test -f "$dir/port"
}

# proxied VARIABLE=PROXY…: the image of a host that only a proxy can find
proxied() {
	: >"$BATS_FILE_TMPDIR/proxy-plain/log"
	: >"$BATS_FILE_TMPDIR/proxy-tls/log"
	tool env "$@" skopeo-c inspect -n --tls-verify=false "docker://registry.invalid:${REGISTRY#*:}/some/image:v1"
	[ "$(jq -r .Os <<<"$output")" = linux ]
}

@test "http: a proxy of HTTP or SOCKS5 is the environment's, and finds the host" {
	plain=127.0.0.1:$(cat "$BATS_FILE_TMPDIR/proxy-plain/port") log=$BATS_FILE_TMPDIR/proxy-plain/log
	for proxy in "http://$plain" "$plain"; do
		proxied "http_proxy=$proxy" "https_proxy=$proxy"
		[ "$(sort -u "$log")" = "$(printf '%s registry.invalid\n' CONNECT GET)" ]
	done
	for variable in all_proxy ALL_PROXY; do
		proxied "$variable=socks5h://$plain"
		# 0, no authentication, is all that is offered: Kerberos would be 1
		cat "$log"
		[ "$(sort -u "$log")" = "socks5 0 registry.invalid" ]
	done
	: >"$log"
	no_proxy=127.0.0.1 http_proxy=http://$plain https_proxy=http://$plain \
		tool skopeo-c inspect -n --tls-verify=false "docker://$REGISTRY/some/image:v1"
	[ ! -s "$log" ]
	# entries that are other programs' too, but not curl's; what they are not for is proxied
	while read -r no_proxy host; do
		no_proxy=$no_proxy http_proxy=http://$plain https_proxy=http://$plain \
			tool skopeo-c inspect -n --tls-verify=false "docker://$host:${REGISTRY#*:}/some/image:v1"
		[ ! -s "$log" ]
	done <<-END
		a.test,$REGISTRY 127.0.0.1
		*.localhost,a.test x.localhost
		localhost:${REGISTRY#*:} x.localhost
	END
	while read -r no_proxy host; do
		: >"$log"
		no_proxy=$no_proxy http_proxy=http://$plain https_proxy=http://$plain \
			tool skopeo-c inspect -n --tls-verify=false "docker://$host:${REGISTRY#*:}/some/image:v1"
		[ -s "$log" ]
	done <<-END
		127.0.0.1:1,a.test:${REGISTRY#*:} 127.0.0.1
		*.x.localhost x.localhost
	END
}

@test "http: a proxy that speaks TLS is one that the system's authorities know" {
	tls=https://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/proxy-tls/port")
	mkdir "$BATS_TEST_TMPDIR/certs"
	cp "$BATS_FILE_TMPDIR/proxy.pem" "$BATS_TEST_TMPDIR/certs/ca-certificates.crt"
	# shellcheck disable=SC2016 # sh expands it
	https_proxy=$tls http_proxy=$tls tool unshare -m sh -ec 'mount --bind "$0" /etc/ssl/certs && exec "$@"' \
		"$BATS_TEST_TMPDIR/certs" \
		skopeo-c inspect -n --tls-verify=false "docker://registry.invalid:${REGISTRY#*:}/some/image:v1"
	grep -q 'registry.invalid$' "$BATS_FILE_TMPDIR/proxy-tls/log"
	https_proxy=$tls http_proxy=$tls tool 6 skopeo-c inspect -n --tls-verify=false \
		"docker://registry.invalid:${REGISTRY#*:}/some/image:v1"
	error_is denied "the certificate of the proxy before registry.invalid:${REGISTRY#*:} is not trusted"
}

@test "http: a proxy of another protocol is an error that names it" {
	for scheme in ftp ldap sftp; do
		https_proxy=$scheme://127.0.0.1:1 http_proxy=$scheme://127.0.0.1:1 \
			tool 8 skopeo-c inspect -n --retry-times 0 --tls-verify=false "docker://$REGISTRY/some/image:v1"
		error_is temporary "$scheme://127.0.0.1:1"
	done
}

@test "http: no other protocol is followed to, and no host whose name is not ASCII" {
	for scheme in ldap ldaps sftp scp rtmp smb gopher dict; do
		tool 1 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/protocol/$scheme:v1"
		error_is failed "cannot follow"
	done
	tool 8 skopeo-c inspect -n --retry-times 0 --tls-verify=false "docker://$LIAR/foreign/x:v1"
	error_is temporary "$LIAR"
}

@test "http: an error names the host that it is of, not the one that leads there" {
	tool 6 skopeo-c copy --src-tls-verify=false "docker://$LIAR/leads/locked:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is denied "$LIAR_ELSEWHERE (to which $LIAR leads) answered 403"
	tool 8 skopeo-c copy --src-tls-verify=false "docker://$LIAR/leads/gone:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is temporary "cannot reach 127.0.0.1:1 (to which $LIAR leads): "
}

@test "http: an encoding that was not asked for is an error" {
	for encoding in br zstd x-unknown; do
		tool 8 skopeo-c inspect -n --retry-times 0 --tls-verify=false "docker://$LIAR/encoded/$encoding:v1"
		error_is temporary ncoding
	done
}

@test "http: of libcurl comes what HTTP needs, and nothing else" {
	[ -f "$(cc -print-file-name=libcurl.a)" ] || skip "no archive of libcurl"
	needed=$(readelf -d "$OCID_BIN/skopeo-c" | grep NEEDED)
	[[ $needed == *libssl* && $needed == *libnghttp2* ]]
	run ! grep -E 'curl|ldap|lber|ssh|rtmp|gssapi|psl|idn2|brotli|zstd' <<<"$needed"
}

@test "http: built without libcurl's archive, libcurl is loaded for registries, and only for them" {
	[ -d "$OCID_BIN/obj/skopeo-c" ] || skip "the programs are here without their objects"
	build=$BATS_TEST_TMPDIR/build
	mkdir -p "$build/obj"
	cp -a "$OCID_BIN/obj/lib" "$OCID_BIN/obj/skopeo-c" "$build/obj"
	cp -a "$OCID_BIN/libocid.a" "$build"
	! nm -D "$OCID_BIN/skopeo-c" | grep -q __asan || export SANITIZE=1
	TOOL_TIMEOUT=180 tool make -s -C "$TESTS/.." BUILD="$build" LIBCURL= "$build/skopeo-c"
	[ -f "$build/obj/skopeo-c/curl_loaded.o" ]
	tool "$build/skopeo-c" inspect --tls-verify=false "docker://$REGISTRY/some/image:v1"
	[ "$(jq -r .Os <<<"$output")" = linux ]
	mkdir "$BATS_TEST_TMPDIR/lib"
	echo 'not a library' >"$BATS_TEST_TMPDIR/lib/libcurl.so.4"
	export LD_LIBRARY_PATH=$BATS_TEST_TMPDIR/lib
	tool "$build/skopeo-c" inspect "oci:$BATS_FILE_TMPDIR/oci:v1"
	tool 10 "$build/skopeo-c" inspect "docker://$REGISTRY/some/image:v1"
	error_is unsupported "registries need libcurl"
}
