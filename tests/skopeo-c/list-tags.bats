# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{}' "$BATS_FILE_TMPDIR/base.tar"
	for tag in v1 v2 latest; do
		skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/some/image:$tag"
	done
}

teardown_file() {
	liar_stop
	file_teardown
}

@test "list-tags: prints what skopeo prints" {
	skopeo list-tags --tls-verify=false "docker://$REGISTRY/some/image" >"$BATS_TEST_TMPDIR/theirs"
	tool skopeo-c list-tags --tls-verify=false "docker://$REGISTRY/some/image"
	diff "$BATS_TEST_TMPDIR/theirs" - <<<"$output"
}

@test "list-tags: follows the pages" {
	tool skopeo-c list-tags --tls-verify=false "docker://$LIAR/pages/x"
	[ "$(jq -c .Tags <<<"$output")" = '["t0a","t0b","t1a","t1b","t2a","t2b","t3a","t3b","t4a","t4b"]' ]
}

@test "list-tags: pages in a circle or elsewhere are refused" {
	tool 7 skopeo-c list-tags --tls-verify=false "docker://$LIAR/page-circle/x"
	error_is integrity "circle"
	tool 7 skopeo-c list-tags --tls-verify=false "docker://$LIAR/page-away/x"
	error_is integrity "not at the registry"
}

@test "list-tags: a next page whose address has the default port, or lacks it" {
	cat >"$BATS_TEST_TMPDIR/pages.py" <<-'END'
		import http.server, subprocess, sys, threading

		reference, link = sys.argv[1:]

		class Pages(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200)
		        if "last=" not in self.path:
		            self.send_header("Link", f'<http://{link}/v2/x/tags/list?last=a>; rel="next"')
		        self.end_headers()
		        self.wfile.write(b'{"tags": ["b"]}' if "last=a" in self.path else b'{"tags": ["a"]}')

		    def log_message(self, *arguments):
		        pass

		server = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Pages)
		threading.Thread(target=server.serve_forever, daemon=True).start()
		client = ["skopeo-c", "list-tags", "--tls-verify=false", f"docker://{reference}/x"]
		sys.exit(subprocess.run(client).returncode)
	END
	for names in 127.0.0.1:{127.0.0.1,127.0.0.1:80} 127.0.0.1:80:{127.0.0.1,127.0.0.1:80}; do
		reference=${names%:127*}
		tool unshare --net sh -c 'ip link set lo up && exec "$@"' sh \
			python3 "$BATS_TEST_TMPDIR/pages.py" "$reference" "${names#"$reference:"}"
		[ "$(jq -c .Tags <<<"$output")" = '["a","b"]' ]
	done
}

@test "list-tags: no tags at all" {
	tool skopeo-c list-tags --tls-verify=false "docker://$LIAR/null-tags/x"
	[ "$(jq -c .Tags <<<"$output")" = '[]' ]
}

@test "list-tags: answers that are no list" {
	for lie in bad-tags html; do
		tool 7 skopeo-c list-tags --tls-verify=false "docker://$LIAR/$lie/x"
		error_is integrity
	done
}

@test "list-tags: what Nexus and Artifactory list beside tags is passed over, anything else that is no tag refused" {
	tool skopeo-c list-tags --tls-verify=false "docker://$LIAR/odd-tags/x"
	[ "$(jq -c .Tags <<<"$output")" = '["v1","v2"]' ]
	tool 7 skopeo-c list-tags --tls-verify=false "docker://$LIAR/leading-tags/x"
	error_is integrity "a tag that is none"
}

@test "list-tags: an unknown repository, a refusal, no registry" {
	tool 3 skopeo-c list-tags --tls-verify=false "docker://$REGISTRY/no/such"
	error_is not-found "no repository no/such"
	tool 6 skopeo-c list-tags --tls-verify=false "docker://$LIAR/forbidden/x"
	error_is denied
	tool 8 skopeo-c list-tags docker://127.0.0.1:1/x
	error_is temporary
}

@test "list-tags: of a repository, not of an image in it" {
	tool 2 skopeo-c list-tags "docker://$REGISTRY/some/image:v1"
	error_is usage
}

@test "list-tags: the names of what is in layouts, archives and the store" {
	cd "$BATS_TEST_TMPDIR" || return
	src=oci:$BATS_FILE_TMPDIR/oci:v1
	skopeo-c copy "$src" oci:layout:one >/dev/null
	skopeo-c copy "$src" oci:layout:two/three:4 >/dev/null
	skopeo-c copy "$src" oci-archive:oci.tar:one >/dev/null
	skopeo-c copy --additional-tag b:2 "$src" docker-archive:docker.tar:a:1 >/dev/null
	skopeo-c copy "$src" docker-archive:docker.tar >/dev/null
	skopeo-c copy "$src" store:a:1 >/dev/null
	tool skopeo-c list-tags oci:layout
	[ "$(jq -c .Tags <<<"$output")" = '["one","two/three:4"]' ]
	tool skopeo-c list-tags oci-archive:oci.tar
	[ "$(jq -c .Tags <<<"$output")" = '["one"]' ]
	tool skopeo-c list-tags store:
	[ "$(jq -c .Tags <<<"$output")" = '["docker.io/library/a:1"]' ]
	tool skopeo-c list-tags docker-archive:docker.tar
	[ "$(jq -c .Tags <<<"$output")" = '["docker.io/library/a:1","docker.io/library/b:2","@1"]' ]
	# as skopeo does
	mkdir odd
	echo '[{"Config":"c.json","RepoTags":["a:1",2],"Layers":[]}]' >odd/manifest.json
	tar cf odd.tar -C odd manifest.json
	tool 7 skopeo-c list-tags docker-archive:odd.tar
	error_is integrity "a name that is no text"
	skopeo copy -q "$src" docker-archive:theirs.tar:a:1
	[ "$(skopeo list-tags docker-archive:theirs.tar | jq -S .)" = "$(skopeo-c list-tags docker-archive:theirs.tar | jq -S .)" ]
	tool 10 skopeo-c list-tags "dir:$PWD"
	tool 3 skopeo-c list-tags oci:none
	tool 2 skopeo-c list-tags "$PWD"
}

@test "list-tags: --format" {
	tool skopeo-c list-tags --tls-verify=false --format '{{.Repository}}' "docker://$REGISTRY/some/image"
	[ "$output" = "$REGISTRY/some/image" ]
	tool 2 skopeo-c list-tags --tls-verify=false --format '{{len .Tags}}' "docker://$REGISTRY/some/image"
	[[ $stderr == *jq* ]]
}
