# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

setup() {
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	mkdir -p "$BUNDLE"
	jq -n --arg bundle "$BUNDLE" --arg path "$ROOTFS" '{
		image: {name: "x:latest", config: {os: "linux", config: {Entrypoint: ["/init"], Cmd: ["a"], User: "user"}}},
		rootfs: {id: "0123456789abcdef0123", path: $path, bundle: $bundle, layers: []},
		other: {kept: [1, 2]}}' >"$BATS_TEST_TMPDIR/document.json"
}

# from_document [STATUS] ARG…: with the document on standard input.
from_document() {
	local expected=0

	if [[ ${1-} =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" sh -c 'file=$1; shift; oci-gen generate "$@" <"$file"' sh \
		"$BATS_TEST_TMPDIR/document.json" "$@"
}

@test "generate: a document gets its configuration, and so does its bundle" {
	from_document
	is 'del(.config)' "$(jq -cS . "$BATS_TEST_TMPDIR/document.json")"
	jq .config <<<"$output" | fits_schema
	diff <(jq -S .config <<<"$output") <(jq -S . "$BUNDLE/config.json")
	diff <(jq -S . <<<"$output") <(jq -S . "$BUNDLE/document.json")
	[ "$(stat -c %a "$BUNDLE/config.json")" = 600 ]
	is .config.root.path "\"$ROOTFS\""
	is .config.hostname '"0123456789ab"'
	is .config.linux.cgroupsPath '"/ocid/0123456789abcdef0123"'
	is .config.process.args '["/init","a"]'
	is .config.process.user '{"additionalGids":[1000,50],"gid":1000,"uid":1000}'
	[ "$(ls "$BUNDLE")" = "$(printf 'config.json\ndocument.json')" ]
}

@test "generate: the control group of a user's container is left to the runtime" {
	_CONTAINERS_ROOTLESS_UID=1000 from_document
	is .config.linux.cgroupsPath null
	_CONTAINERS_ROOTLESS_UID=1000 from_document --linux-cgroups-path /mine
	is .config.linux.cgroupsPath '"/mine"'
}

@test "generate: options and operands go over what the document says" {
	from_document --hostname box --user 0:0 --linux-cgroups-path /mine b
	is .config.hostname '"box"'
	is .config.linux.cgroupsPath '"/mine"'
	is .config.process.args '["/init","b"]'
	is .config.process.user.uid 0
	from_document --linux-namespace-remove uts
	is .config.hostname null
}

@test "generate: a document's container has the default AppArmor profile that is loaded" {
	local document=$BATS_TEST_TMPDIR/document.json template=$BATS_TEST_TMPDIR/template.json

	oci-gen generate --no-document >"$template"
	while IFS='|' read -r expected loaded options; do
		# shellcheck disable=SC2086 # options
		with_apparmor 0 "$loaded" oci-gen generate --document "$document" $options
		is .config.process.apparmorProfile "$expected"
	done <<-END
		null|mine|
		"ocid-default"|docker-default ocid-default|
		"docker-default"|docker-default|
		"mine"|docker-default|--linux-apparmor mine
		"unconfined"|docker-default|--linux-apparmor unconfined
		null|docker-default|--privileged
		null|docker-default|--template $template
	END
	# without a document it may be for another host
	with_apparmor 0 ocid-default oci-gen generate --no-document
	is .process.apparmorProfile null
	with_apparmor 0 ocid-default oci-gen explain --document "$document" /process/apparmorProfile
	is .origin '"default"'
}

@test "generate: a document's earlier configuration is replaced" {
	jq '.config = {old: true}' "$BATS_TEST_TMPDIR/document.json" >"$BATS_TEST_TMPDIR/again"
	mv "$BATS_TEST_TMPDIR/again" "$BATS_TEST_TMPDIR/document.json"
	from_document
	is .config.old null
}

@test "generate: the network gives the namespace, and files for its names" {
	jq '.network = {netns: "/run/netns/x", attachments: [{network: "n", ifname: "eth0", result: {
		ips: [{address: "10.1.2.3/24"}, {address: "fd00::3/64"}, {address: "no\n6.6.6.6 evil"}],
		dns: {nameservers: ["10.1.2.1", "bad\nserver"], search: ["a.example"], options: ["ndots:5"]}}}]}' \
		"$BATS_TEST_TMPDIR/document.json" >"$BATS_TEST_TMPDIR/with"
	mv "$BATS_TEST_TMPDIR/with" "$BATS_TEST_TMPDIR/document.json"
	from_document
	is '.config.linux.namespaces[] | select(.type == "network")' '{"path":"/run/netns/x","type":"network"}'
	diff - "$BUNDLE/hosts" <<-'END'
		127.0.0.1	localhost
		::1	localhost ip6-localhost ip6-loopback
		10.1.2.3	0123456789ab
		fd00::3	0123456789ab
	END
	diff - "$BUNDLE/hostname" <<<0123456789ab
	diff - "$BUNDLE/resolv.conf" <<-'END'
		search a.example
		options ndots:5
		nameserver 10.1.2.1
	END
	is '[.config.mounts[] | select(.destination | startswith("/etc/")) | .destination] | sort' \
		'["/etc/hostname","/etc/hosts","/etc/resolv.conf"]'
	touch "$BATS_TEST_TMPDIR/own"
	from_document --bind "$BATS_TEST_TMPDIR/own:/etc/hosts:ro"
	is '[.config.mounts[] | select(.destination == "/etc/hosts") | .source]' "[\"$BATS_TEST_TMPDIR/own\"]"
}

