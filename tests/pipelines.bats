# SPDX-License-Identifier: Apache-2.0
# The tools joined by pipes, on a network of the test's own: one image from a registry to a running
# container, whatever breaks on the way.

# shellcheck disable=SC2016,SC2086 # scripts for an inner shell; $IN_NET is a command of words

load helpers

# The network is a namespace of the file's own, in which the registry, the bridge and those who look
# at pages are; mounts stay those of the machine.
setup_file() {
	file_setup
	export NET=ocid-test-$$
	export IN_NET="nsenter --net=/run/netns/$NET"
	ip netns add "$NET"
	$IN_NET ip link set lo up
	registry_start
	export NETS=$BATS_FILE_TMPDIR/net.d IMAGE=docker://$REGISTRY/test/web:1
	mkdir -p "$NETS"
	cat >"$NETS/10-test.conflist" <<-END
		{"cniVersion": "1.0.0", "name": "test", "plugins": [
		  {"type": "bridge", "bridge": "ocid-test0", "isGateway": true,
		   "ipam": {"type": "host-local", "dataDir": "$BATS_FILE_TMPDIR/leases",
		            "ranges": [[{"subnet": "10.89.214.0/24"}]]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	mkdir -p "$BATS_FILE_TMPDIR/top/www"
	echo served >"$BATS_FILE_TMPDIR/top/www/page"
	tar -C "$BATS_FILE_TMPDIR/top" -cf "$BATS_FILE_TMPDIR/top.tar" www
	echo '{"config":{"Cmd":["httpd","-f","-p","80","-h","/www"],"Env":["A=b"],"Labels":{"l":"v"}}}' \
		>"$BATS_FILE_TMPDIR/config.json"
	$IN_NET skopeo-c copy --dest-tls-verify=false --tarball-config "$BATS_FILE_TMPDIR/config.json" \
		"tarball:$BATS_FILE_TMPDIR/base.tar:$BATS_FILE_TMPDIR/top.tar" "$IMAGE" >/dev/null
}

teardown_file() {
	registry_stop
	ip netns delete "$NET"
	leak_check
}

# in_net SCRIPT ARG…
in_net() {
	TOOL_TIMEOUT=120 tool $IN_NET bash -euo pipefail -c "$@"
}

nothing_left() {
	[ -z "$(find "$OCID_ROOT/containers" "$OCID_RUNROOT/netns" "$OCID_ROOT/tmp" -mindepth 1)" ]
}

LINE='skopeo-c copy --quiet --src-tls-verify=false "$IMAGE" store: | ctr-store create --id web |
	ctr-net add --conf-dir "$NETS" --publish 8080:80 | oci-gen generate | ocid-shim run'
FAST='skopeo-c copy --quiet --events 1 --src-tls-verify=false "$IMAGE" store: | ctr-store unpack |
	ctr-store create --id web | ctr-net add --conf-dir "$NETS" --publish 8080:80 |
	oci-gen generate | ocid-shim run'
PAGE='for i in $(seq 50); do curl -fsS http://127.0.0.1:8080/page && break; sleep 0.1; done'
END='ocid-shim kill web KILL; ocid-shim wait web >/dev/null; ocid-shim rm web >/dev/null
	ctr-net del <"$OCID_ROOT/containers/web/document.json" >/dev/null; ctr-store rm web >/dev/null'

# Whatever was made of the container, take it away as an admin would.
clear_web() {
	ocid-shim rm --force web >/dev/null 2>&1 || true
	in_net 'ctr-net del --conf-dir "$NETS" --id web >/dev/null 2>&1 || true
		ctr-net ns rm web >/dev/null 2>&1 || true'
	ctr-store rm --force web >/dev/null 2>&1 || true
	ctr-store gc >/dev/null
}

@test "pipelines: the line serves a page through a published port, and its document is valid" {
	in_net "$LINE >'$BATS_TEST_TMPDIR/document'; $PAGE; $END"
	[ "$output" = served ]
	/usr/bin/python3 -m jsonschema -i "$BATS_TEST_TMPDIR/document" "$TESTS/../man/document.schema.json"
	jq -e '.image.config.config.Labels.l == "v" and .config.annotations.l == "v"
		and (.config.process.env | index("A=b")) and (.rootfs.layers | length == 2)
		and (.network.attachments[0].result.ips | length == 1) and .process.status == "running"' \
		"$BATS_TEST_TMPDIR/document"
}

@test "pipelines: the line with layers unpacked while others download" {
	ctr-store rm --all web >/dev/null 2>&1 || true
	in_net "$FAST >/dev/null; $PAGE; $END"
	[ "$output" = served ]
}

@test "pipelines: the saved document is the printed one, and fields of others are left alone" {
	in_net 'skopeo-c copy --quiet --src-tls-verify=false "$IMAGE" store: |
		jq -c ".mine = {\"kept\": [1, null, \"é\"]}" | ctr-store create --id web |
		ctr-net add --conf-dir "$NETS" | oci-gen generate | ocid-shim run >"$0"; '"$END" \
		"$BATS_TEST_TMPDIR/document"
	jq -e '.mine == {"kept": [1, null, "é"]}' "$BATS_TEST_TMPDIR/document"
}

@test "pipelines: a tool that fails makes those after it fail, in one line each, and nothing runs" {
	run --separate-stderr $IN_NET bash -o pipefail -c 'skopeo-c copy --quiet --src-tls-verify=false docker://$REGISTRY/test/none:1 store: |
		ctr-store create --id web | ctr-net add --conf-dir "$NETS" | oci-gen generate | ocid-shim run'
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 5 ]
	[[ $stderr == *"test/none"* ]]
	nothing_left
}

@test "pipelines: killed at any moment, the same line succeeds afterwards" {
	for hundredths in 01 03 05 07 09 12 15 20 25 30 40; do
		run $IN_NET timeout -s KILL "0.$hundredths" bash -o pipefail -c "$FAST"
		clear_web
		nothing_left
	done
	in_net "$LINE >/dev/null; $PAGE; $END"
	[ "$output" = served ]
}

@test "pipelines: crun runs it too" {
	# crun 1.8 does not know hybrid cgroups: hide the second hierarchy from it
	in_net "exec unshare --mount bash -euo pipefail -c '
		umount /sys/fs/cgroup/unified 2>/dev/null || true
		$LINE --runtime crun >/dev/null; $PAGE; $END'"
	[ "$output" = served ]
}