@test "generate: without name servers from the network, the host's are used, but not those on its loopback" {
	jq '.network = {netns: "/run/netns/x", attachments: []}' "$BATS_TEST_TMPDIR/document.json" >"$BATS_TEST_TMPDIR/with"
	printf '# note\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\nsearch b.example\n' >"$BATS_TEST_TMPDIR/resolv.conf"
	tool unshare --mount sh -c 'mount --bind "$1" /etc/resolv.conf && oci-gen generate <"$2"' sh \
		"$BATS_TEST_TMPDIR/resolv.conf" "$BATS_TEST_TMPDIR/with"
	diff - "$BUNDLE/resolv.conf" <<-'END'
		nameserver 192.0.2.1
		search b.example
	END
}

@test "generate: standard input is read only when nothing else says what to start from" {
	tool sh -c 'echo "not a document" | oci-gen generate --rootfs /r x'
	tool sh -c 'echo "not a document" | oci-gen generate --no-document x'
	tool sh -c 'oci-gen generate x </dev/null'
	is .process.args '["x"]'
	tool 7 sh -c 'echo "not a document" | oci-gen generate x'
	error_is integrity
	tool 1 sh -c ': | oci-gen generate x'
	error_is failed
	tool oci-gen generate --document "$BATS_TEST_TMPDIR/document.json" --rootfs "$ROOTFS" x
	is .config.process.args '["/init","x"]'
	tool sh -c 'oci-gen generate --document - --rootfs /r --user 0:0 x <"$1"' sh "$BATS_TEST_TMPDIR/document.json"
	is .rootfs.path "\"$ROOTFS\""
}

@test "generate: a document that cannot be used is refused, and its bundle left as it was" {
	local filter

	refused() {
		jq "$2" "$BATS_TEST_TMPDIR/document.json" >"$BATS_TEST_TMPDIR/bad"
		tool "$1" sh -c 'oci-gen generate <"$1"' sh "$BATS_TEST_TMPDIR/bad"
		[ -z "$(ls -A "$BUNDLE")" ]
		[ -z "$output" ]
	}
	refused 2 'del(.rootfs)'
	error_is usage ctr-store
	refused 2 '.rootfs.id = "../x"'
	refused 7 '.rootfs.path = "rel"'
	refused 7 '.rootfs.bundle = "rel"'
	refused 7 '.image.config = []'
	refused 7 '.network = {netns: "rel"}'
	refused 7 '.network = {}'
	refused 7 '.image.config.config.User = "nobody-here"'
	refused 7 '.cri = {container: {}}'
	error_is integrity pod
	refused 7 '[.]'
	refused 3 '.rootfs.bundle = "/nonexistent/bundle"'
	from_document 2 --output x
	error_is usage
	for filter in '{"a":1,"a":2}' '{' '[1' 'null'; do
		tool 7 sh -c 'printf %s "$1" | oci-gen generate' sh "$filter"
		error_is integrity
	done
}

@test "generate: killed at any moment, the bundle has the old configuration or the new one" {
	local i pid

	from_document
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/first"
	for ((i = 0; i < 40; i++)); do
		oci-gen generate --hostname "host$i" <"$BATS_TEST_TMPDIR/document.json" >/dev/null 3>&- &
		pid=$!
		sleep "0.00$((i % 8))"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		fits_schema <"$BUNDLE/config.json"
	done
	from_document
	diff "$BATS_TEST_TMPDIR/first" "$BUNDLE/config.json"
}

# with_bundle_on MOUNT-OPTIONS: generate with the bundle on a tmpfs; prints what is left in it.
with_bundle_on() {
	unshare --mount sh -c '
		mount -t tmpfs tmpfs "$1" && mount -o "remount,$3" "$1"
		oci-gen generate --document "$2"
		status=$?
		ls -A "$1"
		exit $status' sh "$BUNDLE" "$BATS_TEST_TMPDIR/document.json" "$1"
}

@test "generate: a full or read-only disk is a clear error, and nothing half written stays" {
	run --separate-stderr with_bundle_on size=4k
	[ -z "$output" ]
	[ "$status" -eq 9 ]
	[[ $stderr == *config.json*"No space left"* ]]
	run --separate-stderr with_bundle_on ro
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	[[ $stderr == *config.json*'Read-only file system'* ]]
}
